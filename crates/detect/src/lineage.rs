use std::collections::HashMap;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use portreeve_model::{CredentialKind, MintMethod};

use crate::activities::RowId;
use crate::strings::Symbol;
use crate::symbol_map::SymbolMap;

/// One minting: an activity that made a credential.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The credential that was made.
    pub child: Symbol,
    /// The credential that it was made with; [`Symbol::NONE`] where the record does not tell.
    pub parent: Symbol,
    /// What was made.
    pub kind: CredentialKind,
    /// The principal that it proves.
    pub principal: Symbol,
    /// The session name asked for.
    pub session: Symbol,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// By which operation.
    pub method: MintMethod,
    /// The activity's row.
    pub row: RowId,
}

/// What the records that used a credential say of it.
#[derive(Clone, Copy, Debug)]
pub struct CredentialFacts {
    /// What it is.
    pub kind: CredentialKind,
    /// When the session was created.
    pub created: Option<Timestamp>,
}

impl CredentialFacts {
    /// Takes in what another record says; the order of records does not show.
    pub(crate) fn merge(&mut self, other: CredentialFacts) {
        self.kind = self.kind.min(other.kind);
        self.created = match (self.created, other.created) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Which credential was minted from which: a forest, followed through chains and across accounts
/// by the key that the issuing call returned.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    mints: HashMap<Symbol, Link, FixedState>,
    children: HashMap<Symbol, Vec<Symbol>, FixedState>,
    facts: SymbolMap<CredentialFacts>,
}

impl Lineage {
    /// Builds the forest. Where two records tell of one minting (a role assumed across accounts is
    /// logged in both), the one that names the parent wins, then the earlier.
    pub(crate) fn new(mut links: Vec<Link>, facts: SymbolMap<CredentialFacts>) -> Self {
        links.sort_unstable_by_key(|link| (!link.parent.is_some(), link.row));
        let mut mints = HashMap::with_capacity_and_hasher(links.len(), FixedState::default());
        for link in links {
            if link.child != link.parent {
                mints.entry(link.child).or_insert(link);
            }
        }
        let mut ordered: Vec<&Link> = mints
            .values()
            .filter(|link| link.parent.is_some())
            .collect();
        ordered.sort_unstable_by_key(|link| (link.row, link.child));
        let mut children = HashMap::<_, Vec<_>, _>::with_hasher(FixedState::default());
        for link in ordered {
            children.entry(link.parent).or_default().push(link.child);
        }
        Self {
            mints,
            children,
            facts,
        }
    }

    /// How a credential was made, where the logs show that.
    pub fn mint(&self, credential: Symbol) -> Option<&Link> {
        self.mints.get(&credential)
    }

    /// What its use says of it.
    pub fn facts(&self, credential: Symbol) -> Option<&CredentialFacts> {
        self.facts.get(credential)
    }

    /// How many credentials were used.
    pub fn used(&self) -> usize {
        self.facts.len()
    }

    /// The credential that it was made with.
    pub fn parent(&self, credential: Symbol) -> Option<Symbol> {
        self.mint(credential)
            .map(|link| link.parent)
            .filter(|parent| parent.is_some())
    }

    /// The credentials made with it, in order of time.
    pub fn children(&self, credential: Symbol) -> &[Symbol] {
        self.children.get(&credential).map_or(&[], Vec::as_slice)
    }

    /// The chain from its parent to the root. Ends where a forged log would make a circle.
    pub fn ancestors(&self, credential: Symbol) -> Vec<Symbol> {
        let mut chain = Vec::new();
        let mut current = credential;
        while let Some(parent) = self.parent(current) {
            if parent == credential || chain.contains(&parent) {
                break;
            }
            chain.push(parent);
            current = parent;
        }
        chain
    }

    /// The first credential of its chain; itself where its minting is not in the logs.
    pub fn root(&self, credential: Symbol) -> Symbol {
        self.ancestors(credential)
            .last()
            .copied()
            .unwrap_or(credential)
    }

    /// Everything minted from it, directly or through others, nearest first; without itself.
    pub fn descendants(&self, credential: Symbol) -> Vec<Symbol> {
        let mut found = vec![credential];
        let mut seen = hashbrown::HashSet::<Symbol, FixedState>::default();
        seen.insert(credential);
        let mut next = 0;
        while next < found.len() {
            for child in self.children(found[next]) {
                if seen.insert(*child) {
                    found.push(*child);
                }
            }
            next += 1;
        }
        found.remove(0);
        found
    }

    /// All mintings, in no particular order.
    pub fn mints(&self) -> impl Iterator<Item = &Link> {
        self.mints.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strings::Strings;

    fn link(child: Symbol, parent: Symbol, row: RowId) -> Link {
        Link {
            child,
            parent,
            kind: CredentialKind::Session,
            principal: Symbol::NONE,
            session: Symbol::NONE,
            expires: None,
            method: MintMethod::AssumeRole,
            row,
        }
    }

    #[test]
    fn chains_are_followed_and_circles_end() {
        let mut strings = Strings::default();
        let [a, b, c] = ["AKIA1", "ASIA2", "ASIA3"].map(|text| strings.intern(text));
        let lineage = Lineage::new(vec![link(c, b, 2), link(b, a, 1)], SymbolMap::default());
        assert_eq!(lineage.root(c), a);
        assert_eq!(lineage.descendants(a), [b, c]);

        let circle = Lineage::new(vec![link(a, b, 1), link(b, a, 2)], SymbolMap::default());
        assert_eq!(circle.ancestors(a), [b]);
        assert_eq!(circle.descendants(a), [b]);
    }

    #[test]
    fn the_record_that_names_the_parent_wins() {
        let mut strings = Strings::default();
        let [a, b] = ["AKIA1", "ASIA2"].map(|text| strings.intern(text));
        let lineage = Lineage::new(
            vec![link(b, Symbol::NONE, 0), link(b, a, 5)],
            SymbolMap::default(),
        );
        assert_eq!(lineage.parent(b), Some(a));
    }
}
