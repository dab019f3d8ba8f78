//! Numbers grouped by a key that counts up from 0.

/// The members of each group, in one block: there may be as many groups as there are records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    /// Where each group begins in `members`, and behind the last one where that ends.
    starts: Vec<u32>,
    members: Vec<u32>,
}

impl Groups {
    /// Groups `members`, given with their group, of which there are `count`. Each group keeps the
    /// order in which its members came.
    pub(crate) fn new(count: usize, members: impl Iterator<Item = (usize, u32)> + Clone) -> Self {
        let mut starts = vec![0u32; count + 1];
        for (group, _) in members.clone() {
            starts[group + 1] += 1;
        }
        for group in 1..starts.len() {
            starts[group] += starts[group - 1];
        }
        let mut next = starts.clone();
        let total = starts.last().copied().unwrap_or_default();
        let mut grouped = vec![0; total as usize];
        for (group, member) in members {
            grouped[next[group] as usize] = member;
            next[group] += 1;
        }
        Self {
            starts,
            members: grouped,
        }
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The members of a group; none where there is no such group.
    pub(crate) fn get(&self, group: usize) -> &[u32] {
        match (self.starts.get(group), self.starts.get(group + 1)) {
            (Some(start), Some(end)) => &self.members[*start as usize..*end as usize],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Groups;

    #[test]
    fn members_keep_their_order() {
        let groups = Groups::new(4, [(2, 7), (0, 5), (2, 3), (3, 1)].into_iter());
        let all: Vec<&[u32]> = (0..5).map(|group| groups.get(group)).collect();
        assert_eq!(all, [&[5][..], &[], &[7, 3], &[1], &[]]);
        assert!(Groups::default().get(0).is_empty());
    }
}
