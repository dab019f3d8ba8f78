//! How long `keys` takes on a generated account of 100,000 principals with 300,000 access keys, and how
//! much memory: `cargo bench -p portreeve --bench keys [-- PRINCIPALS KEYS]`.
//!
//! The account is that of `../shared/bench/gaad_gen.py`, where it is present; the keys are dealt to its
//! users in turn. The whole program is run, once for each form, with everything that it reads.
#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

const ACCOUNT: &str = "111122223333";

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let (principals, keys) = match numbers.as_slice() {
        [principals, keys, ..] => (*principals, *keys),
        _ => (100_000, 300_000),
    };
    let Some(folder) = inventory(principals, keys) else {
        println!("skipped: the generator of accounts is not here");
        return;
    };
    println!("{principals} principals, {keys} access keys");
    for format in ["terminal", "html", "json"] {
        measure(&folder, format);
    }
}

/// The export of a generated account, and the list of its users' keys.
fn inventory(principals: usize, keys: usize) -> Option<PathBuf> {
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bench/gaad_gen.py");
    if !generator.exists() {
        return None;
    }
    let folder = target().join(format!("keys-{principals}-{keys}"));
    let (export, list) = (folder.join("iam.json"), folder.join("keys.json"));
    if list.exists() {
        return Some(folder);
    }
    fs::create_dir_all(&folder).expect("a folder");
    let made = Command::new("python3")
        .arg(generator)
        .arg(principals.to_string())
        .args(["--plant", "3", "--out"])
        .arg(&export)
        .arg("--labels")
        .arg(target().join("keys-labels.ndjson"))
        .status()
        .expect("python3");
    assert!(made.success());
    let export: Value =
        serde_json::from_slice(&fs::read(&export).expect("the export")).expect("JSON");
    let users: Vec<&str> = export["UserDetailList"]
        .as_array()
        .expect("users")
        .iter()
        .filter_map(|user| user["UserName"].as_str())
        .collect();
    let mut text = format!("{{\"Account\": \"{ACCOUNT}\", \"AccessKeyMetadata\": [");
    for key in 0..keys {
        let user = users[key % users.len()];
        let (year, month, day) = (2018 + key % 8, 1 + key % 12, 1 + key % 28);
        // A list of this many needs no reader's patience: it is written as the command line does.
        let _ = write!(
            text,
            "{}\n{{\"UserName\": \"{user}\", \"AccessKeyId\": \"AKIA{key:016}\", \"Status\": \"{}\", \
             \"CreateDate\": \"{year}-{month:02}-{day:02}T09:00:00+00:00\"}}",
            if key == 0 { "" } else { "," },
            if key % 9 == 0 { "Inactive" } else { "Active" },
        );
    }
    text.push_str("]}\n");
    fs::write(&list, text).expect("the list");
    Some(folder)
}

fn measure(folder: &Path, format: &str) {
    let out = target().join("keys-answer");
    let before = children();
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args(["keys", "--format", format, "--output"])
        .arg(&out)
        .arg(folder)
        .output()
        .expect("the program");
    let seconds = started.elapsed().as_secs_f64();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let size = fs::metadata(&out).map_or(0, |data| data.len());
    println!(
        "keys --format {format}: {seconds:.2} s, {:.2} s of CPU in its own code, {:.1} MB written",
        children() - before,
        size as f64 / 1e6
    );
}

/// Seconds of CPU that finished children used in their own code; 0 where that is not told.
fn children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().nth(13);
    // The kernel counts in hundredths of a second.
    ticks
        .and_then(|t| t.parse::<f64>().ok())
        .unwrap_or_default()
        / 100.0
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned()
}
