use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &[u8; 16] = b"0123456789abcdef";
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The plan's seed. Each concern draws from a stream of its own, so that a change to one concern
/// leaves the bytes of all others as they were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeds(pub(crate) u64);

impl Seeds {
    /// The stream of one concern, told apart by a number (a day, a person).
    pub(crate) fn stream(self, concern: &str, index: u64) -> Dice {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        hash.update(index.to_le_bytes());
        hash.update(concern.as_bytes());
        Dice(ChaCha8Rng::from_seed(hash.finalize().into()))
    }
}

/// One stream of random draws. The draws are our own, so that a new version of a library does not
/// change what a seed gives.
#[derive(Clone, Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// A number below `bound`; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(0) as u64 + 1) as i64
    }

    /// True in `share` of a thousand cases.
    pub(crate) fn permille(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// True in `share` of a million cases.
    pub(crate) fn millionth(&mut self, share: u64) -> bool {
        self.below(1_000_000) < share
    }

    /// One of `items`, which must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    /// Puts `items` in a random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// `length` upper-case base-32 characters.
    pub(crate) fn base32(&mut self, length: usize) -> String {
        self.characters(BASE32, length)
    }

    /// `length` lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        self.characters(HEX, length)
    }

    /// `length` letters and digits.
    pub(crate) fn alphanumeric(&mut self, length: usize) -> String {
        self.characters(ALPHANUMERIC, length)
    }

    /// A random UUID of version 4.
    pub(crate) fn uuid(&mut self) -> String {
        let mut text = String::with_capacity(36);
        for (position, length) in [8usize, 4, 4, 4, 12].into_iter().enumerate() {
            if position > 0 {
                text.push('-');
            }
            let part = self.hex(length);
            match position {
                2 => {
                    text.push('4');
                    text.push_str(&part[1..]);
                }
                3 => {
                    text.push(char::from(b"89ab"[self.below(4) as usize]));
                    text.push_str(&part[1..]);
                }
                _ => text.push_str(&part),
            }
        }
        text
    }

    fn characters(&mut self, alphabet: &[u8], length: usize) -> String {
        let mut text = String::with_capacity(length);
        let mut draw = 0u32;
        for position in 0..length {
            // Four characters from each word: the sizes of the alphabets are far below 2^8.
            if position % 4 == 0 {
                draw = self.0.next_u32();
            }
            let byte = (draw >> (8 * (position % 4))) & 0xff;
            text.push(char::from(alphabet[(byte as usize * alphabet.len()) >> 8]));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_stable_and_apart() {
        let draw = |concern: &str, index| Seeds(7).stream(concern, index).base32(16);
        assert_eq!(draw("people", 1), draw("people", 1));
        assert_ne!(draw("people", 1), draw("people", 2));
        assert_ne!(draw("people", 1), draw("keys", 1));
        assert_ne!(Seeds(8).stream("people", 1).base32(16), draw("people", 1));
    }

    #[test]
    fn draws_stay_in_bounds() {
        let mut dice = Seeds(1).stream("test", 0);
        for _ in 0..1000 {
            assert!((3..=5).contains(&dice.between(3, 5)));
            assert_eq!(dice.between(4, 4), 4);
        }
        assert_eq!(dice.below(0), 0);
        let uuid = dice.uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
    }
}
