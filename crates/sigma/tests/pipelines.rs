//! Processing pipelines: what they make of rules, and what they are refused for.

use common::PlainRecord;
use portreeve_record::Fields;
use portreeve_sigma::{
    DiagnosticKind, Matcher, Pipeline, Rule, Verdict, parse, parse_placeholders,
};

mod common;

const RULE: &str = "
title: Whoami
tags: [attack.t1033]
logsource: { product: windows, category: process_creation }
detection:
    selection:
        Image|endswith: whoami.exe
        User: ann
    filter:
        Parent|fieldref: Image
    condition: selection and not filter
fields: [Image]
";

fn rules(pipeline: &str) -> (Vec<Rule>, Vec<String>) {
    let mut rules = parse("r.yml", RULE).rules;
    let pipeline = Pipeline::parse("p.yml", pipeline).unwrap();
    let told = pipeline.apply(&mut rules);
    (rules, told.into_iter().map(|one| one.message).collect())
}

fn matches(rules: &[Rule], record: &str) -> bool {
    let mut fields = Fields::default();
    let (matcher, problems) = Matcher::new(rules, &mut fields);
    assert!(problems.is_empty());
    matcher.evaluate_one(0, &PlainRecord::new(record, &fields)) == Verdict::Yes
}

#[test]
fn fields_get_the_names_of_the_log() {
    let (rules, told) = rules(
        "
name: test
priority: 10
transformations:
    - id: names
      type: field_name_mapping
      mapping: { Image: process.path, User: [user.name, user.id], Parent: parent }
      rule_conditions: [{ type: logsource, product: windows }]
    - type: field_name_prefix
      prefix: 'event.'
      field_name_conditions: [{ type: include_fields, fields: ['user\\..*'], mode: re }]
",
    );
    assert!(told.is_empty());
    let paths: Vec<&str> = rules[0].field_paths().collect();
    assert_eq!(
        paths,
        ["event.user.id", "event.user.name", "parent", "process.path"]
    );
    assert_eq!(rules[0].shown, ["process.path"]);
    for user in ["id", "name"] {
        let record = format!(
            r#"{{"process": {{"path": "c:\\whoami.exe"}}, "event": {{"user": {{"{user}": "ann"}}}}}}"#
        );
        assert!(matches(&rules, &record));
    }
    assert!(!matches(
        &rules,
        r#"{"process": {"path": "c:\\whoami.exe"}, "parent": "C:\\whoami.exe", "event": {"user": {"id": "ann"}}}"#
    ));
    assert!(!matches(
        &rules,
        r#"{"Image": "whoami.exe", "User": "ann"}"#
    ));
}

#[test]
fn conditions_choose_rules() {
    let rename = |condition: &str| {
        format!(
            "transformations:\n  - id: one\n    type: field_name_prefix\n    prefix: x.\n{condition}"
        )
    };
    for (condition, applies) in [
        ("", true),
        (
            "    rule_conditions: [{ type: logsource, product: linux }]\n",
            false,
        ),
        (
            "    rule_conditions: [{ type: logsource, product: linux }]\n    rule_cond_not: true\n",
            true,
        ),
        (
            "    rule_conditions: [{ type: logsource, product: linux }, { type: tag, tag: attack.t1033 }]\n",
            false,
        ),
        (
            "    rule_conditions: [{ type: logsource, product: linux }, { type: tag, tag: attack.t1033 }]\n    rule_cond_op: or\n",
            true,
        ),
        (
            "    rule_conditions: [{ type: contains_field, field: User }]\n",
            true,
        ),
        (
            "    rule_conditions: [{ type: processing_item_applied, processing_item_id: one }]\n",
            false,
        ),
        (
            "    field_name_conditions: [{ type: exclude_fields, fields: [Image, Parent, User] }]\n",
            false,
        ),
    ] {
        let (rules, _) = rules(&rename(condition));
        let has = rules[0].field_paths().any(|path| path == "x.User");
        assert_eq!(has, applies, "{condition}");
    }
}

