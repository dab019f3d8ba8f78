//! What the row of an activity says to correlations, as hashes that are looked up once for each
//! distinct text.

use std::borrow::Cow;

use portreeve_model::OriginKind;
use smallvec::SmallVec;

use super::table::{digest, join};
use crate::activities::{Activities, ActivityRow};
use crate::actors::Actors;
use crate::clients::Client;
use crate::lineage::Lineage;
use crate::networks::{RESERVED_ROLE, is_callers_address};
use crate::snapshot::Snapshot;
use crate::strings::Symbol;
use crate::subject::Subject;

/// A field that every activity's row tells, whatever log it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum RowField {
    Actor,
    ActorKind,
    Person,
    Principal,
    Session,
    Subject,
    Lineage,
    Credential,
    Account,
    Address,
    Network,
    NetworkClass,
    Client,
    ClientTool,
    ClientSystem,
    Action,
    Service,
    Target,
    Outcome,
}

/// Every such field: its path and what it says.
pub const ROW_FIELDS: &[(&str, RowField, &str)] = &[
    (
        "portreeve.actor",
        RowField::Actor,
        "the principal, with the session name behind a role",
    ),
    (
        "portreeve.actor.kind",
        RowField::ActorKind,
        "human, workload, pipeline, service or unknown",
    ),
    (
        "portreeve.person",
        RowField::Person,
        "who is behind it, whatever credential was used: a person's user name, a workload's role, a pipeline's repository and kind",
    ),
    (
        "portreeve.principal",
        RowField::Principal,
        "the user or role",
    ),
    (
        "portreeve.session",
        RowField::Session,
        "the session name behind a role",
    ),
    (
        "portreeve.subject",
        RowField::Subject,
        "the web identity: a pipeline's as repository and kind (branch, tag, pull request, environment)",
    ),
    (
        "portreeve.lineage",
        RowField::Lineage,
        "the first credential of the chain that the credential was minted in",
    ),
    (
        "portreeve.credential",
        RowField::Credential,
        "the credential",
    ),
    (
        "portreeve.account",
        RowField::Account,
        "the account in which it happened",
    ),
    (
        "portreeve.address",
        RowField::Address,
        "the caller's address",
    ),
    (
        "portreeve.network.name",
        RowField::Network,
        "the caller's network: `own` for all declared ways out, else the declared name, the autonomous system, or the range around the address",
    ),
    (
        "portreeve.network.class",
        RowField::NetworkClass,
        "the kind of the caller's network, as declared or as data of networks tell",
    ),
    ("portreeve.client", RowField::Client, "the user agent"),
    (
        "portreeve.client.tool",
        RowField::ClientTool,
        "the client program: `aws-cli`, `Boto3`",
    ),
    (
        "portreeve.client.os",
        RowField::ClientSystem,
        "the client's operating system: macOS, Windows, Linux",
    ),
    (
        "portreeve.action",
        RowField::Action,
        "service and operation",
    ),
    ("portreeve.service", RowField::Service, "the service called"),
    (
        "portreeve.target",
        RowField::Target,
        "what was acted on: each of the targets",
    ),
    (
        "portreeve.outcome",
        RowField::Outcome,
        "success, denied or failed",
    ),
];

impl RowField {
    /// The field with this path.
    pub fn new(path: &str) -> Option<Self> {
        ROW_FIELDS
            .iter()
            .find(|(known, ..)| *known == path)
            .map(|(_, field, _)| *field)
    }
}

/// The hashes of one field's values: one mostly, none where the row does not tell, several for
/// targets.
pub(crate) type Hashes = SmallVec<[u64; 2]>;

/// Numbers that were asked for of late, by symbol. A log's calls come again and again from the same
/// few thousand credentials, addresses and clients; where each call has its own, keeping more would
/// only take memory.
#[derive(Debug, Default)]
struct Recent {
    /// Each symbol has one place, which others share. Empty until something is kept.
    places: Vec<(Symbol, u64)>,
}

const RECENT: usize = 1 << 14;

