//! Generated accounts.

use std::fs;
use std::process::Command;

use portreeve_model::Estate;
use serde_json::Value;

/// A generated account with planted paths and decoys, and the generator's labels; `None` where the
/// generator or what runs it is not at hand.
pub(crate) fn generated(principals: usize) -> Option<(Estate, Vec<Value>)> {
    let generator = super::shared("bench/gaad_gen.py")?;
    let folder = tempfile::tempdir().expect("a folder");
    let (export, labels) = (folder.path().join("g.json"), folder.path().join("l.ndjson"));
    let run = Command::new("python3")
        .arg(&generator)
        .arg(principals.to_string())
        .args(["--plant", "3", "--out"])
        .arg(&export)
        .arg("--labels")
        .arg(&labels)
        .output();
    let Ok(run) = run else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let bytes = fs::read(&export).expect("the export");
    let mut estate = Estate::default();
    let unread = portreeve_estate::read("g.json", &bytes, &mut estate);
    assert!(unread.is_empty());
    portreeve_estate::complete(&mut estate);
    estate.finish();
    let labels = fs::read_to_string(&labels).expect("the labels");
    let labels = labels
        .lines()
        .map(|line| serde_json::from_str(line).expect("a label"));
    let labels = labels.collect();
    Some((estate, labels))
}
