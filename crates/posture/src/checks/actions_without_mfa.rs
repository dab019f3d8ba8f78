//! A person's key acts without a second factor.

use portreeve_model::{Entity, EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::policy::Statement;
use crate::scene::Scene;
use crate::verdicts::{A_PERSON, Judged};

const FACTOR: [&str; 2] = ["aws:multifactorauthpresent", "aws:multifactorauthage"];

pub(super) const CHECK: Check = Check {
    id: "aws.actions-without-mfa",
    title: "A person's key acts without a second factor",
    why: "This is the control that held: a key that was stolen from a laptop was of no use without the factor.",
    remedy: "Deny everything but the registration of a factor where `aws:MultiFactorAuthPresent` is false (`BoolIfExists`).",
    severity: Severity::High,
    posture: &["A02"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for user in scene
            .principals()
            .filter(|own| own.kind == EntityKind::User)
        {
            let held = scene.identity_policies(&user.id);
            let statements: Vec<Statement> =
                held.iter().flat_map(|policy| policy.statements()).collect();
            let grants = statements.iter().any(|statement| statement.allows);
            let person = scene.is_person(user);
            if !grants || person == Some(false) {
                continue;
            }
            let bound = statements
                .iter()
                .chain(&boundaries(scene, user))
                .any(denies_without);
            let each = statements
                .iter()
                .filter(|statement| statement.allows)
                .all(|statement| statement.is_on_any(&FACTOR));
            let judged = match (bound || each, person) {
                (true, _) => Judged::pass(),
                (false, None) => Judged::unknown(A_PERSON),
                (false, Some(_)) => Judged::fail("its permissions hold without a second factor"),
            };
            verdicts.of(user, judged);
        }
    },
    examples: &[
        fails(
            r#"[{"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "dev", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}]}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#,
        ),
        passes(
            r#"[{"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "dev", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, {"Effect": "Deny", "NotAction": ["iam:EnableMFADevice", "sts:GetSessionToken"], "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]}}]}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#,
        ),
        unknown(
            r#"{"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana", "UserPolicyList": [{"PolicyName": "dev", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};

fn boundaries(scene: &Scene<'_>, user: &Entity) -> Vec<Statement> {
    let own = scene.policies_of(&user.id, PolicyLayer::Boundary);
    own.flat_map(|policy| policy.statements()).collect()
}

/// Whether a statement denies nearly everything where there is no second factor. A plain `Bool` does
/// not hold for long-term keys, whose requests do not carry the key.
fn denies_without(statement: &Statement) -> bool {
    let mut conditions = statement.conditions.iter();
    let by_factor = conditions.any(|(operator, key, values)| {
        let operator = operator.to_ascii_lowercase();
        let denied = values.iter().any(|value| value == "false");
        key == FACTOR[0]
            && ((operator == "boolifexists" && denied)
                || (operator == "null" && values.iter().any(|value| value == "true")))
    });
    !statement.allows
        && by_factor
        && statement.covers("sts:AssumeRole")
        && statement.is_for_everything()
}
