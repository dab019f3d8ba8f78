//! Where the tokens of a JSON text stand, found sixty-four bytes at a time.
//!
//! The way of simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019, section
//! 3.1), over the portable vectors of `wide`: masks of quotes, backslashes and brackets are made of
//! each block, and the strings are told by an exclusive or over the quotes before each byte.

use std::num::NonZeroU64;

use wide::u8x16;

use crate::scan;

const BLOCK: usize = 64;
/// The last bit of a block.
const LAST: NonZeroU64 = match NonZeroU64::new(1 << 63) {
    Some(last) => last,
    None => NonZeroU64::MIN,
};
const LANE: usize = 16;

/// Longer texts are walked byte by byte: their list of tokens would take several times their size.
pub(crate) const LONGEST: usize = 1 << 20;

/// Positions of the tokens of one text: brackets and commas outside of strings, and the quotes around
/// strings. Memory that is kept from text to text.
///
/// Colons are none: one stands behind each key, where who walks looks for it, and a fifth of the list
/// is spared. Anywhere else it stands between two tokens, where only white space may.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    positions: Vec<u32>,
    count: usize,
    escapes: bool,
}

/// What is in one block, a bit a byte.
struct Masks {
    quotes: u64,
    marks: u64,
    /// Backslashes and control characters, of which most blocks have none.
    seldom: u64,
}

/// A bit for each byte of a block of which `holds` is true.
#[inline(always)]
fn mask(block: &[u8; BLOCK], holds: impl Fn(u8x16) -> u8x16) -> u64 {
    let mut mask = 0;
    for (number, lane) in block.as_chunks::<LANE>().0.iter().enumerate() {
        let bits = holds(u8x16::from(*lane)).to_bitmask() & 0xFFFF;
        mask |= u64::from(bits) << (number * LANE);
    }
    mask
}

#[inline(always)]
fn is(lane: u8x16, byte: u8) -> u8x16 {
    lane.simd_eq(u8x16::splat(byte))
}

#[inline(always)]
fn is_control(lane: u8x16) -> u8x16 {
    (lane & u8x16::splat(0xE0)).simd_eq(u8x16::splat(0))
}

impl Masks {
    #[inline(always)]
    fn new(block: &[u8; BLOCK]) -> Self {
        Self {
            quotes: mask(block, |lane| is(lane, b'"')),
            marks: mask(block, |lane| {
                // `[` and `]` differ from `{` and `}` by one bit, which the comma does not have to.
                let raised = lane | u8x16::splat(0x20);
                is(raised, b'{') | is(raised, b'}') | is(lane, b',')
            }),
            seldom: mask(block, |lane| is(lane, b'\\') | is_control(lane)),
        }
    }
}

