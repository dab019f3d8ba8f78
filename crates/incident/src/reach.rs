use std::collections::{BTreeMap, BTreeSet};

use portreeve_detect::{Activities, RowId};
use portreeve_graph::cut::{Costs, Cut, EXACT_UP_TO, Plan, Question};
use portreeve_graph::{
    AttackPath, Catalogue, Circumstances, DeclaredJewel, Graph, Jewel, JewelKind,
};
use portreeve_model::{EntityId, Estate};

use crate::containment::{Calls, Replayed, replay};

/// What incidents ask of the attack graph.
pub trait Reach {
    /// The graph's id for a principal as the logs name it; `None` where the estate lacks it.
    fn resolve(&self, principal: &str) -> Option<EntityId>;

    /// The shortest path from a principal to each crown jewel that it reaches.
    fn paths_to_jewels(&self, from: &EntityId) -> Vec<AttackPath>;

    /// The estate's crown jewels.
    fn jewels(&self) -> Vec<Jewel>;

    /// The cheapest changes that leave no path from any of some principals to any jewel; none where
    /// the estate is not at hand, or too large to be searched beside everything else.
    fn cut(&self, _from: &[EntityId]) -> Option<Cut> {
        None
    }

    /// What would have been refused of what happened, had a plan been carried out before. The rows
    /// `left_out` are not asked about.
    fn replay(
        &self,
        _plan: &Plan,
        _activities: &Activities,
        _left_out: &BTreeSet<RowId>,
    ) -> Option<Replayed> {
        None
    }
}

/// An estate with all that it takes to cut paths in it.
#[derive(Clone, Copy, Debug)]
pub struct Cuttable<'e> {
    /// The estate.
    pub estate: &'e Estate,
    /// Its graph.
    pub graph: &'e Graph,
    /// The steps that the graph knows.
    pub catalogue: &'e Catalogue,
    /// Crown jewels that the user declares.
    pub declared: &'e [DeclaredJewel],
    /// What changes cost.
    pub costs: &'e Costs,
}

/// Up to how many entities incidents are cut: a search builds the graph a few dozen times.
const CUT_UP_TO: usize = 20_000;

impl Reach for Cuttable<'_> {
    fn resolve(&self, principal: &str) -> Option<EntityId> {
        self.graph.find(principal)
    }

    fn paths_to_jewels(&self, from: &EntityId) -> Vec<AttackPath> {
        self.graph.paths_to_jewels(from.as_str())
    }

    fn jewels(&self) -> Vec<Jewel> {
        self.graph.jewels()
    }

    fn cut(&self, from: &[EntityId]) -> Option<Cut> {
        if self.estate.len() > CUT_UP_TO {
            return None;
        }
        let question = Question {
            estate: self.estate,
            catalogue: self.catalogue,
            declared: self.declared,
            circumstances: &Circumstances::default(),
            from: from.to_vec(),
            to: Vec::new(),
            costs: self.costs,
            exact_up_to: EXACT_UP_TO,
        };
        Some(question.cut())
    }

    fn replay(
        &self,
        plan: &Plan,
        activities: &Activities,
        left_out: &BTreeSet<RowId>,
    ) -> Option<Replayed> {
        let estate = self.estate.revised(&plan.revision(self.estate));
        let after = Graph::build(&estate, self.catalogue, self.declared);
        Some(replay(&Calls {
            estate: self.estate,
            graph: self.graph,
            plan,
            after: &after,
            activities,
            left_out,
        }))
    }
}

impl Reach for Graph {
    fn resolve(&self, principal: &str) -> Option<EntityId> {
        self.find(principal)
    }

    fn paths_to_jewels(&self, from: &EntityId) -> Vec<AttackPath> {
        Graph::paths_to_jewels(self, from.as_str())
    }

    fn jewels(&self) -> Vec<Jewel> {
        Graph::jewels(self)
    }
}

/// The most paths that an incident shows.
pub(crate) const PATH_LIMIT: usize = 12;

/// The shortest path to each crown jewel from any of the principals, an open one before one that
/// needs a condition; with how many jewels beyond the limit are reached.
pub(crate) fn paths(
    reach: &dyn Reach,
    jewels: &[Jewel],
    principals: &[String],
) -> (Vec<AttackPath>, usize) {
    let mut starts: Vec<EntityId> = principals
        .iter()
        .filter_map(|principal| reach.resolve(principal))
        .collect();
    starts.sort();
    starts.dedup();
    let mut best = BTreeMap::<EntityId, AttackPath>::new();
    for start in &starts {
        for path in reach.paths_to_jewels(start) {
            match best.get(&path.to) {
                Some(known) if rank(known) <= rank(&path) => {}
                _ => {
                    best.insert(path.to.clone(), path);
                }
            }
        }
    }
    let mut kinds = BTreeMap::<&EntityId, JewelKind>::new();
    for jewel in jewels {
        let kind = kinds.entry(&jewel.id).or_insert(jewel.kind);
        *kind = jewel.kind.min(*kind);
    }
    let kind = |path: &AttackPath| kinds.get(&path.to).copied();
    let mut paths: Vec<AttackPath> = best.into_values().collect();
    paths.sort_by(|a, b| {
        let order = |path: &AttackPath| {
            (
                !path.conditions.is_empty(),
                kind(path).is_none(),
                kind(path),
            )
        };
        order(a)
            .cmp(&order(b))
            .then_with(|| rank(a).cmp(&rank(b)))
            .then_with(|| a.to.cmp(&b.to))
    });
    // The first of each kind before the second of any: twenty secrets must not hide the one key.
    let mut of_kind = BTreeMap::new();
    let mut placed: Vec<(usize, usize)> = paths
        .iter()
        .enumerate()
        .map(|(place, path)| {
            let count = of_kind.entry(kind(path)).or_insert(0);
            *count += 1;
            (*count, place)
        })
        .collect();
    placed.sort_unstable();
    let mut shown: Vec<usize> = placed
        .iter()
        .take(PATH_LIMIT)
        .map(|(_, place)| *place)
        .collect();
    shown.sort_unstable();
    let omitted = paths.len() - shown.len();
    let paths = shown
        .iter()
        .filter_map(|place| paths.get(*place).cloned())
        .collect();
    (paths, omitted)
}

fn rank(path: &AttackPath) -> (bool, usize, usize, &EntityId, Vec<&str>) {
    let steps = path.steps.iter().map(|step| step.via.as_str()).collect();
    (
        !path.conditions.is_empty(),
        path.steps.len(),
        path.conditions.len(),
        &path.from,
        steps,
    )
}
