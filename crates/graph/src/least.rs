//! The policy that would do: what a principal really used of what it is allowed.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_authz::aws::decode_document;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::wildcard::{matches, matches_any_case, without_variables};

/// An action that was used, and what it was used on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsedAction {
    /// The action, as `s3:GetObject`.
    pub action: String,
    /// ARNs of what it was used on, as far as the logs tell.
    pub resources: BTreeSet<String>,
}

/// What would do in place of a principal's identity policies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeastPolicy {
    /// The policy document. What is denied stays denied, and conditions stay.
    pub policy: Value,
    /// Actions and patterns of actions of the given policies of which nothing was used.
    pub unused: Vec<String>,
    /// Patterns of actions in whose place the used actions stand by name.
    pub narrowed: Vec<String>,
    /// What was kept though no use of it was seen, since the logs cannot show it, with the reason.
    pub kept: Vec<KeptAction>,
    /// Policies whose text is not known: what they allow is not in [`LeastPolicy::policy`].
    pub unseen: Vec<String>,
}

/// An action that was kept unseen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct KeptAction {
    /// The action, or a pattern of actions.
    pub action: String,
    /// Why the logs cannot show it.
    pub reason: String,
}

impl LeastPolicy {
    /// Whether it allows less than the given policies do.
    pub fn is_less(&self) -> bool {
        !(self.unused.is_empty() && self.narrowed.is_empty())
    }
}

/// The least policy for what was used. `policies` are names and texts of the identity policies of a
/// principal and its groups. `silent` are actions, or beginnings of actions with `*`, of which the
/// logs cannot show a use, with the reason: what the policies allow of them is kept.
///
/// Every call of `used` that the given policies allow is allowed by the result: an action whose
/// resource the logs do not tell keeps the resources of its statement. Objects are told by their bucket.
pub fn least_policy(
    policies: &[(&str, &str)],
    used: &[UsedAction],
    silent: &[(&str, &str)],
) -> LeastPolicy {
    let mut least = LeastPolicy {
        policy: Value::Null,
        unused: Vec::new(),
        narrowed: Vec::new(),
        kept: Vec::new(),
        unseen: Vec::new(),
    };
    let mut statements = Vec::new();
    for (name, text) in policies {
        let document = serde_json::from_str::<Value>(&decode_document(text)).ok();
        let Some(document) = document.filter(Value::is_object) else {
            least.unseen.push((*name).to_owned());
            continue;
        };
        for statement in list(document.get("Statement")) {
            if statement.get("Effect").and_then(Value::as_str) == Some("Allow") {
                lessen(statement, used, silent, &mut statements, &mut least);
            } else {
                statements.push(statement.clone());
            }
        }
    }
    statements.dedup();
    for list in [&mut least.unused, &mut least.narrowed, &mut least.unseen] {
        list.sort();
        list.dedup();
    }
    least.kept.sort();
    least.kept.dedup();
    least.policy = json!({"Version": "2012-10-17", "Statement": statements});
    least
}

/// One value, or the elements of a list.
fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn texts<'v>(statement: &'v Value, name: &str) -> Vec<&'v str> {
    let values = list(statement.get(name)).into_iter();
    values.filter_map(Value::as_str).collect()
}

