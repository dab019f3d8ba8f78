//! Hostile rules and records are bounded; nothing panics.

use common::{item, matches};
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{DiagnosticKind, Matcher, Scratch, Verdict, parse};
use proptest::prelude::*;

mod common;

fn kind_of_first(text: &str) -> DiagnosticKind {
    parse("f.yml", text).diagnostics[0].kind
}

#[test]
fn large_and_deep_files_are_refused() {
    assert_eq!(
        kind_of_first(&"# x\n".repeat(300_000)),
        DiagnosticKind::Limit
    );
    let deep = format!(
        "title: T\nlogsource: {{product: x}}\ndetection: {}",
        "[".repeat(10_000)
    );
    assert!(parse("f.yml", &deep).has_errors());
    let block: String = (0..500)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert!(parse("f.yml", &block).has_errors());
}

#[test]
fn aliases_are_understood_within_bounds() {
    let shared = "a: &values [one, two]\nb:\n    f: *values\ncondition: b";
    // An alias of a list of strings is a list of strings.
    assert!(matches(shared, r#"{"f": "TWO"}"#));
    let mut text = String::from("title: T\nlogsource: {product: x}\nx0: &x0 [a, a]\n");
    for level in 1..40 {
        text += &format!("x{level}: &x{level} [*x{0}, *x{0}]\n", level - 1);
    }
    assert_eq!(kind_of_first(&text), DiagnosticKind::Limit);
}

#[test]
fn a_condition_cannot_multiply_a_selection() {
    let values: String = (0..3_000)
        .map(|number| format!("        f{number}: x\n"))
        .collect();
    let uses = vec!["s"; 200].join(" or ");
    let text = format!(
        "title: T\nlogsource: {{product: x}}\ndetection:\n    s:\n{values}    condition: {uses}\n"
    );
    assert_eq!(kind_of_first(&text), DiagnosticKind::Limit);
}

#[test]
fn long_lists_are_one_look_up() {
    let values: String = (0..20_000)
        .map(|number| format!("\n    - value{number}"))
        .collect();
    let text = format!("f:{values}");
    assert!(item(&text, r#"{"f": "VALUE19999"}"#));
    assert!(!item(&text, r#"{"f": "value20000"}"#));
    let text = format!("f|contains:{values}");
    assert!(item(&text, r#"{"f": "a value77 b"}"#));
}

#[test]
fn many_mistakes_are_not_all_told() {
    let tags: String = (0..1_000).map(|_| "    - [x]\n").collect();
    let text = format!("title: T\ntags:\n{tags}logsource: {{product: x}}\n");
    let parsed = parse("f.yml", &text);
    assert_eq!(parsed.diagnostics.len(), 101);
    // The error is among them.
    assert!(parsed.has_errors());
    assert!(
        parsed.diagnostics[100]
            .message
            .contains("more in this file")
    );
}

#[test]
fn wide_characters_on_one_long_line_cost_linear_time() {
    let list = vec!["é"; 150_000].join(", ");
    let text =
        format!("title: T\nlogsource: {{product: x}}\ndetection: {{s: [{list}], condition: s}}\n");
    let parsed = parse("f.yml", &text);
    assert_eq!(parsed.rules.len(), 1, "{:?}", parsed.diagnostics);
}

#[test]
fn lists_of_a_million_are_refused_at_once() {
    let list = "- a\n  ".repeat(1_000_000);
    let text =
        format!("title: T\nlogsource: {{product: x}}\ndetection: {{condition: s}}\ns:\n  {list}");
    assert_eq!(kind_of_first(&text), DiagnosticKind::Limit);
    // Below the bound on bytes, the bound on values.
    let list = vec!["a"; 300_000].join(",");
    let text =
        format!("title: T\nlogsource: {{product: x}}\ndetection: {{s: [{list}], condition: s}}\n");
    assert_eq!(kind_of_first(&text), DiagnosticKind::Limit);
}

#[test]
fn regular_expressions_cannot_blow_up() {
    use std::time::Instant;
    let long = "a".repeat(50_000);
    let record = format!(r#"{{"f": "{long}!"}}"#);
    let begun = Instant::now();
    for pattern in [
        "^(a+)+$",
        "^(a|a)*$",
        "(a*)*b",
        "(.*a){12}$",
        "^(([a-z])+.)+[A-Z]$",
    ] {
        assert!(!item(&format!("f|re: '{pattern}'"), &record), "{pattern}");
    }
    // One that needs backtracking stops at its bound on steps, and says that it does not know.
    let detection = "s:\n    f|re: '^(?:(a)\\1?)+b$'\ncondition: s";
    assert_eq!(
        common::verdict_with(detection, &record, &[]),
        Verdict::Unknown
    );
    // Hours without bounds; a second or so with them, also on a busy machine.
    assert!(begun.elapsed().as_secs() < 60);
    for pattern in [
        "(x{1000}){1000}",
        "((((x{100}){100}){100}){100})",
        "\\p{L}{5000}",
    ] {
        let text = common::file(&format!("s:\n    f|re: '{pattern}'\ncondition: s"));
        assert!(parse("f.yml", &text).has_errors(), "{pattern}");
    }
    let nested = format!("{}x{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(
        parse(
            "f.yml",
            &common::file(&format!("s:\n    f|re: '{nested}'\ncondition: s"))
        )
        .has_errors()
    );
}

#[test]
fn hostile_records_are_errors_or_are_matched() {
    let rules = [common::rule(
        "s:\n    f|contains: x\nk: [needle]\ncondition: 1 of them",
    )];
    let mut fields = Fields::default();
    let (matcher, _) = Matcher::new(&rules, &mut fields);
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let mut matches = |record: &[u8]| -> Option<bool> {
        let record = extractor.extract(record, &mut buffer).ok()?;
        let mut hits = Vec::new();
        matcher.matches(&record, &mut Scratch::new(), &mut hits);
        Some(!hits.is_empty())
    };
    for (open, close) in [("[", "]"), (r#"{"f":"#, "}")] {
        let deep = format!(
            r#"{{"f": {}1{}}}"#,
            open.repeat(10_000),
            close.repeat(10_000)
        );
        assert_eq!(matches(deep.as_bytes()), None, "{open}");
    }
    assert_eq!(matches(b"{\"f\": \"\xff\xfex\"}"), None);
    assert_eq!(matches(b"{\"f\": \"\xc3\x28\"}"), None);
    // Each of the values of a key that stands twice is looked at.
    assert_eq!(matches(br#"{"f": "a", "f": "x"}"#), Some(true));
    assert_eq!(matches(br#"{"f": "x", "f": "a"}"#), Some(true));
    let huge = "a".repeat(16 << 20);
    assert_eq!(
        matches(format!(r#"{{"f": "{huge}"}}"#).as_bytes()),
        Some(false)
    );
    assert_eq!(
        matches(format!(r#"{{"f": "{huge}x"}}"#).as_bytes()),
        Some(true)
    );
    let wide = format!(r#"{{"f": [{}]}}"#, vec![r#""a""#; 1_000_000].join(","));
    assert_eq!(matches(wide.as_bytes()), Some(false));
    for broken in [
        r#"{"f": "x""#,
        r#"{"f" "x"}"#,
        "",
        "[",
        r#"{"f": 01}"#,
        "{\"f\": \"\n\"}",
    ] {
        assert_eq!(matches(broken.as_bytes()), None, "{broken}");
    }
}

/// Texts that are rule files often enough to reach every part of the parser.
fn almost_rules() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("f"),
        Just("f|contains"),
        Just("f|re"),
        Just("f|cidr"),
        Just("f|all"),
        Just("'|all'"),
        Just("f|windash|base64offset|contains"),
        Just("f|fieldref"),
        Just("f|gt"),
        Just("f|exists"),
        Just("f|wide"),
        Just("f|hour"),
        Just("f|neq"),
        Just("f|expand"),
        Just("f|cased|endswith"),
    ];
    let value = prop_oneof![
        Just("x"),
        Just("'*'"),
        Just("null"),
        Just("5"),
        Just("[a, 5, null]"),
        Just("true"),
        Just("''"),
        Just("10.0.0.0/8"),
        Just("'a?b\\*'"),
        Just("{a: b}"),
        Just("'(a|b)+'"),
        Just("[]"),
        Just("é"),
    ];
    let condition = "[a-b()* ]{0,6}(and|or|not|1 of|all of|them| )[a-b()* ]{0,8}";
    (key, value, condition).prop_map(|(key, value, condition)| {
        format!("title: T\nlogsource: {{product: x}}\ndetection:\n  a:\n    {key}: {value}\n  b: [x]\n  condition: {condition}\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let parsed = parse("f.yml", &text);
        for diagnostic in &parsed.diagnostics {
            diagnostic.render(&text, true);
        }
    }

    #[test]
    fn rules_that_parse_also_run(text in almost_rules(), value in "[ab x*?5é.:/-]{0,8}") {
        let parsed = parse("f.yml", &text);
        let mut fields = Fields::default();
        let (matcher, _) = Matcher::new(&parsed.rules, &mut fields);
        let json = serde_json::json!({"f": value, "x": [value, 5, null, {"a": value}]}).to_string();
        let extractor = Extractor::new(&fields);
        let mut buffer = SlotBuffer::new();
        let record = extractor.extract(json.as_bytes(), &mut buffer).unwrap();
        let mut hits = Vec::new();
        matcher.matches(&record, &mut Scratch::new(), &mut hits);
        let plain = common::PlainRecord::new(&json, &fields);
        for rule in 0..parsed.rules.len() {
            let alone = matcher.evaluate_one(rule, &plain);
            let hit = hits.iter().find(|hit| hit.rule == rule).map_or(Verdict::No, |hit| hit.verdict);
            prop_assert_eq!(hit, alone);
        }
    }

    #[test]
    fn negation_turns_every_verdict_around(text in "[ab*? 5]{0,5}", value in "[abAB 5]{0,5}") {
        let rule = |condition: &str| format!("s:\n    f|contains: '{text}'\nt:\n    f: '{text}'\ncondition: {condition}");
        let record = serde_json::json!({ "f": value }).to_string();
        prop_assert_eq!(matches(&rule("not (s and t)"), &record), matches(&rule("not s or not t"), &record));
        prop_assert_eq!(matches(&rule("not (s or t)"), &record), matches(&rule("not s and not t"), &record));
        prop_assert_eq!(matches(&rule("not s"), &record), !matches(&rule("s"), &record));
    }
}
