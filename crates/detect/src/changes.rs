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
    /// Those that silence speaks for.
    whole: BTreeSet<RowId>,
    /// How many distinct changes were left for want of room.
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
        // Apart from what there was no room for, what cannot be judged.
        type Known = Option<Option<(Arc<[Opening]>, bool)>>;
        let mut known = BTreeMap::<&PolicyChange<'static>, Known>::new();
        for (row, change) in asked.iter().filter_map(|row| Some((*row, made.get(row)?))) {
            let is_room = known.len() < most;
            let opened = known.entry(change).or_insert_with(|| {
                is_room.then(|| {
                    changes
                        .judge(change, &portreeve_estate::managed_document)
                        .map(|opened| (opened.into(), changes.knows(change)))
                })
            });
            match opened {
                Some(Some((opened, is_known))) => {
                    judged.openings.insert(row, opened.clone());
                    if *is_known {
                        judged.whole.insert(row);
                    }
                }
                Some(None) => {}
                None => judged.left += 1,
            }
        }
        judged
    }

    /// Whether a row's change was judged with all that counts known, whatever it opens.
    pub(crate) fn holds(&self, row: RowId) -> bool {
        self.whole.contains(&row)
    }

    /// What a row's change opens; nothing where it was not judged.
    pub(crate) fn of(&self, row: RowId) -> &[Opening] {
        self.openings.get(&row).map_or(&[], |opened| opened)
    }
}
