//! Tests of policies: cases, one JSON object a line, each one question with the policies that bear
//! on it and the answer that its author expects.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use portreeve_authz::aws::case::{Case, CaseDecision, CaseOutcome, run};
use portreeve_model::DeadLetter;
use serde_json::Value;

use crate::discover::discover;
use crate::open::Opened;

/// A longer line is no case.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// Names of fields, by which a misspelt one is told what may be meant.
const FIELDS: [&str; 17] = [
    "id",
    "request",
    "identity_policies",
    "resource_policy",
    "boundary",
    "session_policy",
    "scps",
    "rcps",
    "vpc_endpoint_policies",
    "settings",
    "mode",
    "expected",
    "principal",
    "action",
    "resource",
    "resource_account",
    "context",
];

/// One case as it was tested.
#[derive(Clone, Debug)]
pub struct PolicyTest {
    /// The file that it stands in, as the user named it; `-` for standard input.
    pub file: Arc<str>,
    /// Its line, from 1.
    pub line: u64,
    /// What its request asks: who, does what, on what. Empty where that could not be read.
    pub question: [String; 3],
    /// What was expected; none where the case only asks.
    pub expected: Option<CaseDecision>,
    /// What it came to.
    pub outcome: CaseOutcome,
}

/// Something about a line: why it is no case, or what is odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineNote {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// What is to be said.
    pub text: String,
}

/// All cases of some files.
#[derive(Clone, Debug, Default)]
pub struct PolicyTests {
    /// The cases, in the order of files and lines.
    pub tests: Vec<PolicyTest>,
    /// Lines that are no case, with why.
    pub unread: Vec<LineNote>,
    /// What is odd about lines that are.
    pub odd: Vec<LineNote>,
    /// Files that could not be read, or not to their end.
    pub dead_letters: Vec<DeadLetter>,
}

impl PolicyTests {
    /// How many cases did not come to what was expected.
    pub fn failed(&self) -> usize {
        self.tests.iter().filter(|test| !test.outcome.pass).count()
    }
}

/// Runs the cases of files, of the `.ndjson` and `.jsonl` files of folders, and of standard input
/// (`-`).
pub fn test_policies(paths: &[PathBuf]) -> PolicyTests {
    let (files, dead_letters) = discover(paths);
    let mut found = PolicyTests {
        dead_letters,
        ..PolicyTests::default()
    };
    for file in files {
        let named = file
            .path
            .as_ref()
            .is_none_or(|path| paths.contains(path) || has_cases(path));
        if !named {
            continue;
        }
        let opened = match &file.path {
            Some(path) => Opened::file(path),
            None => Opened::new(Box::new(io::stdin())),
        };
        let read = opened.map_err(|error| (0, error));
        let read = read.and_then(|opened| found.read(&file.name, opened));
        if let Err((offset, error)) = read {
            found.dead_letters.push(DeadLetter {
                file: file.name,
                offset,
                reason: format!("cannot be read: {error}"),
            });
        }
    }
    found
}

fn has_cases(path: &std::path::Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "ndjson" || ending == "jsonl")
}

impl PolicyTests {
    fn read(&mut self, file: &Arc<str>, input: impl Read) -> Result<(), (u64, io::Error)> {
        let mut input = BufReader::new(input);
        let mut bytes = Vec::new();
        let (mut line, mut offset) = (0, 0);
        loop {
            bytes.clear();
            let mut limited = (&mut input).take(LONGEST_LINE + 1);
            let count = limited.read_until(b'\n', &mut bytes);
            let count = count.map_err(|error| (offset, error))?;
            if count == 0 {
                return Ok(());
            }
            line += 1;
            offset += count as u64;
            if count as u64 > LONGEST_LINE {
                let size = LONGEST_LINE / (1024 * 1024);
                self.unread(file, line, format!("the line is longer than {size} MiB"));
                offset += skip_line(&mut input).map_err(|error| (offset, error))?;
                continue;
            }
            let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            let text = text.trim_ascii();
            if !text.is_empty() {
                self.case(file, line, text);
            }
        }
    }

