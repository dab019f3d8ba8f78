//! The law of records that come again: what is known by its bytes is folded as if it had been read.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use portreeve_detect::behaviour::Correlations;
use portreeve_detect::{
    Batch, Folded, Position, Settings, Sign, SignKind, Snapshot, StageOne, StageTwo,
};
use portreeve_model::{Entity, EntityKind, Estate, Finding, Relation, Severity};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{Correlation, Matcher, Rule};
use portreeve_telemetry::{Reader, source};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Rules of history, of what is shown, and of what is touched.
const RULES: &str = "
title: Moved
id: moved
logsource: {product: aws}
detection:
  moved: {portreeve.credential.moved: true}
  condition: moved
level: high
---
title: Write
id: write
logsource: {product: aws}
detection:
  write: {eventName: PutObject, portreeve.target.web_origin: true}
  deploy: {portreeve.actor.deploy: true}
  condition: write and not deploy
fields: [requestParameters.key, userAgent]
level: critical
---
title: Read
id: read
logsource: {product: aws}
detection:
  read: {eventName: GetObject, portreeve.client.tool: aws-cli}
  condition: read
fields: [requestParameters.key]
level: low
---
title: Denied
id: denied
logsource: {product: aws}
detection:
  denied: {portreeve.outcome: denied}
  condition: denied
level: medium
";

/// Rules after which not all records that differ in their occasions alone may be known by their bytes: of 30
/// calls, each of its own time, host and session, in one stream.
const OF_OCCASIONS: [(&str, usize); 11] = [
    ("{eventTime|hour: 10}", 0),
    ("['00000000-0000-4000-8000-000000000001']", 0),
    ("{additionalEventData.x-amz-id-2|startswith: h}", 0),
    ("{additionalEventData|contains: x-amz-id-2}", 0),
    ("{userIdentity.accessKeyId|startswith: ASIA}", 0),
    (
        "{userIdentity.sessionContext.attributes.creationDate|startswith: '2026'}",
        0,
    ),
    ("{userIdentity|contains: ASIA}", 0),
    ("{requestParameters.logStreamName|startswith: s}", 28),
    (
        "{responseElements.credentials.accessKeyId|startswith: ASIA}",
        0,
    ),
    ("{responseElements.credentials|contains: '2026'}", 0),
    (
        "{responseElements.credentials.sessionToken|startswith: t}",
        0,
    ),
];

struct Ground {
    rules: Vec<Rule>,
    correlations: Vec<Correlation>,
    canaries: Vec<String>,
    signs: Vec<Sign>,
}

