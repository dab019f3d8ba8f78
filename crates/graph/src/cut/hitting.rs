//! The hitting set of least cost: the cheapest set with a member in each of some sets.

/// A hitting set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hitting {
    /// Its members, in order.
    pub(super) members: Vec<usize>,
    /// What no hitting set costs less than. What this one costs, where none is cheaper.
    pub(super) bound: u64,
}

/// A cheapest set with a member in each of `sets`, none of which is empty. `costs` are those of
/// all members. Exact by branch and bound, which gives up after `most` branches: the best set so
/// far is then handed back with a bound.
pub(super) fn cheapest(sets: &[Vec<usize>], costs: &[u32], most: u64) -> Hitting {
    let sets = smallest(sets);
    let greedy = greedily(&sets, costs);
    let mut search = Search {
        sets: &sets,
        costs,
        best_cost: cost_of(&greedy, costs),
        best: greedy,
        branches: most,
        chosen: Vec::new(),
        left_out: vec![false; costs.len()],
    };
    let root_bound = search.bound(&sets.iter().collect::<Vec<_>>());
    search.branch(0);
    let mut members = search.best;
    members.sort_unstable();
    Hitting {
        bound: match search.branches {
            0 => root_bound,
            _ => search.best_cost,
        },
        members,
    }
}

fn cost_of(members: &[usize], costs: &[u32]) -> u64 {
    members.iter().map(|&member| u64::from(costs[member])).sum()
}

/// The sets that contain no other one: who hits them hits all.
fn smallest(sets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut sorted: Vec<Vec<usize>> = sets.to_vec();
    for set in &mut sorted {
        set.sort_unstable();
        set.dedup();
    }
    sorted.sort_by_key(Vec::len);
    let mut kept: Vec<Vec<usize>> = Vec::new();
    for set in sorted {
        let holds =
            |small: &Vec<usize>| small.iter().all(|member| set.binary_search(member).is_ok());
        if !kept.iter().any(holds) {
            kept.push(set);
        }
    }
    kept
}

/// A hitting set by taking what hits most for its cost, then leaving out what is not needed.
pub(super) fn greedily(sets: &[Vec<usize>], costs: &[u32]) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut open: Vec<&Vec<usize>> = sets.iter().collect();
    while !open.is_empty() {
        let mut hits = vec![0u64; costs.len()];
        for &member in open.iter().copied().flatten() {
            hits[member] += 1;
        }
        let candidates = (0..costs.len()).filter(|&member| hits[member] > 0);
        // The most hits for the cost; compared by products, as fractions would round.
        let best = candidates.reduce(|best, next| {
            let gain = |member: usize, other: usize| hits[member] * u64::from(costs[other]);
            if gain(next, best) > gain(best, next) {
                next
            } else {
                best
            }
        });
        let Some(best) = best else { break };
        chosen.push(best);
        open.retain(|set| !set.contains(&best));
    }
    // The dearest first: what the others hit without it goes.
    let mut order = chosen.clone();
    order.sort_by_key(|&member| std::cmp::Reverse(costs[member]));
    for member in order {
        let rest: Vec<usize> = chosen.iter().copied().filter(|&m| m != member).collect();
        if sets.iter().all(|set| set.iter().any(|m| rest.contains(m))) {
            chosen = rest;
        }
    }
    chosen
}

struct Search<'s> {
    sets: &'s [Vec<usize>],
    costs: &'s [u32],
    best: Vec<usize>,
    best_cost: u64,
    branches: u64,
    chosen: Vec<usize>,
    /// Members that were tried in a branch before, and are not tried again below it.
    left_out: Vec<bool>,
}

impl Search<'_> {
    fn branch(&mut self, cost: u64) {
        if self.branches == 0 {
            return;
        }
        self.branches -= 1;
        let sets = self.sets;
        let open: Vec<&Vec<usize>> = sets
            .iter()
            .filter(|set| !set.iter().any(|member| self.chosen.contains(member)))
            .collect();
        if open.is_empty() {
            if cost < self.best_cost {
                self.best_cost = cost;
                self.best = self.chosen.clone();
            }
            return;
        }
        if cost + self.bound(&open) >= self.best_cost {
            return;
        }
        let allowed = |set: &Vec<usize>| -> Vec<usize> {
            let members = set.iter().copied();
            members.filter(|&member| !self.left_out[member]).collect()
        };
        // The set with the fewest ways to hit it makes the fewest branches.
        let Some(mut ways) = open.iter().map(|set| allowed(set)).min_by_key(Vec::len) else {
            return;
        };
        let hits = |member: usize| open.iter().filter(|set| set.contains(&member)).count();
        ways.sort_by_key(|&member| (std::cmp::Reverse(hits(member)), self.costs[member], member));
        let tried = ways.clone();
        for member in ways {
            self.chosen.push(member);
            self.branch(cost + u64::from(self.costs[member]));
            self.chosen.pop();
            self.left_out[member] = true;
        }
        for member in tried {
            self.left_out[member] = false;
        }
    }

    /// What hitting these sets costs at least: each member's cost is shared out among the sets,
    /// one after the other, each taking what its cheapest member has left.
    fn bound(&self, open: &[&Vec<usize>]) -> u64 {
        let mut left: Vec<u64> = self.costs.iter().map(|&cost| u64::from(cost)).collect();
        let mut bound = 0;
        for set in open {
            let allowed = set.iter().filter(|&&member| !self.left_out[member]);
            let Some(share) = allowed.clone().map(|&member| left[member]).min() else {
                // Nothing is left that hits it.
                return u64::MAX / 2;
            };
            bound += share;
            for &member in allowed {
                left[member] -= share;
            }
        }
        bound
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_force(sets: &[Vec<usize>], costs: &[u32]) -> u64 {
        let hits = |chosen: u32, set: &Vec<usize>| set.iter().any(|&m| chosen & (1 << m) != 0);
        (0u32..1 << costs.len())
            .filter(|&chosen| sets.iter().all(|set| hits(chosen, set)))
            .map(|chosen| {
                let members = (0..costs.len()).filter(|&m| chosen & (1 << m) != 0);
                members.map(|m| u64::from(costs[m])).sum()
            })
            .min()
            .unwrap()
    }

    proptest! {
        #[test]
        fn it_hits_all_and_costs_what_trying_all_sets_finds(
            costs in prop::collection::vec(1u32..9, 8),
            sets in prop::collection::vec(prop::collection::vec(0usize..8, 1..5), 0..12),
        ) {
            let found = cheapest(&sets, &costs, u64::MAX);
            prop_assert!(sets.iter().all(|set| set.iter().any(|m| found.members.contains(m))));
            prop_assert_eq!(cost_of(&found.members, &costs), by_force(&sets, &costs));
            prop_assert_eq!(found.bound, by_force(&sets, &costs));
        }

        #[test]
        fn where_it_gives_up_it_hits_all_and_the_bound_holds(
            costs in prop::collection::vec(1u32..9, 8),
            sets in prop::collection::vec(prop::collection::vec(0usize..8, 1..5), 0..12),
            most in 1u64..4,
        ) {
            let found = cheapest(&sets, &costs, most);
            prop_assert!(sets.iter().all(|set| set.iter().any(|m| found.members.contains(m))));
            prop_assert!(found.bound <= by_force(&sets, &costs));
            prop_assert!(cost_of(&found.members, &costs) >= by_force(&sets, &costs));
        }
    }
}
