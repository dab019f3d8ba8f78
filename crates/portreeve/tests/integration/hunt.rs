//! `hunt` as a user runs it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{portreeve, portreeve_with_input, report, said};
use serde_json::{Value, json};

const RULES: &str = "\
title: A trail was stopped
id: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1a01
status: test
level: high
tags: [attack.t1562.008]
logsource: {product: aws, service: cloudtrail}
detection:
  selection:
    eventSource: cloudtrail.amazonaws.com
    eventName: [StopLogging, DeleteTrail]
  condition: selection
---
title: Anyone but a service was refused
id: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1a02
level: low
logsource: {product: aws}
detection:
  selection:
    errorCode|contains: Denied
  service:
    userIdentity.type: AWSService
  condition: selection and not service
---
title: For another product
id: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1a03
level: critical
logsource: {product: windows}
detection:
  selection:
    eventName|startswith: Get
  condition: selection
---
title: Of old times
id: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1a04
status: deprecated
logsource: {product: aws}
detection:
  selection: {eventName: GetObject}
  condition: selection
";

/// Some records of CloudTrail, of which about one in seventy matches.
fn records(count: usize) -> Vec<String> {
    let mut state = 7u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..count)
        .map(|number| {
            let (name, source) = match next(100) {
                0 => ("StopLogging", "cloudtrail"),
                1..50 => ("GetObject", "s3"),
                _ => ("AssumeRole", "sts"),
            };
            let kind = if next(3) == 0 { "AWSService" } else { "IAMUser" };
            let error = if next(150) == 0 { r#""errorCode":"AccessDenied","# } else { "" };
            let second = number % 60;
            let minute = number / 60 % 60;
            let hour = number / 3600 % 24;
            format!(
                r#"{{"eventVersion":"1.09","userIdentity":{{"type":"{kind}","arn":"arn:aws:iam::111122223333:user/u{}"}},"eventTime":"2026-03-03T{hour:02}:{minute:02}:{second:02}Z","eventSource":"{source}.amazonaws.com","eventName":"{name}",{error}"requestParameters":{{"key":"{}"}},"eventID":"event-{number}"}}"#,
                next(5),
                "x".repeat(next(400) as usize),
            )
        })
        .collect()
}

fn rules(folder: &Path) -> PathBuf {
    let path = folder.join("rules.yml");
    std::fs::write(&path, RULES).unwrap();
    path
}

fn hunt(arguments: &[&str], rules: &Path, logs: &[&Path]) -> std::process::Output {
    let mut all: Vec<std::ffi::OsString> = vec!["hunt".into(), "-r".into(), rules.into()];
    all.extend(arguments.iter().map(Into::into));
    all.extend(logs.iter().map(|log| log.as_os_str().to_owned()));
    portreeve(&all)
}

