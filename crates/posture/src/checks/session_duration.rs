//! A strong role's sessions last long.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, Limit, fails, passes, unknown};
use crate::scene::number;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.session-duration",
    title: "An administrator's role has long sessions",
    why: "A stolen session works until it ends by itself: for half a day nothing need be stolen again.",
    remedy: "Set the role's maximum session duration to an hour or a few.",
    severity: Severity::High,
    posture: &["A04"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html",
    ],
    needs: &["aws.roles"],
    limits: &[Limit {
        name: "hours",
        default: 4,
        meaning: "hours for which a session may last",
    }],
    judge: |scene, verdicts| {
        let hours = scene.limit(CHECK.id, "hours");
        for role in scene.of_kind(EntityKind::Role) {
            let of_service = role.id.as_str().contains(":role/aws-service-role/");
            if of_service || !scene.is_administrator(&role.id) {
                continue;
            }
            let judged = match number(role, "MaxSessionDuration") {
                None => Judged::unknown("aws iam list-roles"),
                Some(seconds) if seconds <= hours * 3600 => Judged::pass(),
                Some(seconds) => {
                    Judged::fail(format!("sessions last up to {} hours", seconds / 3600))
                }
            };
            verdicts.of(role, judged);
        }
    },
    examples: &[
        fails(
            r#"[{"RoleDetailList": [{"RoleName": "all", "Arn": "arn:aws:iam::111122223333:role/all", "AssumeRolePolicyDocument": {"Statement": []}, "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}]}, {"Roles": [{"RoleName": "all", "Arn": "arn:aws:iam::111122223333:role/all", "MaxSessionDuration": 43200}]}]"#,
        ),
        passes(
            r#"[{"RoleDetailList": [{"RoleName": "all", "Arn": "arn:aws:iam::111122223333:role/all", "AssumeRolePolicyDocument": {"Statement": []}, "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}]}, {"Roles": [{"RoleName": "all", "Arn": "arn:aws:iam::111122223333:role/all", "MaxSessionDuration": 3600}]}]"#,
        ),
        unknown(
            r#"{"RoleDetailList": [{"RoleName": "all", "Arn": "arn:aws:iam::111122223333:role/all", "AssumeRolePolicyDocument": {"Statement": []}, "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
