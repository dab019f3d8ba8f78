use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use jiff::civil::Date;
use portreeve_model::{CredentialKind, MintMethod, PrincipalKind};

use crate::activities::{Activities, ActivityRow, RowId};
use crate::deployers::{DEPLOY_DAYS, DEPLOY_WARM_UP_DAYS, deploy_targets};
use crate::findings::day_of;
use crate::lineage::Lineage;
use crate::strings::Symbol;
use crate::subject::Subject;

/// What opened the session that a credential is of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Opener {
    /// A run, by the repository and kind that its web identity stands for.
    Run(String),
    /// Something else, which the logs show.
    Other,
    /// The logs do not show.
    Unknown,
}

/// The runs of pipelines that deploy to each target, inferred from the writes that the logs show.
/// The role alone proves little: who can assume it writes in its name.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    openers: HashMap<Symbol, Opener, FixedState>,
    deploying: BTreeMap<Symbol, BTreeSet<String>>,
    /// First and last day of the writes to each target.
    seen: BTreeMap<Symbol, (Date, Date)>,
}

impl Runs {
    pub(crate) fn infer(activities: &Activities, lineage: &Lineage, deploys: &[RowId]) -> Self {
        let mut runs = Self::default();
        let mut days = BTreeMap::<(Symbol, String), BTreeSet<Date>>::new();
        let Self { openers, seen, .. } = &mut runs;
        for row in deploys.iter().map(|row| activities.get(*row)) {
            let credential = row.credential_symbol();
            let opener = openers
                .entry(credential)
                .or_insert_with(|| opener(credential, activities, lineage));
            let Some(day) = day_of(row) else { continue };
            if !row.succeeded() || row.kind() == PrincipalKind::Human {
                continue;
            }
            for target in deploy_targets(row) {
                let (first, last) = seen.entry(target).or_insert((day, day));
                (*first, *last) = ((*first).min(day), (*last).max(day));
                if let Opener::Run(run) = opener {
                    days.entry((target, run.clone())).or_default().insert(day);
                }
            }
        }
        for ((target, run), days) in days {
            if days.len() >= DEPLOY_DAYS {
                runs.deploying.entry(target).or_default().insert(run);
            }
        }
        runs
    }

    /// Whether a run that deploys to the row's target opened its session.
    pub(crate) fn opened(&self, row: ActivityRow<'_>) -> Option<bool> {
        let opener = self.openers.get(&row.credential_symbol())?;
        deploy_targets(row)
            .filter_map(|target| {
                let known = self.deploying.get(&target)?;
                let (first, last) = self.seen.get(&target)?;
                let is_warm = first.duration_until(*last).as_hours() >= 24 * DEPLOY_WARM_UP_DAYS;
                match opener {
                    Opener::Run(run) if known.contains(run) => Some(true),
                    Opener::Run(_) | Opener::Other => is_warm.then_some(false),
                    Opener::Unknown => None,
                }
            })
            .reduce(|one, other| one || other)
    }
}

/// Follows a credential's chain up to the run that began it.
fn opener(credential: Symbol, activities: &Activities, lineage: &Lineage) -> Opener {
    let mut root = credential;
    for link in std::iter::once(credential)
        .chain(lineage.ancestors(credential))
        .inspect(|above| root = *above)
        .filter_map(|above| lineage.mint(above))
    {
        if link.method == MintMethod::AssumeRoleWithWebIdentity {
            let subject = link.row.and_then(|row| activities.get(row).subject());
            return match subject {
                Some(subject) => Opener::Run(match Subject::parse(subject) {
                    Some(parsed) => parsed.name(),
                    None => subject.to_owned(),
                }),
                None => Opener::Unknown,
            };
        }
    }
    // A long-lived key is no run's; of a session whose minting is not there nothing can be said.
    match (lineage.mint(root), lineage.facts(root)) {
        (Some(_), _) => Opener::Other,
        (None, Some(facts)) if facts.kind == CredentialKind::AccessKey => Opener::Other,
        _ => Opener::Unknown,
    }
}
