//! A queue between two threads, bounded by the weight of what waits in it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Items, each with a weight, from one thread to another.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    /// Something came, went, or the queue was closed.
    moved: Condvar,
    most: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    items: VecDeque<(T, usize)>,
    weight: usize,
    is_closed: bool,
}

/// What looking for the next item gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T> {
    Item(T),
    /// Nothing came in time.
    Late,
    /// Nothing is left, and nothing will come.
    Ended,
}

impl<T> Queue<T> {
    /// A queue in which so much may wait; one item always may.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                items: VecDeque::new(),
                weight: 0,
                is_closed: false,
            }),
            moved: Condvar::new(),
            most,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item in once there is room; gives it back where the queue is closed.
    pub(crate) fn put(&self, item: T, weight: usize) -> Result<(), T> {
        let mut waiting = self.lock();
        while waiting.weight > 0 && waiting.weight + weight > self.most && !waiting.is_closed {
            waiting = self
                .moved
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.is_closed {
            return Err(item);
        }
        waiting.items.push_back((item, weight));
        waiting.weight += weight;
        drop(waiting);
        self.moved.notify_all();
        Ok(())
    }

    /// The next item; waits for one until then, or as long as it takes.
    pub(crate) fn next(&self, until: Option<Instant>) -> Next<T> {
        let mut waiting = self.lock();
        loop {
            if let Some((item, weight)) = waiting.items.pop_front() {
                waiting.weight -= weight;
                drop(waiting);
                self.moved.notify_all();
                return Next::Item(item);
            }
            if waiting.is_closed {
                return Next::Ended;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            waiting = match left {
                Some(left) if left.is_zero() => return Next::Late,
                Some(left) => {
                    let woken = self.moved.wait_timeout(waiting, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .moved
                    .wait(waiting)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Lets nothing more in. What waits can still be taken.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_waits_is_bounded_and_comes_in_order() {
        let queue = Queue::new(10);
        std::thread::scope(|scope| {
            let putting = scope.spawn(|| {
                for number in 0..100 {
                    queue.put(number, 4).unwrap();
                    assert!(queue.lock().weight <= 10);
                }
                queue.close();
                queue.put(100, 1)
            });
            for number in 0..100 {
                assert_eq!(queue.next(None), Next::Item(number));
            }
            assert_eq!(queue.next(None), Next::Ended);
            assert_eq!(putting.join().unwrap(), Err(100));
        });
    }

    #[test]
    fn one_that_is_too_heavy_goes_alone_and_nobody_waits_for_ever() {
        let queue = Queue::new(1);
        queue.put('a', 50).unwrap();
        assert_eq!(queue.next(None), Next::Item('a'));
        let soon = Instant::now() + Duration::from_millis(5);
        assert_eq!(queue.next(Some(soon)), Next::Late);
        queue.put('b', 50).unwrap();
        queue.close();
        assert_eq!(queue.next(Some(soon)), Next::Item('b'));
        assert_eq!(queue.next(Some(soon)), Next::Ended);
    }
}
