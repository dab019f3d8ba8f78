//! What the tests share: an estate with its graph, and what the checks say of it.
#![allow(dead_code, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};

use portreeve_graph::{Catalogue, Graph};
use portreeve_model::{Estate, Timestamp};
use portreeve_posture::{Posture, Scene, Settings, check};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
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

/// The repository's catalogue of escalations.
pub(crate) fn catalogue() -> Catalogue {
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
    let named = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let (catalogue, errors) = Catalogue::parse(named);
    assert!(errors.is_empty(), "{errors:#?}");
    catalogue
}

/// When the checks of the tests are run.
pub(crate) fn as_of() -> Timestamp {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

/// The estate of an inventory that must hold nothing unreadable.
pub(crate) fn estate(inventory: &str) -> Estate {
    let mut estate = Estate::default();
    let letters = portreeve_estate::read("inventory", inventory.as_bytes(), &mut estate);
    assert_eq!(letters, [], "{inventory}");
    portreeve_estate::complete(&mut estate);
    estate
}

/// What all checks say of an estate.
pub(crate) fn posture(estate: &Estate, catalogue: &Catalogue, settings: &Settings) -> Posture {
    let graph = Graph::build(estate, catalogue, &[]);
    check(&Scene::new(estate, &graph, settings, as_of()))
}
