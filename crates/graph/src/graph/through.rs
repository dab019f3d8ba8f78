//! Ways that pass through what someone asks about.

use std::collections::BTreeMap;

use portreeve_model::EntityId;

use super::Graph;
use crate::path::AttackPath;
use crate::reverse::{Start, reachers};
use crate::search::{Bounds, reach_from};

impl Graph {
    /// For each of some entities the best way on which it lies: from whichever of `starts` gets to
    /// it most easily, and on to the crown jewel that is nearest to it. Where no start gets to it,
    /// the way from it to the jewel. What leads to no jewel, and a jewel that nobody of the starts
    /// reaches, has none.
    ///
    /// Two walks over the graph, however many entities are asked about.
    pub fn through<'i>(
        &self,
        starts: &[EntityId],
        ids: impl IntoIterator<Item = &'i EntityId>,
    ) -> BTreeMap<EntityId, AttackPath> {
        let nodes = &self.evaluator.nodes;
        let mut found = BTreeMap::new();
        let starts: Vec<_> = starts
            .iter()
            .filter_map(|start| nodes.find(start.as_str()))
            .collect();
        let ahead = reach_from(&starts, &self.edges, &self.members, Bounds::default());
        let ends: Vec<Start<'_>> = self.jewels.keys().map(|&jewel| Start::at(jewel)).collect();
        let back = reachers(&ends, &self.edges, &self.members, &self.usable);
        for id in ids {
            let Some(place) = nodes.find(id.as_str()) else {
                continue;
            };
            if back.cost(place).is_none() {
                continue;
            }
            let mut steps = Vec::new();
            if ahead.is_reached(place) {
                let head = self.path_in(&ahead, place, place);
                steps.extend(head.into_iter().flat_map(|path| path.steps));
            }
            steps.extend(self.path_back(&back, place, place, &[]).steps);
            let ends = steps.first().zip(steps.last());
            let ends = ends.map(|(first, last)| (first.from.as_str(), last.to.as_str()));
            let places = ends.and_then(|(from, to)| Some((nodes.find(from)?, nodes.find(to)?)));
            if let Some((start, end)) = places {
                found.insert(id.clone(), self.whole(start, end, steps));
            }
        }
        found
    }
}
