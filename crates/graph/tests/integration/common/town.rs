//! Estates of a few principals, put together by hand.

use portreeve_graph::Graph;
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

#[derive(Default)]
pub(crate) struct Town(pub(crate) Estate);

impl Town {
    pub(crate) fn entity(mut self, id: &str, kind: EntityKind) -> Self {
        self.0.add(Entity::new(id, kind));
        self
    }

    pub(crate) fn policy(mut self, subject: &str, layer: PolicyLayer, statements: Value) -> Self {
        self.0.relate(Relation::Policy {
            subject: subject.into(),
            layer,
            name: format!("{}-{}", layer.as_str(), self.0.relations().len()),
            document: json!({"Version": "2012-10-17", "Statement": statements})
                .to_string()
                .into(),
        });
        self
    }

    pub(crate) fn allow(self, subject: &str, action: impl Into<Value>, resource: &str) -> Self {
        let action: Value = action.into();
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
        self.policy(subject, PolicyLayer::Identity, statement)
    }

    /// A role that lets a principal in, as its trust policy writes it.
    pub(crate) fn role(self, id: &str, principal: Value) -> Self {
        let statement =
            json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        self.entity(id, EntityKind::Role)
            .policy(id, PolicyLayer::Trust, statement)
    }

    pub(crate) fn relate(mut self, relation: Relation) -> Self {
        self.0.relate(relation);
        self
    }

    pub(crate) fn runs_as(self, workload: &str, kind: EntityKind, principal: &str) -> Self {
        self.entity(workload, kind).relate(Relation::RunsAs {
            workload: workload.into(),
            principal: principal.into(),
        })
    }

    pub(crate) fn graph(mut self) -> Graph {
        self.0.finish();
        Graph::build(&self.0, &super::catalogue(), &[])
    }

    /// The steps of the best way.
    pub(crate) fn way(self, from: &str, to: &str) -> Vec<String> {
        let path = self.graph().path(from, to);
        let steps = path.into_iter().flat_map(|path| path.steps);
        steps.map(|step| step.via).collect()
    }
}
