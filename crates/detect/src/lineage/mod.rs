//! Which credential was made with which, and how sure that is.

mod joins;
mod link;
mod uses;

use std::collections::HashSet;

use foldhash::fast::FixedState;
use portreeve_model::{CredentialKind, MintMethod};
use smallvec::SmallVec;

use crate::activities::Activities;
use crate::people::People;
use crate::strings::Symbol;
use crate::symbol_map::{SymbolMap, SymbolSet};

use joins::Joins;
pub(crate) use joins::is_instance;
pub use link::{Certainty, Link, Reason};
pub use uses::CredentialFacts;
pub(crate) use uses::{Facts, Use, Uses};

/// Most credentials that others are made with make a few.
type Children = SmallVec<[Symbol; 4]>;

/// Which credential was minted from which: a forest, followed through chains and across accounts by
/// the key that the issuing call returned, and where no call returns it by what the records share.
///
/// Links that are merely [`Certainty::Possible`] are kept apart: stories follow only the others.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    mints: SymbolMap<Link>,
    possible: SymbolMap<Link>,
    children: SymbolMap<Children>,
    possible_children: SymbolMap<Children>,
    facts: Facts,
}

impl Lineage {
    /// Builds the forest from what records say: mintings with the key that they returned or
    /// without, and what the use of credentials tells of them.
    pub(crate) fn join(
        activities: &mut Activities,
        links: Vec<Link>,
        facts: Facts,
        people: &People,
    ) -> Self {
        let (mut returned, grants): (Vec<Link>, Vec<Link>) =
            links.into_iter().partition(|link| link.child.is_some());
        let unused = joins::unused_by_provider(&returned, &facts, activities.strings());
        let joins = Joins::new(activities, &facts, people, &grants, &returned);
        let known: SymbolSet = returned.iter().map(|link| link.child).collect();
        let mut joined: Vec<Link> = facts
            .iter()
            .map(|(credential, _)| credential)
            .filter(|credential| !known.contains(*credential))
            .filter_map(|credential| joins.mint(credential))
            .collect();
        returned.retain(|link| !unused.contains(&link.child));
        tie_workloads(activities, &mut returned, &mut joined, &facts);
        returned.append(&mut joined);
        Self::new(returned, facts)
    }

    /// Where two records tell of one minting (a role assumed across accounts is logged in both),
    /// the one that names the parent wins, then the earlier.
    fn new(mut links: Vec<Link>, facts: Facts) -> Self {
        links.sort_unstable_by_key(|link| (!link.parent.is_some(), link.row.is_none(), link.row));
        let mut lineage = Self {
            facts,
            ..Self::default()
        };
        for link in links {
            if link.child == link.parent {
                continue;
            }
            let mints = if link.certainty() == Certainty::Possible {
                &mut lineage.possible
            } else {
                &mut lineage.mints
            };
            mints.get_or_insert(link.child, link);
        }
        lineage.children = children(&lineage.mints);
        lineage.possible_children = children(&lineage.possible);
        lineage
    }

    /// How a credential was made, where the logs show that.
    pub fn mint(&self, credential: Symbol) -> Option<&Link> {
        self.mints.get(credential)
    }

    /// How a credential was made, or may have been: as sure as asked for at least.
    pub fn mint_at(&self, credential: Symbol, at_least: Certainty) -> Option<&Link> {
        let possible = || self.possible.get(credential);
        self.mint(credential)
            .or_else(possible)
            .filter(|link| link.certainty() >= at_least)
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
        self.children
            .get(credential)
            .map_or(&[], SmallVec::as_slice)
    }

    /// The credentials made with it, or perhaps made with it: as sure as asked for at least.
    pub fn children_at(
        &self,
        credential: Symbol,
        at_least: Certainty,
    ) -> impl Iterator<Item = Symbol> {
        let possible = self.possible_children.get(credential);
        self.children(credential)
            .iter()
            .chain(possible.into_iter().flatten())
            .copied()
            .filter(move |child| {
                self.mint_at(*child, at_least)
                    .is_some_and(|link| link.parent == credential)
            })
    }

    /// The chain from its parent to the root. Ends where a forged log would make a circle.
    pub fn ancestors(&self, credential: Symbol) -> Vec<Symbol> {
        self.ancestors_at(credential, Certainty::Likely)
    }

    /// The chain from its parent to the root, along links as sure as asked for.
    pub fn ancestors_at(&self, credential: Symbol, at_least: Certainty) -> Vec<Symbol> {
        let mut chain = Vec::new();
        let mut seen = HashSet::<Symbol, FixedState>::default();
        seen.insert(credential);
        let mut current = credential;
        while let Some(link) = self.mint_at(current, at_least)
            && link.parent.is_some()
            && seen.insert(link.parent)
        {
            chain.push(link.parent);
            current = link.parent;
        }
        chain
    }

