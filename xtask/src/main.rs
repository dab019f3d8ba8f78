//! The tasks of this repository, as `cargo xtask TASK`. They install what they need and print what
//! they run; where something cannot be had, they say that they skipped it, and why.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod browser;
mod evaluate;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use browser::Program;

const HELP: &str = "\
cargo xtask TASK

  test              every test of the workspace: unit, integration, documentation, pages in a browser
  browser           the pages in a browser alone
  pictures          takes the pictures of the README anew
  lint              format, lints with warnings denied, documentation
  audit             licences, sources and advisories of dependencies
  fuzz [SECONDS]    fuzz every target for so long each (default 20)
  soak [RATE [MINUTES]]
                    the long forms: the watch under a load of so many records a second (20000) for so
                    many minutes (30), killed 200 times, and every fuzz target for 10 minutes
  soak watch [RATE [MINUTES]]
                    the load alone
  soak kills        the kills alone
  bench             a million records, investigated: records and bytes a second, peak memory;
                    a million entities over 60 days: memory, saved and resumed
  evaluate [CASE [SEEDS]]
                    simulated organisations, investigated: what is told, and what stays quiet
";

const FUZZ_TARGETS: &[&str] = &[
    "record_splitter",
    "sigma_rule",
    "sigma_correlation",
    "pipeline",
    "log_source",
    "inventory",
    "policy",
    "authorisation",
    "client",
    "network_table",
    "web_identity",
    "digest",
    "terraform",
    "wallet",
    "answers",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test"] => test(),
        ["browser"] => browser::browser(Program::Unbuilt, false),
        ["pictures"] => browser::browser(Program::Unbuilt, true),
        ["lint"] => lint(),
        ["audit"] => audit(),
        ["fuzz"] => fuzz(20),
        ["fuzz", seconds] => seconds
            .parse()
            .context("SECONDS is a whole number")
            .and_then(fuzz),
        ["soak", "kills"] => soak_kills(),
        ["soak", "watch", rest @ ..] => {
            load(rest).and_then(|(rate, minutes)| soak_watch(rate, minutes))
        }
        ["soak", rest @ ..] => load(rest)
            .and_then(|(rate, minutes)| soak_watch(rate, minutes))
            .and_then(|()| soak_kills())
            .and_then(|()| fuzz(600)),
        ["bench"] => bench(),
        ["evaluate"] => evaluate::evaluate("", u64::MAX),
        ["evaluate", case] => evaluate::evaluate(case, u64::MAX),
        ["evaluate", case, seeds] => seeds
            .parse()
            .context("SEEDS is a whole number")
            .and_then(|seeds| evaluate::evaluate(case, seeds)),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Records a second, and for how many minutes.
fn load(words: &[&str]) -> Result<(u32, u32)> {
    let number = |place: usize, usual: u32| {
        words.get(place).map_or(Ok(usual), |word| {
            word.parse().context("RATE and MINUTES are whole numbers")
        })
    };
    if words.len() > 2 {
        bail!("soak takes RATE and MINUTES");
    }
    Ok((number(0, 20_000)?, number(1, 30)?))
}

/// How many records are held under the load, so that a fold is over in a third of a second.
const HELD_UNDER_LOAD: &str = "100000";

fn soak_watch(rate: u32, minutes: u32) -> Result<()> {
    let (rate, minutes) = (rate.to_string(), minutes.to_string());
    cargo(
        "the watch under load",
        &[
            "test",
            "--release",
            "-p",
            "portreeve-engine",
            "--test",
            "soak",
            "--",
            "--nocapture",
        ],
        &[
            ("PORTREEVE_SOAK_RATE", &rate),
            ("PORTREEVE_SOAK_MINUTES", &minutes),
            ("PORTREEVE_SOAK_HOLD", HELD_UNDER_LOAD),
        ],
    )
}

fn soak_kills() -> Result<()> {
    cargo(
        "200 kills",
        &[
            "test",
            "--release",
            "-p",
            "portreeve",
            "--test",
            "integration",
            "--",
            "--nocapture",
            "serve::killed",
        ],
        &[("PORTREEVE_KILLS", "200")],
    )
}

fn test() -> Result<()> {
    cargo(
        "all tests",
        &["test", "--workspace", "--all-features", "--no-fail-fast"],
        &[],
    )?;
    browser::browser(Program::Built, false)
}

fn lint() -> Result<()> {
    cargo("format", &["fmt", "--all", "--check"], &[])?;
    let fuzz = ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"];
    cargo("format of the fuzz targets", &fuzz, &[])?;
    format_of_listed_folders()?;
    cargo(
        "lints",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "--deny",
            "warnings",
        ],
        &[],
    )?;
    cargo(
        "documentation",
        &["doc", "--workspace", "--no-deps", "--all-features"],
        &[("RUSTDOCFLAGS", "--deny warnings")],
    )
}

