use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{EntityId, PrincipalKind};

/// One fact that ties entities together. Estates are turned into relations, and the attack graph
/// is built of relations and of nothing else, so that a new inventory format needs no change to
/// the graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "relation")]
pub enum Relation {
    /// `child` is inside `parent`: account in unit, unit in organization, resource in account.
    Contains {
        /// The container.
        parent: EntityId,
        /// What it contains.
        child: EntityId,
    },
    /// `account` is the organization's management account, which service control policies do not bind.
    ManagementAccount {
        /// The account.
        account: EntityId,
    },
    /// `member` has the permissions of `group`.
    MemberOf {
        /// The user or person.
        member: EntityId,
        /// The group.
        group: EntityId,
    },
    /// A policy document holds for `subject`.
    Policy {
        /// What it is attached to: principal, resource, role, organization node.
        subject: EntityId,
        /// In what capacity.
        layer: PolicyLayer,
        /// Its name: the managed policy's ARN, or the inline policy's name.
        name: String,
        /// The JSON text.
        document: Arc<str>,
    },
    /// `credential` proves `principal`.
    Proves {
        /// The key or password.
        credential: EntityId,
        /// Whose it is.
        principal: EntityId,
    },
    /// `workload` acts as `principal`.
    RunsAs {
        /// The function, instance, task, project.
        workload: EntityId,
        /// The role.
        principal: EntityId,
    },
    /// `workload` runs images of `repository`.
    Pulls {
        /// The workload.
        workload: EntityId,
        /// The image repository.
        repository: EntityId,
    },
    /// `distribution` serves `origin`'s content to the public.
    Serves {
        /// The distribution.
        distribution: EntityId,
        /// The bucket or endpoint behind it.
        origin: EntityId,
    },
    /// `person` gets `role` through a permission set assigned in the role's account.
    SignsInAs {
        /// The person.
        person: EntityId,
        /// The permission set's role in one account.
        role: EntityId,
    },
    /// Reading `store` gives `credential` or the means to act as the principal.
    Stores {
        /// The secret or parameter.
        store: EntityId,
        /// What it holds.
        credential: EntityId,
    },
    /// Whoever has `signer` sign, or reads it, signs for `wallet` alone.
    SignsFor {
        /// A key of a key management service, or the secret that holds the private key.
        signer: EntityId,
        /// The wallet.
        wallet: EntityId,
    },
    /// `owner` is one of those of whom some together sign for `wallet`, a Safe.
    OwnerOf {
        /// The owner's own wallet, or the key that signs for it.
        owner: EntityId,
        /// The Safe.
        wallet: EntityId,
        /// How many owners must sign; none where that is not known.
        threshold: Option<u64>,
        /// How many owners there are.
        owners: u64,
    },
    /// What kind of principal it is, as far as the inventory tells.
    Kind {
        /// The principal.
        principal: EntityId,
        /// Person, workload, pipeline, service.
        kind: PrincipalKind,
    },
}

/// In what capacity a policy document holds: the layers of AWS policy evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyLayer {
    /// Grants to a principal: user, group or role, managed or inline.
    Identity,
    /// Grants on a resource: bucket, key, queue, secret, function, repository.
    Resource,
    /// Lets a principal use a KMS key beside the key's policy. The document is no policy but the
    /// grant, in the shape of KMS's `ListGrants`; its name is `grant:ID`.
    Grant,
    /// Who may assume a role.
    Trust,
    /// The most that a principal may have.
    Boundary,
    /// The most that a session may have.
    Session,
    /// The most that any principal of an account may have (organization node).
    ServiceControl,
    /// The most that anyone may have on an account's resources (organization node).
    ResourceControl,
}

impl PolicyLayer {
    /// The kebab-case name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyLayer::Identity => "identity",
            PolicyLayer::Resource => "resource",
            PolicyLayer::Grant => "grant",
            PolicyLayer::Trust => "trust",
            PolicyLayer::Boundary => "boundary",
            PolicyLayer::Session => "session",
            PolicyLayer::ServiceControl => "service-control",
            PolicyLayer::ResourceControl => "resource-control",
        }
    }
}
