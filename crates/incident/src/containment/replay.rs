//! The past against a plan: which calls of the logs the changed estate would refuse.
//!
//! Only calls that were allowed then are asked about, and of them only those that the plan can
//! concern. Calls alike are asked about once. A call that the estate as it is would refuse too
//! says nothing of the plan: it is counted, and told as such.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use portreeve_detect::{Activities, ActivityRow, RowId, Symbol};
use portreeve_graph::cut::{Edit, Plan};
use portreeve_graph::{Access, Graph};
use portreeve_model::{EntityId, Estate, PolicyLayer, Relation, Timestamp};
use serde::{Deserialize, Serialize};

use super::judge::{Call, Judge, Judged, Off, Verdict};

/// How many sessions are named of those who made the same calls.
const SESSIONS: usize = 5;

/// What is known of a call that would have been refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// It would have been denied.
    Denied,
    /// Whether it would have been denied depends on what the logs do not tell.
    Depends,
}

/// Calls alike that were allowed, and would have been refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Who made them.
    pub principal: EntityId,
    /// The names of the sessions in which, where there are any: the first few.
    pub sessions: Vec<String>,
    /// The permission that would be missing, as `s3:PutObject`.
    pub action: String,
    /// What was called, as the log names it.
    pub operation: String,
    /// On what.
    pub resource: String,
    /// What would have come of them.
    pub refusal: Refusal,
    /// Why, where no policy decides it: the key is off, the role is taken.
    pub reason: Option<String>,
    /// How many calls.
    pub calls: u64,
    /// The first of them.
    pub first: Option<Timestamp>,
    /// The last of them.
    pub last: Option<Timestamp>,
}

/// What came of replaying the past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// What would have been refused, most calls first.
    pub refused: Vec<Refused>,
    /// How many calls there were that had been allowed.
    pub calls: u64,
    /// How many of them the plan could concern.
    pub asked: u64,
    /// How many of those the estate as it is would refuse too, so that nothing follows from it.
    pub unexplained: u64,
    /// The first and the last call of all.
    pub first: Option<Timestamp>,
    /// See `first`.
    pub last: Option<Timestamp>,
    /// Permissions that the plan takes and of whose use logs may be silent, with the reason.
    pub silent: Vec<String>,
}

/// Everything that a replay looks at.
pub struct Calls<'c> {
    /// The estate as it is.
    pub estate: &'c Estate,
    /// Its graph.
    pub graph: &'c Graph,
    /// The plan.
    pub plan: &'c Plan,
    /// The graph of the estate in which the plan is carried out.
    pub after: &'c Graph,
    /// What happened.
    pub activities: &'c Activities,
    /// What of it is left out: what an intruder did himself.
    pub left_out: &'c BTreeSet<RowId>,
}

/// Replays the past against a plan.
pub fn replay(calls: &Calls<'_>) -> Replayed {
    let after = calls.estate.revised(&calls.plan.revision(calls.estate));
    let judge = Judge {
        estate: calls.estate,
        graphs: [calls.graph, calls.after],
        before: Access::of(calls.estate),
        after: Access::of(&after),
        asks_address: calls
            .plan
            .changes
            .iter()
            .any(|change| asks_address(&change.edit)),
        keys: off(calls.plan),
    };
    let mut replay = Replay {
        reach: Concern::of(calls.estate, calls.plan),
        names: HashMap::default(),
        groups: HashMap::default(),
        outcome: Replayed::default(),
        judge,
        calls,
    };
    let rows = calls.activities.iter();
    for row in rows.filter(|row| row.succeeded() && !calls.left_out.contains(&row.id())) {
        replay.take(row);
    }
    replay.finish()
}

/// Whether the policy that an edit edits looks at where a call comes from.
fn asks_address(edit: &Edit) -> bool {
    match edit {
        Edit::Document { before, after, .. } => {
            let mut texts = before.iter().chain(after);
            texts.any(|text| text.to_ascii_lowercase().contains("aws:sourceip"))
        }
        _ => false,
    }
}

