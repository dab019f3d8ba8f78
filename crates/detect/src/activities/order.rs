//! The order of rows, and which of them are the same event.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::{EVENT_ID_IS_UUID, HAS_EVENT_ID, NO_TIME, Row, RowId};
use crate::by_row::by_row;

/// The rows in order of time, ties by file and position, each event once; and repetitions, in that order too,
/// each with the row that stands for it.
pub(super) fn of(rows: &[Row], files: &[Arc<str>]) -> (Vec<RowId>, Vec<(RowId, RowId)>) {
    let ranks = ranks(files);
    // With times and files beside the numbers most comparisons look up no row.
    let places = rows.iter().map(|row| (row.time, ranks[row.file as usize]));
    let order: Vec<Place> = places
        .zip(0..)
        .map(|((time, rank), row)| (time, rank, row))
        .collect();
    let stretches = Stretches::new(rows.iter().map(|row| row.time));
    let stretch = |(time, ..): &Place| stretches.of(*time);
    let mut order = by_row(order, stretches.count(), stretch);
    for stretch in order.chunk_by_mut(|one, other| stretch(one) == stretch(other)) {
        stretch.sort_by(|(time, rank, row), (other_time, other_rank, other)| {
            let places = (time, rank).cmp(&(other_time, other_rank));
            places.then_with(|| in_file(rows, *row, *other))
        });
    }
    let mut order: Vec<RowId> = order.into_iter().map(|(.., row)| row).collect();
    let repeated = drop_repeated(&mut order, rows);
    (order, repeated)
}

/// A row's time, the rank of its file, and its number.
type Place = (i64, u32, RowId);

/// How many rows a stretch of time has on average.
const STRETCH: usize = 8;

/// Equal stretches of the time of rows, to part them before they are compared, which halves the time that
/// sorting takes. What has no time comes last.
struct Stretches {
    /// The first time of any.
    first: i64,
    width: u64,
    /// The number of the stretch of those without a time.
    last: u64,
}

impl Stretches {
    fn new(times: impl ExactSizeIterator<Item = i64> + Clone) -> Self {
        let last = (times.len() / STRETCH) as u64 + 1;
        let told = times.filter(|time| *time != NO_TIME);
        let first = told.clone().min().unwrap_or(0);
        let span = told.max().unwrap_or(0).abs_diff(first);
        Self {
            first,
            width: span / last + 1,
            last,
        }
    }

    fn count(&self) -> usize {
        self.last as usize + 1
    }

    fn of(&self, time: i64) -> u32 {
        (time.abs_diff(self.first) / self.width).min(self.last) as u32
    }
}

/// Puts rows in an order, which names each of them once, where they lie: a table of a million has no second
/// one beside it.
pub(super) fn put<T: Copy>(rows: &mut [T], mut order: Vec<RowId>) {
    for start in 0..rows.len() {
        let first = rows[start];
        let mut place = start;
        // Around the circle of those that take each other's places.
        loop {
            let from = std::mem::replace(&mut order[place], place as RowId) as usize;
            if from == start {
                rows[place] = first;
                break;
            }
            rows[place] = rows[from];
            place = from;
        }
    }
}

/// Of each file the place of its name among all names.
fn ranks(files: &[Arc<str>]) -> Vec<u32> {
    let mut by_name: Vec<usize> = (0..files.len()).collect();
    by_name.sort_unstable_by_key(|file| &files[*file]);
    let mut ranks = vec![0; files.len()];
    let same = by_name.chunk_by(|one, other| files[*one] == files[*other]);
    for (rank, files) in (0..).zip(same) {
        for file in files {
            ranks[*file] = rank;
        }
    }
    ranks
}

/// Rows of one file by where they stand in it. What stands at one place was read in this order.
fn in_file(rows: &[Row], one: RowId, other: RowId) -> Ordering {
    let place = |id: RowId| {
        let row = &rows[id as usize];
        (row.index, row.offset, id)
    };
    place(one).cmp(&place(other))
}

fn event(row: &Row) -> Option<(u128, u8)> {
    (row.flags & HAS_EVENT_ID != 0).then_some((row.event_id, row.flags & EVENT_ID_IS_UUID))
}

/// Leaves of each event the first row. Few events come twice, so that first all rows are gone through as
/// they lie in memory, and in the order of time only where there are such events.
fn drop_repeated(order: &mut Vec<RowId>, rows: &[Row]) -> Vec<(RowId, RowId)> {
    let hash = |row: &Row| FixedState::default().hash_one(event(row));
    // Numbers of rows rather than ids: a smaller table, and most are looked at once.
    let mut seen = HashTable::<RowId>::with_capacity(rows.len());
    let mut more = HashMap::<(u128, u8), Option<RowId>, FixedState>::default();
    let mut is_one_of_more = vec![false; rows.len()];
    for (id, row) in (0..).zip(rows) {
        let Some(own) = event(row) else { continue };
        let place = seen.entry(
            hash(row),
            |known| event(&rows[*known as usize]) == Some(own),
            |known| hash(&rows[*known as usize]),
        );
        match place {
            Entry::Occupied(first) => {
                is_one_of_more[*first.get() as usize] = true;
                is_one_of_more[id as usize] = true;
                more.insert(own, None);
            }
            Entry::Vacant(place) => drop(place.insert(id)),
        }
    }
    let mut repeated = Vec::new();
    if more.is_empty() {
        return repeated;
    }
    order.retain(|former| {
        if !is_one_of_more[*former as usize] {
            return true;
        }
        let event = event(&rows[*former as usize]);
        let Some(first) = event.and_then(|event| more.get_mut(&event)) else {
            return true;
        };
        match *first {
            Some(first) => {
                repeated.push((*former, first));
                false
            }
            None => {
                *first = Some(*former);
                true
            }
        }
    });
    repeated
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stretches_follow_one_another(times: Vec<Option<i64>>) {
            let mut times: Vec<i64> =
                times.into_iter().map(|time| time.unwrap_or(NO_TIME)).collect();
            let stretches = Stretches::new(times.iter().copied());
            times.sort_unstable();
            prop_assert!(times.is_sorted_by_key(|time| stretches.of(*time)));
            for time in times {
                let is_last = stretches.of(time) as usize == stretches.count() - 1;
                prop_assert_eq!(is_last, time == NO_TIME);
            }
        }

        #[test]
        fn rows_are_put_where_the_order_says(order in (0..40u32).prop_flat_map(|count| {
            Just((0..count).collect::<Vec<RowId>>()).prop_shuffle()
        })) {
            let mut rows: Vec<RowId> = (0..order.len() as RowId).collect();
            put(&mut rows, order.clone());
            prop_assert_eq!(rows, order);
        }
    }
}
