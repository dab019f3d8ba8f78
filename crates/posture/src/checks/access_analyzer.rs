//! Nobody looks for access from outside in a region.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{region, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.access-analyzer",
    title: "A region has no active access analyzer",
    why: "A resource that is shared with a stranger by mistake, or by an intruder, is told by nobody.",
    remedy: "Make an analyzer of the organization or the account in each region that is used.",
    severity: Severity::Low,
    posture: &["A13"],
    cis: &["1.20"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html"],
    needs: &["aws.access-analyzers"],
    judge: |scene, verdicts| {
        verdicts.each_region(scene, "aws.access-analyzers", |account, place| {
            let mut own = scene
                .of_type("access-analyzer", "analyzer/")
                .filter(|analyzer| analyzer.account == account.account);
            let active = own.any(|analyzer| {
                region(&analyzer.id) == Some(place)
                    && text(analyzer, "status").is_none_or(|status| status == "ACTIVE")
            });
            Judged::holds(Some(active), "no analyzer is active", "")
        });
    },
    examples: &[
        fails(r#"{"Account": "111122223333", "Region": "eu-west-1", "analyzers": []}"#),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "analyzers": [{"arn": "arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/all", "name": "all", "status": "ACTIVE", "type": "ACCOUNT"}]}"#,
        ),
        unknown(r#"{"Account": "111122223333", "PasswordPolicy": null}"#),
    ],
    ..Check::DEFAULT
};