impl Ground {
    fn new(more: &str) -> Self {
        let parsed = portreeve_sigma::parse("rules.yml", &[RULES, more].concat());
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
        let mut ground = Self {
            rules: parsed.rules,
            correlations: Vec::new(),
            canaries: Vec::new(),
            signs: vec![sign(SignKind::Network("192.0.2.1/32".parse().unwrap()))],
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files = vec![root.join("rules/aws"), root.join("correlations")];
        while let Some(file) = files.pop() {
            if file.is_dir() {
                let entries = std::fs::read_dir(&file).unwrap();
                let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
                entries.sort();
                files.extend(entries);
            } else if file.extension().is_some_and(|it| it == "yml") {
                let text = std::fs::read_to_string(&file).unwrap();
                let parsed = portreeve_sigma::parse(&file.to_string_lossy(), &text);
                ground.rules.extend(parsed.rules);
                ground.correlations.extend(parsed.correlations);
            }
        }
        ground
    }

    /// Folds parts of a log, each a batch; tells how many records were known by their bytes.
    fn fold(&self, parts: &[Vec<String>], known: bool) -> (Folded, usize) {
        let mut fields = Fields::default();
        let reader = source("aws.cloudtrail").unwrap().prepare(&mut fields);
        let (mut matcher, problems) = Matcher::new(&self.rules, &mut fields);
        assert!(problems.is_empty(), "{problems:?}");
        let (ready, problems) = Correlations::new(
            self.correlations.clone(),
            &self.rules,
            &BTreeSet::new(),
            &mut fields,
        );
        assert!(problems.is_empty(), "{problems:?}");
        matcher.leave_out(|rule| ready.is_merged(rule));
        let mut estate = Estate::default();
        estate.add(Entity::new("arn:aws:s3:::web", EntityKind::Bucket));
        estate.relate(Relation::Serves {
            distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
            origin: "arn:aws:s3:::web".into(),
        });
        let settings = Settings {
            canaries: self.canaries.clone(),
            ..Settings::default()
        };
        let snapshot = Snapshot::new(&estate, settings, []);
        let signs = &self.signs;
        let extractor = Extractor::new(&fields);
        let occasion = reader.occasion().filter(|_| known);
        let mut stage = StageOne::new(&self.rules, &matcher, &fields, &snapshot, signs)
            .for_correlations(&ready)
            .with_repeats(occasion, &fields);
        let mut stage_two = StageTwo::default().with_correlations(ready, None);
        let mut buffer = SlotBuffer::new();
        let mut repeated = 0;
        for part in parts {
            let mut batch = Batch::default();
            let file = batch.add_file("log".into());
            let mut offset = 0;
            for (index, record) in (0..).zip(part) {
                let at = Position {
                    file,
                    index,
                    offset,
                };
                offset += record.len() as u64;
                let known = take(
                    &*reader,
                    &extractor,
                    &mut stage,
                    &mut batch,
                    &mut buffer,
                    record,
                    at,
                );
                repeated += usize::from(known);
            }
            stage_two.accept(batch);
        }
        let folded = stage_two.finish(&self.rules, &matcher, &fields, &snapshot, signs);
        (folded, repeated)
    }
}

fn sign(kind: SignKind) -> Sign {
    Sign {
        kind,
        origin: "--from".to_owned(),
        severity: Severity::High,
    }
}

/// Takes one record in; whether it was known by its bytes.
fn take<'s>(
    reader: &dyn Reader,
    extractor: &Extractor,
    stage: &mut StageOne<'s>,
    batch: &mut Batch,
    buffer: &mut SlotBuffer,
    record: &str,
    at: Position,
) -> bool {
    let time = |text: &str| reader.time(text);
    let kind = |id: &str| reader.credential_kind(id);
    let sought = match stage.repeat(record.as_bytes(), at, time, kind, batch) {
        Ok(_) => return true,
        Err(sought) => sought,
    };
    let mut slots = extractor.extract(record.as_bytes(), buffer).unwrap();
    let row = {
        let kind = reader.event_kind(&slots);
        stage.fold(&reader.activity(&slots), kind, at, batch)
    };
    stage.set_derived(&mut slots);
    stage.observe(&slots, row, batch);
    stage.remember(sought, &slots, row, batch);
    false
}

/// What the calls of a log are drawn from: few things each, so that most come again.
struct Calls {
    names: &'static [&'static str],
    /// Of roles, and of the addresses that they call from.
    number: u8,
    errors: &'static [Option<&'static str>],
    hosts: &'static [Option<&'static str>],
}

const ALL: Calls = Calls {
    names: &[
        "GetObject",
        "PutObject",
        "DeleteAccessKey",
        "AssumeRole",
        "CreateLogStream",
    ],
    number: 2,
    errors: &[None, None, None, Some("AccessDenied"), Some("NoSuchKey")],
    hosts: &[None, Some("h1="), Some("h2="), Some("h\\3=")],
};

const MINTINGS: Calls = Calls {
    names: &["AssumeRole", "GetSigninToken", "CreateLoginProfile"],
    number: 1,
    errors: &[None],
    hosts: &[None],
};