fn lines(output: &std::process::Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Rule and event of each match.
fn found(output: &std::process::Output) -> BTreeSet<(String, String)> {
    lines(output)
        .iter()
        .map(|line| {
            (
                line["rule"]["title"].as_str().unwrap().to_owned(),
                line["record"]["event_id"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn a_match_says_which_rule_and_which_record() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    let text = records(500).join("\n");
    std::fs::write(&log, &text).unwrap();
    let rules = rules(folder.path());
    let all = lines(&hunt(&["--format", "ndjson"], &rules, &[&log]));
    assert!(!all.is_empty());
    for line in &all {
        let record = &line["record"];
        let offset = record["offset"].as_u64().unwrap() as usize;
        let whole = text[offset..].lines().next().unwrap();
        let whole: Value = serde_json::from_str(whole).unwrap();
        assert_eq!(record["event_id"], whole["eventID"]);
        let number = record["index"].as_u64().unwrap();
        assert_eq!(record["event_id"], json!(format!("event-{number}")));
        assert_eq!(record["file"], json!(log.to_string_lossy()));
        assert_eq!(line["time"], whole["eventTime"]);
        assert_eq!(line["actor"], whole["userIdentity"]["arn"]);
        assert_eq!(line["action"], whole["eventName"]);
        match line["rule"]["level"].as_str().unwrap() {
            "high" => assert_eq!(whole["eventName"], "StopLogging"),
            "low" => {
                assert_eq!(whole["errorCode"], "AccessDenied");
                assert_ne!(whole["userIdentity"]["type"], "AWSService");
            }
            other => panic!("a rule of level {other} should not have been asked"),
        }
    }
    let expected = text
        .lines()
        .filter(|line| line.contains("StopLogging"))
        .count();
    let stopped = all.iter().filter(|line| line["rule"]["level"] == "high");
    assert_eq!(stopped.count(), expected);
}

#[test]
fn threads_compression_and_split_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let records = records(20_000);
    let text = records.join("\n") + "\n";
    assert!(text.len() > 4 << 20, "it is cut into several pieces");
    let whole = folder.path().join("whole.json");
    std::fs::write(&whole, &text).unwrap();
    let one = hunt(&["--format", "ndjson", "--threads", "1"], &rules, &[&whole]);
    let expected = found(&one);
    assert!(expected.len() > 100);
    for threads in ["2", "8"] {
        let more = hunt(
            &["--format", "ndjson", "--threads", threads],
            &rules,
            &[&whole],
        );
        assert!(
            one.stdout == more.stdout,
            "{threads} threads tell otherwise"
        );
    }
    // As gzip, as one line, as files of uneven size.
    let packed = folder.path().join("packed.gz");
    std::fs::write(&packed, gzip(&text)).unwrap();
    let line = folder.path().join("line.json");
    std::fs::write(&line, format!("{{\"Records\":[{}]}}", records.join(","))).unwrap();
    let split = folder.path().join("split");
    std::fs::create_dir(&split).unwrap();
    let mut rest = records.as_slice();
    for (number, size) in [1, 7_000, 3, 12_000, 996].into_iter().enumerate() {
        let (part, more) = rest.split_at(size);
        rest = more;
        let text = part.join("\n");
        match number % 2 {
            0 => std::fs::write(split.join(format!("{number}.json")), text).unwrap(),
            _ => std::fs::write(split.join(format!("{number}.json.gz")), gzip(&text)).unwrap(),
        }
    }
    for logs in [&packed, &line, &split] {
        let outputs: Vec<_> = ["1", "2", "8"]
            .iter()
            .map(|threads| {
                hunt(
                    &["--format", "ndjson", "--threads", threads],
                    &rules,
                    &[logs],
                )
            })
            .collect();
        assert!(
            found(&outputs[0]) == expected,
            "{} tells otherwise",
            logs.display()
        );
        assert!(
            outputs
                .iter()
                .all(|output| output.stdout == outputs[0].stdout)
        );
    }
    // The record's place is told in its own file.
    for found in lines(&hunt(&["--format", "ndjson"], &rules, &[&packed])) {
        let index = found["record"]["index"].as_u64().unwrap() as usize;
        let id = found["record"]["event_id"].as_str().unwrap();
        assert!(records[index].contains(&format!("\"{id}\"")));
    }
}

#[test]
fn a_broken_record_is_told_of_and_hides_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let mut all = records(9_000);
    let good = hunt_text(folder.path(), &rules, &all.join("\n"));
    let hit = |line: &&String| line.contains("StopLogging");
    let broken: Vec<usize> = (0..all.len())
        .filter(|at| hit(&&all[*at]))
        .take(2)
        .collect();
    all[broken[0]] = all[broken[0]].replacen("\"eventSource\"", "\"eventSource", 1);
    all[broken[1]] = all[broken[1]].replacen(
        "\"requestParameters\":{",
        "\"requestParameters\":{\"a\":tru,",
        1,
    );
    let text = all.join("\n");
    let output = hunt_text(folder.path(), &rules, &text);
    let letters = output["dead_letters"].as_array().unwrap();
    assert_eq!(letters.len(), 2, "{letters:?}");
    for (letter, at) in letters.iter().zip(&broken) {
        let begin: usize = all[..*at].iter().map(|line| line.len() + 1).sum();
        let offset = letter["offset"].as_u64().unwrap() as usize;
        assert!(
            (begin..begin + all[*at].len()).contains(&offset),
            "{letter}"
        );
    }
    let matches = |report: &Value| report["summary"]["matches"].as_u64().unwrap();
    assert!(matches(&good) - matches(&output) <= 4 && matches(&output) < matches(&good));
}

fn hunt_text(folder: &Path, rules: &Path, text: &str) -> Value {
    let log = folder.join("log.json");
    std::fs::write(&log, text).unwrap();
    report(&hunt(&["--format", "json"], rules, &[&log]))
}

#[test]
fn what_is_asked_for_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let log = folder.path().join("log.json");
    std::fs::write(&log, records(4_000).join("\n")).unwrap();
    let count = |arguments: &[&str]| {
        let mut all = vec!["--format", "ndjson"];
        all.extend(arguments);
        lines(&hunt(&all, &rules, &[&log]))
    };
    let all = count(&[]);
    let high = count(&["--level", "high"]);
    assert!(high.len() < all.len() && high.iter().all(|line| line["rule"]["level"] == "high"));
    let cut = "2026-03-03T00:30:00Z";
    let (before, behind) = (count(&["--until", cut]), count(&["--since", cut]));
    assert!(!before.is_empty() && !behind.is_empty());
    assert_eq!([before.clone(), behind].concat(), all);
    assert!(
        before
            .iter()
            .all(|line| line["time"].as_str().unwrap() < cut)
    );
    let of_user = count(&["--where", "userIdentity.arn|endswith=user/U1"]);
    assert!(!of_user.is_empty() && of_user.len() < all.len());
    assert!(
        of_user
            .iter()
            .all(|line| line["actor"].as_str().unwrap().ends_with("/u1"))
    );
    assert!(count(&["--where", "eventName=Nothing"]).is_empty());
    let some = count(&["--sample", "4"]);
    assert!(!some.is_empty() && some.len() < all.len() / 2);
    assert!(
        some.iter().all(|line| all.contains(line)),
        "places are those of the whole log"
    );
    let old = count(&["--status", "deprecated"]);
    assert!(
        old.iter()
            .any(|line| line["rule"]["title"] == "Of old times")
    );
    let any = count(&["--any-source"]);
    assert!(
        any.iter()
            .any(|line| line["rule"]["title"] == "For another product")
    );
}

#[test]
fn every_format_tells_the_same_matches() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let log = folder.path().join("log.json");
    std::fs::write(&log, records(2_000).join("\n")).unwrap();
    let text = |format: &str| {
        let output = hunt(&["--format", format], &rules, &[&log]);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let count = text("ndjson").lines().count();
    assert!(count > 10);
    assert_eq!(text("csv").lines().count(), count + 1);
    let ocsf = text("ocsf");
    assert_eq!(ocsf.lines().count(), count);
    let first: Value = serde_json::from_str(ocsf.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["class_uid"], &first["type_uid"]),
        (&json!(2004), &json!(200_401))
    );
    let json: Value = serde_json::from_str(&text("json")).unwrap();
    assert_eq!(json["matches"].as_array().unwrap().len(), count);
    assert_eq!(json["summary"]["matches"], json!(count));
    let of_rules = json["rules"].as_array().unwrap().iter();
    let sum: u64 = of_rules.map(|rule| rule["matches"].as_u64().unwrap()).sum();
    assert_eq!(sum, count as u64);
    let principals = json["principals"].as_array().unwrap().iter();
    let sum: u64 = principals.map(|one| one["matches"].as_u64().unwrap()).sum();
    assert_eq!(sum, count as u64);
    let table = text("table");
    for word in [
        "A trail was stopped",
        "T1562.008",
        "user/u1",
        "2026-03-03 00:0",
        &format!("{count} matches"),
    ] {
        assert!(table.contains(word), "{word} is not in\n{table}");
    }
    let page = text("html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("A trail was stopped"));
    assert!(page.contains("<svg"));
}

#[test]
fn stats_tell_what_leads_to_a_rule_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let log = folder.path().join("log.json");
    std::fs::write(&log, records(3_000).join("\n")).unwrap();
    let plain = report(&hunt(&["--format", "json"], &rules, &[&log]));
    let measured = report(&hunt(&["--format", "json", "--stats"], &rules, &[&log]));
    assert_eq!(plain["matches"], measured["matches"]);
    let figures = measured["rule_figures"].as_array().unwrap();
    assert_eq!(figures.len(), 2);
    let figure = |title: &str| {
        figures
            .iter()
            .find(|figure| figure["title"] == title)
            .unwrap()
    };
    let stopped = figure("A trail was stopped");
    let way = stopped["reached_by"].as_str().unwrap();
    assert!(
        way.contains("stoplogging") || way.contains("cloudtrail.amazonaws.com"),
        "{way}"
    );
    assert!(stopped["asked"].as_u64() >= stopped["matched"].as_u64());
    assert!(stopped["matched"].as_u64().unwrap() > 0);
    assert_eq!(
        figure("Anyone but a service was refused")["reached_by"],
        "errorCode is there"
    );
}

#[test]
fn a_rule_is_explained_predicate_by_predicate() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let log = folder.path().join("log.json");
    let records = records(400);
    std::fs::write(&log, records.join("\n")).unwrap();
    let at = records
        .iter()
        .position(|record| record.contains("StopLogging"))
        .unwrap();
    let explain = |rule: &str, record: &str| {
        let output = hunt(&["--explain", rule, record], &rules, &[]);
        (
            output.status.code(),
            String::from_utf8(output.stdout.clone()).unwrap(),
            said(&output),
        )
    };
    let (code, text, _) = explain("A trail was stopped", &format!("{}#{at}", log.display()));
    assert_eq!(code, Some(0));
    assert!(text.starts_with("A trail was stopped: matches."), "{text}");
    assert!(
        text.contains("eventName is 'StopLogging' or 'DeleteTrail'"),
        "{text}"
    );
    let record = r#"{"eventSource":"cloudtrail.amazonaws.com","eventName":"GetTrail"}"#;
    let (_, text, _) = explain("6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1a01", record);
    assert!(
        text.starts_with("A trail was stopped: does not match."),
        "{text}"
    );
    let line = |word: &str| {
        text.lines()
            .find(|line| line.contains(word))
            .unwrap()
            .trim()
    };
    assert!(line("eventSource is").starts_with("yes"));
    assert!(line("eventName is").starts_with("no") && text.contains("GetTrail"));
    let (code, _, error) = explain("Nothing", record);
    assert!(
        code == Some(2) && error.contains("no rule has the id"),
        "{error}"
    );
    assert_eq!(explain("A trail was stopped", "{\"a\":").0, Some(2));
}

