//! `hunt` over what somebody wrote to harm it: bounded in time and memory, and nothing readable lost.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::said;
use serde_json::Value;

const RULE: &str = "\
title: A trail was stopped
id: 6d1f0c2e-54f5-4a53-8a9b-3f2f2f8e1c01
level: high
logsource: {product: aws}
detection:
  selection: {eventName: StopLogging}
  condition: selection
";

/// No more than this, whatever the input; in megabytes.
#[cfg(target_os = "linux")]
const MOST_MEMORY: u64 = 100;

fn rules(folder: &Path) -> PathBuf {
    let path = folder.join("rules.yml");
    std::fs::write(&path, RULE).unwrap();
    path
}

fn stop(number: u32) -> String {
    format!(
        "{{\"eventVersion\":\"1.09\",\"eventTime\":\"2026-03-03T07:00:00Z\",\"eventSource\":\"cloudtrail.amazonaws.com\",\"eventName\":\"StopLogging\",\"eventID\":\"event-{number}\"}}"
    )
}

/// Hunts through what is written to its standard input, on one thread; also the most memory that it had,
/// in megabytes, where the system tells.
fn hunt(rules: &Path, write: &dyn Fn(&mut dyn Write)) -> (Output, Option<u64>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args(["hunt", "-", "--threads", "1", "--format", "json", "-r"])
        .arg(rules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = BufWriter::with_capacity(1 << 20, child.stdin.take().unwrap());
    write(&mut input);
    input.flush().unwrap();
    let peak = peak_memory(child.id());
    drop(input);
    (child.wait_with_output().unwrap(), peak)
}

/// What the program's own pages take is left out where nothing is optimised: they are three times as many
/// there, and no input's doing.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kilobytes = |name: &str| -> Option<u64> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let own = match cfg!(debug_assertions) {
        true => kilobytes("RssFile:")?,
        false => 0,
    };
    Some((kilobytes("VmHWM:")? - own) / 1024)
}

/// The event ids of the matches, and the reasons of dead letters.
fn told(output: &Output) -> (Vec<String>, Vec<String>) {
    assert!(output.status.success(), "{}", said(output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let texts = |list: &Value, path: &str| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.map(|one| one.pointer(path).unwrap().as_str().unwrap().to_owned())
            .collect()
    };
    (
        texts(&report["matches"], "/record/event_id"),
        texts(&report["dead_letters"], "/reason"),
    )
}

#[test]
fn a_string_of_a_gigabyte_passes_through_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let (output, peak) = hunt(&rules(folder.path()), &|input| {
        writeln!(input, "{}", stop(1)).unwrap();
        input.write_all(b"{\"eventVersion\":\"").unwrap();
        let block = vec![b'x'; 1 << 20];
        for _ in 0..1024 {
            input.write_all(&block).unwrap();
        }
        writeln!(input, "\"}}\n{}", stop(2)).unwrap();
    });
    let (found, dead) = told(&output);
    assert_eq!(found, ["event-1", "event-2"]);
    assert_eq!(dead.len(), 1, "{dead:?}");
    #[cfg(target_os = "linux")]
    assert!(peak.unwrap() < MOST_MEMORY, "{peak:?} MB");
    #[cfg(not(target_os = "linux"))]
    let _ = peak;
    // Half a minute where nothing is optimised.
    assert!(begun.elapsed() < Duration::from_secs(600));
}

#[test]
fn what_is_broken_hides_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (output, _) = hunt(&rules(folder.path()), &|input| {
        writeln!(input, "{}", stop(1)).unwrap();
        // Nested ten thousand deep, each way.
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            writeln!(
                input,
                "{{\"eventVersion\":{}1{}}}\n{}",
                open.repeat(10_000),
                close.repeat(10_000),
                stop(2)
            )
            .unwrap();
        }
        // Bytes that are not UTF-8.
        input
            .write_all(b"{\"eventVersion\":\"\xff\xfe\",\"eventName\":\"StopLogging\"}\n")
            .unwrap();
        writeln!(input, "{}", stop(3)).unwrap();
        // A key that stands twice hides neither value.
        for [first, second] in [["StopLogging", "GetObject"], ["GetObject", "StopLogging"]] {
            writeln!(
                input,
                "{{\"eventVersion\":\"1.09\",\"eventTime\":\"2026-03-03T07:00:00Z\",\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"{first}\",\"eventName\":\"{second}\",\"eventID\":\"twice\"}}"
            )
            .unwrap();
        }
        // A string that does not end.
        writeln!(input, "{{\"eventVersion\":\"1.09").unwrap();
        writeln!(input, "{}", stop(4)).unwrap();
    });
    let (found, dead) = told(&output);
    assert_eq!(
        found,
        [
            "event-1", "event-2", "event-2", "event-3", "twice", "twice", "event-4"
        ]
    );
    assert_eq!(dead.len(), 4, "{dead:?}");
}

#[test]
fn rules_that_would_blow_up_are_named_and_the_others_run() {
    let folder = tempfile::tempdir().unwrap();
    rules(folder.path());
    let with = |name: &str, detection: &str| {
        let text = format!(
            "title: T\nlogsource: {{product: aws}}\ndetection:\n  s:\n    {detection}\n  condition: s\n"
        );
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    let million = vec!["a"; 1_000_000].join(",");
    with("list.yml", &format!("eventName: [{million}]"));
    with("size.yml", "eventName|re: '(x{1000}){1000}'");
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    with("deep.yml", &format!("eventName: {deep}"));
    // This one is accepted, and takes linear time.
    with("slow.yml", "userAgent|re: '^(([a-z])+.)+[A-Z]$'");
    let begun = Instant::now();
    let (output, _) = hunt(folder.path(), &|input| {
        let long = "a".repeat(50_000);
        writeln!(
            input,
            "{{\"eventVersion\":\"1.09\",\"eventTime\":\"2026-03-03T07:00:00Z\",\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"GetObject\",\"userAgent\":\"{long}!\"}}"
        )
        .unwrap();
        writeln!(input, "{}", stop(1)).unwrap();
    });
    let (found, dead) = told(&output);
    assert_eq!(found, ["event-1"]);
    assert!(dead.is_empty(), "{dead:?}");
    let said = said(&output);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for name in ["list.yml", "size.yml", "deep.yml"] {
        let is_named = said.contains(name) || report.to_string().contains(name);
        assert!(is_named, "{name}: {said}");
    }
    assert!(begun.elapsed() < Duration::from_secs(120));
}
