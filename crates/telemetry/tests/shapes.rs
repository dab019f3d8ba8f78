//! One record, in every shape in which people hold it, gives one activity.

use portreeve_record::{Extractor, Fields, SlotBuffer, Split, Splitter};
use portreeve_telemetry::{Container, Reader, Rows, Unwrapped, recognise, source};
use serde_json::{Value, json};

fn record() -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:dev.mira",
            "arn": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_WebDeploy_0a1b/dev.mira",
            "accountId": "111122223333",
            "accessKeyId": "ASIAMIRA0001EXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "arn": "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_WebDeploy_0a1b",
                },
                "attributes": {
                    "creationDate": "2026-03-03T07:01:12Z",
                    "mfaAuthenticated": "false",
                },
            },
        },
        "eventTime": "2026-03-05T10:20:09Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.42",
        "userAgent": "[aws-cli/2.22.35 \"quoted\"]",
        "requestParameters": {"bucketName": "halyard-web-prod", "key": "_next/app.js"},
        "responseElements": null,
        "readOnly": true,
        "eventID": "8e6ffb2a-af42-47e6-9da9-8d90adbdc937",
        "eventType": "AwsApiCall",
        "managementEvent": false,
        "recipientAccountId": "111122223333",
        "eventCategory": "Data",
    })
}

/// All activities in a file, as text, by the way that the engine takes; and what was unreadable.
fn activities(file: &[u8]) -> (Vec<String>, Vec<String>) {
    let recognition = recognise(file).unwrap_or_else(|| {
        panic!(
            "not recognised: {}",
            String::from_utf8_lossy(&file[..file.len().min(300)])
        )
    });
    let source = source(recognition.source).unwrap();
    let mut fields = Fields::default();
    let reader = source.prepare(&mut fields);
    let extractor = Extractor::new(&fields);
    let mut walk = Walk {
        reader: &*reader,
        extractor: &extractor,
        told: Vec::new(),
        dead: Vec::new(),
    };
    match recognition.container {
        Container::Json => {
            let mut splitter = Splitter::new(file, source.split_options());
            while let Some(split) = splitter.next() {
                walk.take(split);
            }
        }
        Container::Csv => {
            let mut rows: Box<dyn Rows + '_> = source.rows(Box::new(file)).unwrap();
            while let Some(split) = rows.next() {
                walk.take(split);
            }
        }
        Container::Ignored => {}
    }
    (walk.told, walk.dead)
}

struct Walk<'w> {
    reader: &'w dyn Reader,
    extractor: &'w Extractor,
    told: Vec<String>,
    dead: Vec<String>,
}

impl Walk<'_> {
    fn take(&mut self, split: Split<'_>) {
        match split {
            Split::Record(record) => self.record(record.bytes, true),
            Split::Dead { reason, .. } => self.dead.push(reason.into_owned()),
        }
    }

    fn record(&mut self, bytes: &[u8], outer: bool) {
        let mut buffer = SlotBuffer::new();
        if let Ok(slots) = self.extractor.extract(bytes, &mut buffer)
            && self.reader.is_native(&slots)
        {
            let activity = self.reader.activity(&slots);
            self.told
                .push(format!("{activity:?} {}", self.reader.event_kind(&slots)));
            return;
        }
        assert!(outer, "what comes out of a wrapping is native");
        match self.reader.unwrap(bytes) {
            Unwrapped::Inner { records, dead } => {
                for inner in &records {
                    self.record(inner, false);
                }
                self.dead.extend(dead);
            }
            Unwrapped::Broken(reason) => self.dead.push(reason),
            Unwrapped::Native => panic!("native, and not told as such"),
            Unwrapped::Ignored(_) | Unwrapped::Foreign(_) => {}
        }
    }
}

fn expected() -> String {
    let (told, dead) = activities(record().to_string().as_bytes());
    assert_eq!((told.len(), dead.len()), (1, 0));
    told[0].clone()
}

#[track_caller]
fn assert_same(shape: &str, file: &str, count: usize) {
    let (told, dead) = activities(file.as_bytes());
    assert_eq!(dead, Vec::<String>::new(), "{shape}");
    assert_eq!(told, vec![expected(); count], "{shape}");
}

