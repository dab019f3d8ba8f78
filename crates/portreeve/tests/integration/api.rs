//! The API against its own document: schemathesis asks every route by what the document says of it, once for
//! each role and once for a stranger.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::served::Served;
use crate::common::simulated;

/// The version that the test was written against.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// Set where the test must run: then what is missing is a failure, not a reason to skip.
const REQUIRED: &str = "PORTREEVE_REQUIRE_SCHEMATHESIS";

/// How whoever may do everything is tested: what the document declares is covered, then guessed around.
const WHOLE: [&str; 4] = ["--phases", "coverage,fuzzing", "--max-examples", "12"];
/// How the others are: what they are refused is alike for all requests to a route.
const PART: [&str; 4] = ["--phases", "fuzzing", "--max-examples", "3"];

#[test]
fn the_api_does_what_its_document_says() {
    let programs = match crate::common::python::with(SCHEMATHESIS) {
        Ok(programs) => programs,
        Err(why) if std::env::var_os(REQUIRED).is_some() => panic!("{why}"),
        Err(why) => {
            println!("SKIPPED: schemathesis cannot be had: {why}");
            return;
        }
    };
    let folder = simulated();
    let tokens = ["viewer", "responder", "admin", "ingest"]
        .map(|role| (role, Served::token(folder.path(), role, role)));
    let served = Served::new(folder, &["--behind-proxy"]);
    served.wait_until_ready();
    let base = format!("http://{}", served.address);
    let stranger = ("nobody", format!("portreeve_{}", "0".repeat(64)));
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/schemathesis");
    // Beside one another: they mostly wait for answers.
    let runs: Vec<_> = tokens
        .iter()
        .chain([&stranger])
        .enumerate()
        .map(|(number, (role, token))| {
            let mut run = Command::new(programs.join("schemathesis"));
            run.arg("--config-file")
                .arg(here.join("schemathesis.toml"))
                .args(["run", &format!("{base}/openapi.json"), "--no-color"])
                .args(if *role == "admin" { WHOLE } else { PART })
                // A stream of events has no end.
                .args(["--exclude-path", "/api/v1/events", "--warnings", "off"])
                .env("SCHEMATHESIS_HOOKS", "hooks")
                .env("PYTHONPATH", &here)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("PORTREEVE_BASE", &base)
                .env("PORTREEVE_TOKEN", token)
                .env("PORTREEVE_NETWORK", format!("10.{number}"))
                .current_dir(served.folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            (role, run.spawn().unwrap())
        })
        .collect();
    let mut failed = Vec::new();
    for (role, run) in runs {
        let output = run.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let counted = told.lines().rev().find(|line| line.contains("generated"));
        println!("{role}: {}", counted.unwrap_or("nothing was asked").trim());
        if !output.status.success() || counted.is_none() {
            eprintln!(
                "as {role}:\n{told}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
            failed.push(role);
        }
    }
    assert!(
        failed.is_empty(),
        "{failed:?} found what the document does not say"
    );
}
