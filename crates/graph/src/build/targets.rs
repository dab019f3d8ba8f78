//! What each escalation can be taken on.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::EntityKind;

use super::Builder;
use crate::catalogue::Yields;
use crate::nodes::NodeId;
use crate::parallel::{in_parallel, share_of};
use crate::path::{Jewel, JewelKind};
use crate::plan::Targets;

impl Builder {
    /// Gives each escalation its targets. Edges are made to what leads on and to jewels; the rest
    /// are leaves.
    pub(super) fn place_targets(&mut self, jewels: &BTreeMap<NodeId, Jewel>) {
        let evaluator = &self.evaluator;
        let nodes = &evaluator.nodes;
        let mut of_kind: BTreeMap<EntityKind, Vec<NodeId>> = BTreeMap::new();
        for (place, node) in nodes.iter() {
            of_kind.entry(node.kind).or_default().push(place);
        }
        // Many escalations ask for the same few services.
        let plans = evaluator.plans.iter();
        let services: BTreeSet<&str> = plans
            .flat_map(|plan| &plan.escalation.target.trusts)
            .map(String::as_str)
            .collect();
        let services: Vec<&str> = services.into_iter().collect();
        let share = share_of(nodes.len());
        let trusting = in_parallel(&services, share, |service| evaluator.trusting(service));
        let trusting: BTreeMap<&str, Vec<NodeId>> = services.into_iter().zip(trusting).collect();
        let targets = in_parallel(&evaluator.plans, share, |plan| {
            let wanted = &plan.escalation.target;
            let yields = plan.escalation.yields;
            let kinds: BTreeSet<EntityKind> = wanted.kinds.iter().copied().collect();
            let mut places: Vec<NodeId> = match wanted.trusts.is_empty() {
                true => {
                    let lists = kinds.iter().filter_map(|kind| of_kind.get(kind));
                    lists.flatten().copied().collect()
                }
                false => {
                    let trusts = wanted.trusts.iter().map(String::as_str);
                    let lists = trusts.filter_map(|service| trusting.get(service));
                    let roles = lists.flatten().copied();
                    roles
                        .filter(|&place| kinds.contains(&nodes.get(place).kind))
                        .collect()
                }
            };
            places.sort_unstable();
            places.dedup();
            let (mut core_targets, mut leaves) = (Targets::default(), Targets::default());
            for place in places {
                let node = nodes.get(place);
                let id = node.id.as_str();
                let id_fits = wanted.ids.is_empty()
                    || wanted.ids.iter().any(|p| crate::wildcard::matches(p, id));
                if !id_fits {
                    continue;
                }
                let leads_on = matches!(
                    node.kind,
                    EntityKind::User
                        | EntityKind::Role
                        | EntityKind::Group
                        | EntityKind::Policy
                        | EntityKind::PermissionSet
                        | EntityKind::Account
                ) || self.edges.leads_on(place);
                let core = match yields {
                    Yields::Read => jewels.get(&place).is_some_and(|jewel| {
                        !matches!(
                            jewel.kind,
                            JewelKind::WebOrigin | JewelKind::ImageRepository
                        )
                    }),
                    _ => leads_on || jewels.contains_key(&place),
                };
                let list = if core { &mut core_targets } else { &mut leaves };
                list.push(nodes, place);
            }
            (core_targets, leaves)
        });
        for (plan, (core, leaves)) in self.evaluator.plans.iter_mut().zip(targets) {
            plan.core = core;
            plan.leaves = leaves;
        }
    }
}
