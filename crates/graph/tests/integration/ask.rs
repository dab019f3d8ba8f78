//! "May P do A on R?", asked of estates of a few principals, and what each layer says.

use portreeve_authz::{Decision, PolicyLayer as Part};
use portreeve_graph::{
    Access, AskError, Circumstances, Graph, Holders, Inputs, LayerResult, Verdict,
};
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

const DEV: &str = "arn:aws:iam::111122223333:user/dev";
const OPS: &str = "arn:aws:iam::111122223333:user/ops";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
const WEB: &str = "arn:aws:s3:::web";
const PAGE: &str = "arn:aws:s3:::web/index.html";

#[derive(Default)]
struct Town(Estate);

impl Town {
    fn entity(mut self, id: &str, kind: EntityKind) -> Self {
        self.0.add(Entity::new(id, kind));
        self
    }

    fn policy(mut self, subject: &str, layer: PolicyLayer, name: &str, statements: Value) -> Self {
        self.0.relate(Relation::Policy {
            subject: subject.into(),
            layer,
            name: name.into(),
            document: json!({"Version": "2012-10-17", "Statement": statements})
                .to_string()
                .into(),
        });
        self
    }

    fn relate(mut self, relation: Relation) -> Self {
        self.0.relate(relation);
        self
    }

    fn can(&self, principal: &str, action: &str, resource: &str) -> Verdict {
        let access = Access::of(&self.0);
        let verdict = access.can(principal, action, resource, &Circumstances::default());
        verdict.unwrap_or_else(|error| panic!("{error}"))
    }

    fn who_can(&self, action: &str, resource: &str) -> Holders {
        let access = Access::of(&self.0);
        let holders = access.who_can(action, resource, &Circumstances::default());
        holders.unwrap_or_else(|error| panic!("{error}"))
    }
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Sid": "Grant", "Effect": "Allow", "Action": action, "Resource": resource})
}

/// A developer who may write the page, in an account of an organization.
fn shop() -> Town {
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    Town::default()
        .entity("r-root", EntityKind::Organization)
        .entity(ACCOUNT, EntityKind::Account)
        .entity(DEV, EntityKind::User)
        .entity(OPS, EntityKind::User)
        .entity(DEPLOY, EntityKind::Role)
        .entity(WEB, EntityKind::Bucket)
        .relate(Relation::Contains {
            parent: "r-root".into(),
            child: ACCOUNT.into(),
        })
        .policy(
            "r-root",
            PolicyLayer::ServiceControl,
            "FullAWSAccess",
            everything,
        )
        .policy(
            DEV,
            PolicyLayer::Identity,
            "web",
            allow("s3:PutObject", "arn:aws:s3:::web/*"),
        )
        .policy(
            DEPLOY,
            PolicyLayer::Trust,
            "trust",
            json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}),
        )
        .policy(
            DEPLOY,
            PolicyLayer::Identity,
            "web",
            allow("s3:PutObject", "arn:aws:s3:::web/*"),
        )
}

/// Layer, result and statement of each layer.
fn layers(verdict: &Verdict) -> Vec<(Part, LayerResult, Option<String>)> {
    let layers = verdict.layers.iter();
    layers
        .map(|layer| {
            let statement = layer.statement.as_ref().map(ToString::to_string);
            (layer.layer, layer.result, statement)
        })
        .collect()
}

#[test]
fn an_allowed_request_names_the_statement_of_each_layer() {
    let verdict = shop().can(DEV, "s3:PutObject", PAGE);
    assert_eq!(verdict.answer.decision, Decision::Allowed);
    assert_eq!(
        verdict.answer.statement.as_ref().unwrap().to_string(),
        "web#Grant"
    );
    assert_eq!(
        layers(&verdict),
        [
            (
                Part::Scp,
                LayerResult::Allow,
                Some("FullAWSAccess#0".to_owned())
            ),
            (
                Part::Identity,
                LayerResult::Allow,
                Some("web#Grant".to_owned())
            ),
        ]
    );
    assert_eq!(verdict.layers[0].at.as_str(), "r-root");
}

