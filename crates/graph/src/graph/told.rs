//! Steps in words: what is taken, by what right, under which conditions.

use super::Graph;
use crate::edges::{Edge, Text};
use crate::nodes::NodeId;
use crate::path::PathStep;
use crate::permit::Permit;
use crate::plan::Plan;
use crate::search::{Last, Reach};

/// The step from an account to what is in it.
pub(super) const ADMINISTERS: &str = "Take it as the account's administrator";

impl Graph {
    pub(super) fn step_taken(&self, reach: &Reach, last: Last, to: NodeId) -> Option<PathStep> {
        match last {
            Last::Start => None,
            Last::Member(from) => Some(self.administers(from, to)),
            Last::Edge(from, edge) => Some(self.path_step(from, to, self.edges.edge(edge))),
            Last::Quorum(place, from) => {
                let quorum = self.edges.quorums.get(place as usize)?;
                let mut step = self.path_step(from, to, &quorum.edge);
                // What it takes to reach the others is not on the way that is shown.
                step.conditions.extend(self.words(reach.conditions(to)));
                step.conditions.sort_unstable();
                step.conditions.dedup();
                Some(step)
            }
            Last::Grant(place, holder) => {
                let grant = self.edges.grants.get(place as usize)?;
                let (who, _) = *self.edges.holders(grant.holders).get(holder as usize)?;
                let mut step = self.path_step(grant.by, to, &grant.edge);
                step.title = self.title_of(place, holder);
                step.conditions.extend(self.words(reach.conditions(who)));
                step.conditions.sort_unstable();
                step.conditions.dedup();
                Some(step)
            }
        }
    }

    /// The title of a grant's step for one of its holders: where there are several, the detail
    /// leaves out what it is taken on.
    pub(super) fn title_of(&self, place: u32, holder: u32) -> String {
        let grant = &self.edges.grants[place as usize];
        let title = self.edges.texts.get(self.edges.detail(&grant.edge).title);
        match self.edges.holders(grant.holders) {
            several if several.len() > 1 => {
                let target = several.get(holder as usize).map(|(_, target)| *target);
                let name = target.map(|target| self.evaluator.nodes.id(target).short_name());
                format!("{title} ({})", name.unwrap_or_default())
            }
            _ => title.to_owned(),
        }
    }

    pub(super) fn administers(&self, from: NodeId, to: NodeId) -> PathStep {
        let nodes = &self.evaluator.nodes;
        PathStep {
            from: nodes.id(from).clone(),
            to: nodes.id(to).clone(),
            via: "administers".to_owned(),
            title: ADMINISTERS.to_owned(),
            permissions: Vec::new(),
            conditions: Vec::new(),
            statements: Vec::new(),
        }
    }

    pub(super) fn path_step(&self, from: NodeId, to: NodeId, edge: &Edge) -> PathStep {
        let nodes = &self.evaluator.nodes;
        let detail = self.edges.detail(edge);
        PathStep {
            from: nodes.id(from).clone(),
            to: nodes.id(to).clone(),
            via: self.edges.texts.get(detail.via).to_owned(),
            title: self.edges.texts.get(detail.title).to_owned(),
            permissions: self.words(&detail.permissions),
            conditions: self.words(&detail.conditions),
            statements: self.words(&detail.statements),
        }
    }

    pub(super) fn catalogue_step(
        &self,
        from: NodeId,
        to: NodeId,
        plan: &Plan,
        permit: &Permit,
    ) -> PathStep {
        let nodes = &self.evaluator.nodes;
        PathStep {
            from: nodes.id(from).clone(),
            to: nodes.id(to).clone(),
            via: plan.escalation.id.clone(),
            title: plan.escalation.title.clone(),
            permissions: permit.permissions.clone(),
            conditions: permit.conditions.iter().cloned().collect(),
            statements: permit.statements.clone(),
        }
    }

    pub(super) fn words(&self, texts: &[Text]) -> Vec<String> {
        let words = texts.iter().map(|&text| self.edges.texts.get(text));
        words.map(str::to_owned).collect()
    }
}
