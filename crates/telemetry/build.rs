//! Lists the log sources: every `src/sources/*.rs` is one, so that adding a source is adding a
//! file. Helper modules live in a folder of the source's name and are not listed.
//!
//! A list made at build time is preferred to registration at run time: it is in a fixed order, no
//! linker can drop it, and it needs no unsafe code.

use std::path::PathBuf;
use std::{env, fmt, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let folder = root.join("src").join("sources");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(
                path.file_stem()
                    .and_then(|stem| stem.to_str())
                    .map(str::to_owned),
            );
        }
    }
    names.sort();
    let mut code = String::new();
    for name in &names {
        let path = folder.join(format!("{name}.rs"));
        write_line(
            &mut code,
            format_args!("#[path = {:?}]\nmod {name};", path.display().to_string()),
        );
    }
    write_line(
        &mut code,
        format_args!("static SOURCES: &[&dyn crate::Source] = &["),
    );
    for name in &names {
        write_line(&mut code, format_args!("    &{name}::SOURCE,"));
    }
    write_line(&mut code, format_args!("];"));
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("sources.rs"), code)?;
    Ok(())
}

fn write_line(code: &mut String, line: fmt::Arguments<'_>) {
    code.push_str(&line.to_string());
    code.push('\n');
}
