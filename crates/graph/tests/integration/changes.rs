//! What single changes of policies open.

use std::sync::Arc;

use portreeve_graph::{Changes, Graph, Opening, OpeningKind};
use portreeve_model::{
    Entity, EntityKind, Estate, PolicyChange, PolicyChangeKind, PolicyLayer, Relation,
};

const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const ANNA: &str = "arn:aws:iam::111122223333:user/anna";
const BUCKET: &str = "arn:aws:s3:::web-prod";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const LAMBDA_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A role that may write the bucket that a distribution serves, and a user who may do nothing.
fn estate() -> Estate {
    let mut estate = Estate::default();
    let mut add = |id: &str, kind| {
        let mut entity = Entity::new(id, kind);
        entity.account = Some("111122223333".to_owned());
        estate.add(entity);
    };
    add("arn:aws:iam::111122223333:root", EntityKind::Account);
    add(DEPLOY, EntityKind::Role);
    add(ANNA, EntityKind::User);
    add(BUCKET, EntityKind::Bucket);
    add(
        "arn:aws:cloudfront::111122223333:distribution/E1",
        EntityKind::Distribution,
    );
    let policy = |subject: &str, layer, name: &str, document: &str| Relation::Policy {
        subject: subject.into(),
        layer,
        name: name.to_owned(),
        document: document.into(),
    };
    estate.relate(policy(DEPLOY, PolicyLayer::Trust, "trust", LAMBDA_TRUST));
    estate.relate(policy(
        DEPLOY,
        PolicyLayer::Identity,
        "write",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::web-prod/*"}}"#,
    ));
    estate.relate(Relation::Serves {
        distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
        origin: BUCKET.into(),
    });
    estate.finish();
    estate
}

fn changes(estate: Estate) -> Changes {
    let catalogue = crate::common::catalogue();
    let graph = Graph::build(&estate, &catalogue, &[]);
    Changes::new(
        Arc::new(estate),
        Arc::new(graph),
        Arc::new(catalogue),
        vec![],
    )
}

fn opened(estate: Estate, subject: &'static str, kind: PolicyChangeKind<'static>) -> Vec<Opening> {
    let change = PolicyChange {
        subject: subject.into(),
        kind,
    };
    changes(estate).opened(&change, &|arn| {
        (arn == ADMINISTRATOR).then(|| EVERYTHING.into())
    })
}

fn trust(document: &'static str) -> PolicyChangeKind<'static> {
    PolicyChangeKind::Put {
        layer: PolicyLayer::Trust,
        name: "".into(),
        document: document.into(),
    }
}

fn kinds(found: &[Opening]) -> Vec<OpeningKind> {
    found.iter().map(|opening| opening.kind).collect()
}

#[test]
fn a_trust_in_another_account_is_a_door() {
    let found = opened(
        estate(),
        DEPLOY,
        trust(
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999900001111:root"},"Action":"sts:AssumeRole"}]}"#,
        ),
    );
    assert!(kinds(&found).contains(&OpeningKind::Door), "{found:?}");
    assert!(found[0].words.contains("999900001111"), "{found:?}");
}

#[test]
fn what_opens_nothing_is_told_from_what_cannot_be_judged() {
    let judged = |subject: &'static str, kind| {
        let changes = changes(estate());
        let change = PolicyChange {
            subject: subject.into(),
            kind,
        };
        let found = changes.judge(&change, &|_| None).map(|found| found.len());
        (found, changes.knows(&change))
    };
    const SERVICE: &str = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    const OUTSIDER: &str = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::888800001111:root"},"Action":"sts:AssumeRole"}]}"#;
    const NEW: &str = "arn:aws:iam::111122223333:role/new";
    const ELSEWHERE: &str = "arn:aws:iam::999900001111:role/new";
    assert_eq!(judged(DEPLOY, trust(SERVICE)), (Some(0), true));
    assert_eq!(
        judged(NEW, trust(SERVICE)),
        (Some(0), true),
        "beside others"
    );
    assert_eq!(judged(ELSEWHERE, trust(SERVICE)), (Some(0), false));
    assert!(
        judged(NEW, trust(OUTSIDER))
            .0
            .is_some_and(|found| found > 0)
    );
    let attach = PolicyChangeKind::Attach {
        policy: "arn:aws:iam::111122223333:policy/unknown".into(),
    };
    assert_eq!(judged(DEPLOY, attach).0, None, "a text that nobody knows");
    assert_eq!(judged(DEPLOY, PolicyChangeKind::RemoveBoundary).0, None);
}

#[test]
fn a_trust_in_a_colleague_is_a_path_to_the_web_origin() {
    let found = opened(
        estate(),
        DEPLOY,
        trust(
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/anna"},"Action":"sts:AssumeRole"}]}"#,
        ),
    );
    assert_eq!(kinds(&found), [OpeningKind::Jewel], "{found:?}");
    assert!(found[0].words.contains(ANNA) && found[0].words.contains(BUCKET));
}

#[test]
fn a_trust_that_stays_among_services_opens_nothing() {
    let more = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","edgelambda.amazonaws.com"]},"Action":"sts:AssumeRole"}]}"#;
    assert_eq!(opened(estate(), DEPLOY, trust(more)), []);
    assert_eq!(opened(estate(), DEPLOY, trust(LAMBDA_TRUST)), []);
    assert_eq!(opened(estate(), DEPLOY, trust("not a policy")), []);
}

#[test]
fn a_change_that_the_inventory_shows_already_is_told_all_the_same() {
    let document = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999900001111:root"},"Action":"sts:AssumeRole"}]}"#;
    // The same, as another program writes it.
    let exported = r#"{ "Statement": [ { "Action": "sts:AssumeRole", "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::999900001111:root" } } ] }"#;
    let mut exported_later = estate();
    for relation in exported_later.take_relations() {
        match relation {
            Relation::Policy {
                subject,
                layer: PolicyLayer::Trust,
                name,
                ..
            } => exported_later.relate(Relation::Policy {
                subject,
                layer: PolicyLayer::Trust,
                name,
                document: exported.into(),
            }),
            other => exported_later.relate(other),
        }
    }
    exported_later.finish();
    let found = opened(exported_later, DEPLOY, trust(document));
    assert!(kinds(&found).contains(&OpeningKind::Door), "{found:?}");
}

#[test]
fn an_attached_administrator_policy_makes_an_administrator() {
    let found = opened(
        estate(),
        ANNA,
        PolicyChangeKind::Attach {
            policy: ADMINISTRATOR.into(),
        },
    );
    assert!(
        kinds(&found).contains(&OpeningKind::Administrator),
        "{found:?}"
    );
    let unknown = PolicyChangeKind::Attach {
        policy: "arn:aws:iam::aws:policy/Unheard".into(),
    };
    assert_eq!(opened(estate(), ANNA, unknown), []);
}

#[test]
fn a_bucket_policy_with_anyone_in_it_is_a_door() {
    let put = |document: &'static str| PolicyChangeKind::Put {
        layer: PolicyLayer::Resource,
        name: "".into(),
        document: document.into(),
    };
    let open = put(
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::web-prod/*"}]}"#,
    );
    let found = opened(estate(), BUCKET, open);
    assert!(!found.is_empty());
    let own = put(
        r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::web-prod/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#,
    );
    assert_eq!(opened(estate(), BUCKET, own), []);
}

#[test]
fn one_more_statement_is_told_apart_from_what_was_there() {
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:pay";
    let mut known = estate();
    let mut entity = Entity::new(function, EntityKind::Function);
    entity.account = Some("111122223333".to_owned());
    known.add(entity);
    let add = || {
        PolicyChangeKind::Add {
        layer: PolicyLayer::Resource,
        document: r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*"}]}"#.into(),
    }
    };
    let found = opened(known.clone(), function, add());
    assert_eq!(kinds(&found), [OpeningKind::Door], "{found:?}");

    // Exported after the call, with a name for the statement.
    known.relate(Relation::Policy {
        subject: function.into(),
        layer: PolicyLayer::Resource,
        name: "policy".into(),
        document: format!(
            r#"{{"Statement":[{{"Sid":"public","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"{function}"}}]}}"#
        )
        .into(),
    });
    known.finish();
    assert_eq!(opened(known, function, add()), found);
}