/// Folders whose files the build lists, so that `cargo fmt` does not see them.
const LISTED: &[&str] = &[
    "crates/telemetry/src/sources",
    "crates/estate/src/formats",
    "crates/posture/src/checks",
    "crates/cloud/src/surfaces",
    "crates/wallet/src/rules",
];

fn format_of_listed_folders() -> Result<()> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = LISTED.iter().map(PathBuf::from).collect();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    println!("== format of {}: rustfmt --check", LISTED.join(", "));
    let status = Command::new("rustfmt")
        .args(["--check", "--edition", "2024"])
        .args(&files)
        .status()
        .context("cannot run rustfmt")?;
    if !status.success() {
        bail!("format of {}: failed", LISTED.join(", "));
    }
    Ok(())
}

/// Licences and sources must hold. Advisories need a database from the network, and count only
/// where it can be had.
fn audit() -> Result<()> {
    if !installed("deny") && install("cargo-deny").is_err() {
        println!("== dependencies: SKIPPED, cargo-deny could not be installed");
        return Ok(());
    }
    cargo(
        "licences and sources of dependencies",
        &["deny", "check", "licenses", "bans", "sources"],
        &[],
    )?;
    let fetched = Command::new(cargo_path())
        .args(["deny", "fetch", "db"])
        .status();
    if fetched.is_ok_and(|status| status.success()) {
        cargo(
            "advisories on dependencies",
            &["deny", "check", "advisories"],
            &[],
        )
    } else {
        println!("== advisories on dependencies: SKIPPED, the advisory database cannot be reached");
        Ok(())
    }
}

/// Every fuzz target on the stable toolchain, as many at a time as there are processors.
fn fuzz(seconds: u32) -> Result<()> {
    if !installed("fuzz") && install("cargo-fuzz").is_err() {
        println!("== fuzzing: SKIPPED, cargo-fuzz could not be installed");
        return Ok(());
    }
    cargo(
        "fuzz targets",
        &["fuzz", "build", "--sanitizer", "none"],
        &[STABLE],
    )?;
    let targets = Mutex::new(FUZZ_TARGETS.iter());
    let next = || targets.lock().ok()?.next();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    std::iter::from_fn(next).try_for_each(|target| fuzz_one(target, seconds))
                })
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    })
}

/// What cargo-fuzz builds with asks for a nightly toolchain; this does without.
const STABLE: (&str, &str) = ("RUSTC_BOOTSTRAP", "1");

/// Runs one target; what it prints comes in one piece.
fn fuzz_one(target: &str, seconds: u32) -> Result<()> {
    let limit = format!("-max_total_time={seconds}");
    let found = format!("fuzz/corpus/{target}");
    let mut arguments = vec!["fuzz", "run", "--sanitizer", "none", target];
    // Rules are found by chance in no time that anybody has: it starts from those that there are.
    if target == "sigma_rule" {
        std::fs::create_dir_all(&found)?;
        arguments.extend([&found, "correlations", "rules/aws"]);
    }
    arguments.extend([
        "--",
        &limit,
        "-rss_limit_mb=4096",
        "-timeout=20",
        "-max_len=65536",
        // Documents are longer than what is tried at first.
        "-len_control=20",
        "-verbosity=0",
        "-print_final_stats=1",
    ]);
    if target == "sigma_rule" {
        arguments.push("-dict=fuzz/dictionaries/sigma.dict");
    }
    let output = Command::new(cargo_path())
        .args(&arguments)
        .envs([STABLE])
        .output()
        .with_context(|| format!("cannot run cargo {}", arguments.join(" ")))?;
    println!(
        "== fuzz {target} for {seconds} s: cargo {}\n{}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if !output.status.success() {
        bail!("fuzz {target}: failed");
    }
    Ok(())
}

fn bench() -> Result<()> {
    cargo(
        "benchmark of investigate",
        &["bench", "--package", "portreeve", "--bench", "investigate"],
        &[],
    )?;
    cargo(
        "benchmark of the state of correlations",
        &["bench", "--package", "portreeve-detect", "--bench", "state"],
        &[],
    )
}

/// Builds the program as users have it.
fn release_binary() -> Result<PathBuf> {
    cargo(
        "the program",
        &["build", "--release", "--package", "portreeve"],
        &[],
    )?;
    let program = target_folder().join("release").join("portreeve");
    program
        .canonicalize()
        .with_context(|| format!("cannot find {}", program.display()))
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    )
}

fn cargo_path() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn cargo(title: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    println!("== {title}: cargo {}", arguments.join(" "));
    let start = Instant::now();
    let status = Command::new(cargo_path())
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .with_context(|| format!("cannot run cargo {}", arguments.join(" ")))?;
    if !status.success() {
        bail!("{title}: failed");
    }
    println!(
        "== {title}: passed in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn installed(subcommand: &str) -> bool {
    Command::new(cargo_path())
        .args([subcommand, "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Unoptimised: a few seconds of such a tool's work are not worth the minutes that optimising it takes.
fn install(name: &str) -> Result<()> {
    cargo(
        &format!("install {name}"),
        &["install", "--locked", "--debug", name],
        &[],
    )
}
