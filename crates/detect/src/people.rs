//! The people of the identity provider: ids of the identity store and user names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;

use crate::lineage::CredentialFacts;
use crate::strings::{Strings, Symbol};

/// What the id of an Identity Center user begins with, as a principal.
pub(crate) const PERSON_PREFIX: &str = "arn:aws:identitystore:::user/";

/// What the names of the roles begin with that Identity Center makes for permission sets.
pub(crate) const RESERVED_ROLE: &str = "AWSReservedSSO_";

/// Whether a role was made by Identity Center, so that its session name is a user name.
pub(crate) fn is_reserved(principal: &str) -> bool {
    principal
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with(RESERVED_ROLE))
}

/// Which user name belongs to which id. Learned from sessions that show both, and from inventory.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    names: HashMap<Symbol, BTreeSet<Symbol>, FixedState>,
    ids: HashMap<Symbol, BTreeSet<Symbol>, FixedState>,
}

impl People {
    /// Takes in what sessions and inventory (`declared`: id to user name) say.
    pub(crate) fn new<'f>(
        facts: impl Iterator<Item = &'f CredentialFacts>,
        declared: &BTreeMap<String, String>,
        strings: &mut Strings,
    ) -> Self {
        let mut people = Self::default();
        for one in facts {
            let reserved = strings.get(one.principal).is_some_and(is_reserved);
            let portal = strings
                .get(one.principal)
                .is_some_and(|principal| principal.starts_with(PERSON_PREFIX));
            if one.person.is_some() && one.session.is_some() && (reserved || portal) {
                people.add(one.person, one.session);
            }
        }
        for (id, name) in declared {
            let (id, name) = (strings.intern(id), strings.intern(name));
            people.add(id, name);
        }
        people
    }

    fn add(&mut self, id: Symbol, name: Symbol) {
        self.names.entry(id).or_default().insert(name);
        self.ids.entry(name).or_default().insert(id);
    }

    /// Whether a person is known to have a user name.
    pub(crate) fn has_name(&self, id: Symbol, name: Symbol) -> bool {
        self.names
            .get(&id)
            .is_some_and(|names| names.contains(&name))
    }

    /// The id behind a user name; nothing where it is not known, or several people have it.
    pub(crate) fn id_of(&self, name: Symbol) -> Option<Symbol> {
        let ids = self.ids.get(&name)?;
        ids.first().copied().filter(|_| ids.len() == 1)
    }

    /// The user name of an id; of several the first by letters.
    pub(crate) fn name_of<'s>(&self, id: Symbol, strings: &'s Strings) -> Option<&'s str> {
        let names = self.names.get(&id)?;
        names.iter().filter_map(|name| strings.get(*name)).min()
    }
}
