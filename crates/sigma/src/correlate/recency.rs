//! In which order groups were seen last.

/// No slot.
const NONE: u32 = u32::MAX;

/// Slots by number, in the order in which they were last seen: a list that is linked both ways.
///
/// It lies apart from what the slots hold. Each item moves its group to the end, which looks at two other
/// groups; so little of each is looked at that all of it stays near the processor.
#[derive(Debug)]
pub(crate) struct Recency {
    /// By number of the slot: the one before and the one behind.
    links: Vec<(u32, u32)>,
    oldest: u32,
    newest: u32,
}

impl Recency {
    /// No slot.
    pub(crate) fn new() -> Self {
        Self {
            links: Vec::new(),
            oldest: NONE,
            newest: NONE,
        }
    }

    /// The slot that was seen longest ago.
    pub(crate) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// All of them, the one seen longest ago first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(self.oldest(), |at| {
            let (_, behind) = *self.links.get(*at as usize)?;
            (behind != NONE).then_some(behind)
        })
    }

    /// A slot that is in the list is seen again.
    pub(crate) fn touch(&mut self, at: u32) {
        if at != self.newest {
            self.remove(at);
            self.push(at);
        }
    }

    /// Adds a slot that is not in the list, as the one seen last.
    pub(crate) fn push(&mut self, at: u32) {
        let place = at as usize;
        if self.links.len() <= place {
            self.links.resize(place + 1, (NONE, NONE));
        }
        let before = std::mem::replace(&mut self.newest, at);
        if let Some(link) = self.links.get_mut(place) {
            *link = (before, NONE);
        }
        match self.links.get_mut(before as usize) {
            Some((_, behind)) => *behind = at,
            None => self.oldest = at,
        }
    }

    /// Takes a slot that is in the list out of it.
    pub(crate) fn remove(&mut self, at: u32) {
        let Some((before, behind)) = self.links.get(at as usize).copied() else {
            return;
        };
        match self.links.get_mut(before as usize) {
            Some(link) => link.1 = behind,
            None => self.oldest = behind,
        }
        match self.links.get_mut(behind as usize) {
            Some(link) => link.0 = before,
            None => self.newest = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_as_a_plain_list(steps in prop::collection::vec((0..12u32, any::<bool>()), 0..200)) {
            let mut recency = Recency::new();
            let mut plain: Vec<u32> = Vec::new();
            for (at, removes) in steps {
                let is_in = plain.contains(&at);
                plain.retain(|other| *other != at);
                match (is_in, removes) {
                    (true, true) => recency.remove(at),
                    (true, false) => recency.touch(at),
                    (false, true) => continue,
                    (false, false) => recency.push(at),
                }
                if !removes {
                    plain.push(at);
                }
                prop_assert_eq!(recency.iter().collect::<Vec<_>>(), plain.clone());
                prop_assert_eq!(recency.oldest(), plain.first().copied());
            }
        }
    }
}
