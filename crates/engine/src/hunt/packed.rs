//! Number and position of a record in one number, for correlations keep no more of a record.
//!
//! Numbers up to 268 million and positions up to 64 GiB are kept exactly; of what lies beyond the largest
//! is told. Packed numbers of a file are in the order of its records.

const OFFSET_BITS: u32 = 36;
const LARGEST_OFFSET: u64 = (1 << OFFSET_BITS) - 1;
const LARGEST_INDEX: u64 = (1 << (64 - OFFSET_BITS)) - 1;

pub(super) fn new(index: u64, offset: u64) -> u64 {
    index.min(LARGEST_INDEX) << OFFSET_BITS | offset.min(LARGEST_OFFSET)
}

/// The same record in a file that has so many more records before it.
pub(super) fn behind(packed: u64, records: u64) -> u64 {
    let (index, offset) = parts(packed);
    new(index.saturating_add(records), offset)
}

/// Number and position.
pub(super) fn parts(packed: u64) -> (u64, u64) {
    (packed >> OFFSET_BITS, packed & LARGEST_OFFSET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out() {
        for (index, offset) in [(0, 0), (7, 900), (200_000_000, 60 << 30)] {
            assert_eq!(parts(new(index, offset)), (index, offset));
            assert_eq!(parts(behind(new(index, offset), 5)), (index + 5, offset));
        }
        assert_eq!(
            parts(new(1 << 40, 1 << 50)),
            (LARGEST_INDEX, LARGEST_OFFSET)
        );
        assert!(new(2, 10) < new(2, 11) && new(2, 11) < new(3, 0));
    }
}
