//! The estate as checks look at it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_authz::Decision;
use portreeve_graph::{Access, Circumstances, Graph, JewelKind};
use portreeve_model::{
    Entity, EntityId, EntityKind, Estate, PolicyLayer, PrincipalKind, Relation, Severity,
};
use serde_json::Value;

use crate::policy::{Statement, statements};
use crate::settings::Settings;

/// The format that holds the policies of users, groups and roles.
pub(crate) const POLICIES: &str = "aws.account-authorization-details";

/// A policy as it is attached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attached<'e> {
    pub(crate) layer: PolicyLayer,
    pub(crate) name: &'e str,
    pub(crate) document: &'e str,
}

impl Attached<'_> {
    pub(crate) fn statements(&self) -> Vec<Statement> {
        statements(self.document)
    }
}

/// Who may do something, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holders {
    pub(crate) allowed: Vec<EntityId>,
    /// For whom it hangs on what is not known.
    pub(crate) depends: Vec<EntityId>,
    /// Who may, and may be a person.
    pub(crate) unclear: Vec<EntityId>,
    /// Whether the policies of those who live beside the thing were not seen.
    pub(crate) unseen: bool,
}

/// An estate, its graph and what the user set, made ready for checks.
pub struct Scene<'e> {
    pub(crate) estate: &'e Estate,
    pub(crate) graph: &'e Graph,
    pub(crate) settings: &'e Settings,
    /// The moment for which ages are told.
    pub(crate) as_of: Timestamp,
    policies: BTreeMap<&'e EntityId, Vec<Attached<'e>>>,
    credentials: BTreeMap<&'e EntityId, Vec<&'e Entity>>,
    workloads: BTreeMap<&'e EntityId, Vec<&'e EntityId>>,
    groups: BTreeMap<&'e EntityId, Vec<&'e EntityId>>,
    accounts: Vec<&'e Entity>,
    /// Listed entities by service and type, as their ARNs say.
    types: BTreeMap<(&'e str, &'e str), Vec<&'e Entity>>,
    /// Managed policies by their ARN: document and holders.
    managed: BTreeMap<&'e str, (&'e str, Vec<&'e EntityId>)>,
    kinds: BTreeMap<&'e EntityId, PrincipalKind>,
    parents: BTreeMap<&'e EntityId, &'e EntityId>,
    management: BTreeSet<&'e EntityId>,
    access: OnceCell<Access<'e>>,
    jewels: BTreeMap<EntityId, JewelKind>,
}

impl<'e> Scene<'e> {
    /// Makes an estate ready.
    pub fn new(
        estate: &'e Estate,
        graph: &'e Graph,
        settings: &'e Settings,
        as_of: Timestamp,
    ) -> Self {
        let mut scene = Self {
            estate,
            graph,
            settings,
            as_of,
            policies: BTreeMap::new(),
            credentials: BTreeMap::new(),
            workloads: BTreeMap::new(),
            groups: BTreeMap::new(),
            managed: BTreeMap::new(),
            types: BTreeMap::new(),
            accounts: estate
                .entities()
                .filter(|entity| entity.kind == EntityKind::Account && !entity.inferred)
                .filter(|account| account.id.as_str().ends_with(":root"))
                .collect(),
            kinds: BTreeMap::new(),
            parents: BTreeMap::new(),
            management: BTreeSet::new(),
            access: OnceCell::new(),
            jewels: graph
                .jewels()
                .into_iter()
                .map(|jewel| (jewel.id, jewel.kind))
                .collect(),
        };
        for entity in estate.entities().filter(|entity| !entity.inferred) {
            if let Some(kind) = arn_type(&entity.id) {
                scene.types.entry(kind).or_default().push(entity);
            }
        }
        for relation in estate.relations() {
            match relation {
                Relation::Policy {
                    subject,
                    layer,
                    name,
                    document,
                } => {
                    if *layer == PolicyLayer::Identity && name.starts_with("arn:") {
                        let policy = scene.managed.entry(name).or_insert((document, Vec::new()));
                        if subject.as_str() != name {
                            policy.1.push(subject);
                        }
                    }
                    scene.policies.entry(subject).or_default().push(Attached {
                        layer: *layer,
                        name,
                        document,
                    });
                }
                Relation::Proves {
                    credential,
                    principal,
                } => {
                    let credential = estate.get(credential.as_str());
                    let list = scene.credentials.entry(principal).or_default();
                    list.extend(credential);
                }
                Relation::RunsAs {
                    workload,
                    principal,
                } => scene.workloads.entry(workload).or_default().push(principal),
                Relation::MemberOf { member, group } => {
                    scene.groups.entry(member).or_default().push(group);
                }
                Relation::Kind { principal, kind } => {
                    scene.kinds.insert(principal, *kind);
                }
                Relation::Contains { parent, child } => {
                    scene.parents.entry(child).or_insert(parent);
                }
                Relation::ManagementAccount { account } => {
                    scene.management.insert(account);
                }
                _ => {}
            }
        }
        scene
    }