/// One of some calls, on an occasion.
fn call(calls: &Calls) -> impl Strategy<Value = String> + use<> {
    let what = (
        0..calls.number,
        0..calls.number,
        prop::sample::select(calls.names),
        prop::sample::select(calls.errors),
    );
    let id = prop_oneof![
        8 => (0..40u32).prop_map(|id| json!(format!("00000000-0000-4000-8000-{id:012x}"))),
        1 => Just(json!("00000000-0000-4000-8000-00000000000X")),
        1 => prop::sample::select(vec![json!(""), json!("x\\"), json!(7), Value::Null]),
    ];
    let time = prop_oneof![
        8 => (1..28u8, 0..24u8, 0..60u8)
            .prop_map(|(day, hour, minute)| format!("2026-03-{day:02}T{hour:02}:{minute:02}:00Z")),
        1 => prop::sample::select(vec!["2026-03-55T10:00:00Z", "Mar 3, 2026, 9:00 AM"])
            .prop_map(str::to_owned),
    ];
    let request = prop::sample::select(vec!["ab12", "cd34", "e", "\u{e9}", "a\"b"]);
    let ids = (id, request, prop::sample::select(calls.hosts));
    let session = (
        prop_oneof![
            6 => (0..3u8).prop_map(|key| Some(format!("ASIA{key}EXAMPLE"))),
            1 => prop::sample::select(vec!["AKIA1EXAMPLE", "ABIA1EXAMPLE", "ASIA\\EXAMPLE", ""])
                .prop_map(|key| Some(key.to_owned())),
            1 => Just(None),
        ],
        prop::sample::select(vec![
            Some("2026-03-01T10:00:00Z"),
            Some("2026-03-02T10:00:00Z"),
            Some("2026-03-66T10:00:00Z"),
            None,
        ]),
    );
    let minted = (
        prop_oneof![
            3 => (0..3u8).prop_map(|key| format!("ASIA{key}EXAMPLE")),
            6 => (10..99u8).prop_map(|key| format!("ASIA{key}EXAMPL")),
            1 => prop::sample::select(vec!["AKIA1EXAMPLE", "ABIA1EXAMPLE", "ASIA\\EXAMPLE", ""])
                .prop_map(str::to_owned),
        ],
        prop::sample::select(vec![
            Some("Mar 3, 2026, 9:00:00 AM"),
            Some("Mar 4, 2026, 9:00:00 AM"),
            Some("Mar 44, 2026, 9:00:00 AM"),
            None,
        ]),
    );
    let all = (what, ids, session, minted, time);
    all.prop_map(|(what, (id, request, host), (key, created), (minted, ends), time)| {
        let (role, address, name, error) = what;
        let arn = format!("arn:aws:iam::111122223333:role/r{role}");
        let mut record = json!({
            "eventVersion": "1.11", "eventTime": time, "eventName": name, "awsRegion": "eu-west-1",
            "eventSource": match name {
                "DeleteAccessKey" | "CreateLoginProfile" => "iam.amazonaws.com",
                "AssumeRole" => "sts.amazonaws.com",
                "GetSigninToken" => "signin.amazonaws.com",
                "CreateLogStream" => "logs.amazonaws.com",
                _ => "s3.amazonaws.com",
            },
            "sourceIPAddress": format!("192.0.2.{address}"), "recipientAccountId": "111122223333",
            "readOnly": name.starts_with("Get"), "eventCategory": "Data",
            "userAgent": "aws-cli/2.15.0 os/macos#23.5.0",
            "requestID": request, "eventID": id,
            "userIdentity": {
                "type": "AssumedRole", "accountId": "111122223333",
                "arn": format!("arn:aws:sts::111122223333:assumed-role/r{role}/run"),
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn}}
            },
        });
        match name {
            "DeleteAccessKey" => record["requestParameters"] = json!({"accessKeyId": "AKIA1"}),
            "AssumeRole" | "GetSigninToken" | "CreateLoginProfile" => {
                record["requestParameters"] = json!({"roleArn": arn, "roleSessionName": "run"});
                let mut credentials = json!({"accessKeyId": minted, "sessionToken": request});
                if let Some(ends) = ends {
                    credentials["expiration"] = ends.into();
                }
                record["responseElements"] = json!({"credentials": credentials});
            }
            "CreateLogStream" => {
                record["requestParameters"] = json!({"logGroupName": "g", "logStreamName": request})
            }
            _ => record["requestParameters"] = json!({"bucketName": "web", "key": "app.js"}),
        }
        if let Some(key) = key {
            record["userIdentity"]["accessKeyId"] = key.into();
        }
        if let Some(created) = created {
            let attributes = json!({"creationDate": created, "mfaAuthenticated": "false"});
            record["userIdentity"]["sessionContext"]["attributes"] = attributes;
        }
        if let Some(error) = error {
            record["errorCode"] = error.into();
        }
        if let Some(host) = host {
            record["additionalEventData"] = json!({"bytesTransferredOut": 7, "x-amz-id-2": host});
        }
        record.to_string()
    })
}

fn parts() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop_oneof![
        prop::collection::vec(prop::collection::vec(call(&ALL), 1..120), 1..4),
        prop::collection::vec(prop::collection::vec(call(&MINTINGS), 1..120), 1..4),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_known_by_its_bytes_is_folded_as_if_it_had_been_read(
        parts in parts(),
        looks_at_credentials in any::<bool>(),
    ) {
        static GROUNDS: LazyLock<[Ground; 2]> = LazyLock::new(|| {
            let mut other = Ground::new("");
            other.canaries.push("ASIA1*".to_owned());
            other.signs.push(sign(SignKind::Key("ASIA2EXAMPLE".to_owned())));
            [Ground::new(""), other]
        });
        let ground = &GROUNDS[usize::from(looks_at_credentials)];
        let (plain, none) = ground.fold(&parts, false);
        let (known, _) = ground.fold(&parts, true);
        prop_assert_eq!(none, 0);
        let (plain, known) = (format!("{plain:#?}"), format!("{known:#?}"));
        // What an action's text was put together in shows nothing.
        let told = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.starts_with("        action: \""));
            lines.map(str::to_owned).collect()
        };
        let (plain, known) = (told(&plain), told(&known));
        prop_assert_eq!(plain.len(), known.len());
        for (plain, known) in plain.into_iter().zip(known) {
            prop_assert_eq!(plain, known);
        }
    }
}

