//! Who is behind each row: the same person, workload or pipeline across all of its credentials.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::FixedState;
use portreeve_detect::{ActivityRow, Folded, Lineage, Link, RowId, Strings, Symbol};
use portreeve_model::{MintMethod, PrincipalKind};

use crate::groups::Groups;

/// From how many differently named sessions on a credential is taken for a broker, which mints
/// for others: what hangs on it says nothing of who holds the sessions.
const BROKERED_NAMES: usize = 8;

/// The longest chain of mintings that is followed.
const LONGEST_CHAIN: usize = 64;

/// One credential in the hands of one principal and session name, as rows name them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Persona {
    /// The credential; for a web identity that asks for its first session, the token's subject.
    pub(crate) credential: Symbol,
    pub(crate) principal: Symbol,
    pub(crate) session: Symbol,
    /// Whether `credential` is a web identity's subject rather than a key.
    pub(crate) is_subject: bool,
    /// Its number in [`Actors`]; `None` where the rows do not tell who it is.
    pub(crate) actor: Option<ActorId>,
}

pub(crate) type PersonaId = u32;
pub(crate) type ActorId = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// A person of Identity Center, whose user name is the session name in every account.
    Person(Symbol),
    /// A principal, with the session name where that tells people or workloads apart.
    Principal(Symbol, Symbol),
    /// A web identity's subject.
    Subject(Symbol),
}

/// All personas of a run, their rows, and the actors behind them.
#[derive(Debug, Default)]
pub(crate) struct Actors {
    personas: Vec<Persona>,
    of_row: Vec<PersonaId>,
    /// Rows by persona.
    rows: Groups,
    /// Personas by the number of their credential's symbol.
    of_credential: Groups,
    /// Personas by actor.
    of_actor: Groups,
}

impl Actors {
    pub(crate) fn new(folded: &Folded) -> Self {
        let mut actors = Self::default();
        actors.read_rows(folded);
        actors.identify(folded);
        actors
    }

    fn read_rows(&mut self, folded: &Folded) {
        let activities = &folded.activities;
        let mut known = HashMap::<(Symbol, Symbol, Symbol), PersonaId, FixedState>::default();
        known.reserve(folded.lineage.used());
        self.of_row.reserve(activities.len());
        for row in activities.iter() {
            let mut credential = row.credential_symbol();
            let is_subject = !credential.is_some() && row.subject_symbol().is_some();
            if is_subject {
                credential = row.subject_symbol();
            }
            let key = (credential, row.principal_symbol(), row.session_symbol());
            let next = self.personas.len() as PersonaId;
            let id = *known.entry(key).or_insert(next);
            if id == next {
                let (credential, principal, session) = key;
                self.personas.push(Persona {
                    credential,
                    principal,
                    session,
                    is_subject,
                    actor: None,
                });
            }
            self.of_row.push(id);
        }
        let rows = (0..).zip(&self.of_row);
        self.rows = Groups::new(
            self.personas.len(),
            rows.map(|(row, persona)| (*persona as usize, row)),
        );
        let personas = (0..).zip(&self.personas);
        self.of_credential = Groups::new(
            activities.strings().len(),
            personas
                .filter(|(_, persona)| persona.credential.is_some())
                .map(|(id, persona)| (persona.credential.index(), id)),
        );
    }

    fn identify(&mut self, folded: &Folded) {
        let identities = Identities::new(self, folded);
        let mut numbers = HashMap::<Identity, ActorId, FixedState>::default();
        let mut found = Vec::with_capacity(self.personas.len());
        for (id, persona) in self.personas.iter().enumerate() {
            let first = self.rows.get(id).first().copied().unwrap_or_default();
            let identity = identities.of(persona, folded.activities.get(first));
            found.push(identity.map(|identity| {
                let next = numbers.len() as ActorId;
                *numbers.entry(identity).or_insert(next)
            }));
        }
        for (persona, actor) in self.personas.iter_mut().zip(found) {
            persona.actor = actor;
        }
        let personas = (0..).zip(&self.personas);
        self.of_actor = Groups::new(
            numbers.len(),
            personas.filter_map(|(id, persona)| Some((persona.actor? as usize, id))),
        );
    }

    /// How many actors there are. They count up to this from 0.
    pub(crate) fn len(&self) -> usize {
        self.of_actor.len()
    }

    /// How many personas there are. They count up to this from 0.
    pub(crate) fn personas(&self) -> PersonaId {
        self.personas.len() as PersonaId
    }

    pub(crate) fn persona_of(&self, row: RowId) -> PersonaId {
        self.of_row[row as usize]
    }

    pub(crate) fn persona(&self, id: PersonaId) -> &Persona {
        &self.personas[id as usize]
    }

    /// Who did a row.
    pub(crate) fn actor_of(&self, row: RowId) -> Option<ActorId> {
        self.persona(self.persona_of(row)).actor
    }

    /// A persona's rows, in order of time.
    pub(crate) fn rows_of(&self, id: PersonaId) -> &[RowId] {
        self.rows.get(id as usize)
    }

    /// The personas that used a credential.
    pub(crate) fn of_credential(&self, credential: Symbol) -> &[PersonaId] {
        self.of_credential.get(credential.index())
    }

    /// The personas of an actor.
    pub(crate) fn of_actor(&self, actor: ActorId) -> &[PersonaId] {
        self.of_actor.get(actor as usize)
    }
}

