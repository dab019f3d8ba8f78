//! A memory of so many places, found by hashes: what is sought more often stays longer.

use std::ops::Range;

/// So many places stand where one hash may be, those that were found more often before the others.
const SET: usize = 4;

/// So many places; all at once are allocated when the first is taken.
#[derive(Debug)]
pub(crate) struct Places<T> {
    number: u32,
    /// Of each set in its order, the hash and the number of what stands there.
    order: Vec<(u64, u32)>,
    kept: Vec<T>,
}

impl<T: Default> Places<T> {
    /// `number` is a power of two, and at least that of a set.
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            order: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// What was kept by this hash, if it is there. It comes before what was found less often.
    pub(crate) fn find(&mut self, hash: u64) -> Option<&T> {
        let set = self.set(hash);
        let set = self.order.get_mut(set)?;
        let at = set.iter().position(|(own, _)| *own == hash)?;
        let number = set[at].1;
        if at > 0 {
            set.swap(at - 1, at);
        }
        self.kept.get(number as usize)
    }

    /// The place to keep something at by this hash, with what is kept there: the one that has the hash, a free
    /// one, or the last of its set.
    pub(crate) fn take(&mut self, hash: u64, is_free: impl Fn(&T) -> bool) -> Option<&mut T> {
        if self.kept.is_empty() {
            self.kept.resize_with(self.number as usize, T::default);
            self.order = (0..self.number).map(|number| (0, number)).collect();
        }
        let set = self.set(hash);
        let set = self.order.get_mut(set)?;
        let own = set.iter().position(|(own, _)| *own == hash);
        let is_free = |number: u32| self.kept.get(number as usize).is_some_and(&is_free);
        let free = || set.iter().position(|(_, number)| is_free(*number));
        let at = own.or_else(free).unwrap_or(SET - 1);
        let (own, number) = set.get_mut(at)?;
        *own = hash;
        self.kept.get_mut(*number as usize)
    }

    /// All that is kept, and all that is free.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.kept.iter_mut()
    }

    fn set(&self, hash: u64) -> Range<usize> {
        let first = hash as usize % self.number as usize / SET * SET;
        first..first + SET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(places: &mut Places<u64>, hash: u64) {
        *places.take(hash, |kept| *kept == 0).unwrap() = hash;
    }

    #[test]
    fn what_is_found_more_often_stays_longer() {
        let mut places = Places::new(8);
        assert_eq!(places.find(8), None);
        // All of one set.
        for hash in [8, 16, 24, 32] {
            keep(&mut places, hash);
        }
        for hash in [8, 16, 24, 32] {
            assert_eq!(places.find(hash), Some(&hash));
        }
        for _ in 0..3 {
            places.find(32);
        }
        for hash in [40, 48, 56] {
            keep(&mut places, hash);
            assert_eq!(places.find(32), Some(&32));
        }
        keep(&mut places, 4);
        assert_eq!(places.find(4), Some(&4), "in the other set");
        assert_eq!(places.find(56), Some(&56));
        let lost = |hash: &&u64| places.find(**hash).is_none();
        assert_eq!([8, 16, 24, 40, 48].iter().filter(lost).count(), 3);
    }

    #[test]
    fn one_hash_has_one_place() {
        let mut places = Places::new(4);
        keep(&mut places, 3);
        *places.take(3, |kept| *kept == 0).unwrap() = 7;
        assert_eq!(places.find(3), Some(&7));
        assert_eq!(places.iter_mut().filter(|kept| **kept != 0).count(), 1);
    }
}
