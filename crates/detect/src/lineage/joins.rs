//! Mintings that no record spells out: joined by person, principal and the second of creation.
//!
//! Identity Center's portal does not tell the key that it gave, and `AssumeRoleWithSAML` returns
//! another than the one then used; the console takes new keys as it goes. What all their records
//! share is who, as what, and when the session was created.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::FixedState;
use portreeve_model::{CredentialKind, MintMethod};

use super::link::{Link, Reason};
use super::uses::{CredentialFacts, Facts};
use crate::activities::{Activities, RowId};
use crate::people::{PERSON_PREFIX, People, RESERVED_ROLE, is_reserved};
use crate::strings::{Strings, Symbol};

/// How many seconds may lie between a call and the creation of the session that it began.
const WITHIN_SECONDS: i64 = 30;

/// Up to how many calls or credentials are compared for one session: beyond, all that can be said is
/// that many fit, and records that somebody forged must not cost more than others.
const MOST_FITTING: usize = 1_000;

/// For how long a console session can be switched from.
const CONSOLE_HOURS: i64 = 12;

/// How long before the creation of a session another one of the same source identity may itself
/// have been created: the longest that sessions live.
const CHAIN_HOURS: i64 = 36;

/// The services that give workloads their roles' sessions, and what the ids of those workloads
/// begin with.
const WORKLOADS: &[(&str, &str)] = &[
    ("ec2.amazonaws.com", "ec2"),
    ("ecs-tasks.amazonaws.com", "ecs"),
    ("lambda.amazonaws.com", "lambda"),
    ("codebuild.amazonaws.com", "codebuild"),
];

/// A call that began a session without telling its key.
#[derive(Clone, Copy, Debug)]
struct Grant {
    /// In seconds.
    time: i64,
    link: Link,
}

/// Principal and session as far as all records spell them alike: account, name without path,
/// session.
type Who<'s> = (&'s str, &'s str, Option<&'s str>);

/// The records from which mintings are joined.
pub(super) struct Joins<'s> {
    activities: &'s Activities,
    strings: &'s Strings,
    facts: &'s Facts,
    people: &'s People,
    /// By account and permission set.
    portal: HashMap<(&'s str, &'s str), Vec<Grant>, FixedState>,
    /// By who signed in.
    sign_ins: HashMap<Who<'s>, Vec<Grant>, FixedState>,
    /// The provider's own calls, by the role that they took and the session's name.
    provider: HashMap<Who<'s>, Vec<i64>, FixedState>,
    /// Console sessions by whose they are: creation and credential.
    consoles: HashMap<Who<'s>, Vec<(i64, Symbol)>, FixedState>,
    /// Credentials by source identity: creation and credential.
    sources: HashMap<Symbol, Vec<(i64, Symbol)>, FixedState>,
}

impl<'s> Joins<'s> {
    pub(super) fn new(
        activities: &'s Activities,
        facts: &'s Facts,
        people: &'s People,
        grants: &[Link],
        returned: &[Link],
    ) -> Self {
        let mut joins = Self {
            activities,
            strings: activities.strings(),
            facts,
            people,
            portal: HashMap::default(),
            sign_ins: HashMap::default(),
            provider: HashMap::default(),
            consoles: HashMap::default(),
            sources: HashMap::default(),
        };
        for link in grants {
            let Some(time) = link.row.and_then(|row| joins.seconds(row)) else {
                continue;
            };
            let grant = Grant { time, link: *link };
            match link.method {
                MintMethod::GetRoleCredentials | MintMethod::Federate => {
                    if let Some(key) = permission_set(joins.text(link.principal), true) {
                        joins.portal.entry(key).or_default().push(grant);
                    }
                }
                _ => {
                    if let Some(who) = joins.who(link.principal, link.session) {
                        joins.sign_ins.entry(who).or_default().push(grant);
                    }
                }
            }
        }
        for link in returned {
            if link.method == MintMethod::AssumeRoleWithSaml
                && is_reserved(joins.text(link.principal))
                && let Some(time) = link.row.and_then(|row| joins.seconds(row))
                && let Some(who) = joins.who(link.principal, link.session)
            {
                joins.provider.entry(who).or_default().push(time);
            }
        }
        for (credential, it) in facts.iter() {
            let Some(created) = it.created.map(|time| time.as_second()) else {
                continue;
            };
            if it.console
                && let Some(who) = joins.who(it.principal, it.session)
            {
                joins
                    .consoles
                    .entry(who)
                    .or_default()
                    .push((created, credential));
            }
            if it.source_identity.is_some() {
                joins
                    .sources
                    .entry(it.source_identity)
                    .or_default()
                    .push((created, credential));
            }
        }
        joins.sort();
        joins
    }

