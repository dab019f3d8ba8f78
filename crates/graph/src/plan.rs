//! Escalations of the catalogue, with what of an estate they can be taken on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalogue::{Escalation, Need, PermissionTarget};
use crate::nodes::{NodeId, Nodes};

/// An escalation with what it can be taken on in this estate.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) escalation: Arc<Escalation>,
    /// Needs on the target, by their place.
    on_target: Vec<usize>,
    /// Needs that are the same whatever the target.
    at_large: Vec<usize>,
    /// Targets to which edges are made.
    pub(crate) core: Targets,
    /// Targets that lead nowhere: asked about when someone asks.
    pub(crate) leaves: Targets,
}

impl Plan {
    pub(crate) fn of(escalation: Arc<Escalation>) -> Self {
        let hangs_on_target = |need: &Need| {
            need.any_of
                .iter()
                .any(|permission| !matches!(permission.on, PermissionTarget::Some(_)))
        };
        let (on_target, at_large) = (0..escalation.needs.len())
            .partition(|&place| hangs_on_target(&escalation.needs[place]));
        Self {
            escalation,
            on_target,
            at_large,
            core: Targets::default(),
            leaves: Targets::default(),
        }
    }

    pub(crate) fn target_needs(&self) -> impl Iterator<Item = &Need> {
        self.on_target
            .iter()
            .map(|&place| &self.escalation.needs[place])
    }

    pub(crate) fn needs_at_large(&self) -> impl Iterator<Item = &Need> {
        self.at_large
            .iter()
            .map(|&place| &self.escalation.needs[place])
    }
}

/// Targets of one escalation, by account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    pub(crate) by_account: BTreeMap<String, Vec<NodeId>>,
    pub(crate) unplaced: Vec<NodeId>,
    pub(crate) all: Vec<NodeId>,
}

impl Targets {
    /// Targets in their order.
    pub(crate) fn of(nodes: &Nodes, list: impl IntoIterator<Item = NodeId>) -> Self {
        let mut targets = Self::default();
        list.into_iter().for_each(|node| targets.push(nodes, node));
        targets
    }

    /// Adds a target. Targets are added in their order.
    pub(crate) fn push(&mut self, nodes: &Nodes, node: NodeId) {
        match &nodes.get(node).account {
            Some(account) => match self.by_account.get_mut(account) {
                Some(list) => list.push(node),
                None => {
                    self.by_account.insert(account.clone(), vec![node]);
                }
            },
            None => self.unplaced.push(node),
        }
        self.all.push(node);
    }

    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.all.binary_search(&node).is_ok()
    }
}
