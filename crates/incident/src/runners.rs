//! Who runs what the intruder wrote. A machine that pulled the image that the intruder pushed, or a
//! function whose code the intruder replaced, is in the intruder's hands from then on: what its role
//! never did before belongs to the incident, though it comes from where the machine always is and
//! with the client that it always has.
//!
//! What else the machine does is its ordinary work, and stays out. Records of pulls do not tell
//! which digest came, so a pull counts where the repository's last push before it was the
//! intruder's.

use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::fast::FixedState;
use portreeve_detect::{ActivityRow, Folded, RowId, Symbol};

use crate::behaviour::without_version;
use crate::names;
use crate::text::{clean, counted, listed, minute};

const PUSHES: &[&str] = &["ecr:PutImage"];
const PULLS: &[&str] = &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
const REPLACES: &[&str] = &["lambda:UpdateFunctionCode"];

/// How long a role must be known for what it does to be new.
const WARM_UP_SECONDS: i64 = 14 * 86_400;

/// How long after the pull something new is put down to what was pulled; later releases need new
/// things too.
const HOLD_SECONDS: i64 = 7 * 86_400;

/// A machine or function that runs what the intruder wrote.
#[derive(Clone, Copy, Debug)]
struct Runner {
    /// When it began to, in seconds.
    since: i64,
    /// The pull, or the replacement of the code.
    row: RowId,
}

/// By what sessions are told to be a runner's: the session name, and for functions, whose names are
/// no machine's own, the account.
type Key = (Symbol, Symbol);

/// All runners of what one incident's intruder wrote, and what they did for the first time.
#[derive(Debug, Default)]
pub(crate) struct Runners {
    known: HashMap<Key, Runner, FixedState>,
    /// In order of time.
    pub(crate) unusual: Vec<RowId>,
}

impl Runners {
    /// Looks through all activities once or twice, where the deeds have written something that runs.
    pub(crate) fn new(folded: &Folded, is_deed: impl Fn(RowId) -> bool) -> Self {
        let mut runners = Self {
            known: who(folded, is_deed),
            unusual: Vec::new(),
        };
        if !runners.known.is_empty() {
            runners.unusual = runners.find_unusual(folded);
        }
        runners
    }

    fn of(&self, row: ActivityRow<'_>) -> Option<Runner> {
        let session = row.session_symbol();
        session.is_some().then(|| {
            let own = self.known.get(&(session, row.account_symbol()));
            own.or_else(|| self.known.get(&(session, Symbol::NONE)))
                .copied()
        })?
    }

    /// What a runner did within the time that its role had never done, and that no other machine of
    /// the role did first.
    fn find_unusual(&self, folded: &Folded) -> Vec<RowId> {
        let mut roles = HashSet::<Symbol, FixedState>::default();
        for row in folded.activities.iter() {
            if self.of(row).is_some() && row.principal_symbol().is_some() {
                roles.insert(row.principal_symbol());
            }
        }
        let mut began = HashMap::<Symbol, i64, FixedState>::default();
        // Whether what a role did for the first time was a runner's new deed.
        let mut firsts = HashMap::<(Symbol, Symbol, Symbol), bool, FixedState>::default();
        let mut found = Vec::new();
        // Rows are in order of time.
        for row in folded.activities.iter() {
            let role = row.principal_symbol();
            let Some(time) = row.time().map(|time| time.as_second()) else {
                continue;
            };
            if !roles.contains(&role) {
                continue;
            }
            let began = *began.entry(role).or_insert(time);
            let touched = self.of(row).is_some_and(|runner| {
                time >= runner.since
                    && time <= runner.since.saturating_add(HOLD_SECONDS)
                    && began <= runner.since.saturating_sub(WARM_UP_SECONDS)
            });
            let is_new = *firsts
                .entry((role, row.action_symbol(), target(row)))
                .or_insert(touched);
            if is_new && touched {
                found.push(row.id());
            }
        }
        found
    }