#[test]
fn rules_are_changed_dropped_and_refused() {
    let (dropped, _) = rules(
        "transformations: [{ type: drop_detection_item, field_name_conditions: [{ type: include_fields, fields: [User] }] }]",
    );
    assert!(matches(&dropped, r#"{"Image": "whoami.exe"}"#));
    let (added, _) = rules(
        "transformations: [{ type: add_condition, conditions: { EventID: 1 } }, { type: change_logsource, product: sysmon }]",
    );
    assert!(matches(
        &added,
        r#"{"Image": "whoami.exe", "User": "ann", "EventID": 1}"#
    ));
    assert!(!matches(
        &added,
        r#"{"Image": "whoami.exe", "User": "ann"}"#
    ));
    assert_eq!(added[0].logsource.product.as_deref(), Some("sysmon"));
    let (prefixed, _) = rules(
        "transformations: [{ type: field_name_prefix_mapping, mapping: { I: j., Im: i. } }, { type: field_name_suffix, suffix: .s }]",
    );
    let paths: Vec<&str> = prefixed[0].field_paths().collect();
    assert_eq!(paths, ["Parent.s", "User.s", "i.age.s"]);
    let (refused, told) = rules("transformations: [{ type: rule_failure, message: not for us }]");
    assert!(refused.is_empty());
    assert_eq!(told, ["Whoami: not for us"]);
    let (nothing, told) = rules("transformations: [{ type: drop_detection_item }]");
    assert!(nothing.is_empty() && told[0].contains("leaves nothing"));
}

#[test]
fn placeholders_get_their_values() {
    let text = "title: T\nlogsource: { product: x }\ndetection: { s: { f|expand: '%admins%' }, condition: s }";
    let rules = parse("r.yml", text).rules;
    let matching = |values: &std::collections::BTreeMap<String, Vec<String>>, record: &str| {
        let mut fields = Fields::default();
        let (matcher, problems) = Matcher::with_placeholders(&rules, &mut fields, values);
        problems.is_empty()
            && matcher.evaluate_one(0, &PlainRecord::new(record, &fields)) == Verdict::Yes
    };
    let from_file = parse_placeholders("v.yml", "admins: [ann, 'b*']\nother: x").unwrap();
    assert!(matching(&from_file, r#"{"f": "bob"}"#) && !matching(&from_file, r#"{"f": "x"}"#));
    let of_vars = Pipeline::parse(
        "p.yml",
        "vars: { admins: ann }\ntransformations: [{ type: value_placeholders }]",
    )
    .unwrap();
    assert!(
        matching(of_vars.placeholders(), r#"{"f": "ann"}"#)
            && !matching(of_vars.placeholders(), r#"{"f": "bob"}"#)
    );
    let any = Pipeline::parse(
        "p.yml",
        "transformations: [{ type: wildcard_placeholders, include: [admins] }]",
    )
    .unwrap();
    assert!(matching(any.placeholders(), r#"{"f": "whoever"}"#));
    assert!(parse_placeholders("v.yml", "- a").is_err());
    assert!(parse_placeholders("v.yml", "a: {b: c}").is_err());
}

#[test]
fn what_has_no_meaning_here_is_refused_by_name() {
    for (pipeline, words, line) in [
        (
            "transformations:\n  - type: set_state\n    key: a",
            "`set_state`",
            2,
        ),
        ("postprocessing: []", "`postprocessing` changes queries", 1),
        (
            "transformations:\n  - type: field_name_mapping",
            "`mapping` is missing",
            2,
        ),
        (
            "transformations:\n  - type: field_name_prefix\n    prefix: x\n    rule_conditions: [{ type: is_sigma_rule }]",
            "`is_sigma_rule`",
            4,
        ),
        (
            "transformations:\n  - type: field_name_prefix\n    prefix: x\n    field_name_conditions: [{ type: include_fields, fields: ['('], mode: re }]",
            "regular expression",
            4,
        ),
        ("transformations: x", "to be a list", 1),
        ("- a", "a pipeline is a map", 1),
        ("", "one document", 1),
        ("priority: high", "whole number", 1),
    ] {
        let told = Pipeline::parse("p.yml", pipeline).unwrap_err();
        assert_eq!(told.kind, DiagnosticKind::Pipeline);
        assert!(told.message.contains(words), "{pipeline}: {told}");
        assert_eq!(told.line, line, "{pipeline}: {told}");
    }
    assert!(Pipeline::parse("p.yml", &"[".repeat(10_000)).is_err());
}
