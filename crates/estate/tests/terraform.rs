//! Terraform's states and plans, in each of their forms.

use portreeve_estate::{Plan, complete, read, recognise};
use portreeve_model::{EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

fn estate_of(document: &Value) -> Estate {
    let text = document.to_string();
    let format = recognise(text.as_bytes()).expect("recognised");
    assert_eq!(format.id(), "aws.terraform");
    let mut estate = Estate::default();
    assert_eq!(read("state", text.as_bytes(), &mut estate), []);
    complete(&mut estate);
    estate
}

fn policies<'e>(estate: &'e Estate, subject: &str, layer: PolicyLayer) -> Vec<(&'e str, &'e str)> {
    estate
        .relations()
        .iter()
        .filter_map(|relation| match relation {
            Relation::Policy {
                subject: of,
                layer: its,
                name,
                document,
            } if of.as_str() == subject && *its == layer => Some((name.as_str(), &**document)),
            _ => None,
        })
        .collect()
}

/// The same resources in the two forms of a state.
fn resources() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "aws_iam_role",
            "deploy",
            json!({"name": "deploy", "arn": ROLE, "path": "/ci/", "assume_role_policy":
            r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#,
            "managed_policy_arns": [], "tags": {"team": "web"}, "tags_all": {"team": "web", "cost": "7"}}),
        ),
        (
            "aws_iam_policy",
            "own",
            json!({"name": "own", "arn": "arn:aws:iam::111122223333:policy/own", "policy": POLICY}),
        ),
        (
            "aws_iam_role_policy_attachment",
            "own",
            json!({"role": "deploy", "policy_arn": "arn:aws:iam::111122223333:policy/own"}),
        ),
        (
            "aws_iam_user",
            "anna",
            json!({"name": "anna", "arn": "arn:aws:iam::111122223333:user/anna",
            "permissions_boundary": "arn:aws:iam::111122223333:policy/own"}),
        ),
        (
            "aws_iam_access_key",
            "anna",
            json!({"id": "AKIAANNAEXAMPLE", "user": "anna", "status": "Active", "secret": "wJalrXUtnFEMI"}),
        ),
        (
            "aws_iam_group",
            "team",
            json!({"name": "team", "arn": "arn:aws:iam::111122223333:group/x/team"}),
        ),
        (
            "aws_iam_group_membership",
            "team",
            json!({"group": "team", "users": ["anna"], "name": "m"}),
        ),
        (
            "aws_lambda_function",
            "job",
            json!({"function_name": "job", "role": ROLE, "runtime": "python3.12",
            "arn": "arn:aws:lambda:eu-west-1:111122223333:function:job"}),
        ),
        (
            "aws_lambda_permission",
            "events",
            json!({"function_name": "job", "action": "lambda:InvokeFunction",
            "principal": "events.amazonaws.com", "statement_id": "events", "source_account": "111122223333"}),
        ),
        (
            "aws_s3_bucket",
            "web",
            json!({"bucket": "web", "arn": "arn:aws:s3:::web"}),
        ),
        (
            "aws_s3_bucket_policy",
            "web",
            json!({"bucket": "web", "policy": POLICY}),
        ),
        (
            "aws_s3_bucket_public_access_block",
            "web",
            json!({"bucket": "web", "restrict_public_buckets": true}),
        ),
        (
            "aws_sqs_queue",
            "jobs",
            json!({"name": "jobs", "url": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs",
            "arn": "arn:aws:sqs:eu-west-1:111122223333:jobs", "policy": ""}),
        ),
        (
            "aws_sqs_queue_policy",
            "jobs",
            json!({"queue_url": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs", "policy": POLICY}),
        ),
        (
            "aws_ssm_parameter",
            "token",
            json!({"name": "/app/token", "arn": "arn:aws:ssm:eu-west-1:111122223333:parameter/app/token",
            "type": "SecureString", "value": "hunter2"}),
        ),
        (
            "aws_iam_instance_profile",
            "web",
            json!({"name": "web", "arn": "arn:aws:iam::111122223333:instance-profile/web", "role": "deploy"}),
        ),
        (
            "aws_instance",
            "web",
            json!({"id": "i-1", "arn": "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "iam_instance_profile": "web"}),
        ),
        (
            "aws_ecs_task_definition",
            "app",
            json!({"family": "app", "arn": "arn:aws:ecs:eu-west-1:111122223333:task-definition/app:3",
            "task_role_arn": ROLE,
            "container_definitions": "[{\"name\":\"a\",\"image\":\"111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:1\"}]"}),
        ),
        (
            "aws_ecs_service",
            "app",
            json!({"id": "arn:aws:ecs:eu-west-1:111122223333:service/c/app", "name": "app",
            "task_definition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/app:3"}),
        ),
        (
            "aws_cloudfront_distribution",
            "web",
            json!({"id": "E1", "arn": "arn:aws:cloudfront::111122223333:distribution/E1",
            "origin": [{"domain_name": "web.s3.eu-west-1.amazonaws.com"}]}),
        ),
        (
            "aws_organizations_policy",
            "deny",
            json!({"id": "p-1", "type": "SERVICE_CONTROL_POLICY", "content": POLICY,
            "arn": "arn:aws:organizations::999988887777:policy/o-1/service_control_policy/p-1"}),
        ),
        (
            "aws_organizations_policy_attachment",
            "deny",
            json!({"policy_id": "p-1", "target_id": "111122223333"}),
        ),
        (
            "aws_ssoadmin_account_assignment",
            "a",
            json!({"permission_set_arn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1",
            "principal_id": "u1", "principal_type": "USER", "target_id": "111122223333"}),
        ),
    ]
}

fn check(estate: &Estate) {
    let role = estate.get(ROLE).expect("the role");
    assert_eq!(
        (role.kind, role.tags["cost"].as_str()),
        (EntityKind::Role, "7")
    );
    assert_eq!(policies(estate, ROLE, PolicyLayer::Trust).len(), 1);
    assert_eq!(
        policies(estate, ROLE, PolicyLayer::Identity),
        [("arn:aws:iam::111122223333:policy/own", POLICY)]
    );
    let anna = "arn:aws:iam::111122223333:user/anna";
    assert_eq!(policies(estate, anna, PolicyLayer::Boundary).len(), 1);
    for id in [
        "arn:aws:s3:::web",
        "arn:aws:sqs:eu-west-1:111122223333:jobs",
        "arn:aws:lambda:eu-west-1:111122223333:function:job",
    ] {
        assert_eq!(policies(estate, id, PolicyLayer::Resource).len(), 1, "{id}");
        assert_eq!(
            estate.get(id).unwrap().attributes["Policy"],
            "given",
            "{id}"
        );
    }
    let scp = policies(
        estate,
        "arn:aws:iam::111122223333:root",
        PolicyLayer::ServiceControl,
    );
    assert_eq!(scp[0].1, POLICY);
    let bucket = estate.get("arn:aws:s3:::web").unwrap();
    assert_eq!(bucket.attributes["RestrictPublicBuckets"], "true");
    assert!(!bucket.inferred);
    let has = |relation: Relation| assert!(estate.relations().contains(&relation), "{relation:?}");
    has(Relation::Proves {
        credential: "AKIAANNAEXAMPLE".into(),
        principal: anna.into(),
    });
    has(Relation::MemberOf {
        member: anna.into(),
        group: "arn:aws:iam::111122223333:group/x/team".into(),
    });
    for workload in [
        "arn:aws:lambda:eu-west-1:111122223333:function:job",
        "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
        "arn:aws:ecs:eu-west-1:111122223333:service/c/app",
    ] {
        has(Relation::RunsAs {
            workload: workload.into(),
            principal: ROLE.into(),
        });
    }
    has(Relation::Serves {
        distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
        origin: "arn:aws:s3:::web".into(),
    });
    has(Relation::Pulls {
        workload: "arn:aws:ecs:eu-west-1:111122223333:service/c/app".into(),
        repository: "arn:aws:ecr:eu-west-1:111122223333:repository/team/app".into(),
    });
    let set = estate
        .get("arn:aws:sso:::permissionSet/ssoins-1/ps-1")
        .unwrap();
    assert!(
        set.attributes
            .contains_key("Assignment:111122223333:arn:aws:identitystore:::user/u1")
    );
    // Nothing of what is secret is kept.
    let all = format!("{estate:?}");
    assert!(!all.contains("wJalrXUtnFEMI") && !all.contains("hunter2"));
}

#[test]
fn a_state_file_is_read() {
    let resources: Vec<Value> = resources()
        .into_iter()
        .map(|(kind, name, attributes)| {
            json!({"mode": "managed", "type": kind, "name": name,
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"schema_version": 0, "attributes": attributes}]})
        })
        .collect();
    check(&estate_of(
        &json!({"version": 4, "terraform_version": "1.9.5", "serial": 3, "lineage": "a-b",
        "outputs": {}, "resources": resources}),
    ));
}

