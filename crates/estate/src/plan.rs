//! What a Terraform plan is about to change, as a revision of an estate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_model::{
    BlindSpot, DeadLetter, Entity, EntityId, EntityKind, Estate, PolicyLayer, Relation, Revision,
};
use serde_json::Value;

use crate::format::decode;
use crate::formats::terraform::{Side, is_plan, read};
use crate::json::{self, Json};
use crate::object::Object;
use crate::reader::Reader;

/// A plan in JSON (`terraform show -json PLAN`), read: what Terraform manages as it was before, and
/// as the plan would leave it.
#[derive(Clone, Debug)]
pub struct Plan {
    before: Estate,
    after: Estate,
}

impl Plan {
    /// Whether a file is a plan in JSON, told by its first 64 KiB.
    pub fn is_one(head: &[u8]) -> bool {
        let text = decode(head);
        let document = json::values(&text).next().filter(Json::is_object);
        document.is_some_and(|document| {
            let document = Object::new(document, String::new());
            document.has("format_version")
                && (document.has("planned_values") || document.has("resource_changes"))
        })
    }

    /// Reads a plan; nothing where the file is none. What cannot be read of it is returned with it.
    /// `account` is where things are made of which the plan does not tell.
    pub fn read(
        file: &str,
        bytes: &[u8],
        account: Option<&str>,
    ) -> Option<(Self, Vec<DeadLetter>)> {
        let text = decode(bytes);
        let value = json::values(&text).next().filter(Json::is_object)?;
        let document = Object::new(value, "$".to_owned());
        if !is_plan(&document) {
            return None;
        }
        let defect = value.defect();
        let mut letters = BTreeSet::new();
        let mut side = |side| {
            let mut estate = Estate::default();
            let mut reader = Reader::new(file, &mut estate);
            reader.account = account.map(str::to_owned);
            reader.suspicious = defect.is_some();
            if let Some((offset, reason)) = &defect {
                let reason = format!("is broken: {reason}; what is whole in it was used");
                reader.letter(*offset, "$", reason);
            }
            read(&document, side, &mut reader);
            letters.extend(reader.into_letters());
            estate.finish();
            estate
        };
        let plan = Self {
            before: side(Side::Before),
            after: side(Side::After),
        };
        Some((plan, letters.into_iter().collect()))
    }

    /// What Terraform knew before, for whoever has no other inventory. It is not
    /// [complete](crate::complete) yet.
    pub fn before(&self) -> &Estate {
        &self.before
    }

    /// What could not be seen of what the plan would leave.
    pub fn blind_spots(&self) -> &[BlindSpot] {
        &self.after.blind_spots
    }

    /// The change of an estate, before [`complete`](crate::complete) drew its conclusions, that the
    /// plan comes to. What Terraform does not manage stays; of what it does, what the plan leaves
    /// alone stays as the estate has it.
    ///
    /// A role's trust, a boundary and the policy of a resource take the place of the one that is
    /// there, whatever it is called; an inline policy of the one of its name. Permissions on a function
    /// are statements: others stay. With something that is deleted goes all that names it.
    pub fn revision(&self, estate: &Estate) -> Revision {
        let mut revision = Revision::default();
        self.entities(estate, &mut revision);
        let (before, after) = (relations(&self.before), relations(&self.after));
        let gone: BTreeSet<Key<'_>> = before.difference(&after).map(|one| key(one)).collect();
        let come: Vec<&Relation> = after.difference(&before).copied().collect();
        let replaced: BTreeSet<Key<'_>> = come
            .iter()
            .filter(|relation| matches!(relation, Relation::Policy { .. }))
            .map(|relation| key(relation))
            .collect();
        let died: BTreeSet<&EntityId> = revision
            .died
            .keys()
            .filter(|id| !revision.born.contains_key(*id))
            .collect();
        let mut held: BTreeMap<&EntityId, &str> = BTreeMap::new();
        for relation in estate.relations() {
            let own = key(relation);
            let leaves = gone.contains(&own)
                || replaced.contains(&own)
                || named(relation).into_iter().any(|id| died.contains(id));
            if leaves {
                revision.gone.insert(relation.clone());
                if let Relation::Policy {
                    subject, document, ..
                } = relation
                    && is_function(subject)
                    && !died.contains(subject)
                {
                    held.insert(subject, document);
                }
            }
        }
        revision.come = come.into_iter().cloned().collect();
        for (function, held) in held {
            self.keep_permissions(function, held, &mut revision);
        }
        revision
    }

