//! Who is behind each row: the same person, workload or pipeline across all of its credentials.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use foldhash::fast::FixedState;
use portreeve_model::{CredentialKind, MintMethod, PrincipalKind};

use crate::activities::{Activities, ActivityRow, RowId};
use crate::groups::Groups;
use crate::lineage::{Lineage, Link, is_instance};
use crate::people::{PERSON_PREFIX, People, is_reserved};
use crate::strings::{Strings, Symbol};
use crate::subject::Subject;
use crate::symbol_map::SymbolMap;

/// From how many differently named sessions on a credential is taken for a broker, which mints
/// for others: what hangs on it says nothing of who holds the sessions.
const BROKERED_NAMES: usize = 8;

/// The longest chain of mintings that is followed.
const LONGEST_CHAIN: usize = 64;

/// One credential in the hands of one principal and session name, as rows name them.
#[derive(Clone, Copy, Debug)]
pub struct Persona {
    /// The credential; for a web identity that asks for its first session, the token's subject.
    pub credential: Symbol,
    /// The principal.
    pub principal: Symbol,
    /// The session name.
    pub session: Symbol,
    /// Whether `credential` is a web identity's subject rather than a key.
    pub is_subject: bool,
    /// Its number in [`Actors`]; `None` where the rows do not tell who it is.
    pub actor: Option<ActorId>,
}

impl Persona {
    fn is_of(&self, (credential, principal, session): (Symbol, Symbol, Symbol)) -> bool {
        self.credential == credential && self.principal == principal && self.session == session
    }
}

/// The number of a [`Persona`] in [`Actors`].
pub type PersonaId = u32;

/// The number of an actor in [`Actors`].
pub type ActorId = u32;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// A person of Identity Center: by id, else by user name, which is the session name in every
    /// account.
    Person(Symbol),
    /// A principal, with the session name where that tells people or workloads apart.
    Principal(Symbol, Symbol),
    /// A web identity: its issuer, and repository and kind of run where its subject is understood,
    /// so that a new branch is no new actor.
    Subject(Rc<(String, String)>),
}

/// What an actor is called, put together when it is asked for: most actors of large logs never are.
#[derive(Clone, Copy, Debug)]
enum Name {
    Text(Symbol),
    Session(Symbol, Symbol),
    /// The place in [`Actors::subjects`].
    Subject(u32),
}

/// Who is behind each row: all personas of a run, and the actors behind them, each the same person,
/// workload or pipeline across its credentials.
#[derive(Clone, Debug, Default)]
pub struct Actors {
    personas: Vec<Persona>,
    of_row: Vec<PersonaId>,
    /// Rows by persona.
    rows: Groups,
    /// Personas by the number of their credential's symbol.
    of_credential: Groups,
    /// Personas by actor.
    of_actor: Groups,
    names: Vec<Name>,
    /// Names of web identities.
    subjects: Vec<String>,
}

impl Actors {
    pub(crate) fn new(activities: &Activities, lineage: &Lineage, people: &People) -> Self {
        let mut actors = Self::default();
        actors.read_rows(activities, lineage);
        actors.identify(activities, lineage, people);
        actors
    }