impl Recent {
    fn get(&self, symbol: Symbol) -> Option<u64> {
        let (known, number) = self.places.get(symbol.index() % RECENT)?;
        (*known == symbol).then_some(*number)
    }

    /// Keeps a number; gives it back.
    fn keep(&mut self, symbol: Symbol, number: u64) -> u64 {
        if symbol.is_some() {
            if self.places.is_empty() {
                self.places = vec![(Symbol::NONE, 0); RECENT];
            }
            self.places[symbol.index() % RECENT] = (symbol, number);
        }
        number
    }
}

/// What is kept of a text, beside the hash of itself.
#[derive(Debug, Default)]
struct Derived {
    network: Recent,
    class: Recent,
    subject: Recent,
    tool: Recent,
    system: Recent,
    service: Recent,
    lineage: Recent,
    /// Of actions, whether some of their calls come from another's address than the caller's.
    by_another: Recent,
}

/// Looks up what rows say.
#[derive(Debug)]
pub(crate) struct Facts<'f> {
    activities: &'f Activities,
    lineage: &'f Lineage,
    actors: &'f Actors,
    snapshot: &'f Snapshot,
    hashes: Recent,
    derived: Derived,
    /// By actor; 0 where it was not asked for yet.
    people: Vec<u64>,
    /// The few words that are no text of a record.
    words: Vec<(&'static str, u64)>,
}

impl<'f> Facts<'f> {
    pub(crate) fn new(
        activities: &'f Activities,
        lineage: &'f Lineage,
        actors: &'f Actors,
        snapshot: &'f Snapshot,
    ) -> Self {
        Self {
            activities,
            lineage,
            actors,
            people: vec![0; actors.len()],
            snapshot,
            hashes: Recent::default(),
            derived: Derived::default(),
            words: Vec::new(),
        }
    }

