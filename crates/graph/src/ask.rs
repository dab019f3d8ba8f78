//! "May P do A on R?", asked of an estate: the policies that bear on the question, the answer, and
//! what each layer of policies says by itself.
//!
//! The graph asks such questions by the thousand, and of its catalogue's actions only; here one is
//! asked, of any action, and explained.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, CallerKind, Context, ContextValue, Document, PrincipalPolicies,
    Request, ResourcePolicies, ResourcePolicyKind, Target, evaluate,
};
use portreeve_authz::{Answer, Atom, Decision, PolicyLayer, StatementRef};
use portreeve_model::{EntityId, EntityKind, Estate, PolicyLayer as Layer, Relation};
use serde::Serialize;
use thiserror::Error;

use crate::evaluate::base_context;
use crate::nodes::{account_id, kind_of_arn};
use crate::world::session_role;

/// What everyone who administers an account elsewhere can give.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// Services whose resources may have policies of their own, as far as a resource that no file
/// lists may have one that was not seen.
const WITH_POLICIES: [&str; 10] = [
    "dynamodb",
    "ecr",
    "iam",
    "kms",
    "lambda",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
];

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

/// The circumstances of a request.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// Condition keys with their values; without any, the request does not carry the key.
    /// `aws:SecureTransport` is true and `aws:ViaAWSService` is
    /// false where nothing else is said.
    pub context: Vec<(String, Vec<String>)>,
    /// Whether a key that is not among them is absent; else nothing is known of it.
    pub strict: bool,
}

impl Circumstances {
    /// Those of a session that was made without a second factor: its requests say so. Those of a
    /// long-term key say nothing of it, which some policies forget:
    /// `Circumstances::default().with("aws:MultiFactorAuthPresent", &[])`.
    pub fn without_mfa() -> Self {
        Self {
            context: vec![
                (
                    "aws:MultiFactorAuthPresent".to_owned(),
                    vec!["false".to_owned()],
                ),
                ("aws:MultiFactorAuthAge".to_owned(), Vec::new()),
            ],
            strict: false,
        }
    }

    /// The same, and one more thing: a condition key with its values. None: the request does not
    /// carry the key.
    #[must_use]
    pub fn with(mut self, key: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.context.push((key.to_owned(), values));
        self
    }

    /// A context with these laid over it.
    pub(crate) fn laid_over(&self, mut context: Context) -> Context {
        if self.strict {
            context.absent = Absent::Absent;
        }
        for (key, values) in &self.context {
            match values.as_slice() {
                [] => context.set(key, ContextValue::Absent),
                [one] => context.set(key, one.as_str()),
                many => context.set(key, many.to_vec()),
            };
        }
        context
    }
}

/// Why a question cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AskError {
    /// It is no one that is known, and no ARN of a principal.
    #[error("`{0}` is nobody that the inventory knows, and no ARN of a principal")]
    UnknownPrincipal(String),
    /// It is known, and cannot ask.
    #[error("`{id}` is no principal{}", instead_of(.instead))]
    NotAPrincipal {
        /// What was named.
        id: EntityId,
        /// The principals that may be meant.
        instead: Vec<EntityId>,
    },
    /// Several have this name.
    #[error("`{name}` may mean any of {}; give the whole id", list(.meant))]
    Ambiguous {
        /// What was named.
        name: String,
        /// What it may mean.
        meant: Vec<EntityId>,
    },
    /// The action is not of the form `service:Name`.
    #[error("`{0}` is no action such as `s3:GetObject`")]
    BadAction(String),
    /// The resource is no ARN.
    #[error("`{0}` is nothing that the inventory knows, no ARN, and not `*`")]
    BadResource(String),
}

fn instead_of(instead: &[EntityId]) -> String {
    match instead {
        [] => String::new(),
        some => format!("; ask about {}", list(some)),
    }
}

/// The first few of some ids.
fn list(ids: &[EntityId]) -> String {
    let first: Vec<&str> = ids.iter().take(5).map(EntityId::as_str).collect();
    match ids.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The answer to a question, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Who asks.
    pub principal: EntityId,
    /// To do what.
    pub action: String,
    /// On what.
    pub resource: EntityId,
    /// What it comes to.
    #[serde(flatten)]
    pub answer: Answer,
    /// What each layer says by itself, in the order in which they are asked.
    pub layers: Vec<LayerVerdict>,
    /// What the reader should know of how the answer came about.
    pub notes: Vec<String>,
}

