//! What the inventory shows of a spot, and whether its silence says anything.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{
    Entity, EntityId, EntityKind, Estate, Held, PolicyLayer, Relation, Spot, Timestamp,
};

use crate::arn;

/// The inventory as it was read, before conclusions, ready to be asked for spots.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) estate: Estate,
    relations: BTreeSet<Relation>,
    /// Texts by subject, layer and name; the name is empty where a subject has but one.
    documents: BTreeMap<(EntityId, PolicyLayer, String), Held>,
    boundaries: BTreeMap<EntityId, String>,
    roles: BTreeMap<EntityId, String>,
    /// The account from which the organization is administered.
    management: Option<String>,
    /// Formats that were read, by account.
    read: BTreeSet<(String, String)>,
}

impl Shown {
    pub(super) fn new(mut estate: Estate) -> Self {
        estate.finish();
        let mut shown = Self {
            relations: estate.relations().iter().cloned().collect(),
            documents: BTreeMap::new(),
            boundaries: BTreeMap::new(),
            roles: BTreeMap::new(),
            management: None,
            read: BTreeSet::new(),
            estate: Estate::default(),
        };
        for relation in estate.relations() {
            match relation {
                Relation::Policy {
                    subject,
                    layer: PolicyLayer::Boundary,
                    name,
                    ..
                } => {
                    shown.boundaries.insert(subject.clone(), name.clone());
                }
                Relation::Policy {
                    subject,
                    layer,
                    name,
                    document,
                } if !document.is_empty() => {
                    let key = (subject.clone(), *layer, spot_name(*layer, name).to_owned());
                    // Files of different days may differ.
                    let held = Held::Text(document.clone());
                    shown
                        .documents
                        .entry(key)
                        .and_modify(|known| *known = Held::Something)
                        .or_insert(held);
                }
                Relation::RunsAs {
                    workload,
                    principal,
                } => {
                    shown.roles.insert(workload.clone(), principal.to_string());
                }
                Relation::ManagementAccount { account } => {
                    shown.management = account.aws_account().map(str::to_owned);
                }
                _ => {}
            }
        }
        for entity in estate.entities() {
            let account = entity.account.clone().unwrap_or_default();
            for name in entity.attributes.keys() {
                if let Some(format) = name.strip_prefix("Inventory:") {
                    shown.read.insert((account.clone(), format.to_owned()));
                }
            }
        }
        shown.estate = estate;
        shown
    }

    /// The account from which the organization is administered.
    pub(super) fn management(&self) -> Option<&str> {
        self.management.as_deref()
    }

    fn is_read(&self, account: &str, format: &str) -> bool {
        self.read.contains(&(account.to_owned(), format.to_owned()))
    }

    /// The account whose logs hold a spot's changes; none where that is not known.
    pub(super) fn home(&self, spot: &Spot) -> Option<String> {
        let in_organization = match spot {
            Spot::Entity { kind, .. } => matches!(
                kind,
                EntityKind::Organization
                    | EntityKind::OrganizationalUnit
                    | EntityKind::PermissionSet
            ),
            Spot::Relation(Relation::Policy { layer, .. }) | Spot::Document { layer, .. } => {
                is_organizations(*layer)
            }
            Spot::Relation(Relation::Contains { .. }) => true,
            _ => false,
        };
        if in_organization {
            return self.management.clone();
        }
        self.account_of(spot.subject())
    }

    /// The account that an entity is in.
    pub(super) fn account_of(&self, id: &EntityId) -> Option<String> {
        let id = id
            .as_str()
            .strip_prefix("password:")
            .map_or_else(|| id.clone(), EntityId::from);
        id.aws_account()
            .filter(|_| !id.as_str().contains(":sso:"))
            .map(str::to_owned)
            .or_else(|| self.estate.get(id.as_str())?.account.clone())
            .or_else(|| {
                self.management
                    .clone()
                    .filter(|_| !id.as_str().starts_with("AKIA"))
            })
    }

    /// What the inventory shows; unknown where its silence says nothing.
    pub(super) fn held(&self, spot: &Spot) -> Held {
        let told = match spot {
            Spot::Entity { id, .. } => {
                let entity = self.estate.get(id.as_str());
                entity.filter(|it| !it.inferred).map(|_| Held::there())
            }
            Spot::Relation(relation) => self.relations.contains(relation).then(Held::there),
            Spot::Document {
                subject,
                layer,
                name,
            } => {
                let key = (subject.clone(), *layer, spot_name(*layer, name).to_owned());
                self.documents.get(&key).cloned()
            }
            Spot::Version { .. } => return Held::Unknown,
            Spot::Boundary { subject } => self.boundaries.get(subject).map(|it| told(it)),
            Spot::RunsAs { workload } => self.roles.get(workload).map(|it| told(it)),
            Spot::Tag { entity, key } => self
                .entity(entity)
                .and_then(|it| it.tags.get(key))
                .map(|it| told(it)),
            Spot::Attribute { entity, name } => self
                .entity(entity)
                .and_then(|it| it.attributes.get(name))
                .map(|it| told(it)),
        };
        match told {
            Some(held) => held,
            None if self.is_listed(spot) => Held::Nothing,
            None => Held::Unknown,
        }
    }

