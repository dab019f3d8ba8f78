//! The pages of the watch in a real browser. Installs what that needs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{cargo, target_folder};

/// Where the tests are.
const FOLDER: &str = "crates/server/browser";

/// Where the pictures of the README are.
const PICTURES: &str = "docs/pictures";

/// Set where the tests must run: then what is missing is a failure, not a reason to skip.
const REQUIRED: &str = "PORTREEVE_REQUIRE_BROWSER";

/// Names that the browser goes by.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// Whether the program that the pages are of is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// The tests before built it.
    Built,
    Unbuilt,
}

/// Runs the tests; `pictures` has the pictures of the README taken anew.
pub(crate) fn browser(program: Program, pictures: bool) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join(FOLDER);
    let chromium = match equipped(&folder) {
        Ok(chromium) => chromium,
        Err(why) if std::env::var_os(REQUIRED).is_some() => return Err(why),
        Err(why) => {
            println!("== pages in a browser: SKIPPED, {why:#}");
            return Ok(());
        }
    };
    run(
        "types of the pages' modules",
        Command::new(folder.join("node_modules/.bin/tsc")).current_dir(&folder),
    )?;
    if program == Program::Unbuilt {
        let built = ["build", "--package", "portreeve", "--all-features"];
        cargo("the program", &built, &[])?;
    }
    let mut node = Command::new("node");
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .current_dir(&folder)
        .env("PORTREEVE", target_folder().join("debug/portreeve"))
        .env("CHROMIUM", chromium);
    if pictures {
        node.env("PICTURES", root.canonicalize()?.join(PICTURES))
            .args(["--test-name-pattern", "pictures", "walk.test.js"]);
    } else {
        node.args(["pages.test.js", "walk.test.js", "estate.test.js"]);
    }
    run("pages in a browser", &mut node)
}

/// The browser's path, once all that is needed is there.
fn equipped(folder: &Path) -> Result<PathBuf> {
    for (program, package) in [("node", "nodejs"), ("npm", "npm")] {
        if found(program).is_none() {
            by_package_manager(package)?;
            found(program).with_context(|| format!("there is no {program}"))?;
        }
    }
    npm(folder)?;
    let known = || BROWSERS.iter().find_map(|name| found(name));
    if known().is_none() {
        by_package_manager("chromium")?;
    }
    known().context("there is no Chromium")
}

fn found(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

fn by_package_manager(package: &str) -> Result<()> {
    if found("apt-get").is_none() {
        bail!("{package} is missing, and there is no apt-get to install it");
    }
    println!("== install {package}");
    let apt = |arguments: &[&str]| {
        let status = Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status();
        status.is_ok_and(|status| status.success())
    };
    // Lists that cannot be brought up to date may do.
    let _ = apt(&["update", "-qq"]);
    if !apt(&["install", "-y", "-qq", "--no-install-recommends", package]) {
        bail!("{package} is missing and cannot be installed");
    }
    Ok(())
}

/// Installs what `package.json` pins; nothing of it has dependencies or scripts of its own.
fn npm(folder: &Path) -> Result<()> {
    let wanted = std::fs::read_to_string(folder.join("package.json"))?;
    let stamp = folder.join("node_modules/installed.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let quiet = [
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
    ];
    let mut npm = Command::new("npm");
    run(
        "what the tests in a browser need",
        npm.arg("install").args(quiet).current_dir(folder),
    )?;
    std::fs::write(&stamp, wanted)?;
    Ok(())
}

fn run(title: &str, command: &mut Command) -> Result<()> {
    println!("== {title}");
    let start = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("{title}: cannot run {command:?}"))?;
    if !status.success() {
        bail!("{title}: failed");
    }
    println!(
        "== {title}: passed in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
