use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::activities::{Activities, ActivityRow};
use crate::lineage::{Certainty, Lineage};
use crate::strings::Symbol;

const LOGIN: &str = "signin:ConsoleLogin";

/// How long before a session's creation the logs must show logins of its account: where they do
/// not, the trail may not hold them at all.
const SHOWN_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// Since when the logs show console logins, by account.
#[derive(Debug, Default)]
pub(crate) struct Logins(BTreeMap<Symbol, Timestamp>);

impl Logins {
    pub(crate) fn new(activities: &Activities) -> Self {
        let mut first = BTreeMap::new();
        if let Some(login) = activities.strings().find(LOGIN) {
            for row in activities.iter().filter(|row| row.action_symbol() == login) {
                if let Some(time) = row.time() {
                    first.entry(row.account_symbol()).or_insert(time);
                }
            }
        }
        Self(first)
    }

    /// Whether the logs show how the console session that made a call was opened.
    pub(crate) fn of(&self, row: ActivityRow<'_>, lineage: &Lineage) -> Option<&'static str> {
        let credential = row.credential_symbol();
        let created = lineage
            .facts(credential)
            .filter(|facts| facts.console)?
            .created?;
        if lineage.mint_at(credential, Certainty::Possible).is_some() {
            return Some("shown");
        }
        let since = self.0.get(&row.account_symbol())?;
        let shows_logins = created.duration_since(*since) >= SHOWN_BEFORE;
        shows_logins.then_some("missing")
    }
}