/// Whether a minting makes a session of the one who asked, rather than a key for someone.
pub(crate) fn makes_session(link: &Link) -> bool {
    !matches!(
        link.method,
        MintMethod::CreateAccessKey | MintMethod::CreateLoginProfile | MintMethod::Other
    )
}

struct Identities<'a> {
    actors: &'a Actors,
    strings: &'a Strings,
    lineage: &'a Lineage,
    brokers: HashSet<(Symbol, Symbol), FixedState>,
}

impl<'a> Identities<'a> {
    fn new(actors: &'a Actors, folded: &'a Folded) -> Self {
        let mut identities = Self {
            actors,
            strings: folded.activities.strings(),
            lineage: &folded.lineage,
            brokers: HashSet::default(),
        };
        let mut names = HashMap::<(Symbol, Symbol), BTreeSet<&str>, FixedState>::default();
        for link in identities.lineage.mints() {
            let name = identities.text(link.session);
            if makes_session(link)
                && link.session.is_some()
                && !is_generic(name)
                && let Some(minter) = identities.user(link.parent)
            {
                names.entry(minter).or_default().insert(name);
            }
        }
        identities.brokers = names
            .into_iter()
            .filter(|(_, names)| names.len() >= BROKERED_NAMES)
            .map(|(minter, _)| minter)
            .collect();
        identities
    }

    fn text(&self, symbol: Symbol) -> &'a str {
        self.strings.get(symbol).unwrap_or_default()
    }

    fn personas(&self, credential: Symbol) -> impl Iterator<Item = &'a Persona> {
        let actors = self.actors;
        actors
            .of_credential(credential)
            .iter()
            .map(|id| actors.persona(*id))
    }

    /// The principal and session that use a credential. A key that several seem to use is a forged
    /// or odd record; which of them comes first must not depend on how records that share a second
    /// were ordered.
    fn user(&self, credential: Symbol) -> Option<(Symbol, Symbol)> {
        self.personas(credential)
            .filter(|persona| !persona.is_subject)
            .map(|persona| (persona.principal, persona.session))
            .min_by_key(|(principal, session)| (self.text(*principal), self.text(*session)))
    }

    fn is_subject(&self, credential: Symbol) -> bool {
        self.personas(credential).any(|persona| persona.is_subject)
    }

    fn of(&self, persona: &Persona, first: ActivityRow<'_>) -> Option<Identity> {
        let own = (persona.principal, persona.session);
        if !persona.credential.is_some() {
            let principal = first.principal();
            let is_root = principal.ends_with(":root");
            return if is_root {
                None
            } else {
                self.of_principal(own, first.kind())
            };
        }
        let root = self.root(persona.credential);
        if self.is_subject(root) {
            return Some(Identity::Subject(root));
        }
        let minted = || {
            self.lineage
                .mint(root)
                .map(|link| (link.principal, link.session))
        };
        let user = self.user(root).or_else(minted).unwrap_or(own);
        self.of_principal(user, first.kind())
    }

    /// The first session or key of a chain of sessions. Stops below a broker.
    fn root(&self, credential: Symbol) -> Symbol {
        let mut root = credential;
        for _ in 0..LONGEST_CHAIN {
            let Some(link) = self.lineage.mint(root).filter(|link| makes_session(link)) else {
                break;
            };
            let brokered = self
                .user(link.parent)
                .is_some_and(|minter| self.brokers.contains(&minter));
            if !link.parent.is_some() || link.parent == credential || brokered {
                break;
            }
            root = link.parent;
        }
        root
    }

    fn of_principal(
        &self,
        (principal, session): (Symbol, Symbol),
        kind: PrincipalKind,
    ) -> Option<Identity> {
        let id = self.text(principal);
        if id.is_empty() || kind == PrincipalKind::Service || id.ends_with(".amazonaws.com") {
            return None;
        }
        if session.is_some() && id.contains("/AWSReservedSSO_") {
            return Some(Identity::Person(session));
        }
        let session = if is_generic(self.text(session)) {
            Symbol::NONE
        } else {
            session
        };
        Some(Identity::Principal(principal, session))
    }
}

/// Whether a program made up a session's name, so that it names nobody.
fn is_generic(session: &str) -> bool {
    let is_instance = session.strip_prefix("i-").is_some_and(|rest| {
        matches!(rest.len(), 8 | 17) && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    if is_instance {
        return false;
    }
    let prefixes = [
        "botocore-session",
        "aws-sdk-",
        "aws-go-sdk",
        "AWSCLI-Session",
        "GitHubActions",
    ];
    let longest_run = session
        .split(|letter: char| !letter.is_ascii_digit())
        .map(str::len)
        .max()
        .unwrap_or_default();
    let is_hash = session.len() >= 24
        && session
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    prefixes.iter().any(|prefix| session.starts_with(prefix)) || longest_run >= 6 || is_hash
}

#[cfg(test)]
mod tests {
    use super::is_generic;

    #[test]
    fn names_made_by_programs_name_nobody() {
        for name in [
            "botocore-session-1718",
            "release-1718000000",
            "GitHubActions",
            "0123456789abcdef0123456789abcdef",
        ] {
            assert!(is_generic(name), "{name}");
        }
        for name in [
            "dev.mira",
            "i-0123456789abcdef0",
            "terraform",
            "team-42",
            "",
        ] {
            assert!(!is_generic(name), "{name}");
        }
    }
}