fn off(plan: &Plan) -> Off {
    let mut off = Off::default();
    for change in &plan.changes {
        match &change.edit {
            Edit::AccessKey {
                key, active: false, ..
            } => {
                off.keys.insert(key.to_string());
            }
            Edit::WorkloadRole {
                workload,
                role,
                runs: false,
            } => {
                let reason = format!("{} no longer runs as the role", workload.short_name());
                let name = workload
                    .as_str()
                    .rsplit([':', '/'])
                    .next()
                    .unwrap_or_default();
                let sessions = off.roles.entry(role.clone()).or_default();
                sessions.insert(name.to_ascii_lowercase(), reason);
            }
            Edit::Assignment {
                person,
                role,
                assigned: false,
            } => {
                let reason = "the permission set is no longer assigned to the person".to_owned();
                let sessions = off.roles.entry(role.clone()).or_default();
                sessions.insert(person.to_string(), reason);
            }
            _ => {}
        }
    }
    off
}

/// Whom and what a plan can concern.
struct Concern {
    principals: BTreeSet<EntityId>,
    resources: BTreeSet<EntityId>,
}

impl Concern {
    fn of(estate: &Estate, plan: &Plan) -> Self {
        let mut concern = Self {
            principals: BTreeSet::new(),
            resources: BTreeSet::new(),
        };
        for change in &plan.changes {
            match &change.edit {
                Edit::Document {
                    target,
                    layer:
                        PolicyLayer::Resource
                        | PolicyLayer::Grant
                        | PolicyLayer::Trust
                        | PolicyLayer::ResourceControl,
                    ..
                } => {
                    concern.resources.insert(target.clone());
                }
                Edit::Document {
                    target,
                    layer: PolicyLayer::ServiceControl,
                    ..
                } => {
                    let account = target.aws_account();
                    let bound = estate.entities().filter(|entity| {
                        entity.kind.is_principal() && entity.account.as_deref() == account
                    });
                    concern
                        .principals
                        .extend(bound.map(|entity| entity.id.clone()));
                }
                Edit::Document {
                    target,
                    name,
                    copies,
                    ..
                } => {
                    concern.principals.insert(target.clone());
                    concern.principals.extend(copies.iter().cloned());
                    if target.as_str() == name {
                        concern.principals.extend(holders(estate, name));
                    }
                }
                Edit::Attachment { target, copies, .. } => {
                    concern.principals.insert(target.clone());
                    concern.principals.extend(copies.iter().cloned());
                }
                Edit::Membership { user, .. } | Edit::AccessKey { user, .. } => {
                    concern.principals.insert(user.clone());
                }
                Edit::WorkloadRole { role, .. } | Edit::Assignment { role, .. } => {
                    concern.principals.insert(role.clone());
                }
            }
        }
        for relation in estate.relations() {
            if let Relation::MemberOf { member, group } = relation
                && concern.principals.contains(group)
            {
                concern.principals.insert(member.clone());
            }
        }
        concern
    }

    fn has(&self, principal: Option<&EntityId>, row: ActivityRow<'_>) -> bool {
        principal.is_some_and(|principal| self.principals.contains(principal))
            || row
                .targets()
                .any(|target| self.resources.contains(&*of_bucket(target)))
    }
}

/// The bucket of an object, else the resource itself.
fn of_bucket(resource: &str) -> String {
    match resource
        .strip_prefix("arn:aws:s3:::")
        .and_then(|path| path.split_once('/'))
    {
        Some((bucket, _)) => format!("arn:aws:s3:::{bucket}"),
        None => resource.to_owned(),
    }
}

fn holders<'e>(estate: &'e Estate, policy: &'e str) -> impl Iterator<Item = EntityId> + 'e {
    estate
        .relations()
        .iter()
        .filter_map(move |relation| match relation {
            Relation::Policy { subject, name, .. } if name == policy => Some(subject.clone()),
            _ => None,
        })
}

/// Calls that get the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Alike {
    principal: Symbol,
    operation: Symbol,
    targets: Vec<Symbol>,
    session: Option<Symbol>,
    key: Option<Symbol>,
    address: Option<Symbol>,
}

/// What there is of calls alike.
#[derive(Clone, Debug, Default)]
struct Tally {
    calls: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    sessions: BTreeSet<String>,
}

impl Tally {
    fn add(&mut self, row: ActivityRow<'_>) {
        self.calls += 1;
        let time = row.time();
        self.first = [self.first, time].into_iter().flatten().min();
        self.last = self.last.max(time);
        if let Some(session) = row.session()
            && !self.sessions.contains(session)
        {
            self.sessions.insert(session.to_owned());
            self.forget();
        }
    }

