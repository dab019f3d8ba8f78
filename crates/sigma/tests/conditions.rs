//! Every form of condition, search identifier and document.

use common::{PlainRecord, item, matches, refused, verdict_with};
use portreeve_record::Fields;
use portreeve_sigma::{
    DiagnosticKind, DiagnosticSeverity, Filtered, Matcher, Scratch, Verdict, parse,
};

mod common;

const THREE: &str = "selection_a:\n    a: 1\nselection_b:\n    b: 1\nfilter_c:\n    c: 1\n";

fn holds(condition: &str, record: &str) -> bool {
    matches(&format!("{THREE}condition: {condition}"), record)
}

fn table(condition: &str, expected: [bool; 8]) {
    for (bits, expected) in (0u8..).zip(expected) {
        let bit = |at: u8| bits >> at & 1;
        let record = format!(r#"{{"a": {}, "b": {}, "c": {}}}"#, bit(2), bit(1), bit(0));
        assert_eq!(
            holds(condition, &record),
            expected,
            "{condition} on {record}"
        );
    }
}

#[test]
fn boolean_operators() {
    let (f, t) = (false, true);
    // The records count up: the last column is that of `c`.
    table("selection_a", [f, f, f, f, t, t, t, t]);
    table("selection_a and selection_b", [f, f, f, f, f, f, t, t]);
    table("selection_a or selection_b", [f, f, t, t, t, t, t, t]);
    table("not selection_a", [t, t, t, t, f, f, f, f]);
    table("selection_a and not filter_c", [f, f, f, f, t, f, t, f]);
    table(
        "selection_a or selection_b and filter_c",
        [f, f, f, t, t, t, t, t],
    );
    table(
        "(selection_a or selection_b) and filter_c",
        [f, f, f, t, f, t, f, t],
    );
    table("not (selection_a or selection_b)", [t, t, f, f, f, f, f, f]);
    table(
        "not selection_a and not selection_b",
        [t, t, f, f, f, f, f, f],
    );
}

#[test]
fn quantifiers() {
    let (f, t) = (false, true);
    table("1 of selection_*", [f, f, t, t, t, t, t, t]);
    table("all of selection_*", [f, f, f, f, f, f, t, t]);
    table("any of selection_*", [f, f, t, t, t, t, t, t]);
    table("1 of them", [f, t, t, t, t, t, t, t]);
    table("all of them", [f, f, f, f, f, f, f, t]);
    table("2 of them", [f, f, f, t, f, t, t, t]);
    table(
        "all of selection_* and not 1 of filter_*",
        [f, f, f, f, f, f, t, f],
    );
    table("not all of filter_*", [t, f, t, f, t, f, t, f]);
}

#[test]
fn a_list_of_conditions_means_any() {
    let list = format!("{THREE}condition:\n    - selection_a and selection_b\n    - filter_c");
    assert!(matches(&list, r#"{"c": 1}"#));
    assert!(matches(&list, r#"{"a": 1, "b": 1}"#));
    assert!(!matches(&list, r#"{"a": 1}"#));
}

#[test]
fn conditions_may_be_folded_over_lines() {
    let folded = format!("{THREE}condition: >\n    selection_a and\n    not filter_c");
    assert!(matches(&folded, r#"{"a": 1}"#));
    assert!(!matches(&folded, r#"{"a": 1, "c": 1}"#));
}

#[test]
fn hidden_identifiers_are_not_meant_by_them() {
    let hidden = "_helper:\n    a: 1\nselection:\n    b: 1\n";
    assert!(!matches(
        &format!("{hidden}condition: 1 of them"),
        r#"{"a": 1}"#
    ));
    assert!(matches(
        &format!("{hidden}condition: _helper"),
        r#"{"a": 1}"#
    ));
}

#[test]
fn maps_mean_and_lists_of_maps_mean_or() {
    assert!(item("a: 1\nb: 1", r#"{"a": 1, "b": 1}"#));
    assert!(!item("a: 1\nb: 1", r#"{"a": 1}"#));
    let list = "selection:\n    - a: 1\n      b: 1\n    - c: 1\ncondition: selection";
    assert!(matches(list, r#"{"c": 1}"#));
    assert!(matches(list, r#"{"a": 1, "b": 1}"#));
    assert!(!matches(list, r#"{"a": 1}"#));
}

#[test]
fn keywords_search_the_whole_record() {
    let keywords =
        "keywords:\n    - evilservice\n    - 'svc*host'\n    - '\"quoted\"'\ncondition: keywords";
    assert!(matches(
        keywords,
        r#"{"a": {"b": ["the EvilService runs"]}}"#
    ));
    assert!(matches(keywords, r#"{"a": "svc-any-host"}"#));
    assert!(matches(keywords, r#"{"a": "a \"quoted\" word"}"#));
    assert!(!matches(keywords, r#"{"a": "svc"}"#));
    let path = r"keywords:
    - 'C:\Temp'
condition: keywords";
    assert!(matches(path, r#"{"a": "in c:\\temp\\x"}"#));
    let number = "keywords:\n    - 4711\ncondition: keywords";
    assert!(matches(number, r#"{"a": 4711}"#));
}

#[test]
fn keywords_with_all_and_other_modifiers() {
    let all = "keywords:\n    '|all':\n        - one\n        - two\ncondition: keywords";
    assert!(matches(all, r#"{"a": "two", "b": "one"}"#));
    assert!(!matches(all, r#"{"a": "two"}"#));
    let regex = "keywords:\n    '|re': 'a+b'\ncondition: keywords";
    assert!(matches(regex, r#"{"x": "caab"}"#));
    assert_eq!(
        refused("k:\n    '|cidr': 10.0.0.0/8\ncondition: k").kind,
        DiagnosticKind::Detection
    );
}

#[test]
fn keywords_and_maps_may_stand_in_one_list() {
    let mixed = "selection:\n    - word\n    - a: 1\ncondition: selection";
    assert!(matches(mixed, r#"{"b": "a word"}"#));
    assert!(matches(mixed, r#"{"a": 1}"#));
    assert!(!matches(mixed, r#"{"a": 2}"#));
}

#[test]
fn unknown_fields_leave_the_verdict_open_only_where_they_matter() {
    let detection = |condition: &str| {
        format!(
            "plain:\n    a: 1\nhistory:\n    portreeve.first_seen: true\ncondition: {condition}"
        )
    };
    let undecided = ["portreeve.first_seen"];
    let ask =
        |condition: &str, record: &str| verdict_with(&detection(condition), record, &undecided);
    assert_eq!(ask("plain and history", r#"{"a": 1}"#), Verdict::Unknown);
    assert_eq!(ask("plain and history", r#"{"a": 2}"#), Verdict::No);
    assert_eq!(ask("plain or history", r#"{"a": 1}"#), Verdict::Yes);
    assert_eq!(ask("plain or history", r#"{"a": 2}"#), Verdict::Unknown);
    assert_eq!(ask("not history", r#"{}"#), Verdict::Unknown);
    assert_eq!(ask("1 of *", r#"{"a": 1}"#), Verdict::Yes);
    assert_eq!(ask("2 of *", r#"{"a": 1}"#), Verdict::Unknown);
}

#[test]
fn every_modifier_leaves_an_unknown_field_open() {
    for test in [
        "f: x",
        "f|contains: x",
        "f|re: x",
        "f|cidr: 10.0.0.0/8",
        "f|gt: 5",
        "f: null",
        "f|exists: true",
        "f|fieldref: g",
        "g|fieldref: f",
        "f|hour: 3",
        "f|neq: x",
        "f: '*'",
    ] {
        let detection = format!("s:\n    {test}\ncondition: s");
        assert_eq!(
            verdict_with(&detection, r#"{"g": "x"}"#, &["f"]),
            Verdict::Unknown,
            "{test}"
        );
    }
}

#[test]
fn good_documents_survive_bad_ones() {
    let good = |title: &str| {
        format!(
            "title: {title}\nlogsource:\n    product: x\ndetection:\n    s:\n        f: 1\n    condition: s\n"
        )
    };
    let bad = "title: [broken\ndetection: }{\n";
    let text = format!(
        "{}---\n{bad}---\n{}...\n---\ntitle: no detection\nlogsource: {{product: x}}\n",
        good("one"),
        good("two")
    );
    let parsed = parse("many.yml", &text);
    let titles: Vec<&str> = parsed
        .rules
        .iter()
        .map(|rule| rule.title.as_str())
        .collect();
    assert_eq!(titles, ["one", "two"]);
    assert_eq!(parsed.rules[1].line, 12);
    let errors = parsed
        .diagnostics
        .iter()
        .filter(|d| d.severity == DiagnosticSeverity::Error);
    assert_eq!(errors.count(), 2);
}

#[test]
fn correlations_and_filters_are_read_by_their_own_kind() {
    let text = "title: Many logins\ncorrelation:\n    type: event_count\n    rules: [login]\n    group-by: [user]\n    timespan: 5m\n    condition:\n        gte: 10\n---\ntitle: Quiet\nlogsource:\n    product: x\nfilter:\n    rules: [login]\n    selection:\n        user: scanner\n    condition: not selection\n";
    let parsed = parse("meta.yml", text);
    assert!(parsed.rules.is_empty());
    assert!(!parsed.has_errors());
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    assert_eq!(parsed.filters.len(), 1);
    assert_eq!(
        parsed.filters[0].rules,
        Filtered::Named(vec!["login".to_owned()])
    );
    assert_eq!(parsed.correlations.len(), 1);
    assert_eq!(parsed.correlations[0].timespan, Some(300));
}

#[test]
fn mistakes_are_told_with_line_and_column() {
    let diagnostic = refused("selection:\n    f: 1\ncondition: selection and nothing");
    assert_eq!((diagnostic.line, diagnostic.column), (7, 30));
    assert_eq!(
        diagnostic.to_string(),
        "test.yml:7:30: there is no search identifier `nothing`"
    );
    let text = common::file("selection:\n    f: 1\ncondition: selection and nothing");
    let rendered = diagnostic.render(&text, false);
    assert!(rendered.contains("test.yml:7:30"), "{rendered}");
    assert!(
        rendered.contains("condition: selection and nothing"),
        "{rendered}"
    );
    assert!(diagnostic.render("", true).contains("nothing"));

    for (detection, kind) in [
        (
            "s:\n    f: 1\n    f: 2\ncondition: s",
            DiagnosticKind::Detection,
        ),
        (
            "s:\n    f: 1\ns:\n    f: 2\ncondition: s",
            DiagnosticKind::Detection,
        ),
        ("s:\n    f: {a: b}\ncondition: s", DiagnosticKind::Detection),
        ("s:\n    f: []\ncondition: s", DiagnosticKind::Detection),
        ("s: {}\ncondition: s", DiagnosticKind::Detection),
        ("s: []\ncondition: s", DiagnosticKind::Detection),
        ("s: null\ncondition: s", DiagnosticKind::Detection),
        ("s:\n    - - a\ncondition: s", DiagnosticKind::Detection),
        (
            "s:\n    f|contains: null\ncondition: s",
            DiagnosticKind::Detection,
        ),
        (
            "s:\n    f: 1\ncondition: s | count() > 5",
            DiagnosticKind::Condition,
        ),
        (
            "s:\n    f: 1\ncondition: 1 of other_*",
            DiagnosticKind::Condition,
        ),
        ("s:\n    f: 1", DiagnosticKind::Condition),
        ("s:\n    f: 1\ncondition: {a: b}", DiagnosticKind::Condition),
    ] {
        assert_eq!(refused(detection).kind, kind, "{detection}");
    }
}

#[test]
fn an_unused_search_identifier_is_told_of() {
    let parsed = parse(
        "f.yml",
        &common::file("a:\n    f: 1\nb:\n    g: 1\ncondition: a"),
    );
    assert_eq!(parsed.rules.len(), 1);
    assert_eq!(parsed.diagnostics[0].severity, DiagnosticSeverity::Warning);
    assert!(parsed.diagnostics[0].message.contains("`b`"));
}

#[test]
fn the_head_is_read() {
    let text = "title: T\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc\nname: t\nstatus: test\ndescription: D\nauthor: A, B\nlicense: MIT\nreferences:\n    - https://example.com/\ntags:\n    - attack.t1078.004\n    - attack.initial-access\n    - attack.t1078.004\n    - cve.2020-1\nlogsource:\n    product: aws\n    service: cloudtrail\ndetection:\n    s:\n        b: 1\n        a|fieldref: c\n        portreeve.credential.moved: true\n    condition: s\nfalsepositives: Unlikely\nlevel: high\nportreeve:\n    weight: 3\n    notes: [a, null, 1.5, true]\n";
    let parsed = parse("t.yml", text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let rule = &parsed.rules[0];
    assert_eq!(
        rule.id.as_deref(),
        Some("929a690e-bef0-4204-a928-ef5e620d6fcc")
    );
    assert_eq!(rule.status, Some(portreeve_sigma::Status::Test));
    assert_eq!(rule.level, portreeve_model::Severity::High);
    assert_eq!(rule.author.as_deref(), Some("A, B"));
    assert_eq!(rule.techniques.len(), 1);
    assert_eq!(rule.tactics, [portreeve_model::Tactic::InitialAccess]);
    assert_eq!(rule.tags.len(), 4);
    assert_eq!(rule.falsepositives, ["Unlikely"]);
    assert_eq!(rule.logsource.service.as_deref(), Some("cloudtrail"));
    assert_eq!(rule.line, 1);
    assert_eq!(
        rule.fields["notes"],
        serde_json::json!(["a", null, 1.5, true])
    );
    let paths: Vec<&str> = rule.field_paths().collect();
    assert_eq!(paths, ["a", "b", "c", "portreeve.credential.moved"]);
}

#[test]
fn a_head_that_is_incomplete_or_odd() {
    let body = "logsource:\n    product: x\ndetection:\n    s:\n        f: 1\n    condition: s\n";
    assert!(parse("f", body).has_errors());
    assert!(
        parse(
            "f",
            "title: T\ndetection:\n    s:\n        f: 1\n    condition: s\n"
        )
        .has_errors()
    );
    let odd = parse(
        "f",
        &format!("title: T\nlevel: urgent\nstatus: new\ntags: {{a: b}}\n{body}"),
    );
    assert_eq!(odd.rules.len(), 1);
    assert_eq!(odd.rules[0].level, portreeve_model::Severity::Medium);
    assert_eq!(odd.diagnostics.len(), 3);
    // A template for documents behind it, of which there are none.
    let template = parse("f", "action: global\ntitle: T\n");
    assert!(template.rules.is_empty() && template.diagnostics.is_empty());
    assert!(parse("f", "- a\n- b\n").has_errors());
    assert!(parse("f", "").diagnostics.is_empty());
    assert!(parse("f", "---\n---\n# nothing\n").diagnostics.is_empty());
}

#[test]
fn repeated_ids_are_told_of() {
    let mut rule = common::rule("s:\n    f: 1\ncondition: s");
    rule.id = Some("929a690e-bef0-4204-a928-ef5e620d6fcc".into());
    let rules = [rule.clone(), rule];
    let (_, diagnostics) =
        portreeve_sigma::Matcher::new(&rules, &mut portreeve_record::Fields::default());
    assert_eq!(diagnostics.len(), 1);
    assert!(diagnostics[0].message.contains("id"));
}

#[test]
fn line_ends_and_byte_order_marks_of_other_systems_are_read() {
    let text = common::file("s:\n    f: 1\ncondition: s and t");
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let (plain, other) = (parse("f", &text), parse("f", &windows));
    assert_eq!(
        plain.diagnostics[0].to_string(),
        "f:7:22: there is no search identifier `t`"
    );
    assert_eq!(
        other.diagnostics[0].to_string(),
        plain.diagnostics[0].to_string()
    );
    let good = common::file("s:\n    f: 1\ncondition: s").replace('\n', "\r\n");
    assert_eq!(parse("f", &format!("\u{feff}---\r\n{good}")).rules.len(), 1);
}

#[test]
fn rules_that_are_left_out_are_not_asked() {
    // Reached by a value, by a field's presence, and not by any demand.
    let detections = ["{a: 1}", "{b|contains: x}", "{c: null}"];
    let text: String = detections
        .iter()
        .flat_map(|selection| [selection, selection])
        .map(|selection| {
            format!(
                "title: t\nlogsource: {{product: p}}\n\
                 detection: {{s: {selection}, condition: s}}\n---\n"
            )
        })
        .collect();
    let parsed = parse("rules.yml", &text);
    assert_eq!(parsed.rules.len(), 6, "{:?}", parsed.diagnostics);
    let mut fields = Fields::default();
    let (mut matcher, problems) = Matcher::new(&parsed.rules, &mut fields);
    assert!(problems.is_empty(), "{problems:?}");
    let record = PlainRecord::new(r#"{"a": 1, "b": "yx"}"#, &fields);
    let mut hits = Vec::new();
    let mut asked = |matcher: &Matcher| -> Vec<usize> {
        matcher.matches(&record, &mut Scratch::new(), &mut hits);
        hits.iter().map(|hit| hit.rule).collect()
    };
    assert_eq!(asked(&matcher), [0, 1, 2, 3, 4, 5]);
    matcher.leave_out(|rule| rule % 2 == 1);
    assert_eq!(asked(&matcher), [0, 2, 4]);
    assert_eq!(matcher.evaluate_one(1, &record), Verdict::Yes);
    matcher.leave_out(|rule| rule < 4);
    assert_eq!(asked(&matcher), [4]);
}
