//! Waiting for a block: until a node says that there is one.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long nothing is asked while every node is subscribed and none tells of a block. A subscription may go silent
/// and its connection stay: then blocks are this much late, and none is missed.
const QUIET: Duration = Duration::from_secs(30);
/// The least time between two times that someone is woken: what a node tells of is not trusted, and the others are
/// asked each time.
const SPACING: Duration = Duration::from_millis(50);
/// The most words for people that are kept until they are taken.
const NOTICES: usize = 64;

/// What nodes tell of new blocks, and who of them does. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Heads {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    told: Condvar,
}

#[derive(Debug, Default)]
struct State {
    nodes: usize,
    subscribed: BTreeSet<usize>,
    /// How often something was told, and how often when somebody last stopped waiting.
    told: u64,
    seen: u64,
    /// Whether the last wait for a block was ended by a node's word.
    woken: bool,
    last: Option<Instant>,
    notices: VecDeque<String>,
}

impl Heads {
    pub(super) fn new(nodes: usize) -> Self {
        let state = State {
            nodes,
            ..State::default()
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                told: Condvar::new(),
            }),
        }
    }

    /// Waits for a new block: until a node tells of one, or loses its subscription. Where a node is not subscribed
    /// at most for `poll`, so that it can be asked; where all are, for half a minute, or `poll` if that is longer.
    /// Whether someone told.
    pub fn wait_for_block(&self, poll: Duration) -> bool {
        let state = self.state();
        let all = state.nodes > 0 && state.subscribed.len() == state.nodes;
        // A node may tell of a block before it answers with it: after its word it is asked once more.
        let pause = match (all, state.woken) {
            (true, false) => poll.max(QUIET),
            (true, true) => poll.min(QUIET),
            (false, _) => poll,
        };
        let woken = self.until_told(state, pause);
        self.state().woken = woken;
        woken
    }

    /// Waits, at most so long, until a node tells of a block or is there again. Whether one did.
    pub fn wait(&self, pause: Duration) -> bool {
        self.until_told(self.state(), pause)
    }

    /// Words for people since they were last taken: connections that were lost, subscriptions that were refused.
    pub fn take_notices(&self) -> Vec<String> {
        self.state().notices.drain(..).collect()
    }

    fn until_told(&self, state: MutexGuard<'_, State>, pause: Duration) -> bool {
        let nothing = |state: &mut State| state.told == state.seen;
        let waited = self.shared.told.wait_timeout_while(state, pause, nothing);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.told == state.seen {
            return false;
        }
        let spare = state
            .last
            .map(|last| SPACING.saturating_sub(last.elapsed()))
            .unwrap_or_default();
        if !spare.is_zero() {
            drop(state);
            std::thread::sleep(spare);
            state = self.state();
        }
        state.seen = state.told;
        state.last = Some(Instant::now());
        true
    }

    /// A node tells of a new block.
    pub(super) fn tell(&self) {
        self.state().told += 1;
        self.shared.told.notify_all();
    }

    /// A node tells of new blocks from now on, or no longer.
    pub(super) fn subscribed(&self, place: usize, whether: bool) {
        let mut state = self.state();
        let changed = match whether {
            true => state.subscribed.insert(place),
            false => state.subscribed.remove(&place),
        };
        if changed {
            state.told += 1;
            self.shared.told.notify_all();
        }
    }

    /// A word for people.
    pub(super) fn notice(&self, notice: String) {
        let mut state = self.state();
        if state.notices.len() == NOTICES {
            state.notices.pop_front();
        }
        state.notices.push_back(notice);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a thread that panicked left is whole: each change is one.
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_word_that_came_before_the_wait_ends_it() {
        let heads = Heads::new(1);
        assert!(!heads.wait(SHORT));
        heads.tell();
        assert!(heads.wait(LONG));
        assert!(!heads.wait(SHORT));
    }

    #[test]
    fn nothing_is_asked_for_long_only_while_all_are_subscribed() {
        let heads = Heads::new(2);
        heads.subscribed(0, true);
        assert!(heads.wait_for_block(LONG));
        let begun = Instant::now();
        assert!(!heads.wait_for_block(SHORT), "one of two is not subscribed");
        heads.subscribed(1, true);
        assert!(heads.wait_for_block(LONG));
        assert!(!heads.wait_for_block(SHORT), "once more after a word");
        assert!(begun.elapsed() < LONG);
        let other = heads.clone();
        let loses = std::thread::spawn(move || {
            std::thread::sleep(SHORT * 5);
            other.subscribed(1, false);
        });
        assert!(
            heads.wait_for_block(SHORT),
            "waits for longer than the poll"
        );
        loses.join().unwrap();
    }

    #[test]
    fn a_flood_of_words_wakes_seldom() {
        let heads = Heads::new(1);
        let begun = Instant::now();
        for _ in 0..4 {
            heads.tell();
            heads.notice("x".to_owned());
            assert!(heads.wait(LONG));
        }
        assert!(begun.elapsed() >= SPACING * 3);
        assert_eq!(heads.take_notices().len(), 4);
        assert!(heads.take_notices().is_empty());
    }
}
