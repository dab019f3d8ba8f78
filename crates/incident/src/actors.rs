//! Who is behind each row: the same person, workload or pipeline across all of its credentials.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::FixedState;
use portreeve_detect::{Activities, ActivityRow, Folded, Lineage, Link, RowId, Symbol};
use portreeve_model::{MintMethod, PrincipalKind};

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
    starts: Vec<u32>,
    rows: Vec<RowId>,
    of_credential: HashMap<Symbol, Vec<PersonaId>, FixedState>,
    of_actor: Vec<Vec<PersonaId>>,
}

impl Actors {
    pub(crate) fn new(folded: &Folded) -> Self {
        let mut actors = Self::default();
        actors.read_rows(&folded.activities);
        actors.identify(folded);
        actors
    }

    fn read_rows(&mut self, activities: &Activities) {
        let mut known = HashMap::<(Symbol, Symbol, Symbol), PersonaId, FixedState>::default();
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
                if credential.is_some() {
                    self.of_credential.entry(credential).or_default().push(id);
                }
            }
            self.of_row.push(id);
        }
        self.starts = vec![0; self.personas.len() + 1];
        for id in &self.of_row {
            self.starts[*id as usize + 1] += 1;
        }
        for position in 1..self.starts.len() {
            self.starts[position] += self.starts[position - 1];
        }
        let mut next = self.starts.clone();
        self.rows = vec![0; self.of_row.len()];
        for (row, id) in self.of_row.iter().enumerate() {
            self.rows[next[*id as usize] as usize] = row as RowId;
            next[*id as usize] += 1;
        }
    }

    fn identify(&mut self, folded: &Folded) {
        let (activities, lineage) = (&folded.activities, &folded.lineage);
        let identities = Identities::new(self, activities, lineage);
        let mut numbers = HashMap::<Identity, ActorId, FixedState>::default();
        for id in 0..self.personas.len() {
            let persona = self.personas[id];
            let first = activities.get(self.rows[self.starts[id] as usize]);
            let identity = identities.of(&persona, first);
            if let Some(identity) = identity {
                let number = *numbers.entry(identity).or_insert_with(|| {
                    self.of_actor.push(Vec::new());
                    (self.of_actor.len() - 1) as ActorId
                });
                self.personas[id].actor = Some(number);
                self.of_actor[number as usize].push(id as PersonaId);
            }
        }
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
        let (start, end) = (self.starts[id as usize], self.starts[id as usize + 1]);
        &self.rows[start as usize..end as usize]
    }

    /// The personas that used a credential.
    pub(crate) fn of_credential(&self, credential: Symbol) -> &[PersonaId] {
        self.of_credential
            .get(&credential)
            .map_or(&[], Vec::as_slice)
    }

    /// The personas of an actor.
    pub(crate) fn of_actor(&self, actor: ActorId) -> &[PersonaId] {
        self.of_actor.get(actor as usize).map_or(&[], Vec::as_slice)
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
    activities: &'a Activities,
    lineage: &'a Lineage,
    /// For each credential the principal and session that use it.
    users: HashMap<Symbol, (Symbol, Symbol), FixedState>,
    subjects: HashSet<Symbol, FixedState>,
    brokers: HashSet<(Symbol, Symbol), FixedState>,
    generic: HashSet<Symbol, FixedState>,
}

impl<'a> Identities<'a> {
    fn new(actors: &Actors, activities: &'a Activities, lineage: &'a Lineage) -> Self {
        let text = |symbol: Symbol| activities.strings().get(symbol).unwrap_or_default();
        let mut users = HashMap::<Symbol, (Symbol, Symbol), FixedState>::default();
        let mut subjects = HashSet::with_hasher(FixedState::default());
        let mut generic = HashSet::with_hasher(FixedState::default());
        let named = |(principal, session): (Symbol, Symbol)| (text(principal), text(session));
        for persona in &actors.personas {
            if persona.is_subject {
                subjects.insert(persona.credential);
            } else if persona.credential.is_some() {
                // A key that several seem to use is a forged or odd record; which of them comes
                // first must not depend on how records that share a second were ordered.
                let user = (persona.principal, persona.session);
                let known = users.entry(persona.credential).or_insert(user);
                if *known != user && named(user) < named(*known) {
                    *known = user;
                }
            }
            if is_generic(text(persona.session)) {
                generic.insert(persona.session);
            }
        }
        let mut names = HashMap::<(Symbol, Symbol), BTreeSet<&str>, FixedState>::default();
        for link in lineage.mints() {
            if is_generic(text(link.session)) {
                generic.insert(link.session);
            } else if makes_session(link)
                && link.session.is_some()
                && let Some(minter) = users.get(&link.parent)
            {
                names.entry(*minter).or_default().insert(text(link.session));
            }
        }
        let brokers = names
            .into_iter()
            .filter(|(_, names)| names.len() >= BROKERED_NAMES)
            .map(|(minter, _)| minter)
            .collect();
        Self {
            activities,
            lineage,
            users,
            subjects,
            brokers,
            generic,
        }
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
        if self.subjects.contains(&root) {
            return Some(Identity::Subject(root));
        }
        let minted = || {
            self.lineage
                .mint(root)
                .map(|link| (link.principal, link.session))
        };
        let user = self
            .users
            .get(&root)
            .copied()
            .or_else(minted)
            .unwrap_or(own);
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
                .users
                .get(&link.parent)
                .is_some_and(|minter| self.brokers.contains(minter));
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
        let id = self.activities.strings().get(principal).unwrap_or_default();
        if id.is_empty() || kind == PrincipalKind::Service || id.ends_with(".amazonaws.com") {
            return None;
        }
        if session.is_some() && id.contains("/AWSReservedSSO_") {
            return Some(Identity::Person(session));
        }
        let session = if self.generic.contains(&session) {
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