#[test]
fn the_activity_says_what_the_record_says() {
    let told = expected();
    for part in [
        "GetObject",
        "service: \"s3\"",
        "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_WebDeploy_0a1b",
        "kind: Human",
        "session: Some(\"dev.mira\")",
        "id: \"ASIAMIRA0001EXAMPLE\", kind: Session",
        "created: Some(2026-03-03T07:01:12Z)",
        "[\"arn:aws:s3:::halyard-web-prod/_next/app.js\", \"arn:aws:s3:::halyard-web-prod\"]",
        "outcome: Success",
        "address: \"192.0.2.42\", kind: Public",
        "read_only: Some(true)",
        "time: Some(2026-03-05T10:20:09Z)",
        "Data",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn every_shape_gives_the_same_activity() {
    let record = record();
    let text = record.to_string();
    let pretty = serde_json::to_string_pretty(&record).unwrap();
    let bridge = json!({
        "version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.s3", "account": "111122223333", "time": "2026-03-05T10:20:09Z",
        "region": "eu-west-1", "resources": [], "detail": record,
    });
    let lookup = json!({
        "EventId": "8e6ffb2a-af42-47e6-9da9-8d90adbdc937", "EventName": "GetObject",
        "ReadOnly": "true", "EventTime": 1_772_706_009, "EventSource": "s3.amazonaws.com",
        "Username": "dev.mira", "Resources": [{"ResourceType": "AWS::S3::Bucket", "ResourceName": "b"}],
        "CloudTrailEvent": text,
    });
    let subscription = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "trail",
        "logStream": "s", "subscriptionFilters": ["f"],
        "logEvents": [{"id": "1", "timestamp": 1, "message": text}, {"id": "2", "timestamp": 2, "message": text}],
    });
    let lake_rows = json!({
        "QueryStatus": "FINISHED", "QueryResultRows": [[{"eventJson": text}, {"eventName": "GetObject"}]],
    });
    let shapes: &[(&str, String, usize)] = &[
        ("one line", format!("{text}\n"), 1),
        ("lines", format!("{text}\n{text}\n{text}"), 3),
        ("pretty", pretty.clone(), 1),
        ("array", json!([record, record]).to_string(), 2),
        ("Records", json!({"Records": [record, record]}).to_string(), 2),
        ("Records, pretty", serde_json::to_string_pretty(&json!({"Records": [record]})).unwrap(), 1),
        ("two envelopes", format!("{0}\n{0}\n", json!({"Records": [record]})), 2),
        ("array of envelopes", json!([{"Records": [record]}, {"Records": [record]}]).to_string(), 2),
        ("lookup-events", json!({"Events": [lookup, lookup], "NextToken": "x"}).to_string(), 2),
        ("lookup-events lines", format!("{lookup}\n{lookup}\n"), 2),
        ("lookup-events texts", json!([text, text]).to_string(), 2),
        ("lookup-events text lines", format!("{0}\n{0}\n", json!(text)), 2),
        ("eventbridge", format!("{bridge}\n{bridge}\n"), 2),
        ("eventbridge in sqs", json!({"Messages": 1, "Body": bridge.to_string()}).to_string(), 1),
        ("log export", format!("2026-03-05T10:20:09.000Z {text}\n2026-03-05T10:20:09.000Z {text}\n"), 2),
        ("subscription", subscription.to_string(), 2),
        ("subscriptions", format!("{subscription}{subscription}"), 4),
        ("filter-log-events", json!({"events": [{"logStreamName": "s", "timestamp": 1, "message": text, "ingestionTime": 2, "eventId": "3"}], "searchedLogStreams": []}).to_string(), 1),
        ("insights query", json!({"results": [[{"field": "@timestamp", "value": "x"}, {"field": "@message", "value": text}]], "status": "Complete"}).to_string(), 1),
        ("lake rows", lake_rows.to_string(), 1),
        ("splunk", json!({"preview": false, "offset": 0, "result": {"_raw": text, "eventName": "GetObject", "host": "h"}}).to_string(), 1),
        ("splunk results", json!({"preview": false, "results": [{"_raw": text, "eventName": "GetObject", "eventSource": "s3.amazonaws.com"}]}).to_string(), 1),
        ("splunk collector", json!({"time": 1, "sourcetype": "aws:cloudtrail", "event": record}).to_string(), 1),
        ("elastic", json!({"took": 1, "hits": {"total": {"value": 1}, "hits": [{"_index": "i", "_source": {"event": {"original": text, "action": "GetObject"}, "aws": {"cloudtrail": {}}}}]}}).to_string(), 1),
        ("elastic, dotted", json!({"@timestamp": "x", "event.original": text}).to_string(), 1),
        ("opensearch", json!({"_source": record}).to_string(), 1),
        ("logstash", json!({"@timestamp": "x", "message": text}).to_string(), 1),
        ("message with prefix", json!({"message": format!("<13> trail: {text}")}).to_string(), 1),
        ("sns", json!({"Type": "Notification", "Message": json!({"Records": [record, record]}).to_string()}).to_string(), 2),
        ("eventbridge in splunk", json!({"result": {"_raw": bridge.to_string()}}).to_string(), 1),
        ("subscription in logstash", json!({"message": subscription.to_string()}).to_string(), 2),
        ("csv of raw", format!("_time,_raw\nx,\"{}\"\n", text.replace('"', "\"\"")), 1),
        ("csv of lake", format!("\"eventJson\"\r\n\"{0}\"\r\n\"{0}\"\r\n", text.replace('"', "\"\"")), 2),
    ];
    for (shape, file, count) in shapes {
        assert_same(shape, file, *count);
        assert_same(shape, &format!("\u{feff}{file}"), *count);
    }
}

