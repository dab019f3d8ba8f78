//! Every credential of an estate: whose it is, how old, when it was last used, what it opens.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use foldhash::{HashMap, HashSet};
use portreeve_model::{Entity, EntityId, EntityKind, Estate, PrincipalKind, Relation, Timestamp};
use serde::Serialize;

use crate::graph::Graph;
use crate::parallel::both;

/// A credential, or something that gives out sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Its id; of what gives out sessions the id of who gets them.
    pub id: EntityId,
    /// What it is.
    pub kind: KeyKind,
    /// Whose it is: a user, a person, a workload, an identity outside the estate.
    pub owner: EntityId,
    /// What the owner is called where the id does not tell: of people in Identity Center.
    pub owner_name: Option<String>,
    /// What the owner is in the inventory.
    pub owner_kind: EntityKind,
    /// Who the owner is, as far as the inventory tells.
    pub owner_is: PrincipalKind,
    /// The account that it is in.
    pub account: Option<String>,
    /// Whom its holder acts as: the user, or the roles whose sessions it gives.
    pub acts_as: Vec<EntityId>,
    /// Whether it works: an access key that was deactivated does not.
    pub active: bool,
    /// When it was made, or a password last changed.
    pub created: Option<Timestamp>,
    /// When it was last used, as inventory or logs show; of a workload when its role was.
    pub last_used: Option<Timestamp>,
    /// Whether the inventory would tell of a use: without a credential report, silence says nothing.
    pub use_is_told: bool,
    /// Whether its owner has a second factor; `None` where the inventory does not tell. It keeps a
    /// thief from a password, and from a key only where a policy asks for it.
    pub second_factor: Option<bool>,
    /// What it opens.
    pub opens: Power,
    /// How many entities it reaches: its blast radius. `None` where it was not counted, see
    /// [`Graph::keys`].
    pub reached: Option<usize>,
}

/// What kinds of credentials there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// A long-lived access key.
    AccessKey,
    /// A console password.
    Password,
    /// A person's sign-in through the identity provider, with all permission sets assigned.
    SignIn,
    /// A workload that is handed sessions of a role.
    Workload,
    /// An identity of an identity provider that a role trusts: OIDC, SAML.
    Federation,
    /// A principal of another account, or anyone, whom a role trusts.
    ForeignTrust,
}

impl KeyKind {
    /// The kind in words.
    pub fn title(self) -> &'static str {
        match self {
            KeyKind::AccessKey => "access key",
            KeyKind::Password => "password",
            KeyKind::SignIn => "sign-in",
            KeyKind::Workload => "workload's role",
            KeyKind::Federation => "federated identity",
            KeyKind::ForeignTrust => "foreign trust",
        }
    }

    /// Whether it stays the same until someone changes it, so that it can be unused or too old.
    pub fn is_long_lived(self) -> bool {
        matches!(self, KeyKind::AccessKey | KeyKind::Password)
    }
}

/// What something opens, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Power {
    /// Accounts of which it becomes an administrator without any condition.
    pub open_accounts: u32,
    /// Crown jewels that it reaches without any condition; accounts and administrators are among
    /// them.
    pub open_jewels: u32,
    /// Accounts of which it becomes an administrator at all.
    pub accounts: u32,
    /// Crown jewels that it reaches at all.
    pub jewels: u32,
}

impl Power {
    /// Whether it opens an account or a jewel.
    pub fn is_any(self) -> bool {
        self.jewels > 0 || self.accounts > 0
    }
}

/// The order of master keys: those that work first, then by [`Power`], then by how much is reached,
/// then the oldest.
type Rank = (
    Reverse<bool>,
    Reverse<Power>,
    Reverse<Option<usize>>,
    bool,
    Option<Timestamp>,
);

impl Key {
    fn rank(&self) -> Rank {
        (
            Reverse(self.active),
            Reverse(self.opens),
            Reverse(self.reached),
            self.created.is_none(),
            self.created,
        )
    }