    /// All entities of a kind that the inventory lists.
    pub(crate) fn of_kind(&self, kind: EntityKind) -> impl Iterator<Item = &'e Entity> {
        let entities = self.estate.entities();
        entities.filter(move |entity| entity.kind == kind && !entity.inferred)
    }

    /// All entities whose ARN is of a service and a type, as `ec2` and `security-group/`.
    pub(crate) fn of_type(
        &self,
        service: &'static str,
        resource: &'static str,
    ) -> impl Iterator<Item = &'e Entity> + use<'e, '_> {
        let found = self.types.get(&(service, resource));
        found.into_iter().flatten().copied()
    }

    /// The accounts of which the inventory holds something.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &'e Entity> + use<'e, '_> {
        self.accounts.iter().copied()
    }

    /// The account that something is in.
    pub(crate) fn account_of(&self, entity: &Entity) -> Option<&'e Entity> {
        let number = entity.account.as_deref()?;
        let id = format!("arn:aws:iam::{number}:root");
        self.estate.get(&id).filter(|account| !account.inferred)
    }

    /// Whether an account is in the organization that the inventory has.
    pub(crate) fn is_in_organization(&self, account: &Entity) -> bool {
        self.parents.contains_key(&account.id)
    }

    /// What an account is in, the nearest first: units up to the organization.
    pub(crate) fn levels(&self, account: &Entity) -> Vec<&'e EntityId> {
        let mut levels: Vec<&EntityId> = Vec::new();
        let mut at = &account.id;
        while let Some(parent) = self.parents.get(at) {
            if levels.contains(parent) {
                break;
            }
            levels.push(parent);
            at = parent;
        }
        levels
    }

    /// Whether service control policies do not bind an account.
    pub(crate) fn is_management(&self, account: &Entity) -> bool {
        self.management.contains(&account.id)
    }

    /// Whether a format was read for an account.
    pub(crate) fn was_read(&self, account: &Entity, format: &str) -> bool {
        let mark = format!("Inventory:{format}");
        account.attributes.contains_key(&mark)
    }

    /// The policies that are attached to something.
    pub(crate) fn policies(&self, subject: &EntityId) -> &[Attached<'e>] {
        self.policies.get(subject).map_or(&[], Vec::as_slice)
    }

    /// Those of one layer.
    pub(crate) fn policies_of(
        &self,
        subject: &EntityId,
        layer: PolicyLayer,
    ) -> impl Iterator<Item = &Attached<'e>> {
        let policies = self.policies(subject).iter();
        policies.filter(move |policy| policy.layer == layer)
    }

    /// A managed policy's document, and what it is attached to. The document is that of whoever has
    /// it, or of the policy itself where nobody does.
    pub(crate) fn managed(&self, policy: &EntityId) -> (Option<&'e str>, &[&'e EntityId]) {
        let found = self.managed.get(policy.as_str());
        found.map_or((None, &[]), |(document, holders)| {
            (Some(*document), holders.as_slice())
        })
    }

    /// What is attached to a principal or to a group that it is in.
    pub(crate) fn identity_policies(&self, principal: &EntityId) -> Vec<Attached<'e>> {
        let groups = self.groups(principal).iter().copied();
        std::iter::once(principal)
            .chain(groups)
            .flat_map(|subject| self.policies_of(subject, PolicyLayer::Identity))
            .copied()
            .collect()
    }

    /// The groups that someone is in.
    pub(crate) fn groups(&self, member: &EntityId) -> &[&'e EntityId] {
        self.groups.get(member).map_or(&[], Vec::as_slice)
    }

    /// The credentials of a principal of one kind.
    pub(crate) fn credentials(
        &self,
        principal: &EntityId,
        kind: EntityKind,
    ) -> impl Iterator<Item = &'e Entity> {
        let all = self.credentials.get(principal).into_iter().flatten();
        all.copied().filter(move |entity| entity.kind == kind)
    }

    /// The access keys of a user or of the root user, as the credential report tells them.
    pub(crate) fn reported_keys(&self, principal: &EntityId) -> impl Iterator<Item = &'e Entity> {
        let keys = self.credentials(principal, EntityKind::AccessKey);
        keys.filter(|key| key.id.as_str().contains("#access-key-"))
    }

    /// The principals that a workload runs as.
    pub(crate) fn roles_of(&self, workload: &EntityId) -> &[&'e EntityId] {
        self.workloads.get(workload).map_or(&[], Vec::as_slice)
    }

    /// What kind of principal something is.
    pub(crate) fn principal_kind(&self, principal: &EntityId) -> PrincipalKind {
        let known = self.kinds.get(principal).copied();
        known.unwrap_or(PrincipalKind::Unknown)
    }

    /// Whether the policies of an account's users and roles are in the inventory. Without them nobody
    /// seems to be allowed anything.
    pub(crate) fn are_policies_seen(&self, of: &Entity) -> bool {
        let account = self.account_of(of);
        account.is_some_and(|account| self.was_read(account, POLICIES))
    }

    /// Users and roles whose policies are in the inventory.
    pub(crate) fn principals(&self) -> impl Iterator<Item = &'e Entity> {
        self.of_kind(EntityKind::User)
            .chain(self.of_kind(EntityKind::Role))
            .filter(|principal| self.are_policies_seen(principal))
    }

    /// Whether a principal is a person, or a role of people. Nothing is known of a user before the
    /// credential report of its account says whether it has a password or a second factor.
    pub(crate) fn is_person(&self, principal: &Entity) -> Option<bool> {
        match self.principal_kind(&principal.id) {
            PrincipalKind::Human => Some(true),
            PrincipalKind::Unknown if principal.kind == EntityKind::User => {
                let account = self.account_of(principal)?;
                self.was_read(account, "aws.credential-report")
                    .then_some(false)
            }
            _ => Some(false),
        }
    }

    pub(crate) fn is_human(&self, principal: &EntityId) -> bool {
        self.principal_kind(principal) == PrincipalKind::Human
    }

    /// Whether a principal may do everything in its account.
    pub(crate) fn is_administrator(&self, principal: &EntityId) -> bool {
        self.jewels.get(principal) == Some(&JewelKind::Administrator)
    }

    pub(crate) fn jewel(&self, id: &EntityId) -> Option<JewelKind> {
        self.jewels.get(id).copied()
    }

    /// The crown jewels of a kind that are entities of the estate.
    pub(crate) fn jewels(&self, kind: JewelKind) -> impl Iterator<Item = &'e Entity> + '_ {
        let own = self.jewels.iter().filter(move |(_, own)| **own == kind);
        own.filter_map(|(id, _)| self.estate.get(id.as_str()))
    }

    /// How grave it is on a thing: graver by a step where it is a crown jewel.
    pub(crate) fn severity_on(&self, entity: &Entity, usual: Severity) -> Severity {
        match self.jewel(&entity.id) {
            Some(_) => Severity::ALL
                .into_iter()
                .find(|severity| *severity > usual)
                .unwrap_or(usual),
            None => usual,
        }
    }

    /// Whom a statement lets in from accounts that are neither the thing's own, nor of the inventory,
    /// nor declared as trusted: ARNs, account numbers, `*`. Services and identity providers are none.
    pub(crate) fn strangers(&self, of: &Entity, statement: &Statement) -> Vec<String> {
        let own = self
            .account_of(of)
            .and_then(|account| account.account.as_deref());
        let known = |account: &str| {
            own == Some(account)
                || of.account.as_deref() == Some(account)
                || self.settings.trusted_accounts.contains(account)
                || self
                    .estate
                    .get(&format!("arn:aws:iam::{account}:root"))
                    .is_some_and(|account| !account.inferred)
        };
        let named = statement.principals.iter();
        let strange = named.filter(|(kind, id)| match kind.as_str() {
            "AWS" | "*" => {
                let account = id.split(':').nth(4).unwrap_or(id);
                // A unique id of a principal that was deleted is nobody.
                id == "*" || (account.len() == 12 && !known(account))
            }
            _ => false,
        });
        strange.map(|(_, id)| id.clone()).collect()
    }

    /// What authorisation says to questions about this estate.
    pub(crate) fn access(&self) -> &Access<'e> {
        self.access.get_or_init(|| Access::of(self.estate))
    }

    /// May a principal do something? Nothing where it cannot be asked.
    pub(crate) fn may(
        &self,
        principal: &str,
        action: &str,
        resource: &str,
        circumstances: &Circumstances,
    ) -> Option<Decision> {
        let verdict = self
            .access()
            .can(principal, action, resource, circumstances);
        verdict.ok().map(|verdict| verdict.answer.decision)
    }

    /// People and roles of people that may do any of some actions on something, with whoever may
    /// where it depends. Roles that Identity Center made stand for their people.
    pub(crate) fn people_who_may(
        &self,
        actions: &[&str],
        resource: &str,
        circumstances: &Circumstances,
    ) -> Holders {
        let people = self
            .of_kind(EntityKind::User)
            .chain(self.of_kind(EntityKind::Role))
            .filter(|principal| self.is_person(principal) != Some(false));
        let mut holders = self.who_of(people, actions, resource, circumstances);
        let is_unclear = |id: &EntityId| {
            let principal = self.estate.get(id.as_str());
            principal.is_some_and(|principal| self.is_person(principal).is_none())
        };
        holders.unclear = holders
            .allowed
            .extract_if(.., |id| is_unclear(id))
            .collect();
        holders.depends.retain(|id| !is_unclear(id));
        holders
    }

    /// Who of some principals may do any of some actions on something.
    pub(crate) fn who_of<'p>(
        &self,
        principals: impl Iterator<Item = &'p Entity>,
        actions: &[&str],
        resource: &str,
        circumstances: &Circumstances,
    ) -> Holders {
        let thing = self.estate.get(resource.trim_end_matches("/*"));
        let mut holders = Holders {
            unseen: !thing.is_some_and(|thing| self.are_policies_seen(thing)),
            ..Holders::default()
        };
        for principal in principals {
            let id = principal.id.as_str();
            let asked = actions.iter();
            let decisions =
                asked.filter_map(|action| self.may(id, action, resource, circumstances));
            let decisions: Vec<Decision> = decisions.collect();
            if decisions.contains(&Decision::Allowed) {
                holders.allowed.push(principal.id.clone());
            } else if decisions.contains(&Decision::Depends) {
                holders.depends.push(principal.id.clone());
            }
        }
        holders
    }

    /// The number that the user set for a check, or its default.
    pub(crate) fn limit(&self, check: &str, name: &str) -> i64 {
        self.settings.limit(check, name)
    }

    /// The regions in which an account has something, by its ARNs.
    pub(crate) fn regions(&self, account: &Entity) -> BTreeSet<&'e str> {
        let own = account.account.as_deref();
        let entities = self.estate.entities().filter(|entity| !entity.inferred);
        let of_account =
            entities.filter(|entity| own.is_some() && entity.account.as_deref() == own);
        of_account.filter_map(|entity| region(&entity.id)).collect()
    }

    /// How many days lie between a time of the inventory and now. Nothing where it is no time.
    pub(crate) fn days_since(&self, time: &str) -> Option<i64> {
        let time = timestamp(time)?;
        Some((self.as_of.as_second() - time.as_second()).div_euclid(24 * 60 * 60))
    }
}

