//! What is odd about a rule file beyond what stops it from running: the specification's demands on
//! heads, habits that readers and tools rely on, fields that the log does not have, conditions that
//! no record or every record meets.

mod fields;
mod head;
mod logic;

use std::ops::Range;

use crate::diagnostic::{Diagnostic, DiagnosticKind, DiagnosticSeverity, Problem, Source};
use crate::parse::parse;
use crate::rule::LogSource;
use crate::yaml::{self, Data, Node};

/// Whether a log has a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKnowledge {
    /// It has.
    Known,
    /// It has not; perhaps another was meant.
    Unknown(Option<String>),
    /// Nobody says which fields it has.
    Undeclared,
}

/// Everything to be said about a rule file: what [`parse`] says, then what is odd, in the order of
/// the file. `knowledge` tells which fields a log has.
pub fn lint(
    file: &str,
    text: &str,
    knowledge: &dyn Fn(&LogSource, &str) -> FieldKnowledge,
) -> Vec<Diagnostic> {
    let parsed = parse(file, text);
    let mut problems = Vec::new();
    head::file_name(file, &mut problems);
    if text.len() <= yaml::MAX_FILE_BYTES {
        for range in yaml::documents(text) {
            if let Ok(Some(node)) = yaml::read(text, &range)
                && matches!(node.data, Data::Map(_))
                && node.get("action").is_none()
            {
                head::check(&node, &mut problems);
                fields::check(&node, knowledge, &mut problems);
            }
        }
    }
    let source = Source::new(file, text);
    let mut told = parsed.diagnostics;
    told.extend(
        problems
            .into_iter()
            .map(|problem| source.diagnostic(problem)),
    );
    for rule in &parsed.rules {
        if let Some((kind, message, help)) = logic::judge(&rule.condition) {
            told.push(Diagnostic {
                file: rule.file.clone(),
                line: rule.line,
                column: 1,
                span: line_span(text, rule.line),
                severity: DiagnosticSeverity::Warning,
                kind,
                message: message.to_owned(),
                help: Some(help.to_owned()),
            });
        }
    }
    told.sort_by_key(|one| (one.line, one.column));
    told
}

fn line_span(text: &str, line: usize) -> Range<usize> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let length = text
        .get(start..)
        .and_then(|rest| rest.lines().next())
        .map_or(0, str::len);
    start..start + length
}

fn habit(span: &Range<usize>, message: impl Into<String>) -> Problem {
    Problem::warning(DiagnosticKind::Habit, span, message)
}

