//! Where a string cannot simply go on: at quotes, backslashes and control characters, found sixty-four
//! bytes at a time.

use wide::u8x16;

const WORD: usize = 64;
const LANE: usize = 16;

/// A bit for each byte of a text. Memory that is kept from text to text.
#[derive(Debug, Default)]
pub(crate) struct Stops {
    words: Vec<u64>,
}

impl Stops {
    /// Finds those of a text; its end is one, too.
    pub(crate) fn find(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<WORD>();
        self.words.clear();
        self.words.extend(blocks.iter().map(stops));
        let mut last = [0; WORD];
        last[..rest.len()].copy_from_slice(rest);
        // Zeros behind the end are control characters. One word more is looked at together with the last.
        self.words.extend([stops(&last), 0]);
    }

    /// The first one from a position on.
    #[inline(always)]
    pub(crate) fn next(&self, mut at: usize) -> Option<usize> {
        loop {
            let place = at / WORD;
            let [first, second] = *self.words.get(place..)?.first_chunk()?;
            // Both as one, so that it does not matter where in a word the position is: a branch on that could
            // not be foretold.
            let shift = at % WORD;
            let word = first >> shift | second << 1 << (WORD - 1 - shift);
            if word != 0 {
                return Some(at + word.trailing_zeros() as usize);
            }
            at += WORD;
        }
    }
}

#[inline(always)]
fn stops(block: &[u8; WORD]) -> u64 {
    let mut word = 0;
    for (number, lane) in block.as_chunks::<LANE>().0.iter().enumerate() {
        let lane = u8x16::from(*lane);
        // With the second bit turned over, quotes stand directly behind the control characters.
        let turned = lane ^ u8x16::splat(0b10);
        let is_low = turned.min(u8x16::splat(b'"' ^ 0b10)).simd_eq(turned);
        let is_stop = is_low | lane.simd_eq(u8x16::splat(b'\\'));
        word |= u64::from(is_stop.to_bitmask() & 0xFFFF) << (number * LANE);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_told_for_what_it_is_wherever_it_stands() {
        let mut stops = Stops::default();
        for byte in 0..=u8::MAX {
            for before in [0, 1, 15, 16, 63, 64, 65, 127, 128, 200] {
                let mut text = vec![b'x'; before + 70];
                text[before] = byte;
                stops.find(&text);
                let is_stop = byte < 0x20 || byte == b'"' || byte == b'\\';
                let expected = if is_stop { before } else { text.len() };
                for from in [0, before / 2, before] {
                    assert_eq!(
                        stops.next(from),
                        Some(expected),
                        "{byte} at {before} from {from}"
                    );
                }
                assert_eq!(stops.next(before + 1), Some(text.len()));
            }
        }
    }

    #[test]
    fn texts_of_any_length_end() {
        let mut stops = Stops::default();
        for length in 0..200 {
            stops.find(&vec![b'x'; length]);
            assert_eq!(stops.next(0), Some(length));
            assert_eq!(stops.next(length), Some(length));
        }
        assert_eq!(stops.next(1000), None);
    }
}