    /// Keeps the first few sessions by name.
    fn forget(&mut self) {
        while self.sessions.len() > SESSIONS {
            self.sessions.pop_last();
        }
    }

    fn join(&mut self, other: Tally) {
        self.calls += other.calls;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.sessions.extend(other.sessions);
        self.forget();
    }
}

struct Replay<'c> {
    calls: &'c Calls<'c>,
    reach: Concern,
    judge: Judge<'c>,
    /// What the estate calls each principal of the logs.
    names: HashMap<Symbol, Option<EntityId>, FixedState>,
    groups: HashMap<Alike, Tally, FixedState>,
    outcome: Replayed,
}

impl Replay<'_> {
    fn take(&mut self, row: ActivityRow<'_>) {
        let outcome = &mut self.outcome;
        outcome.calls += 1;
        outcome.first = [outcome.first, row.time()].into_iter().flatten().min();
        outcome.last = outcome.last.max(row.time());
        let graph = self.calls.graph;
        let principal = self
            .names
            .entry(row.principal_symbol())
            .or_insert_with(|| graph.find(row.principal()));
        if !self.reach.has(principal.as_ref(), row) {
            return;
        }
        self.outcome.asked += 1;
        let off = &self.judge.keys;
        let by_session = principal
            .as_ref()
            .is_some_and(|id| off.roles.contains_key(id));
        let by_key = row.credential().is_some_and(|key| off.keys.contains(key));
        let alike = Alike {
            principal: row.principal_symbol(),
            operation: row.action_symbol(),
            targets: row.target_symbols().collect(),
            session: by_session.then(|| row.session_symbol()),
            key: by_key.then(|| row.credential_symbol()),
            address: self.judge.asks_address.then(|| row.address_symbol()),
        };
        self.groups.entry(alike).or_default().add(row);
    }

    fn finish(mut self) -> Replayed {
        let strings = self.calls.activities.strings();
        let text = |symbol: Symbol| strings.get(symbol).unwrap_or_default();
        let mut refused: BTreeMap<Verdict, Tally> = BTreeMap::new();
        for (alike, tally) in std::mem::take(&mut self.groups) {
            let principal = self.names.get(&alike.principal).cloned().flatten();
            let call = Call {
                id: principal.unwrap_or_else(|| EntityId::from(text(alike.principal))),
                named: text(alike.principal),
                operation: text(alike.operation),
                targets: alike.targets.iter().map(|&target| text(target)).collect(),
                session: alike.session.map(text),
                key: alike.key.map(text),
                address: alike.address.map(text),
            };
            match self.judge.verdict(&call) {
                Judged::Stays => {}
                Judged::Unexplained => self.outcome.unexplained += tally.calls,
                Judged::Refused(verdict) => refused.entry(verdict).or_default().join(tally),
            }
        }
        let refused = refused.into_iter().map(|(verdict, tally)| Refused {
            principal: verdict.principal,
            sessions: tally.sessions.into_iter().collect(),
            action: verdict.action,
            operation: verdict.operation,
            resource: verdict.resource,
            refusal: verdict.refusal,
            reason: verdict.reason,
            calls: tally.calls,
            first: tally.first,
            last: tally.last,
        });
        self.outcome.refused = refused.collect();
        // Sorting keeps the order of what is equal.
        self.outcome
            .refused
            .sort_by_key(|refused| (refused.refusal, std::cmp::Reverse(refused.calls)));
        self.outcome.silent = silent(self.calls.plan);
        self.outcome
    }
}

/// Permissions that a plan takes and of whose use logs may be silent.
fn silent(plan: &Plan) -> Vec<String> {
    let mut found = BTreeSet::new();
    for change in &plan.changes {
        let Edit::Document { before, after, .. } = &change.edit else {
            continue;
        };
        let said = |text: &Option<std::sync::Arc<str>>| -> String {
            text.as_deref().unwrap_or_default().to_ascii_lowercase()
        };
        let (before, after) = (said(before), said(after));
        for (action, why) in portreeve_telemetry::SILENT {
            let name = format!("\"{}", action.trim_end_matches('*').to_ascii_lowercase());
            if before.matches(&name).count() != after.matches(&name).count() {
                found.insert(format!("{action}: {}", why.words()));
            }
        }
    }
    found.into_iter().collect()
}