fn text_of<'n>(node: &'n Node, key: &str) -> Option<(&'n str, &'n Range<usize>)> {
    let entry = node.get(key)?;
    Some((entry.value.text()?, &entry.value.span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "title: Root was used
id: 929a690e-bef0-4204-a928-ef5e620d6fcc
status: test
description: The account's root user made a call.
references:
    - https://example.com/root
author: Somebody
date: 2026-01-02
modified: 2026-02-03
tags:
    - attack.t1078.004
logsource:
    product: aws
    service: cloudtrail
detection:
    selection:
        userIdentity.type: Root
    condition: selection
falsepositives:
    - The first set-up of an account
level: high
";

    fn knowledge(source: &LogSource, field: &str) -> FieldKnowledge {
        if source.product.as_deref() != Some("aws") {
            return FieldKnowledge::Undeclared;
        }
        match field.split('.').next() {
            Some("userIdentity" | "eventName") => FieldKnowledge::Known,
            _ => FieldKnowledge::Unknown(Some("eventName".to_owned())),
        }
    }

    fn told(text: &str) -> Vec<Diagnostic> {
        lint("rules/aws_root_used.yml", text, &knowledge)
    }

    fn about(text: &str, words: &str) -> (DiagnosticKind, usize, DiagnosticSeverity) {
        let told = told(text);
        let one = told
            .iter()
            .find(|one| one.message.contains(words))
            .unwrap_or_else(|| panic!("`{words}` is not among {told:?}"));
        (one.kind, one.line, one.severity)
    }

    #[test]
    fn nothing_is_said_of_a_good_rule() {
        assert_eq!(told(GOOD), []);
    }

    #[test]
    fn heads_are_held_to_the_specification() {
        use DiagnosticSeverity::{Note, Warning};
        for (from, to, words, line, severity) in [
            (
                "id: 929a690e-bef0-4204-a928-ef5e620d6fcc\n",
                "",
                "no `id`",
                1,
                Note,
            ),
            ("929a690e-bef0", "929a690e", "not a UUID", 2, Warning),
            ("2026-01-02", "02.01.2026", "not a date", 8, Warning),
            ("2026-02-03", "2025-02-03", "before its `date`", 9, Warning),
            ("status: test\n", "", "no `status`", 1, Note),
            ("level: high\n", "", "no `level`", 1, Note),
            (
                "description: The account's root user made a call.\n",
                "",
                "no `description`",
                1,
                Note,
            ),
            ("attack.t1078.004", "t1078", "no namespace", 11, Warning),
            ("product: aws", "product: AWS", "lower case", 13, Warning),
            ("author:", "auther:", "did you mean `author`", 7, Warning),
            (
                "references:\n    - https",
                "references: https",
                "a list",
                5,
                Warning,
            ),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            assert_eq!(
                about(&text, words),
                (DiagnosticKind::Habit, line, severity),
                "{to}"
            );
        }
        let long = GOOD.replace("Root was used", &"x".repeat(257));
        assert_eq!(about(&long, "256").1, 1);
        let odd = lint("rules/Root-Used.yaml", GOOD, &knowledge);
        assert!(odd.iter().any(|one| one.message.contains("file name")));
    }

    #[test]
    fn values_that_a_modifier_says_better_are_told() {
        for (value, words) in [
            ("userIdentity.type: '*Root*'", "`contains`"),
            ("userIdentity.type: ['Ro*', '*ot']", "`startswith`"),
            ("userIdentity.type: '*ot'", "`endswith`"),
            ("userIdentity.type|re: 'Root'", "no regular expression"),
            (
                "userIdentity.type|contains: '*Root'",
                "stands there already",
            ),
        ] {
            let text = GOOD.replace("userIdentity.type: Root", value);
            assert_eq!(about(&text, words).1, 17, "{value}");
        }
        let fine = GOOD.replace(
            "userIdentity.type: Root",
            "userIdentity.type|re: '^R[o]+t$'",
        );
        assert_eq!(told(&fine), []);
    }

    #[test]
    fn fields_that_the_log_does_not_have_are_told() {
        let text = GOOD.replace("userIdentity.type: Root", "evntName: x");
        assert_eq!(
            about(&text, "`evntName`"),
            (
                DiagnosticKind::UnknownField,
                17,
                DiagnosticSeverity::Warning
            )
        );
        let other = text.replace("product: aws", "product: other");
        assert_eq!(told(&other), []);
        let reference = GOOD.replace(
            "userIdentity.type: Root",
            "userIdentity.type|fieldref: evntName",
        );
        assert_eq!(about(&reference, "`evntName`").1, 17);
    }

    #[test]
    fn conditions_that_cannot_tell_records_apart_are_told() {
        let with = |parts: &str, condition: &str| {
            GOOD.replace(
                "    selection:\n        userIdentity.type: Root\n    condition: selection",
                &format!("{parts}\n    condition: {condition}"),
            )
        };
        let a = "    a:\n        eventName: x\n    b:\n        eventName: [x, y]";
        for (condition, kind) in [
            ("a and not a and b", DiagnosticKind::NeverMatches),
            ("a and not b", DiagnosticKind::NeverMatches),
            ("b or not a", DiagnosticKind::AlwaysMatches),
            ("not (a and not b)", DiagnosticKind::AlwaysMatches),
        ] {
            let told = told(&with(a, condition));
            assert!(
                told.iter().any(|one| one.kind == kind),
                "{condition}: {told:?}"
            );
        }
        for parts in [
            "    a:\n        eventName: x\n    b:\n        eventName|exists: false",
            "    a:\n        eventName|contains: x\n    b:\n        eventName|exists: false",
        ] {
            let told = told(&with(parts, "a and b"));
            assert!(
                told.iter()
                    .any(|one| one.kind == DiagnosticKind::NeverMatches),
                "{told:?}"
            );
        }
        let longer =
            "    a:\n        eventName|contains: abc\n    b:\n        eventName|contains: B";
        let told_of = told(&with(longer, "a and not b"));
        assert!(
            told_of
                .iter()
                .any(|one| one.kind == DiagnosticKind::NeverMatches)
        );
        // A field may have several values.
        for (parts, condition) in [
            (a, "a and b"),
            (a, "b and not a"),
            (
                "    a:\n        eventName: x\n    b:\n        eventName: y",
                "a and b",
            ),
            (
                "    a:\n        eventName: null\n    b:\n        eventName: y",
                "a and b",
            ),
        ] {
            assert_eq!(told(&with(parts, condition)), [], "{condition}");
        }
    }
}
