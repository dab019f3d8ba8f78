//! Which spots there are of an entity and of a relation, and what they are called.

use portreeve_model::{EntityId, EntityKind, PolicyLayer, Relation, Spot};

use super::shown::{is_account, is_organizations, spot_name};

/// Users, roles and groups can only be deleted when they hold no policies and no memberships:
/// `DeleteConflict` of `DeleteUser`, `DeleteRole` and `DeleteGroup` in IAM's API reference.
pub(super) fn must_be_gone(spot: &Spot) -> bool {
    let is_identity = |id: &EntityId| {
        [":user/", ":role/", ":group/"]
            .iter()
            .any(|kind| id.as_str().contains(kind))
    };
    match spot {
        Spot::Document {
            subject,
            layer: PolicyLayer::Identity,
            ..
        }
        | Spot::Relation(Relation::Policy {
            subject,
            layer: PolicyLayer::Identity,
            ..
        }) => is_identity(subject),
        Spot::Relation(Relation::MemberOf { .. }) => true,
        _ => false,
    }
}

/// Whether a user, role or group is there.
pub(super) fn identity(id: &EntityId) -> Option<Spot> {
    let kinds = [
        (":user/", EntityKind::User),
        (":role/", EntityKind::Role),
        (":group/", EntityKind::Group),
    ];
    let is = |kind: &str| id.as_str().starts_with("arn:") && id.as_str().contains(kind);
    let (_, kind) = kinds.iter().find(|(part, _)| is(part))?;
    Some(Spot::Entity {
        id: id.clone(),
        kind: *kind,
    })
}

pub(super) fn trust_of(role: &EntityId) -> Spot {
    Spot::Document {
        subject: role.clone(),
        layer: PolicyLayer::Trust,
        name: String::new(),
    }
}

/// Stands for whatever policy is on no line of its own.
pub(super) fn any_policy(id: &EntityId) -> Spot {
    let is_identity = id.as_str().contains(":iam:");
    Spot::Document {
        subject: id.clone(),
        layer: match is_identity {
            true => PolicyLayer::Identity,
            false => PolicyLayer::Resource,
        },
        name: if is_identity { "*" } else { "" }.to_owned(),
    }
}

/// The spot whose holding a relation of the inventory shows; none for what no call changes.
pub(super) fn spot_of(relation: &Relation) -> Option<Spot> {
    match relation {
        // The provider's own policies are changed by the provider.
        Relation::Policy { subject, .. } if subject.as_str().contains(":iam::aws:") => None,
        Relation::Policy { subject, .. } if subject.as_str().contains(":organizations::aws:") => {
            None
        }
        Relation::Policy {
            subject,
            layer: PolicyLayer::Boundary,
            ..
        } => Some(Spot::Boundary {
            subject: subject.clone(),
        }),
        Relation::Policy { document, .. } if document.is_empty() => {
            Some(Spot::Relation(relation.clone()))
        }
        Relation::Policy {
            subject,
            layer,
            name,
            ..
        } => Some(Spot::Document {
            subject: subject.clone(),
            layer: *layer,
            name: spot_name(*layer, name).to_owned(),
        }),
        Relation::MemberOf { .. } => Some(Spot::Relation(relation.clone())),
        Relation::Contains { child, .. } if is_account(child) => {
            Some(Spot::Relation(relation.clone()))
        }
        _ => None,
    }
}

/// A spot as reports name it.
pub(super) fn words(spot: &Spot) -> String {
    let name = |id: &EntityId| match (is_account(id), id.aws_account()) {
        (true, Some(account)) => format!("account {account}"),
        _ => id.short_name().to_owned(),
    };
    match spot {
        Spot::Entity { id, .. } => name(id),
        Spot::Relation(Relation::Policy {
            subject,
            name: policy,
            ..
        }) => {
            let policy = EntityId::from(policy.as_str());
            format!("{}'s policy {}", name(subject), policy.short_name())
        }
        Spot::Relation(Relation::MemberOf { member, group }) => {
            format!("{}'s membership of {}", name(member), name(group))
        }
        Spot::Relation(_) => format!("{}'s place", name(spot.subject())),
        Spot::Document {
            subject,
            name: policy,
            ..
        } if policy == subject.as_str() => name(subject),
        Spot::Document {
            subject,
            layer,
            name: policy,
        } if policy.is_empty() || is_organizations(*layer) => {
            format!("{}'s {} policy", name(subject), layer.as_str())
        }
        Spot::Document {
            subject,
            name: policy,
            ..
        } => format!("{}'s policy {policy}", name(subject)),
        Spot::Version { policy, version } => format!("{} {version}", name(policy)),
        Spot::Boundary { subject } => format!("{}'s boundary", name(subject)),
        Spot::RunsAs { workload } => format!("{}'s role", name(workload)),
        Spot::Tag { entity, key } => format!("{}'s tag {key}", name(entity)),
        Spot::Attribute { entity, name: what } => format!("{}'s {what}", name(entity)),
    }
}
