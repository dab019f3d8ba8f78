//! What a change did to policies and memberships, and which of them a way hangs on.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{EntityId, Estate, PolicyLayer, Relation};
use serde::Serialize;
use serde_json::Value;

use crate::change::{Statements, is_same};
use crate::difference::{Difference, Way};

/// A policy or a membership that differs between two states of an estate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ChangedPolicy {
    /// What it is attached to, or who is the member.
    pub subject: EntityId,
    /// In what capacity; `None` for a membership.
    pub layer: Option<PolicyLayer>,
    /// Its name; of a membership the group.
    pub name: String,
    /// What happened to it.
    pub change: PolicyFate,
    /// The statements that came, or changed; of a policy that went those that it had: by their id, or
    /// by their number from 0, as
    /// steps name them.
    pub statements: Vec<String>,
}

/// What a change did to a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyFate {
    /// It came.
    Added,
    /// It went.
    Removed,
    /// It says something else.
    Changed,
}

impl PolicyFate {
    /// The word for reports.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyFate::Added => "added",
            PolicyFate::Removed => "removed",
            PolicyFate::Changed => "changed",
        }
    }
}

/// A policy's place, and the texts that it has there: several where exports disagree.
type Texts<'e> = BTreeMap<(&'e EntityId, Option<PolicyLayer>, &'e str), BTreeSet<&'e str>>;

fn texts(estate: &Estate) -> Texts<'_> {
    let mut texts: Texts<'_> = BTreeMap::new();
    for relation in estate.relations() {
        let (subject, layer, name, text) = match relation {
            Relation::Policy {
                subject,
                layer,
                name,
                document,
            } => (subject, Some(*layer), name.as_str(), &**document),
            Relation::MemberOf { member, group } => (member, None, group.as_str(), ""),
            _ => continue,
        };
        let known = texts.entry((subject, layer, name)).or_default();
        known.insert(text);
    }
    texts
}

/// The statements of some texts that others do not have.
fn differing(texts: &BTreeSet<&str>, others: &BTreeSet<&str>) -> Vec<String> {
    let known: Vec<Value> = others
        .iter()
        .flat_map(|text| Statements::of(text).0)
        .collect();
    let mut found = Vec::new();
    for text in texts {
        for (place, statement) in Statements::of(text).0.iter().enumerate() {
            if !known.contains(statement) {
                let sid = statement.get("Sid").and_then(Value::as_str);
                found.push(sid.map_or_else(|| place.to_string(), str::to_owned));
            }
        }
    }
    found
}

/// Every policy and membership that differs.
pub fn changed_policies(before: &Estate, after: &Estate) -> Vec<ChangedPolicy> {
    let (was, is) = (texts(before), texts(after));
    let mut places: Vec<_> = was.keys().chain(is.keys()).collect();
    places.sort();
    places.dedup();
    places
        .into_iter()
        .filter_map(|place| {
            let change = match (was.get(place), is.get(place)) {
                (None, Some(_)) => PolicyFate::Added,
                (Some(_), None) => PolicyFate::Removed,
                (Some(was), Some(is)) => {
                    let same = was.len() == is.len()
                        && was.iter().zip(is).all(|(was, is)| is_same(was, is));
                    (!same).then_some(PolicyFate::Changed)?
                }
                (None, None) => return None,
            };
            let (subject, layer, name) = *place;
            let none = BTreeSet::new();
            let (was, is) = (was.get(place), is.get(place));
            let statements = match change {
                PolicyFate::Removed => differing(was.unwrap_or(&none), &none),
                _ => differing(is.unwrap_or(&none), was.unwrap_or(&none)),
            };
            Some(ChangedPolicy {
                statements,
                subject: subject.clone(),
                layer,
                name: name.to_owned(),
                change,
            })
        })
        .collect()
}

impl Difference {
    /// Names for each way the changed policies that bear on the step to blame: those of its two ends,
    /// of the groups of who takes it, and of the accounts and units above both.
    pub fn explain(&mut self, before: &Estate, after: &Estate) {
        let changed = changed_policies(before, after);
        let mut above: BTreeMap<&EntityId, BTreeSet<&EntityId>> = BTreeMap::new();
        for relation in before.relations().iter().chain(after.relations()) {
            let (lower, upper) = match relation {
                Relation::MemberOf { member, group } => (member, group),
                Relation::Contains { parent, child } => (child, parent),
                _ => continue,
            };
            above.entry(lower).or_default().insert(upper);
        }
        let bears_on = |way: &Way| {
            let steps = match way.changed_step() {
                Some(step) => std::slice::from_ref(step),
                None => way.path.steps.as_slice(),
            };
            let ends = steps.iter().flat_map(|step| [&step.from, &step.to]);
            let mut open: Vec<EntityId> = ends.cloned().collect();
            let mut near: BTreeSet<EntityId> = BTreeSet::new();
            while let Some(id) = open.pop() {
                if near.contains(&id) {
                    continue;
                }
                let account = id.aws_account();
                open.extend(account.map(|account| format!("arn:aws:iam::{account}:root").into()));
                open.extend(above.get(&id).into_iter().flatten().map(|id| (*id).clone()));
                near.insert(id);
            }
            let near = changed.iter().filter(|one| near.contains(&one.subject));
            near.cloned().collect::<Vec<_>>()
        };
        let lists = [
            &mut self.opened,
            &mut self.closed,
            &mut self.weakened,
            &mut self.strengthened,
        ];
        for way in lists.into_iter().flatten() {
            way.causes = bears_on(way);
        }
    }
}
