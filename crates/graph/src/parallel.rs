//! Work on as many threads as there are.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};

/// On how many threads work is done. The result is the same on any number.
pub(crate) fn threads() -> usize {
    thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8)
}

/// The result of a thread; its panic, if it had one, goes on in this one.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
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
