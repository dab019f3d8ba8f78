//! The places where engines disagree.

use common::{item, matches};

mod common;

#[test]
fn null_is_absent_or_null_and_nothing_else() {
    assert!(item("errorCode: null", r#"{"a": 1}"#));
    assert!(item("errorCode: null", r#"{"errorCode": null}"#));
    assert!(!item("errorCode: null", r#"{"errorCode": ""}"#));
    assert!(!item("errorCode: null", r#"{"errorCode": "null"}"#));
    assert!(!item("errorCode: null", r#"{"errorCode": 0}"#));
    assert!(!item("errorCode: null", r#"{"errorCode": {}}"#));
    assert!(!item("errorCode: null", r#"{"errorCode": []}"#));
    assert!(item("a.b.c: null", r#"{"a": null}"#));
    assert!(item("a: [null, x]", r#"{"a": "x"}"#));
    assert!(item("a: [null, x]", r#"{}"#));
    assert!(!item("a: [null, x]", r#"{"a": "y"}"#));
    assert!(item("a: ''", r#"{"a": ""}"#));
    assert!(!item("a: ''", r#"{"a": null}"#));
    assert!(!item("a: ''", r#"{}"#));
    assert!(!item("a: 'null'", r#"{"a": null}"#));
    assert!(!item("a|neq: null", r#"{}"#));
    assert!(item("a|neq: null", r#"{"a": 0}"#));
}

#[test]
fn contains_on_an_object_reads_its_text() {
    let record = r#"{"requestParameters": {"VersioningConfiguration": {"Status": "Suspended"}}}"#;
    assert!(item("requestParameters|contains: suspended", record));
    assert!(item(
        "requestParameters|contains: '\"Status\":\"Suspended\"'",
        record
    ));
    assert!(!item("requestParameters|contains: Enabled", record));
    // A policy is a string in the object: its quotation marks are escaped there.
    let record = r#"{"requestParameters": {"policyDocument": "{\"Action\": \"s3:GetObject\"}"}}"#;
    assert!(item(
        "requestParameters|contains: '\"s3:GetObject\"'",
        record
    ));
    assert!(item("requestParameters|re: 'Action.*GetObject'", record));
    assert!(!item("requestParameters: 's3:GetObject'", record));
}

#[test]
fn an_array_matches_by_any_element() {
    let record =
        r#"{"layers": ["arn:one", "arn:two"], "empty": [], "deep": [["x"], [{"k": "v"}]]}"#;
    assert!(item("layers|contains: two", record));
    assert!(item("layers: 'arn:one'", record));
    assert!(item("layers|contains: '*'", record));
    assert!(!item("layers|contains: three", record));
    assert!(!item("empty|contains: '*'", record));
    assert!(item("deep: x", record));
    assert!(item("deep|contains: '\"k\":\"v\"'", record));
    assert!(item("layers|contains|all: [one, two]", record));
    assert!(!item("layers: '[\"arn:one\",\"arn:two\"]'", record));
    let record = r#"{"tasks": [{"command": ["sh", "-c", "curl $URI"]}, {"command": null}]}"#;
    assert!(item("tasks.command|contains: '$uri'", record));
    assert!(item("tasks.command: null", record));
}

#[test]
fn booleans_and_numbers_against_strings() {
    assert!(item("f: 'true'", r#"{"f": true}"#));
    assert!(item("f: true", r#"{"f": "True"}"#));
    assert!(item("f: true", r#"{"f": true}"#));
    assert!(!item("f: 'true'", r#"{"f": false}"#));
    assert!(!item("f: true", r#"{"f": 1}"#));
    assert!(item("f: 5", r#"{"f": "5"}"#));
    assert!(item("f: '5'", r#"{"f": 5}"#));
    assert!(item("f: 5", r#"{"f": 5.0}"#));
    assert!(item("f: [4, 5]", r#"{"f": 5e0}"#));
    assert!(!item("f: '5'", r#"{"f": 5.0}"#));
    assert!(!item("f: 5", r#"{"f": 50}"#));
    assert!(item("f|startswith: 5", r#"{"f": 50}"#));
    assert!(item("f: 0x10", r#"{"f": 16}"#));
    assert!(item("f: 0x10", r#"{"f": "0x10"}"#));
    assert!(item("f: No", r#"{"f": "NO"}"#));
}

#[test]
fn a_star_takes_any_value_that_is_there() {
    for record in [
        r#"{"f": "x"}"#,
        r#"{"f": ""}"#,
        r#"{"f": 0}"#,
        r#"{"f": false}"#,
        r#"{"f": {"a": 1}}"#,
    ] {
        assert!(item("f: '*'", record), "{record}");
        assert!(item("f|contains: '*'", record), "{record}");
        assert!(item("f: ['zzz', '*']", record), "{record}");
    }
    for record in [r#"{"g": "x"}"#, r#"{"f": null}"#, r#"{"f": []}"#] {
        assert!(!item("f: '*'", record), "{record}");
        assert!(!item("f: ['zzz', '*']", record), "{record}");
    }
    let negated = "s:\n    a: 1\nfilter:\n    f|contains: '*'\ncondition: s and not filter";
    assert!(matches(negated, r#"{"a": 1}"#));
    assert!(!matches(negated, r#"{"a": 1, "f": "x"}"#));
}

#[test]
fn wildcards_and_their_escapes() {
    assert!(item(r"f: 'a\*b'", r#"{"f": "a*b"}"#));
    assert!(!item(r"f: 'a\*b'", r#"{"f": "axb"}"#));
    assert!(item(r"f: 'a\\*b'", r#"{"f": "a\\xxb"}"#));
    assert!(item(r"f: 'C:\\*\x?.exe'", r#"{"f": "c:\\dir\\x1.exe"}"#));
    assert!(item(
        r"f: '\\\\server\share'",
        r#"{"f": "\\\\server\\share"}"#
    ));
    assert!(item("f: 'a?c'", r#"{"f": "aéc"}"#));
    assert!(!item("f: 'a?c'", r#"{"f": "ac"}"#));
    assert!(item("f: '*.example.com'", r#"{"f": "www.example.com"}"#));
}

#[test]
fn field_names_with_dots_and_spaces() {
    assert!(item("a.b.c: x", r#"{"a": {"b": {"c": "x"}}}"#));
    assert!(item("a.b: x", r#"{"a.b": "x"}"#));
    assert!(item("a.b.c: x", r#"{"a.b": {"c": "x"}}"#));
    assert!(item("two words: x", r#"{"two words": "x"}"#));
    assert!(!item("Field: x", r#"{"field": "x"}"#));
}

#[test]
fn equality_is_not_prefix_and_ignores_case() {
    assert!(item("f: STOPLOGGING", r#"{"f": "StopLogging"}"#));
    assert!(!item("f: Stop", r#"{"f": "StopLogging"}"#));
    assert!(item("f: straße", r#"{"f": "STRAßE"}"#));
    assert!(item("f: [ä, ö]", r#"{"f": "Ö"}"#));
}