    /// Whether it is kept by someone until it is changed or taken away, so that it may be unused: an
    /// access key or password. The root user has to have one, and not to use it.
    pub fn is_kept(&self) -> bool {
        self.kind.is_long_lived() && self.owner_kind != EntityKind::Account
    }

    /// Whether it was not used for so long before a time, or never in all that time; `None` where
    /// the inventory does not tell, and for what is not kept by anyone.
    pub fn is_unused(&self, since: Timestamp) -> Option<bool> {
        match self.last_used {
            _ if !self.is_kept() => None,
            Some(used) => Some(used < since),
            None if !self.use_is_told => None,
            None => Some(self.created.is_none_or(|created| created < since)),
        }
    }
}

/// How many nodes are walked over in all to count what keys reach: some seconds at most.
const WALKED: usize = 16_000_000;

impl Graph {
    /// Every credential of an estate, of which this must be the graph, the master keys first: keys
    /// that work before others, by [`Power`] (what is open now before what hangs on conditions,
    /// accounts before jewels), then by how many entities they reach, the oldest first, then by id.
    ///
    /// How much is reached is counted for as many as are needed to tell the first `counted` apart,
    /// and is not known of the rest. Where too many tie with those the count stops; then the rest of
    /// them go by age and id.
    ///
    /// `last_used` is what logs know of the last use of a credential or a principal.
    ///
    /// Cost: some passes over the graph, and one walk for each key that is counted; those that reach
    /// the same are counted once.
    pub fn keys(
        &self,
        estate: &Estate,
        counted: usize,
        last_used: &dyn Fn(&str) -> Option<Timestamp>,
    ) -> Vec<Key> {
        let (powers, mut keys) = both(estate.len(), || self.powers(), || found(estate, self));
        for key in &mut keys {
            let by_principal = match key.kind {
                KeyKind::AccessKey | KeyKind::Password => None,
                _ => key
                    .acts_as
                    .iter()
                    .filter_map(|id| last_used(id.as_str()))
                    .max(),
            };
            let by_logs = last_used(key.id.as_str()).max(by_principal);
            key.last_used = key.last_used.max(by_logs);
        }
        for key in &mut keys {
            key.opens = powers.of(key.id.as_str());
        }
        // They are found in the order of their ids, which a stable sort keeps.
        keys.sort_by_cached_key(Key::rank);
        let mut walked = 0;
        let mut known = HashMap::default();
        let mut start = 0;
        while start < counted.min(keys.len()) && walked < WALKED {
            let first = (keys[start].active, keys[start].opens);
            let end = keys[start..]
                .iter()
                .position(|key| (key.active, key.opens) != first)
                .map_or(keys.len(), |count| start + count);
            for key in &mut keys[start..end] {
                if walked >= WALKED {
                    break;
                }
                key.reached = powers.reached(key, &mut known, &mut walked);
            }
            keys[start..end].sort_by_cached_key(Key::rank);
            start = end;
        }
        keys
    }
}

impl Graph {
    /// What each of some entities opens, in their order; nothing where the graph has none of an id.
    ///
    /// Cost: some passes over the graph, however many are asked about.
    pub fn powers_of(&self, ids: &[&str]) -> Vec<Power> {
        let powers = self.powers();
        ids.iter().map(|id| powers.of(id)).collect()
    }
}

