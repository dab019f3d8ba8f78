//! What the graph makes of estates of a few principals: what opens a path, what closes it, what
//! is a jewel and what is a door.

use crate::common::town::Town;
use portreeve_graph::{DeclaredJewel, Graph, JewelKind};
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

const DEV: &str = "arn:aws:iam::111122223333:user/dev";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const ADMIN: &str = "arn:aws:iam::111122223333:role/admin";
const WEB: &str = "arn:aws:s3:::web";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
const OTHER: &str = "arn:aws:iam::444455556666:role/prod-admin";

/// A developer who may assume the role that deploys the web page.
fn shop() -> Town {
    Town::default()
        .entity(DEV, EntityKind::User)
        .role(DEPLOY, json!({"AWS": ACCOUNT}))
        .allow(DEV, json!("sts:AssumeRole"), DEPLOY)
        .allow(
            DEPLOY,
            json!(["s3:PutObject", "s3:GetObject"]),
            "arn:aws:s3:::web/*",
        )
        .entity(WEB, EntityKind::Bucket)
        .relate(Relation::Serves {
            distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
            origin: WEB.into(),
        })
}

fn via(graph: &Graph, from: &str, to: &str) -> Vec<String> {
    let path = graph.path(from, to);
    path.into_iter()
        .flat_map(|path| path.steps)
        .map(|step| step.via)
        .collect()
}

#[test]
fn a_developer_reaches_the_web_origin_through_the_role() {
    let graph = shop().graph();
    assert_eq!(graph.jewel(WEB).unwrap().kind, JewelKind::WebOrigin);
    let paths = graph.paths_to_jewels("dev");
    assert_eq!(paths[0].to.as_str(), WEB);
    assert_eq!(
        via(&graph, "dev", "web"),
        ["sts-assume-role", "s3-write-object"]
    );
    assert_eq!(paths[0].steps[1].permissions, ["s3:PutObject"]);
    assert!(!paths[0].steps[1].statements.is_empty());
    let writers = graph.writers(WEB);
    assert_eq!(writers.len(), 1);
    assert_eq!(writers[0].from.as_str(), DEPLOY);
}

#[test]
fn reading_a_web_origin_is_not_losing_it_but_is_a_path() {
    let graph = Town::default()
        .entity(DEV, EntityKind::User)
        .allow(DEV, json!("s3:GetObject"), "arn:aws:s3:::web/*")
        .entity(WEB, EntityKind::Bucket)
        .relate(Relation::Serves {
            distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
            origin: WEB.into(),
        })
        .graph();
    assert!(
        graph
            .paths_to_jewels(DEV)
            .iter()
            .all(|path| path.to.as_str() != WEB)
    );
    assert_eq!(via(&graph, DEV, WEB), ["s3-read-object"]);
    let radius = graph.blast_radius(DEV);
    assert!(radius.jewels.is_empty());
    assert_eq!(radius.resources, [WEB.into()]);
    assert!(graph.writers(WEB).is_empty());
}

