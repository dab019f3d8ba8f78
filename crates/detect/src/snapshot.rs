use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use portreeve_graph::Changes;
use portreeve_model::{Activity, EntityKind, Estate, PrincipalKind, Relation};
use smallvec::SmallVec;

use crate::networks::Networks;
use crate::people::{PERSON_PREFIX, is_reserved};
use crate::settings::{Settings, matches_pattern};

/// The estate as stage one sees it: what derived fields are looked up in. Made once for a run, so
/// that stage one can work on any part of the logs in any order.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    settings: Settings,
    networks: Arc<Networks>,
    kinds: HashMap<String, PrincipalKind, FixedState>,
    targets: HashMap<String, Target, FixedState>,
    accounts: std::collections::BTreeSet<String>,
    changes: Option<Changes>,
    people: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default)]
struct Target {
    jewel: Option<String>,
    web_origin: bool,
    pulled: bool,
    tags: Vec<String>,
}

/// What the estate knows of one activity.
#[derive(Debug)]
pub(crate) struct Sight<'s> {
    /// What kind of principal acted.
    pub(crate) kind: PrincipalKind,
    targets: SmallVec<[&'s Target; 2]>,
}

impl<'s> Sight<'s> {
    /// Whether a target is a bucket that a distribution serves, or an object in one.
    pub(crate) fn is_web_origin(&self) -> bool {
        self.targets.iter().any(|target| target.web_origin)
    }

    /// Whether a target is an image repository that a workload pulls from.
    pub(crate) fn is_pulled(&self) -> bool {
        self.targets.iter().any(|target| target.pulled)
    }

    /// The kind of crown jewel that a target is.
    pub(crate) fn jewel(&self) -> Option<&'s str> {
        let mut jewels = self.targets.iter().map(|target| target.jewel.as_deref());
        jewels.find_map(|jewel| jewel)
    }

    /// The tags of the targets, as `key=value`.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &'s str> {
        let targets = self.targets.iter();
        targets.flat_map(|target| target.tags.iter().map(String::as_str))
    }
}

