//! Holds the dependency rule of ARCHITECTURE.md: a crate uses only crates that stand above it.

use std::path::Path;

/// The house from top to bottom, with the folder of each crate.
const HOUSE: &[&str] = &[
    "model",
    "record",
    "authz",
    "sigma",
    "telemetry",
    "evidence",
    "estate",
    "graph",
    "posture",
    "cloud",
    "wallet",
    "detect",
    "incident",
    "store",
    "engine",
    "view",
    "simulate",
    "server",
    "portreeve",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn package(folder: &str) -> String {
    if folder == "portreeve" {
        folder.to_owned()
    } else {
        format!("portreeve-{folder}")
    }
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join("crates").join(folder).join("Cargo.toml");
    std::fs::read_to_string(&path).unwrap().parse().unwrap()
}

#[test]
fn every_crate_has_its_place_in_the_house() {
    let mut folders: Vec<String> = std::fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut house: Vec<&str> = HOUSE.to_vec();
    house.sort_unstable();
    assert_eq!(folders, house);
}

#[test]
fn a_crate_uses_only_crates_above_it() {
    for (position, folder) in HOUSE.iter().enumerate() {
        let above: Vec<String> = HOUSE[..position]
            .iter()
            .map(|folder| package(folder))
            .collect();
        let manifest = manifest(folder);
        let used = manifest.get("dependencies").and_then(toml::Value::as_table);
        for name in used.into_iter().flat_map(toml::Table::keys) {
            if name.starts_with("portreeve") {
                assert!(
                    above.contains(name),
                    "{} must not use {name}",
                    package(folder)
                );
            }
        }
    }
}

#[test]
fn the_crates_that_decide_are_pure() {
    for folder in [
        "model",
        "record",
        "authz",
        "sigma",
        "telemetry",
        "evidence",
        "graph",
        "posture",
        "wallet",
        "detect",
        "incident",
        "view",
    ] {
        for file in sources(&root().join("crates").join(folder).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            for forbidden in [
                "std::fs",
                "std::net::Tcp",
                "std::net::Udp",
                "std::process",
                "SystemTime",
                "Instant::now",
                "Timestamp::now",
                "Zoned::now",
            ] {
                assert!(
                    !text.contains(forbidden),
                    "{} uses {forbidden}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn every_crate_shares_the_lints() {
    for folder in HOUSE {
        let manifest = manifest(folder);
        let lints = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        assert_eq!(lints.and_then(toml::Value::as_bool), Some(true), "{folder}");
    }
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