#[test]
fn what_mints_another_credential_is_known_where_the_credential_is_of_the_same_kind() {
    let record = |call: &str, (number, minted): (u32, &str)| {
        json!({
            "eventVersion": "1.11", "eventTime": "2026-03-03T10:00:00Z", "eventName": call,
            "eventSource": "signin.amazonaws.com", "awsRegion": "eu-west-1",
            "eventID": format!("00000000-0000-4000-8000-{number:012x}"),
            "responseElements": {"credentials": {"accessKeyId": minted}},
            "userIdentity": {
                "type": "Root", "accountId": "111122223333", "accessKeyId": "ASIA0EXAMPLE",
            },
        })
        .to_string()
    };
    let known = |call: &str, minted: &[&str]| {
        let minted = (0..).zip(minted.iter().copied());
        let parts = [minted.map(|minted| record(call, minted)).collect()];
        Ground::new("").fold(&parts, true).1
    };
    let three = ["ASIA1EXAMPLE", "ASIA2EXAMPLE", "ASIA3EXAMPLE"];
    assert_eq!(known("GetSigninToken", &three), 1);
    assert_eq!(
        known("CreateLoginProfile", &three),
        0,
        "a password is minted"
    );
    for (other, why) in [
        ("AKIA3EXAMPLE", "it is of another kind"),
        ("ASIA0EXAMPLE", "the caller's own is not minted"),
        ("", "nothing is minted"),
    ] {
        let [one, two, _] = three;
        assert_eq!(known("GetSigninToken", &[one, two, other]), 0, "{why}");
    }
}

#[test]
fn where_the_occasion_is_looked_at_records_are_read() {
    let record = |id: u32| {
        json!({
            "eventVersion": "1.11", "eventTime": "2026-03-03T10:00:00Z", "eventName": "GetObject",
            "eventSource": "s3.amazonaws.com", "awsRegion": "eu-west-1", "requestID": "a1",
            "eventID": format!("00000000-0000-4000-8000-{id:012x}"),
            "additionalEventData": {"SignatureVersion": "SigV4", "x-amz-id-2": format!("h{id:012x}=")},
            "requestParameters": {"logStreamName": "s1"},
            "responseElements": {"credentials": {
                "accessKeyId": format!("ASIA{:012x}", id + 99), "sessionToken": format!("t{id:012x}"),
                "expiration": format!("2026-04-{:02}", id % 30 + 1),
            }},
            "userIdentity": {
                "type": "Root", "accountId": "111122223333", "accessKeyId": format!("ASIA{id:012x}"),
                "sessionContext": {"attributes": {"creationDate": format!("2026-03-{:02}", id % 30 + 1)}},
            },
        })
        .to_string()
    };
    let parts = [(0..30).map(record).collect()];
    let mut ground = Ground::new("");
    let (_, repeated) = ground.fold(&parts, true);
    assert_eq!(repeated, 28, "of the first the order of its keys is learnt");
    ground.canaries.push("ASIA1*".to_owned());
    assert_eq!(
        ground.fold(&parts, true).1,
        0,
        "a canary may be a credential"
    );
    let mut ground = Ground::new("");
    let key = SignKind::Key("ASIA000000000003".to_owned());
    ground.signs.push(sign(key));
    assert_eq!(ground.fold(&parts, true).1, 0, "a sign may be a credential");
    for (asked, expected) in OF_OCCASIONS {
        let rule = format!(
            "---\ntitle: Occasion\nid: occasion\nlogsource: {{product: aws}}\ndetection:\n  \
             it: {asked}\n  condition: it\nlevel: low\n"
        );
        let ground = Ground::new(&rule);
        let (known, repeated) = ground.fold(&parts, true);
        assert_eq!(repeated, expected, "{asked}");
        let is_told = |finding: &Finding| finding.rule == "occasion";
        assert!(known.findings.iter().any(is_told), "{asked}");
    }
}
