//! Small estates for the examples of the catalogue: one taker, one target of the right kind.

use portreeve_graph::{Catalogue, Escalation, Graph, Origin, Yields};
use portreeve_model::{Entity, EntityId, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const START: &str = "arn:aws:iam::111122223333:user/start";
const MEMBER: &str = "arn:aws:iam::444455556666:root";
const WORKER: &str = "arn:aws:iam::111122223333:role/worker";
const PROVIDER: &str =
    "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const SAML: &str = "arn:aws:iam::111122223333:saml-provider/corp";
const SUBJECT: &str = "repo:org/app:ref:refs/heads/main";

/// An estate for one example, who takes the step, and on what.
pub(crate) struct Small {
    pub(crate) estate: Estate,
    pub(crate) start: String,
    pub(crate) target: String,
}

fn policy(subject: &str, layer: PolicyLayer, name: &str, statements: Vec<Value>) -> Relation {
    Relation::Policy {
        subject: subject.into(),
        layer,
        name: name.into(),
        document: json!({"Version": "2012-10-17", "Statement": statements})
            .to_string()
            .into(),
    }
}

/// The target's id, by the kind and the patterns of ids that the escalation asks for.
fn target_id(escalation: &Escalation) -> String {
    if let Some(pattern) = escalation.target.ids.first() {
        let wildcards = [("??????????????????????", ""), ("????????????", ACCOUNT)];
        let mut id = pattern.clone();
        for (wildcard, text) in wildcards {
            id = id.replace(wildcard, text);
        }
        let mut parts: Vec<String> = id.splitn(6, ':').map(str::to_owned).collect();
        if parts[3] == "*" {
            parts[3] = "us-east-1".into();
        }
        if parts[4] == "*" {
            parts[4] = ACCOUNT.into();
        }
        parts[5] = parts[5].replace('*', "target");
        return parts.join(":");
    }
    let kind = escalation.target.kinds[0];
    match kind {
        EntityKind::Account => MEMBER.to_owned(),
        EntityKind::Role => format!("arn:aws:iam::{ACCOUNT}:role/target"),
        EntityKind::User => format!("arn:aws:iam::{ACCOUNT}:user/target"),
        EntityKind::Group => format!("arn:aws:iam::{ACCOUNT}:group/target"),
        EntityKind::Bucket => "arn:aws:s3:::target".to_owned(),
        EntityKind::Key => format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/target"),
        EntityKind::Secret => {
            format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:target-AbCdEf")
        }
        EntityKind::Parameter => format!("arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/target"),
        EntityKind::Function => format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:target"),
        EntityKind::Instance => format!("arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-target"),
        EntityKind::LaunchTemplate => {
            format!("arn:aws:ec2:us-east-1:{ACCOUNT}:launch-template/lt-target")
        }
        EntityKind::Task => format!("arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/target:1"),
        EntityKind::BuildProject => format!("arn:aws:codebuild:us-east-1:{ACCOUNT}:project/target"),
        EntityKind::Application => {
            format!("arn:aws:apprunner:us-east-1:{ACCOUNT}:service/target/0123")
        }
        EntityKind::ImageRepository => format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/target"),
        EntityKind::Distribution => format!("arn:aws:cloudfront::{ACCOUNT}:distribution/TARGET"),
        other => panic!("no example target of kind {other:?}"),
    }
}

/// The estate for an example's statements.
pub(crate) fn small(escalation: &Escalation, statements: &[String]) -> Small {
    let mut estate = Estate::default();
    let mut target = target_id(escalation);
    let kind = escalation.target.kinds[0];
    let bounded = statements.iter().any(|statement| statement == "bounded");
    let on_self = statements
        .iter()
        .any(|statement| statement.contains(" on self"))
        && escalation.yields == Yields::Administrator;
    let mut start = START.to_owned();
    if bounded {
        start = target.clone();
    } else if on_self {
        target = start.clone();
    }

    let account = format!("arn:aws:iam::{ACCOUNT}:root");
    estate.add(Entity::new(account.as_str(), EntityKind::Account));
    estate.add(Entity::new(
        start.as_str(),
        if bounded { kind } else { EntityKind::User },
    ));
    let mut entity = Entity::new(target.as_str(), kind);
    if kind == EntityKind::Key {
        entity
            .attributes
            .insert("KeySpec".into(), "ECC_SECG_P256K1".into());
    }
    entity.tags.insert("portreeve:jewel".into(), "true".into());
    estate.add(entity);

    let mut services = escalation.target.trusts.clone();
    services.push("example.amazonaws.com".into());
    let mut trust = vec![
        json!({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}),
        json!({"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}),
    ];
    match escalation.from {
        Origin::Principal => {}
        Origin::WebIdentity => {
            start = format!("token.actions.githubusercontent.com:{SUBJECT}");
            trust.push(json!({
                "Effect": "Allow", "Principal": {"Federated": PROVIDER},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {
                    "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                    "token.actions.githubusercontent.com:sub": SUBJECT}},
            }));
        }
        Origin::Saml => {
            start = format!("{SAML}:*");
            trust.push(json!({
                "Effect": "Allow", "Principal": {"Federated": SAML},
                "Action": "sts:AssumeRoleWithSAML",
            }));
        }
    }
    match kind {
        EntityKind::Role => estate.relate(policy(&target, PolicyLayer::Trust, "trust", trust)),
        EntityKind::Group => {
            if escalation.yields == Yields::Membership {
                estate.relate(policy(&target, PolicyLayer::Identity, "all", vec![all()]));
            } else {
                estate.relate(Relation::MemberOf {
                    member: EntityId::from(start.as_str()),
                    group: EntityId::from(target.as_str()),
                });
            }
        }
        EntityKind::Policy => {
            estate.relate(policy(&start, PolicyLayer::Identity, &target, Vec::new()));
        }
        EntityKind::Key => {
            let delegation = json!({"Effect": "Allow", "Principal": {"AWS": account},
                "Action": "kms:*", "Resource": "*"});
            estate.relate(policy(
                &target,
                PolicyLayer::Resource,
                "key",
                vec![delegation],
            ));
        }
        EntityKind::Account => {
            estate.add(Entity::new(
                "arn:aws:iam::444455556666:role/member",
                EntityKind::Role,
            ));
            estate.relate(Relation::ManagementAccount {
                account: account.as_str().into(),
            });
        }
        _ if kind.is_workload() || kind == EntityKind::Other => {
            estate.add(Entity::new(WORKER, EntityKind::Role));
            estate.relate(Relation::RunsAs {
                workload: EntityId::from(target.as_str()),
                principal: WORKER.into(),
            });
        }
        _ => {}
    }
    if bounded {
        let boundary = json!({"Effect": "Allow", "Resource": "*",
            "Action": ["s3:*", "iam:Delete*Boundary", "iam:Put*Boundary"]});
        estate.relate(policy(
            &start,
            PolicyLayer::Boundary,
            "boundary",
            vec![boundary],
        ));
    }
    let written: Vec<Value> = statements
        .iter()
        .filter(|statement| *statement != "bounded")
        .map(|text| statement(text, &start, &target))
        .collect();
    if escalation.from == Origin::Principal {
        estate.relate(policy(&start, PolicyLayer::Identity, "example", written));
    }
    estate.finish();
    Small {
        estate,
        start,
        target,
    }
}

fn all() -> Value {
    json!({"Effect": "Allow", "Action": "*", "Resource": "*"})
}

/// One statement from its short form: `[deny] ACTIONS on RESOURCES [when [OPERATOR] KEY=VALUE]`.
fn statement(text: &str, start: &str, target: &str) -> Value {
    let (effect, text) = match text.strip_prefix("deny ") {
        Some(rest) => ("Deny", rest),
        None => ("Allow", text),
    };
    let (text, condition) = match text.split_once(" when ") {
        Some((text, condition)) => (text, Some(condition)),
        None => (text, None),
    };
    let (actions, resources) = text.split_once(" on ").expect("`on` and a resource");
    let list = |text: &str| -> Vec<String> { text.split(", ").map(str::to_owned).collect() };
    let resources: Vec<String> = list(resources)
        .into_iter()
        .map(|resource| match resource.as_str() {
            "target" => target.to_owned(),
            "target/*" => format!("{target}/*"),
            "self" => start.to_owned(),
            _ => resource,
        })
        .collect();
    let mut statement = json!({"Effect": effect, "Action": list(actions), "Resource": resources});
    if let Some(condition) = condition {
        let (operator, pair) = condition
            .split_once(' ')
            .unwrap_or(("StringEquals", condition));
        let (key, value) = pair.split_once('=').expect("KEY=VALUE");
        statement["Condition"] = json!({operator: {key: value}});
    }
    statement
}

/// Whether the step of this escalation is open in an estate.
pub(crate) fn is_open(catalogue: &Catalogue, id: &str, small: &Small) -> bool {
    let graph = Graph::build(&small.estate, catalogue, &[]);
    graph
        .steps_from(&small.start)
        .iter()
        .any(|step| step.via == id)
        || graph
            .path(&small.start, &small.target)
            .is_some_and(|path| path.steps.iter().any(|step| step.via == id))
}
