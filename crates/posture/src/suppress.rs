//! Which failures the user accepts.

use jiff::Timestamp;
use portreeve_graph::wildcard::matches;
use portreeve_model::EntityId;

use crate::report::{Failure, SuppressionState, SuppressionUse};
use crate::settings::Suppression;

impl Suppression {
    /// Why it hides nothing, if so.
    fn defect(&self, as_of: Timestamp) -> Option<SuppressionState> {
        let all = |patterns: &[String]| {
            patterns.is_empty()
                || patterns
                    .iter()
                    .any(|pattern| !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*'))
        };
        if self.reason.trim().is_empty() {
            return Some(SuppressionState::WithoutReason);
        }
        match self.expires {
            None => return Some(SuppressionState::WithoutExpiry),
            Some(expires) if expires <= as_of => return Some(SuppressionState::Expired),
            Some(_) => {}
        }
        let boundless = all(&self.checks) && all(&self.resources) && all(&self.accounts);
        boundless.then_some(SuppressionState::Boundless)
    }

    fn is_for(&self, failure: &Failure) -> bool {
        let any = |patterns: &[String], holds: &dyn Fn(&str) -> bool| {
            patterns.is_empty() || patterns.iter().any(|pattern| holds(pattern))
        };
        let named = |pattern: &str, id: &EntityId| {
            matches(pattern, id.as_str()) || matches(pattern, id.short_name())
        };
        any(&self.checks, &|pattern| matches(pattern, failure.check))
            && any(&self.resources, &|pattern| {
                named(pattern, &failure.resource)
            })
            && any(&self.accounts, &|pattern| {
                let account = failure.account.as_deref();
                account.is_some_and(|account| matches(pattern, account))
            })
    }
}

/// Marks the failures that suppressions hide, the first of several in their order, and tells what
/// became of each.
pub(crate) fn suppress(
    failures: &mut [Failure],
    suppressions: &[Suppression],
    as_of: Timestamp,
) -> Vec<SuppressionUse> {
    let defects: Vec<_> = suppressions.iter().map(|one| one.defect(as_of)).collect();
    let mut hidden = vec![0; suppressions.len()];
    for failure in failures {
        let mut all = suppressions.iter().zip(&defects).enumerate();
        let found = all.find(|(_, (one, defect))| defect.is_none() && one.is_for(failure));
        if let Some((place, (suppression, _))) = found {
            failure.suppressed_by = Some(suppression.id.clone());
            hidden[place] += 1;
        }
    }
    let all = suppressions.iter().zip(defects).zip(hidden);
    all.map(|((one, defect), hidden)| SuppressionUse {
        id: one.id.clone(),
        state: defect.unwrap_or(match hidden {
            0 => SuppressionState::Unused,
            _ => SuppressionState::Active,
        }),
        hidden,
        expires: one.expires,
        owner: one.owner.clone(),
        reason: one.reason.clone(),
        ticket: one.ticket.clone(),
    })
    .collect()
}
