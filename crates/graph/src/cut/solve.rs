//! The search for the cheapest set of changes, and its proof.
//!
//! A path is found; of the changes that bear on it those that cannot break it, even together, are
//! left aside; any cut must make one of the rest. Of the sets of changes that meet all such demands
//! the cheapest is made, the graph is built again and searched again, until no path is left. As each
//! demand holds for every cut, the first set that leaves no path costs least.
//!
//! The order is that of implicit hitting sets (Chandrasekaran, Karp, Moreno-Centeno and Vempala,
//! "Algorithms for implicit hitting set problems", SODA 2011).

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{EntityId, Estate};

use super::candidate::{Candidate, Candidates, Part};
use super::costs::Costs;
use super::hitting::{cheapest, greedily};
use super::holdings::Holdings;
use super::making::{plan, revision};
use super::slice::{Slice, Slicer};
use super::{Broken, Cut, LeastCost};
use crate::ask::Circumstances;
use crate::catalogue::Catalogue;
use crate::graph::{Graph, Walk};
use crate::jewels::DeclaredJewel;
use crate::path::{AttackPath, JewelKind};

/// How many candidates a cut is proven to cost least among, where nothing else is said.
pub const EXACT_UP_TO: usize = 600;

/// How many branches a search for the cheapest set is given.
const BRANCHES: u64 = 200_000;

/// Among how many demands the cheapest set is searched for.
const DEMANDS: usize = 2_000;

/// How many paths a graph is searched for, before the changes that break them are made; one from each
/// start at least.
const PATHS_AT_ONCE: usize = 24;

/// What is to be cut.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// The estate.
    pub estate: &'q Estate,
    /// The steps that the graph knows.
    pub catalogue: &'q Catalogue,
    /// Crown jewels that the user declares.
    pub declared: &'q [DeclaredJewel],
    /// What is known of the intruder's requests.
    pub circumstances: &'q Circumstances,
    /// Where the intruder stands.
    pub from: Vec<EntityId>,
    /// What he must not reach. Empty: any crown jewel.
    pub to: Vec<EntityId>,
    /// What changes cost.
    pub costs: &'q Costs,
    /// Among how many candidate changes the least cost is proven; beyond it a bound is told.
    pub exact_up_to: usize,
}

/// That a cut makes one of some changes: each path demands one.
struct Demand {
    /// The changes.
    any_of: Vec<usize>,
    /// Changes that bear on the path, and leave it whole, even together.
    aside: BTreeSet<usize>,
    from: EntityId,
    to: EntityId,
    slice: Slice,
    /// Whether candidates may bear on it that are not known yet.
    is_open: bool,
    /// Whether its slice does not hold the path, so that little is known of what it demands.
    is_vague: bool,
}

/// Start and end.
type Ends = (EntityId, EntityId);