/// What one layer says by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerVerdict {
    /// The layer.
    pub layer: PolicyLayer,
    /// What its policies are attached to.
    pub at: EntityId,
    /// What it says.
    pub result: LayerResult,
    /// The statement that says so, where there is one.
    pub statement: Option<StatementRef>,
    /// What it hangs on.
    pub depends_on: Vec<Atom>,
}

/// What a layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerResult {
    /// It allows the request.
    Allow,
    /// A statement of it denies.
    Deny,
    /// It does not speak of the request.
    None,
    /// It allows or denies by what is not known.
    Depends,
}

impl LayerResult {
    /// The lower-case name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            LayerResult::Allow => "allow",
            LayerResult::Deny => "deny",
            LayerResult::None => "none",
            LayerResult::Depends => "depends",
        }
    }
}

/// One who may do what was asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Who.
    pub principal: EntityId,
    /// Whether it is no principal of the estate: another account, anyone, a service.
    pub outside: bool,
    /// Allowed, or depends.
    #[serde(flatten)]
    pub answer: Answer,
}

/// Who may do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holders {
    /// To do what.
    pub action: String,
    /// On what.
    pub resource: EntityId,
    /// Who is allowed to, by id.
    pub allowed: Vec<Holder>,
    /// For whom it depends, by id.
    pub depends: Vec<Holder>,
    /// How many were asked about and may not.
    pub denied: usize,
    /// What the reader should know of how the answer came about.
    pub notes: Vec<String>,
}

/// One who asks, with the policies on that side.
struct Asker {
    id: EntityId,
    caller: Caller,
    policies: PrincipalPolicies,
    /// The levels of the organization above it, as in `policies.scps`.
    levels: Vec<EntityId>,
    notes: Vec<String>,
}