/// What of a statement that allows is left.
fn lessen(
    statement: &Value,
    used: &[UsedAction],
    silent: &[(&str, &str)],
    statements: &mut Vec<Value>,
    least: &mut LeastPolicy,
) {
    let (actions, all_but) = (texts(statement, "Action"), texts(statement, "NotAction"));
    let resources = texts(statement, "Resource");
    let covers = |action: &str| match actions.is_empty() {
        true => !all_but
            .iter()
            .any(|pattern| matches_any_case(pattern, action)),
        false => actions
            .iter()
            .any(|pattern| matches_any_case(pattern, action)),
    };
    // By resources the actions on them: those that were used, then those that are kept.
    let mut groups: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    let own: Vec<String> = resources.iter().map(|&text| text.to_owned()).collect();
    let mut hit: BTreeSet<&str> = BTreeSet::new();
    let mut note = |action: &str| {
        let by = actions
            .iter()
            .filter(|pattern| matches_any_case(pattern, action));
        hit.extend(by.copied());
    };
    for one in used.iter().filter(|one| covers(&one.action)) {
        let on: BTreeSet<String> = one
            .resources
            .iter()
            .filter(|on| {
                resources
                    .iter()
                    .any(|pattern| matches(&without_variables(pattern), on))
            })
            .cloned()
            .collect();
        // A use of another statement's resources alone is none of this one.
        let elsewhere = on.is_empty() && is_told(one, &resources);
        if elsewhere {
            continue;
        }
        note(&one.action);
        let on = if on.is_empty() {
            own.clone()
        } else {
            told(&on)
        };
        groups.entry(on).or_default().insert(one.action.clone());
    }
    for (pattern, reason) in silent {
        let named: Vec<&str> = match covers(pattern) {
            true => vec![pattern],
            // Of a wider pattern only what the statement names.
            false => {
                let named = actions.iter().copied();
                named
                    .filter(|action| matches_any_case(pattern, action))
                    .collect()
            }
        };
        for action in named {
            note(action);
            groups
                .entry(own.clone())
                .or_default()
                .insert(action.to_owned());
            least.kept.push(KeptAction {
                action: action.to_owned(),
                reason: (*reason).to_owned(),
            });
        }
    }
    for pattern in &actions {
        let kept_whole = groups.values().any(|actions| actions.contains(*pattern));
        if !hit.contains(pattern) {
            least.unused.push((*pattern).to_owned());
        } else if pattern.contains(['*', '?']) && !kept_whole {
            least.narrowed.push((*pattern).to_owned());
        }
    }
    if !all_but.is_empty() {
        least
            .narrowed
            .push(format!("all but {}", all_but.join(", ")));
    }
    for (on, actions) in groups {
        let mut left = Map::new();
        left.insert("Effect".into(), "Allow".into());
        left.insert(
            "Action".into(),
            actions.into_iter().collect::<Vec<_>>().into(),
        );
        if on.is_empty() {
            if let Some(resources) = statement.get("NotResource") {
                left.insert("NotResource".into(), resources.clone());
            }
        } else {
            left.insert("Resource".into(), on.into());
        }
        if let Some(condition) = statement.get("Condition") {
            left.insert("Condition".into(), condition.clone());
        }
        statements.push(left.into());
    }
}

/// Whether the logs tell what an action was used on in such a way that a statement on `resources` can
/// be said to have no part in it: of the same service, and named by ARN.
fn is_told(used: &UsedAction, resources: &[&str]) -> bool {
    let service = used.action.split(':').next().unwrap_or_default();
    let of = |arn: &str| arn.split(':').nth(2) == Some(service);
    !resources.is_empty()
        && !used.resources.is_empty()
        && used.resources.iter().all(|resource| of(resource))
        && resources.iter().all(|resource| of(resource))
}

