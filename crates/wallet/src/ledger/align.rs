//! Two sequences of times, joined in order.

/// The longest delay between two that belong together, in seconds.
pub(super) const WINDOW: i64 = 15 * 60;
/// How far the later may seem to lie before the earlier, in seconds: clocks differ, and records of the
/// cloud have whole seconds.
const SKEW: i64 = 5;
/// The most pairs that are looked at, 128 MB of them. Where keys sign so often that there are more, the
/// window is made smaller.
const MOST: usize = 1 << 23;
/// What leaving one out costs, in seconds of deviation.
const GAP: i64 = WINDOW / 2;

/// Joins events with what follows from them: `earlier` and `later` are times in seconds, ascending.
/// Gives pairs of places.
///
/// It is the alignment of two sequences (Needleman and Wunsch 1970): the order is kept, each is used
/// once, a pair costs how far its delay is from the usual one, and what is left out costs a fixed sum.
/// One that is too many in a row is therefore found where it stands, and not at the row's end. Time and
/// memory are the number of pairs that lie within the window.
pub(super) fn align(earlier: &[i64], later: &[i64]) -> Vec<(usize, usize)> {
    let usual = usual_delay(earlier, later);
    let mut window = WINDOW;
    let mut rows = rows_within(earlier, later, window);
    while window > SKEW
        && rows
            .iter()
            .map(|row| row.end - row.start + 1)
            .sum::<usize>()
            > MOST
    {
        window /= 2;
        rows = rows_within(earlier, later, window);
    }
    let mut best: Vec<Vec<(i64, Move)>> = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let mut line = Vec::with_capacity(row.end - row.start + 1);
        for column in row.start..=row.end {
            let above = match place {
                0 => None,
                _ => value(&rows, &best, place - 1, column),
            };
            let mut choice = match (place, column) {
                (0, 0) => (0, Move::Start),
                _ => (i64::MAX, Move::Start),
            };
            if let Some(cost) = above {
                choice = choice.min((cost.saturating_add(GAP), Move::SkipEarlier));
            }
            if column > row.start
                && let Some((cost, _)) = line.last()
            {
                let cost: i64 = *cost;
                choice = choice.min((cost.saturating_add(GAP), Move::SkipLater));
            }
            if place > 0 && column > 0 {
                let delay = later[column - 1] - earlier[place - 1];
                if (-SKEW..=window).contains(&delay)
                    && let Some(cost) = value(&rows, &best, place - 1, column - 1)
                {
                    choice = choice.min((cost.saturating_add((delay - usual).abs()), Move::Pair));
                }
            }
            line.push(choice);
        }
        best.push(line);
    }
    trace(&rows, &best, later.len())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Move {
    Pair,
    SkipEarlier,
    SkipLater,
    Start,
}

/// The columns of one row that are looked at: so many of `later` may be used up after so many of
/// `earlier`.
struct Row {
    start: usize,
    end: usize,
}

/// After so many of `earlier`, those of `later` that lie before the last one's window are behind, and
/// none after the next one's window is needed yet.
fn rows_within(earlier: &[i64], later: &[i64], window: i64) -> Vec<Row> {
    let end = |next: Option<&i64>| match next {
        Some(next) => later.partition_point(|one| *one <= next + window),
        None => later.len(),
    };
    let first = Row {
        start: 0,
        end: end(earlier.first()),
    };
    let others = earlier.iter().enumerate().map(|(place, time)| Row {
        start: later.partition_point(|one| *one < time - SKEW),
        end: end(earlier.get(place + 1)),
    });
    std::iter::once(first).chain(others).collect()
}

fn value(rows: &[Row], best: &[Vec<(i64, Move)>], row: usize, column: usize) -> Option<i64> {
    let at = column.checked_sub(rows[row].start)?;
    best.get(row)?
        .get(at)
        .map(|(cost, _)| *cost)
        .filter(|cost| *cost != i64::MAX)
}

fn trace(rows: &[Row], best: &[Vec<(i64, Move)>], columns: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let (mut row, mut column) = (rows.len() - 1, columns);
    loop {
        let choice = column
            .checked_sub(rows[row].start)
            .and_then(|at| best[row].get(at))
            .map_or(Move::Start, |(_, choice)| *choice);
        match choice {
            Move::Pair => {
                row -= 1;
                column -= 1;
                pairs.push((row, column));
            }
            Move::SkipEarlier => row -= 1,
            Move::SkipLater => column -= 1,
            Move::Start => break,
        }
    }
    pairs.reverse();
    pairs
}

/// The delay that most have: the median from each to the next that follows within the window.
fn usual_delay(earlier: &[i64], later: &[i64]) -> i64 {
    let mut delays: Vec<i64> = earlier
        .iter()
        .filter_map(|time| {
            let next = later.get(later.partition_point(|one| *one < time - SKEW))?;
            Some(next - time).filter(|delay| *delay <= WINDOW)
        })
        .collect();
    delays.sort_unstable();
    delays.get(delays.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_too_many_is_found_where_it_stands() {
        let earlier: Vec<i64> = (0..50).map(|number| number * 100).collect();
        let mut later: Vec<i64> = earlier.iter().map(|time| time + 3).collect();
        later.insert(20, 1950);
        let pairs = align(&earlier, &later);
        assert_eq!(pairs.len(), 50);
        assert!(pairs.iter().all(|(_, place)| *place != 20));
        let reversed = align(
            &later,
            &earlier.iter().map(|time| time + 6).collect::<Vec<_>>(),
        );
        assert!(reversed.len() == 50 && reversed.iter().all(|(place, _)| *place != 20));
    }

    #[test]
    fn what_lies_too_far_apart_or_is_empty_is_not_joined() {
        assert_eq!(align(&[0], &[WINDOW + 1]), []);
        assert_eq!(align(&[100], &[50]), []);
        assert_eq!(align(&[0], &[WINDOW]), [(0, 0)]);
        assert_eq!(align(&[], &[1, 2]), []);
        assert_eq!(align(&[1, 2], &[]), []);
    }

    /// The cost of the best alignment, found by trying all.
    fn plain(earlier: &[i64], later: &[i64], usual: i64) -> i64 {
        match (earlier, later) {
            ([], rest) | (rest, []) => rest.len() as i64 * GAP,
            ([one, first @ ..], [other, second @ ..]) => {
                let skip = GAP + plain(first, later, usual).min(plain(earlier, second, usual));
                let delay = other - one;
                if (-SKEW..=WINDOW).contains(&delay) {
                    skip.min((delay - usual).abs() + plain(first, second, usual))
                } else {
                    skip
                }
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_as_cheap_as_the_best_of_all(
            mut earlier in prop::collection::vec(0i64..4000, 0..7),
            mut later in prop::collection::vec(0i64..4000, 0..7),
        ) {
            earlier.sort_unstable();
            later.sort_unstable();
            let usual = usual_delay(&earlier, &later);
            let pairs = align(&earlier, &later);
            let left = (earlier.len() + later.len() - 2 * pairs.len()) as i64;
            let cost: i64 = pairs.iter().map(|(one, other)| (later[*other] - earlier[*one] - usual).abs()).sum::<i64>() + left * GAP;
            prop_assert_eq!(cost, plain(&earlier, &later, usual));
            for pair in pairs.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
            }
        }
    }
}