#[test]
fn a_shown_state_is_read_with_its_modules() {
    let (mut root, mut inner) = (Vec::new(), Vec::new());
    for (place, (kind, name, values)) in resources().into_iter().enumerate() {
        let (list, module) = match place % 2 {
            0 => (&mut root, ""),
            _ => (&mut inner, "module.a[\"x\"].module.b."),
        };
        list.push(json!({"address": format!("{module}{kind}.{name}"), "mode": "managed", "type": kind, "name": name, "values": values}));
    }
    check(&estate_of(
        &json!({"format_version": "1.0", "terraform_version": "1.9.5", "values": {"root_module": {
        "resources": root,
        "child_modules": [{"address": "module.a[\"x\"]", "child_modules": [{"address": "module.a[\"x\"].module.b", "resources": inner}]}]}}}),
    ));
}

#[test]
fn a_plan_is_the_estate_that_it_would_leave() {
    let changes: Vec<Value> = resources()
        .into_iter()
        .map(|(kind, name, values)| json!({"address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "change": {"actions": ["no-op"], "before": values, "after": values, "after_unknown": {}}}))
        .chain([json!({"address": "aws_iam_user.gone", "mode": "managed", "type": "aws_iam_user", "name": "gone",
            "change": {"actions": ["delete"], "before": {"name": "gone", "arn": "arn:aws:iam::111122223333:user/gone"}, "after": null}})])
        .collect();
    let plan = json!({"format_version": "1.2", "terraform_version": "1.9.5", "planned_values": {}, "resource_changes": changes});
    let estate = estate_of(&plan);
    check(&estate);
    assert!(estate.get("arn:aws:iam::111122223333:user/gone").is_none());
    let text = plan.to_string();
    assert!(Plan::is_one(text.as_bytes()));
    let (read, letters) = Plan::read("plan", text.as_bytes(), None).unwrap();
    assert_eq!(letters, []);
    assert!(
        read.before()
            .get("arn:aws:iam::111122223333:user/gone")
            .is_some()
    );
    // Laid over what it starts from, it changes what it says, and nothing else.
    let revision = read.revision(read.before());
    let died: Vec<&str> = revision.died.keys().map(|id| id.as_str()).collect();
    assert_eq!(died, ["arn:aws:iam::111122223333:user/gone"]);
    assert!(
        revision.come.is_empty() && revision.born.is_empty() && revision.gone.is_empty(),
        "{revision:?}"
    );
}

#[test]
fn permissions_that_terraform_does_not_manage_stay() {
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:job";
    let own = json!({"address": "aws_lambda_function.job", "mode": "managed", "type": "aws_lambda_function", "name": "job",
        "change": {"actions": ["no-op"], "before": {"function_name": "job", "arn": function}, "after": {"function_name": "job", "arn": function}}});
    let permission = json!({"address": "aws_lambda_permission.b", "mode": "managed", "type": "aws_lambda_permission", "name": "b",
        "change": {"actions": ["create"], "before": null, "after": {"function_name": "job", "action": "lambda:InvokeFunction",
            "principal": "444455556666", "statement_id": "b"}}});
    let plan = json!({"format_version": "1.2", "terraform_version": "1.9.5", "planned_values": {}, "resource_changes": [own, permission]});
    let (plan, _) = Plan::read("plan", plan.to_string().as_bytes(), None).unwrap();
    let mut estate = Estate::default();
    let policy = |sids: &[&str]| {
        let statements: Vec<Value> = sids
            .iter()
            .map(|sid| json!({"Sid": sid, "Effect": "Allow"}))
            .collect();
        Relation::Policy {
            subject: function.into(),
            layer: PolicyLayer::Resource,
            name: "resource policy".into(),
            document: json!({"Statement": statements}).to_string().into(),
        }
    };
    estate.relate(policy(&["a"]));
    let after = estate.revised(&plan.revision(&estate));
    let texts = policies(&after, function, PolicyLayer::Resource);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(
        texts[0].1.contains("\"a\"") && texts[0].1.contains("444455556666"),
        "{texts:?}"
    );
}

#[test]
fn what_cannot_be_placed_or_read_is_told_and_the_rest_is_used() {
    let text = r#"{"version": 4, "terraform_version": "1.9.5", "serial": 3, "lineage": "a", "resources": [
        {"mode": "managed", "type": "aws_iam_user", "name": "new", "instances": [{"attributes": {"name": "new"}}]},
        {"mode": "managed", "type": "aws_s3_bucket", "name": "web", "instances": [{"attributes": {"bucket": "web", "tags": 7}}, 5]},
        {"type": "aws_iam_role"}, "x",
        {"mode": "managed", "type": "aws_s3_bucket_policy", "name": "web", "instances": [{"attributes": {"bucket": "web", "policy": "{broken"}}]}]}"#;
    let mut estate = Estate::default();
    let letters = read("state", text.as_bytes(), &mut estate);
    let reasons: Vec<&str> = letters
        .iter()
        .map(|letter| letter.reason.as_str())
        .collect();
    for expected in [
        "instances[1] is a number",
        "has no `name`",
        "resources[3] is a string",
        "expected a policy document",
    ] {
        assert!(
            reasons.iter().any(|reason| reason.contains(expected)),
            "{expected} in {reasons:?}"
        );
    }
    assert!(estate.get("arn:aws:s3:::web").is_some());
    assert!(
        estate
            .blind_spots
            .iter()
            .any(|spot| spot.missing.contains("the account of aws_iam_user.new"))
    );
    // Cut off anywhere, it does no harm, and what is whole is used.
    for end in 0..text.len() {
        let mut estate = Estate::default();
        let _ = read("state", &text.as_bytes()[..end], &mut estate);
        complete(&mut estate);
    }
}
