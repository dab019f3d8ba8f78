//! Who is an administrator of an account, and who would be one.

use std::collections::BTreeMap;

use super::{A_SHARE, Builder};
use crate::classes::{Folder, Questions};
use crate::evaluate::sentinel_actions;
use crate::nodes::NodeId;
use crate::outline::ActionSet;
use crate::parallel::in_parallel;
use crate::permit::Permit;
use crate::world::{Taker, TakerKind};

impl Builder {
    pub(super) fn administrators(&self) -> BTreeMap<NodeId, Permit> {
        let evaluator = &self.evaluator;
        let wanted = sentinel_actions(&evaluator.actions);
        let candidates: Vec<&Taker> = evaluator
            .world
            .takers
            .iter()
            .filter(|taker| taker.kind == TakerKind::Principal && taker.actions.covers(&wanted))
            .collect();
        let found = in_parallel(&candidates, A_SHARE, |taker| {
            let asker = evaluator.world.asker(&evaluator.nodes, taker);
            evaluator.administrator(&asker.caller, &asker.policies)
        });
        let found = candidates.iter().zip(found);
        found
            .filter_map(|(taker, permit)| Some((taker.node, permit?)))
            .collect()
    }

    /// Principals that would be administrators if they were given every permission, and under
    /// which conditions: what a boundary, their own denies and the organization leave.
    pub(super) fn administrators_if_granted(&self) -> BTreeMap<NodeId, Permit> {
        let evaluator = &self.evaluator;
        let (none, wanted) = (ActionSet::default(), sentinel_actions(&evaluator.actions));
        let questions = Questions {
            allowed: &none,
            denied: &wanted,
            resources: false,
        };
        let mut folder = Folder::new(evaluator, questions);
        let mut first_of: Vec<&Taker> = Vec::new();
        let mut class_of = Vec::new();
        for taker in &evaluator.world.takers {
            if taker.kind == TakerKind::Principal {
                let class = folder.class_of(taker, false);
                if class as usize == first_of.len() {
                    first_of.push(taker);
                }
                class_of.push((taker.node, class));
            }
        }
        let permits = in_parallel(&first_of, A_SHARE, |taker| {
            let asker = evaluator.world.asker(&evaluator.nodes, taker);
            evaluator.administrator_if_granted(&asker)
        });
        let permits = class_of
            .into_iter()
            .map(|(node, class)| (node, permits[class as usize].clone()));
        permits
            .filter_map(|(node, permit)| Some((node, permit?)))
            .collect()
    }
}
