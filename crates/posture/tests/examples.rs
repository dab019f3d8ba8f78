//! Every check against the examples in its own file, and what holds of all checks.

mod common;

use std::collections::BTreeSet;

use portreeve_posture::{Counts, Settings, Verdict, checks};

#[test]
fn every_check_says_of_its_examples_what_they_say() {
    let catalogue = common::catalogue();
    let settings = Settings::default();
    let mut wrong = Vec::new();
    for check in checks() {
        for (place, example) in check.examples.iter().enumerate() {
            let estate = common::estate(example.inventory);
            let posture = common::posture(&estate, &catalogue, &settings);
            let own = posture.checks.iter().find(|own| own.id == check.id);
            let Counts {
                passed,
                failed,
                unknown,
                ..
            } = own.expect("it ran").counts;
            let holds = match example.verdict {
                Verdict::Fail => failed > 0,
                Verdict::Pass => failed == 0 && passed > 0,
                Verdict::Unknown => failed == 0 && passed == 0 && unknown > 0,
            };
            if !holds {
                let own = posture.findings.iter().filter(|own| own.check == check.id);
                let reasons: Vec<&str> = own.map(|own| own.reason.as_str()).collect();
                wrong.push(format!(
                    "{} example {place}, expected {:?}: {failed} failed, {passed} passed, {unknown} unknown {reasons:?}",
                    check.id, example.verdict
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_check_is_whole() {
    let formats: BTreeSet<&str> = portreeve_estate::formats()
        .map(|format| format.id())
        .collect();
    let mut ids = BTreeSet::new();
    for check in checks() {
        let id = check.id;
        assert!(ids.insert(id), "{id} is used twice");
        let name = id.strip_prefix("aws.").unwrap_or_else(|| panic!("{id}"));
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(!name.is_empty() && name.bytes().all(plain), "{id}");
        for (what, text) in [
            ("title", check.title),
            ("why", check.why),
            ("remedy", check.remedy),
        ] {
            assert!(!text.is_empty(), "{id} has no {what}");
        }
        assert!(
            !check.title.ends_with('.') && check.remedy.ends_with('.'),
            "{id}"
        );
        assert!(!check.references.is_empty(), "{id} names no page");
        for page in check.references {
            assert!(
                page.starts_with("https://docs.aws.amazon.com/"),
                "{id}: {page}"
            );
        }
        assert!(!check.needs.is_empty(), "{id} says not what it needs");
        for format in check.needs {
            assert!(formats.contains(format), "{id}: no format {format}");
        }
        for wanted in [Verdict::Fail, Verdict::Pass] {
            let mut examples = check.examples.iter();
            assert!(
                examples.any(|example| example.verdict == wanted),
                "{id} has no example of {wanted:?}"
            );
        }
        for limit in check.limits {
            assert!(!limit.name.is_empty() && !limit.meaning.is_empty(), "{id}");
        }
    }
}

#[test]
fn what_no_inventory_shows_is_unknown_and_never_passes() {
    let catalogue = common::catalogue();
    let inventory =
        r#"{"Account": "111122223333", "AccountAliases": ["x"], "AccessKeyMetadata": []}"#;
    let estate = common::estate(inventory);
    let posture = common::posture(&estate, &catalogue, &Settings::default());
    for check in &posture.checks {
        let counts = check.counts;
        assert_eq!((counts.passed, counts.failed), (0, 0), "{}", check.id);
        assert!(counts.unknown > 0, "{} is silent", check.id);
    }
}

/// Users are known from the credential report before their policies are: that nothing is seen to be
/// granted is no answer.
#[test]
fn who_was_seen_without_policies_is_not_judged_by_them() {
    let catalogue = common::catalogue();
    let inventory = "user,arn,user_creation_time,password_enabled,mfa_active\n\
        ana,arn:aws:iam::111122223333:user/ana,2021-01-01T00:00:00+00:00,true,true\n";
    let estate = common::estate(inventory);
    let posture = common::posture(&estate, &catalogue, &Settings::default());
    let policies = ["aws.account-authorization-details"];
    let mut asked = 0;
    for check in checks().iter().filter(|check| check.needs == policies) {
        let own = posture.checks.iter().find(|own| own.id == check.id);
        let counts = own.expect("it ran").counts;
        assert_eq!((counts.passed, counts.failed), (0, 0), "{}", check.id);
        asked += 1;
    }
    assert!(asked > 10);
}