/// What is asked about, with the policies on that side.
struct Asked {
    id: EntityId,
    /// The thing whose policy speaks of it: the bucket of an object.
    holder: EntityId,
    /// Whether it is a pattern of things.
    some: bool,
    /// What stands on its side; none where nothing at all is known of it.
    side: Option<ResourcePolicies>,
    levels: Vec<EntityId>,
    owner: Option<String>,
    tags: BTreeMap<String, String>,
    notes: Vec<String>,
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
            });
        }
        Ok(holders)
    }

    /// The id of a principal by its id or name.
    fn principal_named(&self, name: &str) -> Result<String, AskError> {
        let name = name.trim();
        let full = name.starts_with("arn:") || name == "*" || name.ends_with(".amazonaws.com");
        if full && !name.starts_with("arn:aws:iam:") || self.estate.get(name).is_some() {
            return Ok(name.to_owned());
        }
        // Policies and logs leave out the path of a user or role.
        let mut wanted = (None, None, name);
        if full {
            let mut parts = name.splitn(6, ':').skip(4);
            let account = parts.next();
            let Some((kind, short)) = parts.next().and_then(|rest| rest.split_once('/')) else {
                return Ok(name.to_owned());
            };
            wanted = (account, Some(kind), short);
        }
        let (account, kind, short) = wanted;
        let named = self.estate.entities().filter(|entity| {
            let kinds = match kind {
                Some("user") => entity.kind == EntityKind::User,
                Some("role") => entity.kind == EntityKind::Role,
                Some(_) => false,
                None => true,
            };
            kinds
                && account.is_none_or(|account| entity.account.as_deref() == Some(account))
                && entity.id.short_name().eq_ignore_ascii_case(short)
        });
        let mut named: Vec<(bool, EntityId)> = named
            .map(|entity| (!entity.kind.is_principal(), entity.id.clone()))
            .collect();
        // Principals before whatever else has the same name.
        named.sort();
        let rank = named.first().map(|(other, _)| *other);
        named.retain(|(other, _)| Some(*other) == rank);
        match named.as_slice() {
            [] => Ok(name.to_owned()),
            [(_, one)] => Ok(one.to_string()),
            _ => Err(AskError::Ambiguous {
                name: name.to_owned(),
                meant: named.into_iter().map(|(_, id)| id).collect(),
            }),
        }
    }

    /// The ARN of a resource by its ARN, its name, or as `s3://BUCKET/KEY`.
    fn resource_named(&self, name: &str, action: &str) -> Result<String, AskError> {
        let name = name.trim();
        if let Some(path) = name.strip_prefix("s3://") {
            return Ok(format!("arn:aws:s3:::{path}"));
        }
        if name == "*" || name.starts_with("arn:") {
            return Ok(name.to_owned());
        }
        let mut named: Vec<&EntityId> = self
            .estate
            .entities()
            .map(|entity| &entity.id)
            .filter(|id| id.short_name().eq_ignore_ascii_case(name))
            .collect();
        // The action tells which of several is meant.
        let service = action.split(':').next().unwrap_or_default();
        let of_service = |id: &EntityId| {
            let own = id.as_str().split(':').nth(2).unwrap_or_default();
            own == service || (service == "sts" && own == "iam")
        };
        if named.iter().any(|id| of_service(id)) {
            named.retain(|id| of_service(id));
        }
        match named.as_slice() {
            [] => Err(AskError::BadResource(name.to_owned())),
            // By the name of a bucket what is in it is meant, where the action acts on that.
            [one] if wrong_resource(action, one).is_some() => Ok(format!("{one}/*")),
            [one] => Ok(one.to_string()),
            _ => Err(AskError::Ambiguous {
                name: name.to_owned(),
                meant: named.into_iter().cloned().collect(),
            }),
        }
    }

    fn asker(&self, name: &str) -> Result<Asker, AskError> {
        let session = session_role(name).and_then(|(account, role)| {
            let mut roles = self
                .estate
                .entities()
                .filter(|entity| entity.kind == EntityKind::Role && entity.id.short_name() == role);
            let role = roles.find(|entity| entity.account.as_deref() == Some(account))?;
            let mut caller = Caller::new(CallerKind::Session, name);
            caller.issuer = Some(role.id.to_string());
            Some((role, caller))
        });
        if let Some((role, mut caller)) = session {
            caller.tags = role.tags.clone();
            let mut asker = self.with_policies(&role.id, caller);
            let note = "policies given when the session was made, if any, were not seen";
            asker.notes.push(note.to_owned());
            asker.id = name.into();
            return Ok(asker);
        }
        let Some(entity) = self.estate.get(name) else {
            let outsider = self.outsider(&name.into());
            return outsider.ok_or_else(|| AskError::UnknownPrincipal(name.to_owned()));
        };
        let kind = match entity.kind {
            EntityKind::User => CallerKind::User,
            EntityKind::Role => CallerKind::Role,
            EntityKind::Account => CallerKind::Root,
            EntityKind::External | EntityKind::Service => {
                let outsider = self.outsider(&entity.id);
                return outsider.ok_or_else(|| AskError::UnknownPrincipal(name.to_owned()));
            }
            _ => {
                let meant = self.acts_as.get(&entity.id).into_iter().flatten();
                let instead: Vec<EntityId> = meant.map(|id| (*id).clone()).collect();
                return match instead.as_slice() {
                    [one] if entity.kind != EntityKind::Person && *one != entity.id => {
                        let mut asker = self.asker(one.as_str())?;
                        let note = format!("{} acts as {one}", entity.id);
                        asker.notes.insert(0, note);
                        Ok(asker)
                    }
                    _ => Err(AskError::NotAPrincipal {
                        id: entity.id.clone(),
                        instead,
                    }),
                };
            }
        };
        let mut caller = Caller::new(kind, entity.id.as_str());
        caller.tags = entity.tags.clone();
        // An inventory entry lists all tags of a principal, none where it has none.
        caller.all_tags_known = !entity.inferred;
        let mut asker = self.with_policies(&entity.id, caller);
        if entity.inferred {
            let note = format!(
                "{} is not in the inventory: its own policies were not seen",
                entity.id
            );
            asker.policies.identity.push(AttachedPolicy::new(
                "policies of the principal",
                Document::unseen("they are not in the inventory"),
            ));
            asker.notes.push(note);
        }
        Ok(asker)
    }

    /// A principal with all policies that the estate has of it.
    fn with_policies(&self, id: &EntityId, caller: Caller) -> Asker {
        let mut policies = PrincipalPolicies::default();
        let mut notes = Vec::new();
        let groups = self.groups.get(id).into_iter().flatten().copied();
        for subject in std::iter::once(id).chain(groups) {
            for policy in self.attached(subject, Layer::Identity) {
                policies.identity.push(policy);
            }
        }
        policies.boundary = self.attached(id, Layer::Boundary).next();
        let account = caller.account.clone();
        let scps = self.levels(&account, Layer::ServiceControl);
        policies.exempt_from_scp = self.management.contains(account.as_str());
        if policies.exempt_from_scp && !scps.is_empty() {
            notes.push("service control policies do not bind the management account".to_owned());
        }
        let mut levels = Vec::new();
        for (level, attached) in scps {
            levels.push(level);
            policies.scps.push(attached);
        }
        Asker {
            id: id.clone(),
            caller,
            policies,
            levels,
            notes,
        }
    }

    /// One who is not of the estate, as far as an id tells.
    fn outsider(&self, id: &EntityId) -> Option<Asker> {
        let mut caller = Caller::from_arn(id.as_str())?;
        let mut policies = PrincipalPolicies::default();
        let mut notes = Vec::new();
        match caller.kind {
            CallerKind::Anonymous | CallerKind::Service | CallerKind::Federated => {}
            _ => {
                if caller.kind == CallerKind::Root {
                    let anyone = format!("arn:aws:iam::{}:user/anyone", caller.account);
                    caller = Caller::new(CallerKind::User, anyone);
                }
                notes.push(format!(
                    "the account {} is not in the inventory: its administrators are taken to allow it",
                    caller.account
                ));
                policies.identity.push(self.everything.clone());
            }
        }
        Some(Asker {
            id: id.clone(),
            caller,
            policies,
            levels: Vec::new(),
            notes,
        })
    }

    fn asked(&self, name: &str) -> Result<Asked, AskError> {
        let plain = |notes| Asked {
            id: name.into(),
            holder: name.into(),
            some: name.contains(['*', '?']),
            side: None,
            levels: Vec::new(),
            owner: None,
            tags: BTreeMap::new(),
            notes,
        };
        if name == "*" {
            return Ok(Asked {
                some: false,
                ..plain(Vec::new())
            });
        }
        let well_formed = name.starts_with("arn:")
            && name.splitn(6, ':').count() == 6
            && !name.contains(char::is_control);
        if !well_formed {
            return Err(AskError::BadResource(name.to_owned()));
        }
        let holder = self.holder(name);
        let entity = self.estate.get(holder.as_str());
        let service = name.split(':').nth(2).unwrap_or_default();
        let kind = entity.map_or_else(|| kind_of_arn(holder.as_str()), |entity| entity.kind);
        let kind = match kind {
            EntityKind::Role => ResourcePolicyKind::RoleTrust,
            EntityKind::Key => ResourcePolicyKind::KmsKey,
            _ => ResourcePolicyKind::Ordinary,
        };
        let contained = self.parents.get(&holder).and_then(|id| id.aws_account());
        let only = match self.accounts.len() {
            1 if service == "s3" => self.accounts.first().copied(),
            _ => None,
        };
        let owner = entity
            .and_then(|entity| entity.account.as_deref())
            .or(holder.aws_account())
            .or(contained)
            .or(only);
        let own = self
            .attached(&holder, Layer::Resource)
            .chain(self.attached(&holder, Layer::Trust));
        let own: Vec<AttachedPolicy> = own.collect();
        let mut notes = Vec::new();
        if own.len() > 1 {
            notes.push(format!(
                "{holder} has more than one policy of its own in the inventory; the first counts"
            ));
        }
        let inside = owner.is_none_or(|owner| self.accounts.contains(owner));
        if own.is_empty() && !inside {
            return Ok(Asked {
                owner: owner.map(str::to_owned),
                holder,
                ..plain(notes)
            });
        }
        let listed = entity.is_some_and(|entity| !entity.inferred);
        if own.is_empty() && !listed && WITH_POLICIES.contains(&service) {
            notes.push(format!(
                "{holder} is not in the inventory: a policy of its own, if it has one, was not seen"
            ));
        }
        let mut levels = Vec::new();
        let mut rcps = Vec::new();
        let chain = owner.map(|owner| self.levels(owner, Layer::ResourceControl));
        for (level, attached) in chain.into_iter().flatten() {
            levels.push(level);
            rcps.push(attached);
        }
        Ok(Asked {
            side: Some(ResourcePolicies {
                policy: own.into_iter().next(),
                kind,
                account: owner.map(str::to_owned),
                rcps,
            }),
            levels,
            owner: owner.map(str::to_owned),
            tags: entity.map_or_else(BTreeMap::new, |entity| entity.tags.clone()),
            holder,
            ..plain(notes)
        })
    }

    /// What the policies of a resource are attached to: itself, or the nearest thing around it that
    /// is known, as the bucket of an object or the function of a version.
    fn holder(&self, name: &str) -> EntityId {
        let head: usize = name.splitn(6, ':').take(5).map(|part| part.len() + 1).sum();
        let mut text = name;
        loop {
            let id = EntityId::from(text);
            if self.policies.contains_key(&id) || self.estate.get(text).is_some() {
                return id;
            }
            match text.rfind(['/', ':']) {
                Some(at) if at > head => text = &text[..at],
                _ => break,
            }
        }
        let is_object = name.starts_with("arn:aws:s3:::");
        match name.split_once('/') {
            Some((bucket, _)) if is_object => bucket.into(),
            _ => name.into(),
        }
    }

    /// The policies of one layer that are attached to something.
    fn attached(&self, subject: &EntityId, layer: Layer) -> impl Iterator<Item = AttachedPolicy> {
        let list = self.policies.get(subject).into_iter().flatten();
        list.filter(move |attached| attached.layer == layer)
            .map(|attached| AttachedPolicy::new(attached.name, self.document(attached.text)))
    }

    fn document(&self, text: &'e str) -> Arc<Document> {
        let mut documents = self.documents.borrow_mut();
        let document = documents.entry(text).or_insert_with(|| {
            Arc::new(if text.trim().is_empty() {
                Document::unseen("the policy's text is not in the inventory")
            } else {
                Document::parse_lenient(text)
            })
        });
        document.clone()
    }

    /// The levels of the organization that an account is in, from the root down, with their
    /// policies of one layer.
    fn levels(&self, account: &str, layer: Layer) -> Vec<(EntityId, Vec<AttachedPolicy>)> {
        let mut chain = Vec::new();
        let mut seen = BTreeSet::new();
        let mut at = Some(account_id(account));
        while let Some(level) = at {
            let policies: Vec<AttachedPolicy> = self.attached(&level, layer).collect();
            at = self.parents.get(&level).map(|parent| (*parent).clone());
            if !policies.is_empty() {
                chain.push((level.clone(), policies));
            }
            // A file may claim that two units contain each other.
            if !seen.insert(level) {
                break;
            }
        }
        chain.reverse();
        chain
    }

    /// What each layer says by itself.
    fn layers(
        &self,
        asker: &Asker,
        action: &str,
        asked: &Asked,
        context: &Context,
    ) -> Vec<LayerVerdict> {
        let caller = &asker.caller;
        let ask = |policies: PrincipalPolicies, side: ResourcePolicies| {
            let request = Request {
                principal: caller,
                action,
                target: target(asked),
                context,
            };
            evaluate(&request, &policies, Some(&side))
        };
        let everything = || PrincipalPolicies {
            identity: vec![self.everything.clone()],
            ..PrincipalPolicies::default()
        };
        let at_home = || ResourcePolicies {
            account: Some(caller.account.clone()),
            ..ResourcePolicies::default()
        };
        // A layer of the principal's side is asked as if it were the only one.
        let alone = |policies: &[AttachedPolicy]| {
            let mut own = PrincipalPolicies {
                identity: policies.to_vec(),
                ..PrincipalPolicies::default()
            };
            let allowed = ask(own.clone(), at_home());
            own.identity.push(self.everything.clone());
            either(allowed, || ask(own, at_home()))
        };
        let mut layers = Vec::new();
        let mut add = |layer, at: &EntityId, answer: Answer| layers.push(said(layer, at, answer));

        let policies = &asker.policies;
        let without_account = matches!(
            caller.kind,
            CallerKind::Anonymous | CallerKind::Service | CallerKind::Federated
        );
        if !policies.exempt_from_scp && !without_account {
            for (at, level) in asker.levels.iter().zip(&policies.scps) {
                add(PolicyLayer::Scp, at, alone(level));
            }
        }
        if let Some(side) = &asked.side {
            for (at, level) in asked.levels.iter().zip(&side.rcps) {
                let mut bounds = at_home();
                bounds.rcps = vec![level.clone()];
                add(PolicyLayer::Rcp, at, ask(everything(), bounds));
            }
            let service = action.split(':').next().unwrap_or_default();
            let layer = match side.kind {
                ResourcePolicyKind::RoleTrust if service.eq_ignore_ascii_case("sts") => {
                    Some(PolicyLayer::Trust)
                }
                ResourcePolicyKind::KmsKey if service.eq_ignore_ascii_case("kms") => {
                    Some(PolicyLayer::Resource)
                }
                ResourcePolicyKind::Ordinary if side.policy.is_some() => {
                    Some(PolicyLayer::Resource)
                }
                _ => None,
            };
            if let Some(layer) = layer {
                // Where both sides must allow, the other is taken to, so that this one decides.
                let own = side.account.as_deref();
                let home = own.is_none_or(|owner| owner == caller.account);
                let both = !home || side.kind != ResourcePolicyKind::Ordinary;
                let mut alone = side.clone();
                alone.rcps.clear();
                let answer = if both || without_account {
                    ask(everything(), alone)
                } else {
                    let allowed = ask(PrincipalPolicies::default(), alone.clone());
                    either(allowed, || ask(everything(), alone))
                };
                add(layer, &asked.holder, answer);
            }
        }
        if !without_account {
            add(PolicyLayer::Identity, &asker.id, alone(&policies.identity));
            if let Some(boundary) = &policies.boundary {
                let at = EntityId::from(boundary.name.as_str());
                add(
                    PolicyLayer::Boundary,
                    &at,
                    alone(std::slice::from_ref(boundary)),
                );
            }
        }
        layers
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

/// What a layer says of which it is known what it allows, by what it says where all else allows:
/// it may deny, or hang on something, without allowing anything.
fn either(alone: Answer, beside_everything: impl FnOnce() -> Answer) -> Answer {
    if alone.decision != Decision::Denied || alone.statement.is_some() {
        return alone;
    }
    match beside_everything() {
        Answer {
            decision: Decision::Allowed,
            ..
        } => alone,
        other => other,
    }
}

fn said(layer: PolicyLayer, at: &EntityId, answer: Answer) -> LayerVerdict {
    let result = match (answer.decision, &answer.statement) {
        (Decision::Allowed, _) => LayerResult::Allow,
        (Decision::Depends, _) => LayerResult::Depends,
        (Decision::Denied, Some(_)) => LayerResult::Deny,
        (Decision::Denied, None) => LayerResult::None,
    };
    let mut depends_on = answer.depends_on;
    for atom in &mut depends_on {
        atom.layer = layer;
    }
    // What stands in for the side that is not asked about is no policy of the estate.
    let statement = answer
        .statement
        .filter(|statement| statement.policy != "every permission");
    LayerVerdict {
        layer,
        at: at.clone(),
        result,
        statement,
        depends_on,
    }
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

/// A word on a resource that the action never acts on.
fn wrong_resource(action: &str, resource: &EntityId) -> Option<String> {
    let name = action.strip_prefix("s3:")?;
    let bucket = resource.as_str().strip_prefix("arn:aws:s3:::")?;
    let of_objects = name.contains("Object") && !name.contains("Bucket");
    (of_objects && !bucket.contains('/')).then(|| {
        format!("{action} acts on objects: ask about {resource}/* for any object of the bucket")
    })
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