/// Bit n: whether an odd number of bits up to n are set.
fn parities(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

impl Tokens {
    /// Finds the tokens of a text. `false` where a string does not end, or holds what no string may,
    /// or the text is longer than [`LONGEST`]: who wants to know what is wrong has to look himself.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> bool {
        self.count = 0;
        self.escapes = false;
        if bytes.len() > LONGEST {
            return false;
        }
        // Each block may have as many tokens as bytes, and the end is marked behind them.
        let room = bytes.len() + 2 * BLOCK;
        if self.positions.len() < room {
            self.positions.resize(room, 0);
        }
        let mut state = State::default();
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut at = 0;
        for block in blocks {
            if !self.block(&mut state, block, at, bytes) {
                return false;
            }
            at += BLOCK;
        }
        if !rest.is_empty() {
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            if !self.block(&mut state, &block, at, bytes) {
                return false;
            }
        }
        for end in self.positions.iter_mut().skip(self.count).take(4) {
            *end = bytes.len() as u32;
        }
        state.in_string == 0
    }

    #[inline(always)]
    fn block(&mut self, state: &mut State, block: &[u8; BLOCK], at: usize, bytes: &[u8]) -> bool {
        let masks = Masks::new(block);
        let mut quotes = masks.quotes;
        let mut controls = 0;
        if masks.seldom | state.escaped != 0 {
            let backslashes = mask(block, |lane| is(lane, b'\\'));
            controls = masks.seldom & !backslashes;
            if backslashes | state.escaped != 0 {
                self.escapes = true;
                let Some(escaped) = state.escapes(backslashes, at, bytes) else {
                    return false;
                };
                quotes &= !escaped;
            }
        }
        let inside = parities(quotes) ^ state.in_string;
        // All ones where the block ends in a string.
        state.in_string = ((inside as i64) >> 63) as u64;
        if controls & inside != 0 {
            return false;
        }
        let mut tokens = (masks.marks & !inside) | quotes;
        let found = tokens.count_ones() as usize;
        let begin = self.count;
        self.count += found;
        // Written in groups, past what was found: the next block writes there again.
        let Some(room) = self.positions.get_mut(begin..begin + BLOCK) else {
            return false;
        };
        for group in room
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .take(found.div_ceil(8))
        {
            for place in group {
                // Behind the last one anything may be written; of what cannot be zero the place of the first
                // bit is one instruction.
                let some = LAST | tokens;
                *place = at as u32 + some.trailing_zeros();
                tokens &= tokens.wrapping_sub(1);
            }
        }
        true
    }

    /// The positions, and behind them several times the length of the text.
    pub(crate) fn positions(&self) -> &[u32] {
        self.positions.get(..self.count + 4).unwrap_or_default()
    }

    /// Whether there is an escape anywhere.
    pub(crate) fn has_escapes(&self) -> bool {
        self.escapes
    }
}

/// What one block leaves to the next.
#[derive(Default)]
struct State {
    /// All ones inside a string.
    in_string: u64,
    /// One where the first byte is escaped.
    escaped: u64,
}

impl State {
    /// The bytes that are escaped; `None` where an escape is none that JSON knows.
    fn escapes(&mut self, backslashes: u64, at: usize, bytes: &[u8]) -> Option<u64> {
        let mut escaped = std::mem::take(&mut self.escaped);
        let mut open = backslashes & !escaped;
        while open != 0 {
            let place = open.trailing_zeros();
            scan::escape(bytes, at + place as usize).ok()?;
            let next = (1u64 << place) << 1;
            if next == 0 {
                self.escaped = 1;
            }
            escaped |= next;
            open &= !(next | 1u64 << place);
        }
        Some(escaped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(text: &str) -> Option<Vec<u32>> {
        let mut tokens = Tokens::default();
        tokens.find(text.as_bytes()).then(|| {
            let positions = tokens.positions();
            positions[..positions.len() - 4].to_vec()
        })
    }

    #[test]
    fn tokens_stand_outside_of_strings_and_quotes_around_them() {
        assert_eq!(
            positions(r#"{"a":[1,"b,]"]}"#).unwrap(),
            [0, 1, 3, 5, 7, 8, 12, 13, 14]
        );
        assert_eq!(positions(r#"["\"",2]"#).unwrap(), [0, 1, 4, 5, 7]);
        assert_eq!(positions(r#"["\\"]"#).unwrap(), [0, 1, 4, 5]);
    }

    #[test]
    fn escapes_are_followed_from_block_to_block() {
        for before in 50..70 {
            for slashes in 1..6 {
                let text = format!("\"{}{}\"", "x".repeat(before), "\\\\".repeat(slashes));
                assert_eq!(positions(&text).unwrap(), [0, text.len() as u32 - 1]);
                let text = format!(
                    "\"{}{}\"\"",
                    "x".repeat(before),
                    "\\".repeat(2 * slashes + 1)
                );
                assert_eq!(positions(&text).unwrap(), [0, text.len() as u32 - 1]);
            }
        }
    }

    #[test]
    fn what_no_string_may_hold_is_refused() {
        for text in ["\"a", "\"a\nb\"", r#""\x""#, r#""\u12g4""#, r#""\""#] {
            assert_eq!(positions(text), None, "{text}");
        }
        assert!(positions("[\n\t1 ]").is_some());
    }
}
