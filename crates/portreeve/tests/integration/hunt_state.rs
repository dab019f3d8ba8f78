//! `hunt --state` as a user runs it: what was read is not read again, and being told to stop loses
//! nothing.

use std::path::Path;

use crate::common::{portreeve, said};

const RULES: &str = "\
title: Anything
name: anything
logsource: {product: test}
detection: {s: {action|exists: true}, condition: s}
---
title: Many calls of a user
generate: true
correlation: {type: event_count, rules: [anything], group-by: [user], timespan: 1m, condition: {gte: 12}}
";

fn records(from: usize, to: usize) -> String {
    (from..to)
        .map(|number| {
            let (minute, second) = (number / 60 % 60, number % 60);
            let user = if number / 500 % 3 == 0 { 0 } else { number % 7 };
            format!(
                r#"{{"timestamp":"2026-03-03T{:02}:{minute:02}:{second:02}Z","user":"u{user}","action":"Read","id":"{number}","rest":"{}"}}"#,
                number / 3600 % 24,
                "x".repeat(number * 7 % 400),
            ) + "\n"
        })
        .collect()
}

fn arguments<'a>(
    rules: &'a Path,
    logs: &'a Path,
    state: Option<&'a Path>,
) -> Vec<&'a std::ffi::OsStr> {
    let mut all: Vec<&std::ffi::OsStr> = vec!["hunt".as_ref(), "-r".as_ref(), rules.as_ref()];
    all.extend(["--format", "ndjson"].map(AsRef::<std::ffi::OsStr>::as_ref));
    if let Some(state) = state {
        all.extend(["--state".as_ref(), state.as_os_str()]);
    }
    all.push(logs.as_ref());
    all
}

#[test]
fn only_what_is_new_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let [rules, logs, state] = ["rules.yml", "logs", "state"].map(|name| folder.path().join(name));
    std::fs::write(&rules, RULES).unwrap();
    std::fs::create_dir(&logs).unwrap();
    let mut told = Vec::new();
    for (from, to) in [(0, 700), (700, 701), (701, 2_000)] {
        std::fs::write(logs.join(format!("{from:05}.json")), records(from, to)).unwrap();
        let output = portreeve(&arguments(&rules, &logs, Some(&state)));
        assert!(output.status.success(), "{}", said(&output));
        told.extend(output.stdout);
    }
    let straight = portreeve(&arguments(&rules, &logs, None));
    let sorted = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = sorted(&straight.stdout);
    assert!(expected.iter().any(|line| line.contains("Many calls")));
    assert!(sorted(&told) == expected);
    let again = portreeve(&arguments(&rules, &logs, Some(&state)));
    assert!(
        again.status.success() && again.stdout.is_empty(),
        "{}",
        said(&again)
    );
}

#[test]
fn a_state_of_other_correlations_or_none_at_all_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [rules, log, state] = ["rules.yml", "log", "state"].map(|name| folder.path().join(name));
    std::fs::write(&rules, RULES).unwrap();
    std::fs::write(&log, records(0, 50)).unwrap();
    assert!(
        portreeve(&arguments(&rules, &log, Some(&state)))
            .status
            .success()
    );
    std::fs::write(&rules, RULES.replace("gte: 12", "gte: 13")).unwrap();
    let output = portreeve(&arguments(&rules, &log, Some(&state)));
    assert!(!output.status.success());
    assert!(
        said(&output).contains("begin anew without it"),
        "{}",
        said(&output)
    );
    let output = portreeve(&arguments(&rules, &log, Some(&log)));
    assert!(!output.status.success());
    assert!(
        said(&output).contains("no state of a hunt"),
        "{}",
        said(&output)
    );
}

/// The program cannot write more than a pipe holds while nobody reads, so it is still at it when it is
/// told to stop.
#[cfg(unix)]
#[test]
fn a_hunt_that_is_told_to_stop_is_gone_on_with() {
    use std::io::Read as _;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let folder = tempfile::tempdir().unwrap();
    let [rules, log, state] = ["rules.yml", "log", "state"].map(|name| folder.path().join(name));
    std::fs::write(&rules, RULES).unwrap();
    std::fs::write(&log, records(0, 60_000)).unwrap();
    let straight = portreeve(&arguments(&rules, &log, None));
    for threads in ["1", "2", "8"] {
        let mut told = Vec::new();
        let mut stops = 0;
        let state = state.with_extension(threads);
        loop {
            let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
                .args(arguments(&rules, &log, Some(&state)))
                .args(["--threads", threads])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut out = child.stdout.take().unwrap();
            let mut first = [0; 100];
            let count = out.read(&mut first).unwrap();
            told.extend_from_slice(&first[..count]);
            if stops < 2 {
                let id = child.id().to_string();
                let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
                assert!(killed.success());
                std::thread::sleep(Duration::from_millis(300));
            }
            out.read_to_end(&mut told).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", said(&output));
            if !said(&output).contains("goes on from here") {
                break;
            }
            stops += 1;
        }
        assert!(stops > 0, "it was never stopped");
        assert!(told == straight.stdout, "{threads} threads tell otherwise");
    }
}
