//! Gathers the words that readers look for, so that documents grown of them are looked into.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where readers are, and what their words are called.
const READERS: &[(&str, &str)] = &[
    ("INVENTORY", "../crates/estate/src"),
    ("LOGS", "../crates/telemetry/src"),
    ("PIPELINE", "../crates/sigma/src/pipeline"),
    ("WALLET", "../crates/wallet/src"),
];

fn main() -> io::Result<()> {
    let mut text = String::new();
    for (name, folder) in READERS {
        println!("cargo::rerun-if-changed={folder}");
        let mut words = BTreeSet::new();
        gather(Path::new(folder), &mut words)?;
        text += &format!(
            "#[allow(dead_code)]\npub const {name}: &[&str] = &{words:?};\n",
            words = Vec::from_iter(words)
        );
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("words.rs"), text)
}

/// The texts between quotes in the sources of a folder that may be a key or a value.
fn gather(folder: &Path, words: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, words)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            let source = fs::read_to_string(&path)?;
            let quoted = source
                .lines()
                .flat_map(|line| line.split('"').skip(1).step_by(2));
            let is_word = |text: &&str| {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:_-/*".contains(&byte);
                (1..=48).contains(&text.len()) && text.bytes().all(plain)
            };
            words.extend(quoted.filter(is_word).map(str::to_owned));
        }
    }
    Ok(())
}
