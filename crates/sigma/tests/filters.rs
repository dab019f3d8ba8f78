//! Filters and collections: what they do to the rules that they name.

use common::PlainRecord;
use portreeve_record::Fields;
use portreeve_sigma::{
    DiagnosticKind, DiagnosticSeverity, Matcher, Parsed, Verdict, apply_filters, parse,
};

mod common;

const RULES: &str = "
title: Login
id: 5638f7c0-ac70-491d-8465-2a65075e0d86
name: login
logsource: { product: x, service: auth }
detection: { s: { action: login }, condition: s }
---
title: Logout
name: logout
logsource: { product: x, service: web }
detection: { s: { action: logout }, condition: s }
---
";

fn filtered(filter: &str) -> (Parsed, Vec<String>) {
    let text = format!("{RULES}title: Scanner\nlogsource: {{ product: x }}\nfilter:\n{filter}");
    let mut parsed = parse("f.yml", &text);
    assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
    let told = apply_filters(&mut parsed.rules, &parsed.filters);
    (parsed, told.into_iter().map(|one| one.message).collect())
}

/// The titles of the rules that match.
fn matching(parsed: &Parsed, record: &str) -> Vec<String> {
    let mut fields = Fields::default();
    let (matcher, problems) = Matcher::new(&parsed.rules, &mut fields);
    assert!(problems.is_empty(), "{problems:?}");
    let record = PlainRecord::new(record, &fields);
    let rules = parsed.rules.iter().enumerate();
    rules
        .filter(|(number, _)| matcher.evaluate_one(*number, &record) == Verdict::Yes)
        .map(|(_, rule)| rule.title.clone())
        .collect()
}

#[test]
fn a_filter_is_one_more_condition_of_the_rules_that_it_names() {
    for name in ["login", "5638f7c0-ac70-491d-8465-2a65075e0d86"] {
        let (parsed, told) = filtered(&format!(
            "  rules: [{name}]\n  selection: {{ user|startswith: adm_ }}\n  condition: not selection\n"
        ));
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(
            matching(&parsed, r#"{"action": "login", "user": "ann"}"#),
            ["Login"]
        );
        assert!(matching(&parsed, r#"{"action": "login", "user": "adm_ann"}"#).is_empty());
        assert_eq!(
            matching(&parsed, r#"{"action": "logout", "user": "adm_ann"}"#),
            ["Logout"]
        );
        assert!(parsed.rules[0].field_paths().any(|path| path == "user"));
    }
}

#[test]
fn a_filter_for_any_rule_keeps_to_its_log_source() {
    let (parsed, told) =
        filtered("  rules: any\n  a: { user: x }\n  b: { user: y }\n  condition: not 1 of them\n");
    assert!(told.is_empty());
    assert!(matching(&parsed, r#"{"action": "login", "user": "x"}"#).is_empty());
    assert!(matching(&parsed, r#"{"action": "logout", "user": "y"}"#).is_empty());
    assert_eq!(
        matching(&parsed, r#"{"action": "logout", "user": "z"}"#),
        ["Logout"]
    );

    let text = format!(
        "{RULES}title: F\nlogsource: {{ product: x, service: web }}\nfilter:\n  rules: any\n  s: {{ user: x }}\n  condition: not s\n"
    );
    let mut parsed = parse("f.yml", &text);
    assert!(apply_filters(&mut parsed.rules, &parsed.filters).is_empty());
    assert_eq!(
        matching(&parsed, r#"{"action": "login", "user": "x"}"#),
        ["Login"]
    );
    assert!(matching(&parsed, r#"{"action": "logout", "user": "x"}"#).is_empty());
}

#[test]
fn a_condition_without_not_keeps_what_meets_it_and_says_so() {
    let (parsed, _) = filtered("  rules: [login]\n  s: { user: x }\n  condition: s\n");
    assert_eq!(
        matching(&parsed, r#"{"action": "login", "user": "x"}"#),
        ["Login"]
    );
    assert!(matching(&parsed, r#"{"action": "login", "user": "y"}"#).is_empty());
    let note = parsed
        .diagnostics
        .iter()
        .find(|one| one.kind == DiagnosticKind::Filter)
        .unwrap();
    assert_eq!(note.severity, DiagnosticSeverity::Note);
}

#[test]
fn what_a_filter_cannot_mean_is_told() {
    let (_, told) = filtered("  rules: [nobody, login]\n  s: { user: x }\n  condition: not s\n");
    assert_eq!(told, ["Scanner: there is no rule `nobody`"]);
    for (filter, words) in [
        ("  s: { user: x }\n  condition: s\n", "no `rules`"),
        ("  rules: any\n  s: { user: x }\n", "no `condition`"),
        (
            "  rules: [{a: b}]\n  s: { user: x }\n  condition: s\n",
            "ids and names",
        ),
        ("  rules: any\n  condition: s\n", "no search identifier `s`"),
        (
            "  rules: any\n  s: { user|like: x }\n  condition: s\n",
            "not a Sigma modifier",
        ),
    ] {
        let text = format!("title: F\nlogsource: {{ product: x }}\nfilter:\n{filter}");
        let parsed = parse("f.yml", &text);
        assert!(parsed.filters.is_empty());
        assert!(
            parsed
                .diagnostics
                .iter()
                .any(|one| one.message.contains(words)),
            "{filter}: {:?}",
            parsed.diagnostics
        );
    }
}

const COLLECTION: &str = "
action: global
title: Shared
logsource: { product: x }
detection:
    user: { user: ann }
    condition: user and action
---
detection:
    action: { action: read }
---
action: repeat
title: Second
detection:
    action: { action: write }
---
action: reset
---
title: Alone
logsource: { product: y }
detection: { s: { action: delete }, condition: s }
";

#[test]
fn documents_share_parts_by_their_action() {
    let parsed = parse("c.yml", COLLECTION);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    // What the template names stands, whatever a document says.
    let titles: Vec<&str> = parsed
        .rules
        .iter()
        .map(|rule| rule.title.as_str())
        .collect();
    assert_eq!(titles, ["Shared", "Shared", "Alone"]);
    assert_eq!(
        matching(&parsed, r#"{"user": "ann", "action": "read"}"#),
        ["Shared"]
    );
    assert_eq!(
        matching(&parsed, r#"{"user": "ann", "action": "write"}"#),
        ["Shared"]
    );
    assert!(matching(&parsed, r#"{"user": "bob", "action": "write"}"#).is_empty());
    assert_eq!(matching(&parsed, r#"{"action": "delete"}"#), ["Alone"]);
}

#[test]
fn collections_are_bounded_and_their_slips_told() {
    assert!(parse("c.yml", "action: repeat\ntitle: T\n").has_errors());
    assert!(parse("c.yml", "action: correlation\ntitle: T\n").has_errors());
    assert!(parse("c.yml", "action: [global]\n").has_errors());
    let mut text = String::from("title: T\n");
    for number in 0..3_000 {
        text += &format!("---\naction: repeat\nk{number}: x\n");
    }
    let parsed = parse("c.yml", &text);
    assert!(
        parsed
            .diagnostics
            .iter()
            .any(|one| one.kind == DiagnosticKind::Limit)
    );
}
