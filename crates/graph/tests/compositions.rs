//! Ways of several steps: each step gains what the next one needs. For each there is an estate in
//! which the way is open, and the same estate with one thing taken away, in which it is not.

mod common;

use portreeve_graph::Graph;
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

const START: &str = "arn:aws:iam::111122223333:user/start";
const ROLE: &str = "arn:aws:iam::111122223333:role/payments";
const OTHER: &str = "arn:aws:iam::111122223333:user/ci";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
const BUCKET: &str = "arn:aws:s3:::web";
const DISTRIBUTION: &str = "arn:aws:cloudfront::111122223333:distribution/E1";

#[derive(Default)]
struct Town(Estate);

impl Town {
    /// A user who is allowed these actions on this resource.
    fn start(grants: &[(&str, &str)]) -> Self {
        let mut town = Self::default().entity(START, EntityKind::User);
        for (action, resource) in grants {
            town = town.allow(START, action, resource);
        }
        town
    }

    fn entity(mut self, id: &str, kind: EntityKind) -> Self {
        self.0.add(Entity::new(id, kind));
        self
    }

    fn policy(mut self, subject: &str, layer: PolicyLayer, statement: Value) -> Self {
        self.0.relate(Relation::Policy {
            subject: subject.into(),
            layer,
            name: format!("{}-{}", layer.as_str(), self.0.relations().len()),
            document: json!({"Version": "2012-10-17", "Statement": statement})
                .to_string()
                .into(),
        });
        self
    }

    fn allow(self, subject: &str, action: &str, resource: &str) -> Self {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
        self.policy(subject, PolicyLayer::Identity, statement)
    }

    /// A role that lets a principal in, as its trust policy writes it.
    fn role(self, id: &str, principal: Value) -> Self {
        let statement =
            json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        self.entity(id, EntityKind::Role)
            .policy(id, PolicyLayer::Trust, statement)
    }

    fn runs_as(mut self, workload: &str, kind: EntityKind) -> Self {
        self = self.entity(workload, kind);
        self.0.relate(Relation::RunsAs {
            workload: workload.into(),
            principal: ROLE.into(),
        });
        self
    }

    fn relate(mut self, relation: Relation) -> Self {
        self.0.relate(relation);
        self
    }

    fn graph(mut self) -> Graph {
        self.0.finish();
        Graph::build(&self.0, &common::catalogue(), &[])
    }

    /// The steps of the best way from the start to a target.
    fn way(self, to: &str) -> Vec<String> {
        let path = self.graph().path(START, to);
        let steps = path.into_iter().flat_map(|path| path.steps);
        steps.map(|step| step.via).collect()
    }
}

fn service(name: &str) -> Value {
    json!({ "Service": format!("{name}.amazonaws.com") })
}

#[test]
fn edit_the_trust_of_a_role_then_assume_it() {
    let town = |grants: &[(&str, &str)]| {
        Town::start(grants)
            .role(ROLE, service("lambda"))
            .allow(ROLE, "s3:GetObject", "arn:aws:s3:::web/*")
            .entity(BUCKET, EntityKind::Bucket)
    };
    // Who edits the trust names himself in it, and then needs no permission of his own to assume.
    assert_eq!(
        town(&[("iam:UpdateAssumeRolePolicy", ROLE)]).way(BUCKET),
        ["iam-update-assume-role-policy", "s3-read-object"]
    );
    assert!(town(&[("sts:AssumeRole", ROLE)]).way(BUCKET).is_empty());
    assert!(town(&[("iam:UpdateRole", ROLE)]).way(BUCKET).is_empty());
}

