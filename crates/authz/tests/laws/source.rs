//! Choices drawn from bytes, so that random tests and the fuzzer make worlds in one way.

/// A row of choices. Where the bytes end every choice is the first.
pub(crate) struct Source<'b> {
    bytes: &'b [u8],
}

impl<'b> Source<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes }
    }

    /// A number below a bound of at most 256.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        usize::from(*first) % bound
    }

    /// Whether something happens that does so in so many of a hundred worlds.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// One or two of the items.
    pub(crate) fn some<T: Copy>(&mut self, items: &[T]) -> Vec<T> {
        let count = 1 + self.below(2);
        (0..count).map(|_| self.pick(items)).collect()
    }
}

/// Bytes from a seed, by splitmix64: enough for a world and its question.
#[allow(dead_code)]
pub(crate) fn random_bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bytes.extend((mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}
