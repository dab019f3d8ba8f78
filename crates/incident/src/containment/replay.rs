//! The past against a plan: which calls of the logs the changed estate would refuse.
//!
//! Only calls that were allowed then are asked about, and of them only those that the plan can
//! concern. Calls alike are asked about once. A call that the estate as it is would refuse too
//! says nothing of the plan: it is counted, and told as such.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use portreeve_authz::Decision;
use portreeve_detect::{Activities, ActivityRow, Symbol};
use portreeve_graph::cut::{Edit, Plan};
use portreeve_graph::{Access, Circumstances, Graph};
use portreeve_model::{EntityId, EntityKind, Estate, PolicyLayer, Relation, Timestamp};
use portreeve_telemetry::permissions;
use serde::{Deserialize, Serialize};

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
    for row in calls.activities.iter().filter(|row| row.succeeded()) {
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

/// What a plan takes away otherwise than by policies.
#[derive(Default)]
struct Off {
    keys: BTreeSet<String>,
    /// Roles, with the session names of the workload or person that loses them.
    roles: BTreeMap<EntityId, BTreeMap<String, String>>,
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
                    layer: PolicyLayer::Resource | PolicyLayer::Trust | PolicyLayer::ResourceControl,
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

/// One call, in the words of the log.
struct Call<'c> {
    id: EntityId,
    /// The principal, as the log names it.
    named: &'c str,
    operation: &'c str,
    targets: Vec<&'c str>,
    session: Option<&'c str>,
    key: Option<&'c str>,
    address: Option<&'c str>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Verdict {
    principal: EntityId,
    operation: String,
    action: String,
    resource: String,
    refusal: Refusal,
    reason: Option<String>,
}

enum Judged {
    /// It would have been allowed.
    Stays,
    /// The estate as it is would refuse it too.
    Unexplained,
    Refused(Verdict),
}

/// Asks about single calls.
struct Judge<'e> {
    estate: &'e Estate,
    /// Before and after.
    graphs: [&'e Graph; 2],
    before: Access<'e>,
    after: Access<'e>,
    asks_address: bool,
    keys: Off,
}

impl Judge<'_> {
    fn verdict(&self, call: &Call<'_>) -> Judged {
        let verdict = |action: &str, resource: &str, refusal, reason| Verdict {
            principal: call.id.clone(),
            operation: call.operation.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            refusal,
            reason,
        };
        let on = call.targets.first().copied().unwrap_or("*");
        if call.key.is_some() {
            let reason = Some("the key is deactivated".to_owned());
            return Judged::Refused(verdict(call.operation, on, Refusal::Denied, reason));
        }
        if let Some(reason) = self.role_is_off(call) {
            let reason = Some(reason);
            return Judged::Refused(verdict(call.operation, on, Refusal::Denied, reason));
        }
        let mut worst = Judged::Stays;
        for (action, resource) in needs(call) {
            let compared = match call.operation {
                "sts:AssumeRoleWithWebIdentity" | "sts:AssumeRoleWithSAML" => {
                    self.federated(call, &resource)
                }
                _ => self.compare(call, &action, &resource),
            };
            match compared {
                Compared::Same => {}
                Compared::Unexplained => {
                    if matches!(worst, Judged::Stays) {
                        worst = Judged::Unexplained;
                    }
                }
                Compared::Refused => {
                    return Judged::Refused(verdict(&action, &resource, Refusal::Denied, None));
                }
                Compared::Depends => {
                    if !matches!(worst, Judged::Refused(_)) {
                        let found = verdict(&action, &resource, Refusal::Depends, None);
                        worst = Judged::Refused(found);
                    }
                }
            }
        }
        if let (Judged::Stays | Judged::Unexplained, Some(found)) = (&worst, self.passed(call)) {
            let (refusal, resource) = found;
            return Judged::Refused(verdict("iam:PassRole", &resource, refusal, None));
        }
        worst
    }

    fn role_is_off(&self, call: &Call<'_>) -> Option<String> {
        let session = call.session?;
        self.keys
            .roles
            .get(&call.id)?
            .iter()
            .find_map(|(who, reason)| {
                let person = self.estate.get(who);
                let name = person.and_then(|person| person.attributes.get("UserName"));
                let name = name.map_or(who.as_str(), String::as_str);
                session.eq_ignore_ascii_case(name).then(|| reason.clone())
            })
    }

    fn compare(&self, call: &Call<'_>, action: &str, resource: &str) -> Compared {
        let circumstances = match call.address {
            Some(address) => Circumstances::default().with("aws:SourceIp", &[address]),
            None => Circumstances::default(),
        };
        let ask =
            |access: &Access<'_>| access.can(call.id.as_str(), action, resource, &circumstances);
        let Ok(before) = ask(&self.before) else {
            return Compared::Unexplained;
        };
        let Ok(after) = ask(&self.after) else {
            return Compared::Unexplained;
        };
        let (before, after) = (before.answer, after.answer);
        match (before.is_possible(), after.is_possible()) {
            (false, _) => Compared::Unexplained,
            (true, false) => Compared::Refused,
            (true, true)
                if after.decision == Decision::Allowed || before.depends_on == after.depends_on =>
            {
                Compared::Same
            }
            (true, true) => Compared::Depends,
        }
    }

    /// A role that is taken with a token of an identity provider: the graph knows whom it lets in.
    fn federated(&self, call: &Call<'_>, role: &str) -> Compared {
        let [before, after] = self.graphs.map(|graph| graph.path(call.named, role));
        match (before, after) {
            (None, _) => Compared::Unexplained,
            (Some(_), None) => Compared::Refused,
            (Some(before), Some(after)) if after.conditions.len() > before.conditions.len() => {
                Compared::Depends
            }
            _ => Compared::Same,
        }
    }

    /// Roles that a call may have passed to a service, where the plan takes that. The log does not
    /// say which it was.
    fn passed(&self, call: &Call<'_>) -> Option<(Refusal, String)> {
        if !PASSING.contains(&call.operation_without_version().as_str()) {
            return None;
        }
        let account = call.id.aws_account()?;
        let (mut lost, mut kept) = (Vec::new(), false);
        let roles = self.estate.entities().filter(|entity| {
            entity.kind == EntityKind::Role && entity.account.as_deref() == Some(account)
        });
        for role in roles {
            match self.compare(call, "iam:PassRole", role.id.as_str()) {
                Compared::Refused | Compared::Depends => lost.push(&role.id),
                Compared::Same => kept = true,
                Compared::Unexplained => {}
            }
        }
        match (lost.as_slice(), kept) {
            ([], _) => None,
            ([one], false) => Some((Refusal::Denied, one.to_string())),
            (_, false) => Some((Refusal::Denied, format!("arn:aws:iam::{account}:role/*"))),
            ([one], true) => Some((Refusal::Depends, one.to_string())),
            (_, true) => Some((Refusal::Depends, format!("arn:aws:iam::{account}:role/*"))),
        }
    }
}