#[test]
fn tables_with_cloudtrails_columns_give_the_same_activity() {
    let record = record();
    let identity = "{type=AssumedRole, principalid=AROAEXAMPLE:dev.mira, arn=arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_WebDeploy_0a1b/dev.mira, accountid=111122223333, invokedby=null, accesskeyid=ASIAMIRA0001EXAMPLE, username=null, sessioncontext={attributes={mfaauthenticated=false, creationdate=2026-03-03T07:01:12Z}, sessionissuer={type=Role, principalid=null, arn=arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_WebDeploy_0a1b, accountid=null, username=null}}}";
    let parameters = record["requestParameters"].to_string();
    let agent = record["userAgent"].as_str().unwrap();
    let columns = [
        ("eventversion", "1.11"),
        ("useridentity", identity),
        ("eventtime", "2026-03-05T10:20:09Z"),
        ("eventsource", "s3.amazonaws.com"),
        ("eventname", "GetObject"),
        ("awsregion", "eu-west-1"),
        ("sourceipaddress", "192.0.2.42"),
        ("useragent", agent),
        ("errorcode", ""),
        ("requestparameters", &parameters),
        ("responseelements", "null"),
        ("readonly", "true"),
        ("eventid", "8e6ffb2a-af42-47e6-9da9-8d90adbdc937"),
        ("eventtype", "AwsApiCall"),
        ("managementevent", "false"),
        ("recipientaccountid", "111122223333"),
        ("eventcategory", "Data"),
    ];
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    for delimiter in [",", ";", "\t"] {
        let head: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let row: Vec<String> = columns.iter().map(|(_, cell)| quoted(cell)).collect();
        let (head, row) = (head.join(delimiter), row.join(delimiter));
        assert_same("athena csv", &format!("{head}\n{row}\n{row}\n"), 2);
        assert_same("athena csv, BOM", &format!("\u{feff}{head}\r\n{row}"), 1);
    }
    let lower: Value = columns
        .iter()
        .map(|(name, cell)| (name.to_string(), json!(cell)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_same("athena json", &format!("{lower}\n{lower}\n"), 2);
    let cells: Vec<Value> = columns
        .iter()
        .map(|(name, cell)| json!({*name: cell}))
        .collect();
    assert_same(
        "lake rows",
        &json!({"QueryResultRows": [cells, cells]}).to_string(),
        2,
    );
    // The identity as columns of its own.
    let mut flat = lower.clone();
    let members = flat.as_object_mut().unwrap();
    members.remove("useridentity");
    let identity = &record["userIdentity"];
    for (name, value) in [
        ("useridentity_type", &identity["type"]),
        ("useridentity_arn", &identity["arn"]),
        ("useridentity_principalid", &identity["principalId"]),
        ("useridentity_accountid", &identity["accountId"]),
        ("useridentity_accesskeyid", &identity["accessKeyId"]),
        (
            "useridentity_sessioncontext_sessionissuer_arn",
            &identity["sessionContext"]["sessionIssuer"]["arn"],
        ),
        (
            "useridentity_sessioncontext_attributes_creationdate",
            &identity["sessionContext"]["attributes"]["creationDate"],
        ),
        (
            "useridentity_sessioncontext_attributes_mfaauthenticated",
            &identity["sessionContext"]["attributes"]["mfaAuthenticated"],
        ),
    ] {
        members.insert(name.to_owned(), value.clone());
    }
    assert_same("flat json", &flat.to_string(), 1);
}

#[test]
fn the_console_csv_is_read() {
    let file = "Event ID,Event time,Event name,Event source,User name,AWS access key,AWS region,Source IP address,Error code,Read-only\n\
        1,2026-03-05T10:20:09Z,ListUsers,iam.amazonaws.com,bob,AKIAEXAMPLE,us-east-1,192.0.2.1,AccessDenied,true\n";
    let (told, dead) = activities(file.as_bytes());
    assert_eq!(dead, Vec::<String>::new());
    assert!(
        told[0].contains("id: \"AKIAEXAMPLE\", kind: AccessKey"),
        "{told:?}"
    );
    assert!(told[0].contains("Denied(\"AccessDenied\")"));
    assert!(told[0].contains("principal: \"bob\""));
}

#[test]
fn what_is_not_cloudtrail_is_not_recognised() {
    for other in [
        r#"{"UserDetailList":[{"UserName":"bob","Arn":"arn:aws:iam::1:user/bob"}],"RoleDetailList":[],"Policies":[]}"#,
        "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active\nbob,arn:aws:iam::1:user/bob,2020-01-01T00:00:00Z,true,no_information,false,true\n",
        r#"{"Records":[{"user":"bob"},{"user":"eve"}]}"#,
        r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","awsRegion":"us-east-1"}]}"#,
        r#"{"message":"hello {world}"}"#,
        r#"{"name":"x","version":"1.0.0","dependencies":{}}"#,
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"get","auditID":"1"}"#,
        r#"{"eventType":"user.session.start","published":"2026-03-05T10:20:09Z","actor":{}}"#,
        "plain text\nand more\n",
        "a,b,c\n1,2,3\n",
        "raw,message\nx,y\n",
        "",
        "[]",
        "{",
        "\u{0}\u{1}\u{2}",
    ] {
        assert_eq!(recognise(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn digest_files_are_known_and_hold_nothing() {
    let digest = json!({
        "awsAccountId": "111122223333", "digestStartTime": "2026-03-05T10:20:09Z",
        "digestEndTime": "2026-03-05T11:20:09Z", "digestS3Bucket": "b", "digestS3Object": "o",
        "logFiles": [{"s3Bucket": "b", "s3Object": "o", "hashValue": "x"}],
    });
    for text in [
        digest.to_string(),
        serde_json::to_string_pretty(&digest).unwrap(),
    ] {
        assert_eq!(
            recognise(text.as_bytes()).unwrap().container,
            Container::Ignored
        );
    }
}

#[test]
fn a_sample_that_ends_inside_the_first_record_is_recognised() {
    let mut large = record();
    large["requestParameters"]["key"] = json!("x".repeat(100_000));
    let file = json!({"Records": [large, large]}).to_string();
    // The names are all there, in front of what is cut off.
    let mut names: Vec<String> = ["eventVersion", "userIdentity", "eventSource", "eventName"]
        .map(|name| format!("\"{name}\":\"x.amazonaws.com\""))
        .to_vec();
    names.push(format!("\"k\":\"{}", "x".repeat(70_000)));
    let cut = format!("{{\"Records\":[{{{}", names.join(","));
    assert_eq!(
        recognise(&cut.as_bytes()[..65_536]).unwrap().format,
        "records"
    );
    assert_eq!(activities(file.as_bytes()).0.len(), 2);
}

#[test]
fn formats_are_named() {
    let text = record().to_string();
    let name = |file: String| recognise(file.as_bytes()).unwrap().format;
    assert_eq!(name(format!("{text}\n{text}")), "ndjson");
    assert_eq!(name(format!("[{text}]")), "array");
    assert_eq!(name(format!("{{\"Records\":[{text}]}}")), "records");
    assert_eq!(
        name(json!({"Events": [{"CloudTrailEvent": text}]}).to_string()),
        "lookup-events"
    );
    assert_eq!(name(json!({"detail": record()}).to_string()), "eventbridge");
    assert_eq!(
        name(format!("2026-03-05T10:20:09.000Z {text}\n")),
        "cloudwatch logs export"
    );
    assert_eq!(
        name(json!({"logEvents": [{"message": text}]}).to_string()),
        "cloudwatch logs subscription"
    );
    assert_eq!(
        name(json!({"result": {"_raw": text}}).to_string()),
        "siem export"
    );
}

#[test]
fn broken_insides_are_told() {
    let good = record().to_string();
    let file = format!(
        "{}\n{}\n{}\n",
        json!({"CloudTrailEvent": good}),
        json!({"CloudTrailEvent": &good[..good.len() / 2]}),
        json!({"CloudTrailEvent": good}),
    );
    let (told, dead) = activities(file.as_bytes());
    assert_eq!((told.len(), dead.len()), (2, 1), "{dead:?}");
    assert!(dead[0].contains("CloudTrailEvent"));
}

#[test]
fn wrappings_without_end_are_refused() {
    let mut text = record().to_string();
    for _ in 0..10 {
        text = json!({"message": text}).to_string();
    }
    let source = source("aws.cloudtrail").unwrap();
    let reader = source.prepare(&mut Fields::default());
    assert!(matches!(
        reader.unwrap(text.as_bytes()),
        Unwrapped::Broken(_)
    ));
    let nested = "{\"detail\":".repeat(100_000);
    assert!(matches!(
        reader.unwrap(nested.as_bytes()),
        Unwrapped::Broken(_)
    ));
}