#[test]
fn pipelines_and_placeholders_change_rules() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let rule = path(
        "rule.yml",
        "title: Someone stopped a trail\nlogsource: {product: aws}\ndetection:\n  s:\n    \
         called|expand: '%stops%'\n  condition: s\n",
    );
    let map = path(
        "pipeline.yml",
        "name: names\npriority: 10\ntransformations:\n  - id: names\n    \
         type: field_name_mapping\n    mapping: {called: eventName}\n",
    );
    let values = path("values.yml", "stops: [StopLogging, DeleteTrail]\n");
    let log = path("log.json", &records(800).join("\n"));
    let (map, values) = (map.to_str().unwrap(), values.to_str().unwrap());
    let count = |arguments: &[&str]| {
        let all = [&["--format", "ndjson"], arguments].concat();
        lines(&hunt(&all, &rule, &[&log])).len()
    };
    let expected = std::fs::read_to_string(&log)
        .unwrap()
        .matches("StopLogging")
        .count();
    assert!(expected > 0);
    assert_eq!(
        count(&["--pipeline", map, "--placeholders", values]),
        expected
    );
    assert_eq!(
        count(&["--pipeline", map, "--placeholder", "stops=StopLogging"]),
        expected
    );
    assert_eq!(
        count(&["--placeholders", values]),
        0,
        "no record has the field `called`"
    );
    assert_eq!(
        hunt(&["--pipeline", values], &rule, &[&log]).status.code(),
        Some(2)
    );
}

