//! Prints how many decisions a second one core makes over an estate of 1,000 principals.
//!
//! `cargo bench -p portreeve-authz --bench decisions [-- ESTATE.json]`
//!
//! The estate is an account in the shape of `get-account-authorization-details`: the file that is
//! named, else what the shared generator makes of 1,000 principals with three plants of each kind.
//! Without either the benchmark says so and measures nothing.
//!
//! # What is measured
//!
//! The questions are principal × action × resource. *Principals* are all users and roles of the
//! account, in a chain of SCPs of two levels. *Actions* are those of the escalation catalogue and
//! those that the account's own policies name without a wildcard. *Resources* are all users and
//! roles (with their trust), and one resource for each pattern that the policies name. An action
//! is asked about resources of its service and about `*`. No question is asked twice in a pass.
//! The context says nothing, so that keys are unknown and answers may depend.
//!
//! 1. *Evaluated*: a sample of the questions by `evaluate`, each from the start.
//! 2. *Index, first pass*: all the questions by a fresh index. It holds what it costs to sort
//!    principals and resources into classes and to evaluate each class once.
//! 3. *Index, second pass*: the same questions again, all classes known.
//! 4. *Index, scattered*: questions in an order in which neighbours have nothing in common.
//! 5. `who_can` for each action on each of its resources, `what_can` for each principal.
//!
//! That the index answers as `evaluate` does is checked on the sample, off the clock. Building the
//! index (reading the policies apart) is a line of its own.

#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use portreeve_authz::Decision;
use portreeve_authz::aws::index::{ActionId, IndexBuilder, PrincipalId, ResourceId};
use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, Context, Document, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target, evaluate,
};
use serde_json::Value;

const ACCOUNT: &str = "111122223333";
/// Resources of its service that an action is asked about, at most.
const MOST_RESOURCES: usize = 250;
/// Questions of each pass, at most.
const MOST_QUESTIONS: usize = 20_000_000;
/// Questions evaluated from the start.
const SAMPLE: usize = 200_000;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The estate's text: of the file named, or of the generator.
fn estate() -> Option<String> {
    let named = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    if let Some(path) = named {
        return std::fs::read_to_string(path).ok();
    }
    let generator = root().join("../shared/bench/gaad_gen.py");
    let out = std::env::temp_dir().join(format!("decisions-{}.json", std::process::id()));
    let labels = out.with_extension("labels");
    let made = Command::new("python3")
        .arg(generator.canonicalize().ok()?)
        .args(["1000", "--plant", "3", "--out"])
        .arg(&out)
        .arg("--labels")
        .arg(&labels)
        .output();
    let text = std::fs::read_to_string(&out).ok();
    for file in [out, labels] {
        // It may not have come to be.
        let _ = std::fs::remove_file(file);
    }
    made.ok().filter(|made| made.status.success())?;
    text
}

/// An account's principals and resources, read.
struct Estate {
    principals: Vec<(Caller, PrincipalPolicies)>,
    resources: Vec<(String, ResourcePolicies)>,
    actions: Vec<String>,
}

