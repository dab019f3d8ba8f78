//! What records are called in what is remembered of them.
//!
//! A record's number is that of its row, as long as nothing is sealed: rows are in order of time. Behind a
//! sealed past numbers go on where it ended, so that they rise with time and stay what they were, whatever
//! becomes of the rows.

use crate::activities::RowId;

/// Numbers of records, and the rows that hold them now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    /// The first row that is not sealed.
    pub(crate) first: RowId,
    /// Its number.
    pub(crate) next: u64,
    /// Rows of the sealed past that are still held, in order of number.
    pub(crate) held: Vec<(u64, RowId)>,
}

impl Numbers {
    /// The number of a row that is not sealed.
    pub(crate) fn of(&self, row: RowId) -> u64 {
        self.next + u64::from(row.saturating_sub(self.first))
    }

    /// The row of a number, where it is still held.
    pub(crate) fn row(&self, number: u64) -> Option<RowId> {
        match number.checked_sub(self.next) {
            Some(behind) => self.first.checked_add(RowId::try_from(behind).ok()?),
            None => {
                let place = self
                    .held
                    .binary_search_by_key(&number, |(number, _)| *number);
                Some(self.held.get(place.ok()?)?.1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outlive_rows() {
        let plain = Numbers::default();
        assert_eq!((plain.of(7), plain.row(7)), (7, Some(7)));
        let sealed = Numbers {
            first: 3,
            next: 1_000,
            held: vec![(4, 0), (900, 2)],
        };
        assert_eq!((sealed.of(5), sealed.row(1_002)), (1_002, Some(5)));
        assert_eq!((sealed.row(900), sealed.row(901)), (Some(2), None));
    }
}