    fn entities(&self, estate: &Estate, revision: &mut Revision) {
        for id in ids(&self.before).union(&ids(&self.after)) {
            let (before, after) = (self.before.get(id.as_str()), self.after.get(id.as_str()));
            let known = estate.get(id.as_str());
            let is_there = |entity: &Option<&Entity>| entity.is_some_and(|one| !one.inferred);
            match (before, after) {
                _ if before == after => {}
                // An account stays when nothing of it is managed any more.
                (Some(one), _)
                    if is_there(&before)
                        && !is_there(&after)
                        && one.kind == EntityKind::Account => {}
                (Some(_), _) if is_there(&before) && !is_there(&after) => {
                    if let Some(known) = known {
                        revision.died.insert((*id).clone(), known.clone());
                    }
                }
                _ => {
                    let Some(template) = after.or(before) else {
                        continue;
                    };
                    let mut next = known.unwrap_or(template).clone();
                    let none = Entity::new(id.as_str(), next.kind);
                    let (old, new) = (before.unwrap_or(&none), after.unwrap_or(&none));
                    change(&old.tags, &new.tags, &mut next.tags);
                    change(&old.attributes, &new.attributes, &mut next.attributes);
                    if old.attributes.contains_key("Policy")
                        && !new.attributes.contains_key("Policy")
                    {
                        next.attributes
                            .insert("Policy".to_owned(), "none".to_owned());
                    }
                    next.inferred &= new.inferred;
                    if let Some(known) = known {
                        revision.died.insert((*id).clone(), known.clone());
                    }
                    revision.born.insert((*id).clone(), next);
                }
            }
        }
    }

    /// Statements of a function's policy that Terraform does not manage stay.
    fn keep_permissions(&self, function: &EntityId, held: &str, revision: &mut Revision) {
        let of = |estate: &Estate| {
            let mut texts = estate
                .relations()
                .iter()
                .filter_map(|relation| match relation {
                    Relation::Policy {
                        subject,
                        layer: PolicyLayer::Resource,
                        document,
                        ..
                    } if subject == function => Some(document.clone()),
                    _ => None,
                });
            texts.next()
        };
        let managed = of(&self.before)
            .map(|text| statements(&text))
            .unwrap_or_default();
        let name = |statement: &Value| statement.get("Sid").cloned();
        let mut kept = statements(held);
        kept.retain(|one| !managed.iter().any(|other| name(other) == name(one)));
        let next = of(&self.after)
            .map(|text| statements(&text))
            .unwrap_or_default();
        kept.extend(next);
        revision.come.retain(|relation| {
            !matches!(relation, Relation::Policy { subject, layer: PolicyLayer::Resource, .. } if subject == function)
        });
        if kept.is_empty() {
            return;
        }
        let text = serde_json::json!({"Version": "2012-10-17", "Statement": kept}).to_string();
        revision.come.insert(Relation::Policy {
            subject: function.clone(),
            layer: PolicyLayer::Resource,
            name: "resource policy".to_owned(),
            document: Arc::from(text),
        });
    }
}

/// What makes two relations the same thing at different times.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'r> {
    Policy(&'r EntityId, PolicyLayer, &'r str),
    /// A member, and the account and name of a group, whose path exports leave out.
    Member(&'r EntityId, Option<&'r str>, &'r str),
    Other(&'r Relation),
}

fn key(relation: &Relation) -> Key<'_> {
    match relation {
        Relation::Policy {
            subject,
            layer,
            name,
            ..
        } => match layer {
            // There is one of these at most.
            PolicyLayer::Trust | PolicyLayer::Resource | PolicyLayer::Boundary
                if subject.as_str() != name =>
            {
                Key::Policy(subject, *layer, "")
            }
            _ => Key::Policy(subject, *layer, name),
        },
        Relation::MemberOf { member, group } => {
            Key::Member(member, group.aws_account(), group.short_name())
        }
        other => Key::Other(other),
    }
}

fn relations(estate: &Estate) -> BTreeSet<&Relation> {
    estate.relations().iter().collect()
}

fn ids(estate: &Estate) -> BTreeSet<&EntityId> {
    estate.entities().map(|entity| &entity.id).collect()
}

fn is_function(id: &EntityId) -> bool {
    id.as_str().contains(":lambda:")
}

/// What a relation names.
fn named(relation: &Relation) -> Vec<&EntityId> {
    match relation {
        Relation::Contains { parent, child } => vec![parent, child],
        Relation::ManagementAccount { account } => vec![account],
        Relation::MemberOf { member, group } => vec![member, group],
        Relation::Policy { subject, .. } => vec![subject],
        Relation::Proves {
            credential,
            principal,
        } => vec![credential, principal],
        Relation::RunsAs {
            workload,
            principal,
        } => vec![workload, principal],
        Relation::Pulls {
            workload,
            repository,
        } => vec![workload, repository],
        Relation::Serves {
            distribution,
            origin,
        } => vec![distribution, origin],
        Relation::SignsInAs { person, role } => vec![person, role],
        Relation::Stores { store, credential } => vec![store, credential],
        Relation::SignsFor { signer, wallet } => vec![signer, wallet],
        Relation::OwnerOf { owner, wallet, .. } => vec![owner, wallet],
        Relation::Kind { principal, .. } => vec![principal],
    }
}

/// Changes texts as they changed between two others.
fn change(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    texts: &mut BTreeMap<String, String>,
) {
    texts.retain(|name, _| !old.contains_key(name) || new.contains_key(name));
    for (name, value) in new {
        if old.get(name) != Some(value) {
            texts.insert(name.clone(), value.clone());
        }
    }
}

fn statements(text: &str) -> Vec<Value> {
    let document = serde_json::from_str::<Value>(text).unwrap_or_default();
    match document.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}
