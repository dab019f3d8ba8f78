//! A redacted report names nobody.

mod sample;

use portreeve_incident::Report;
use portreeve_view::redact::{self, Redactor};

fn text(report: &Report) -> String {
    serde_json::to_string_pretty(report).unwrap()
}

#[test]
fn no_name_is_left_anywhere() {
    let report = sample::report();
    let before = text(&report).to_lowercase();
    let after = text(&redact::report(&report)).to_lowercase();
    for name in sample::SENSITIVE {
        let name = name.to_lowercase();
        assert!(before.contains(&name), "the sample does not hold {name}");
        if let Some(at) = after.find(&name) {
            panic!(
                "{name} is left: {}",
                &after[at.saturating_sub(80)..(at + 80).min(after.len())]
            );
        }
    }
}

#[test]
fn a_pseudonym_means_the_same_everywhere_and_each_time() {
    let report = sample::report();
    let redacted = redact::report(&report);
    assert_eq!(text(&redacted), text(&redact::report(&report)));
    let incident = &redacted.incidents[0];
    assert_eq!(
        incident.credentials[0],
        incident.credential_stories[0].credential
    );
    assert_eq!(
        incident.credential_stories[2].parent.as_ref(),
        Some(&incident.credentials[1])
    );
    assert!(incident.credentials[0].starts_with("ASIA"));
    assert_ne!(incident.credentials[0], incident.credentials[1]);
    assert!(incident.principals.contains(&incident.timeline[0].actor));
    let bucket = incident.touched[0]
        .resource
        .strip_prefix("arn:aws:s3:::")
        .unwrap();
    assert!(incident.headline.contains(bucket), "{}", incident.headline);
    assert!(
        incident.response[2]
            .command
            .as_ref()
            .unwrap()
            .contains(&format!("--bucket {bucket} "))
    );
    assert!(
        incident
            .findings
            .iter()
            .all(|id| redacted.findings.iter().any(|finding| finding.id == *id))
    );
    assert!(redacted.inputs.iter().any(|input| input.file == incident.timeline[0].file || input.file.starts_with("file-")));
}

#[test]
fn what_is_no_name_stays() {
    let report = sample::report();
    let redacted = redact::report(&report);
    assert_eq!(
        redacted.incidents[0].timeline.len(),
        report.incidents[0].timeline.len()
    );
    for (was, is) in report.incidents[0]
        .timeline
        .iter()
        .zip(&redacted.incidents[0].timeline)
    {
        assert_eq!(
            (was.time, &was.action, &was.event_id, was.index),
            (is.time, &is.action, &is.event_id, is.index)
        );
    }
    assert_eq!(redacted.findings[0].title, report.findings[0].title);
    assert_eq!(redacted.inputs[0].sha256, report.inputs[0].sha256);
    let command = redacted.incidents[0].response[0].command.as_ref().unwrap();
    assert!(
        command.starts_with("aws iam put-role-policy --role-name "),
        "{command}"
    );
    assert!(
        redacted
            .findings
            .iter()
            .any(|finding| finding.rule_author.as_deref()
                == Some("J. Example (Detection Rule License 1.1)"))
    );
}

#[test]
fn text_about_a_report_can_be_redacted_too() {
    let redactor = Redactor::of(&sample::report());
    let redacted = redactor.text("role ci/WEB-DEPLOY of 111122223333 read halden-sign-web");
    assert!(
        !redacted.to_lowercase().contains("deploy") && !redacted.contains("halden"),
        "{redacted}"
    );
    assert_eq!(redactor.text("nothing to see"), "nothing to see");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn a_user_name_is_replaced_wherever_it_stands(name in "[a-z]{3,6}[.][a-z]{4,9}[0-9]{0,2}", before in "[a-z ]{0,12}", after in "\\PC{0,20}") {
        let mut report = sample::clear();
        report.jewels[0].id = format!("arn:aws:iam::111122223333:user/{name}").as_str().into();
        report.notes = vec![format!("{before}{name}{after}")];
        let redacted = redact::report(&report);
        proptest::prop_assert!(!text(&redacted).contains(&name));
    }
}
