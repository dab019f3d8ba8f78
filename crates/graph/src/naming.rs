//! Which policies speak of one target, and who holds them: what is asked about nodes that lead nowhere
//! and so have no edges.

use std::collections::BTreeMap;

use portreeve_model::sort;

use crate::catalogue::{Permission, PermissionTarget};
use crate::evaluate::Evaluator;
use crate::nodes::NodeId;
use crate::outline::{ActionSet, Grant};
use crate::parallel::in_parallel;
use crate::plan::Plan;
use crate::policies::PolicyId;
use crate::wildcard::{head_and_rest, literal_prefix};
use crate::world::World;

/// How many policies are worth handing to a thread.
const A_SHARE: usize = 256;

/// Who holds each identity policy, directly or through groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct PolicyHolders {
    /// Where the takers of each policy begin, and where the last ones end.
    starts: Vec<u32>,
    /// Places of takers, of one policy in order.
    takers: Vec<u32>,
    /// Which policies deny anything.
    pub(crate) denying: Vec<bool>,
}

impl PolicyHolders {
    pub(crate) fn of(world: &World) -> Self {
        let policies = world.policies.len();
        let held = || {
            let takers = world.takers.iter().zip(0u32..);
            takers
                .flat_map(|(taker, place)| taker.identity.iter().map(move |&it| (it, place)))
                .filter(|(policy, _)| (*policy as usize) < policies)
        };
        let mut starts = vec![0u32; policies + 1];
        for (policy, _) in held() {
            starts[policy as usize + 1] += 1;
        }
        for policy in 1..starts.len() {
            starts[policy] += starts[policy - 1];
        }
        let mut next = starts.clone();
        let mut takers = vec![0; starts.last().copied().unwrap_or_default() as usize];
        for (policy, place) in held() {
            let free = &mut next[policy as usize];
            takers[*free as usize] = place;
            *free += 1;
        }
        let denying =
            (0..policies as PolicyId).map(|policy| world.policies.outline_of(policy).denies);
        Self {
            starts,
            takers,
            denying: denying.collect(),
        }
    }

    /// Who holds any of some policies, by their places among the world's takers, in order.
    pub(crate) fn of_any(&self, policies: &[PolicyId]) -> Vec<usize> {
        let mut found: Vec<usize> = policies
            .iter()
            .flat_map(|&policy| {
                let (from, to) = (
                    self.starts[policy as usize],
                    self.starts[policy as usize + 1],
                );
                &self.takers[from as usize..to as usize]
            })
            .map(|&place| place as usize)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The patterns of all identity policies that may allow a step onto what leads nowhere, by the text
/// that they begin with.
#[derive(Clone, Debug, Default)]
pub(crate) struct PatternIndex {
    /// In the order of [`PatternIndex::start`].
    places: Vec<PatternPlace>,
    /// Statements that name no resource, and so speak of all.
    of_all: Vec<PatternPlace>,
}

/// Where a pattern stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PatternPlace {
    policy: PolicyId,
    grant: u32,
    pattern: u32,
}

impl PatternIndex {
    pub(crate) fn of(evaluator: &Evaluator) -> Self {
        let plans = evaluator.plans.iter();
        let plans = plans.filter(|plan| !plan.leaves.all.is_empty());
        let wanted = driving(evaluator, plans);
        let policies = &evaluator.world.policies;
        let mut index = Self::default();
        for policy in 0..policies.len() as PolicyId {
            let outline = policies.outline_of(policy);
            if !outline.actions.meets(&wanted) {
                continue;
            }
            for (grant, place) in outline.grants.iter().zip(0..) {
                if !grant.actions.meets(&wanted) {
                    continue;
                }
                let at = |pattern| PatternPlace {
                    policy,
                    grant: place,
                    pattern,
                };
                if grant.resources.is_empty() {
                    index.of_all.push(at(0));
                }
                let patterns = 0..grant.resources.len() as u32;
                index.places.extend(patterns.map(at));
            }
        }
        // With the texts beside the places none is looked up again for each comparison.
        let places = index.places.into_iter();
        let mut places: Vec<(&str, PatternPlace)> = places
            .map(|place| (place.start(evaluator), place))
            .collect();
        sort(&mut places);
        index.places = places.into_iter().map(|(_, place)| place).collect();
        index
    }

    /// Has the policies that speak of all of a kind ready for authorisation: nearly every question is about
    /// them, and the first would wait. Those that name a resource are left for when it is asked about,
    /// since they are many.
    pub(crate) fn compile(&self, evaluator: &Evaluator) {
        let broad = self.places.iter().filter(|place| {
            let rest = head_and_rest(place.start(evaluator)).map(|(_, rest)| rest);
            rest.is_none_or(str::is_empty)
        });
        let places = self.of_all.iter().chain(broad);
        let mut policies: Vec<PolicyId> = places.map(|place| place.policy).collect();
        policies.sort_unstable();
        policies.dedup();
        in_parallel(&policies, A_SHARE, |&policy| {
            evaluator.world.policies.compile(policy);
        });
    }

