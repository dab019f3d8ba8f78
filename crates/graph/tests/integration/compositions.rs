//! Ways of several steps: each step gains what the next one needs. For each there is an estate in
//! which the way is open, and the same estate with one thing taken away, in which it is not.

use crate::common::town::Town;
use portreeve_model::{EntityKind, PolicyLayer, Relation};
use serde_json::{Value, json};

const START: &str = "arn:aws:iam::111122223333:user/start";
const ROLE: &str = "arn:aws:iam::111122223333:role/payments";
const OTHER: &str = "arn:aws:iam::111122223333:user/ci";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
const BUCKET: &str = "arn:aws:s3:::web";
const DISTRIBUTION: &str = "arn:aws:cloudfront::111122223333:distribution/E1";

/// A user who is allowed these actions on this resource.
fn start(grants: &[(&str, &str)]) -> Town {
    let town = Town::default().entity(START, EntityKind::User);
    let allow =
        |town: Town, (action, resource): &(&str, &str)| town.allow(START, *action, resource);
    grants.iter().fold(town, allow)
}

fn service(name: &str) -> Value {
    json!({ "Service": format!("{name}.amazonaws.com") })
}

#[test]
fn edit_the_trust_of_a_role_then_assume_it() {
    let town = |grants: &[(&str, &str)]| {
        start(grants)
            .role(ROLE, service("lambda"))
            .allow(ROLE, "s3:GetObject", "arn:aws:s3:::web/*")
            .entity(BUCKET, EntityKind::Bucket)
    };
    // Who edits the trust names himself in it, and then needs no permission of his own to assume.
    assert_eq!(
        town(&[("iam:UpdateAssumeRolePolicy", ROLE)]).way(START, BUCKET),
        ["iam-update-assume-role-policy", "s3-read-object"]
    );
    assert!(
        town(&[("sts:AssumeRole", ROLE)])
            .way(START, BUCKET)
            .is_empty()
    );
    assert!(
        town(&[("iam:UpdateRole", ROLE)])
            .way(START, BUCKET)
            .is_empty()
    );
}

#[test]
fn give_a_role_everything_then_assume_it() {
    let town = |grants: &[(&str, &str)]| start(grants).role(ROLE, service("lambda"));
    for write in ["iam:AttachRolePolicy", "iam:PutRolePolicy"] {
        let alone = town(&[(write, ROLE)]).graph();
        assert!(alone.path_to_administrator(START).is_none(), "{write}");
        let both = town(&[(write, ROLE), ("iam:UpdateAssumeRolePolicy", ROLE)]).graph();
        let path = both.path_to_administrator(START);
        assert_eq!(path.expect(write).to.as_str(), ACCOUNT);
    }
    for write in ["iam:AttachUserPolicy", "iam:PutUserPolicy"] {
        let town = |grants: &[(&str, &str)]| start(grants).entity(OTHER, EntityKind::User);
        let alone = town(&[(write, OTHER)]).graph();
        assert!(alone.path_to_administrator(START).is_none(), "{write}");
        let both = town(&[(write, OTHER), ("iam:CreateAccessKey", OTHER)]).graph();
        assert!(both.path_to_administrator(START).is_some(), "{write}");
    }
}

#[test]
fn write_the_code_of_a_function_that_runs_as_the_role() {
    let function = "arn:aws:lambda:us-east-1:111122223333:function:pay";
    let town = |grants: &[(&str, &str)]| {
        start(grants)
            .role(ROLE, service("lambda"))
            .runs_as(function, EntityKind::Function, ROLE)
    };
    assert_eq!(
        town(&[("lambda:UpdateFunctionCode", function)]).way(START, ROLE),
        ["lambda-update-code", "runs-as"]
    );
    let another = "arn:aws:lambda:us-east-1:111122223333:function:other";
    for shut in [
        ("lambda:InvokeFunction", function),
        ("lambda:UpdateFunctionCode", another),
    ] {
        assert!(town(&[shut]).way(START, ROLE).is_empty(), "{shut:?}");
    }
}

#[test]
fn push_the_image_that_the_task_runs() {
    let task = "arn:aws:ecs:us-east-1:111122223333:task-definition/pay:1";
    let repository = "arn:aws:ecr:us-east-1:111122223333:repository/pay";
    let town = |grants: &[(&str, &str)]| {
        start(grants)
            .role(ROLE, service("ecs-tasks"))
            .runs_as(task, EntityKind::Task, ROLE)
            .entity(repository, EntityKind::ImageRepository)
            .relate(Relation::Pulls {
                workload: task.into(),
                repository: repository.into(),
            })
    };
    assert_eq!(
        town(&[("ecr:*", repository)]).way(START, ROLE),
        ["ecr-push-image", "pulled-by", "runs-as"]
    );
    assert!(
        town(&[("ecr:PutImage", repository)])
            .way(START, ROLE)
            .is_empty()
    );
    assert!(
        town(&[("ecr:BatchGetImage", repository)])
            .way(START, ROLE)
            .is_empty()
    );
}