    fn entity(&self, id: &EntityId) -> Option<&Entity> {
        self.estate.get(id.as_str())
    }

    /// Whether the inventory would show what the spot holds, so that it holds nothing where the
    /// inventory shows nothing.
    fn is_listed(&self, spot: &Spot) -> bool {
        let subject = spot.subject();
        let account = self.account_of(subject).unwrap_or_default();
        let identities = || self.is_read(&account, "aws.account-authorization-details");
        match spot {
            Spot::Relation(Relation::Contains { .. }) => self.organization_is_read(),
            Spot::Relation(Relation::Policy { layer, .. }) | Spot::Document { layer, .. }
                if is_organizations(*layer) =>
            {
                self.organization_is_read()
            }
            Spot::Entity { kind, .. } => match kind {
                EntityKind::User | EntityKind::Role | EntityKind::Group | EntityKind::Policy => {
                    identities()
                }
                EntityKind::AccessKey => self.read.iter().any(|(_, it)| it == "aws.access-keys"),
                EntityKind::Password => self.is_read(&account, "aws.credential-report"),
                EntityKind::PermissionSet => {
                    self.read.iter().any(|(_, it)| it == "aws.identity-center")
                }
                EntityKind::OrganizationalUnit => self.organization_is_read(),
                _ => format_of(*kind).is_some_and(|format| self.is_read(&account, format)),
            },
            Spot::Document {
                layer: PolicyLayer::Resource,
                ..
            } => match self.entity(subject) {
                // As everywhere: a resource that is listed without its policy counts as one
                // without, and a blind spot says so.
                Some(entity) => !entity.inferred,
                None => false,
            },
            _ if subject.as_str().contains(":iam:") => identities(),
            _ => self.entity(subject).is_some_and(|entity| !entity.inferred),
        }
    }

    fn organization_is_read(&self) -> bool {
        self.read
            .iter()
            .any(|(_, format)| format == "aws.organizations")
    }

    /// When the inventory says that an entity was made, for those that are there.
    pub(super) fn made(&self) -> impl Iterator<Item = (&Entity, Timestamp)> {
        self.estate
            .entities()
            .filter(|entity| !entity.inferred)
            .filter_map(|entity| {
                let told = ["CreateDate", "CreationDate", "CreatedDate"];
                let date = told.iter().find_map(|name| entity.attributes.get(*name))?;
                // A bucket's date is that of its last change where its name was used before.
                Some((entity, date.parse().ok()?))
            })
    }

    /// The newest date that the inventory holds: it was made no earlier.
    pub(super) fn newest_date(&self) -> Option<Timestamp> {
        self.estate
            .entities()
            .flat_map(|entity| &entity.attributes)
            .filter(|(name, _)| {
                ["Date", "Used", "Rotated", "LastChanged"]
                    .iter()
                    .any(|ending| name.ends_with(ending))
            })
            .filter_map(|(_, value)| value.parse().ok())
            .max()
    }
}

fn told(text: &str) -> Held {
    Held::told(Some(text))
}

/// Layers of policies that the organization attaches.
pub(super) fn is_organizations(layer: PolicyLayer) -> bool {
    matches!(
        layer,
        PolicyLayer::ServiceControl | PolicyLayer::ResourceControl
    )
}

/// The name under which a policy is one spot: of those of which a subject has but one, none.
pub(super) fn spot_name(layer: PolicyLayer, name: &str) -> &str {
    match layer {
        PolicyLayer::Trust | PolicyLayer::Resource | PolicyLayer::Boundary => "",
        _ => name,
    }
}

/// The format that lists resources of a kind.
fn format_of(kind: EntityKind) -> Option<&'static str> {
    Some(match kind {
        EntityKind::Bucket => "aws.buckets",
        EntityKind::Key => "aws.keys",
        EntityKind::Secret => "aws.secrets",
        EntityKind::Queue => "aws.queues",
        EntityKind::Topic => "aws.topics",
        EntityKind::Function => "aws.functions",
        EntityKind::ImageRepository => "aws.image-repositories",
        EntityKind::Instance => "aws.instances",
        _ => return None,
    })
}

/// Whether a resource of this kind can have a policy of its own.
pub(super) fn has_policy(kind: EntityKind) -> bool {
    matches!(
        kind,
        EntityKind::Bucket
            | EntityKind::Key
            | EntityKind::Secret
            | EntityKind::Queue
            | EntityKind::Topic
            | EntityKind::Function
            | EntityKind::ImageRepository
    )
}

/// Whether an id is of an account's.
pub(super) fn is_account(id: &EntityId) -> bool {
    id.aws_account()
        .is_some_and(|account| arn::account(account) == id.as_str())
}
