//! Ways to crown jewels, and what a loss would cost, as reports show them.

use portreeve_graph::{AttackPath, Blast, BlastEntry, Door, Jewel, JewelReach};
use portreeve_model::BlindSpot;
use serde::Serialize;

/// What `paths` writes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Roads<'a> {
    /// What is known of the intruder's requests, in the user's words.
    pub given: &'a [String],
    /// The paths, in the order in which they want a look.
    pub paths: &'a [AttackPath],
    /// The estate's crown jewels.
    pub jewels: &'a [Jewel],
    /// Where an outsider could come in.
    pub doors: &'a [Door],
    /// From whom the jewels are reachable; empty where it was not asked.
    pub reach: &'a [JewelReach],
    /// What could not be seen.
    pub blind_spots: &'a [BlindSpot],
}

/// What `blast` writes.
#[derive(Clone, Copy, Debug)]
pub struct Loss<'a> {
    /// What was said to be lost, in the user's words.
    pub asked: &'a [String],
    /// What is known of the intruder's requests, in the user's words.
    pub given: &'a [String],
    /// What it reaches.
    pub blast: &'a Blast,
    /// The estate's crown jewels.
    pub jewels: &'a [Jewel],
    /// What could not be seen.
    pub blind_spots: &'a [BlindSpot],
}

/// A loss in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) jewels: usize,
    pub(crate) principals: usize,
    pub(crate) others: usize,
    /// How many of all are reached without a condition.
    pub(crate) open: usize,
}

impl Counts {
    pub(crate) fn of<'e>(entries: impl Iterator<Item = &'e BlastEntry>) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            if entry.jewel {
                counts.jewels += 1;
            } else if entry.kind.is_principal() {
                counts.principals += 1;
            } else {
                counts.others += 1;
            }
            counts.open += usize::from(entry.conditions.is_empty());
        }
        counts
    }

    pub(crate) fn all(self) -> usize {
        self.jewels + self.principals + self.others
    }
}

impl<'a> Loss<'a> {
    /// The crown jewels that are lost.
    pub(crate) fn jewels_lost(&self) -> Vec<&'a Jewel> {
        let reached: std::collections::BTreeSet<&str> = self
            .blast
            .reached()
            .filter(|entry| entry.jewel)
            .map(|entry| entry.id.as_str())
            .collect();
        let jewels = self.jewels.iter();
        jewels
            .filter(|jewel| reached.contains(jewel.id.as_str()))
            .collect()
    }
}

impl Serialize for Loss<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            asked: &'a [String],
            given: &'a [String],
            #[serde(flatten)]
            blast: &'a Blast,
            jewels: Vec<&'a Jewel>,
            counts: Counts,
            blind_spots: &'a [BlindSpot],
        }
        Document {
            asked: self.asked,
            given: self.given,
            blast: self.blast,
            jewels: self.jewels_lost(),
            counts: Counts::of(self.blast.reached()),
            blind_spots: self.blind_spots,
        }
        .serialize(serializer)
    }
}
