//! The attack graph: who can reach what, over which permissions and trusts, under which
//! conditions. Built from relations and authorisation alone; knows no file format.
//!
//! The steps that the graph knows are data: a [`Catalogue`] of escalations, one YAML file each,
//! with the permissions that a step takes and what it gains. A [`Graph`] is built of an estate and
//! a catalogue, finds the crown jewels, and answers with [`AttackPath`]s.
//!
//! # Size
//!
//! A graph grows with its estate, not with the square of it. Policies are kept once each and
//! compiled when first asked about; principals that get the same answers are folded into classes,
//! and targets that answer alike into clusters, so that each class is asked about each cluster
//! once. A grant on many targets is one edge to a hub ([`NodeKind::Hub`]); whoever controls an
//! account has all that is in it through the account. What leads nowhere gets no edges, and is asked
//! about when someone wants to know. [`Graph::save`] and [`Graph::load`] keep a built graph.
//!
//! ```
//! use portreeve_graph::{Catalogue, Graph};
//! use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
//!
//! let assume_role = "
//! title: Assume the role
//! description: The role's trust policy lets the principal in.
//! techniques: [T1078.004]
//! references: [https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html]
//! target: {kind: role}
//! needs: [sts:AssumeRole on target]
//! yields: target
//! ";
//! let files = [("sts-assume-role.yml", assume_role)];
//! let (catalogue, errors) = Catalogue::parse(files.into_iter());
//! assert!(errors.is_empty());
//!
//! let (user, role) = ("arn:aws:iam::111122223333:user/dev", "arn:aws:iam::111122223333:role/deploy");
//! let mut estate = Estate::default();
//! estate.add(Entity::new(user, EntityKind::User));
//! estate.add(Entity::new(role, EntityKind::Role));
//! estate.relate(Relation::Policy {
//!     subject: role.into(),
//!     layer: PolicyLayer::Trust,
//!     name: "trust".into(),
//!     document: format!(
//!         r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{user}"}},"Action":"sts:AssumeRole"}}}}"#
//!     )
//!     .into(),
//! });
//!
//! let graph = Graph::build(&estate, &catalogue, &[]);
//! let path = graph.path("dev", "deploy").expect("the trust policy names the user");
//! assert_eq!(path.steps[0].via, "sts-assume-role");
//! assert!(graph.path("deploy", "dev").is_none());
//! ```

mod ask;
mod build;
mod catalogue;
mod change;
mod changed;
mod classes;
pub mod cut;
mod decide;
mod difference;
mod doors;
mod edges;
mod evaluate;
mod export;
mod graph;
mod jewels;
mod keys;
mod least;
mod leaves;
mod lists;
mod names;
mod naming;
mod nodes;
mod outline;
mod parallel;
mod path;
mod permit;
mod plan;
mod policies;
pub mod ports;
mod power;
#[cfg(test)]
mod random;
mod reverse;
mod roads;
mod saved;
mod search;
mod targets;
pub mod wildcard;
mod world;

pub use ask::{
    Access, AskError, Circumstances, Holder, Holders, LayerResult, LayerVerdict, Verdict,
};
pub use catalogue::{
    Catalogue, CatalogueError, Escalation, Example, Need, Origin, Permission, PermissionTarget,
    TargetKind, Yields,
};
pub use change::{Changes, Opening, OpeningKind};
pub use changed::{ChangedPolicy, PolicyFate, changed_policies};
pub use difference::{ChangedDoor, Difference, Way};
pub use doors::Door;
pub use export::{GraphEdge, GraphNode, NodeKind, Reached};
pub use graph::Graph;
pub use jewels::DeclaredJewel;
pub use keys::{Key, KeyKind, Power};
pub use least::{KeptAction, LeastPolicy, UsedAction, least_policy};
pub use path::{AttackPath, BlastRadius, Jewel, JewelKind, PathStep};
pub use roads::{Blast, BlastEntry, Hop, JewelReach};
pub use saved::{Inputs, LoadError, SaveError};