    /// The first credential of its chain; itself where its minting is not in the logs.
    pub fn root(&self, credential: Symbol) -> Symbol {
        // Most credentials are at the beginning of their own.
        if self.parent(credential).is_none() {
            return credential;
        }
        self.ancestors(credential)
            .last()
            .copied()
            .unwrap_or(credential)
    }

    /// The first credential of its chain that made calls itself. What gives an instance its role's
    /// sessions makes none, and is behind months of them.
    pub fn first_used(&self, credential: Symbol) -> Symbol {
        let above = self.ancestors(credential);
        let used = above.into_iter().rev().find(|it| self.facts.contains(*it));
        used.unwrap_or(credential)
    }

    /// Everything minted from it, directly or through others, nearest first; without itself.
    pub fn descendants(&self, credential: Symbol) -> Vec<Symbol> {
        let mut found = vec![credential];
        let mut seen = HashSet::<Symbol, FixedState>::default();
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
        self.mints.iter().map(|(_, link)| link)
    }

    /// All credentials that were used, in no particular order.
    pub fn credentials(&self) -> impl Iterator<Item = Symbol> {
        self.facts.iter().map(|(credential, _)| credential)
    }
}

/// Ties the sessions of instances, tasks and functions to what gives them: they are renewed every
/// few hours, and are one workload's.
fn tie_workloads(
    activities: &mut Activities,
    returned: &mut [Link],
    joined: &mut Vec<Link>,
    facts: &Facts,
) {
    let mut known = SymbolSet::default();
    for link in returned.iter_mut() {
        if link.parent.is_some() {
            known.insert(link.child);
            continue;
        }
        let text = |symbol| activities.strings().get(symbol).unwrap_or_default();
        let minter = link.row.map(|row| activities.get(row).principal());
        let found = minter.and_then(|minter| {
            joins::workload(text(link.principal), text(link.session), Some(minter), true)
        });
        if let Some((id, reason)) = found {
            link.parent = activities.strings_mut().intern(&id);
            link.method = MintMethod::Workload;
            link.reason = reason;
            known.insert(link.child);
        }
    }
    known.extend(joined.iter().map(|link| link.child));
    let mut unknown: Vec<(Symbol, CredentialFacts)> = facts
        .iter()
        .filter(|(credential, it)| {
            it.kind == CredentialKind::Session && !known.contains(*credential)
        })
        .map(|(credential, it)| (credential, *it))
        .collect();
    unknown.sort_unstable_by_key(|(credential, _)| *credential);
    for (credential, it) in unknown {
        let text = |symbol| activities.strings().get(symbol).unwrap_or_default();
        let principal = text(it.principal);
        if !principal.contains(":role/") {
            continue;
        }
        let Some((id, reason)) = joins::workload(principal, text(it.session), None, it.delivered)
        else {
            continue;
        };
        joined.push(Link {
            child: credential,
            parent: activities.strings_mut().intern(&id),
            kind: it.kind,
            principal: it.principal,
            session: it.session,
            expires: None,
            method: MintMethod::Workload,
            row: None,
            reason,
        });
    }
}

/// The children of each parent, in order of time.
fn children(mints: &SymbolMap<Link>) -> SymbolMap<Children> {
    let mut ordered: Vec<&Link> = mints
        .iter()
        .map(|(_, link)| link)
        .filter(|link| link.parent.is_some())
        .collect();
    ordered.sort_unstable_by_key(|link| (link.row.is_none(), link.row, link.child));
    let mut children = SymbolMap::<Children>::default();
    for link in ordered {
        let (of_parent, _) = children.get_or_insert(link.parent, Children::new());
        of_parent.push(link.child);
    }
    children
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activities::RowId;
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
            row: Some(row),
            reason: Reason::ReturnedKey,
        }
    }

    #[test]
    fn chains_are_followed_and_circles_end() {
        let mut strings = Strings::default();
        let [a, b, c] = ["AKIA1", "ASIA2", "ASIA3"].map(|text| strings.intern(text));
        let lineage = Lineage::new(vec![link(c, b, 2), link(b, a, 1)], Facts::default());
        assert_eq!(lineage.root(c), a);
        assert_eq!(lineage.descendants(a), [b, c]);

        let circle = Lineage::new(vec![link(a, b, 1), link(b, a, 2)], Facts::default());
        assert_eq!(circle.ancestors(a), [b]);
        assert_eq!(circle.descendants(a), [b]);
    }

    #[test]
    fn the_record_that_names_the_parent_wins() {
        let mut strings = Strings::default();
        let [a, b] = ["AKIA1", "ASIA2"].map(|text| strings.intern(text));
        let lineage = Lineage::new(
            vec![link(b, Symbol::NONE, 0), link(b, a, 5)],
            Facts::default(),
        );
        assert_eq!(lineage.parent(b), Some(a));
    }
}
