//! Correlation documents: what is read of them, and what is refused, where.

use portreeve_sigma::{
    Bound, Correlation, CorrelationKind, DiagnosticKind, DiagnosticSeverity, parse,
};
use proptest::prelude::*;

fn document(section: &str) -> String {
    let indented: String = section
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    format!(
        "title: T\nlevel: high\ntags: [attack.t1550.001, attack.stealth]\ncorrelation:\n{indented}"
    )
}

fn read(section: &str) -> Correlation {
    let text = document(section);
    let mut parsed = parse("c.yml", &text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    parsed.correlations.remove(0)
}

/// Line, column and message of the first diagnostic of a document that is not used.
fn refused(section: &str) -> (usize, usize, String) {
    let parsed = parse("c.yml", &document(section));
    assert!(parsed.correlations.is_empty());
    let first = &parsed.diagnostics[0];
    (first.line, first.column, first.message.clone())
}

#[test]
fn all_types_of_the_specification_are_read() {
    let one = read(
        "type: value_count\nrules: [a, b]\ngroup-by: [user, host]\ntimespan: 90m\ncondition: {field: ip, gt: 5, lte: 9}",
    );
    assert_eq!(one.kind, CorrelationKind::ValueCount);
    assert_eq!(one.timespan, Some(5_400));
    assert_eq!(one.level.as_str(), "high");
    assert_eq!((one.techniques.len(), one.tactics.len()), (1, 1));
    let condition = one.condition.unwrap();
    assert_eq!(condition.fields, ["ip"]);
    assert_eq!(
        condition.bounds,
        [(Bound::Above, 5.0), (Bound::AtMost, 9.0)]
    );
    assert!(!condition.holds(5.0) && condition.holds(6.0) && !condition.holds(10.0));
    assert!(!condition.only_rises());

    for (kind, condition) in [
        ("event_count", "condition: {gte: 1}"),
        ("value_sum", "condition: {field: n, gte: 1}"),
        ("value_avg", "condition: {field: n, gte: 1}"),
        (
            "value_percentile",
            "condition: {field: n, percentile: 95, gte: 1}",
        ),
        ("value_median", "condition: {field: n, gte: 1}"),
        ("temporal", "condition: {gte: 2}"),
        ("temporal", ""),
        ("temporal_ordered", ""),
    ] {
        read(&format!(
            "type: {kind}\nrules: [a, b]\ntimespan: 1h\n{condition}"
        ));
    }
}

#[test]
fn aliases_name_a_field_for_each_rule() {
    let one = read(
        "type: temporal\nrules: [out, in]\ngroup-by: [inner]\ntimespan: 10s\naliases:\n    inner:\n        out: source.ip\n        in: destination.ip",
    );
    assert_eq!(one.field("inner", &["some-id", "out"]), "source.ip");
    assert_eq!(one.field("inner", &["in"]), "destination.ip");
    assert_eq!(one.field("inner", &["other"]), "inner");
    assert_eq!(one.field("user", &["out"]), "user");
}

#[test]
fn mistakes_are_told_with_line_and_column() {
    let base = "rules: [a]\ngroup-by: [user]\n";
    for (section, place, words) in [
        (
            "type: event_count\nrules: [a]\ntimespan: 1 hour\ncondition: {gte: 1}",
            (7, 15),
            "not a time span",
        ),
        (
            "type: event_count\nrules: [a]\ntimespan: 1h",
            (5, 5),
            "no `condition`",
        ),
        (
            "type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {most: 1}",
            (8, 17),
            "knows no `most`",
        ),
        (
            "type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: many}",
            (8, 22),
            "a string where a number",
        ),
        (
            "type: value_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1}",
            (8, 16),
            "names no `field`",
        ),
        (
            "type: value_percentile\nrules: [a]\ntimespan: 1h\ncondition: {field: n, gte: 1}",
            (8, 16),
            "no `percentile`",
        ),
        (
            "type: temporal_ordered\nrules: [a]\ntimespan: 1h\ncondition: a and b",
            (8, 22),
            "no search identifier `b`",
        ),
        ("type: event_count\ntype: temporal", (6, 5), "stands twice"),
        ("type: event_count\ntimespan: 1h", (5, 5), "no `rules`"),
        (
            "type: event_count\nrules: [{a: b}]\ntimespan: 1h",
            (6, 13),
            "a map in `rules`",
        ),
        (
            "type: event_count\nrules: [a]\ntimespan: 90000w\ncondition: {gte: 1}",
            (7, 15),
            "ten years",
        ),
        (
            "type: temporal\nrules: [a]\ntimespan: 1h\naliases: [x]",
            (8, 14),
            "a list in `aliases`",
        ),
    ] {
        let (line, column, message) = refused(section);
        assert_eq!((line, column), place, "{section}: {message}");
        assert!(message.contains(words), "{section}: {message}");
    }
    assert!(
        refused(&format!("{base}timespan: 1h"))
            .2
            .contains("no `type`")
    );
}

#[test]
fn types_of_others_are_left_out_and_their_rules_still_run() {
    let parsed = parse(
        "c.yml",
        &document("type: acme.magic\nrules: [a]\ntimespan: 1h"),
    );
    assert!(parsed.correlations.is_empty() && !parsed.has_errors());
    assert_eq!(parsed.diagnostics[0].kind, DiagnosticKind::NotEvaluated);
}

#[test]
fn a_condition_over_the_names_of_rules_is_read() {
    let one = read("type: temporal\nrules: [a, b, c]\ntimespan: 1h\ncondition: a and (b or c)");
    let condition = one.rule_condition.unwrap();
    assert!(condition.only_rises());
    assert!(condition.holds(&|rule| rule != 1) && !condition.holds(&|rule| rule != 0));
    // Without a list the rules are those that the condition names.
    let one = read("type: temporal\ntimespan: 1h\ncondition: a and not b");
    assert_eq!(one.rules, ["a", "b"]);
    let condition = one.rule_condition.unwrap();
    assert!(!condition.only_rises());
    assert!(condition.holds(&|rule| rule == 0) && !condition.holds(&|_| true));
    let section = "type: temporal\nrules: [a, b, c]\ntimespan: 1h\ncondition: a and b";
    let parsed = parse("c.yml", &document(section));
    assert!(parsed.diagnostics[0].message.contains("does not use `c`"));
}

#[test]
fn settings_of_an_extension_are_read_with_their_places() {
    let one = read(
        "type: portreeve.first_seen\nrules: [a]\ngroup-by: [user]\nvalue: [ip, port]\nremember: 60d\nrare: 0.25\nat-least: 3\nlearn: true\nlevel-with-use: critical",
    );
    assert_eq!(
        one.kind,
        CorrelationKind::Extension("portreeve.first_seen".into())
    );
    let mut settings = one.settings();
    assert_eq!(settings.texts("value"), ["ip", "port"]);
    assert_eq!(settings.duration("remember"), Some(60 * 86_400));
    assert_eq!(settings.share("rare"), Some(0.25));
    assert_eq!(settings.count("at-least"), Some(3));
    assert_eq!(settings.number("at-least"), Some(3.0));
    assert!(settings.flag("learn"));
    assert_eq!(
        settings.severity("level-with-use").unwrap().as_str(),
        "critical"
    );
    assert_eq!(settings.text("absent"), None);
    assert!(settings.finish().is_empty());

    let mut settings = one.settings();
    assert_eq!(settings.duration("value"), None);
    assert_eq!(settings.share("at-least"), None);
    let diagnostics = settings.finish();
    assert_eq!(diagnostics.len(), 2 + 4, "four settings were not asked for");
    assert_eq!((diagnostics[0].line, diagnostics[0].column), (8, 5));
    assert!(diagnostics[0].message.contains("`value`"));
    assert!(
        diagnostics
            .iter()
            .all(|diagnostic| diagnostic.severity == DiagnosticSeverity::Error)
    );
}

#[test]
fn what_decides_is_told_apart_from_what_describes() {
    let text = document("type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: 3}");
    let definition = |text: &str| parse("c.yml", text).correlations[0].definition();
    let other_title = text.replace("title: T", "title: Other");
    let other_bound = text.replace("gte: 3", "gte: 4");
    assert_eq!(definition(&text), definition(&other_title));
    assert_ne!(definition(&text), definition(&other_bound));
}

proptest! {
    #[test]
    fn no_section_panics(section in "[a-z_.:\\[\\]{} 0-9\n-]{0,120}") {
        parse("c.yml", &document(&section));
        parse("c.yml", &document(&format!("type: event_count\n{section}")));
        parse("c.yml", &document(&format!("type: portreeve.first_seen\n{section}")));
    }
}