/// The service and the type in an ARN, with what ends the type: `ec2` and `security-group/`.
fn arn_type(id: &EntityId) -> Option<(&str, &str)> {
    let mut parts = id.as_str().strip_prefix("arn:")?.splitn(5, ':').skip(1);
    let service = parts.next()?;
    let resource = parts.nth(2)?;
    let end = resource.find(['/', ':'])?;
    Some((service, resource.get(..=end)?))
}

/// The region in an ARN.
pub(crate) fn region(id: &EntityId) -> Option<&str> {
    let region = id.as_str().strip_prefix("arn:")?.split(':').nth(2)?;
    (!region.is_empty()).then_some(region)
}

/// A time as the inventory has it; without a zone it is in UTC, as AWS writes it.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let whole = text.parse::<Timestamp>().ok();
    whole.or_else(|| format!("{text}Z").parse().ok())
}

/// An attribute as text.
pub(crate) fn text<'n>(entity: &'n Entity, name: &str) -> Option<&'n str> {
    entity.attributes.get(name).map(String::as_str)
}

/// An attribute that is `true` or `false`.
pub(crate) fn flag(entity: &Entity, name: &str) -> Option<bool> {
    let text = text(entity, name)?;
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// An attribute that is a whole number.
pub(crate) fn number(entity: &Entity, name: &str) -> Option<i64> {
    text(entity, name)?.parse().ok()
}

/// An attribute that is a document. One that is known to be absent is null.
pub(crate) fn json(entity: &Entity, name: &str) -> Option<Value> {
    match text(entity, name)? {
        "none" => Some(Value::Null),
        text => serde_json::from_str(text).ok(),
    }
}

/// The elements of a list in a document.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