/// Everything that is a credential or gives out sessions, in the order of ids.
fn found(estate: &Estate, graph: &Graph) -> Vec<Key> {
    let owners = Owners::of(estate);
    let mut keys = Found::default();
    let mut slots: HashMap<&EntityId, Vec<EntityId>> = HashMap::default();
    for relation in estate.relations() {
        let (id, kind, owner, acts_as) = match relation {
            Relation::Proves {
                credential,
                principal,
            } => match owners.kind(credential) {
                Some(EntityKind::AccessKey) => {
                    let held = slots.entry(principal).or_default();
                    held.push(credential.clone());
                    (credential, KeyKind::AccessKey, principal, principal)
                }
                Some(EntityKind::Password) => (credential, KeyKind::Password, principal, principal),
                _ => continue,
            },
            Relation::RunsAs {
                workload,
                principal,
            } => (workload, KeyKind::Workload, workload, principal),
            Relation::SignsInAs { person, role } => (person, KeyKind::SignIn, person, role),
            _ => continue,
        };
        keys.add(id, acts_as, || owners.key(id, kind, owner, acts_as));
    }
    for door in graph.doors() {
        if owners.kind(&door.to) != Some(EntityKind::Role) {
            continue;
        }
        let foreign = door.id.aws_account().is_some() && !door.id.as_str().contains("-provider/");
        let kind = match foreign || door.id.as_str() == "*" {
            true => KeyKind::ForeignTrust,
            false => KeyKind::Federation,
        };
        keys.add(&door.id, &door.to, || {
            owners.key(&door.id, kind, &door.id, &door.to)
        });
    }
    for ids in slots.values().filter(|ids| ids.len() > 1) {
        join(ids, &mut keys);
    }
    let mut keys: Vec<Key> = keys.list.into_iter().flatten().collect();
    for key in &mut keys {
        key.acts_as.sort();
        key.acts_as.dedup();
    }
    keys.sort_by(|one, other| one.id.cmp(&other.id));
    keys
}

/// Keys by id.
#[derive(Default)]
struct Found {
    places: HashMap<EntityId, usize>,
    /// Nothing where a key turned out to be another.
    list: Vec<Option<Key>>,
}

impl Found {
    /// Adds a key, or one more of those whom it acts as.
    fn add(&mut self, id: &EntityId, acts_as: &EntityId, make: impl FnOnce() -> Key) {
        match self.places.get(id) {
            Some(&place) => {
                if let Some(Some(key)) = self.list.get_mut(place) {
                    key.acts_as.push(acts_as.clone());
                }
            }
            None => {
                self.places.insert(id.clone(), self.list.len());
                self.list.push(Some(make()));
            }
        }
    }

    fn get(&self, id: &EntityId) -> Option<&Key> {
        self.list.get(*self.places.get(id)?)?.as_ref()
    }

    fn get_mut(&mut self, id: &EntityId) -> Option<&mut Key> {
        self.list.get_mut(*self.places.get(id)?)?.as_mut()
    }

    fn take(&mut self, id: &EntityId) -> Option<Key> {
        self.list.get_mut(*self.places.get(id)?)?.take()
    }
}

/// The credential report knows a user's keys by number and tells of their use, the list of access
/// keys knows their ids: of one key known both ways only the id stays, with all that is known. They
/// are one where both say the same second of making, or where there is one of each.
fn join(ids: &[EntityId], keys: &mut Found) {
    let is_slot = |id: &&EntityId| id.as_str().contains("#access-key-");
    let mut slots: Vec<&EntityId> = ids.iter().filter(is_slot).collect();
    let mut listed: Vec<&EntityId> = ids.iter().filter(|id| !is_slot(id)).collect();
    let second = |keys: &Found, id: &EntityId| keys.get(id)?.created.map(Timestamp::as_second);
    let mut pairs = Vec::new();
    slots.retain(|slot| {
        let made = second(keys, slot);
        let same = |id: &&EntityId| made.is_some() && second(keys, id) == made;
        match listed.iter().position(same) {
            Some(place) => {
                pairs.push(((*slot).clone(), listed.remove(place).clone()));
                false
            }
            None => true,
        }
    });
    if let ([slot], [id]) = (slots.as_slice(), listed.as_slice()) {
        pairs.push(((*slot).clone(), (*id).clone()));
    }
    for (slot, id) in pairs {
        let Some(told) = keys.take(&slot) else {
            continue;
        };
        if let Some(key) = keys.get_mut(&id) {
            key.active &= told.active;
            key.created = key.created.or(told.created);
            key.last_used = key.last_used.max(told.last_used);
            key.use_is_told |= told.use_is_told;
            key.second_factor = key.second_factor.or(told.second_factor);
        }
    }
}