    /// What is known of them in one sentence.
    pub(crate) fn told(&self, folded: &Folded) -> Option<String> {
        let mut runs: Vec<(i64, ActivityRow<'_>, &str)> = self
            .known
            .iter()
            .map(|((session, _), runner)| {
                let name = folded.activities.strings().get(*session);
                let row = folded.activities.get(runner.row);
                (runner.since, row, name.unwrap_or_default())
            })
            .collect();
        runs.sort_by(|a, b| (a.0, a.2).cmp(&(b.0, b.2)));
        let (_, first, _) = runs.first()?;
        let when = first.time().map(minute).unwrap_or_default();
        let what: Vec<String> = runs
            .iter()
            .filter_map(|(_, row, _)| row.targets().next())
            .map(names::resource)
            .fold(Vec::new(), |mut named, name| {
                if !named.contains(&name) {
                    named.push(name);
                }
                named
            });
        let mut who: Vec<String> = runs.iter().map(|(.., name)| clean(name)).collect();
        who.dedup();
        let mut deeds = BTreeMap::<&str, u64>::new();
        for row in &self.unusual {
            let row = folded.activities.get(*row);
            *deeds.entry(row.action()).or_default() += 1;
        }
        let deeds: Vec<String> = deeds
            .iter()
            .map(|(action, count)| format!("{} ({})", clean(action), counted(*count, "time")))
            .collect();
        let since = if deeds.is_empty() {
            "nothing that is new to their roles is seen of them since".to_owned()
        } else {
            format!(
                "since then they did what their roles never did before: {}",
                listed(&deeds, 3)
            )
        };
        Some(format!(
            "What was written to {} has run on {} since {when}, which may act for the intruder from \
             then on; {since}.",
            listed(&what, 2),
            listed(&who, 3),
        ))
    }
}

/// Who runs what deeds wrote.
fn who(folded: &Folded, is_deed: impl Fn(RowId) -> bool) -> HashMap<Key, Runner, FixedState> {
    let mut runners = HashMap::<Key, Runner, FixedState>::default();
    // Repositories whose last push was a deed.
    let mut pushed = HashSet::<Symbol, FixedState>::default();
    for row in folded.activities.iter() {
        let Some(time) = row.time().filter(|_| row.succeeded()) else {
            continue;
        };
        let action = without_version(row.action());
        let runner = Runner {
            since: time.as_second(),
            row: row.id(),
        };
        if PUSHES.contains(&action) {
            for repository in row.target_symbols() {
                if is_deed(row.id()) {
                    pushed.insert(repository);
                } else {
                    pushed.remove(&repository);
                }
            }
        } else if PULLS.contains(&action) {
            if row.session().is_some_and(is_machine)
                && row.target_symbols().any(|it| pushed.contains(&it))
            {
                runners
                    .entry((row.session_symbol(), Symbol::NONE))
                    .or_insert(runner);
            }
        } else if REPLACES.contains(&action) && is_deed(row.id()) {
            // A function's sessions bear its name.
            for name in row.targets().filter_map(function) {
                if let Some(session) = folded.activities.strings().find(name) {
                    runners
                        .entry((session, row.account_symbol()))
                        .or_insert(runner);
                }
            }
        }
    }
    runners
}

/// Whether a session name is one machine's own: an instance's or a task's id. What people and
/// pipelines choose names many.
fn is_machine(session: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|it| it.is_ascii_hexdigit());
    match session.strip_prefix("i-") {
        Some(id) => matches!(id.len(), 8 | 17) && is_hex(id),
        None => session.len() == 32 && is_hex(session),
    }
}

/// The name in a function's ARN.
fn function(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':').skip(5);
    (parts.next() == Some("function"))
        .then(|| parts.next())
        .flatten()
}

/// Of several targets the one that is no object, so that each new file is not something new.
fn target(row: ActivityRow<'_>) -> Symbol {
    row.target_symbols()
        .zip(row.targets())
        .find(|(_, id)| names::object(id).is_none())
        .map_or(Symbol::NONE, |(symbol, _)| symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_told_from_names_that_people_choose() {
        assert!(is_machine("i-0353ac30287ed7e24"));
        assert!(is_machine("0123456789abcdef0123456789abcdef"));
        for other in ["GitHubActions", "dev.mira", "i-am-a-name", "i-", ""] {
            assert!(!is_machine(other), "{other}");
        }
    }

    #[test]
    fn functions_are_known_by_their_arns() {
        let arn = "arn:aws:lambda:eu-west-1:111122223333:function:resize:3";
        assert_eq!(function(arn), Some("resize"));
        assert_eq!(function("arn:aws:s3:::function"), None);
    }
}
