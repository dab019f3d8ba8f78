//! What belongs to rows, put in the order of the rows.

use crate::activities::RowId;

/// Items in the order of their rows, those of one row as they were: rows are numbers from zero, so that
/// counting does in two passes what comparing does in twenty. `rows` is how many rows there are.
pub(crate) fn by_row<T: Copy>(items: Vec<T>, rows: usize, row: impl Fn(&T) -> RowId) -> Vec<T> {
    if items.is_sorted_by_key(&row) {
        return items;
    }
    let mut places = vec![0; rows];
    for item in &items {
        places[row(item) as usize] += 1;
    }
    let mut end = 0;
    for place in &mut places {
        end += std::mem::replace(place, end);
    }
    let mut sorted = items.clone();
    for item in items {
        let place = &mut places[row(&item) as usize];
        sorted[*place] = item;
        *place += 1;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn items_are_sorted_as_by_comparing(items: Vec<(u8, u8)>) {
            let row = |(row, _): &(u8, u8)| RowId::from(*row);
            let mut expected = items.clone();
            expected.sort_by_key(row);
            prop_assert_eq!(by_row(items, 256, row), expected);
        }
    }
}
