//! Keyed state: what is remembered of each entity from one commit to the next.
//!
//! Correlations, baselines, lineage and incidents remember things by key. All of them do so behind
//! one contract, [`KeyedState`]: a store saves the changes since the last commit, never a
//! snapshot, and after a restart hands back what it saved. [`suite`] holds the laws of the
//! contract, and every implementation is run through it.

mod bytes;
pub mod suite;

pub use bytes::{Reader, Writer};

use jiff::Timestamp;

/// One change of the state: a key with its new value, or with none where the key was let go.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// Something that remembers by key.
///
/// Time is event time: [`advance`](KeyedState::advance) tells how far it has come, and nothing
/// here looks at a clock.
pub trait KeyedState {
    /// Hands over what changed since the last call, in order of key, each key once; one at a time,
    /// so that a large first save needs no second copy of everything.
    fn changes(&mut self, take: &mut dyn FnMut(Change));

    /// The same in one list. Empty where nothing changed.
    fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        self.changes(&mut |change| changes.push(change));
        changes
    }

    /// Takes back what was saved, in any order. To be called on a state that is as it was made;
    /// what is restored does not count as changed.
    ///
    /// # Errors
    /// Where a value is none that this state has written. Nothing panics, and what was restored
    /// before it stays.
    fn restore(
        &mut self,
        items: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<(), StateError>;

    /// Tells that no activity before this moment is to come any more, so that what waited for it
    /// can be decided and what has lapsed can be let go.
    fn advance(&mut self, watermark: Timestamp);

    /// What was let go because a bound bit.
    fn dropped(&mut self) -> Vec<Dropped>;
}

/// Entities that were let go because a bound on their number bit: the least recently active first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// What remembered them: the id of the correlation.
    pub from: String,
    /// The bound.
    pub bound: u64,
    /// How many were let go.
    pub count: u64,
    /// The keys of the first of them.
    pub examples: Vec<u64>,
    /// When the one that had been idle for the shortest time was last active: whoever was idle
    /// since before that may have been let go.
    pub idle_since: Option<Timestamp>,
}

/// How many examples of what was let go are kept.
pub const DROPPED_EXAMPLES: usize = 10;

/// A saved value that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The key is of no form that the state writes.
    #[error("a key of {0} bytes, which this state does not write")]
    Key(usize),
    /// The value ends early, holds too much, or says what cannot be.
    #[error("the value of a key cannot be read: {0}")]
    Value(&'static str),
}
