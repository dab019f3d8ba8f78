//! What stage one hands to stage two, in order of the event log, and on which thread that is.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portreeve_detect::Batch;
use portreeve_graph::Difference;
use portreeve_model::DeadLetter;

use super::board::SourceState;
use super::fold::Fold;
use super::mark::Mark;
use super::queue::Queue;
use super::request::WatchError;
use super::retention::Settled;
use crate::prepared::Prepared;
use crate::wallets::Told;

/// What there is to say.
pub(crate) enum Word {
    /// All that is known has changed: the log follows from its beginning.
    Anew(Box<Anew>),
    /// Records of the log, in its order, with what came with them.
    Taken(Box<Taken>),
    /// What files tell of wallets has changed.
    Wallets(Box<Told>),
    /// So many records of the log have come by that it is to be looked how many rows are held.
    Look,
    /// All of the log has been handed over.
    Whole,
}

impl Word {
    /// How many rows it brings.
    fn weight(&self) -> usize {
        match self {
            Word::Taken(taken) => taken.batches.iter().map(Batch::len).sum::<usize>().max(1),
            _ => 1,
        }
    }
}

/// What is known when the log is read from its beginning.
pub(crate) struct Anew {
    pub(crate) prepared: Arc<Prepared>,
    /// How often inventory was read.
    pub(crate) inventory: u64,
    pub(crate) inventory_change: Option<Arc<(Timestamp, Difference)>>,
    /// What was found in records that the log does not keep any more.
    pub(crate) settled: Settled,
}

/// What was taken in, and is in the log.
#[derive(Default)]
pub(crate) struct Taken {
    /// The number of the piece; numbers rise.
    pub(crate) number: u64,
    pub(crate) batches: Vec<Batch>,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Files that were read on, by the names of their inputs, and nothing for those that are forgotten.
    pub(crate) files: Vec<(String, Option<Mark>)>,
    pub(crate) dead: Vec<DeadLetter>,
    /// Told the number of the commit with what follows.
    pub(crate) acknowledge: Vec<SyncSender<u64>>,
    /// When pieces arrived, with how many records each had.
    pub(crate) arrived: Vec<(Instant, u64)>,
    /// The ids of findings that were told at once.
    pub(crate) told: Vec<String>,
    /// Where records come from, as of now.
    pub(crate) sources: Vec<SourceState>,
}

/// Closes the queue once stage two has ended, however it did: nobody is to wait for room then.
struct Closing(Arc<Queue<Word>>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Stage two as stage one sees it.
pub(crate) enum Handover {
    /// On the same thread, as long as the watch begins.
    Here(Box<Fold>),
    /// On a thread of its own.
    Away(Arc<Queue<Word>>, JoinHandle<Result<(), WatchError>>),
    /// It has ended.
    Ended,
}

impl Handover {
    /// Puts stage two on a thread of its own, where it folds what has come after so long at least. As many
    /// records wait for it as it holds, at most; those who bring more wait then.
    pub(crate) fn part(&mut self, every: Duration, hold: usize) -> Result<(), WatchError> {
        let Handover::Here(fold) = std::mem::replace(self, Handover::Ended) else {
            return Ok(());
        };
        let queue = Arc::new(Queue::new(hold));
        let words = Closing(queue.clone());
        let folding = std::thread::Builder::new()
            .name("fold".to_owned())
            .spawn(move || fold.run(&words.0, every))
            .map_err(WatchError::Thread)?;
        *self = Handover::Away(queue, folding);
        Ok(())
    }

    /// Hands a word over; waits where too much waits already.
    ///
    /// # Errors
    /// That of stage two, where it ended by one.
    pub(crate) fn say(&mut self, word: Word) -> Result<(), WatchError> {
        match self {
            Handover::Here(fold) => fold.take(word),
            Handover::Away(queue, _) => {
                let weight = word.weight();
                match queue.put(word, weight) {
                    Ok(()) => Ok(()),
                    Err(_) => self.end(),
                }
            }
            Handover::Ended => Ok(()),
        }
    }

    /// Whether stage two has ended by itself, which it does by an error alone.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self, Handover::Away(_, folding) if folding.is_finished())
    }

    /// Has stage two fold and write what it was told, and waits for it.
    ///
    /// # Errors
    /// That of stage two.
    pub(crate) fn end(&mut self) -> Result<(), WatchError> {
        match std::mem::replace(self, Handover::Ended) {
            Handover::Away(queue, folding) => {
                queue.close();
                folding.join().unwrap_or(Err(WatchError::Fold))
            }
            Handover::Here(_) | Handover::Ended => Ok(()),
        }
    }
}