fn document(value: &Value) -> Arc<Document> {
    Arc::new(Document::parse_lenient(&value.to_string()))
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn items<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

fn read(estate: &str) -> Estate {
    let estate: Value = serde_json::from_str(estate).expect("the estate is JSON");
    let mut managed: BTreeMap<&str, AttachedPolicy> = BTreeMap::new();
    for policy in items(&estate, "Policies") {
        let default = items(policy, "PolicyVersionList")
            .iter()
            .find(|version| version["IsDefaultVersion"] == true);
        if let Some(version) = default {
            let attached =
                AttachedPolicy::new(text(policy, "PolicyName"), document(&version["Document"]));
            managed.insert(text(policy, "Arn"), attached);
        }
    }
    let attached = |holder: &Value, inline: &str| -> Vec<AttachedPolicy> {
        let inline = items(holder, inline).iter().map(|policy| {
            let name = format!("inline:{}", text(policy, "PolicyName"));
            AttachedPolicy::new(name, document(&policy["PolicyDocument"]))
        });
        let managed = items(holder, "AttachedManagedPolicies")
            .iter()
            .filter_map(|policy| managed.get(text(policy, "PolicyArn")).cloned());
        inline.chain(managed).collect()
    };
    let groups: BTreeMap<&str, Vec<AttachedPolicy>> = items(&estate, "GroupDetailList")
        .iter()
        .map(|group| (text(group, "GroupName"), attached(group, "GroupPolicyList")))
        .collect();
    let full = Arc::new(
        Document::parse(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        )
        .expect("a policy"),
    );
    let guard = Arc::new(
        Document::parse(
            r#"{"Version":"2012-10-17","Statement":[
                {"Effect":"Deny","Action":["organizations:*","account:*"],"Resource":"*"},
                {"Effect":"Deny","Action":"iam:DeleteRole","Resource":"arn:aws:iam::*:role/adm-*"},
                {"Effect":"Deny","NotAction":["iam:*","sts:*","s3:*"],"Resource":"*",
                 "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"]}}}]}"#,
        )
        .expect("a policy"),
    );
    let level = |more: bool| {
        let mut level = vec![AttachedPolicy::new("FullAWSAccess", full.clone())];
        if more {
            level.push(AttachedPolicy::new("guard", guard.clone()));
        }
        level
    };
    let mut principals = Vec::new();
    let mut resources = Vec::new();
    for (list, inline) in [
        ("UserDetailList", "UserPolicyList"),
        ("RoleDetailList", "RolePolicyList"),
    ] {
        for holder in items(&estate, list) {
            let arn = text(holder, "Arn");
            let mut caller = Caller::from_arn(arn).expect("the ARN of a principal");
            for tag in items(holder, "Tags") {
                let pair = (text(tag, "Key").to_owned(), text(tag, "Value").to_owned());
                caller.tags.insert(pair.0, pair.1);
            }
            caller.all_tags_known = true;
            let mut identity = attached(holder, inline);
            for group in items(holder, "GroupList") {
                let group = group.as_str().unwrap_or_default();
                identity.extend(groups.get(group).cloned().unwrap_or_default());
            }
            let boundary = holder["PermissionsBoundary"]["PermissionsBoundaryArn"]
                .as_str()
                .and_then(|arn| managed.get(arn).cloned());
            let policies = PrincipalPolicies {
                identity,
                boundary,
                scps: vec![level(false), level(true)],
                ..PrincipalPolicies::default()
            };
            principals.push((caller, policies));
            let trust = &holder["AssumeRolePolicyDocument"];
            let side = if trust.is_null() {
                ResourcePolicies::default()
            } else {
                ResourcePolicies {
                    policy: Some(AttachedPolicy::new("trust", document(trust))),
                    kind: ResourcePolicyKind::RoleTrust,
                    ..ResourcePolicies::default()
                }
            };
            resources.push((arn.to_owned(), side));
        }
    }
    let mut named = BTreeSet::new();
    let mut actions = catalogue();
    collect(&estate, &mut named, &mut actions);
    for arn in named {
        let kind = if arn.starts_with("arn:aws:kms:") {
            ResourcePolicyKind::KmsKey
        } else {
            ResourcePolicyKind::Ordinary
        };
        let policy = (kind == ResourcePolicyKind::KmsKey).then(|| {
            let delegating = format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"kms:*",
                    "Resource":"*","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}}}}}}"#
            );
            AttachedPolicy::new("key", Document::parse(&delegating).expect("a policy"))
        });
        let side = ResourcePolicies {
            policy,
            kind,
            account: Some(ACCOUNT.to_owned()),
            ..ResourcePolicies::default()
        };
        resources.push((arn, side));
    }
    Estate {
        principals,
        resources,
        actions: actions.into_iter().collect(),
    }
}