impl Snapshot {
    /// Looks up what the derived fields need. `jewels` are ids with the kind of jewel.
    pub fn new<'a>(
        estate: &Estate,
        settings: Settings,
        jewels: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let accounts = settings.accounts.keys().cloned().collect();
        let networks = Arc::new(Networks::new(&settings, Vec::new()));
        let mut snapshot = Self {
            settings,
            networks,
            accounts,
            ..Self::default()
        };
        for entity in estate.entities() {
            if entity.kind == EntityKind::Account
                && let Some(account) = entity.id.aws_account()
            {
                snapshot.accounts.insert(account.to_owned());
            }
            if entity.kind == EntityKind::Person
                && let Some(id) = entity.id.as_str().strip_prefix(PERSON_PREFIX)
                && let Some(name) = entity.attributes.get("UserName")
            {
                snapshot.people.insert(id.to_owned(), name.clone());
            }
            if !entity.tags.is_empty() {
                snapshot.target(entity.id.as_str()).tags = entity
                    .tags
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
            }
        }
        for relation in estate.relations() {
            match relation {
                Relation::Kind { principal, kind } => {
                    snapshot.kinds.insert(principal.as_str().to_owned(), *kind);
                }
                Relation::Serves { origin, .. } => {
                    snapshot.target(origin.as_str()).web_origin = true
                }
                Relation::Pulls { repository, .. } => {
                    snapshot.target(repository.as_str()).pulled = true
                }
                _ => {}
            }
        }
        for (id, kind) in jewels {
            snapshot.target(id).jewel = Some(kind.to_owned());
            if kind == "web-origin" {
                snapshot.target(id).web_origin = true;
            }
        }
        snapshot
    }

    /// Lets changes of policies be judged by what they open in the estate.
    #[must_use]
    pub fn with_changes(mut self, changes: Changes) -> Self {
        self.changes = Some(changes);
        self
    }

    pub(crate) fn changes(&self) -> Option<&Changes> {
        self.changes.as_ref()
    }

    /// Takes what is known of networks, in place of what the settings alone declare.
    #[must_use]
    pub fn with_networks(mut self, networks: Arc<Networks>) -> Self {
        self.networks = networks;
        self
    }

    /// What is known of networks.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    fn target(&mut self, id: &str) -> &mut Target {
        let id = secret_without_suffix(id).unwrap_or(id);
        self.targets.entry(id.to_owned()).or_default()
    }

    /// What is known of a target, by its id, or by that of the bucket that holds it, or of the
    /// secret without the six random characters that end its ARN (calls may leave them out).
    fn find(&self, id: &str) -> Option<&Target> {
        if self.targets.is_empty() {
            return None;
        }
        self.targets.get(id).or_else(|| match id.find('/') {
            Some(slash) if id.starts_with("arn:aws:s3:::") => self.targets.get(&id[..slash]),
            _ => self.targets.get(secret_without_suffix(id)?),
        })
    }

    /// What is known of an activity's actor and targets. Many fields ask for it.
    pub(crate) fn sight<'s>(&'s self, activity: &Activity<'_>) -> Sight<'s> {
        let targets = activity.targets.iter();
        Sight {
            kind: self.actor_kind(activity),
            targets: targets.filter_map(|id| self.find(id)).collect(),
        }
    }

    /// What kind of principal acted: the estate's word first, then the record's. A role that the
    /// estate knows as a person's or a pipeline's stays one, whatever its session is called.
    fn actor_kind(&self, activity: &Activity<'_>) -> PrincipalKind {
        match self.kinds.get(&*activity.actor.principal) {
            Some(kind) if *kind != PrincipalKind::Unknown => *kind,
            _ => activity.actor.kind,
        }
    }

    /// The person whom a record names, by user name where that is known.
    pub fn person<'a>(&'a self, activity: &'a Activity<'_>) -> Option<&'a str> {
        let actor = &activity.actor;
        if let Some(session) = actor.session.as_deref()
            && is_reserved(&actor.principal)
        {
            return Some(session);
        }
        if let Some(person) = actor.person.as_deref() {
            let name = self.people.get(person).map(String::as_str);
            return Some(name.or(actor.session.as_deref()).unwrap_or(person));
        }
        if let Some(source) = actor.source_identity.as_deref() {
            return Some(source);
        }
        let (_, user) = actor.principal.split_once(":user/")?;
        (actor.session.is_none() && actor.principal.contains(":iam:"))
            .then(|| user.rsplit('/').next().unwrap_or(user))
    }

    /// Whether neither estate nor settings know the actor's account for ours. `None` without both,
    /// or where the record does not tell the account.
    pub fn actor_is_foreign(&self, activity: &Activity<'_>) -> Option<bool> {
        let account = activity.actor.account.as_deref()?;
        (!self.accounts.is_empty()).then(|| !self.accounts.contains(account))
    }

    /// User names of the identity provider's people, by their ids.
    pub(crate) fn people(&self) -> &std::collections::BTreeMap<String, String> {
        &self.people
    }

    /// Whether the user declared anything that was planted for intruders.
    pub(crate) fn has_canaries(&self) -> bool {
        !self.settings.canaries.is_empty()
    }

    /// How an activity touches what was planted for intruders: `used` where it is the caller's
    /// credential or principal, `touched` where it is a target.
    pub fn canary(&self, activity: &Activity<'_>) -> Option<&'static str> {
        let canaries = &self.settings.canaries;
        if canaries.is_empty() {
            return None;
        }
        let is_planted = |id: &str| {
            canaries.iter().any(|pattern| {
                matches_pattern(pattern, id)
                    || secret_without_suffix(id).is_some_and(|id| matches_pattern(pattern, id))
            })
        };
        let credential = activity.credential.as_ref().map(|it| &*it.id);
        if is_planted(&activity.actor.principal) || credential.is_some_and(is_planted) {
            return Some("used");
        }
        let is_target = activity.targets.iter().any(|target| is_planted(target));
        is_target.then_some("touched")
    }

    /// Whether the user declared the principal as one that deploys.
    pub fn is_declared_deployer(&self, principal: &str) -> bool {
        self.settings
            .deploy_principals
            .iter()
            .any(|pattern| matches_pattern(pattern, principal))
    }

    /// Whether the user declared any principal that deploys; if so nothing is inferred.
    pub fn declares_deployers(&self) -> bool {
        !self.settings.deploy_principals.is_empty()
    }
}

/// A Secrets Manager ARN without its ending of a hyphen and six random characters. See "Secrets
/// Manager ARN" in the AWS Secrets Manager user guide.
fn secret_without_suffix(id: &str) -> Option<&str> {
    if !id.starts_with("arn:aws:secretsmanager:") {
        return None;
    }
    let (name, suffix) = id.rsplit_once('-')?;
    (suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(name)
}