#[test]
fn exit_codes_are_those_of_all_commands() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    let log = folder.path().join("log.json");
    std::fs::write(&log, records(500).join("\n")).unwrap();
    let code = |arguments: &[&str], log: &Path| hunt(arguments, &rules, &[log]).status.code();
    assert_eq!(code(&[], &log), Some(0));
    assert_eq!(code(&["--fail-on", "high"], &log), Some(10));
    assert_eq!(code(&["--fail-on", "critical"], &log), Some(0));
    assert_eq!(
        code(&["--format", "ndjson", "--fail-on", "high"], &log),
        Some(10)
    );
    assert_eq!(code(&["--where", "nothing"], &log), Some(2));
    assert_eq!(code(&["--where", "a|nothing=x"], &log), Some(2));
    assert_eq!(code(&[], &folder.path().join("missing")), Some(3));
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "nothing of interest\n").unwrap();
    assert_eq!(code(&[], &text), Some(3));
}

#[test]
fn records_of_unknown_sources_are_asked_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let rule = folder.path().join("rule.yml");
    std::fs::write(
        &rule,
        "title: A mailbox rule\nid: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1a05\nlevel: medium\n\
         logsource: {product: m365, service: exchange}\n\
         detection:\n  s:\n    Operation: New-InboxRule\n  condition: s\n",
    )
    .unwrap();
    let mut text = String::from("{\"value\": [\n");
    for number in 0..50 {
        let name = if number == 20 {
            "New-InboxRule"
        } else {
            "MailItemsAccessed"
        };
        let comma = if number == 49 { "" } else { "," };
        writeln!(text, "  {{\"createdDateTime\": \"2026-03-03T07:{number:02}:00\", \"id\": \"m{number}\", \"userPrincipalName\": \"a@b.example\", \"Operation\": \"{name}\"}}{comma}").unwrap();
    }
    text.push_str("]}\n");
    let arguments: Vec<std::ffi::OsString> = vec![
        "hunt".into(),
        "-r".into(),
        rule.into(),
        "-".into(),
        "--format".into(),
        "ndjson".into(),
    ];
    let all = lines(&portreeve_with_input(&arguments, text.as_bytes()));
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["time"], "2026-03-03T07:20:00Z");
    assert_eq!(all[0]["actor"], "a@b.example");
    assert_eq!(all[0]["record"]["event_id"], "m20");
    assert_eq!(all[0]["record"]["index"], 20);
}

