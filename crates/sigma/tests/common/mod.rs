//! What the tests share: a plain record that answers fields by walking a JSON tree, and short ways
//! to ask a rule for its verdict.

#![allow(dead_code, clippy::print_stderr)]

pub(crate) mod reference;
pub(crate) mod rule_yaml;
pub(crate) mod slow_correlation;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use portreeve_record::{FieldId, Fields, Record, Value};
use portreeve_sigma::{
    Diagnostic, DiagnosticSeverity, Hit, Matcher, Rule, Scratch, Verdict, parse,
};

/// A record as slow and as plain as can be.
pub(crate) struct PlainRecord {
    text: String,
    values: HashMap<FieldId, Vec<Value<'static>>>,
}

impl PlainRecord {
    pub(crate) fn new(json: &str, fields: &Fields) -> Self {
        let tree: serde_json::Value =
            serde_json::from_str(json).expect("the test's record is JSON");
        let mut values = HashMap::new();
        for (id, path) in (0..).zip(fields.paths()) {
            let mut found = Vec::new();
            walk(&tree, path, &mut found);
            values.insert(FieldId(id), found);
        }
        Self {
            text: json.to_owned(),
            values,
        }
    }

    pub(crate) fn set(&mut self, field: FieldId, value: Value<'static>) {
        self.values.insert(field, vec![value]);
    }
}

fn walk(tree: &serde_json::Value, path: &str, found: &mut Vec<Value<'static>>) {
    match tree {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                if key == path {
                    found.push(leaf(value));
                } else if let Some(rest) = path.strip_prefix(key.as_str())
                    && let Some(rest) = rest.strip_prefix('.')
                {
                    walk(value, rest, found);
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, path, found)),
        _ => {}
    }
}

fn leaf(value: &serde_json::Value) -> Value<'static> {
    let text = || -> &'static str { Box::leak(value.to_string().into_boxed_str()) };
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(_) => Value::Number(text()),
        serde_json::Value::String(value) => Value::String(value.clone().into()),
        serde_json::Value::Array(_) => Value::Array(text()),
        serde_json::Value::Object(_) => Value::Object(text()),
    }
}

impl Record for PlainRecord {
    fn values(&self, field: FieldId) -> &[Value<'_>] {
        self.values.get(&field).map_or(&[], Vec::as_slice)
    }

    fn text(&self) -> &str {
        &self.text
    }
}

/// A rule file with this text under `detection`.
pub(crate) fn file(detection: &str) -> String {
    let indented: String = detection
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    format!("title: Test\nlogsource:\n    product: test\ndetection:\n{indented}level: low\n")
}

/// The rule with this detection.
pub(crate) fn rule(detection: &str) -> Rule {
    let mut parsed = parse("test.yml", &file(detection));
    assert!(
        !parsed.has_errors(),
        "{detection}\n{:?}",
        parsed.diagnostics
    );
    parsed.rules.remove(0)
}

/// The error that this detection gives.
pub(crate) fn refused(detection: &str) -> Diagnostic {
    let parsed = parse("test.yml", &file(detection));
    assert!(parsed.rules.is_empty(), "accepted: {detection}");
    parsed
        .diagnostics
        .into_iter()
        .find(|diagnostic| diagnostic.severity == DiagnosticSeverity::Error)
        .expect("a refused rule is told of")
}

/// The verdict of a detection on a record; fields in `undecided` are not known.
pub(crate) fn verdict_with(detection: &str, record: &str, undecided: &[&str]) -> Verdict {
    let rules = [rule(detection)];
    let mut fields = Fields::default();
    let (matcher, diagnostics) = Matcher::new(&rules, &mut fields);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let mut plain = PlainRecord::new(record, &fields);
    for path in undecided {
        plain.set(
            fields.get(path).expect("the rule asks for the field"),
            Value::Unknown,
        );
    }
    let verdict = matcher.evaluate_one(0, &plain);
    let mut hits = vec![Hit {
        rule: 9,
        verdict: Verdict::Yes,
    }];
    matcher.matches(&plain, &mut Scratch::new(), &mut hits);
    let expected: Vec<Hit> = match verdict {
        Verdict::No => vec![],
        verdict => vec![Hit { rule: 0, verdict }],
    };
    assert_eq!(
        hits, expected,
        "the index agrees with the rule: {detection}"
    );
    verdict
}

/// Whether one item (`field|modifier: value`) matches a record.
pub(crate) fn item(item: &str, record: &str) -> bool {
    let indented: String = item.lines().map(|line| format!("    {line}\n")).collect();
    let detection = format!("selection:\n{indented}condition: selection");
    matches(&detection, record)
}

/// Whether a detection matches a record.
pub(crate) fn matches(detection: &str, record: &str) -> bool {
    match verdict_with(detection, record, &[]) {
        Verdict::Yes => true,
        Verdict::No => false,
        Verdict::Unknown => panic!("nothing here is undecided"),
    }
}

/// A folder beside the repository that holds data for tests; says so where it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if whole.exists() {
        return Some(whole);
    }
    eprintln!("skipped: ../shared/{path} is absent");
    None
}

/// All rule files under a folder, sorted.
pub(crate) fn rule_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
