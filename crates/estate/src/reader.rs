//! What a format writes to while it reads: the estate, and the dead letters.

use std::collections::BTreeSet;
use std::sync::Arc;

use portreeve_model::{
    BlindSpot, DeadLetter, Entity, EntityId, EntityKind, Estate, PolicyLayer, Relation,
};

use crate::arn;
use crate::json::Json;

/// Collects what one file says.
pub(crate) struct Reader<'e> {
    file: Arc<str>,
    estate: &'e mut Estate,
    letters: Vec<DeadLetter>,
    /// The account that the document says it is of.
    pub(crate) account: Option<String>,
    /// The region that the document says it is of.
    pub(crate) region: Option<String>,
    /// Whether the document is known not to be whole, so that each element must be checked.
    pub(crate) suspicious: bool,
    accounts: BTreeSet<String>,
}

impl<'e> Reader<'e> {
    pub(crate) fn new(file: &str, estate: &'e mut Estate) -> Self {
        Self {
            file: file.into(),
            estate,
            letters: Vec::new(),
            account: None,
            region: None,
            suspicious: false,
            accounts: BTreeSet::new(),
        }
    }

    pub(crate) fn into_letters(self) -> Vec<DeadLetter> {
        self.letters
    }

    pub(crate) fn letters(&self) -> usize {
        self.letters.len()
    }

    /// Records something unreadable: where, and what is wrong with it.
    pub(crate) fn letter(&mut self, offset: usize, path: &str, reason: impl std::fmt::Display) {
        self.letters.push(DeadLetter {
            file: self.file.clone(),
            offset: offset as u64,
            reason: format!("{path} {reason}"),
        });
    }

    /// Whether a value is whole; a dead letter where it is not.
    pub(crate) fn is_whole(&mut self, value: Json<'_>, path: &str) -> bool {
        if !self.suspicious {
            return true;
        }
        match value.defect() {
            None => true,
            Some((offset, reason)) => {
                self.letter(offset, path, format!("is broken: {reason}"));
                false
            }
        }
    }

    /// Adds an entity. Where two files differ in a value, the greater one stays, so that the
    /// estate does not depend on the order of files.
    pub(crate) fn add(&mut self, mut entity: Entity) {
        if let Some(account) = entity.account.as_deref().filter(|_| !entity.inferred)
            && !self.accounts.contains(account)
        {
            let account = account.to_owned();
            self.known_account(&account);
        }
        if let Some(known) = self.estate.get(entity.id.as_str()) {
            entity
                .tags
                .retain(|key, value| known.tags.get(key).is_none_or(|old| old < value));
            entity
                .attributes
                .retain(|key, value| known.attributes.get(key).is_none_or(|old| old < value));
        }
        self.estate.add(entity);
    }

    /// Adds an account whose inventory is at hand.
    pub(crate) fn known_account(&mut self, account: &str) {
        if arn::is_account(account) && self.accounts.insert(account.to_owned()) {
            let id = arn::account(account);
            self.estate.add(Entity::new(id, EntityKind::Account));
        }
    }

    /// Adds an entity of which only the id is known.
    pub(crate) fn infer(&mut self, id: impl Into<EntityId>, kind: EntityKind) {
        let mut entity = Entity::new(id, kind);
        if self.estate.get(entity.id.as_str()).is_none() {
            entity.inferred = true;
            self.estate.add(entity);
        }
    }

    pub(crate) fn relate(&mut self, relation: Relation) {
        self.estate.relate(relation);
    }

    /// Adds a policy document where it holds.
    pub(crate) fn policy(
        &mut self,
        subject: impl Into<EntityId>,
        layer: PolicyLayer,
        name: impl Into<String>,
        document: Arc<str>,
    ) {
        self.relate(Relation::Policy {
            subject: subject.into(),
            layer,
            name: name.into(),
            document,
        });
    }

    /// Attaches a policy by its ARN. Its document is put in by [`crate::complete`], since it may
    /// be in another file.
    pub(crate) fn attach(&mut self, subject: impl Into<EntityId>, layer: PolicyLayer, arn: &str) {
        self.policy(subject, layer, arn, Arc::from(""));
    }

    /// Keeps the document of a policy that others attach by its ARN, for [`crate::complete`].
    pub(crate) fn define(&mut self, layer: PolicyLayer, arn: &str, document: Arc<str>) {
        self.policy(arn, layer, arn, document);
    }

    pub(crate) fn runs_as(&mut self, workload: &str, role: &str) {
        self.infer(role, EntityKind::Role);
        self.relate(Relation::RunsAs {
            workload: workload.into(),
            principal: role.into(),
        });
    }

    /// Notes that a workload runs an image, and which repository it is from where that is in ECR.
    pub(crate) fn pulls(&mut self, workload: &str, image: &str) {
        if let Some(repository) = arn::image_repository(image) {
            self.infer(repository.as_str(), EntityKind::ImageRepository);
            self.relate(Relation::Pulls {
                workload: workload.into(),
                repository: repository.into(),
            });
        }
    }

    /// Names something that the file itself says is not in it.
    pub(crate) fn blind_spot(&mut self, spot: BlindSpot) {
        self.estate.blind_spots.push(spot);
    }

    /// The accounts met since the last call.
    pub(crate) fn take_accounts(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.accounts)
    }

    /// Notes on an account that this format of it was read.
    pub(crate) fn mark(&mut self, account: &str, format: &str) {
        let mut entity = Entity::new(arn::account(account), EntityKind::Account);
        entity
            .attributes
            .insert(format!("Inventory:{format}"), "read".to_owned());
        self.estate.add(entity);
    }
}
