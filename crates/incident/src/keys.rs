//! Every credential with what it opens, those that nobody uses, and the principals that are allowed
//! more than they use.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_detect::{PrincipalUsage, Usage};
use portreeve_graph::{Graph, Key, LeastPolicy, Power, UsedAction, least_policy};
use portreeve_model::{EntityId, EntityKind, Estate, PolicyLayer, Relation, Timestamp};
use portreeve_telemetry::{SILENT, Silence, is_data_event, permissions};
use serde::Serialize;

/// What is asked of the credentials of an estate.
#[derive(Clone, Copy, Debug)]
pub struct KeyQuestion {
    /// How many master keys are told apart by how much they reach.
    pub masters: usize,
    /// After how many days without a use a key counts as unused.
    pub unused_days: u32,
    /// When ages are counted to; `None` for the last time that inventory or logs know of.
    pub as_of: Option<Timestamp>,
}

/// The credentials of an estate.
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// All of them, the master keys first, in the order of [`Graph::keys`].
    pub keys: Vec<Key>,
    /// How many of the first are master keys: they work, and open an account or a crown jewel.
    pub masters: usize,
    /// When ages are counted to.
    pub as_of: Option<Timestamp>,
    /// After how many days without a use a key counts as unused.
    pub unused_days: u32,
    /// Principals that are allowed more than the logs show them using, those that open most first.
    /// Empty without logs.
    pub over_permissive: Vec<OverPermissive>,
    /// Whether logs were given.
    pub has_history: bool,
}

/// A principal that is allowed more than it uses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverPermissive {
    /// Who.
    pub principal: EntityId,
    /// What it opens.
    pub opens: Power,
    /// How many calls the logs show.
    pub calls: u64,
    /// The last of them.
    pub last_used: Option<Timestamp>,
    /// The actions that it used.
    pub used: Vec<String>,
    /// What would do.
    #[serde(flatten)]
    pub least: LeastPolicy,
}

const DAY: i64 = 86_400;

impl KeyRing {
    /// Lists the credentials. `graph` must be the estate's; `usage` is what logs show.
    pub fn of(
        estate: &Estate,
        graph: &Graph,
        usage: Option<&Usage>,
        question: KeyQuestion,
    ) -> Self {
        let named = usage.map(|usage| by_entity(usage, estate, graph));
        let last_used = |id: &str| {
            let by_credential = usage.and_then(|usage| usage.credentials.get(id)).copied();
            let by_principal = named.as_ref().and_then(|named| named.get(id)?.last);
            by_credential.max(by_principal)
        };
        let keys = graph.keys(estate, question.masters, &last_used);
        let times = keys.iter().flat_map(|key| [key.created, key.last_used]);
        let latest = times
            .flatten()
            .chain(usage.and_then(|usage| usage.last))
            .max();
        let masters = keys
            .iter()
            .take_while(|key| key.active && key.opens.is_any())
            .count();
        let over_permissive = match (usage, &named) {
            (Some(usage), Some(named)) => over_permissive(estate, graph, usage, named),
            _ => Vec::new(),
        };
        Self {
            keys,
            masters,
            as_of: question.as_of.or(latest),
            unused_days: question.unused_days,
            over_permissive,
            has_history: usage.is_some(),
        }
    }

    /// How many whole days before the time that ages are counted to something was; none where it
    /// was later.
    pub fn days_since(&self, time: Timestamp) -> Option<u32> {
        let days = (self.as_of?.as_second() - time.as_second()) / DAY;
        Some(u32::try_from(days).unwrap_or_default())
    }

    /// Whether a key works and was not used for as long as was asked; `None` where that is not
    /// known.
    pub fn is_unused(&self, key: &Key) -> Option<bool> {
        let seconds = i64::from(self.unused_days) * DAY;
        let since = Timestamp::from_second(self.as_of?.as_second() - seconds).ok()?;
        Some(key.active && key.is_unused(since)?)
    }
}

/// What principals did, by the ids that the estate has for them: logs may leave out a role's path.
fn by_entity<'u>(
    usage: &'u Usage,
    estate: &Estate,
    graph: &Graph,
) -> BTreeMap<String, &'u PrincipalUsage> {
    let names = usage.principals.iter();
    names
        .filter_map(|(name, used)| {
            let id = match estate.get(name) {
                Some(entity) => entity.id.clone(),
                None => graph.find(name)?,
            };
            Some((id.to_string(), used))
        })
        .collect()
}

