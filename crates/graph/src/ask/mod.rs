//! "May P do A on R?", asked of an estate: the policies that bear on the question, the answer, and
//! what each layer of policies says by itself.
//!
//! The graph asks such questions by the thousand, and of its catalogue's actions only; here one is
//! asked, of any action, and explained.

mod answer;
mod circumstances;
mod layers;
mod names;
mod sides;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use portreeve_authz::aws::{AttachedPolicy, Context, Document, Request, Target, evaluate};
use portreeve_authz::{Answer, Decision};
use portreeve_model::{EntityId, EntityKind, Estate, PolicyLayer as Layer, Relation};

use crate::evaluate::base_context;
pub use answer::{AskError, Holder, Holders, LayerResult, LayerVerdict, Verdict};
pub use circumstances::Circumstances;
use names::wrong_resource;
use sides::{Asked, Asker};

/// What everyone who administers an account elsewhere can give.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// An estate made ready for questions.
#[derive(Debug)]
pub struct Access<'e> {
    estate: &'e Estate,
    /// Policies by what they are attached to.
    policies: HashMap<&'e EntityId, Vec<Attached<'e>>>,
    groups: BTreeMap<&'e EntityId, BTreeSet<&'e EntityId>>,
    parents: BTreeMap<&'e EntityId, &'e EntityId>,
    /// What a credential proves, a workload runs as and a person signs in as.
    acts_as: BTreeMap<&'e EntityId, BTreeSet<&'e EntityId>>,
    management: BTreeSet<&'e str>,
    accounts: BTreeSet<&'e str>,
    documents: RefCell<HashMap<&'e str, Arc<Document>>>,
    everything: AttachedPolicy,
}

/// A policy as it is attached.
#[derive(Clone, Copy, Debug)]
struct Attached<'e> {
    layer: Layer,
    name: &'e str,
    text: &'e str,
}

impl<'e> Access<'e> {
    /// Makes an estate ready.
    pub fn of(estate: &'e Estate) -> Self {
        let mut access = Self {
            estate,
            policies: HashMap::new(),
            groups: BTreeMap::new(),
            parents: BTreeMap::new(),
            acts_as: BTreeMap::new(),
            management: BTreeSet::new(),
            accounts: estate
                .entities()
                .filter(|entity| entity.kind != EntityKind::External && !entity.inferred)
                .filter_map(|entity| entity.account.as_deref())
                .collect(),
            documents: RefCell::default(),
            everything: AttachedPolicy::new(
                "every permission",
                Document::parse_lenient(EVERYTHING),
            ),
        };
        for relation in estate.relations() {
            match relation {
                Relation::Policy {
                    subject,
                    layer,
                    name,
                    document,
                } => access.policies.entry(subject).or_default().push(Attached {
                    layer: *layer,
                    name,
                    text: document,
                }),
                Relation::MemberOf { member, group } => {
                    access.groups.entry(member).or_default().insert(group);
                }
                Relation::Contains { parent, child } => {
                    access.parents.entry(child).or_insert(parent);
                }
                Relation::ManagementAccount { account } => {
                    access.management.extend(account.aws_account());
                }
                Relation::Proves {
                    credential: one,
                    principal: other,
                }
                | Relation::RunsAs {
                    workload: one,
                    principal: other,
                }
                | Relation::SignsInAs {
                    person: one,
                    role: other,
                } => {
                    access.acts_as.entry(one).or_default().insert(other);
                }
                _ => {}
            }
        }
        access
    }

