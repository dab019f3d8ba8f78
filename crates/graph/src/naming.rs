//! Which policies speak of one target, and who holds them: what is asked about nodes that lead nowhere
//! and so have no edges.

use crate::catalogue::{Permission, PermissionTarget};
use crate::evaluate::{Evaluator, Plan};
use crate::nodes::NodeId;
use crate::outline::ActionSet;
use crate::policies::PolicyId;
use crate::world::World;

/// Who holds each identity policy, directly or through groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct PolicyHolders {
    /// Where the takers of each policy begin, and where the last ones end.
    starts: Vec<u32>,
    /// Places of takers, of one policy in order.
    takers: Vec<u32>,
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
        Self { starts, takers }
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

/// What a policy may allow on a target, and on what is inside it.
#[derive(Debug)]
struct Spoken {
    policy: PolicyId,
    on: ActionSet,
    within: ActionSet,
}

/// The policies that may allow something on one target.
#[derive(Debug, Default)]
pub(crate) struct Naming(Vec<Spoken>);

impl Naming {
    /// Reads what policies say of what some plans ask for first. Cost: each pattern of these policies
    /// is compared with the target.
    pub(crate) fn of(evaluator: &Evaluator, plans: &[&Plan], target: NodeId) -> Self {
        let mut wanted = ActionSet::default();
        for permission in plans.iter().flat_map(|plan| driver(plan)) {
            if let Some(action) = evaluator.actions.index(&permission.action) {
                wanted.insert(action);
            }
        }
        let policies = &evaluator.world.policies;
        let id = evaluator.nodes.id(target).as_str();
        let mut matched = Vec::new();
        let mut covers = |patterns: &[String], on: &PermissionTarget| {
            patterns.is_empty()
                || patterns.iter().any(|pattern| {
                    matched.clear();
                    if !begin_apart(pattern, id) {
                        evaluator.matching(&[target], pattern, on, &mut matched);
                    }
                    !matched.is_empty()
                })
        };
        let spoken = (0..policies.len() as PolicyId).filter_map(|policy| {
            let outline = policies.outline_of(policy);
            if !outline.actions.meets(&wanted) {
                return None;
            }
            let (mut on, mut within) = (ActionSet::default(), ActionSet::default());
            for grant in &outline.grants {
                if !grant.actions.meets(&wanted) {
                    continue;
                }
                if covers(&grant.resources, &PermissionTarget::Target) {
                    on.extend(&grant.actions);
                }
                if covers(&grant.resources, &PermissionTarget::InTarget) {
                    within.extend(&grant.actions);
                }
            }
            let speaks = !on.is_empty() || !within.is_empty();
            speaks.then_some(Spoken { policy, on, within })
        });
        Self(spoken.collect())
    }

    /// The policies that may allow what a plan asks for first on the target, in order.
    pub(crate) fn policies(&self, evaluator: &Evaluator, plan: &Plan) -> Vec<PolicyId> {
        let allows = |spoken: &&Spoken| {
            driver(plan).iter().any(|permission| {
                let actions = match permission.on {
                    PermissionTarget::InTarget => &spoken.within,
                    PermissionTarget::Target | PermissionTarget::Some(_) => &spoken.on,
                };
                let action = evaluator.actions.index(&permission.action);
                action.is_some_and(|action| actions.contains(action))
            })
        };
        self.0.iter().filter(allows).map(|it| it.policy).collect()
    }
}

/// What a plan asks for first on its target: any of these.
fn driver(plan: &Plan) -> &[Permission] {
    plan.target_needs().next().map_or(&[], |need| &need.any_of)
}

/// Whether a pattern begins with other text than an id does, so that it covers neither that nor what is
/// inside it.
fn begin_apart(pattern: &str, id: &str) -> bool {
    let mut pairs = pattern.bytes().zip(id.bytes());
    let parting = pairs.find(|(in_pattern, in_id)| in_pattern != in_id);
    parting.is_some_and(|(in_pattern, _)| !matches!(in_pattern, b'*' | b'?' | b'$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_part_from_ids_at_text_alone() {
        let id = "arn:aws:s3:::web-prod";
        for near in [
            "*",
            "arn:aws:s3:::web*",
            "arn:aws:s3:::web-prod/*",
            "arn:aws:s3:::${aws:username}",
        ] {
            assert!(!begin_apart(near, id), "{near}");
        }
        for far in [
            "arn:aws:s3:::web-test",
            "arn:aws:s3:::web-test/*",
            "arn:aws:sqs:*",
        ] {
            assert!(begin_apart(far, id), "{far}");
        }
    }
}
