//! A person's session works from any network.

use portreeve_model::{PolicyLayer, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::{A_PERSON, Judged};

/// Condition keys that say from where a request comes.
const NETWORKS: [&str; 7] = [
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:vpcsourceip",
    "aws:vpceorgid",
    "aws:vpceaccount",
];

pub(super) const CHECK: Check = Check {
    id: "aws.network-perimeter",
    title: "A person's session works from any network",
    why: "A stolen session is used from a VPN exit on the other side of the world, and nothing asks.",
    remedy: "Deny requests of people's roles that come neither from your networks nor through an AWS service, by service control policy or permission set.",
    severity: Severity::Medium,
    posture: &["A05"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for principal in scene.principals() {
            let person = scene.is_person(principal);
            if person == Some(false) {
                continue;
            }
            let own = scene.identity_policies(&principal.id);
            let on_it = scene.policies(&principal.id).iter().copied();
            let above = scene
                .account_of(principal)
                .map(|account| {
                    let levels = scene.levels(account).into_iter();
                    levels.chain([&account.id]).collect::<Vec<_>>()
                })
                .unwrap_or_default();
            let above = above
                .into_iter()
                .flat_map(|level| scene.policies_of(level, PolicyLayer::ServiceControl))
                .copied();
            let asks = own.into_iter().chain(on_it).chain(above).any(|policy| {
                let statements = policy.statements();
                statements
                    .iter()
                    .any(|statement| statement.is_on_any(&NETWORKS))
            });
            let judged = match (asks, person) {
                (true, _) => Judged::pass(),
                (false, None) => Judged::unknown(A_PERSON),
                (false, Some(_)) => Judged::fail("no policy that binds it asks from where"),
            };
            verdicts.of(principal, judged);
        }
    },
    examples: &[
        fails(
            r#"{"RoleDetailList": [{"RoleName": "AWSReservedSSO_Developer_0a1b2c3d4e5f6071", "Arn": "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Developer_0a1b2c3d4e5f6071", "AssumeRolePolicyDocument": {"Statement": []}, "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}]}]}"#,
        ),
        passes(
            r#"{"RoleDetailList": [{"RoleName": "AWSReservedSSO_Developer_0a1b2c3d4e5f6071", "Arn": "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Developer_0a1b2c3d4e5f6071", "AssumeRolePolicyDocument": {"Statement": []}, "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/28"}, "Bool": {"aws:ViaAWSService": "false"}}}]}}]}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
