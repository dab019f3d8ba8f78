//! What the integration tests share: the catalogue of the repository, and small estates.
#![allow(dead_code, clippy::print_stderr)]

pub(crate) mod example;
pub(crate) mod slow;
pub(crate) mod town;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portreeve_graph::Catalogue;
use portreeve_model::Estate;
use serde_json::Value;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The public data beside the repository, where it is present.
pub(crate) fn shared_data(folder: &str) -> Option<PathBuf> {
    shared(&format!("data/{folder}"))
}

/// What is shared beside the repository, where it is present.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(name);
    if path.exists() {
        Some(path)
    } else {
        eprintln!("skipped: {} is not here", path.display());
        None
    }
}

/// The files of the catalogue, by name.
pub(crate) fn catalogue_files() -> Vec<(String, String)> {
    let folder = root().join("escalations/aws");
    let mut files: Vec<(String, String)> = fs::read_dir(&folder)
        .expect("the catalogue's folder")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("readable"))
        })
        .collect();
    files.sort();
    files
}

/// The repository's catalogue.
pub(crate) fn catalogue() -> Catalogue {
    let files = catalogue_files();
    let named = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let (catalogue, errors) = Catalogue::parse(named);
    assert!(errors.is_empty(), "{errors:#?}");
    catalogue
}

/// The estate of a generated account, with the generator's labels; `None` where the generator or
/// what runs it is not at hand.
pub(crate) fn generated_with_labels(principals: usize) -> Option<(Estate, Vec<Value>)> {
    let generator = shared("bench/gaad_gen.py")?;
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
    Some((estate, labels.collect()))
}

/// The estate of a generated account.
pub(crate) fn generated(principals: usize) -> Option<Estate> {
    Some(generated_with_labels(principals)?.0)
}
