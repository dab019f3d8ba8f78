//! A domain name can be moved away.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes};
use crate::scene::flag;
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.domain-lock",
    title: "A domain name can be moved away",
    why: "Whoever holds the name holds the front end, its certificates and its mail.",
    remedy: "Turn the transfer lock and automatic renewal on; where the registry offers one, a registry lock.",
    severity: Severity::High,
    posture: &["A30"],
    references: &["https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/domain-lock.html"],
    needs: &["aws.domains"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("route53domains", "domain/"), |domain| match (
            flag(domain, "TransferLock"),
            flag(domain, "AutoRenew"),
        ) {
            (None, _) => Judged::unknown("aws route53domains list-domains"),
            (Some(false), _) => Judged::fail("its transfer lock is off"),
            (Some(true), Some(false)) => {
                Judged::fail("it is not renewed by itself").graver(Severity::Medium)
            }
            (Some(true), _) => Judged::pass(),
        });
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Domains": [{"DomainName": "example.com", "AutoRenew": true, "TransferLock": false}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Domains": [{"DomainName": "example.com", "AutoRenew": true, "TransferLock": true}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
