//! Lists `src/surfaces/*.rs` and `models/*.json`, so that adding what is collected is adding files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut modules = String::new();
    let mut list = String::new();
    for (name, path) in files(&root, "src/surfaces", "rs")? {
        let _ = writeln!(modules, "#[path = {path:?}]\nmod {name};");
        let _ = write!(list, "&{name}::SURFACE, ");
    }
    let text = format!(
        "{modules}\npub(crate) static SURFACES: &[&crate::surface::Surface] = &[{list}];\n"
    );
    fs::write(out.join("surfaces.rs"), text)?;
    let mut models = String::new();
    for (name, path) in files(&root, "models", "json")? {
        let _ = writeln!(models, "    ({name:?}, include_str!({path:?})),");
    }
    fs::write(out.join("models.rs"), format!("&[\n{models}]\n"))
}

/// The files of a folder with this extension, by name.
fn files(root: &Path, folder: &str, extension: &str) -> io::Result<Vec<(String, PathBuf)>> {
    println!("cargo::rerun-if-changed={folder}");
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str());
        if let (Some(name), true) = (name, path.extension().is_some_and(|end| end == extension)) {
            found.push((name.to_owned(), path.clone()));
        }
    }
    found.sort();
    Ok(found)
}
