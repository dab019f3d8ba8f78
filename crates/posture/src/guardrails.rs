//! What service control policies keep from being done in an account.

use portreeve_model::{Entity, PolicyLayer};

use crate::policy::Statement;
use crate::scene::Scene;
use crate::verdicts::{Judged, Verdicts};

/// Judges each account by whether something above it denies some actions to nearly everyone. The
/// management account is bound by no such policy: it fails, and says so.
pub(crate) fn denied(scene: &Scene<'_>, verdicts: &mut Verdicts<'_>, actions: &[&str]) {
    each(scene, verdicts, |statements| {
        let open = actions.iter().filter(|action| {
            !statements
                .iter()
                .any(|statement| statement.covers(action) && statement.is_for_everything())
        });
        let open: Vec<&str> = open.copied().collect();
        match open.is_empty() {
            true => Judged::pass(),
            false => Judged::fail(format!("not denied: {}", open.join(", "))),
        }
    });
}

/// Judges each account by whether something above it denies by region.
pub(crate) fn regions(scene: &Scene<'_>, verdicts: &mut Verdicts<'_>) {
    each(scene, verdicts, |statements| {
        let by_region = statements.iter().any(|statement| {
            statement.is_on_any(&["aws:requestedregion"]) && statement.covers("ec2:RunInstances")
        });
        Judged::holds(
            Some(by_region),
            "no policy denies by `aws:RequestedRegion`",
            "",
        )
    });
}

/// Shows `judge` the statements above each account that deny. An account that is in no organization
/// that the inventory has is left to the formats that are missing.
fn each(scene: &Scene<'_>, verdicts: &mut Verdicts<'_>, judge: impl Fn(&[Statement]) -> Judged) {
    for account in scene.accounts() {
        if !scene.is_in_organization(account) {
            continue;
        }
        let judged = match scene.is_management(account) {
            true => Judged::fail("the management account is bound by no service control policy"),
            false => judge(&denials(scene, account)),
        };
        verdicts.of(account, judged);
    }
}

fn denials(scene: &Scene<'_>, account: &Entity) -> Vec<Statement> {
    let levels = scene.levels(account).into_iter().chain([&account.id]);
    levels
        .flat_map(|level| scene.policies_of(level, PolicyLayer::ServiceControl))
        .flat_map(|policy| policy.statements())
        .filter(|statement| !statement.allows)
        .collect()
}
