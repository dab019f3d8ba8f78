//! What history says of a row, for rules that ask for it.

use std::collections::BTreeSet;

use portreeve_graph::Opening;
use portreeve_model::{MintMethod, OriginKind};
use portreeve_record::{FieldId, Fields, Record, Value};
use smallvec::SmallVec;

use crate::activities::{Activities, ActivityRow};
use crate::changes::Judged;
use crate::deployers::Deployers;
use crate::derived::{
    ACTOR_DEPLOY, CHANGE_JUDGED, CHANGE_OPENED, CHANGE_OPENS, CREDENTIAL_LOGIN,
    CREDENTIAL_MINTED_BY, CREDENTIAL_MOVED, CREDENTIAL_RUN,
};
use crate::lasting::Lasting;
use crate::lineage::{Lineage, Reason};
use crate::logins::Logins;
use crate::runs::Runs;
use crate::snapshot::Snapshot;
use crate::stage_one::{Said, Values};

/// What history says of a row, joined with what its record says.
pub(crate) struct History<'h> {
    pub(crate) judged: &'h Judged,
    pub(crate) lasting: &'h Lasting,
    pub(crate) activities: &'h Activities,
    pub(crate) lineage: &'h Lineage,
    pub(crate) deployers: &'h Deployers,
    pub(crate) runs: &'h Runs,
    pub(crate) logins: &'h Logins,
    pub(crate) snapshot: &'h Snapshot,
    pub(crate) fields: &'h Fields,
}

impl History<'_> {
    /// The record of a row by what it said to a rule, with what history says.
    pub(crate) fn complete<'s>(&self, row: ActivityRow<'_>, said: &'s Said) -> Completed<'s> {
        let told = said
            .iter()
            .filter_map(|(field, _)| Some((*field, self.tell(self.fields.path(*field), row)?)))
            .collect();
        Completed { said, told }
    }

    /// What history says of a field; `None` where the field is none of its own.
    fn tell(&self, path: &str, row: ActivityRow<'_>) -> Option<Values> {
        let value = match path {
            ACTOR_DEPLOY => self.deployers.deploys(row, self.snapshot).map(Value::Bool),
            CREDENTIAL_MOVED => self.moved(row).map(Value::Bool),
            CREDENTIAL_MINTED_BY => self
                .lineage
                .mint(row.credential_symbol())
                .map(|link| Value::String(link.method.as_str().into())),
            CREDENTIAL_RUN => self.runs.opened(row).map(Value::Bool),
            CREDENTIAL_LOGIN => self
                .logins
                .of(row, self.lineage)
                .map(|word| Value::String(word.into())),
            CHANGE_JUDGED => self.judged.holds(row.id()).then_some(Value::Bool(true)),
            CHANGE_OPENS => {
                let kinds: BTreeSet<_> = self.openings(row).map(|it| it.kind).collect();
                let words = kinds.into_iter().map(|kind| kind.as_str().into());
                return Some(words.map(Value::String).collect());
            }
            CHANGE_OPENED => {
                let words = self.openings(row).map(|opening| {
                    let lasting = self.lasting.words(row.id(), row.time());
                    format!("{}; {lasting}", opening.words).into()
                });
                return Some(words.map(Value::String).collect());
            }
            _ => return None,
        };
        Some(value.into_iter().collect())
    }

    fn openings(&self, row: ActivityRow<'_>) -> impl Iterator<Item = &Opening> {
        self.judged.of(row.id()).iter()
    }

    /// Compares the address of use with the very address that the session was issued to: runners
    /// share their provider's networks with anyone, so that a network's name would prove nothing.
    fn moved(&self, row: ActivityRow<'_>) -> Option<bool> {
        let link = self.lineage.mint(row.credential_symbol())?;
        // What was joined by its date tells when a session began, and of a portal from where; what
        // the console or an instance makes of it goes on elsewhere.
        let tells_place = matches!(
            link.reason,
            Reason::ReturnedKey | Reason::NamesPortal | Reason::Portal { .. }
        );
        let issue = self.activities.get(link.row.filter(|_| tells_place)?);
        let permanent = matches!(
            link.method,
            MintMethod::CreateAccessKey | MintMethod::CreateLoginProfile
        );
        if permanent || issue.origin() != OriginKind::Public || row.origin() != OriginKind::Public {
            return None;
        }
        Some(issue.address_symbol() != row.address_symbol())
    }
}

/// What a record said to a rule, and what history says of it.
pub(crate) struct Completed<'s> {
    said: &'s Said,
    /// In place of what the record said of these fields.
    told: SmallVec<[(FieldId, Values); 4]>,
}

impl Completed<'_> {
    /// All that the rule asks for.
    pub(crate) fn all(&self) -> impl Iterator<Item = (FieldId, &Values)> + Clone {
        let told = |field| self.told.iter().find(|(told, _)| *told == field);
        self.said.iter().map(move |said| {
            let (field, values) = told(said.0).unwrap_or(said);
            (*field, values)
        })
    }
}

impl Record for Completed<'_> {
    fn values(&self, field: FieldId) -> &[Value<'_>] {
        let all = self.told.iter().chain(&**self.said);
        let mut of_field = all.filter(|(known, _)| *known == field);
        of_field.next().map_or(&[], |(_, values)| values)
    }

    fn text(&self) -> &str {
        ""
    }
}
