//! Paths with all that they hang on, for whoever wants to break them.

use std::collections::BTreeSet;

use portreeve_model::EntityId;

use super::Graph;
use crate::nodes::NodeId;
use crate::path::{AttackPath, PathStep};
use crate::search::{Bounds, Last, Reach, reach};

/// A path with all that it hangs on.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) path: AttackPath,
    /// Its steps, and those to the other ends of the grants that it uses.
    pub(crate) steps: Vec<PathStep>,
    /// Every node on them, and what grants are on.
    pub(crate) nodes: BTreeSet<NodeId>,
}

impl Graph {
    /// The best path from an entity to each of some ends, with all that it hangs on. Ends that are
    /// not reached are left out; so is the entity itself.
    pub(crate) fn walks(&self, from: &str, ends: &[EntityId]) -> Vec<Walk> {
        let Some(start) = self.place(from) else {
            return Vec::new();
        };
        let places: Vec<NodeId> = ends
            .iter()
            .filter_map(|end| self.place(end.as_str()))
            .filter(|&end| end != start)
            .collect();
        let bounds = Bounds {
            until: places.first().copied().filter(|_| places.len() == 1),
            within: None,
        };
        let reach = reach(start, &self.edges, &self.members, bounds);
        let walk = |end: NodeId| {
            let way = self.way(&reach, start, end)?;
            let mut walk = Walk {
                nodes: BTreeSet::from([start, end]),
                steps: Vec::new(),
                path: way.path,
            };
            self.support(&reach, way.walked_to, &mut walk);
            walk.steps.extend(way.last);
            Some(walk)
        };
        places.into_iter().filter_map(walk).collect()
    }

    /// Adds the steps that a node is reached by, those to the other ends of grants among them.
    fn support(&self, reach: &Reach, node: NodeId, walk: &mut Walk) {
        let mut asked = vec![node];
        let mut seen = BTreeSet::new();
        while let Some(node) = asked.pop() {
            if !seen.insert(node) {
                continue;
            }
            for (last, to) in reach.steps_to(node, &self.edges).into_iter().flatten() {
                walk.nodes.insert(to);
                if let Last::Grant(place, holder) = last {
                    let holders = &self.edges.grants[place as usize].holders;
                    if let Some(&(who, target)) = self.edges.holders(*holders).get(holder as usize)
                    {
                        walk.nodes.extend([who, target]);
                        asked.push(who);
                    }
                }
                walk.steps.extend(self.step_taken(reach, last, to));
            }
        }
    }

    /// The ids of some nodes.
    pub(crate) fn ids_of(&self, nodes: &BTreeSet<NodeId>) -> BTreeSet<EntityId> {
        let ids = nodes.iter().map(|&node| self.evaluator.nodes.id(node));
        ids.cloned().collect()
    }
}
