use std::sync::{Mutex, PoisonError};

use portreeve_detect::{Batch, StageTwo};

/// What stands between the two stages. Stage one hands batches over from any thread, in any order;
/// stage two owns the keys. Here both run in one process; a partitioned log can stand here.
pub trait Seam: Sync {
    /// Takes a batch. Returns when it is safe to drop everything that it was made of.
    fn hand_over(&self, batch: Batch);
}

/// Both stages in one process.
#[derive(Debug, Default)]
pub(crate) struct InProcess {
    stage_two: Mutex<StageTwo>,
}

impl InProcess {
    pub(crate) fn into_stage_two(self) -> StageTwo {
        self.stage_two
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seam for InProcess {
    fn hand_over(&self, batch: Batch) {
        self.stage_two
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .accept(batch);
    }
}
