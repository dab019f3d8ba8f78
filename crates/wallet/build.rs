//! Lists `src/rules/*.rs`, so that adding a rule is adding one file.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src/rules");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("src/rules"))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str());
        if let (Some(name), true) = (name, path.extension().is_some_and(|end| end == "rs")) {
            files.push((name.to_owned(), path.clone()));
        }
    }
    files.sort();
    let mut modules = String::new();
    let mut list = String::new();
    for (name, path) in &files {
        let _ = writeln!(modules, "#[path = {path:?}]\nmod {name};");
        let _ = write!(list, "&{name}::RULE, ");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("rules.rs");
    let text = format!("{modules}\npub(crate) static RULES: &[&crate::watch::Rule] = &[{list}];\n");
    fs::write(out, text)
}