/// The actions of the escalation catalogue.
fn catalogue() -> BTreeSet<String> {
    let mut actions = BTreeSet::new();
    let Ok(folder) = std::fs::read_dir(root().join("escalations/aws")) else {
        return actions;
    };
    for file in folder.flatten() {
        let Ok(text) = std::fs::read_to_string(file.path()) else {
            continue;
        };
        for line in text.lines() {
            let Some(item) = line.trim_start().strip_prefix("- ") else {
                continue;
            };
            let word = item.trim_start_matches("- ").split(' ').next();
            actions.extend(word.filter(|word| is_action(word)).map(str::to_owned));
        }
    }
    actions
}

fn is_action(word: &str) -> bool {
    let Some((service, name)) = word.split_once(':') else {
        return false;
    };
    let plain = |text: &str, first: fn(&char) -> bool| {
        text.chars().next().is_some_and(|start| first(&start))
            && text
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '-')
    };
    plain(service, char::is_ascii_lowercase) && plain(name, char::is_ascii_uppercase)
}

/// A resource for each pattern that policies name, and the actions that they name.
fn collect(value: &Value, resources: &mut BTreeSet<String>, actions: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let texts: Vec<&str> = match value {
                    Value::String(text) => vec![text],
                    Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
                    _ => Vec::new(),
                };
                match key.as_str() {
                    "Resource" => resources.extend(
                        texts
                            .iter()
                            .filter(|text| !text.contains("${") && !text.contains(":iam:"))
                            .map(|text| {
                                text.replace('*', "x")
                                    .replace(":logs:x:", ":logs:eu-west-1:")
                            })
                            .filter(|text| text.starts_with("arn:")),
                    ),
                    "Action" => actions.extend(
                        texts
                            .iter()
                            .filter(|text| is_action(text))
                            .map(|text| (*text).to_owned()),
                    ),
                    _ => collect(value, resources, actions),
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| collect(value, resources, actions)),
        _ => {}
    }
}

/// The questions: for each action the resources that it is asked about.
fn pairs(estate: &Estate) -> Vec<(usize, usize)> {
    let service = |arn: &str| arn.split(':').nth(2).unwrap_or_default().to_owned();
    let mut of_service: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, (arn, _)) in estate.resources.iter().enumerate() {
        of_service.entry(service(arn)).or_default().push(place);
    }
    let mut pairs = Vec::new();
    for (action, name) in estate.actions.iter().enumerate() {
        let service = match name.split(':').next().unwrap_or_default() {
            "sts" => "iam",
            service => service,
        };
        let own = of_service.get(service).map_or(&[][..], Vec::as_slice);
        let stride = own.len().div_ceil(MOST_RESOURCES).max(1);
        let asked = own.iter().step_by(stride);
        // The last resource is `*`.
        pairs.extend(
            asked
                .chain(&[estate.resources.len() - 1])
                .map(|place| (action, *place)),
        );
    }
    pairs
}

fn count(counts: &mut [usize; 3], decision: Decision) {
    counts[match decision {
        Decision::Allowed => 0,
        Decision::Denied => 1,
        Decision::Depends => 2,
    }] += 1;
}

fn rate(what: &str, questions: usize, seconds: f64, more: &str) {
    println!(
        "{what}: {questions} in {seconds:.3} s, {:.0} a second{more}",
        questions as f64 / seconds
    );
}

