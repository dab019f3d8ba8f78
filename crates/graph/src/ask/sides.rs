//! The two sides of a question, each with its policies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_authz::aws::{
    AttachedPolicy, Caller, CallerKind, Document, KmsGrant, PrincipalPolicies, ResourceAccess,
    ResourcePolicies, ResourcePolicyKind,
};
use portreeve_model::{EntityId, EntityKind, PolicyLayer as Layer};

use super::{Access, AskError};
use crate::lists;
use crate::nodes::{account_id, kind_of_arn};
use crate::world::session_role;

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

/// One who asks, with the policies on that side.
pub(super) struct Asker {
    pub(super) id: EntityId,
    pub(super) caller: Caller,
    pub(super) policies: PrincipalPolicies,
    /// The levels of the organization above it, as in `policies.scps`.
    pub(super) levels: Vec<EntityId>,
    pub(super) notes: Vec<String>,
}

/// What is asked about, with the policies on that side.
pub(super) struct Asked {
    pub(super) id: EntityId,
    /// The thing whose policy speaks of it: the bucket of an object.
    pub(super) holder: EntityId,
    /// Whether it is a pattern of things.
    pub(super) some: bool,
    /// What stands on its side; none where nothing at all is known of it.
    pub(super) side: Option<ResourcePolicies>,
    pub(super) levels: Vec<EntityId>,
    pub(super) owner: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) notes: Vec<String>,
}

/// Marks that a principal's own policies were not seen.
fn unseen(asker: &mut Asker) {
    asker.policies.identity.push(AttachedPolicy::new(
        "policies of the principal",
        Document::unseen("they are not in the inventory"),
    ));
    asker.notes.push(format!(
        "{} is not in the inventory: its own policies were not seen",
        asker.id
    ));
}

impl<'e> Access<'e> {
    pub(super) fn asker(&self, name: &str) -> Result<Asker, AskError> {
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
            if let Some(asker) = self.unlisted(&name.into()) {
                return Ok(asker);
            }
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
            unseen(&mut asker);
        }
        Ok(asker)
    }

    /// A user or role that no file lists, of an account whose inventory is at hand.
    fn unlisted(&self, id: &EntityId) -> Option<Asker> {
        let caller = Caller::from_arn(id.as_str())?;
        let is_listed = matches!(caller.kind, CallerKind::User | CallerKind::Role);
        if !is_listed || !self.accounts.contains(caller.account.as_str()) {
            return None;
        }
        let mut asker = self.with_policies(id, caller);
        unseen(&mut asker);
        Some(asker)
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
    pub(super) fn outsider(&self, id: &EntityId) -> Option<Asker> {
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

    pub(super) fn asked(&self, name: &str) -> Result<Asked, AskError> {
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
        let grants = self.grants_on(&holder, &mut notes);
        if own.is_empty() && grants.is_empty() && !inside {
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
                access: match entity.filter(|entity| entity.kind == EntityKind::Bucket) {
                    Some(bucket) => self.access_of(&bucket.attributes, owner),
                    None => ResourceAccess::of_grants(grants),
                },
            }),
            levels,
            owner: owner.map(str::to_owned),
            tags: entity.map_or_else(BTreeMap::new, |entity| entity.tags.clone()),
            holder,
            ..plain(notes)
        })
    }

    /// What a bucket's access control list and the public-access blocks above it make of it.
    fn access_of(&self, bucket: &BTreeMap<String, String>, owner: Option<&str>) -> ResourceAccess {
        let account = owner.and_then(|owner| self.estate.get(account_id(owner).as_str()));
        let block = lists::block(bucket, account.map(|account| &account.attributes));
        ResourceAccess::of_bucket(&lists::public_list(bucket), &[], block)
    }

    /// The grants on a key, each as a policy with the account that made it.
    fn grants_on(
        &self,
        key: &EntityId,
        notes: &mut Vec<String>,
    ) -> Vec<(AttachedPolicy, Option<String>)> {
        let list = self.policies.get(key).into_iter().flatten();
        let mut found = Vec::new();
        for attached in list.filter(|attached| attached.layer == Layer::Grant) {
            if attached.text.is_empty() {
                let unseen = Document::unseen("the grant's text is not in the inventory");
                found.push((AttachedPolicy::new(attached.name, unseen), None));
                continue;
            }
            let read = KmsGrant::from_json(attached.text);
            match read.and_then(|grant| Ok((grant.as_policy()?, grant.issuing_account))) {
                Ok((policy, account)) => {
                    let document = Document::parse_lenient(&policy);
                    found.push((AttachedPolicy::new(attached.name, document), account));
                }
                Err(error) => notes.push(format!("on {key} a grant was left out: {error}")),
            }
        }
        found
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
}
