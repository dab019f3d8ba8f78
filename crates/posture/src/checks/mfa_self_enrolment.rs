//! A second factor can be registered without one.

use portreeve_authz::Decision;
use portreeve_graph::Circumstances;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.mfa-self-enrolment",
    title: "A user may register another second factor without one",
    why: "Whoever stole the key registers a factor of his own, and passes every policy that asks for one.",
    remedy: "Allow `iam:EnableMFADevice` and `iam:DeactivateMFADevice` with a factor only; register the first one for the user.",
    severity: Severity::High,
    posture: &["A03"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        // A long-term key's requests say nothing of a factor.
        let without = Circumstances::default()
            .with("aws:MultiFactorAuthPresent", &[])
            .with("aws:MultiFactorAuthAge", &[]);
        for user in scene
            .principals()
            .filter(|own| own.kind == EntityKind::User)
        {
            let id = user.id.as_str();
            let may = |action| scene.may(id, action, id, &without);
            let enables = may("iam:EnableMFADevice");
            let judged = match enables {
                Some(Decision::Allowed) => Judged::fail("may register a factor with its key alone"),
                Some(Decision::Denied) => Judged::pass(),
                _ => {
                    Judged::unknown("what is known of requests: whether it may hangs on conditions")
                }
            };
            verdicts.of(user, judged);
        }
    },
    examples: &[
        fails(
            r#"{"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "self", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:EnableMFADevice", "Resource": "arn:aws:iam::*:user/${aws:username}"}]}}]}]}"#,
        ),
        passes(
            r#"{"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "self", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:EnableMFADevice", "Resource": "arn:aws:iam::*:user/${aws:username}", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]}}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