#[test]
fn give_a_role_everything_then_assume_it() {
    let town = |grants: &[(&str, &str)]| Town::start(grants).role(ROLE, service("lambda"));
    for write in ["iam:AttachRolePolicy", "iam:PutRolePolicy"] {
        let alone = town(&[(write, ROLE)]).graph();
        assert!(alone.path_to_administrator(START).is_none(), "{write}");
        let both = town(&[(write, ROLE), ("iam:UpdateAssumeRolePolicy", ROLE)]).graph();
        let path = both.path_to_administrator(START);
        assert_eq!(path.expect(write).to.as_str(), ACCOUNT);
    }
    for write in ["iam:AttachUserPolicy", "iam:PutUserPolicy"] {
        let town = |grants: &[(&str, &str)]| Town::start(grants).entity(OTHER, EntityKind::User);
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
        Town::start(grants)
            .role(ROLE, service("lambda"))
            .runs_as(function, EntityKind::Function)
    };
    assert_eq!(
        town(&[("lambda:UpdateFunctionCode", function)]).way(ROLE),
        ["lambda-update-code", "runs-as"]
    );
    let another = "arn:aws:lambda:us-east-1:111122223333:function:other";
    for shut in [
        ("lambda:InvokeFunction", function),
        ("lambda:UpdateFunctionCode", another),
    ] {
        assert!(town(&[shut]).way(ROLE).is_empty(), "{shut:?}");
    }
}

#[test]
fn push_the_image_that_the_task_runs() {
    let task = "arn:aws:ecs:us-east-1:111122223333:task-definition/pay:1";
    let repository = "arn:aws:ecr:us-east-1:111122223333:repository/pay";
    let town = |grants: &[(&str, &str)]| {
        Town::start(grants)
            .role(ROLE, service("ecs-tasks"))
            .runs_as(task, EntityKind::Task)
            .entity(repository, EntityKind::ImageRepository)
            .relate(Relation::Pulls {
                workload: task.into(),
                repository: repository.into(),
            })
    };
    assert_eq!(
        town(&[("ecr:*", repository)]).way(ROLE),
        ["ecr-push-image", "pulled-by", "runs-as"]
    );
    assert!(town(&[("ecr:PutImage", repository)]).way(ROLE).is_empty());
    assert!(
        town(&[("ecr:BatchGetImage", repository)])
            .way(ROLE)
            .is_empty()
    );
}

#[test]
fn write_the_bucket_from_which_a_cdn_serves_the_page() {
    let town = |grants: &[(&str, &str)]| {
        Town::start(grants)
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
        town(&[("cloudfront:UpdateDistribution", DISTRIBUTION)]).way(BUCKET),
        ["cloudfront-update-distribution", "serves"]
    );
    let reader = town(&[("s3:GetObject", "arn:aws:s3:::web/*")]).graph();
    assert!(reader.paths_to_jewels(START).is_empty());
}

#[test]
fn change_the_build_project() {
    let project = "arn:aws:codebuild:us-east-1:111122223333:project/release";
    let town = |grants: &[(&str, &str)]| {
        Town::start(grants)
            .role(ROLE, service("codebuild"))
            .runs_as(project, EntityKind::BuildProject)
            .allow(ROLE, "s3:PutObject", "arn:aws:s3:::web/*")
            .entity(BUCKET, EntityKind::Bucket)
            .relate(Relation::Serves {
                distribution: DISTRIBUTION.into(),
                origin: BUCKET.into(),
            })
    };
    assert_eq!(
        town(&[("codebuild:UpdateProject", project)]).way(BUCKET),
        ["codebuild-update-project", "runs-as", "s3-write-object"]
    );
    // A single build can be given another build specification.
    assert_eq!(
        town(&[("codebuild:StartBuild", project)]).way(BUCKET),
        ["codebuild-start-build", "runs-as", "s3-write-object"]
    );
    assert!(
        town(&[("codebuild:BatchGetProjects", project)])
            .way(BUCKET)
            .is_empty()
    );
}

#[test]
fn read_the_secret_that_is_another_principals_key() {
    let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:ci-AbCdEf";
    let key = "AKIAIOSFODNN7EXAMPLE";
    let town = |grants: &[(&str, &str)]| {
        Town::start(grants)
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
        town(&[("secretsmanager:GetSecretValue", secret)]).way(OTHER),
        ["secretsmanager-get-secret-value", "stores", "proves"]
    );
    assert!(
        town(&[("secretsmanager:DescribeSecret", secret)])
            .way(OTHER)
            .is_empty()
    );
}

#[test]
fn make_a_principal_and_act_as_it() {
    let made = |grants: &[(&str, &str)]| Town::start(grants).graph().path_to_administrator(START);
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
    let bounded = Town::start(&[]).policy(START, PolicyLayer::Identity, bound);
    assert!(bounded.graph().path_to_administrator(START).is_none());
}
