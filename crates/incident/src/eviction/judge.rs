use jiff::Timestamp;
use portreeve_detect::{ActivityRow, Revocation, RevocationKind, Symbol};
use portreeve_model::CredentialKind;

use super::aftermath::without_path;
use super::kinds::{Kind, Thing, What};
use super::{Aftermath, Evicted, EvictionState, RecordName, after};
use crate::behaviour::without_version;
use crate::case::Case;
use crate::lifetime::{self, End};
use crate::names::{self, Principal};
use crate::text::{clean, listed};

/// How many later uses of one thing are named.
const NAMED: usize = 5;

/// What became of a thing, with what shows it.
struct Verdict<'a> {
    state: EvictionState,
    until: Option<Timestamp>,
    why: String,
    row: Option<ActivityRow<'a>>,
}

impl<'a> Verdict<'a> {
    fn new(state: EvictionState, why: impl Into<String>) -> Self {
        Self {
            state,
            until: None,
            why: why.into(),
            row: None,
        }
    }

    fn by(mut self, row: ActivityRow<'a>) -> Self {
        self.row = Some(row);
        self
    }
}

pub(super) struct Judge<'c, 'a> {
    case: &'c Case<'a>,
    aftermath: &'c Aftermath,
    /// The time of the last record of the logs.
    end: Timestamp,
}

impl<'c, 'a> Judge<'c, 'a> {
    pub(super) fn new(case: &'c Case<'a>, aftermath: &'c Aftermath, end: Timestamp) -> Self {
        Self {
            case,
            aftermath,
            end,
        }
    }

    /// When the last of the things was taken away by anyone but the intruder.
    pub(super) fn last_revocation(&self, things: &[Thing]) -> Option<Timestamp> {
        things
            .iter()
            .filter_map(|thing| match &thing.what {
                What::Credential(credential) => self.revocation(*credential)?.time(),
                What::Left(kind, targets) => {
                    let (row, _) = self.undone(kind, targets, thing)?;
                    row.time()
                }
            })
            .max()
    }

    pub(super) fn judge(&self, thing: &Thing, at: Timestamp) -> Evicted {
        let (kind, id) = match &thing.what {
            What::Credential(credential) => {
                let kind = match lifetime::kind(self.case.folded, *credential) {
                    CredentialKind::AccessKey => "access key",
                    CredentialKind::Session => "session",
                    CredentialKind::Password => "password",
                    CredentialKind::Token => "token",
                    CredentialKind::Other => "credential",
                };
                (kind, self.case.text(*credential).to_owned())
            }
            What::Left(kind, targets) => {
                let ids: Vec<String> = targets
                    .iter()
                    .map(|target| self.case.text(*target).to_owned())
                    .collect();
                (kind.title, listed(&ids, NAMED))
            }
        };
        let (verdict, fired) = match &thing.what {
            What::Credential(credential) => {
                let fired = self.uses_of(*credential, at);
                (self.credential(*credential, at, &fired), fired)
            }
            What::Left(kind, targets) => {
                let fired = self.fired(kind, targets, at);
                (self.left(kind, targets, thing, at), fired)
            }
        };
        let view = |row| self.case.folded.activities.get(row);
        Evicted {
            kind: kind.to_owned(),
            id,
            how: thing.hold,
            since: thing.since,
            record: thing.row.map(|row| RecordName::of(view(row))),
            state: verdict.state,
            until: verdict.until,
            why: verdict.why,
            shown_by: verdict.row.map(RecordName::of),
            fired_total: fired.len() as u64,
            fired: fired.into_iter().take(NAMED).map(RecordName::of).collect(),
        }
    }

