//! The graph as it is, node by node and edge by edge, for whoever writes it in another form.

use std::sync::Arc;

use portreeve_model::EntityKind;

use crate::path::Jewel;

/// What a node of the graph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// Something of the estate, or someone outside whom its policies name.
    Entity(EntityKind),
    /// Many targets that the same grants lead to, so that the grant is one edge: an edge leads to
    /// the hub, and the hub leads to each of them at no cost.
    Hub,
}

impl NodeKind {
    /// The kebab-case name used in reports; `hub` for a hub.
    pub fn as_str(self) -> &'static str {
        match self {
            NodeKind::Hub => "hub",
            NodeKind::Entity(kind) => word(kind),
        }
    }
}

/// One node, as [`Graph::nodes`](crate::Graph::nodes) shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphNode<'g> {
    /// Its id; of an entity the estate's id. No two nodes of a graph share one.
    pub id: &'g str,
    /// What it is.
    pub kind: NodeKind,
    /// What a reader calls it.
    pub label: &'g str,
    /// The account that it is in, where that is known.
    pub account: Option<&'g str>,
    /// Whether it is known only because a policy names it.
    pub inferred: bool,
    /// Why it is a crown jewel, if it is one.
    pub jewel: Option<&'g Jewel>,
}

/// One edge, as [`Graph::edges`](crate::Graph::edges) shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphEdge<'g> {
    /// The id of the node that it leads from.
    pub from: &'g str,
    /// The id of the node that it leads to.
    pub to: &'g str,
    /// The id of the escalation or of the plain relation that makes it; `administers` from an
    /// account to what is in it, `covers` from a hub to its targets.
    pub via: &'g str,
    /// The step in words.
    pub title: &'g str,
    /// The permissions that it uses.
    pub permissions: Vec<&'g str>,
    /// The condition keys that must hold. Empty: the step is open now.
    pub conditions: Vec<&'g str>,
    /// The statements that allow it.
    pub statements: Vec<&'g str>,
    /// Whom one must be able to act as besides `from` to take the step, any one of them. Empty:
    /// nobody besides. A hub stands for all whom it covers.
    pub besides: Vec<&'g str>,
}

/// Something that a start reaches, as [`Graph::reached_from`](crate::Graph::reached_from) lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// What is reached.
    pub id: portreeve_model::EntityId,
    /// What it is.
    pub kind: EntityKind,
    /// In how many steps, by the way with the fewest conditions; 1 for what the start can take
    /// straight away.
    pub hops: u32,
    /// Every condition of that way, sorted. Empty: open now.
    pub conditions: Arc<[String]>,
    /// Whether it is a crown jewel that is held, not merely read.
    pub is_jewel: bool,
}

/// The kebab-case name of a kind.
pub(crate) fn word(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Organization => "organization",
        EntityKind::OrganizationalUnit => "organizational-unit",
        EntityKind::Account => "account",
        EntityKind::User => "user",
        EntityKind::Group => "group",
        EntityKind::Role => "role",
        EntityKind::Person => "person",
        EntityKind::PersonGroup => "person-group",
        EntityKind::PermissionSet => "permission-set",
        EntityKind::Service => "service",
        EntityKind::External => "external",
        EntityKind::AccessKey => "access-key",
        EntityKind::Password => "password",
        EntityKind::MfaDevice => "mfa-device",
        EntityKind::Policy => "policy",
        EntityKind::Bucket => "bucket",
        EntityKind::Key => "key",
        EntityKind::Secret => "secret",
        EntityKind::Parameter => "parameter",
        EntityKind::Queue => "queue",
        EntityKind::Topic => "topic",
        EntityKind::Function => "function",
        EntityKind::Instance => "instance",
        EntityKind::LaunchTemplate => "launch-template",
        EntityKind::Task => "task",
        EntityKind::ContainerService => "container-service",
        EntityKind::Cluster => "cluster",
        EntityKind::BuildProject => "build-project",
        EntityKind::Stack => "stack",
        EntityKind::DataJob => "data-job",
        EntityKind::Application => "application",
        EntityKind::ImageRepository => "image-repository",
        EntityKind::Distribution => "distribution",
        EntityKind::Database => "database",
        EntityKind::Wallet => "wallet",
        EntityKind::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_reports() {
        for kind in [
            EntityKind::OrganizationalUnit,
            EntityKind::PersonGroup,
            EntityKind::MfaDevice,
            EntityKind::BuildProject,
            EntityKind::User,
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), word(kind));
        }
    }
}