/// Resources as a policy names them: objects by their bucket, since tomorrow's have other names.
fn told(resources: &BTreeSet<String>) -> Vec<String> {
    let told: BTreeSet<String> = resources
        .iter()
        .map(|resource| match resource.split_once('/') {
            Some((bucket, _)) if bucket.contains(":s3:::") => format!("{bucket}/*"),
            _ => resource.clone(),
        })
        .collect();
    told.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use portreeve_authz::Decision;
    use portreeve_authz::aws::{
        Absent, AttachedPolicy, Caller, Context, Document, PrincipalPolicies, Request, Target,
        evaluate,
    };

    use super::*;

    fn used(action: &str, resources: &[&str]) -> UsedAction {
        UsedAction {
            action: action.into(),
            resources: resources.iter().map(|&on| on.to_owned()).collect(),
        }
    }

    fn least(statements: Value, calls: &[UsedAction], silent: &[(&str, &str)]) -> LeastPolicy {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        least_policy(&[("p", &text)], calls, silent)
    }

    fn is_allowed(policy: &Value, action: &str, resource: &str) -> bool {
        let document = Document::parse(&policy.to_string()).expect("a valid policy");
        let policies = PrincipalPolicies {
            identity: vec![AttachedPolicy::new("p", document)],
            ..PrincipalPolicies::default()
        };
        let request = Request {
            principal: &Caller::from_arn("arn:aws:iam::111122223333:user/anna").unwrap(),
            action,
            target: Target::Exact(resource),
            context: &Context::new(Absent::Absent),
        };
        evaluate(&request, &policies, None).decision == Decision::Allowed
    }

    #[test]
    fn what_was_used_stays_on_what_it_was_used_on() {
        let found = least(
            json!([{"Effect": "Allow", "Action": ["s3:*", "iam:*"], "Resource": "*"}]),
            &[
                used(
                    "s3:GetObject",
                    &["arn:aws:s3:::web/a/b.js", "arn:aws:s3:::web/c.js"],
                ),
                used("s3:ListAllMyBuckets", &[]),
            ],
            &[],
        );
        assert_eq!(
            (found.unused.as_slice(), found.narrowed.as_slice()),
            (&["iam:*".to_owned()][..], &["s3:*".to_owned()][..])
        );
        assert!(is_allowed(
            &found.policy,
            "s3:GetObject",
            "arn:aws:s3:::web/new.js"
        ));
        assert!(is_allowed(&found.policy, "s3:ListAllMyBuckets", "*"));
        assert!(!is_allowed(
            &found.policy,
            "s3:GetObject",
            "arn:aws:s3:::other/x"
        ));
        assert!(!is_allowed(&found.policy, "iam:CreateUser", "*"));
        assert!(found.is_less());
    }

    #[test]
    fn what_the_logs_cannot_show_is_kept_and_said() {
        let silent = [
            ("s3:GetObject*", "no data events"),
            ("iam:PassRole", "another name"),
        ];
        let found = least(
            json!([
                {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::web/*"},
                {"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::111122223333:role/r"}]),
            &[],
            &silent,
        );
        let kept: Vec<&str> = found.kept.iter().map(|kept| kept.action.as_str()).collect();
        assert_eq!(kept, ["iam:PassRole", "s3:GetObject*"]);
        assert!(is_allowed(
            &found.policy,
            "s3:GetObjectTagging",
            "arn:aws:s3:::web/x"
        ));
        assert!(is_allowed(
            &found.policy,
            "iam:PassRole",
            "arn:aws:iam::111122223333:role/r"
        ));
        assert!(!is_allowed(
            &found.policy,
            "s3:GetBucketAcl",
            "arn:aws:s3:::web/x"
        ));
        // Of a wide silence only what the policy names.
        let found = least(
            json!({"Effect": "Allow", "Action": "ssmmessages:OpenDataChannel", "Resource": "*"}),
            &[],
            &[("ssmmessages:*", "never logged")],
        );
        assert!(!found.is_less(), "{found:?}");
    }

    #[test]
    fn conditions_and_denials_stay() {
        let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        let deny = json!({"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"});
        let found = least(
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*", "Condition": mfa}, deny]),
            &[used("ec2:RunInstances", &[])],
            &[],
        );
        let statements = found.policy["Statement"].as_array().unwrap();
        assert_eq!(statements[0]["Action"], json!(["ec2:RunInstances"]));
        assert_eq!(statements[0]["Condition"], mfa);
        assert_eq!(statements[1], deny);
    }

    #[test]
    fn a_policy_without_a_text_is_told() {
        assert_eq!(least_policy(&[("gone", "")], &[], &[]).unseen, ["gone"]);
    }

    proptest::proptest! {
        /// Whatever was used and allowed is still allowed.
        #[test]
        fn no_use_is_refused(
            rows in proptest::collection::vec((0usize..6, 0usize..5), 0..6),
            calls in proptest::collection::vec((0usize..5, 0usize..4), 0..8),
        ) {
            let patterns = ["s3:*", "s3:Get*", "*", "iam:PassRole", "ec2:Describe*", "lambda:InvokeFunction"];
            let places = ["*", "arn:aws:s3:::web/*", "arn:aws:s3:::*", "arn:aws:iam::111122223333:role/*", "arn:aws:s3:::web/${aws:username}/*"];
            let actions = ["s3:GetObject", "s3:PutObject", "iam:PassRole", "ec2:DescribeInstances", "lambda:InvokeFunction"];
            let on = ["arn:aws:s3:::web/a/x", "arn:aws:s3:::other/y", "arn:aws:iam::111122223333:role/r", "*"];
            let statements: Vec<Value> = rows
                .iter()
                .map(|&(action, place)| json!({"Effect": "Allow", "Action": patterns[action], "Resource": places[place]}))
                .collect();
            let text = json!({"Version": "2012-10-17", "Statement": statements});
            let made: Vec<UsedAction> = calls
                .iter()
                .map(|&(action, resource)| match on[resource] {
                    "*" => used(actions[action], &[]),
                    arn => used(actions[action], &[arn]),
                })
                .collect();
            let found = least_policy(&[("p", &text.to_string())], &made, &[]);
            for &(action, resource) in &calls {
                if !rows.is_empty() && is_allowed(&text, actions[action], on[resource]) {
                    proptest::prop_assert!(
                        is_allowed(&found.policy, actions[action], on[resource]),
                        "{} on {} by {}", actions[action], on[resource], found.policy
                    );
                }
            }
        }
    }
}
