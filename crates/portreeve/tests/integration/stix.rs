//! STIX as a user gets it, judged by OASIS' own validator.

use std::process::Command;

use crate::common::{lines, portreeve, said, story};

/// The version that the test was written against. It brings the standard's schemas along.
const VALIDATOR: &str = "stix2-validator==3.3.2";

/// Set where the test must run: then what is missing is a failure, not a reason to skip.
const REQUIRED: &str = "PORTREEVE_REQUIRE_STIX";

#[test]
fn oasis_validator_takes_what_we_write() {
    let programs = match crate::common::python::with(VALIDATOR) {
        Ok(programs) => programs,
        Err(why) if std::env::var_os(REQUIRED).is_some() => panic!("{why}"),
        Err(why) => {
            println!("SKIPPED: the validator cannot be had: {why}");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.ndjson");
    std::fs::write(&log, lines(&story())).unwrap();
    let bundle = folder.path().join("bundle.json");
    let (log, bundle) = (log.to_str().unwrap(), bundle.to_str().unwrap());
    let told = portreeve(&["investigate", log, "--format", "stix", "--output", bundle]);
    assert!(
        told.status
            .code()
            .is_some_and(|code| matches!(code, 0 | 10)),
        "{}",
        said(&told)
    );
    let text = std::fs::read_to_string(bundle).unwrap();
    assert!(
        text.contains("\"grouping\"") && text.contains("\"attack-pattern\""),
        "{text}"
    );
    let judged = Command::new(programs.join("stix2_validator"))
        .args(["--version", "2.1", bundle])
        .output()
        .unwrap();
    assert!(
        judged.status.success(),
        "{}\n{text}",
        String::from_utf8_lossy(&judged.stdout)
    );
}