#[test]
fn write_the_bucket_from_which_a_cdn_serves_the_page() {
    let town = |grants: &[(&str, &str)]| {
        start(grants)
            .entity(BUCKET, EntityKind::Bucket)
            .entity(DISTRIBUTION, EntityKind::Distribution)
            .relate(Relation::Serves {
                distribution: DISTRIBUTION.into(),
                origin: BUCKET.into(),
            })
    };
    let graph = town(&[("s3:PutObject", "arn:aws:s3:::web/*")]).graph();
    let jewels = graph.paths_to_jewels(START);
    assert_eq!(jewels[0].to.as_str(), BUCKET);
    assert_eq!(jewels[0].steps[0].via, "s3-write-object");
    // The page can also be served from elsewhere.
    assert_eq!(
        town(&[("cloudfront:UpdateDistribution", DISTRIBUTION)]).way(START, BUCKET),
        ["cloudfront-update-distribution", "serves"]
    );
    let reader = town(&[("s3:GetObject", "arn:aws:s3:::web/*")]).graph();
    assert!(reader.paths_to_jewels(START).is_empty());
}

#[test]
fn change_the_build_project() {
    let project = "arn:aws:codebuild:us-east-1:111122223333:project/release";
    let town = |grants: &[(&str, &str)]| {
        start(grants)
            .role(ROLE, service("codebuild"))
            .runs_as(project, EntityKind::BuildProject, ROLE)
            .allow(ROLE, "s3:PutObject", "arn:aws:s3:::web/*")
            .entity(BUCKET, EntityKind::Bucket)
            .relate(Relation::Serves {
                distribution: DISTRIBUTION.into(),
                origin: BUCKET.into(),
            })
    };
    assert_eq!(
        town(&[("codebuild:UpdateProject", project)]).way(START, BUCKET),
        ["codebuild-update-project", "runs-as", "s3-write-object"]
    );
    // A single build can be given another build specification.
    assert_eq!(
        town(&[("codebuild:StartBuild", project)]).way(START, BUCKET),
        ["codebuild-start-build", "runs-as", "s3-write-object"]
    );
    assert!(
        town(&[("codebuild:BatchGetProjects", project)])
            .way(START, BUCKET)
            .is_empty()
    );
}

#[test]
fn read_the_secret_that_is_another_principals_key() {
    let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:ci-AbCdEf";
    let key = "AKIAIOSFODNN7EXAMPLE";
    let town = |grants: &[(&str, &str)]| {
        start(grants)
            .entity(OTHER, EntityKind::User)
            .entity(key, EntityKind::AccessKey)
            .entity(secret, EntityKind::Secret)
            .relate(Relation::Stores {
                store: secret.into(),
                credential: key.into(),
            })
            .relate(Relation::Proves {
                credential: key.into(),
                principal: OTHER.into(),
            })
    };
    assert_eq!(
        town(&[("secretsmanager:GetSecretValue", secret)]).way(START, OTHER),
        ["secretsmanager-get-secret-value", "stores", "proves"]
    );
    assert!(
        town(&[("secretsmanager:DescribeSecret", secret)])
            .way(START, OTHER)
            .is_empty()
    );
}

#[test]
fn make_a_principal_and_act_as_it() {
    let made = |grants: &[(&str, &str)]| start(grants).graph().path_to_administrator(START);
    let everywhere = "*";
    let role = made(&[
        ("iam:CreateRole", everywhere),
        ("iam:AttachRolePolicy", everywhere),
    ]);
    assert_eq!(role.expect("a new role").steps[0].via, "iam-create-role");
    assert!(made(&[("iam:CreateRole", everywhere)]).is_none());
    // Those who may make roles within a boundary only gain nothing by it.
    let bound = json!({"Effect": "Allow", "Action": ["iam:CreateRole", "iam:AttachRolePolicy"],
        "Resource": "*", "Condition": {"StringEquals": {
            "iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/edge"}}});
    let bounded = start(&[]).policy(START, PolicyLayer::Identity, bound);
    assert!(bounded.graph().path_to_administrator(START).is_none());
}