    /// Puts everything in order of time, so that what is near can be found quickly.
    fn sort(&mut self) {
        let strings = self.strings;
        let text = |symbol| strings.get(symbol).unwrap_or_default();
        for grants in self.portal.values_mut().chain(self.sign_ins.values_mut()) {
            grants.sort_by_key(|grant| (grant.time, text(grant.link.parent)));
        }
        for credentials in self.consoles.values_mut().chain(self.sources.values_mut()) {
            credentials.sort_by_key(|(created, credential)| (*created, text(*credential)));
        }
        self.provider.values_mut().for_each(|times| times.sort());
    }

    fn text(&self, symbol: Symbol) -> &'s str {
        self.strings.get(symbol).unwrap_or_default()
    }

    fn seconds(&self, row: RowId) -> Option<i64> {
        self.activities.get(row).time().map(|time| time.as_second())
    }

    fn who(&self, principal: Symbol, session: Symbol) -> Option<Who<'s>> {
        let id = self.text(principal);
        let mut parts = id.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next()?, parts.next()?);
        let name = resource.rsplit('/').next().unwrap_or(resource);
        Some((account, name, self.strings.get(session)))
    }

    /// How a credential came to be that no call is known to have returned.
    pub(super) fn mint(&self, credential: Symbol) -> Option<Link> {
        let it = self.facts.get(credential)?;
        if it.kind != CredentialKind::Session {
            return None;
        }
        let shell = |parent: Symbol, method: MintMethod, row: Option<RowId>, reason: Reason| Link {
            child: credential,
            parent,
            kind: it.kind,
            principal: it.principal,
            session: it.session,
            expires: None,
            method,
            row,
            reason,
        };
        let own = |link: Link| Link {
            child: credential,
            principal: it.principal,
            session: it.session,
            ..link
        };
        // The console takes several keys for one session; the sign-in tells which it came from.
        let sign_in = self.sign_in(credential, it);
        if let Some(link) = sign_in
            && link.parent.is_some()
        {
            return Some(own(link));
        }
        if let Some(link) = self.portal_call(credential, it).or(sign_in) {
            return Some(own(link));
        }
        if it.portal.is_some() && it.portal != credential {
            return Some(shell(
                it.portal,
                MintMethod::GetRoleCredentials,
                None,
                Reason::NamesPortal,
            ));
        }
        if self.provider_saw(it) {
            return Some(shell(
                Symbol::NONE,
                MintMethod::AssumeRoleWithSaml,
                None,
                Reason::Provider,
            ));
        }
        let (parent, fitting) = self.of_source_identity(credential, it)?;
        Some(shell(
            parent,
            MintMethod::AssumeRole,
            None,
            Reason::SourceIdentity { fitting },
        ))
    }

    /// Whether `AssumeRoleWithSAML` took this role under this name at the session's creation.
    fn provider_saw(&self, it: &CredentialFacts) -> bool {
        let Some(created) = it.created.map(|time| time.as_second()) else {
            return false;
        };
        if self.provider.is_empty() {
            return false;
        }
        self.who(it.principal, it.session)
            .and_then(|who| self.provider.get(&who))
            .is_some_and(|times| !near(times, |time| *time, created).is_empty())
    }

    /// The portal's call that gave a session of a permission set's role. Never of another person.
    fn portal_call(&self, credential: Symbol, it: &CredentialFacts) -> Option<Link> {
        if self.portal.is_empty() {
            return None;
        }
        let created = it.created?.as_second();
        let key = permission_set(self.text(it.principal), false)?;
        let mut fitting: Vec<(&Grant, bool)> = Vec::new();
        for grant in near(self.portal.get(&key)?, |grant| grant.time, created) {
            let portal = grant.link.parent;
            if portal == credential || (it.portal.is_some() && it.portal != portal) {
                continue;
            }
            let Some(row) = grant.link.row.map(|row| self.activities.get(row)) else {
                continue;
            };
            let Some(id) = row.principal().strip_prefix(PERSON_PREFIX) else {
                continue;
            };
            let by_id = it.person.is_some();
            let same = match self.strings.get(it.person) {
                Some(person) => person == id,
                None => {
                    row.session_symbol() == it.session && it.session.is_some()
                        || self
                            .strings
                            .find(id)
                            .is_some_and(|id| self.people.has_name(id, it.session))
                }
            };
            if same {
                fitting.push((grant, by_id));
            }
        }
        let portals: BTreeSet<&str> = fitting
            .iter()
            .map(|(grant, _)| self.text(grant.link.parent))
            .collect();
        let (grant, by_id) = fitting
            .into_iter()
            .min_by_key(|(grant, _)| self.rank(grant, created))?;
        let reason = if it.portal.is_some() {
            Reason::NamesPortal
        } else {
            Reason::Portal {
                seconds: created - grant.time,
                by_id,
                seen: self.provider_saw(it),
                fitting: portals.len(),
            }
        };
        Some(Link {
            reason,
            ..grant.link
        })
    }

    /// The sign-in, or call at the federation endpoint, that began a console session.
    fn sign_in(&self, credential: Symbol, it: &CredentialFacts) -> Option<Link> {
        if !it.console {
            return None;
        }
        let created = it.created?.as_second();
        let who = self.who(it.principal, it.session)?;
        let grants = self.sign_ins.get(&who)?;
        let others: Vec<&Grant> = near(grants, |grant| grant.time, created)
            .iter()
            .filter(|grant| grant.link.parent != credential)
            .collect();
        let parents: BTreeSet<&str> = others
            .iter()
            .map(|grant| self.text(grant.link.parent))
            .collect();
        let nearest = others
            .into_iter()
            .min_by_key(|grant| (!grant.link.parent.is_some(), self.rank(grant, created)));
        if let Some(grant) = nearest {
            let (seconds, fitting) = (created - grant.time, parents.len());
            return Some(match grant.link.method {
                MintMethod::SwitchRole => self.switch(grant, seconds),
                MintMethod::GetSigninToken => Link {
                    reason: Reason::SigninToken { seconds, fitting },
                    ..grant.link
                },
                _ => Link {
                    reason: Reason::Login { seconds, fitting },
                    ..grant.link
                },
            });
        }
        // The federation endpoint takes a session as it is: the console goes on with its date.
        let handed = grants
            .iter()
            .filter(|grant| {
                grant.link.method == MintMethod::GetSigninToken
                    && grant.link.parent != credential
                    && self
                        .facts
                        .get(grant.link.parent)
                        .and_then(|parent| parent.created)
                        .is_some_and(|time| time.as_second() == created)
            })
            .min_by_key(|grant| self.rank(grant, created))?;
        Some(Link {
            reason: Reason::HandedOver,
            ..handed.link
        })
    }

    /// A switch of roles, with the console session that it came from.
    fn switch(&self, grant: &Grant, seconds: i64) -> Link {
        let row = grant.link.row.map(|row| self.activities.get(row));
        let sessions = row
            .and_then(|row| self.who(row.principal_symbol(), row.session_symbol()))
            .and_then(|who| self.consoles.get(&who));
        let alive: Vec<(i64, Symbol)> = sessions
            .into_iter()
            .flatten()
            .copied()
            .filter(|(created, _)| {
                (0..=CONSOLE_HOURS * 3_600).contains(&grant.time.saturating_sub(*created))
            })
            .collect();
        // The keys of one console session share its date.
        let dates: BTreeSet<i64> = alive.iter().map(|(created, _)| *created).collect();
        let parent = alive
            .into_iter()
            .max_by(|a, b| (a.0, self.text(b.1)).cmp(&(b.0, self.text(a.1))));
        Link {
            parent: parent.map_or(Symbol::NONE, |(_, credential)| credential),
            reason: Reason::Switch {
                seconds,
                fitting: dates.len(),
            },
            ..grant.link
        }
    }

    /// The credential of the same source identity that was alive when a session was created.
    fn of_source_identity(
        &self,
        credential: Symbol,
        it: &CredentialFacts,
    ) -> Option<(Symbol, usize)> {
        let created = it.created?.as_second();
        let all = self.sources.get(&it.source_identity)?;
        let from =
            all.partition_point(|(other, _)| created.saturating_sub(*other) > CHAIN_HOURS * 3_600);
        let until = all.partition_point(|(other, _)| *other < created);
        let alive: Vec<(i64, Symbol)> = all[from..until.max(from)]
            .iter()
            .rev()
            .take(MOST_FITTING)
            .copied()
            .filter(|(_, candidate)| {
                *candidate != credential
                    // What is told of both must be the same person.
                    && self.facts.get(*candidate).is_none_or(|candidate| {
                        let (one, other) = (self.person(it), self.person(candidate));
                        one == other || one.is_none() || other.is_none()
                    })
            })
            .collect();
        let parent = alive
            .iter()
            .max_by(|a, b| (a.0, self.text(b.1)).cmp(&(b.0, self.text(a.1))))?;
        Some((parent.1, alive.len()))
    }

    /// The person of a credential, as far as its records tell one.
    fn person(&self, it: &CredentialFacts) -> Option<Symbol> {
        if it.person.is_some() {
            return Some(it.person);
        }
        (it.session.is_some() && is_reserved(self.text(it.principal)))
            .then(|| self.people.id_of(it.session).unwrap_or(it.session))
    }

    /// Which of several calls is nearest, so that the order of records does not show.
    fn rank(&self, grant: &Grant, created: i64) -> (u64, i64, &'s str, Option<String>) {
        let row = grant.link.row.map(|row| self.activities.get(row));
        (
            grant.time.abs_diff(created),
            grant.time,
            self.text(grant.link.parent),
            row.and_then(|row| row.event_id()),
        )
    }
}