    fn read_rows(&mut self, activities: &Activities, lineage: &Lineage) {
        // Nearly every credential is one persona's alone.
        let mut first = SymbolMap::<PersonaId>::default();
        let mut more = HashMap::<(Symbol, Symbol, Symbol), PersonaId, FixedState>::default();
        self.personas.reserve(lineage.used());
        self.of_row.reserve(activities.len());
        for row in activities.iter() {
            let mut credential = row.credential_symbol();
            let is_subject = !credential.is_some() && row.subject_symbol().is_some();
            if is_subject {
                credential = row.subject_symbol();
            }
            let key = (credential, row.principal_symbol(), row.session_symbol());
            let next = self.personas.len() as PersonaId;
            let of_credential = credential
                .is_some()
                .then(|| *first.get_or_insert(credential, next).0);
            let id = match of_credential {
                Some(id) if id == next || self.personas[id as usize].is_of(key) => id,
                _ => *more.entry(key).or_insert(next),
            };
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

    fn identify(&mut self, activities: &Activities, lineage: &Lineage, people: &People) {
        let identities = Identities::new(self, activities, lineage, people);
        let mut names = Vec::new();
        let mut subjects = Vec::new();
        let mut numbers = HashMap::<Identity, ActorId, FixedState>::default();
        let mut found = Vec::with_capacity(self.personas.len());
        for (id, persona) in self.personas.iter().enumerate() {
            let first = self.rows.get(id).first().copied().unwrap_or_default();
            let identity = identities.of(persona, activities.get(first));
            found.push(identity.map(|identity| {
                *numbers.entry(identity).or_insert_with_key(|identity| {
                    names.push(identities.name(identity, &mut subjects));
                    (names.len() - 1) as ActorId
                })
            }));
        }
        self.names = names;
        self.subjects = subjects;
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
    pub fn len(&self) -> usize {
        self.of_actor.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// See [`crate::Folded::actor_name`].
    pub(crate) fn actor_name<'t>(&'t self, actor: ActorId, strings: &'t Strings) -> Cow<'t, str> {
        let text = |symbol| strings.get(symbol).unwrap_or_default();
        match self.names.get(actor as usize) {
            None => Cow::Borrowed(""),
            Some(Name::Text(name)) => Cow::Borrowed(text(*name)),
            Some(Name::Session(principal, session)) => {
                Cow::Owned([text(*principal), "/", text(*session)].concat())
            }
            Some(Name::Subject(place)) => Cow::Borrowed(
                self.subjects
                    .get(*place as usize)
                    .map_or("", String::as_str),
            ),
        }
    }

    /// The persona of a row.
    pub fn persona_of(&self, row: RowId) -> PersonaId {
        self.of_row[row as usize]
    }

    /// A persona.
    ///
    /// # Panics
    /// Where there is no such persona; their numbers come only from here.
    pub fn persona(&self, id: PersonaId) -> &Persona {
        &self.personas[id as usize]
    }

    /// All personas, in order of their numbers.
    pub fn personas(&self) -> impl Iterator<Item = &Persona> {
        self.personas.iter()
    }

    /// Who did a row.
    pub fn actor_of(&self, row: RowId) -> Option<ActorId> {
        self.persona(self.persona_of(row)).actor
    }

    /// A persona's rows, in order of time.
    pub fn rows_of(&self, id: PersonaId) -> &[RowId] {
        self.rows.get(id as usize)
    }

    /// The personas that used a credential.
    pub fn of_credential(&self, credential: Symbol) -> &[PersonaId] {
        self.of_credential.get(credential.index())
    }

    /// An actor's rows, persona by persona, each in order of time.
    pub fn rows_of_actor(&self, actor: ActorId) -> impl Iterator<Item = RowId> {
        self.of_actor(actor)
            .iter()
            .flat_map(|persona| self.rows_of(*persona))
            .copied()
    }

    /// The personas of an actor.
    pub fn of_actor(&self, actor: ActorId) -> &[PersonaId] {
        self.of_actor.get(actor as usize)
    }
}

/// Whether a minting makes a session of the one who asked, rather than a key for someone.
fn makes_session(link: &Link) -> bool {
    !matches!(
        link.method,
        MintMethod::CreateAccessKey | MintMethod::CreateLoginProfile | MintMethod::Other
    )
}

struct Identities<'a> {
    actors: &'a Actors,
    strings: &'a Strings,
    lineage: &'a Lineage,
    people: &'a People,
    brokers: HashSet<(Symbol, Symbol), FixedState>,
}

impl<'a> Identities<'a> {
    fn new(
        actors: &'a Actors,
        activities: &'a Activities,
        lineage: &'a Lineage,
        people: &'a People,
    ) -> Self {
        let mut identities = Self {
            actors,
            strings: activities.strings(),
            lineage,
            people,
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
        let mut users = self
            .personas(credential)
            .filter(|persona| !persona.is_subject)
            .map(|persona| (persona.principal, persona.session));
        let first = users.next()?;
        // Only where there is a second one are texts looked at.
        match users.next() {
            None => Some(first),
            Some(second) => [first, second]
                .into_iter()
                .chain(users)
                .min_by_key(|(principal, session)| (self.text(*principal), self.text(*session))),
        }
    }

    /// Whether a credential is the token of a web identity. SAML assertions are none: they name
    /// people, as principals do.
    fn is_subject(&self, credential: Symbol) -> bool {
        let token = || {
            let facts = self.lineage.facts(credential);
            facts.is_some_and(|facts| facts.kind == CredentialKind::Token)
                && !self.text(credential).contains(":saml-provider/")
        };
        self.personas(credential).any(|persona| persona.is_subject) || token()
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
        let own_facts = self.lineage.facts(persona.credential);
        if let Some(facts) = own_facts.filter(|_| first.kind() != PrincipalKind::Service)
            && facts.person.is_some()
        {
            return Some(Identity::Person(facts.person));
        }
        let root = self.root(persona.credential);
        if self.is_subject(root) {
            return Some(self.of_subject(root));
        }
        let facts = self.lineage.facts(root);
        if let Some(facts) = facts
            && first.kind() != PrincipalKind::Service
        {
            if facts.person.is_some() {
                return Some(Identity::Person(facts.person));
            }
            // Only where nothing better tells who began the chain: it may be of the caller's own
            // choosing.
            if facts.source_identity.is_some()
                && self.lineage.mint(root).is_none()
                && !is_reserved(self.text(facts.principal))
            {
                return Some(self.person(facts.source_identity));
            }
        }
        let minted = || {
            self.lineage
                .mint(root)
                .map(|link| (link.principal, link.session))
        };
        let user = self.user(root).or_else(minted).unwrap_or(own);
        self.of_principal(user, first.kind())
    }

    /// The person of a user name.
    fn person(&self, name: Symbol) -> Identity {
        Identity::Person(self.people.id_of(name).unwrap_or(name))
    }

    fn of_subject(&self, root: Symbol) -> Identity {
        let text = self.text(root);
        let issuer = text.split(':').next().unwrap_or_default();
        let name = match Subject::parse(text) {
            Some(subject) => subject.name(),
            None => text.to_owned(),
        };
        Identity::Subject(Rc::new((issuer.to_owned(), name)))
    }

    /// What people call an actor.
    fn name(&self, identity: &Identity, subjects: &mut Vec<String>) -> Name {
        match identity {
            Identity::Person(id) => {
                let name = self.people.name_of(*id, self.strings);
                Name::Text(name.and_then(|name| self.strings.find(name)).unwrap_or(*id))
            }
            Identity::Principal(principal, session) if session.is_some() => {
                Name::Session(*principal, *session)
            }
            Identity::Principal(principal, _) => Name::Text(*principal),
            Identity::Subject(subject) => {
                subjects.push(subject.1.clone());
                Name::Subject((subjects.len() - 1) as u32)
            }
        }
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
            // What gives workloads their sessions makes no calls of its own, and is nobody.
            let is_workload = link.method == MintMethod::Workload;
            if !link.parent.is_some() || link.parent == credential || brokered || is_workload {
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
        if let Some(person) = id.strip_prefix(PERSON_PREFIX) {
            let person = self.strings.find(person).unwrap_or(principal);
            return Some(Identity::Person(person));
        }
        if session.is_some() && is_reserved(id) {
            return Some(self.person(session));
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
    if is_instance(session) {
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