    fn case(&mut self, file: &Arc<str>, line: u64, text: &[u8]) {
        let error = match serde_json::from_slice::<Case>(text) {
            Ok(case) => {
                self.odd_fields(file, line, text, &case);
                let outcome = run(&case);
                let request = case.request;
                self.tests.push(PolicyTest {
                    file: file.clone(),
                    line,
                    question: [request.principal, request.action, request.resource],
                    expected: case.expected,
                    outcome,
                });
                return;
            }
            Err(error) => error,
        };
        // A line that is told apart from others by its id has an outcome, so that none is missed.
        let value: Value = serde_json::from_slice(text).unwrap_or_default();
        let Some(id) = value.get("id").and_then(Value::as_str) else {
            let advice = match value {
                Value::Null => "a line must be one JSON object, as docs/policy-test.md shows",
                _ => "a case is a JSON object with at least `id` and `request`",
            };
            self.unread(file, line, format!("{}; {advice}", without_line(&error)));
            return;
        };
        let part = |name: &str| {
            let part = value.get("request").and_then(|request| request.get(name));
            part.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let expected = value.get("expected").cloned();
        let expected = expected.and_then(|text| serde_json::from_value(text).ok());
        self.tests.push(PolicyTest {
            file: file.clone(),
            line,
            question: [part("principal"), part("action"), part("resource")],
            expected,
            outcome: CaseOutcome {
                id: id.to_owned(),
                decision: CaseDecision::Invalid,
                layer: None,
                statement: None,
                depends_on: Vec::new(),
                reason: Some(without_line(&error)),
                pass: expected == Some(CaseDecision::Invalid),
            },
        });
    }

    /// Tells fields that a case does not have, which are ignored: with a misspelt
    /// `identity_policies` a test would hold that should not.
    fn odd_fields(&mut self, file: &Arc<str>, line: u64, text: &[u8], case: &Case) {
        let (Ok(Value::Object(given)), Ok(Value::Object(known))) =
            (serde_json::from_slice(text), serde_json::to_value(case))
        else {
            return;
        };
        let request = |object: &serde_json::Map<String, Value>| {
            let request = object.get("request").and_then(Value::as_object);
            request.cloned().unwrap_or_default()
        };
        for (given, known, what) in [
            (request(&given), request(&known), "a request"),
            (given, known, "a case"),
        ] {
            for (name, value) in &given {
                let says_nothing = match value {
                    Value::Null => true,
                    Value::Array(list) => list.is_empty(),
                    Value::Object(fields) => fields.is_empty(),
                    _ => false,
                };
                // What a case has is in what it is written back as.
                if says_nothing || known.contains_key(name) {
                    continue;
                }
                let meant = FIELDS.iter().find(|known| is_like(known, name));
                let meant = meant.map_or(String::new(), |known| format!("; is `{known}` meant?"));
                self.odd.push(LineNote {
                    file: file.clone(),
                    line,
                    text: format!("`{name}` is no field of {what} and is ignored{meant}"),
                });
            }
        }
    }

    fn unread(&mut self, file: &Arc<str>, line: u64, text: String) {
        self.unread.push(LineNote {
            file: file.clone(),
            line,
            text,
        });
    }
}

/// Reads to the end of a line, and gives how many bytes that were.
fn skip_line(input: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(buffer.len(), |end| end + 1);
        input.consume(count);
        skipped += count as u64;
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

/// What `serde_json` says, without its own count of lines: that of the file is said already.
fn without_line(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string().replace(&place, "");
    if error.is_data() {
        return text;
    }
    format!("no JSON at column {} ({text})", error.column())
}

/// Whether a name is another but for case, separators and a plural.
fn is_like(known: &str, name: &str) -> bool {
    let plain = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphabetic);
        let text: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
        let stem = text.strip_suffix("ies").map(|stem| format!("{stem}y"));
        stem.unwrap_or_else(|| text.trim_end_matches('s').to_owned())
    };
    plain(known) == plain(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;

    fn line(id: &str, policies: &str, expected: &str) -> String {
        format!(
            r#"{{"id":"{id}","request":{{"principal":"arn:aws:iam::111122223333:user/anna","action":"s3:GetObject","resource":"arn:aws:s3:::web/a"}},"{policies}":[{ALLOW}],"expected":"{expected}"}}"#
        )
    }

    fn read(text: &str) -> PolicyTests {
        let mut tests = PolicyTests::default();
        tests.read(&"cases.ndjson".into(), text.as_bytes()).unwrap();
        tests
    }

    #[test]
    fn cases_are_run_and_bad_lines_are_told_with_their_place() {
        let tests = read(&format!(
            "\u{feff}{}\n\n# a comment\n{}\r\n[1]\n{}",
            line("reads", "identity_policies", "allowed"),
            line("fails", "identity_policies", "denied"),
            line("last, without a line end", "identity_policies", "allowed"),
        ));
        let outcome = |index: usize| &tests.tests[index].outcome;
        assert_eq!((tests.tests.len(), tests.failed()), (3, 1));
        assert!(outcome(0).pass && !outcome(1).pass && outcome(2).pass);
        assert_eq!(tests.tests[1].line, 4);
        let unread: Vec<u64> = tests.unread.iter().map(|note| note.line).collect();
        assert_eq!(unread, [3, 5]);
        assert!(tests.unread[0].text.contains("one JSON object"));
    }

    #[test]
    fn a_case_that_cannot_be_read_is_invalid_and_may_be_expected_to_be() {
        let tests = read(concat!(
            r#"{"id":"no request","expected":"invalid"}"#,
            "\n",
            r#"{"id":"no such mode","mode":"lax","expected":"allowed"}"#,
        ));
        let passed: Vec<bool> = tests.tests.iter().map(|test| test.outcome.pass).collect();
        assert_eq!(passed, [true, false]);
        let reason = tests.tests[0].outcome.reason.as_deref().unwrap();
        assert!(
            reason.contains("request") && !reason.contains("line 1"),
            "{reason}"
        );
    }

    #[test]
    fn misspelt_fields_are_told() {
        let tests = read(&line("typo", "identity_policy", "denied"));
        assert_eq!(tests.odd.len(), 1);
        assert!(
            tests.odd[0].text.contains("is `identity_policies` meant?"),
            "{}",
            tests.odd[0].text
        );
        let with_note = line("note", "identity_policies", "allowed").replace(
            "\"expected\"",
            "\"boundary\":null,\"vpc_endpoint_policies\":[],\"expected\"",
        );
        assert!(read(&with_note).odd.is_empty());
        assert!(
            read(&line("fine", "identity_policies", "allowed"))
                .odd
                .is_empty()
        );
    }

    #[test]
    fn a_line_without_end_is_left_out() {
        let long = "x".repeat(LONGEST_LINE as usize + 10);
        let after = line("after", "identity_policies", "allowed");
        let tests = read(&format!("{long}\n{after}\n"));
        assert_eq!(tests.unread.len(), 1);
        assert_eq!((tests.tests.len(), tests.tests[0].line), (1, 2));
    }
}