    pub(crate) fn activities(&self) -> &'f Activities {
        self.activities
    }

    /// The hash of an interned text; 0 for none.
    pub(crate) fn hash(&mut self, symbol: Symbol) -> u64 {
        if !symbol.is_some() {
            return 0;
        }
        if let Some(known) = self.hashes.get(symbol) {
            return known;
        }
        let text = self.activities.strings().get(symbol).unwrap_or_default();
        self.hashes.keep(symbol, digest(text.as_bytes()))
    }

    fn word(&mut self, word: &'static str) -> u64 {
        if let Some((_, hash)) = self.words.iter().find(|(known, _)| *known == word) {
            return *hash;
        }
        let hash = digest(word.as_bytes());
        self.words.push((word, hash));
        hash
    }

    /// Whether the row's address is the caller's own. That depends on more than the address, so
    /// that the answer is not kept with it.
    fn is_callers_own(&mut self, row: ActivityRow<'f>) -> bool {
        if !matches!(row.origin(), OriginKind::Public | OriginKind::Private) {
            return false;
        }
        // Nearly all actions have no call for which it is another's.
        let action = row.action_symbol();
        let by_another = match self.derived.by_another.get(action) {
            Some(known) => known,
            None => {
                let operation = row.action().split_once(':').map(|(_, operation)| operation);
                let by_another = operation.is_some_and(may_be_called_by_another);
                self.derived.by_another.keep(action, by_another.into())
            }
        };
        by_another == 0 || row.callers_address().is_some()
    }

    /// The values of a field, hashed.
    pub(crate) fn of(&mut self, field: RowField, row: ActivityRow<'f>) -> Hashes {
        if field == RowField::Target {
            return row
                .target_symbols()
                .map(|target| self.hash(target))
                .collect();
        }
        let one = self.first(field, row);
        (one != 0).then_some(one).into_iter().collect()
    }

    /// The first value of a field, hashed, which for all but targets is the only one; 0 where the
    /// row does not tell.
    pub(crate) fn first(&mut self, field: RowField, row: ActivityRow<'f>) -> u64 {
        match field {
            RowField::Actor => {
                let (principal, session) = (row.principal_symbol(), row.session_symbol());
                match (self.hash(principal), self.hash(session)) {
                    (principal, 0) => principal,
                    (principal, session) => join(principal, session),
                }
            }
            RowField::Person => match self.actors.actor_of(row.id()) {
                None => 0,
                Some(actor) => {
                    let known = &mut self.people[actor as usize];
                    if *known == 0 {
                        let name = self.actors.actor_name(actor, self.activities.strings());
                        *known = digest(name.as_bytes());
                    }
                    *known
                }
            },
            RowField::Principal => self.hash(row.principal_symbol()),
            RowField::Session => self.hash(row.session_symbol()),
            RowField::Credential => self.hash(row.credential_symbol()),
            RowField::Account => self.hash(row.account_symbol()),
            RowField::Address => self.hash(row.address_symbol()),
            RowField::Client => self.hash(row.client_symbol()),
            RowField::Action => self.hash(row.action_symbol()),
            RowField::Target => row
                .target_symbols()
                .next()
                .map_or(0, |target| self.hash(target)),
            RowField::ActorKind => self.word(row.kind().as_str()),
            RowField::Outcome => self.word(outcome(row)),
            // Of one address only some calls are the caller's own.
            RowField::Network | RowField::NetworkClass if !self.is_callers_own(row) => 0,
            RowField::Lineage
            | RowField::Network
            | RowField::NetworkClass
            | RowField::Subject
            | RowField::ClientTool
            | RowField::ClientSystem
            | RowField::Service => self.derived(field, row),
        }
    }

    /// A hash that follows from one text of the row, looked up once for each text.
    fn derived(&mut self, field: RowField, row: ActivityRow<'f>) -> u64 {
        let (symbol, known) = match field {
            RowField::Lineage => (row.credential_symbol(), &self.derived.lineage),
            RowField::Subject => (row.subject_symbol(), &self.derived.subject),
            RowField::ClientTool => (row.client_symbol(), &self.derived.tool),
            RowField::ClientSystem => (row.client_symbol(), &self.derived.system),
            RowField::Service => (row.action_symbol(), &self.derived.service),
            RowField::NetworkClass => (row.address_symbol(), &self.derived.class),
            _ => (row.address_symbol(), &self.derived.network),
        };
        if !symbol.is_some() {
            return 0;
        }
        if let Some(known) = known.get(symbol) {
            return known;
        }
        let hash = match field {
            RowField::Lineage => self.hash(self.lineage.root(symbol)),
            _ => self
                .text(field, row)
                .map_or(0, |text| digest(text.as_bytes())),
        };
        let kept = match field {
            RowField::Lineage => &mut self.derived.lineage,
            RowField::Subject => &mut self.derived.subject,
            RowField::ClientTool => &mut self.derived.tool,
            RowField::ClientSystem => &mut self.derived.system,
            RowField::Service => &mut self.derived.service,
            RowField::NetworkClass => &mut self.derived.class,
            _ => &mut self.derived.network,
        };
        kept.keep(symbol, hash)
    }

    /// The values of a field as texts, in the order of [`Facts::of`].
    pub(crate) fn texts(&self, field: RowField, row: ActivityRow<'f>) -> Vec<String> {
        match field {
            RowField::Target => row.targets().map(str::to_owned).collect(),
            _ => self
                .text(field, row)
                .map(Cow::into_owned)
                .into_iter()
                .collect(),
        }
    }

    fn text(&self, field: RowField, row: ActivityRow<'f>) -> Option<Cow<'f, str>> {
        let strings = self.activities.strings();
        let filled = |text: &'f str| (!text.is_empty()).then_some(Cow::Borrowed(text));
        match field {
            RowField::Actor => Some(Cow::Owned(row.actor())),
            RowField::ActorKind => Some(Cow::Borrowed(row.kind().as_str())),
            RowField::Person => {
                let actor = self.actors.actor_of(row.id())?;
                Some(self.actors.actor_name(actor, strings))
            }
            RowField::Principal => filled(row.principal()),
            RowField::Session => row.session().map(Cow::Borrowed),
            RowField::Subject => row.subject().map(normal_subject),
            RowField::Lineage => strings
                .get(self.lineage.root(row.credential_symbol()))
                .map(Cow::Borrowed),
            RowField::Credential => row.credential().map(Cow::Borrowed),
            RowField::Account => row.account().map(Cow::Borrowed),
            RowField::Address => row.address().map(Cow::Borrowed),
            RowField::Network => network(self.snapshot, row.callers_address()?, row.origin()),
            RowField::NetworkClass => self
                .snapshot
                .networks()
                .of(row.callers_address()?)
                .class
                .map(Cow::Borrowed),
            RowField::Client => row.client().map(Cow::Borrowed),
            RowField::ClientTool => filled(Client::parse(row.client()?).tool),
            RowField::ClientSystem => Client::parse(row.client()?).system.map(Cow::Borrowed),
            RowField::Action => filled(row.action()),
            RowField::Service => row
                .action()
                .split_once(':')
                .map(|(service, _)| Cow::Borrowed(service)),
            RowField::Target => row.targets().next().map(Cow::Borrowed),
            RowField::Outcome => Some(Cow::Borrowed(outcome(row))),
        }
    }
}

