//! Where a string cannot simply go on: at quotes, backslashes and control characters, found thirty-two
//! bytes at a time.
//!
//! Most strings end within the first block, and those in one place of a record mostly in the same one, so
//! that the processor foretells how many are looked at.

use wide::u8x16;

const BLOCK: usize = 32;
const LANE: usize = 16;

/// The first of them from a position on; the end of the text is one, too.
#[inline(always)]
pub(crate) fn next(bytes: &[u8], mut at: usize) -> usize {
    loop {
        let Some(block) = bytes.get(at..at + BLOCK).and_then(<[u8]>::first_chunk) else {
            return at + last(bytes.get(at..).unwrap_or_default());
        };
        let stops = stops(block);
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += BLOCK;
    }
}

/// The first one in less than a block.
#[cold]
#[inline(never)]
fn last(rest: &[u8]) -> usize {
    // Zeros behind the end are control characters.
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    stops(&block).trailing_zeros() as usize
}

/// A bit for each byte of a block.
#[inline(always)]
fn stops(block: &[u8; BLOCK]) -> u32 {
    let mut found = 0;
    for (number, lane) in block.as_chunks::<LANE>().0.iter().enumerate() {
        let lane = u8x16::from(*lane);
        // With the second bit turned over, quotes stand directly behind the control characters.
        let turned = lane ^ u8x16::splat(0b10);
        let is_low = turned.min(u8x16::splat(b'"' ^ 0b10)).simd_eq(turned);
        let is_stop = is_low | lane.simd_eq(u8x16::splat(b'\\'));
        found |= (is_stop.to_bitmask() & 0xFFFF) << (number * LANE);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_told_for_what_it_is_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for before in [0, 1, 15, 16, 31, 32, 33, 63, 64, 100] {
                let mut text = vec![b'x'; before + 70];
                text[before] = byte;
                let is_stop = byte < 0x20 || byte == b'"' || byte == b'\\';
                let expected = if is_stop { before } else { text.len() };
                for from in [0, before / 2, before] {
                    assert_eq!(
                        next(&text, from),
                        expected,
                        "{byte} at {before} from {from}"
                    );
                }
                assert_eq!(next(&text, before + 1), text.len());
            }
        }
    }

    #[test]
    fn texts_of_any_length_end() {
        for length in 0..200 {
            let text = vec![b'x'; length];
            assert_eq!(next(&text, 0), length);
            assert_eq!(next(&text, length), length);
        }
    }
}