fn main() {
    let Some(text) = estate() else {
        println!("skipped: neither an estate nor its generator is here");
        return;
    };
    let start = Instant::now();
    let mut estate = read(&text);
    estate
        .resources
        .push(("*".to_owned(), ResourcePolicies::default()));
    println!("read in {:.3} s", start.elapsed().as_secs_f64());
    let context = Context::new(Absent::Unknown);
    let pairs = pairs(&estate);
    let all = pairs.len() * estate.principals.len();
    let stride = all.div_ceil(MOST_QUESTIONS).max(1);

    // A prime step visits all in a scattered order.
    let scattered = |count: usize| {
        (0..count).map(|step| {
            let place = step.wrapping_mul(7_368_787) % all;
            let (action, resource) = pairs[place / estate.principals.len()];
            (place % estate.principals.len(), action, resource)
        })
    };
    let from_the_start = |(principal, action, resource): (usize, usize, usize)| {
        let (caller, policies) = &estate.principals[principal];
        let (arn, side) = &estate.resources[resource];
        let request = Request {
            principal: caller,
            action: &estate.actions[action],
            target: Target::Exact(arn),
            context: &context,
        };
        evaluate(&request, policies, Some(side))
    };
    let sample = SAMPLE.min(all);
    let mut counts = [0; 3];
    let start = Instant::now();
    for question in scattered(sample) {
        count(&mut counts, from_the_start(question).decision);
    }
    let seconds = start.elapsed().as_secs_f64();
    rate("evaluated", sample, seconds, &told(&counts));

    let start = Instant::now();
    let mut builder = IndexBuilder::new(context.clone());
    let principals: Vec<PrincipalId> = estate
        .principals
        .iter()
        .map(|(caller, policies)| builder.principal(caller.clone(), policies.clone()))
        .collect();
    let resources: Vec<ResourceId> = estate
        .resources
        .iter()
        .map(|(arn, side)| builder.resource(arn, side.clone()))
        .collect();
    let actions: Vec<ActionId> = estate
        .actions
        .iter()
        .map(|action| builder.action(action))
        .collect();
    let index = builder.build();
    println!(
        "index built in {:.3} s: {} principals in {} sets of policies, {} resources, {} actions, \
         {} policies of different content",
        start.elapsed().as_secs_f64(),
        index.principal_count(),
        index.class_count(),
        index.resource_count(),
        index.action_count(),
        index.document_count(),
    );

    let mut asker = index.asker();
    for pass in ["index, first pass", "index, second pass"] {
        let (mut counts, mut asked) = ([0; 3], 0);
        let before = asker.evaluated();
        let start = Instant::now();
        for (place, (action, resource)) in pairs.iter().enumerate() {
            let (action, resource) = (actions[*action], resources[*resource]);
            for principal in principals.iter().skip(place % stride).step_by(stride) {
                count(
                    &mut counts,
                    asker.may(*principal, action, resource).decision,
                );
                asked += 1;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let evaluated = format!(", {} evaluated", asker.evaluated() - before);
        rate(
            pass,
            asked,
            seconds,
            &format!("{}{evaluated}", told(&counts)),
        );
    }

    let mut counts = [0; 3];
    let questions = all.min(MOST_QUESTIONS);
    let start = Instant::now();
    for (principal, action, resource) in scattered(questions) {
        let (principal, resource) = (principals[principal], resources[resource]);
        let answer = asker.may(principal, actions[action], resource);
        count(&mut counts, answer.decision);
    }
    let seconds = start.elapsed().as_secs_f64();
    rate("index, scattered", questions, seconds, &told(&counts));
    for question in scattered(sample) {
        let (principal, action, resource) = question;
        let (principal, resource) = (principals[principal], resources[resource]);
        let answer = asker.may(principal, actions[action], resource);
        assert_eq!(*answer, from_the_start(question), "the index differs");
    }
    println!("checked: {sample} answers of the index are those of evaluate");

    let start = Instant::now();
    let mut found = 0;
    for (action, resource) in &pairs {
        found += asker.who_can(actions[*action], resources[*resource]).len();
    }
    let seconds = start.elapsed().as_secs_f64();
    rate("who_can", pairs.len(), seconds, &format!(", {found} found"));
    let start = Instant::now();
    let found: usize = principals
        .iter()
        .map(|principal| asker.what_can(*principal).len())
        .sum();
    let seconds = start.elapsed().as_secs_f64();
    rate(
        "what_can",
        principals.len(),
        seconds,
        &format!(", {found} found"),
    );
}

fn told([allowed, denied, depends]: &[usize; 3]) -> String {
    format!(" ({allowed} allowed, {denied} denied, {depends} depend)")
}
