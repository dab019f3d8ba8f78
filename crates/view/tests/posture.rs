//! What posture checks found, for a terminal and as a page.

use portreeve_graph::{Catalogue, Graph};
use portreeve_model::Estate;
use portreeve_posture::{Posture, Scene, Settings, Suppression, check, checks};
use portreeve_view::{html, terminal};

/// The step that a web origin's writer takes.
const WRITE: &str = "
title: Write objects into the bucket
description: Whoever may put objects decides what is served.
techniques: [T1565.001]
references: [https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html]
target: {kind: bucket}
needs: [s3:PutObject on target/*]
yields: target
";

const RUN: [&str; 6] = [
    "aws.access-key-age",
    "aws.bucket-versioning",
    "aws.root-mfa",
    "aws.trail-enabled",
    "aws.password-length",
    "aws.user-mfa",
];

/// A web origin without versions that a person with an old key may write to, a bucket that nobody
/// gets at, and what nothing tells.
fn posture() -> Posture {
    let files = [
        r#"{"UserDetailList": [{"UserName": "mira", "Arn": "arn:aws:iam::111122223333:user/mira", "UserPolicyList": [{"PolicyName": "web", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::web/*"}]}}]}]}"#,
        r#"{"Account": "111122223333", "Buckets": [{"Name": "web", "Policy": null, "Versioning": null, "Tags": [{"Key": "tier", "Value": "web-origin"}]}, {"Name": "logs", "Policy": null, "Versioning": null}, {"Name": "notes\u001b[2J", "Policy": null, "Versioning": null}]}"#,
        "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated\n<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,false,false,N/A\nmira,arn:aws:iam::111122223333:user/mira,2024-01-01T00:00:00+00:00,true,true,true,2024-02-01T00:00:00+00:00\n",
    ];
    let mut estate = Estate::default();
    for file in files {
        assert_eq!(
            portreeve_estate::read("file", file.as_bytes(), &mut estate),
            []
        );
    }
    portreeve_estate::complete(&mut estate);
    estate.blind_spots.clear();
    let (catalogue, errors) = Catalogue::parse([("s3-write-object.yml", WRITE)].into_iter());
    assert!(errors.is_empty(), "{errors:?}");
    let graph = Graph::build(&estate, &catalogue, &[]);
    let suppression = |id: &str, checks: &str, reason: &str| Suppression {
        id: id.to_owned(),
        checks: vec![checks.to_owned()],
        resources: vec!["*logs".to_owned()],
        accounts: Vec::new(),
        expires: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        owner: "ops".to_owned(),
        reason: reason.to_owned(),
        ticket: "OPS-7".to_owned(),
    };
    let settings = Settings {
        disabled: checks()
            .iter()
            .map(|check| check.id)
            .filter(|id| !RUN.contains(id))
            .map(str::to_owned)
            .collect(),
        suppressions: vec![
            suppression("written-once", "aws.bucket-versioning", "written once"),
            suppression("bare", "aws.bucket-versioning", ""),
        ],
        ..Settings::default()
    };
    let as_of = "2026-03-01T00:00:00Z".parse().unwrap();
    check(&Scene::new(&estate, &graph, &settings, as_of))
}

#[test]
fn a_posture_in_a_terminal() {
    let text = terminal::posture(&posture(), &terminal::Options::default());
    insta::assert_snapshot!("posture_in_a_terminal", text);
}

#[test]
fn a_page_shows_paths_bars_and_what_is_not_shown() {
    let page = html::posture(&posture());
    for wanted in [
        "A bucket keeps no former versions",
        "class=\"hit high\"",
        "written-once",
        "aws.trail-enabled",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    assert!(!page.contains('\u{1b}'), "a name must not steer the reader");
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    for forbidden in ["<script", "src=", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}