/// What is known of owners.
struct Owners<'e> {
    /// Entities by id: an estate's own order takes many a comparison of long ids.
    entities: HashMap<&'e EntityId, &'e Entity>,
    kinds: HashMap<&'e EntityId, PrincipalKind>,
    with_factor: HashSet<&'e EntityId>,
    /// Accounts of which a credential report was read.
    reported: BTreeSet<&'e str>,
}

impl<'e> Owners<'e> {
    fn of(estate: &'e Estate) -> Self {
        let entities: HashMap<&EntityId, &Entity> = estate
            .entities()
            .map(|entity| (&entity.id, entity))
            .collect();
        let read = "Inventory:aws.credential-report";
        let reported = entities.values().filter(|entity| {
            entity.kind == EntityKind::Account && entity.attributes.contains_key(read)
        });
        let mut owners = Self {
            reported: reported
                .filter_map(|account| account.account.as_deref())
                .collect(),
            entities,
            kinds: HashMap::default(),
            with_factor: HashSet::default(),
        };
        for relation in estate.relations() {
            match relation {
                Relation::Kind { principal, kind } => {
                    owners.kinds.insert(principal, *kind);
                }
                Relation::Proves {
                    credential,
                    principal,
                } if owners.kind(credential) == Some(EntityKind::MfaDevice) => {
                    owners.with_factor.insert(principal);
                }
                _ => {}
            }
        }
        owners
    }

    fn kind(&self, id: &EntityId) -> Option<EntityKind> {
        self.entities.get(id).map(|entity| entity.kind)
    }

    fn key(&self, id: &EntityId, kind: KeyKind, owner: &EntityId, acts_as: &EntityId) -> Key {
        let entity = self.entities.get(id).copied();
        let owned_by = self.entities.get(owner).copied();
        let account = entity
            .and_then(|entity| entity.account.clone())
            .or_else(|| owned_by?.account.clone());
        let time = |entity: Option<&Entity>, names: &[&str]| {
            let texts = names
                .iter()
                .filter_map(|name| entity?.attributes.get(*name));
            texts
                .filter_map(|text| text.parse::<Timestamp>().ok())
                .max()
        };
        let reported = account
            .as_deref()
            .is_some_and(|account| self.reported.contains(account));
        let role = self.entities.get(acts_as).copied();
        let (created, last_used, use_is_told) = match kind {
            KeyKind::AccessKey => (
                time(entity, &["CreateDate", "LastRotated"]),
                time(entity, &["LastUsed"]),
                // Of a key that stands in no report nothing is told.
                reported && id.as_str().contains("#access-key-"),
            ),
            KeyKind::Password => (
                time(entity, &["LastChanged", "CreateDate"]),
                time(entity, &["LastUsed"]).max(time(owned_by, &["PasswordLastUsed"])),
                reported,
            ),
            KeyKind::Workload => (None, time(role, &["RoleLastUsed"]), false),
            KeyKind::SignIn | KeyKind::Federation | KeyKind::ForeignTrust => (None, None, false),
        };
        let off = |entity: &Entity| {
            let is = |name: &str, value: &str| {
                let text = entity.attributes.get(name);
                text.is_some_and(|text| text.eq_ignore_ascii_case(value))
            };
            is("Active", "false") || is("Status", "Inactive")
        };
        Key {
            id: id.clone(),
            kind,
            owner: owner.clone(),
            owner_name: owned_by
                .filter(|entity| entity.kind == EntityKind::Person)
                .and_then(|entity| entity.attributes.get("UserName").cloned()),
            owner_kind: owned_by.map_or(EntityKind::External, |entity| entity.kind),
            owner_is: self.kinds.get(owner).copied().unwrap_or_default(),
            account,
            acts_as: vec![acts_as.clone()],
            active: !entity.is_some_and(off),
            created,
            last_used,
            use_is_told,
            second_factor: match self.with_factor.contains(owner) {
                true => Some(true),
                false if reported && kind.is_long_lived() => Some(false),
                false => None,
            },
            opens: Power::default(),
            reached: None,
        }
    }
}