    fn row(&self, revocation: &Revocation) -> ActivityRow<'a> {
        self.case.folded.activities.get(revocation.row)
    }

    /// The record that took a credential away, where it was not given back.
    fn revocation(&self, credential: Symbol) -> Option<ActivityRow<'a>> {
        let mut found = None;
        for revocation in self.aftermath.revocations(self.case.folded, credential) {
            match revocation.kind {
                RevocationKind::Revoked if revocation.subject == credential => {
                    found = found.or(Some(self.row(revocation)));
                }
                RevocationKind::Restored if revocation.subject == credential => found = None,
                RevocationKind::SessionsBefore(before)
                    if found.is_none() && self.is_refused(credential, revocation, before) =>
                {
                    found = Some(self.row(revocation));
                }
                _ => {}
            }
        }
        found
    }

    /// Whether a session is one of those that a policy refuses by the time of their issue.
    fn is_refused(&self, credential: Symbol, revocation: &Revocation, before: Timestamp) -> bool {
        if lifetime::kind(self.case.folded, credential) != CredentialKind::Session {
            return false;
        }
        let lineage = &self.case.folded.lineage;
        let link = lineage.mint(credential);
        let issued = lineage
            .facts(credential)
            .and_then(|facts| facts.created)
            .or_else(|| self.case.folded.activities.get(link?.row?).time());
        let principal = self
            .case
            .rows_of_credential(credential)
            .map(|row| row.principal())
            .next()
            .or_else(|| link.map(|link| self.case.text(link.principal)))
            .unwrap_or_default();
        issued.is_some_and(|issued| issued < before)
            && is_same(principal, self.case.text(revocation.subject))
    }

    /// What was done with a credential after the containment.
    fn uses_of(&self, credential: Symbol, at: Timestamp) -> Vec<ActivityRow<'a>> {
        let mut uses: Vec<ActivityRow<'a>> = self
            .case
            .rows_of_credential(credential)
            .filter(|row| row.succeeded() && row.time().is_some_and(|time| time > at))
            .collect();
        uses.sort_by_key(|row| (row.time(), row.id()));
        uses
    }

    fn credential(
        &self,
        credential: Symbol,
        at: Timestamp,
        uses: &[ActivityRow<'a>],
    ) -> Verdict<'a> {
        let end = lifetime::end(self.case.folded, credential);
        if let Some(row) = self.revocation(credential) {
            let when = row.time().map(after).unwrap_or_default();
            // A record that says so does not outweigh one that shows the contrary.
            return match uses.iter().find(|used| used.time() > row.time()) {
                Some(used) => Verdict::new(
                    EvictionState::Alive,
                    format!("taken away {when}, and used after that"),
                )
                .by(*used),
                None => Verdict::new(
                    EvictionState::Dead,
                    format!("{} {when}", clean(row.action())),
                )
                .by(row),
            };
        }
        match end {
            Some(End::Known(time) | End::AtLatest(time)) if time <= at => Verdict {
                until: Some(time),
                ..Verdict::new(
                    EvictionState::Dead,
                    format!("ended by itself {}", after(time)),
                )
            },
            Some(End::Known(time)) => Verdict {
                until: Some(time),
                ..Verdict::new(EvictionState::AliveUntil, "it ends by itself then")
            },
            Some(End::AtLatest(time)) => Verdict {
                until: Some(time),
                ..Verdict::new(
                    EvictionState::AliveUntil,
                    "at the latest: AWS lets no such session live longer",
                )
            },
            None if !uses.is_empty() => {
                let used = uses[0];
                Verdict::new(EvictionState::Alive, "used after the containment").by(used)
            }
            None => match lifetime::kind(self.case.folded, credential) {
                CredentialKind::AccessKey | CredentialKind::Password => {
                    let account = self.account_of(credential);
                    self.untouched(account, at)
                }
                _ => Verdict::new(
                    EvictionState::Unknown,
                    "the logs tell neither when it ends nor that it was taken away",
                ),
            },
        }
    }

    fn account_of(&self, credential: Symbol) -> Option<&'a str> {
        let used = self
            .case
            .rows_of_credential(credential)
            .find_map(|row| account_in(row.principal()));
        used.or_else(|| {
            let link = self.case.folded.lineage.mint(credential)?;
            account_in(self.case.text(link.principal))
        })
    }

    /// What no record takes away.
    fn untouched(&self, account: Option<&str>, at: Timestamp) -> Verdict<'a> {
        let covered = account.map_or(Some(self.end), |account| {
            let cells = self.case.folded.coverage.iter().flat_map(|it| &it.cells);
            let of_account = cells.filter(|cell| cell.account == account && cell.kind.is_empty());
            let last = of_account.filter_map(|cell| cell.last).max()?;
            // The cell tells the hour in which its last record lies.
            Timestamp::from_second(last.as_second().saturating_add(3_600)).ok()
        });
        match covered {
            Some(covered) if covered >= at => {
                Verdict::new(EvictionState::Alive, "no record in the logs takes it away")
            }
            Some(covered) => Verdict::new(
                EvictionState::Unknown,
                format!(
                    "the logs of its account end {}, before the containment",
                    after(covered)
                ),
            ),
            None => Verdict::new(
                EvictionState::Unknown,
                "there are no logs of its account to show whether it was taken away",
            ),
        }
    }

    /// The calls on a thing since it was last left so, that are of one of the given kinds.
    fn calls<'s>(
        &'s self,
        actions: &'s [&'s str],
        targets: &'s [Symbol],
        since: Option<Timestamp>,
    ) -> impl Iterator<Item = ActivityRow<'a>> + 's {
        self.aftermath
            .rows(targets)
            .iter()
            .map(|row| self.case.folded.activities.get(*row))
            .filter(move |row| {
                row.time() > since && actions.contains(&without_version(row.action()))
            })
            .filter(move |row| {
                let named: Vec<Symbol> = row.target_symbols().collect();
                targets.iter().all(|target| named.contains(target))
            })
    }

    /// The record that took a thing away for certain, and whether that was the intruder's own.
    fn undone(
        &self,
        kind: &Kind,
        targets: &[Symbol],
        thing: &Thing,
    ) -> Option<(ActivityRow<'a>, bool)> {
        if targets.is_empty() {
            return None;
        }
        let undone = self
            .calls(kind.undone_by, targets, thing.since)
            .map(|row| (row, self.case.is_deed(row.id())))
            .next();
        let replaced = || {
            self.calls(kind.replaced_by, targets, thing.since)
                .find(|row| kind.replacing_kills && !self.case.is_deed(row.id()))
                .map(|row| (row, false))
        };
        undone.or_else(replaced)
    }

    fn left(&self, kind: &Kind, targets: &[Symbol], thing: &Thing, at: Timestamp) -> Verdict<'a> {
        if let Some((row, own)) = self.undone(kind, targets, thing) {
            let by = if own { ", by the intruder" } else { "" };
            let when = row.time().map(after).unwrap_or_default();
            return Verdict::new(
                EvictionState::Dead,
                format!("{} {when}{by}", clean(row.action())),
            )
            .by(row);
        }
        let replaced = self
            .calls(kind.replaced_by, targets, thing.since)
            .find(|row| !self.case.is_deed(row.id()));
        if let Some(row) = replaced {
            let when = row.time().map(after).unwrap_or_default();
            return Verdict::new(
                EvictionState::Unknown,
                format!(
                    "{} {when} put something in its place: look whether what is there now is good",
                    clean(row.action())
                ),
            )
            .by(row);
        }
        let perhaps = self
            .calls(kind.perhaps_undone_by, targets, thing.since)
            .find(|row| !self.case.is_deed(row.id()));
        if let Some(row) = perhaps {
            let when = row.time().map(after).unwrap_or_default();
            return Verdict::new(
                EvictionState::Unknown,
                format!(
                    "{} {when}: whether it was this one the record does not tell",
                    clean(row.action())
                ),
            )
            .by(row);
        }
        if targets.is_empty() {
            return Verdict::new(
                EvictionState::Unknown,
                "the record does not name it, so that nothing can be followed",
            );
        }
        let account = thing
            .row
            .and_then(|row| self.case.folded.activities.get(row).account());
        self.untouched(account, at)
    }

    /// What was done by a thing that was left, or with it, after the containment.
    fn fired(&self, kind: &Kind, targets: &[Symbol], at: Timestamp) -> Vec<ActivityRow<'a>> {
        let mut fired: Vec<ActivityRow<'a>> = if targets.is_empty() {
            Vec::new()
        } else {
            self.calls(kind.fired_by, targets, Some(at)).collect()
        };
        if let ("user" | "role", [id]) = (kind.title, targets) {
            let id = self.case.text(*id);
            let actors = &self.case.survey.actors;
            for persona in self.aftermath.personas_of(id) {
                fired.extend(
                    actors
                        .rows_of(*persona)
                        .iter()
                        .map(|row| self.case.folded.activities.get(*row))
                        .filter(|row| row.succeeded() && row.time().is_some_and(|it| it > at)),
                );
            }
        }
        fired.sort_by_key(|row| (row.time(), row.id()));
        fired.dedup_by_key(|row| row.id());
        fired
    }
}

/// Whether two ids name one principal: a role's path may be missing from one of them.
fn is_same(a: &str, b: &str) -> bool {
    a == b || without_path(a).is_some_and(|name| without_path(b) == Some(name))
}

fn account_in(principal: &str) -> Option<&str> {
    match names::Principal::parse(principal) {
        Principal::PermissionSet { account, .. }
        | Principal::Role { account, .. }
        | Principal::User { account, .. }
        | Principal::Root { account } => Some(account),
        Principal::Other(_) => None,
    }
}