#[test]
fn boundaries_denies_and_trusts_close_paths() {
    let open = |town: Town| town.graph().path(DEV, WEB).is_some();
    assert!(open(shop()));
    let boundary = json!({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"});
    assert!(!open(shop().policy(
        DEPLOY,
        PolicyLayer::Boundary,
        boundary.clone()
    )));
    assert!(!open(shop().policy(DEV, PolicyLayer::Boundary, boundary)));
    let deny = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
    assert!(!open(shop().policy(
        DEPLOY,
        PolicyLayer::Identity,
        deny.clone()
    )));
    let deny_all = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::web", "arn:aws:s3:::web/*"]});
    assert!(!open(shop().policy(WEB, PolicyLayer::Resource, deny_all)));
    let scp = shop().policy(
        ACCOUNT,
        PolicyLayer::ServiceControl,
        json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:Put*", "Resource": "*"}]),
    );
    let graph = scp.graph();
    assert!(
        graph
            .paths_to_jewels(DEV)
            .iter()
            .all(|path| path.to.as_str() != WEB)
    );
    let untrusted = Town::default()
        .entity(DEV, EntityKind::User)
        .role(DEPLOY, json!({"Service": "ec2.amazonaws.com"}))
        .allow(DEV, json!("sts:AssumeRole"), DEPLOY)
        .allow(DEPLOY, json!("s3:PutObject"), "arn:aws:s3:::web/*")
        .entity(WEB, EntityKind::Bucket);
    assert!(!open(untrusted));
}

#[test]
fn service_control_policies_do_not_bind_the_management_account() {
    let deny = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]);
    let bound = shop().policy(ACCOUNT, PolicyLayer::ServiceControl, deny.clone());
    assert!(bound.graph().path(DEV, DEPLOY).is_none());
    let management = shop()
        .policy(ACCOUNT, PolicyLayer::ServiceControl, deny)
        .relate(Relation::ManagementAccount {
            account: ACCOUNT.into(),
        })
        .graph();
    assert!(management.path(DEV, DEPLOY).is_some());
    assert_eq!(
        management.jewel(ACCOUNT).unwrap().kind,
        JewelKind::ManagementAccount
    );
}

#[test]
fn conditions_that_others_decide_are_named_and_those_one_sets_oneself_are_not() {
    let town = |condition: Value| {
        Town::default()
            .entity(DEV, EntityKind::User)
            .role(DEPLOY, json!({"AWS": ACCOUNT}))
            .policy(
                DEV,
                PolicyLayer::Identity,
                json!({"Effect": "Allow",
                "Action": "sts:AssumeRole", "Resource": DEPLOY, "Condition": condition}),
            )
            .graph()
    };
    let mfa = town(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}));
    assert_eq!(
        mfa.path(DEV, DEPLOY).unwrap().conditions,
        ["aws:MultiFactorAuthPresent"]
    );
    let name = town(json!({"StringEquals": {"sts:RoleSessionName": "ci"}}));
    assert!(name.path(DEV, DEPLOY).unwrap().conditions.is_empty());
}

#[test]
fn the_way_with_fewer_conditions_is_taken_before_the_shorter_one() {
    let graph = Town::default()
        .entity(DEV, EntityKind::User)
        .role(DEPLOY, json!({"AWS": ACCOUNT}))
        .role(ADMIN, json!({"AWS": [ACCOUNT]}))
        .allow(ADMIN, json!("*"), "*")
        .allow(DEV, json!("sts:AssumeRole"), DEPLOY)
        .allow(DEPLOY, json!("sts:AssumeRole"), ADMIN)
        .policy(
            DEV,
            PolicyLayer::Identity,
            json!({"Effect": "Allow",
            "Action": "sts:AssumeRole", "Resource": ADMIN,
            "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}),
        )
        .graph();
    let path = graph.path(DEV, ADMIN).unwrap();
    assert_eq!((path.conditions.len(), path.steps.len()), (0, 2));
    assert_eq!(graph.administrators(), [ADMIN.into()]);
    assert_eq!(
        via(&graph, DEV, ACCOUNT),
        ["sts-assume-role", "sts-assume-role", "administrator"]
    );
}

#[test]
fn an_administrator_reaches_other_accounts_through_trusts_only() {
    let town = || {
        Town::default()
            .entity(DEV, EntityKind::User)
            .allow(DEV, json!("*"), "*")
            .entity("arn:aws:iam::444455556666:user/ops", EntityKind::User)
            .allow(OTHER, json!("*"), "*")
    };
    let shut = town()
        .role(OTHER, json!({"Service": "ec2.amazonaws.com"}))
        .graph();
    assert!(shut.path(DEV, OTHER).is_none());
    assert!(
        shut.path(DEV, "arn:aws:iam::444455556666:user/ops")
            .is_none()
    );
    let open = town().role(OTHER, json!({"AWS": "111122223333"})).graph();
    assert_eq!(via(&open, DEV, OTHER), ["sts-assume-role"]);
    assert_eq!(
        via(&open, DEV, "ops"),
        ["sts-assume-role", "administrator", "administers"]
    );
    // Inside the account that is trusted, only who is allowed to may go.
    let limited = Town::default()
        .entity(DEV, EntityKind::User)
        .allow(
            DEV,
            json!("sts:AssumeRole"),
            "arn:aws:iam::444455556666:role/another",
        )
        .role(OTHER, json!({"AWS": ACCOUNT}))
        .graph();
    assert!(limited.path(DEV, OTHER).is_none());
}

#[test]
fn a_grant_gains_only_one_who_can_act_as_its_holder() {
    let town = |trusted: Value| {
        Town::default()
            .entity(DEV, EntityKind::User)
            .role(DEPLOY, trusted)
            .allow(DEV, json!(["iam:PutRolePolicy", "sts:AssumeRole"]), DEPLOY)
            .graph()
    };
    let open = town(json!({"AWS": ACCOUNT}));
    let path = open.path_to_administrator(DEV).unwrap();
    assert_eq!(path.to.as_str(), ACCOUNT);
    assert_eq!(path.steps.last().unwrap().via, "iam-put-role-policy");
    let shut = town(json!({"Service": "ec2.amazonaws.com"}));
    assert!(shut.path_to_administrator(DEV).is_none());
}

#[test]
fn doors_are_trusts_and_policies_open_to_outsiders() {
    let github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let graph = Town::default()
        .role("arn:aws:iam::111122223333:role/vendor", json!({"AWS": "arn:aws:iam::999988887777:root"}))
        .entity(DEPLOY, EntityKind::Role)
        .policy(DEPLOY, PolicyLayer::Trust, json!({"Effect": "Allow",
            "Principal": {"Federated": github}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                "StringLike": {"token.actions.githubusercontent.com:sub": "repo:org/*"}}}))
        .allow(DEPLOY, json!("s3:PutObject"), "arn:aws:s3:::web/*")
        .entity(WEB, EntityKind::Bucket)
        .policy("arn:aws:s3:::open", PolicyLayer::Resource, json!({"Effect": "Allow",
            "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::open/*"}))
        .entity("arn:aws:s3:::open", EntityKind::Bucket)
        .relate(Relation::Serves {
            distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
            origin: "arn:aws:s3:::open".into(),
        })
        .graph();
    let doors: Vec<(&str, &str)> = graph
        .doors()
        .iter()
        .map(|door| (door.id.as_str(), door.to.as_str()))
        .collect();
    assert!(doors.contains(&(
        "arn:aws:iam::999988887777:root",
        "arn:aws:iam::111122223333:role/vendor"
    )));
    assert!(doors.contains(&("token.actions.githubusercontent.com:repo:org/*", DEPLOY)));
    assert!(doors.contains(&("*", "arn:aws:s3:::open")));
    let github_door = graph.doors().iter().find(|door| door.to.as_str() == DEPLOY);
    assert_eq!(
        github_door.unwrap().reason,
        "any repository of org can assume the role"
    );
    // A token of one repository is covered by the pattern.
    let token = "token.actions.githubusercontent.com:repo:org/app:ref:refs/heads/main";
    assert_eq!(
        graph.find(token).unwrap().as_str(),
        "token.actions.githubusercontent.com:repo:org/*"
    );
    assert_eq!(
        via(&graph, token, WEB),
        ["sts-assume-role-with-web-identity", "s3-write-object"]
    );
    assert!(
        graph
            .find("token.actions.githubusercontent.com:repo:evil/app")
            .is_none()
    );
}

#[test]
fn names_are_looked_up_as_logs_and_people_say_them() {
    let key = "AKIAIOSFODNN7EXAMPLE";
    let graph = shop()
        .role(
            "arn:aws:iam::111122223333:role/team/build",
            json!({"AWS": ACCOUNT}),
        )
        .entity(key, EntityKind::AccessKey)
        .relate(Relation::Proves {
            credential: key.into(),
            principal: DEV.into(),
        })
        .graph();
    let found = |name: &str| graph.find(name).map(|id| id.to_string());
    assert_eq!(found("dev").as_deref(), Some(DEV));
    assert_eq!(found(key).as_deref(), Some(key));
    assert_eq!(
        found("arn:aws:sts::111122223333:assumed-role/deploy/alice").as_deref(),
        Some(DEPLOY)
    );
    assert_eq!(
        found("arn:aws:iam::111122223333:role/build").as_deref(),
        Some("arn:aws:iam::111122223333:role/team/build")
    );
    assert_eq!(found(&format!("{DEPLOY}/alice")).as_deref(), Some(DEPLOY));
    assert_eq!(
        found("arn:aws:sts::999988887777:assumed-role/deploy/alice"),
        None
    );
    assert_eq!(found("nobody"), None);
    assert_eq!(via(&graph, key, WEB)[0], "proves");
}

#[test]
fn images_secrets_and_keys_lead_on() {
    let function = "arn:aws:lambda:us-east-1:111122223333:function:pay";
    let repository = "arn:aws:ecr:us-east-1:111122223333:repository/pay";
    let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:ci-AbCdEf";
    let wallet = "arn:aws:kms:us-east-1:111122223333:key/1";
    let mut key = Entity::new(wallet, EntityKind::Key);
    key.attributes
        .insert("KeySpec".into(), "ECC_SECG_P256K1".into());
    let mut town = Town::default()
        .entity(DEV, EntityKind::User)
        .entity("arn:aws:iam::111122223333:user/ci", EntityKind::User)
        .role(DEPLOY, json!({"Service": "lambda.amazonaws.com"}))
        .allow(DEV, json!("secretsmanager:GetSecretValue"), secret)
        .allow(
            "arn:aws:iam::111122223333:user/ci",
            json!("ecr:*"),
            repository,
        )
        .allow(DEPLOY, json!("kms:Sign"), wallet)
        .policy(
            wallet,
            PolicyLayer::Resource,
            json!({"Effect": "Allow",
            "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}),
        )
        .entity(function, EntityKind::Function)
        .entity(repository, EntityKind::ImageRepository)
        .entity(secret, EntityKind::Secret)
        .relate(Relation::RunsAs {
            workload: function.into(),
            principal: DEPLOY.into(),
        })
        .relate(Relation::Pulls {
            workload: function.into(),
            repository: repository.into(),
        })
        .relate(Relation::Stores {
            store: secret.into(),
            credential: "arn:aws:iam::111122223333:user/ci".into(),
        });
    town.0.add(key);
    let graph = town.graph();
    assert_eq!(
        via(&graph, DEV, wallet),
        [
            "secretsmanager-get-secret-value",
            "stores",
            "ecr-push-image",
            "pulled-by",
            "runs-as",
            "kms-sign"
        ]
    );
    assert_eq!(graph.jewel(wallet).unwrap().kind, JewelKind::SigningKey);
    assert_eq!(
        graph.jewel(repository).unwrap().kind,
        JewelKind::ImageRepository
    );
    let radius = graph.blast_radius(DEV);
    assert!(radius.jewels.iter().any(|id| id.as_str() == wallet));
    assert!(radius.principals.iter().any(|id| id.as_str() == DEPLOY));
}

#[test]
fn jewels_are_declared_by_id_pattern_or_name() {
    let mut estate = shop().0;
    estate.finish();
    let declared = |id: &str| DeclaredJewel {
        id: id.into(),
        kind: None,
        reason: Some("holds the books".into()),
    };
    let catalogue = crate::common::catalogue();
    for id in [DEPLOY, "deploy", "arn:aws:iam::*:role/dep*"] {
        let graph = Graph::build(&estate, &catalogue, &[declared(id)]);
        let jewel = graph.jewel(DEPLOY).expect(id);
        assert_eq!(
            (jewel.kind, jewel.reason.as_str()),
            (JewelKind::Declared, "holds the books")
        );
    }
    let graph = Graph::build(&estate, &catalogue, &[declared("no-such")]);
    assert!(graph.notes().iter().any(|note| note.contains("no-such")));
}

#[test]
fn broken_estates_do_no_harm() {
    let catalogue = crate::common::catalogue();
    assert!(
        Graph::build(&Estate::default(), &catalogue, &[])
            .jewels()
            .is_empty()
    );
    let mut estate = Estate::default();
    for (parent, child) in [("ou-a", "ou-b"), ("ou-b", "ou-a"), ("ou-a", ACCOUNT)] {
        estate.relate(Relation::Contains {
            parent: parent.into(),
            child: child.into(),
        });
    }
    for text in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"Statement": 3}"#,
        "\u{0}",
        r#"{"Statement":[{"Effect":1}]}"#,
    ] {
        estate.relate(Relation::Policy {
            subject: DEV.into(),
            layer: PolicyLayer::Identity,
            name: "odd".into(),
            document: text.into(),
        });
    }
    estate.relate(Relation::Policy {
        subject: DEPLOY.into(),
        layer: PolicyLayer::Trust,
        name: "odd".into(),
        document: "{".into(),
    });
    let graph = Graph::build(&estate, &catalogue, &[]);
    graph.paths_to_jewels(DEV);
    graph.blast_radius("");
    assert!(graph.path("nobody", DEV).is_none());
    assert!(graph.path(DEV, DEV).unwrap().steps.is_empty());
}

#[test]
fn a_policy_that_was_not_seen_grants_nothing_and_is_named() {
    let unseen = |town: Town, name: &str| {
        town.relate(Relation::Policy {
            subject: DEV.into(),
            layer: PolicyLayer::Identity,
            name: name.into(),
            document: "".into(),
        })
    };
    let aws = "arn:aws:iam::aws:policy/NewService";
    let graph = unseen(
        Town::default()
            .entity(DEV, EntityKind::User)
            .role(ADMIN, json!({"AWS": ACCOUNT})),
        aws,
    )
    .graph();
    assert!(graph.administrators().is_empty());
    assert!(graph.path(DEV, ADMIN).is_none());
    assert!(graph.notes().iter().any(|note| note.contains(aws)));
    // What AWS's own policies say is no reason to doubt what others grant; the organisation's
    // own may deny.
    let path = unseen(shop(), aws).graph().path(DEV, WEB).unwrap();
    assert!(path.conditions.is_empty());
    let own = "arn:aws:iam::111122223333:policy/own";
    let path = unseen(shop(), own).graph().path(DEV, WEB).unwrap();
    assert_eq!(path.conditions.len(), 1);
}

#[test]
fn what_anyone_may_read_or_call_is_a_door() {
    let function = "arn:aws:lambda:us-east-1:111122223333:function:hook";
    let open = |subject: &str, actions: Value, resource: &str, town: Town| {
        town.policy(
            subject,
            PolicyLayer::Resource,
            json!({"Effect": "Allow",
            "Principal": "*", "Action": actions, "Resource": resource}),
        )
    };
    let town = Town::default()
        .entity(DEV, EntityKind::User)
        .entity("arn:aws:s3:::plain", EntityKind::Bucket)
        .entity(function, EntityKind::Function);
    let town = open(
        "arn:aws:s3:::plain",
        json!("s3:GetObject"),
        "arn:aws:s3:::plain/*",
        town,
    );
    let graph = open(function, json!("lambda:InvokeFunctionUrl"), function, town).graph();
    let reason = |to: &str| {
        let door = graph.doors().iter().find(|door| door.to.as_str() == to);
        door.map(|door| (door.id.to_string(), door.reason.clone()))
    };
    let (who, why) = reason("arn:aws:s3:::plain").unwrap();
    assert_eq!(who, "*");
    assert!(why.starts_with("anyone may"), "{why}");
    assert!(reason(function).unwrap().1.contains("by its address"));
}

#[test]
fn those_who_share_a_policy_reach_each_other_by_it() {
    let dex = "arn:aws:iam::111122223333:user/dex";
    let both = "arn:aws:iam::111122223333:user/de?";
    let mut town = Town::default()
        .entity(DEV, EntityKind::User)
        .entity(dex, EntityKind::User);
    for user in [DEV, dex] {
        town = town.relate(Relation::Policy {
            subject: user.into(),
            layer: PolicyLayer::Identity,
            name: "arn:aws:iam::111122223333:policy/keys".to_owned(),
            document: json!({"Statement": {
                "Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": both,
            }})
            .to_string()
            .into(),
        });
    }
    let graph = town.graph();
    assert_eq!(via(&graph, DEV, dex), ["iam-create-access-key"]);
    assert_eq!(via(&graph, dex, DEV), ["iam-create-access-key"]);
}
