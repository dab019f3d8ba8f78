use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;
use portreeve_detect::{Folded, Revocation, RevocationKind, RowId, Symbol};

use super::kinds::KINDS;
use crate::behaviour::without_version;

/// The calls of a run that take away, replace or use what can be left behind, by what they are on.
/// Made once, so that no incident looks through all records.
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    by_target: HashMap<Symbol, Vec<RowId>, FixedState>,
    /// Calls that take something away and name nothing.
    nameless: Vec<RowId>,
    /// Places in the run's revocations, by the credential.
    revoked: HashMap<Symbol, Vec<usize>, FixedState>,
    /// Places of those that refuse a principal's sessions.
    refusals: Vec<usize>,
}

impl Aftermath {
    pub(crate) fn new(folded: &Folded) -> Self {
        let wanted: HashSet<&str> = KINDS
            .iter()
            .flat_map(|kind| {
                [
                    kind.undone_by,
                    kind.perhaps_undone_by,
                    kind.replaced_by,
                    kind.fired_by,
                ]
            })
            .flatten()
            .copied()
            .collect();
        let mut aftermath = Self::default();
        // What an action's text says is looked up once.
        let mut known = HashMap::<Symbol, bool, FixedState>::default();
        for row in folded.activities.iter() {
            let is_wanted = *known
                .entry(row.action_symbol())
                .or_insert_with(|| wanted.contains(without_version(row.action())));
            if !is_wanted || !row.succeeded() || row.time().is_none() {
                continue;
            }
            let mut any = false;
            for target in row.target_symbols() {
                any = true;
                aftermath
                    .by_target
                    .entry(target)
                    .or_default()
                    .push(row.id());
            }
            if !any {
                aftermath.nameless.push(row.id());
            }
        }
        for (place, revocation) in folded.revocations.iter().enumerate() {
            match revocation.kind {
                RevocationKind::SessionsBefore(_) => aftermath.refusals.push(place),
                RevocationKind::Revoked | RevocationKind::Restored => aftermath
                    .revoked
                    .entry(revocation.subject)
                    .or_default()
                    .push(place),
            }
        }
        aftermath
    }

    /// The revocations that can be of a credential, its own before those of its principal.
    pub(super) fn revocations<'s>(
        &'s self,
        folded: &'s Folded,
        credential: Symbol,
    ) -> impl Iterator<Item = &'s Revocation> {
        let own = self.revoked.get(&credential).into_iter().flatten();
        own.chain(&self.refusals)
            .filter_map(|place| folded.revocations.get(*place))
    }

    /// The calls on a thing, in order of time: those that name all of its targets, or, where it
    /// has none, those that name nothing.
    pub(super) fn rows<'s>(&'s self, targets: &[Symbol]) -> &'s [RowId] {
        match targets.first() {
            None => &self.nameless,
            Some(first) => self.by_target.get(first).map_or(&[], Vec::as_slice),
        }
    }
}