fn over_permissive(
    estate: &Estate,
    graph: &Graph,
    usage: &Usage,
    named: &BTreeMap<String, &PrincipalUsage>,
) -> Vec<OverPermissive> {
    let silent = silent(usage);
    let silent: Vec<(&str, &str)> = silent.iter().map(|(action, why)| (*action, *why)).collect();
    let policies = identity_policies(estate, named);
    let ids: Vec<&str> = policies.keys().map(|id| id.as_str()).collect();
    let powers = graph.powers_of(&ids);
    let mut found: Vec<OverPermissive> = policies
        .iter()
        .zip(powers)
        .filter_map(|((id, policies), opens)| {
            let used = named.get(id.as_str())?;
            let actions = used_actions(used);
            let least = least_policy(policies, &actions, &silent);
            least.is_less().then(|| OverPermissive {
                principal: (*id).clone(),
                opens,
                calls: used.calls,
                last_used: used.last,
                used: actions.into_iter().map(|used| used.action).collect(),
                least,
            })
        })
        .collect();
    found.sort_by(|one, other| (other.opens, &one.principal).cmp(&(one.opens, &other.principal)));
    found
}

/// The actions whose use the logs cannot show, with the reason. Where any data event of a service is
/// in the logs, they show them.
fn silent(usage: &Usage) -> Vec<(&'static str, &'static str)> {
    let service = |action: &str| action.split(':').next().unwrap_or_default().to_owned();
    let shown: BTreeSet<String> = usage
        .operations
        .iter()
        .filter_map(|operation| operation.split_once(':'))
        .flat_map(|(service, operation)| permissions(service, operation))
        .filter(|action| is_data_event(action))
        .map(|action| service(&action))
        .collect();
    SILENT
        .iter()
        .filter(|(action, why)| *why == Silence::Unlogged || !shown.contains(&service(action)))
        .map(|(action, why)| (*action, why.words()))
        .collect()
}

/// The identity policies of those who did something, and of their groups: names and texts.
fn identity_policies<'e>(
    estate: &'e Estate,
    named: &BTreeMap<String, &PrincipalUsage>,
) -> BTreeMap<&'e EntityId, Vec<(&'e str, &'e str)>> {
    let mut groups: BTreeMap<&EntityId, Vec<&EntityId>> = BTreeMap::new();
    for relation in estate.relations() {
        if let Relation::MemberOf { member, group } = relation {
            groups.entry(group).or_default().push(member);
        }
    }
    let mut policies: BTreeMap<&EntityId, Vec<(&str, &str)>> = BTreeMap::new();
    for relation in estate.relations() {
        let Relation::Policy {
            subject,
            layer: PolicyLayer::Identity,
            name,
            document,
        } = relation
        else {
            continue;
        };
        let members = groups.get(subject).into_iter().flatten().copied();
        for holder in members.chain([subject]) {
            let is_principal = estate
                .get(holder.as_str())
                .is_some_and(|entity| matches!(entity.kind, EntityKind::User | EntityKind::Role));
            if is_principal && named.contains_key(holder.as_str()) {
                policies.entry(holder).or_default().push((name, document));
            }
        }
    }
    policies
}

/// What was done, by the actions that it needs.
fn used_actions(used: &PrincipalUsage) -> Vec<UsedAction> {
    let mut actions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut anywhere = BTreeSet::new();
    for (operation, targets) in &used.operations {
        let (service, operation) = operation.split_once(':').unwrap_or_default();
        for action in permissions(service, operation) {
            if targets.is_empty() {
                anywhere.insert(action.clone());
            }
            actions
                .entry(action)
                .or_default()
                .extend(targets.iter().cloned());
        }
    }
    actions
        .into_iter()
        .map(|(action, resources)| UsedAction {
            // Of what was once done on something untold no place is known.
            resources: match anywhere.contains(&action) {
                true => BTreeSet::new(),
                false => resources,
            },
            action,
        })
        .collect()
}
