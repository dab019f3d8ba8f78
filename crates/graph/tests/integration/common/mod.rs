//! What the integration tests share: the catalogue of the repository, and small estates.
pub(crate) mod cutting;
pub(crate) mod example;
pub(crate) mod generated;
pub(crate) mod labs;
pub(crate) mod slow;
pub(crate) mod town;

use std::fs;
use std::path::{Path, PathBuf};

use portreeve_graph::Catalogue;

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
