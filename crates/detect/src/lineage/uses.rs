use std::collections::HashSet;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use portreeve_model::{Activity, CredentialKind};

use crate::strings::{Strings, Symbol};
use crate::symbol_map::SymbolMap;

const CONSOLE: u8 = 1;
const DELIVERED: u8 = 2;

/// What one record says of the credential that it used. Few differ for one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Use {
    pub(crate) credential: Symbol,
    principal: Symbol,
    session: Symbol,
    person: Symbol,
    source_identity: Symbol,
    portal: Symbol,
    /// In seconds.
    created: Option<i64>,
    kind: CredentialKind,
    flags: u8,
}

impl Use {
    /// What a record says; `known` is what was said of its credential before, which is mostly the same.
    pub(crate) fn new(
        activity: &Activity<'_>,
        (credential, principal, session): (Symbol, Symbol, Symbol),
        known: Option<&Use>,
        strings: &mut Strings,
    ) -> Option<Self> {
        let used = activity.credential.as_ref()?;
        let actor = &activity.actor;
        let mut flags = 0;
        if used.console {
            flags |= CONSOLE;
        }
        if actor.delivered {
            flags |= DELIVERED;
        }
        let texts = [
            actor.person.as_deref(),
            actor.source_identity.as_deref(),
            actor.portal.as_deref(),
        ];
        let near = known.map_or([Symbol::NONE; 3], |known| {
            [known.person, known.source_identity, known.portal]
        });
        let [person, source_identity, portal] = match texts {
            [None, None, None] => [Symbol::NONE; 3],
            texts => strings.intern_all(texts, near),
        };
        Some(Self {
            credential,
            principal,
            session,
            person,
            source_identity,
            portal,
            created: used.created.map(Timestamp::as_second),
            kind: used.kind,
            flags,
        })
    }

    /// What a record says that is the same but for the id of the credential and when it was created.
    pub(crate) fn of_other(self, credential: Symbol, created: Option<Timestamp>) -> Self {
        Self {
            credential,
            created: created.map(Timestamp::as_second),
            ..self
        }
    }

    pub(crate) fn kind(&self) -> CredentialKind {
        self.kind
    }

    pub(crate) fn created(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.created?).ok()
    }

    /// The same, in the symbols of another table.
    pub(crate) fn renamed(self, mut renamed: impl FnMut(Symbol) -> Symbol) -> Self {
        Self {
            credential: renamed(self.credential),
            principal: renamed(self.principal),
            session: renamed(self.session),
            person: renamed(self.person),
            source_identity: renamed(self.source_identity),
            portal: renamed(self.portal),
            ..self
        }
    }
}

/// What the records that used a credential say of it.
#[derive(Clone, Copy, Debug)]
pub struct CredentialFacts {
    /// What it is.
    pub kind: CredentialKind,
    /// When the session was created.
    pub created: Option<Timestamp>,
    /// The principal that it proves.
    pub principal: Symbol,
    /// The session name.
    pub session: Symbol,
    /// The Identity Center user behind it, by id.
    pub person: Symbol,
    /// Its source identity.
    pub source_identity: Symbol,
    /// The portal session that its records name.
    pub portal: Symbol,
    /// Whether the console used it.
    pub console: bool,
    /// Whether an instance's metadata service gave it.
    pub delivered: bool,
}

impl CredentialFacts {
    fn new(one: &Use) -> Self {
        Self {
            kind: one.kind,
            created: one.created(),
            principal: one.principal,
            session: one.session,
            person: one.person,
            source_identity: one.source_identity,
            portal: one.portal,
            console: one.flags & CONSOLE != 0,
            delivered: one.flags & DELIVERED != 0,
        }
    }

    /// Takes in what another record says; the order of records does not show. Records that
    /// contradict one another are odd or forged.
    fn merge(&mut self, other: Self, strings: &Strings) {
        let lesser = |a: Symbol, b: Symbol| match (strings.get(a), strings.get(b)) {
            (Some(one), Some(other)) if other < one => b,
            (None, Some(_)) => b,
            _ => a,
        };
        // Principal and session belong together.
        let who = |it: &Self| (strings.get(it.principal), strings.get(it.session));
        if who(&other) < who(self) {
            (self.principal, self.session) = (other.principal, other.session);
        }
        self.kind = self.kind.min(other.kind);
        self.created = match (self.created, other.created) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.person = lesser(self.person, other.person);
        self.source_identity = lesser(self.source_identity, other.source_identity);
        self.portal = lesser(self.portal, other.portal);
        self.console |= other.console;
        self.delivered |= other.delivered;
    }
}

/// What records say of the credentials that they used, each saying once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    /// What the first record of each said: nearly always what all of its records say.
    first: SymbolMap<Use>,
    more: HashSet<Use, FixedState>,
}

impl Uses {
    pub(crate) fn add(&mut self, one: Use) {
        let (first, _) = self.first.get_or_insert(one.credential, one);
        if *first != one {
            self.more.insert(one);
        }
    }

    /// What the first record of a credential said.
    pub(crate) fn first_of(&self, credential: Symbol) -> Option<&Use> {
        self.first.get(credential)
    }

    /// Takes in those of another part of the logs.
    pub(crate) fn merge(&mut self, other: Uses, renamed: impl Fn(Symbol) -> Symbol) {
        for one in other.first.into_values().chain(other.more) {
            self.add(one.renamed(&renamed));
        }
    }

    /// The credentials that were used, in no particular order, some more than once.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = Symbol> {
        let first = self.first.iter().map(|(credential, _)| credential);
        first.chain(self.more.iter().map(|one| one.credential))
    }

    /// Those of some credentials alone, in the symbols of another table.
    pub(crate) fn part(
        &self,
        wanted: impl Fn(Symbol) -> bool,
        mut renamed: impl FnMut(Symbol) -> Symbol,
    ) -> Self {
        let mut part = Self::default();
        let all = self.first.iter().map(|(_, one)| one).chain(&self.more);
        for one in all.filter(|one| wanted(one.credential)) {
            part.add(one.renamed(&mut renamed));
        }
        part
    }

    /// The facts of each credential that was used.
    pub(crate) fn facts(self, strings: &Strings) -> Facts {
        let mut facts = Facts::default();
        for one in self.first.into_values().chain(self.more) {
            let new = CredentialFacts::new(&one);
            let (known, is_known) = facts.get_or_insert(one.credential, new);
            if is_known {
                known.merge(new, strings);
            }
        }
        facts
    }
}

/// What is known of each credential that was used.
pub(crate) type Facts = SymbolMap<CredentialFacts>;
