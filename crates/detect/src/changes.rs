use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_graph::{Changes, Opening};
use portreeve_model::PolicyChange;

use crate::activities::RowId;

/// How many distinct changes are judged in an estate of [`ORDINARY`] entities; in a larger one
/// fewer, since each takes up to two graphs.
const MOST_CHANGES: usize = 256;
const LEAST_CHANGES: usize = 8;
const ORDINARY: usize = 1_000;

/// What the changes of policies that rules asked about open.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    openings: BTreeMap<RowId, Arc<[Opening]>>,
    /// How many distinct changes were left unjudged.
    pub(crate) left: usize,
}

impl Judged {
    /// Judges the changes of the rows asked about, equal ones once, in order of time.
    pub(crate) fn new(
        changes: Option<&Changes>,
        made: &BTreeMap<RowId, PolicyChange<'static>>,
        asked: &BTreeSet<RowId>,
    ) -> Self {
        let mut judged = Self::default();
        let Some(changes) = changes else {
            return judged;
        };
        let most = (MOST_CHANGES * ORDINARY / changes.size().max(ORDINARY)).max(LEAST_CHANGES);
        let mut known = BTreeMap::<&PolicyChange<'static>, Option<Arc<[Opening]>>>::new();
        for (row, change) in asked.iter().filter_map(|row| Some((*row, made.get(row)?))) {
            let is_room = known.len() < most;
            let opened = known.entry(change).or_insert_with(|| {
                is_room.then(|| {
                    changes
                        .opened(change, &portreeve_estate::managed_document)
                        .into()
                })
            });
            match opened {
                Some(opened) => {
                    judged.openings.insert(row, opened.clone());
                }
                None => judged.left += 1,
            }
        }
        judged
    }

    /// What a row's change opens; nothing where it was not judged.
    pub(crate) fn of(&self, row: RowId) -> &[Opening] {
        self.openings.get(&row).map_or(&[], |opened| opened)
    }
}