/// Whether an operation is one that services call for a person, from an address of their own.
fn may_be_called_by_another(operation: &str) -> bool {
    // Asked about a target that makes it so, it says no.
    !is_callers_address(
        OriginKind::Public,
        operation,
        std::iter::once(RESERVED_ROLE),
    )
}

fn outcome(row: ActivityRow<'_>) -> &'static str {
    if row.succeeded() {
        "success"
    } else if row.denied() {
        "denied"
    } else {
        "failed"
    }
}

/// The network that an address belongs to: all of one's own ways out are one.
fn network<'f>(snapshot: &'f Snapshot, address: &str, origin: OriginKind) -> Option<Cow<'f, str>> {
    if origin == OriginKind::Private {
        return Some(Cow::Borrowed("private"));
    }
    let network = snapshot.networks().of(address);
    if network.own {
        return Some(Cow::Borrowed("own"));
    }
    network.name()
}

/// A web identity by what it stands for: each branch's is another, and a trust is meant for the
/// repository and the kind.
fn normal_subject(subject: &str) -> Cow<'_, str> {
    match Subject::parse(subject) {
        Some(parsed) => Cow::Owned(parsed.name()),
        None => Cow::Borrowed(subject),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_declared_classes_or_ranges() {
        let settings = crate::Settings {
            networks: [("198.51.100.0/24", "corporate"), ("203.0.113.0/25", "vpn")]
                .map(|(range, class)| (range.parse().unwrap(), class.to_owned()))
                .into(),
            ..crate::Settings::default()
        };
        let snapshot = Snapshot::new(&portreeve_model::Estate::default(), settings, []);
        let network = |address, origin| network(&snapshot, address, origin);
        assert_eq!(
            network("198.51.100.7", OriginKind::Public).as_deref(),
            Some("own")
        );
        assert_eq!(
            network("203.0.113.7", OriginKind::Public).as_deref(),
            Some("203.0.113.0/25")
        );
        assert_eq!(
            network("192.0.2.41", OriginKind::Public).as_deref(),
            Some("192.0.2.0/24")
        );
        assert_eq!(
            network("2001:db8:1:2::3", OriginKind::Public).as_deref(),
            Some("2001:db8:1::/48")
        );
        assert_eq!(
            network("10.0.0.1", OriginKind::Private).as_deref(),
            Some("private")
        );
        assert_eq!(network("s3.amazonaws.com", OriginKind::Service), None);
    }

    #[test]
    fn paths_are_unique() {
        for (at, (path, field, meaning)) in ROW_FIELDS.iter().enumerate() {
            assert_eq!(RowField::new(path), Some(*field));
            assert!(!meaning.is_empty());
            assert!(ROW_FIELDS[..at].iter().all(|(other, ..)| other != path));
        }
    }
}