enum Compared {
    Same,
    Unexplained,
    Refused,
    Depends,
}

/// Calls that hand a role to a service: those that the catalogue's steps with `iam:PassRole` make,
/// and their like.
const PASSING: [&str; 24] = [
    "apprunner:CreateService",
    "apprunner:UpdateService",
    "autoscaling:CreateLaunchConfiguration",
    "cloudformation:CreateStack",
    "cloudformation:CreateStackSet",
    "cloudformation:UpdateStack",
    "codebuild:CreateProject",
    "codebuild:UpdateProject",
    "datapipeline:PutPipelineDefinition",
    "ec2:AssociateIamInstanceProfile",
    "ec2:RequestSpotInstances",
    "ec2:RunInstances",
    "ecs:CreateService",
    "ecs:RegisterTaskDefinition",
    "ecs:RunTask",
    "ecs:StartTask",
    "ecs:UpdateService",
    "glue:CreateDevEndpoint",
    "glue:CreateJob",
    "glue:UpdateJob",
    "lambda:CreateFunction",
    "lambda:UpdateFunctionConfiguration",
    "sagemaker:CreateNotebookInstance",
    "states:CreateStateMachine",
];

impl Call<'_> {
    fn operation_without_version(&self) -> String {
        let (service, operation) = self.operation.split_once(':').unwrap_or_default();
        permissions(service, operation)
            .into_iter()
            .next()
            .unwrap_or_default()
    }
}

/// The permissions that a call needed, each with the resource.
fn needs(call: &Call<'_>) -> Vec<(String, String)> {
    let (service, operation) = call.operation.split_once(':').unwrap_or_default();
    let mut needs = Vec::new();
    for action in permissions(service, operation) {
        let fitting: Vec<String> = call
            .targets
            .iter()
            .filter_map(|target| resource_for(&action, target))
            .collect();
        match fitting.as_slice() {
            // Many calls act on no resource of a name.
            [] => needs.push((action, "*".to_owned())),
            _ => needs.extend(fitting.into_iter().map(|target| (action.clone(), target))),
        }
    }
    needs.sort();
    needs.dedup();
    needs
}

/// A target as the resource of an action; `None` where the action does not act on its kind.
fn resource_for(action: &str, target: &str) -> Option<String> {
    let (service, name) = action.split_once(':')?;
    let of = target.split(':').nth(2)?;
    let fits = of == service || (service == "sts" && of == "iam");
    if !fits {
        return None;
    }
    if service == "s3" {
        let is_object = target.contains('/');
        let of_objects = name.contains("Object") && !name.contains("Bucket");
        return match (of_objects, is_object) {
            (true, true) | (false, false) => Some(target.to_owned()),
            (true, false) | (false, true) => None,
        };
    }
    Some(target.to_owned())
}
