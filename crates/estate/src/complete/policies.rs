//! Attached policies and their documents; what policies name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use portreeve_model::{EntityKind, Estate, PolicyLayer, Relation};

use super::infer;
use crate::arn;
use crate::json::{self, Json};
use crate::managed;

/// Policies that were attached and whose documents no file had: how often, and whether this crate
/// holds a document of its own that stands for it.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// Nothing is known of these.
    pub(super) missing: BTreeSet<String>,
    /// These are known in our condensed form only, which may differ from AWS's.
    pub(super) approximate: BTreeSet<String>,
}

/// Puts documents in where policies are attached by ARN, and drops the definitions.
pub(super) fn resolve(relations: Vec<Relation>) -> (Vec<Relation>, Unseen) {
    let mut definitions: HashMap<String, BTreeSet<Arc<str>>> = HashMap::new();
    let mut rest = Vec::with_capacity(relations.len());
    for relation in relations {
        match relation {
            Relation::Policy {
                subject,
                name,
                document,
                ..
            } if subject.as_str() == name => {
                definitions.entry(name).or_default().insert(document);
            }
            other => rest.push(other),
        }
    }
    let mut unseen = Unseen::default();
    let mut held_documents = HashMap::new();
    let mut resolved = Vec::with_capacity(rest.len());
    for relation in rest {
        match relation {
            Relation::Policy {
                subject,
                layer,
                name,
                document,
            } if document.is_empty() => {
                // Exports of different days may differ; what either allows is taken to be allowed.
                if let Some(documents) = definitions.get(&name) {
                    resolved.extend(documents.iter().map(|document| Relation::Policy {
                        subject: subject.clone(),
                        layer,
                        name: name.clone(),
                        document: document.clone(),
                    }));
                    continue;
                }
                let held = held_documents
                    .entry(name.clone())
                    .or_insert_with(|| managed::document(&name));
                match held {
                    Some(held) if held.approximate => unseen.approximate.insert(name.clone()),
                    Some(_) => false,
                    None => unseen.missing.insert(name.clone()),
                };
                let held = held.as_ref().map(|held| held.document.clone());
                resolved.push(Relation::Policy {
                    subject,
                    layer,
                    name,
                    document: held.unwrap_or(document),
                });
            }
            other => resolved.push(other),
        }
    }
    (resolved, unseen)
}

/// Infers resources and principals that documents name and no file lists.
pub(super) fn infer_named(estate: &mut Estate) {
    let mut named = HashMap::new();
    let mut seen = HashSet::new();
    for relation in estate.relations() {
        let Relation::Policy {
            document, layer, ..
        } = relation
        else {
            continue;
        };
        // One managed policy is attached to many.
        if !seen.insert((Arc::as_ptr(document).cast::<u8>() as usize, document.len())) {
            continue;
        }
        arns_in(document, &mut named);
        if matches!(layer, PolicyLayer::Trust | PolicyLayer::Resource) {
            for principal in principals(document) {
                let (id, kind) = match principal {
                    Principal::Aws(account) if arn::is_account(&account) => {
                        (arn::account(&account), EntityKind::External)
                    }
                    Principal::Aws(star) if star == "*" => (star, EntityKind::External),
                    Principal::Service(name) => (name, EntityKind::Service),
                    Principal::Federated(provider) => (provider, EntityKind::External),
                    Principal::Aws(_) => continue,
                };
                named.insert(id, kind);
            }
        }
    }
    for (id, kind) in named.into_iter().collect::<BTreeMap<_, _>>() {
        infer(estate, id, kind);
    }
}

/// Every ARN in the text of a document, with what it is of.
fn arns_in(document: &str, named: &mut HashMap<String, EntityKind>) {
    let mut rest = document;
    while let Some(start) = rest.find("\"arn:aws") {
        rest = rest.get(start + 1..).unwrap_or_default();
        let end = rest.find('"').unwrap_or(rest.len());
        let found = rest.get(..end).unwrap_or_default();
        if let Some((id, kind)) = arn::entity(found)
            && !named.contains_key(id)
        {
            named.insert(id.to_owned(), kind);
        }
        rest = rest.get(end..).unwrap_or_default();
    }
}

/// Who is named as principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    Aws(String),
    Service(String),
    Federated(String),
}

/// The principals that the `Allow` statements of a document name.
pub(super) fn principals(document: &str) -> Vec<Principal> {
    let mut found = Vec::new();
    let Some(statements) = json::values(document)
        .next()
        .and_then(|document| document.get("Statement"))
    else {
        return found;
    };
    let mut look = |statement: Json<'_>| {
        let effect = statement.get("Effect").and_then(|effect| effect.string());
        if effect.as_deref() != Some("Allow") {
            return;
        }
        let Some(principal) = statement.get("Principal") else {
            return;
        };
        found.extend(
            principal
                .string()
                .map(|all| Principal::Aws(all.into_owned())),
        );
        for (key, value) in principal.members() {
            let make: fn(String) -> Principal = match &*key {
                "AWS" => Principal::Aws,
                "Service" => Principal::Service,
                "Federated" => Principal::Federated,
                _ => continue,
            };
            let names = value.strings().into_iter();
            found.extend(names.map(|name| make(name.into_owned())));
        }
    };
    if statements.is_object() {
        look(statements);
    } else {
        statements.elements().for_each(look);
    }
    found
}
