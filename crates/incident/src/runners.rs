//! Who runs what the intruder wrote. A machine that pulled the image that the intruder pushed, or a
//! function whose code the intruder replaced, is in the intruder's hands from then on: what its role
//! never did before belongs to the incident, though it comes from where the machine always is and
//! with the client that it always has.
//!
//! What else the machine does is its ordinary work, and stays out. Records of pulls do not tell
//! which digest came, so a pull counts where the repository's last push before it was the
//! intruder's.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// What single cases look up, so that none looks through all activities: an organisation may have
/// thousands of cases.
#[derive(Debug)]
pub(crate) struct Written<'f> {
    folded: &'f Folded,
    /// For each repository the pushes and pulls that were done, in order of time.
    of_repository: HashMap<Symbol, Vec<RowId>, FixedState>,
    /// Made where any case has runners at all.
    by_role: OnceCell<ByRole>,
}

/// Rows by principal, each in order of time, and principals by session name.
#[derive(Debug, Default)]
struct ByRole {
    rows: HashMap<Symbol, Vec<RowId>, FixedState>,
    of_session: HashMap<Symbol, BTreeSet<Symbol>, FixedState>,
}

impl<'f> Written<'f> {
    pub(crate) fn new(folded: &'f Folded) -> Self {
        let is_wanted = |action: &str| {
            let action = without_version(action);
            PUSHES.contains(&action) || PULLS.contains(&action)
        };
        // What an action's text says is looked up once.
        let mut known = HashMap::<Symbol, bool, FixedState>::default();
        let mut of_repository = HashMap::<Symbol, Vec<RowId>, FixedState>::default();
        for row in folded.activities.iter() {
            let is_wanted = *known
                .entry(row.action_symbol())
                .or_insert_with(|| is_wanted(row.action()));
            if is_wanted && row.succeeded() && row.time().is_some() {
                for target in row.target_symbols() {
                    of_repository.entry(target).or_default().push(row.id());
                }
            }
        }
        Self {
            folded,
            of_repository,
            by_role: OnceCell::new(),
        }
    }

    fn by_role(&self) -> &ByRole {
        self.by_role.get_or_init(|| {
            let mut by_role = ByRole::default();
            for row in self.folded.activities.iter() {
                let role = row.principal_symbol();
                if role.is_some() {
                    by_role.rows.entry(role).or_default().push(row.id());
                    if row.session_symbol().is_some() {
                        let roles = by_role.of_session.entry(row.session_symbol());
                        roles.or_default().insert(role);
                    }
                }
            }
            by_role
        })
    }
}

/// All runners of what one incident's intruder wrote, and what they did for the first time.
#[derive(Debug, Default)]
pub(crate) struct Runners {
    known: HashMap<Key, Runner, FixedState>,
    /// In order of time.
    pub(crate) unusual: Vec<RowId>,
}

impl Runners {
    /// Those of what the deeds wrote.
    pub(crate) fn new(
        written: &Written<'_>,
        deeds: impl Iterator<Item = RowId>,
        is_deed: impl Fn(RowId) -> bool,
    ) -> Self {
        let mut runners = Self {
            known: who(written, deeds, is_deed),
            unusual: Vec::new(),
        };
        if !runners.known.is_empty() {
            runners.unusual = runners.find_unusual(written);
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
    fn find_unusual(&self, written: &Written<'_>) -> Vec<RowId> {
        let by_role = written.by_role();
        let roles: BTreeSet<Symbol> = self
            .known
            .keys()
            .filter_map(|(session, _)| by_role.of_session.get(session))
            .flatten()
            .copied()
            .collect();
        let mut found = Vec::new();
        for rows in roles.iter().filter_map(|role| by_role.rows.get(role)) {
            let mut began = None;
            // Whether what the role did for the first time was a runner's new deed.
            let mut firsts = HashMap::<(Symbol, Symbol), bool, FixedState>::default();
            // Rows are in order of time.
            for row in rows.iter().map(|row| written.folded.activities.get(*row)) {
                let Some(time) = row.time().map(|time| time.as_second()) else {
                    continue;
                };
                let began = *began.get_or_insert(time);
                let touched = self.of(row).is_some_and(|runner| {
                    time >= runner.since
                        && time <= runner.since.saturating_add(HOLD_SECONDS)
                        && began <= runner.since.saturating_sub(WARM_UP_SECONDS)
                });
                let is_new = *firsts
                    .entry((row.action_symbol(), target(row)))
                    .or_insert(touched);
                if is_new && touched {
                    found.push(row.id());
                }
            }
        }
        found.sort_unstable();
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

/// Who runs what deeds wrote. Costs what there is on the repositories that they pushed to.
fn who(
    written: &Written<'_>,
    deeds: impl Iterator<Item = RowId>,
    is_deed: impl Fn(RowId) -> bool,
) -> HashMap<Key, Runner, FixedState> {
    let mut runners = HashMap::<Key, Runner, FixedState>::default();
    let mut add = |key: Key, row: ActivityRow<'_>| {
        let Some(time) = row.time() else {
            return;
        };
        let runner = Runner {
            since: time.as_second(),
            row: row.id(),
        };
        let known = runners.entry(key).or_insert(runner);
        if runner.row < known.row {
            *known = runner;
        }
    };
    let activities = &written.folded.activities;
    let mut repositories = BTreeSet::new();
    for row in deeds.map(|row| activities.get(row)) {
        if !row.succeeded() || row.time().is_none() {
            continue;
        }
        let action = without_version(row.action());
        if PUSHES.contains(&action) {
            repositories.extend(row.target_symbols());
        } else if REPLACES.contains(&action) {
            // A function's sessions bear its name.
            for name in row.targets().filter_map(function) {
                if let Some(session) = activities.strings().find(name) {
                    add((session, row.account_symbol()), row);
                }
            }
        }
    }
    for rows in repositories
        .iter()
        .filter_map(|repository| written.of_repository.get(repository))
    {
        let mut is_pushed = false;
        for row in rows.iter().map(|row| activities.get(*row)) {
            if PUSHES.contains(&without_version(row.action())) {
                is_pushed = is_deed(row.id());
            } else if is_pushed && row.session().is_some_and(is_machine) {
                add((row.session_symbol(), Symbol::NONE), row);
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