    /// The patterns that may cover an id or what is inside it: those that begin with a part of it, and
    /// those that begin with the whole of it.
    fn near<'i>(
        &'i self,
        evaluator: &'i Evaluator,
        id: &'i str,
    ) -> impl Iterator<Item = PatternPlace> + 'i {
        let begin = |text: &str| {
            let places = &self.places;
            places.partition_point(|place| place.start(evaluator) < text)
        };
        let parts = (0..id.len()).filter(|&end| id.is_char_boundary(end));
        let parts = parts.flat_map(move |end| {
            let part = &id[..end];
            let equal = self.places[begin(part)..].iter();
            equal.take_while(move |place| place.start(evaluator) == part)
        });
        let whole = self.places[begin(id)..].iter();
        let whole = whole.take_while(move |place| place.start(evaluator).starts_with(id));
        parts.chain(whole).copied()
    }
}

impl PatternPlace {
    fn grant(self, evaluator: &Evaluator) -> &Grant {
        let outline = evaluator.world.policies.outline_of(self.policy);
        &outline.grants[self.grant as usize]
    }

    fn pattern(self, evaluator: &Evaluator) -> &str {
        &self.grant(evaluator).resources[self.pattern as usize]
    }

    fn start(self, evaluator: &Evaluator) -> &str {
        literal_prefix(self.pattern(evaluator))
    }
}

/// What a policy may allow on a target, and on what is inside it.
#[derive(Debug, Default)]
struct Spoken {
    on: ActionSet,
    within: ActionSet,
}

/// The policies that may allow something on one target.
#[derive(Debug, Default)]
pub(crate) struct Naming(BTreeMap<PolicyId, Spoken>);

impl Naming {
    /// Finds what policies say of what some plans ask for first. Cost: each pattern that begins as the
    /// target's id does is compared with it.
    pub(crate) fn of(
        evaluator: &Evaluator,
        index: &PatternIndex,
        plans: &[&Plan],
        target: NodeId,
    ) -> Self {
        let wanted = driving(evaluator, plans.iter().copied());
        let id = evaluator.nodes.id(target).as_str();
        let mut matched = Vec::new();
        let mut covers = |pattern: &str, on: &PermissionTarget| {
            matched.clear();
            evaluator.matching(&[target], pattern, on, &mut matched);
            !matched.is_empty()
        };
        let mut spoken: BTreeMap<PolicyId, Spoken> = BTreeMap::new();
        let mut note = |place: PatternPlace, on: bool, within: bool| {
            let actions = &place.grant(evaluator).actions;
            let spoken = spoken.entry(place.policy).or_default();
            if on {
                spoken.on.extend(actions);
            }
            if within {
                spoken.within.extend(actions);
            }
        };
        let meets = |place: &PatternPlace| place.grant(evaluator).actions.meets(&wanted);
        for place in index.of_all.iter().copied().filter(meets) {
            note(place, true, true);
        }
        for place in index.near(evaluator, id).filter(meets) {
            let pattern = place.pattern(evaluator);
            let on = covers(pattern, &PermissionTarget::Target);
            let within = covers(pattern, &PermissionTarget::InTarget);
            if on || within {
                note(place, on, within);
            }
        }
        Self(spoken)
    }

    /// The policies that may allow what a plan asks for first on the target, in order.
    pub(crate) fn policies(&self, evaluator: &Evaluator, plan: &Plan) -> Vec<PolicyId> {
        let allows = |spoken: &Spoken| {
            driver(plan).iter().any(|permission| {
                let actions = match permission.on {
                    PermissionTarget::InTarget => &spoken.within,
                    PermissionTarget::Target | PermissionTarget::Some(_) => &spoken.on,
                };
                let action = evaluator.actions.index(&permission.action);
                action.is_some_and(|action| actions.contains(action))
            })
        };
        let found = self.0.iter().filter(|(_, spoken)| allows(spoken));
        found.map(|(&policy, _)| policy).collect()
    }
}

/// The actions that some plans ask for first on their targets.
fn driving<'p>(evaluator: &Evaluator, plans: impl Iterator<Item = &'p Plan>) -> ActionSet {
    let permissions = plans.flat_map(driver);
    let names = permissions.map(|permission| permission.action.as_str());
    evaluator.actions.set(names)
}

/// What a plan asks for first on its target: any of these.
fn driver(plan: &Plan) -> &[Permission] {
    plan.target_needs().next().map_or(&[], |need| &need.any_of)
}
