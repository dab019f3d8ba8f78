//! When the logs of an account tell something.

use std::collections::BTreeMap;

use portreeve_model::Timestamp;

use super::Covered;

/// Stretches of time in which the logs of an account tell nothing, in order.
pub(crate) struct Lit<'h> {
    dark: &'h [(Timestamp, Timestamp)],
}

impl<'h> Lit<'h> {
    pub(crate) fn of(dark: &'h [(Timestamp, Timestamp)]) -> Self {
        Self { dark }
    }

    /// Whether the logs tell all from one instant to a later one. What is changed in a second holds
    /// at that second, so that a hole that begins at the later one counts.
    pub(crate) fn throughout(&self, from: Timestamp, until: Timestamp) -> bool {
        let next = self.dark.partition_point(|(_, end)| *end <= from);
        from == until || self.dark.get(next).is_none_or(|(begin, _)| *begin > until)
    }
}

/// Nothing is ever told.
pub(super) const ALWAYS_DARK: &[(Timestamp, Timestamp)] = &[(Timestamp::MIN, Timestamp::MAX)];

/// When nothing is told, for each account of the logs.
pub(super) fn dark(covered: &Covered) -> BTreeMap<String, Vec<(Timestamp, Timestamp)>> {
    covered
        .accounts
        .iter()
        .map(|(account, holes)| {
            let mut dark = vec![(Timestamp::MIN, covered.from)];
            dark.extend(holes.iter().map(|hole| (hole.from, hole.until)));
            // What is of the end itself, as an inventory that is taken to be of then, is inside.
            let after = Timestamp::from_second(covered.until.as_second() + 1);
            dark.push((after.unwrap_or(covered.until), Timestamp::MAX));
            dark.sort_unstable();
            (account.clone(), dark)
        })
        .collect()
}
