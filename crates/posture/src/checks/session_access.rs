//! A person may open a shell on a machine.

use portreeve_graph::Circumstances;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.session-access",
    title: "A person may open a shell on a machine",
    why: "From the shell the machine's role is one request away, and with it all that it reaches.",
    remedy: "Leave `ssm:StartSession` and `ec2-instance-connect:SendSSHPublicKey` to those on duty, by tag and with a second factor.",
    severity: Severity::Medium,
    posture: &["A29"],
    references: &[
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-quickstart.html",
    ],
    needs: &["aws.instances"],
    judge: |scene, verdicts| {
        for instance in scene.of_kind(EntityKind::Instance) {
            if scene.roles_of(&instance.id).is_empty() {
                continue;
            }
            let who = scene.people_who_may(
                &["ssm:StartSession", "ec2-instance-connect:SendSSHPublicKey"],
                instance.id.as_str(),
                &Circumstances::default(),
            );
            verdicts.of(
                instance,
                Judged::nobody(who, "may open a shell").on([instance.id.clone()]),
            );
        }
    },
    examples: &[
        fails(
            r#"[{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1", "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/node"}}], "InstanceProfiles": [{"Arn": "arn:aws:iam::111122223333:instance-profile/node", "Roles": [{"Arn": "arn:aws:iam::111122223333:role/node"}]}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "ops", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]}}]}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#,
        ),
        passes(
            r#"[{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1", "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/node"}}], "InstanceProfiles": [{"Arn": "arn:aws:iam::111122223333:instance-profile/node", "Roles": [{"Arn": "arn:aws:iam::111122223333:role/node"}]}]}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": []}]}]"#,
        ),
    ],
    ..Check::DEFAULT
};