const CORRELATED: &str = "\
title: Any call of a person
name: call
logsource: {product: aws}
detection:
  selection: {userIdentity.type: IAMUser}
  condition: selection
---
title: A stop
name: stop
level: high
logsource: {product: aws}
detection:
  selection: {eventName: StopLogging}
  condition: selection
---
title: Many calls in a minute
id: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1b01
level: medium
correlation: {type: event_count, rules: [call], group-by: [userIdentity.arn], timespan: 1m, condition: {gte: 14}}
---
title: Each kind of call in a minute
id: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1b02
correlation: {type: value_count, rules: [call], group-by: [userIdentity.arn], timespan: 1m, condition: {field: eventName, gte: 3}}
---
title: A stop behind a call
id: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1b03
level: high
correlation: {type: temporal_ordered, rules: [call, stop], group-by: [userIdentity.arn], timespan: 5s, generate: true}
";

#[test]
fn correlations_do_not_depend_on_threads_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    std::fs::write(&rules, CORRELATED).unwrap();
    let records = records(12_000);
    let whole = folder.path().join("whole.json");
    std::fs::write(&whole, records.join("\n")).unwrap();
    // Files whose names are not in the order of time, some packed, one a single line.
    let split = folder.path().join("split");
    std::fs::create_dir(&split).unwrap();
    std::fs::write(split.join("z.json"), records[..3_000].join("\n")).unwrap();
    let line = format!("{{\"Records\":[{}]}}", records[3_000..7_000].join(","));
    std::fs::write(split.join("y.json.gz"), gzip(&line)).unwrap();
    std::fs::write(split.join("a.json.gz"), gzip(&records[7_000..].join("\n"))).unwrap();
    let of = |logs: &Path, threads: &str| {
        hunt(
            &["--format", "ndjson", "--threads", threads],
            &rules,
            &[logs],
        )
    };
    // What a correlation found, whatever the files are called.
    let told = |output: &std::process::Output| -> Vec<String> {
        lines(output)
            .iter()
            .filter(|line| line.get("records").is_some())
            .map(|line| {
                format!(
                    "{} {} {} {}",
                    line["rule"]["title"], line["time"], line["group"], line["number"]
                )
            })
            .collect()
    };
    let one = of(&whole, "1");
    let expected = told(&one);
    for title in ["Many calls", "Each kind", "A stop behind"] {
        assert!(expected.iter().any(|line| line.contains(title)), "{title}");
    }
    for threads in ["2", "8"] {
        assert!(
            of(&whole, threads).stdout == one.stdout,
            "{threads} threads tell otherwise"
        );
    }
    let parts = of(&split, "1");
    assert!(told(&parts) == expected, "files tell otherwise");
    for threads in ["2", "8"] {
        assert!(
            of(&split, threads).stdout == parts.stdout,
            "{threads} threads tell otherwise"
        );
    }
    // Parts are told of themselves only where a correlation says so.
    let titles: BTreeSet<String> = lines(&one)
        .iter()
        .map(|line| line["rule"]["title"].as_str().unwrap().to_owned())
        .collect();
    assert!(titles.contains("A stop"));
    // Each record of a correlation is where it is said to be.
    for line in lines(&one)
        .iter()
        .filter(|line| line.get("records").is_some())
    {
        for record in line["records"].as_array().unwrap() {
            let index = record["index"].as_u64().unwrap() as usize;
            let offset: usize = records[..index].iter().map(|line| line.len() + 1).sum();
            assert_eq!(record["offset"], json!(offset));
        }
    }
}

