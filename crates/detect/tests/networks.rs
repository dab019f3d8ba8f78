//! Fields of networks and clients as rules see them, from a record to a finding.

use std::sync::Arc;

use portreeve_detect::{
    Batch, Folded, NetworkData, Networks, Position, Settings, Snapshot, StageOne, StageTwo,
};
use portreeve_model::Estate;
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::Matcher;
use serde_json::{Value, json};

const RANGES: &str = "network,asn,organisation,country
192.0.2.0/24,9009,M247 Europe SRL,RO
3.0.0.0/8,16509,\"Amazon.com, Inc.\",US
";

fn call(id: u32, address: &str, client: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventID": format!("00000000-0000-4000-8000-{id:012x}"),
        "eventTime": "2026-03-03T07:44:00Z", "eventSource": "sts.amazonaws.com",
        "eventName": "GetCallerIdentity", "awsRegion": "eu-west-1", "sourceIPAddress": address,
        "userAgent": client, "recipientAccountId": "111122223333", "readOnly": true,
        "userIdentity": {
            "type": "AssumedRole", "accountId": "111122223333", "accessKeyId": "ASIAMIRA000100EXAMPL",
            "arn": "arn:aws:sts::111122223333:assumed-role/watcher-scan/run",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/watcher-scan"}}
        }
    })
}

/// The issue of a person's role session by Identity Center.
fn issue(id: u32, role: &str, address: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventID": format!("00000000-0000-4000-8000-{id:012x}"),
        "eventTime": "2026-03-03T07:01:12Z", "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRoleWithSAML", "awsRegion": "eu-west-1", "sourceIPAddress": address,
        "userAgent": "aws-internal/3 aws-sdk-java/1.12.780", "recipientAccountId": "111122223333",
        "userIdentity": {"type": "SAMLUser", "userName": "dev.mira"},
        "requestParameters": {"roleArn": format!("arn:aws:iam::111122223333:role/{role}"), "roleSessionName": "dev.mira"},
        "responseElements": {"credentials": {"accessKeyId": "ASIAOTHER00100EXAMPL"}}
    })
}