impl Question<'_> {
    /// Finds the cut. Costs a few dozen builds of the graph, and as many searches.
    pub fn cut(&self) -> Cut {
        let holdings = Holdings::of(self.estate);
        let lacks_mfa = self.circumstances.context.iter().any(|(key, values)| {
            key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent")
                && values.first().is_none_or(|value| value == "false")
        });
        let search = Search {
            question: self,
            candidates: Candidates::new(&holdings, self.catalogue, lacks_mfa),
            slicer: Slicer::of(self.estate),
            holdings: &holdings,
            known: Vec::new(),
            costs: Vec::new(),
            breaks: Vec::new(),
            places: BTreeMap::new(),
            demands: Vec::new(),
            beyond: BTreeMap::new(),
            administrators: BTreeSet::new(),
        };
        search.run()
    }

    fn build(&self, estate: &Estate) -> Graph {
        Graph::build_in(estate, self.catalogue, self.declared, self.circumstances)
    }

    /// The best way of each pair that there is, at most so many from each start.
    fn walks(&self, graph: &Graph, each: usize, but: &BTreeMap<Ends, AttackPath>) -> Vec<Walk> {
        let ends = self.ends(graph);
        let of = |from| {
            self.walks_from(graph, from, &ends, but)
                .into_iter()
                .take(each)
        };
        self.from.iter().flat_map(of).collect()
    }

    /// Whether there is no way but some.
    fn is_cut(&self, graph: &Graph, but: &BTreeMap<Ends, AttackPath>) -> bool {
        let ends = self.ends(graph);
        let mut from = self.from.iter();
        from.all(|from| self.walks_from(graph, from, &ends, but).is_empty())
    }

    fn walks_from(
        &self,
        graph: &Graph,
        from: &EntityId,
        ends: &[EntityId],
        but: &BTreeMap<Ends, AttackPath>,
    ) -> Vec<Walk> {
        let is_wanted = |to: &&EntityId| !but.contains_key(&(from.clone(), (*to).clone()));
        let wanted: Vec<EntityId> = ends.iter().filter(is_wanted).cloned().collect();
        graph.walks(from.as_str(), &wanted)
    }

    /// What must not be reached.
    fn ends(&self, graph: &Graph) -> Vec<EntityId> {
        match self.to.as_slice() {
            [] => graph.jewels().into_iter().map(|jewel| jewel.id).collect(),
            named => named.to_vec(),
        }
    }
}

struct Search<'s> {
    question: &'s Question<'s>,
    holdings: &'s Holdings<'s>,
    candidates: Candidates<'s>,
    slicer: Slicer<'s>,
    /// All candidates so far, with their costs and the steps for which they were found.
    known: Vec<Candidate>,
    costs: Vec<u32>,
    breaks: Vec<BTreeSet<Broken>>,
    places: BTreeMap<Part, usize>,
    demands: Vec<Demand>,
    /// What no candidate cuts, with a way that is left.
    beyond: BTreeMap<Ends, AttackPath>,
    /// Who is an administrator, where any jewel is meant: he is none once he may do less.
    administrators: BTreeSet<EntityId>,
}

