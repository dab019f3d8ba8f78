//! Every modifier of Sigma 2.1, positive and negative. Sections are those of the modifiers appendix
//! of the specification unless said otherwise.

use common::{item, refused};

mod common;

fn refused_item(text: &str) -> String {
    let indented: String = text.lines().map(|line| format!("    {line}\n")).collect();
    refused(&format!("selection:\n{indented}condition: selection")).message
}

// Generic modifiers

#[test]
fn contains_startswith_endswith() {
    let record = r#"{"f": "Hello World"}"#;
    assert!(item("f|contains: 'LO WO'", record));
    assert!(!item("f|contains: 'low'", record));
    assert!(item("f|startswith: hello", record));
    assert!(!item("f|startswith: world", record));
    assert!(item("f|endswith: WORLD", record));
    assert!(!item("f|endswith: hello", record));
    assert!(item("f|contains: 'h*d'", record));
    assert!(item("f|contains: '?'", record));
    assert!(!item("f|startswith: hello", r#"{"f": "hell"}"#));
}

#[test]
fn a_list_means_any_and_all_means_all() {
    let any = "f|contains:\n    - one\n    - two";
    let all = "f|contains|all:\n    - one\n    - two";
    assert!(item(any, r#"{"f": "has two"}"#));
    assert!(!item(all, r#"{"f": "has two"}"#));
    assert!(item(all, r#"{"f": "two and one"}"#));
    assert!(!item(any, r#"{"f": "three"}"#));
    assert!(item("f|re|all: ['^a', 'b$']", r#"{"f": "a-b"}"#));
    assert!(!item("f|re|all: ['^a', 'b$']", r#"{"f": "a-c"}"#));
}

#[test]
fn all_without_a_list_is_told_of_and_works() {
    let parsed = portreeve_sigma::parse("f.yml", &common::file("s:\n    f|all: x\ncondition: s"));
    assert_eq!(parsed.rules.len(), 1);
    assert!(parsed.diagnostics[0].message.contains("`all`"));
    assert!(item("f|contains|all: x", r#"{"f": "axb"}"#));
}

#[test]
fn exists_looks_at_presence_not_value() {
    for record in [
        r#"{"f": "x"}"#,
        r#"{"f": ""}"#,
        r#"{"f": null}"#,
        r#"{"f": []}"#,
        r#"{"f": {}}"#,
    ] {
        assert!(item("f|exists: true", record), "{record}");
        assert!(!item("f|exists: false", record), "{record}");
    }
    assert!(item("f|exists: false", r#"{"g": 1}"#));
    assert!(item("f|exists: 'false'", r#"{"g": 1}"#));
    assert!(!item("f|exists: true", r#"{"g": 1}"#));
    assert!(refused_item("f|exists: maybe").contains("`exists`"));
    assert!(refused_item("f|exists: [true, false]").contains("`exists`"));
}

#[test]
fn cased_tells_case_apart() {
    assert!(item("f|cased: Abc", r#"{"f": "Abc"}"#));
    assert!(!item("f|cased: Abc", r#"{"f": "abc"}"#));
    assert!(item("f|contains|cased: Bc", r#"{"f": "aBcd"}"#));
    assert!(!item("f|contains|cased: [bc, CD]", r#"{"f": "aBcd"}"#));
    assert!(item("f|cased|endswith: 'é?'", r#"{"f": "xéY"}"#));
    assert!(!item("f|cased|endswith: 'É?'", r#"{"f": "xéY"}"#));
    assert!(item("f: abc", r#"{"f": "ABC"}"#));
}

#[test]
fn neq_is_the_negation_of_the_rest() {
    assert!(item("f|neq: a", r#"{"f": "b"}"#));
    assert!(!item("f|neq: a", r#"{"f": "A"}"#));
    assert!(!item("f|neq: 5", r#"{"f": 5.0}"#));
    assert!(item("f|neq: 5", r#"{"f": 6}"#));
    // Different from each of them.
    assert!(!item("f|neq: [a, b]", r#"{"f": "b"}"#));
    assert!(item("f|neq: [a, b]", r#"{"f": "c"}"#));
    assert!(item("f|neq: a", r#"{"g": 1}"#));
    assert!(!item("f|contains|neq: a", r#"{"f": "bab"}"#));
    assert!(!item("f|neq: a", r#"{"f": ["b", "a"]}"#));
}

// Regular expressions

#[test]
fn re_searches_and_is_cased() {
    assert!(item("f|re: 'b+c'", r#"{"f": "abbcd"}"#));
    assert!(!item("f|re: 'B+c'", r#"{"f": "abbcd"}"#));
    assert!(!item("f|re: '^b'", r#"{"f": "abbcd"}"#));
    assert!(item("f|re: '^a(b|x){2,3}[c-d]*$'", r#"{"f": "abbcd"}"#));
    assert!(item("f|re: '^5$'", r#"{"f": 5}"#));
    assert!(item("f|re: ['x', 'b']", r#"{"f": "abc"}"#));
}

#[test]
fn re_flags() {
    assert!(item("f|re|i: 'ABC'", r#"{"f": "xabcx"}"#));
    assert!(item("f|re|m: '^b$'", r#"{"f": "a\nb\nc"}"#));
    assert!(!item("f|re: '^b$'", r#"{"f": "a\nb\nc"}"#));
    assert!(item("f|re|s: 'a.b'", r#"{"f": "a\nb"}"#));
    assert!(!item("f|re: 'a.b'", r#"{"f": "a\nb"}"#));
    assert!(item("f|re|i|s: 'A.B'", r#"{"f": "a\nb"}"#));
}

#[test]
fn re_with_a_place_is_anchored_there() {
    assert!(item("f|re|startswith: 'a|b'", r#"{"f": "bx"}"#));
    assert!(!item("f|re|startswith: 'a|b'", r#"{"f": "xb"}"#));
    assert!(item("f|re|endswith: 'a|b'", r#"{"f": "xb"}"#));
    assert!(!item("f|re|endswith: 'a|b'", r#"{"f": "bx"}"#));
    assert!(item("f|re|contains: 'a|b'", r#"{"f": "xbx"}"#));
}

#[test]
fn re_with_look_around_runs_with_a_bound() {
    assert!(item("f|re: 'a(?!b)'", r#"{"f": "ac"}"#));
    assert!(!item("f|re: 'a(?!b)'", r#"{"f": "ab"}"#));
    assert!(item(r"f|re: '(x)\1'", r#"{"f": "axxb"}"#));
    // Where the bound bites there is neither match nor mismatch.
    let record = format!(r#"{{"f": "{}"}}"#, "a".repeat(60));
    let detection = r"s:
    f|re: '(?=(a+)+$)(a*)*\1b'
condition: s";
    assert_eq!(
        common::verdict_with(detection, &record, &[]),
        portreeve_sigma::Verdict::Unknown
    );
}

#[test]
fn broken_re_is_refused_at_its_place() {
    let diagnostic = refused("s:\n    f|re: 'a('\ncondition: s");
    assert_eq!((diagnostic.line, diagnostic.column), (6, 15));
    assert!(
        diagnostic.message.contains("regular expression"),
        "{diagnostic}"
    );
    assert!(refused_item("f|re: '(a{1000}){1000}'").contains("regular expression"));
}

// Encodings

#[test]
fn base64_and_its_offsets() {
    assert!(item("f|base64: foobar", r#"{"f": "Zm9vYmFy"}"#));
    assert!(item(
        "f|base64|contains: foobar",
        r#"{"f": "xxZm9vYmFyxx"}"#
    ));
    assert!(!item(
        "f|base64|contains: foobar",
        r#"{"f": "AGZvb2Jhcg=="}"#
    ));
    // "foobar" behind nothing, one and two bytes.
    for encoded in ["Zm9vYmFyIQ==", "IWZvb2JhciE=", "ISFmb29iYXIh"] {
        let record = format!(r#"{{"f": "x {encoded} y"}}"#);
        assert!(
            item("f|base64offset|contains: foobar", &record),
            "{encoded}"
        );
        assert!(
            !item("f|base64offset|contains: fooqar", &record),
            "{encoded}"
        );
    }
    assert!(refused_item("f|base64: 'foo*'").contains("wildcards"));
    assert!(refused_item("f|contains|base64: foo").contains("`base64`"));
}

#[test]
fn wide_is_utf16_little_endian() {
    let record = r#"{"f": "xc\u0000m\u0000d\u0000x"}"#;
    for name in ["wide", "utf16le"] {
        assert!(item(&format!("f|{name}|contains: cmd"), record));
        assert!(!item(&format!("f|{name}|contains: cme"), record));
    }
}

#[test]
fn utf16be_and_utf16_with_its_mark() {
    assert!(item(
        "f|utf16be|contains: cmd",
        r#"{"f": "\u0000c\u0000m\u0000d"}"#
    ));
    assert!(!item(
        "f|utf16be|contains: cmd",
        r#"{"f": "c\u0000m\u0000d\u0000"}"#
    ));
    assert!(item(
        "f|utf16: cmd",
        r#"{"f": "\u00ff\u00fec\u0000m\u0000d\u0000"}"#
    ));
    assert!(!item("f|utf16: cmd", r#"{"f": "c\u0000m\u0000d\u0000"}"#));
}

#[test]
fn encodings_follow_one_another() {
    // The text "ping" in UTF-16, then in Base64 at offset zero.
    assert!(item("f|wide|base64: ping", r#"{"f": "cABpAG4AZwA="}"#));
    assert!(item(
        "f|wide|base64offset|contains: ping",
        r#"{"f": "powershell -enc AHAAaQBuAGcA"}"#
    ));
    assert!(item("f|utf16|base64: ping", r#"{"f": "//5wAGkAbgBnAA=="}"#));
    assert!(item("f|utf16be|base64: ping", r#"{"f": "AHAAaQBuAGc="}"#));
}

#[test]
fn windash_takes_all_five_dashes() {
    for dash in ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'] {
        let record = format!(r#"{{"f": "cmd {dash}enc {dash}f a-b"}}"#);
        assert!(item("f|windash|contains: ' -enc '", &record), "{dash}");
        assert!(item("f|contains|windash: ' /enc -f'", &record), "{dash}");
        assert!(item("f|windash: 'cmd -enc -f a-b'", &record), "{dash}");
    }
    assert!(!item("f|windash|contains: ' -enc'", r#"{"f": "cmd +enc"}"#));
    // A dash inside a word begins no flag.
    assert!(!item("f|windash: 'a-b'", r#"{"f": "a/b"}"#));
    assert!(item(
        "f|windash|contains|all: [' -a', ' -b']",
        r#"{"f": "x /b –a"}"#
    ));
    assert!(item("f|windash|base64: '-a'", r#"{"f": "L2E="}"#));
}

// Numbers

#[test]
fn comparisons_of_numbers() {
    for (modifier, holds) in [
        ("lt", [true, false, false]),
        ("lte", [true, true, false]),
        ("gt", [false, false, true]),
        ("gte", [false, true, true]),
    ] {
        for (value, expected) in ["4.5", "5", "6"].iter().zip(holds) {
            let rule = format!("f|{modifier}: 5");
            assert_eq!(
                item(&rule, &format!(r#"{{"f": {value}}}"#)),
                expected,
                "{value} {modifier}"
            );
            // Many logs write numbers as strings.
            assert_eq!(
                item(&rule, &format!(r#"{{"f": "{value}"}}"#)),
                expected,
                "{value} {modifier}"
            );
        }
    }
    assert!(!item("f|gt: 5", r#"{"f": "many"}"#));
    assert!(!item("f|lt: 5", r#"{"g": 1}"#));
    assert!(!item("f|lt: 5", r#"{"f": null}"#));
    assert!(item(
        "f|gte: 9007199254740993",
        r#"{"f": 9007199254740993}"#
    ));
    assert!(!item(
        "f|gte: 9007199254740993",
        r#"{"f": 9007199254740992}"#
    ));
    assert!(item("f|lt|neq: 5", r#"{"f": 5}"#));
    assert!(refused_item("f|lt: five").contains("numbers"));
    assert!(refused_item("f|lt|gt: 5").contains("comparisons"));
}

// Time

#[test]
fn parts_of_dates() {
    let record = r#"{"f": "2026-07-24T23:45:59Z"}"#;
    for (part, value) in [
        ("minute", 45),
        ("hour", 23),
        ("day", 24),
        ("week", 30),
        ("month", 7),
        ("year", 2026),
    ] {
        assert!(item(&format!("f|{part}: {value}"), record), "{part}");
        assert!(!item(&format!("f|{part}: {}", value - 1), record), "{part}");
    }
    assert!(item("f|hour|gte: 22", record));
    assert!(!item("f|hour|lt: 22", record));
    assert!(item("f|day|neq: 25", record));
    assert!(item("f|hour: [1, 23]", record));
    assert!(!item("f|hour: 23", r#"{"f": "tomorrow"}"#));
}

// Networks

#[test]
fn cidr_takes_both_families() {
    assert!(item("f|cidr: 10.0.0.0/8", r#"{"f": "10.200.3.4"}"#));
    assert!(!item("f|cidr: 10.0.0.0/8", r#"{"f": "11.0.0.1"}"#));
    assert!(item(
        "f|cidr: [192.168.0.0/16, '2001:db8::/32']",
        r#"{"f": "2001:DB8::1"}"#
    ));
    assert!(!item("f|cidr: '2001:db8::/32'", r#"{"f": "2001:db9::1"}"#));
    assert!(item("f|cidr: 10.0.0.0/8", r#"{"f": "::ffff:10.1.1.1"}"#));
    assert!(item("f|cidr: 10.1.2.3", r#"{"f": "10.1.2.3"}"#));
    assert!(!item("f|cidr: 10.0.0.0/8", r#"{"f": "ec2.amazonaws.com"}"#));
    assert!(!item("f|cidr|neq: 10.0.0.0/8", r#"{"f": "10.0.0.1"}"#));
    assert!(refused_item("f|cidr: 10.0.0.0/64").contains("not a network"));
    // Bits behind the prefix are told of and dropped.
    let parsed = portreeve_sigma::parse(
        "f.yml",
        &common::file("s:\n    f|cidr: 10.9.9.9/8\ncondition: s"),
    );
    assert!(parsed.diagnostics[0].message.contains("behind its prefix"));
    assert!(item("f|cidr: 10.9.9.9/8", r#"{"f": "10.0.0.1"}"#));
}

// Specific modifiers

#[test]
fn fieldref_compares_two_fields() {
    assert!(item("a|fieldref: b.c", r#"{"a": "X", "b": {"c": "x"}}"#));
    assert!(!item("a|fieldref: b.c", r#"{"a": "X", "b": {"c": "y"}}"#));
    assert!(!item("a|fieldref: b.c", r#"{"a": "X"}"#));
    assert!(!item("a|fieldref: b", r#"{"a": null, "b": null}"#));
    assert!(item("a|fieldref: b", r#"{"a": 5, "b": "5"}"#));
    assert!(item("a|fieldref: b", r#"{"a": "x", "b": ["y", "x"]}"#));
    assert!(item("a|fieldref|neq: b", r#"{"a": "x", "b": "y"}"#));
    assert!(!item("a|fieldref|neq: b", r#"{"a": "x", "b": "X"}"#));
    assert!(!item("a|fieldref|cased: b", r#"{"a": "x", "b": "X"}"#));
    assert!(item(
        "a|fieldref: [b, c]",
        r#"{"a": "x", "b": "y", "c": "x"}"#
    ));
}

#[test]
fn fieldref_with_a_place() {
    let record =
        r#"{"arn": "arn:aws:iam::1:user/Bob", "name": "bob", "start": "ARN", "empty": ""}"#;
    assert!(item("arn|fieldref|endswith: name", record));
    assert!(item("arn|contains|fieldref: name", record));
    assert!(item("arn|fieldref|startswith: start", record));
    assert!(!item("arn|fieldref|startswith: name", record));
    assert!(!item("arn|fieldref|contains: empty", record));
}

#[test]
fn expand_without_values_is_refused_with_its_place() {
    use std::collections::BTreeMap;

    use portreeve_record::Fields;
    use portreeve_sigma::{DiagnosticKind, Matcher, Scratch};

    let rules = [
        common::rule("s:\n    f|contains|expand: 'x%names%'\ncondition: s"),
        common::rule("s:\n    f: x\ncondition: s"),
    ];
    let (matcher, diagnostics) = Matcher::new(&rules, &mut Fields::default());
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].kind, DiagnosticKind::Placeholder);
    assert_eq!(diagnostics[0].line, 6);
    assert!(
        diagnostics[0].message.contains("%names%"),
        "{}",
        diagnostics[0]
    );
    assert!(!matcher.is_compiled(0) && matcher.is_compiled(1));

    let values = BTreeMap::from([("names".to_owned(), vec!["1".to_owned(), "2*3".to_owned()])]);
    let mut fields = Fields::default();
    let (matcher, diagnostics) = Matcher::with_placeholders(&rules, &mut fields, &values);
    assert!(diagnostics.is_empty());
    let (mut scratch, mut hits) = (Scratch::new(), Vec::new());
    for (value, expected) in [
        ("ax1b", true),
        ("x2--3", true),
        ("x3", false),
        ("x%names%", false),
    ] {
        let record = common::PlainRecord::new(&format!(r#"{{"f": "{value}"}}"#), &fields);
        matcher.matches(&record, &mut scratch, &mut hits);
        assert_eq!(!hits.is_empty(), expected, "{value}");
    }
}

#[test]
fn percent_signs_without_expand_are_plain() {
    assert!(item("f: '%name%'", r#"{"f": "%NAME%"}"#));
    assert!(item(r"f|expand: '\%plain 100%'", r#"{"f": "%plain 100%"}"#));
}

#[test]
fn unknown_modifiers_are_refused() {
    assert!(refused_item("f|contians: x").contains("not a Sigma modifier"));
    assert!(refused_item("f|i: x").contains("behind `re`"));
}
