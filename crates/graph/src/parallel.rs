//! Work on as many threads as there are.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

/// Fewer nodes are looked at sooner than a thread begins. Graphs of so few are built by the hundred, for
/// the cuts of one investigation.
const FEW_NODES: usize = 2_048;

/// On how many threads work is done. The result is the same on any number.
pub(crate) fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    // The system looks it up in several files.
    *THREADS.get_or_init(|| {
        let all = thread::available_parallelism();
        all.map_or(1, usize::from).min(8)
    })
}

/// How many of a list a thread takes at once at least, where each of them looks at so many nodes.
pub(crate) fn share_of(nodes: usize) -> usize {
    if nodes < FEW_NODES { usize::MAX } else { 1 }
}

/// Does two things, at the same time where they look at more than a few nodes.
pub(crate) fn both<A: Send, B>(
    nodes: usize,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B,
) -> (A, B) {
    if nodes < FEW_NODES {
        return (first(), second());
    }
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        let first = first.join().unwrap_or_else(|panic| resume_unwind(panic));
        (first, second)
    })
}

/// Does something for each of a list, on as many threads as there are; the results in order.
/// A thread takes at least `least` of them at once.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    list: &[T],
    least: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let share = list.len().div_ceil(threads() * 8).max(least);
    if list.len() <= share {
        return list.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Vec<R>>> = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(part) = list.chunks(share).nth(place) else {
                        break;
                    };
                    let results = part.iter().map(&work).collect();
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(place, results);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_values().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_the_same_on_any_number_of_threads() {
        let list: Vec<usize> = (0..1_000).collect();
        let doubled: Vec<usize> = list.iter().map(|number| number * 2).collect();
        for nodes in [0, FEW_NODES] {
            assert_eq!(both(nodes, || "first", || 2), ("first", 2));
            let share = share_of(nodes);
            assert_eq!(in_parallel(&list, share, |number| number * 2), doubled);
        }
    }
}