/// Every match that the generator plants is found by the rule that it names. With 60,000 records; with
/// as many as `PORTREEVE_HUNT_RECORDS` says, where it is set (of 1,000,000 there are 509).
#[test]
fn every_planted_match_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let generator = root.join("../shared/bench/cloudtrail_gen.py");
    let collection = root.join("../shared/rules");
    if !generator.is_file() || !collection.join("aws56.txt").is_file() {
        println!("skipped: the generator and the rules are not present");
        return;
    }
    let count = std::env::var("PORTREEVE_HUNT_RECORDS").unwrap_or("60000".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let (log, labels) = (
        folder.path().join("log.json"),
        folder.path().join("labels.tsv"),
    );
    let made = Command::new("python3")
        .arg(&generator)
        .arg(&count)
        .args([&log, &labels])
        .arg("7")
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: python3 does not run");
        return;
    }
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    for name in std::fs::read_to_string(collection.join("aws56.txt"))
        .unwrap()
        .lines()
    {
        let file = Path::new(name).file_name().unwrap();
        std::fs::copy(collection.join("sigmahq").join(name), rules.join(file)).unwrap();
    }
    let output = hunt(&["--format", "ndjson"], &rules, &[&log]);
    let mut extra = Vec::new();
    let found: BTreeSet<(u64, String)> = lines(&output)
        .iter()
        .map(|line| {
            let file = line["rule"]["file"].as_str().unwrap();
            let stem = Path::new(file).file_stem().unwrap().to_string_lossy();
            (line["record"]["index"].as_u64().unwrap(), stem.into_owned())
        })
        .collect();
    let labels = std::fs::read_to_string(&labels).unwrap();
    let planted: BTreeSet<(u64, String)> = labels
        .lines()
        .map(|line| {
            let (number, rule) = line.split_once('\t').unwrap();
            (number.parse().unwrap(), rule.to_owned())
        })
        .collect();
    assert!(planted.len() > 10);
    let missed: Vec<_> = planted.difference(&found).collect();
    assert!(
        missed.is_empty(),
        "{} of {} are missed: {missed:?}",
        missed.len(),
        planted.len()
    );
    let lines: BTreeSet<u64> = planted.iter().map(|(number, _)| *number).collect();
    for (number, rule) in found.difference(&planted) {
        // A planted call may be what a second rule looks for too.
        if !lines.contains(number) {
            extra.push((number, rule));
        }
    }
    println!(
        "{} planted, {} found, {} on records without a plant",
        planted.len(),
        found.len(),
        extra.len()
    );
    let by_rule: BTreeSet<&str> = extra.iter().map(|(_, rule)| rule.as_str()).collect();
    println!("rules that match ordinary records: {by_rule:?}");
}