/// What happened within seconds of a moment, of a list in order of time.
fn near<T>(all: &[T], time: impl Fn(&T) -> i64, moment: i64) -> &[T] {
    let from = all.partition_point(|it| time(it) < moment.saturating_sub(WITHIN_SECONDS));
    let found = &all[from..];
    let until = found.partition_point(|it| time(it) <= moment.saturating_add(WITHIN_SECONDS));
    &found[..until.min(MOST_FITTING)]
}

/// Account and permission set of a role that Identity Center made; `bare` where its name lacks the
/// random ending, as a portal's call names it.
fn permission_set(role: &str, bare: bool) -> Option<(&str, &str)> {
    let account = role.split(':').nth(4)?;
    let set = role.rsplit('/').next()?.strip_prefix(RESERVED_ROLE)?;
    if bare {
        return Some((account, set));
    }
    Some((account, set.rsplit_once('_')?.0))
}

/// What gives a workload its role's sessions, and why a session is taken for one of those.
pub(super) fn workload(
    principal: &str,
    session: &str,
    minter: Option<&str>,
    delivered: bool,
) -> Option<(String, Reason)> {
    if let Some(minter) = minter {
        let (_, prefix) = WORKLOADS.iter().find(|(service, _)| *service == minter)?;
        let account = principal.split(':').nth(4).unwrap_or_default();
        let id = match *prefix {
            "ec2" | "ecs" => format!("{prefix}:{session}"),
            _ => format!("{prefix}:{account}:{session}"),
        };
        return (!session.is_empty()).then_some((id, Reason::ServiceAssumed));
    }
    is_instance(session).then(|| {
        let reason = if delivered {
            Reason::Delivered
        } else {
            Reason::SessionName
        };
        (format!("ec2:{session}"), reason)
    })
}

/// Whether a session's name is an instance's id.
pub(crate) fn is_instance(session: &str) -> bool {
    session.strip_prefix("i-").is_some_and(|rest| {
        matches!(rest.len(), 8 | 17) && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Keys that Identity Center's own calls returned and that nobody used: they are not the ones that
/// the portal gives, and tell nothing.
pub(super) fn unused_by_provider(
    returned: &[Link],
    facts: &Facts,
    strings: &Strings,
) -> HashSet<Symbol, FixedState> {
    returned
        .iter()
        .filter(|link| {
            link.method == MintMethod::AssumeRoleWithSaml
                && !facts.contains(link.child)
                && strings.get(link.principal).is_some_and(is_reserved)
        })
        .map(|link| link.child)
        .collect()
}
