//! Who deploys to what, as the logs show it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use jiff::civil::Date;
use portreeve_model::PrincipalKind;

use crate::activities::{Activities, ActivityRow, RowId};
use crate::findings::day_of;
use crate::snapshot::Snapshot;
use crate::strings::Symbol;

/// On how many days a principal that is not a person must have written to a target to be taken
/// for one that deploys to it.
pub const DEPLOY_DAYS: usize = 3;

/// Over how many days the logs must show writes to a target before one who does not deploy to it
/// is told apart from one who has not done so yet.
pub(crate) const DEPLOY_WARM_UP_DAYS: i64 = 14;

/// Who deploys to what, inferred from the writes that the logs show.
pub(crate) struct Deployers {
    inferred: HashMap<Symbol, BTreeSet<Symbol>, FixedState>,
    /// First and last day of the writes to each target.
    seen: HashMap<Symbol, (Date, Date), FixedState>,
}

impl Deployers {
    pub(crate) fn infer(activities: &Activities, deploys: &[RowId], snapshot: &Snapshot) -> Self {
        let mut inferred = HashMap::<Symbol, BTreeSet<Symbol>, FixedState>::default();
        let mut seen = HashMap::<Symbol, (Date, Date), FixedState>::default();
        if snapshot.declares_deployers() {
            return Self { inferred, seen };
        }
        let mut days = BTreeMap::<(Symbol, Symbol), BTreeSet<Date>>::new();
        for row in deploys.iter().map(|row| activities.get(*row)) {
            let (Some(day), true) = (day_of(row), row.succeeded()) else {
                continue;
            };
            if row.kind() != PrincipalKind::Human {
                for target in deploy_targets(row) {
                    let (first, last) = seen.entry(target).or_insert((day, day));
                    (*first, *last) = ((*first).min(day), (*last).max(day));
                    days.entry((target, row.principal_symbol()))
                        .or_default()
                        .insert(day);
                }
            }
        }
        for ((target, principal), days) in days {
            if days.len() >= DEPLOY_DAYS {
                inferred.entry(target).or_default().insert(principal);
            }
        }
        Self { inferred, seen }
    }

    /// Whether the row's principal deploys to its target; nothing where nobody is known to, or
    /// where the logs are too short to tell.
    pub(crate) fn deploys(&self, row: ActivityRow<'_>, snapshot: &Snapshot) -> Option<bool> {
        if snapshot.declares_deployers() {
            return Some(snapshot.is_declared_deployer(row.principal()));
        }
        deploy_targets(row)
            .filter_map(|target| {
                let known = self.inferred.get(&target)?;
                let (first, last) = self.seen.get(&target)?;
                let warm = first.duration_until(*last).as_hours() >= 24 * DEPLOY_WARM_UP_DAYS;
                let deploys = known.contains(&row.principal_symbol());
                (deploys || warm).then_some(deploys)
            })
            .reduce(|one, other| one || other)
    }

    pub(crate) fn named(&self, activities: &Activities) -> BTreeMap<String, BTreeSet<String>> {
        let text = |symbol: &Symbol| {
            activities
                .strings()
                .get(*symbol)
                .unwrap_or_default()
                .to_owned()
        };
        self.inferred
            .iter()
            .map(|(target, principals)| (text(target), principals.iter().map(text).collect()))
            .collect()
    }
}

/// The buckets and repositories among a row's targets: what deployments are counted for.
pub(crate) fn deploy_targets(row: ActivityRow<'_>) -> impl Iterator<Item = Symbol> {
    row.target_symbols()
        .zip(row.targets())
        .filter(|(_, id)| !is_object(id))
        .map(|(symbol, _)| symbol)
}

/// Whether a resource is an object in a bucket: `arn:PARTITION:s3:::BUCKET/KEY`.
fn is_object(id: &str) -> bool {
    let name = id
        .strip_prefix("arn:")
        .and_then(|rest| rest.split_once(':')?.1.strip_prefix("s3:::"));
    name.is_some_and(|name| name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::is_object;

    #[test]
    fn objects_are_told_from_buckets_and_all_else() {
        for object in [
            "arn:aws:s3:::web/index.html",
            "arn:aws-cn:s3:::web/a/b:c.js",
            "arn:aws:s3:::web/",
        ] {
            assert!(is_object(object), "{object}");
        }
        for other in [
            "",
            "arn:aws:s3:::web",
            "arn:aws:ecr:eu-west-1:111122223333:repository/signer",
            "arn:aws:s3:eu-west-1:111122223333:accesspoint/web",
            "web/index.html",
        ] {
            assert!(!is_object(other), "{other}");
        }
    }
}