impl Search<'_> {
    fn run(mut self) -> Cut {
        let question = self.question;
        let whole = question.build(question.estate);
        let before: Vec<AttackPath> = question
            .walks(&whole, usize::MAX, &BTreeMap::new())
            .into_iter()
            .map(|walk| walk.path)
            .collect();
        if question.to.is_empty() {
            let jewels = whole.jewels().into_iter();
            let jewels = jewels.filter(|jewel| jewel.kind == JewelKind::Administrator);
            self.administrators = jewels.map(|jewel| jewel.id).collect();
        }
        let notes = whole.notes().to_vec();
        let mut graph = whole;
        let mut chosen: Vec<usize> = Vec::new();
        let mut bound = 0;
        let mut is_exact = true;
        // Ways from one start mostly share their steps: one from each teaches more than many from one.
        let each = (PATHS_AT_ONCE / question.from.len().max(1)).max(1);
        loop {
            let walks = question.walks(&graph, each, &self.beyond);
            if walks.is_empty() {
                break;
            }
            for walk in walks {
                self.demand(&graph, walk, &chosen);
            }
            is_exact &= self.known.len() <= question.exact_up_to
                && self.demands.len() <= DEMANDS
                && !self.demands.iter().any(|demand| demand.is_vague);
            let sets = self.demands.iter().map(|demand| demand.any_of.clone());
            if is_exact {
                let found = cheapest(&sets.collect::<Vec<_>>(), &self.costs, BRANCHES);
                bound = found.bound.max(bound);
                chosen = found.members;
            } else {
                // What is chosen stays: a path that it leaves demands something besides, so that this
                // ends after as many rounds as there are candidates.
                let is_open = |set: &Vec<usize>| !set.iter().any(|place| chosen.contains(place));
                let open: Vec<Vec<usize>> = sets.filter(is_open).collect();
                chosen.extend(greedily(&open, &self.costs));
                chosen.sort_unstable();
            }
            graph = self.built(&chosen);
        }
        let chosen = self.needed(chosen);
        let cost: u64 = chosen
            .iter()
            .map(|&place| u64::from(self.costs[place]))
            .sum();
        let parts: Vec<&Candidate> = chosen.iter().map(|&place| &self.known[place]).collect();
        let plan = plan(self.holdings, &parts, question.costs);
        // What is proven is the plan as it is handed out.
        let estate = question.estate.revised(&plan.revision(question.estate));
        let is_proven = question.is_cut(&question.build(&estate), &self.beyond);
        let breaks = chosen.iter().flat_map(|&place| &self.breaks[place]);
        Cut {
            from: question.from.clone(),
            to: question.to.clone(),
            before,
            breaks: breaks.cloned().collect(),
            plan,
            cost,
            proven: is_proven && self.beyond.is_empty(),
            minimal: true,
            least_cost: if bound >= cost {
                LeastCost::Proven
            } else {
                LeastCost::Bound
            },
            bound: bound.min(cost),
            candidates: self.known.len(),
            exact_up_to: question.exact_up_to,
            left: self.beyond.into_values().collect(),
            notes,
        }
    }

    fn built(&self, chosen: &[usize]) -> Graph {
        self.question
            .build(&self.revised(self.question.estate, chosen.iter().copied(), |_| true))
    }

    fn revised(
        &self,
        estate: &Estate,
        chosen: impl Iterator<Item = usize> + Clone,
        meant: impl Fn(&EntityId) -> bool,
    ) -> Estate {
        let parts = chosen.map(|place| &self.known[place].part);
        estate.revised(&revision(self.holdings, parts, meant))
    }

    /// Takes up what a path demands, that is there with the chosen changes made.
    fn demand(&mut self, graph: &Graph, walk: Walk, chosen: &[usize]) {
        let slice = self.slicer.slice(&graph.ids_of(&walk.nodes));
        self.learn(&walk);
        let demand = self.demand_of(slice, &walk.path, chosen);
        self.demands.push(demand);
        // What one path teaches may bear on others.
        while let Some(place) = self.demands.iter().position(|demand| demand.is_open) {
            self.close(place);
        }
        if self
            .demands
            .last()
            .is_some_and(|demand| demand.any_of.is_empty())
        {
            self.demands.pop();
            let ends = (walk.path.from.clone(), walk.path.to.clone());
            self.beyond.insert(ends, walk.path);
        }
    }

    /// Takes up the candidates of the steps that a path hangs on.
    fn learn(&mut self, walk: &Walk) {
        let mut found = BTreeSet::new();
        for step in &walk.steps {
            let mut of_step = BTreeSet::new();
            self.candidates.of_step(step, &mut of_step);
            for candidate in of_step {
                let broken = Broken {
                    from: step.from.clone(),
                    to: step.to.clone(),
                    via: step.via.clone(),
                };
                found.insert((candidate, broken));
            }
        }
        for (candidate, broken) in found {
            let place = self.take_up(candidate);
            self.breaks[place].insert(broken);
        }
    }

    /// Sees to it that every candidate is known that bears on the path by which a demand stands when
    /// all that it leaves aside is made: one that is not known could break it.
    fn close(&mut self, place: usize) {
        loop {
            let demand = &mut self.demands[place];
            demand.is_open = false;
            let demand = &self.demands[place];
            let Some(walk) = self.walk_left(demand, &[]) else {
                return;
            };
            let known = self.known.len();
            self.learn(&walk);
            // Of those that are new each demand has left some aside: its path may be another now.
            if self.known.len() == known || !self.demands[place].is_open {
                return;
            }
        }
    }

    /// The changes that bear on a path, less those that leave it whole.
    fn demand_of(&self, slice: Slice, path: &AttackPath, chosen: &[usize]) -> Demand {
        let bears = |place: &usize| !self.known[*place].touches.is_disjoint(&slice.subjects);
        let mut bearing: Vec<usize> = (0..self.known.len()).filter(bears).collect();
        let mut demand = Demand {
            aside: chosen.iter().copied().filter(bears).collect(),
            any_of: Vec::new(),
            from: path.from.clone(),
            to: path.to.clone(),
            slice,
            is_open: true,
            is_vague: false,
        };
        bearing.retain(|place| !demand.aside.contains(place));
        if !self.survives(&demand, &[]) {
            // The path leads over what is not in the slice: any change that is not made may be the
            // one, those that bear on the slice before all others.
            demand.is_open = false;
            demand.is_vague = true;
            demand.any_of = match bearing.is_empty() {
                false => bearing,
                true => (0..self.known.len())
                    .filter(|place| !chosen.contains(place))
                    .collect(),
            };
            return demand;
        }
        // What is cheap is left aside first: the dearer the rest, the more is known of the cost.
        bearing.sort_by_key(|&place| (self.costs[place], place));
        self.set_aside(&mut demand, &bearing);
        demand
    }

    /// Leaves aside as many of some changes as the path survives, in their order.
    fn set_aside(&self, demand: &mut Demand, changes: &[usize]) {
        if changes.is_empty() {
            return;
        }
        if self.survives(demand, changes) {
            demand.aside.extend(changes);
        } else if let [one] = changes {
            demand.any_of.push(*one);
        } else {
            let (first, second) = changes.split_at(changes.len() / 2);
            self.set_aside(demand, first);
            self.set_aside(demand, second);
        }
    }

    /// Whether the path of a demand is there with what is left aside, and more changes, made.
    fn survives(&self, demand: &Demand, more: &[usize]) -> bool {
        self.walk_left(demand, more).is_some()
    }

    /// The best way that is there then.
    fn walk_left(&self, demand: &Demand, more: &[usize]) -> Option<Walk> {
        let slice = &demand.slice;
        let made = demand.aside.iter().chain(more).copied();
        let estate = self.revised(&slice.estate, made, |id| {
            slice.subjects.contains(id) || self.slicer.is_frame(id)
        });
        let graph = self.question.build(&estate);
        let to = &demand.to;
        let is_meant = !self.administrators.contains(to) || graph.jewel(to.as_str()).is_some();
        let mut walks = graph.walks(demand.from.as_str(), std::slice::from_ref(to));
        walks.pop().filter(|_| is_meant)
    }

    /// Takes up a candidate; one that is new may break paths that were found before.
    fn take_up(&mut self, candidate: Candidate) -> usize {
        if let Some(&place) = self.places.get(&candidate.part) {
            return place;
        }
        let place = self.known.len();
        self.places.insert(candidate.part.clone(), place);
        self.costs.push(self.question.costs.of(candidate.kind));
        self.breaks.push(BTreeSet::new());
        let touches = candidate.touches.clone();
        self.known.push(candidate);
        let mut demands = std::mem::take(&mut self.demands);
        for demand in &mut demands {
            if !touches.is_disjoint(&demand.slice.subjects) {
                if self.survives(demand, &[place]) {
                    demand.aside.insert(place);
                    demand.is_open = true;
                } else {
                    demand.any_of.push(place);
                }
            }
        }
        self.demands = demands;
        place
    }

    /// The changes without which a path is back. Those that are not needed go, the dearest first,
    /// until each that is left has been put back in vain.
    fn needed(&self, mut chosen: Vec<usize>) -> Vec<usize> {
        loop {
            let mut order = chosen.clone();
            order.sort_by_key(|&place| (std::cmp::Reverse(self.costs[place]), place));
            let without = |place: usize| -> Vec<usize> {
                chosen.iter().copied().filter(|&one| one != place).collect()
            };
            let mut fewer = order.into_iter().map(without);
            match fewer.find(|rest| self.leaves_none(rest)) {
                Some(rest) => chosen = rest,
                None => return chosen,
            }
        }
    }

    /// Whether the graph, built again with some changes made, has no path but those that no
    /// change can cut.
    fn leaves_none(&self, chosen: &[usize]) -> bool {
        self.question.is_cut(&self.built(chosen), &self.beyond)
    }
}