#[test]
fn what_stops_a_request_is_seen_in_its_layer() {
    let deny = json!({"Sid": "Frozen", "Effect": "Deny", "Action": "s3:Put*", "Resource": "*"});
    let edge = json!({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"});
    let town = shop()
        .policy(ACCOUNT, PolicyLayer::ServiceControl, "frozen", deny)
        .policy(DEV, PolicyLayer::Boundary, "edge", edge);
    let verdict = town.can(DEV, "s3:PutObject", PAGE);
    assert_eq!(verdict.answer.decision, Decision::Denied);
    assert_eq!(verdict.answer.layer, Some(Part::Scp));
    assert_eq!(
        layers(&verdict),
        [
            (
                Part::Scp,
                LayerResult::Allow,
                Some("FullAWSAccess#0".to_owned())
            ),
            (
                Part::Scp,
                LayerResult::Deny,
                Some("frozen#Frozen".to_owned())
            ),
            (
                Part::Identity,
                LayerResult::Allow,
                Some("web#Grant".to_owned())
            ),
            (Part::Boundary, LayerResult::None, None),
        ]
    );
    let verdict = shop().can(OPS, "s3:PutObject", PAGE);
    assert_eq!(verdict.answer.decision, Decision::Denied);
    assert_eq!(
        layers(&verdict)[1],
        (Part::Identity, LayerResult::None, None)
    );
}

#[test]
fn a_bucket_policy_speaks_for_the_objects_in_it() {
    let statement = json!({"Sid": "Network", "Effect": "Deny", "Principal": "*",
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::web/*",
        "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}});
    let town = shop().policy(WEB, PolicyLayer::Resource, "bucket policy", statement);
    let verdict = town.can(DEV, "s3:PutObject", PAGE);
    assert_eq!(verdict.answer.decision, Decision::Depends);
    assert_eq!(verdict.answer.condition_keys(), ["aws:SourceIp"]);
    let own = &verdict.layers[1];
    assert_eq!((own.layer, own.at.as_str()), (Part::Resource, WEB));
    assert_eq!(own.result, LayerResult::Depends);
    assert_eq!(own.depends_on[0].layer, Part::Resource);

    let access = Access::of(&town.0);
    let at = |address: &str| {
        let circumstances = Circumstances::default().with("aws:SourceIp", &[address]);
        let verdict = access.can(DEV, "s3:PutObject", PAGE, &circumstances);
        verdict.unwrap().answer.decision
    };
    assert_eq!(at("192.0.2.7"), Decision::Allowed);
    assert_eq!(at("198.51.100.7"), Decision::Denied);
}

#[test]
fn assuming_a_role_takes_its_trust_and_passing_it_does_not() {
    let town = shop().policy(
        DEV,
        PolicyLayer::Identity,
        "roles",
        json!({"Effect": "Allow", "Action": ["sts:AssumeRole", "iam:PassRole"], "Resource": DEPLOY}),
    );
    let assume = town.can(DEV, "sts:AssumeRole", DEPLOY);
    assert_eq!(assume.answer.decision, Decision::Allowed);
    assert_eq!(
        layers(&assume)[1],
        (Part::Trust, LayerResult::Allow, Some("trust#0".to_owned()))
    );
    let pass = town.can(DEV, "iam:PassRole", DEPLOY);
    assert_eq!(pass.answer.decision, Decision::Allowed);
    assert!(
        layers(&pass)
            .iter()
            .all(|(layer, _, _)| *layer != Part::Trust)
    );
    // The trust lets the account in; ops lacks a permission of its own.
    let ops = town.can(OPS, "sts:AssumeRole", DEPLOY);
    assert_eq!(ops.answer.decision, Decision::Denied);
    assert_eq!(ops.answer.layer, Some(Part::Identity));
}

#[test]
fn sessions_credentials_and_workloads_stand_for_whom_they_act_as() {
    let key = "AKIAIOSFODNN7EXAMPLE";
    let function = "arn:aws:lambda:us-east-1:111122223333:function:deploy";
    let town = shop()
        .entity(key, EntityKind::AccessKey)
        .entity(function, EntityKind::Function)
        .entity("person", EntityKind::Person)
        .relate(Relation::Proves {
            credential: key.into(),
            principal: DEV.into(),
        })
        .relate(Relation::RunsAs {
            workload: function.into(),
            principal: DEPLOY.into(),
        })
        .relate(Relation::SignsInAs {
            person: "person".into(),
            role: DEPLOY.into(),
        });
    let session = "arn:aws:sts::111122223333:assumed-role/deploy/run-7";
    for who in [key, function, session] {
        let verdict = town.can(who, "s3:PutObject", PAGE);
        assert_eq!(verdict.answer.decision, Decision::Allowed, "{who}");
        assert!(!verdict.notes.is_empty(), "{who}");
    }
    let access = Access::of(&town.0);
    let ask = |who: &str, action: &str, resource: &str| {
        access
            .can(who, action, resource, &Circumstances::default())
            .unwrap_err()
    };
    // A person may sign in as several: it is for the asker to say as which.
    let error = ask("person", "s3:PutObject", PAGE);
    assert!(error.to_string().contains(DEPLOY), "{error}");
    assert!(matches!(
        ask("nobody", "s3:PutObject", PAGE),
        AskError::UnknownPrincipal(_)
    ));
    assert!(matches!(
        ask(DEV, "PutObject", PAGE),
        AskError::BadAction(_)
    ));
    assert!(matches!(
        ask(DEV, "s3:PutObject", "no-such-bucket"),
        AskError::BadResource(_)
    ));
}

#[test]
fn names_are_enough_where_one_thing_has_them() {
    let twin = "arn:aws:iam::444455556666:user/dev";
    let town = shop().entity(
        "arn:aws:iam::111122223333:role/team/build",
        EntityKind::Role,
    );
    let resource = |name: &str| town.can("dev", "s3:PutObject", name).resource.to_string();
    assert_eq!(resource("web"), "arn:aws:s3:::web/*");
    assert_eq!(resource("s3://web/index.html"), PAGE);
    let principal = |name: &str| town.can(name, "s3:PutObject", PAGE).principal.to_string();
    assert_eq!(principal("Dev"), DEV);
    assert_eq!(
        principal("arn:aws:iam::111122223333:role/build"),
        "arn:aws:iam::111122223333:role/team/build"
    );
    let town = town.entity(twin, EntityKind::User);
    let access = Access::of(&town.0);
    let error = access.can("dev", "s3:PutObject", PAGE, &Circumstances::default());
    let error = error.unwrap_err().to_string();
    assert!(error.contains(DEV) && error.contains(twin), "{error}");
}

#[test]
fn what_was_not_seen_is_told() {
    let verdict = shop().can(DEV, "s3:PutObject", "arn:aws:s3:::web");
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note.contains("arn:aws:s3:::web/*"))
    );
    let town = shop().policy(
        DEV,
        PolicyLayer::Identity,
        "more",
        json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}),
    );
    let verdict = town.can(DEV, "s3:GetObject", "arn:aws:s3:::unlisted/a");
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note.contains("was not seen")),
        "{:?}",
        verdict.notes
    );
    // Of a resource in an account that is not of the estate nothing is known on its side.
    let foreign = "arn:aws:sqs:us-east-1:999988887777:orders";
    let town = town.policy(
        DEV,
        PolicyLayer::Identity,
        "queue",
        allow("sqs:SendMessage", foreign),
    );
    let verdict = town.can(DEV, "sqs:SendMessage", foreign);
    assert_eq!(verdict.answer.decision, Decision::Depends);
    // A policy whose text is missing may say anything.
    let mut hidden = shop();
    hidden.0.relate(Relation::Policy {
        subject: OPS.into(),
        layer: PolicyLayer::Identity,
        name: "hidden".into(),
        document: "".into(),
    });
    let verdict = hidden.can(OPS, "s3:PutObject", PAGE);
    assert_eq!(verdict.answer.decision, Decision::Depends);
}

#[test]
fn who_can_lists_those_inside_and_those_outside() {
    let statement = json!([
        {"Sid": "Vendor", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"},
         "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*"},
        {"Sid": "Office", "Effect": "Allow", "Principal": {"AWS": OPS}, "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::web/*",
         "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]);
    let town = shop()
        .entity("arn:aws:iam::999988887777:root", EntityKind::External)
        .policy(WEB, PolicyLayer::Resource, "bucket policy", statement);
    let holders = town.who_can("s3:GetObject", PAGE);
    let names = |list: &[portreeve_graph::Holder]| -> Vec<(String, bool)> {
        list.iter()
            .map(|holder| (holder.principal.to_string(), holder.outside))
            .collect()
    };
    assert_eq!(
        names(&holders.allowed),
        [("arn:aws:iam::999988887777:root".to_owned(), true)]
    );
    assert_eq!(names(&holders.depends), [(OPS.to_owned(), false)]);
    assert_eq!(holders.denied, 2);
    let writers = town.who_can("s3:PutObject", PAGE);
    assert_eq!(
        names(&writers.allowed),
        [(DEPLOY.to_owned(), false), (DEV.to_owned(), false)]
    );
}

#[test]
fn a_session_without_a_second_factor_walks_only_what_does_not_ask_for_one() {
    let mfa = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": DEPLOY,
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}});
    let town = shop().policy(DEV, PolicyLayer::Identity, "assume", mfa);
    let catalogue = crate::common::catalogue();
    let anyone = Graph::build(&town.0, &catalogue, &[]);
    let path = anyone.path(DEV, DEPLOY).unwrap();
    assert_eq!(path.conditions, ["aws:MultiFactorAuthPresent"]);
    let without = Graph::build_in(&town.0, &catalogue, &[], &Circumstances::without_mfa());
    assert!(without.path(DEV, DEPLOY).is_none());
    // A deny that forgets that the key may be missing stops the session and not the key.
    let forgetful = shop().policy(
        DEV,
        PolicyLayer::Identity,
        "assume",
        json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": DEPLOY},
            {"Effect": "Deny", "Action": "*", "Resource": "*",
             "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}]),
    );
    let walks = |circumstances: &Circumstances| {
        let graph = Graph::build_in(&forgetful.0, &catalogue, &[], circumstances);
        graph.path(DEV, DEPLOY).is_some()
    };
    assert!(!walks(&Circumstances::without_mfa()));
    assert!(walks(
        &Circumstances::default().with("aws:MultiFactorAuthPresent", &[])
    ));
}

#[test]
fn a_graph_in_circumstances_is_saved_with_them() {
    let mfa = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::web/*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}});
    let town = shop().policy(OPS, PolicyLayer::Identity, "read", mfa);
    let catalogue = crate::common::catalogue();
    let given = Circumstances::without_mfa();
    let plain = Inputs::of(&catalogue, &[], [b"inventory".as_slice()]);
    let inputs = plain.clone().given(&given);
    assert_eq!(plain, plain.clone().given(&Circumstances::default()));
    let graph = Graph::build_in(&town.0, &catalogue, &[], &given);
    let mut bytes = Vec::new();
    graph.save(&inputs, &mut bytes).unwrap();
    // What leads nowhere is asked about when someone asks, in the same circumstances.
    let loaded = Graph::load(&inputs, bytes.as_slice()).unwrap();
    assert!(loaded.path(OPS, WEB).is_none());
    assert!(
        Graph::build(&town.0, &catalogue, &[])
            .path(OPS, WEB)
            .is_some()
    );
    assert!(Graph::load(&plain, bytes.as_slice()).is_err());
}

#[test]
fn lists_and_blocks_of_buckets_are_weighed() {
    let list = r#"[{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
        "Permission": "WRITE"}]"#;
    let town = |settings: &[(&str, &str)]| {
        let mut bucket = Entity::new(WEB, EntityKind::Bucket);
        bucket.account = Some("111122223333".to_owned());
        bucket.attributes.insert("Grants".into(), list.into());
        let settings = settings.iter().map(|(name, value)| (*name, *value));
        bucket
            .attributes
            .extend(settings.map(|(name, value)| (name.into(), value.into())));
        let mut estate = Estate::default();
        estate.add(bucket);
        estate.add(Entity::new("*", EntityKind::External));
        estate.finish();
        estate
    };
    let by = |settings: &[(&str, &str)], action: &str| {
        let estate = town(settings);
        let access = Access::of(&estate);
        let verdict = access.can("*", action, PAGE, &Circumstances::default());
        let answer = verdict.unwrap().answer;
        (answer.decision, answer.statement.map(|by| by.policy))
    };
    let written = (Decision::Allowed, Some("acl:bucket".to_owned()));
    assert_eq!(by(&[], "s3:PutObject"), written);
    assert_eq!(by(&[], "s3:GetObject").0, Decision::Denied);
    let ignored = [("IgnorePublicAcls", "true")];
    assert_eq!(by(&ignored, "s3:PutObject").0, Decision::Denied);
}