/// The titles of the rules that match, once each, for records with these detections.
fn matched(records: &[Value], detections: &[(&str, &str)]) -> Vec<Vec<u64>> {
    let text: String = detections
        .iter()
        .map(|(id, selection)| {
            format!("title: {id}\nid: {id}\nlogsource: {{product: aws}}\ndetection:\n  it: {{{selection}}}\n  condition: it\nlevel: low\n---\n")
        })
        .collect();
    let parsed = portreeve_sigma::parse("test.yml", &text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let settings = Settings {
        networks: [("198.51.100.0/24".parse().unwrap(), "corporate".to_owned())].into(),
        vendors: vec![portreeve_detect::Vendor {
            name: "Watcher".to_owned(),
            networks: vec!["203.0.113.0/28".parse().unwrap()],
            principals: vec!["*:role/watcher-*".to_owned()],
        }],
        ..Settings::default()
    };
    let data = NetworkData::read("t.csv", RANGES.as_bytes().to_vec())
        .unwrap()
        .0;
    let networks = Arc::new(Networks::new(&settings, vec![data]));
    let snapshot = Snapshot::new(&Estate::default(), settings, []).with_networks(networks);
    let folded = fold(records, &parsed.rules, &snapshot);
    detections
        .iter()
        .map(|(id, _)| {
            folded
                .findings
                .iter()
                .filter(|finding| finding.rule == *id)
                .flat_map(|finding| finding.evidence.iter().map(|evidence| evidence.index))
                .collect()
        })
        .collect()
}

fn fold(records: &[Value], rules: &[portreeve_sigma::Rule], snapshot: &Snapshot) -> Folded {
    let source = portreeve_telemetry::source("aws.cloudtrail").unwrap();
    let mut fields = Fields::default();
    let reader = source.prepare(&mut fields);
    let (matcher, problems) = Matcher::new(rules, &mut fields);
    assert!(problems.is_empty(), "{problems:?}");
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let mut stage = StageOne::new(rules, &matcher, &fields, snapshot, &[]);
    let mut batch = Batch::default();
    let file = batch.add_file("log.json".into());
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    for (index, line) in (0..).zip(&lines) {
        let mut slots = extractor.extract(line.as_bytes(), &mut buffer).unwrap();
        let position = Position {
            file,
            index,
            offset: index,
        };
        let row = {
            let activity = reader.activity(&slots);
            stage.fold(&activity, "Management", position, &mut batch)
        };
        stage.set_derived(&mut slots);
        stage.observe(&slots, row, &mut batch);
    }
    let mut two = StageTwo::default();
    two.accept(batch);
    two.finish(rules, &matcher, &fields, snapshot, &[])
}

#[test]
fn rules_ask_for_networks() {
    let records = [
        call(1, "192.0.2.41", "aws-cli/2.1"),
        call(2, "198.51.100.10", "aws-cli/2.1"),
        call(3, "3.8.0.1", "aws-cli/2.1"),
        call(
            4,
            "cloudformation.amazonaws.com",
            "cloudformation.amazonaws.com",
        ),
        call(5, "203.0.113.3", "aws-cli/2.1"),
    ];
    let found = matched(
        &records,
        &[
            ("hosting", "portreeve.network.class: hosting"),
            ("number", "portreeve.network.asn: '9009'"),
            ("plain number", "portreeve.network.asn: 9009"),
            ("country", "portreeve.network.country: RO"),
            (
                "operator",
                "portreeve.network.organisation|startswith: M247",
            ),
            ("sure", "portreeve.network.certainty|gte: 0.9"),
            ("named", "portreeve.network.name|exists: true"),
            ("same", "portreeve.network.name: AS16509"),
            ("own", "portreeve.network.own: true"),
            ("vendor", "portreeve.network.class: vendor"),
        ],
    );
    let expected: [&[u64]; 10] = [
        &[0],
        &[0],
        &[0],
        &[0],
        &[0],
        &[0, 1, 2, 4],
        &[0, 1, 2, 4],
        &[2],
        &[1, 4],
        &[4],
    ];
    assert_eq!(found, expected);
}

#[test]
fn identity_centers_call_tells_no_network_of_the_persons() {
    let records = [
        issue(
            1,
            "aws-reserved/sso.amazonaws.com/AWSReservedSSO_WebDeploy_0a1b2c3d4e5f6071",
            "3.8.0.1",
        ),
        issue(2, "okta-admin", "192.0.2.41"),
    ];
    let found = matched(
        &records,
        &[("named", "portreeve.network.name|exists: true")],
    );
    assert_eq!(found, [[1]]);
}

#[test]
fn rules_ask_for_clients() {
    let records = [
        call(
            1,
            "192.0.2.41",
            "[aws-cli/2.22.35 ua/2.0 os/linux#6.11.2-amd64 md/distrib#kali.2024 md/command#s3.sync]",
        ),
        call(
            2,
            "192.0.2.41",
            "Boto3/1.35.99 os/linux#6.1 exec-env/AWS_Lambda_python3.12",
        ),
        call(3, "192.0.2.41", "AWS Internal"),
    ];
    let found = matched(
        &records,
        &[
            ("tool", "portreeve.client.tool: aws-cli"),
            ("version", "portreeve.client.version: 2.22.35"),
            ("kind", "portreeve.client.kind: [library, service]"),
            ("os", "portreeve.client.os: linux"),
            ("distribution", "portreeve.client.distribution: kali"),
            ("command", "portreeve.client.command: s3.sync"),
            (
                "environment",
                "portreeve.client.environment|startswith: AWS_Lambda",
            ),
            (
                "family",
                "portreeve.client.family: 'aws-cli/2.22.35 ua/2.0 os/linux#6.11.2-amd64 md/distrib#kali.2024'",
            ),
            ("offensive", "portreeve.client.offensive: Kali Linux"),
        ],
    );
    let expected: [&[u64]; 9] = [&[0], &[0], &[1, 2], &[0, 1], &[0], &[0], &[1], &[0], &[0]];
    assert_eq!(found, expected);
}