    /// May a principal do an action on a resource? The principal is given by its id or name, or as
    /// the ARN of a session; a credential or a workload stands for what it acts as. The resource is
    /// given by its ARN or name, as `s3://BUCKET/KEY`, by a pattern of ARNs (is there one on which
    /// it is allowed?), or as `*`.
    pub fn can(
        &self,
        principal: &str,
        action: &str,
        resource: &str,
        circumstances: &Circumstances,
    ) -> Result<Verdict, AskError> {
        check_action(action)?;
        let asker = self.asker(&self.principal_named(principal)?)?;
        let asked = self.asked(&self.resource_named(resource, action)?)?;
        let context = context(circumstances, &asked);
        let answer = answer(&asker, action, &asked, &context);
        let layers = self.layers(&asker, action, &asked, &context);
        let mut notes = asker.notes;
        notes.extend(asked.notes);
        notes.extend(wrong_resource(action, &asked.id));
        Ok(Verdict {
            principal: asker.id,
            action: action.to_owned(),
            resource: asked.id,
            answer,
            layers,
            notes,
        })
    }

    /// Who may do an action on a resource: users and roles of the estate, and whom its policies
    /// name outside it.
    pub fn who_can(
        &self,
        action: &str,
        resource: &str,
        circumstances: &Circumstances,
    ) -> Result<Holders, AskError> {
        check_action(action)?;
        let asked = self.asked(&self.resource_named(resource, action)?)?;
        let context = context(circumstances, &asked);
        let mut notes = asked.notes.clone();
        notes.extend(wrong_resource(action, &asked.id));
        let mut holders = Holders {
            action: action.to_owned(),
            resource: asked.id.clone(),
            allowed: Vec::new(),
            depends: Vec::new(),
            denied: 0,
            notes,
        };
        for entity in self.estate.entities() {
            let outside = matches!(entity.kind, EntityKind::External | EntityKind::Service);
            let asker = match entity.kind {
                EntityKind::User | EntityKind::Role if !entity.inferred => {
                    self.asker(entity.id.as_str()).ok()
                }
                _ if outside => self.outsider(&entity.id),
                _ => None,
            };
            let Some(asker) = asker else { continue };
            let answer = answer(&asker, action, &asked, &context);
            let list = match answer.decision {
                Decision::Allowed => &mut holders.allowed,
                Decision::Depends => &mut holders.depends,
                Decision::Denied => {
                    holders.denied += usize::from(!outside);
                    continue;
                }
            };
            list.push(Holder {
                principal: entity.id.clone(),
                outside,
                answer,
                layers: self.layers(&asker, action, &asked, &context),
            });
        }
        Ok(holders)
    }
}

fn target(asked: &Asked) -> Target<'_> {
    match asked.id.as_str() {
        id if asked.some => Target::Within(id),
        id => Target::Exact(id),
    }
}

fn answer(asker: &Asker, action: &str, asked: &Asked, context: &Context) -> Answer {
    let request = Request {
        principal: &asker.caller,
        action,
        target: target(asked),
        context,
    };
    evaluate(&request, &asker.policies, asked.side.as_ref())
}

fn context(circumstances: &Circumstances, asked: &Asked) -> Context {
    let mut context = base_context();
    if let Some(owner) = &asked.owner {
        context.set("aws:ResourceAccount", owner.as_str());
    }
    for (key, value) in &asked.tags {
        context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
    }
    circumstances.laid_over(context)
}

fn check_action(action: &str) -> Result<(), AskError> {
    let word = |text: &str| {
        let mut bytes = text.bytes();
        !text.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match action.split_once(':') {
        Some((service, name)) if word(service) && word(name) => Ok(()),
        _ => Err(AskError::BadAction(action.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_and_resources_are_checked() {
        assert!(check_action("s3:GetObject").is_ok());
        for bad in ["", "s3", "s3:", ":Get", "s3:Get*", "s3:Get Object"] {
            assert!(check_action(bad).is_err(), "{bad}");
        }
        let bucket = EntityId::from("arn:aws:s3:::web");
        assert!(wrong_resource("s3:GetObject", &bucket).is_some());
        assert!(wrong_resource("s3:ListBucket", &bucket).is_none());
        assert!(wrong_resource("s3:PutBucketObjectLockConfiguration", &bucket).is_none());
        let object = EntityId::from("arn:aws:s3:::web/*");
        assert!(wrong_resource("s3:GetObject", &object).is_none());
    }
}
