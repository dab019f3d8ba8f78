//! One call against an estate before and after a plan.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_authz::Decision;
use portreeve_graph::{Access, Circumstances, Graph};
use portreeve_model::{EntityId, EntityKind, Estate};
use portreeve_telemetry::permissions;

use super::replay::Refusal;

/// What a plan takes away otherwise than by policies.
#[derive(Default)]
pub(super) struct Off {
    pub(super) keys: BTreeSet<String>,
    /// Roles, with the session names of the workload or person that loses them.
    pub(super) roles: BTreeMap<EntityId, BTreeMap<String, String>>,
}

/// One call, in the words of the log.
pub(super) struct Call<'c> {
    pub(super) id: EntityId,
    /// The principal, as the log names it.
    pub(super) named: &'c str,
    pub(super) operation: &'c str,
    pub(super) targets: Vec<&'c str>,
    pub(super) session: Option<&'c str>,
    pub(super) key: Option<&'c str>,
    pub(super) address: Option<&'c str>,
}

/// What a call would have been refused for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Verdict {
    pub(super) principal: EntityId,
    pub(super) operation: String,
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) refusal: Refusal,
    pub(super) reason: Option<String>,
}

/// What would have come of a call.
pub(super) enum Judged {
    /// It would have been allowed.
    Stays,
    /// The estate as it is would refuse it too.
    Unexplained,
    Refused(Verdict),
}

/// Asks about single calls.
pub(super) struct Judge<'e> {
    pub(super) estate: &'e Estate,
    /// Before and after.
    pub(super) graphs: [&'e Graph; 2],
    pub(super) before: Access<'e>,
    pub(super) after: Access<'e>,
    pub(super) asks_address: bool,
    pub(super) keys: Off,
}

impl Judge<'_> {
    /// What would have come of a call.
    pub(super) fn verdict(&self, call: &Call<'_>) -> Judged {
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
