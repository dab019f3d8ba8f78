//! What an entity reaches.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};

use super::Graph;
use crate::edges::Text;
use crate::export::Reached;
use crate::nodes::NodeId;
use crate::parallel::both;
use crate::path::{AttackPath, BlastRadius};
use crate::search::Reach;

/// Something that a start reaches.
pub(crate) struct Arrival {
    pub(crate) place: NodeId,
    pub(crate) hops: u32,
    /// Sorted.
    pub(crate) conditions: Arc<[String]>,
    pub(crate) is_jewel: bool,
}

impl Graph {
    /// All that an entity reaches.
    pub fn blast_radius(&self, from: &str) -> BlastRadius {
        let Some(start) = self.place(from) else {
            return BlastRadius::default();
        };
        let reach = self.reach(start);
        let mut reached = reach.order.clone();
        reached.extend(self.leaves_of(&reach).found.into_keys());
        reached.retain(|&place| place != start);
        reached.sort_unstable();
        reached.dedup();
        let nodes = &self.evaluator.nodes;
        let mut radius = BlastRadius::default();
        for place in reached {
            let node = nodes.get(place);
            // To read a web origin is not to hold it: only what the graph leads to counts.
            if self.jewels.contains_key(&place) && reach.is_reached(place) {
                radius.jewels.push(node.id.clone());
            }
            if node.kind.is_principal() {
                radius.principals.push(node.id.clone());
            } else {
                radius.resources.push(node.id.clone());
            }
        }
        radius
    }

    /// All that an entity reaches, by hop: fewest conditions first, then fewest steps, then by id.
    /// The same set as [`Graph::blast_radius`].
    pub fn reached_from(&self, from: &str) -> Vec<Reached> {
        let Some(start) = self.place(from) else {
            return Vec::new();
        };
        let mut found = self.arrivals(&self.reach(start), start);
        // Places are in the order of ids, so that no id is compared. Most are found in long rows of this
        // order, which a stable sort makes use of.
        found.sort_by_key(|one| (one.hops, one.conditions.len(), one.place));
        let found = found.into_iter().map(|one| {
            let (id, kind) = self.named(one.place);
            Reached {
                id: id.clone(),
                kind,
                hops: one.hops,
                conditions: one.conditions,
                is_jewel: one.is_jewel,
            }
        });
        found.collect()
    }

    /// All that a node reaches, as [`Graph::reached_from`] tells it but in no order, and its best way to
    /// each crown jewel.
    pub(crate) fn arrivals_and_ways(&self, start: NodeId) -> (Vec<Arrival>, Vec<AttackPath>) {
        let reach = self.reach(start);
        let (ways, arrivals) = both(
            self.evaluator.nodes.len(),
            || self.ways_to_jewels(&reach, start),
            || self.arrivals(&reach, start),
        );
        (arrivals, ways)
    }

    /// All that a node reaches, in no order. What is reached under the same conditions shares them.
    fn arrivals(&self, reach: &Reach, start: NodeId) -> Vec<Arrival> {
        let leaves = self.leaves_of(reach);
        let mut known: HashMap<(&[Text], Option<u32>), _> = HashMap::new();
        let mut conditions = |to: NodeId, permit: Option<u32>| {
            let on_the_way = reach.conditions(to);
            let shared = known.entry((on_the_way, permit)).or_insert_with(|| {
                let more = permit.and_then(|permit| leaves.conditions.get(permit as usize));
                let mut words = self.words(on_the_way);
                words.extend(more.into_iter().flatten().cloned());
                words.sort_unstable();
                words.dedup();
                Arc::<[String]>::from(words)
            });
            shared.clone()
        };
        let mut found = Vec::with_capacity(reach.order.len() + leaves.found.len());
        for &place in reach.order.iter().filter(|&&place| place != start) {
            if let Some((_, hops)) = reach.cost(place) {
                found.push(Arrival {
                    place,
                    hops,
                    conditions: conditions(place, None),
                    is_jewel: self.jewels.contains_key(&place),
                });
            }
        }
        for (&place, &(last, permit)) in &leaves.found {
            found.push(Arrival {
                place,
                hops: reach.cost(last).map_or(1, |(_, steps)| steps + 1),
                conditions: conditions(last, Some(permit)),
                // To read a web origin is not to hold it.
                is_jewel: false,
            });
        }
        found
    }
}
