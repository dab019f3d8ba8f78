//! Sigma 1's counts behind a condition, written anew as correlation documents.

use std::fmt::Write as _;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, DiagnosticKind, Problem, Source};
use crate::yaml::{self, Data, Entry, Node};

/// A file with its counts written as correlations.
#[derive(Clone, Debug, Default)]
pub struct Converted {
    /// The file as it should be. Documents that hold no count stand there as they were.
    pub text: String,
    /// How many documents were changed.
    pub changed: usize,
    /// What could not be converted, and why. Its documents stand there as they were.
    pub diagnostics: Vec<Diagnostic>,
}

/// Writes each rule whose condition counts, as `selection | count(user) by host > 5`, as a
/// correlation that counts the matches of a rule without the count.
///
/// The correlation keeps the head: id, level, tags. The rule becomes its part, and shows nothing
/// alone. `near`, `min` and `max` have no counterpart of the same meaning, and are told of.
pub fn convert(file: &str, text: &str) -> Converted {
    let source = Source::new(file, text);
    let mut converted = Converted::default();
    let mut problems = Vec::new();
    let mut kept = 0;
    for range in yaml::documents(text) {
        let node = match yaml::read(text, &range) {
            Ok(Some(node)) => node,
            Ok(None) => continue,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        match document(text, &range, &node) {
            Ok(None) => {}
            Ok(Some(new)) => {
                let before = text.get(kept..range.start).unwrap_or_default();
                converted.text.push_str(before);
                let body = text.get(range.clone()).unwrap_or_default();
                // What stands behind `---` on its line stays there.
                let lead = body.len() - body.trim_start().len();
                converted
                    .text
                    .push_str(body.get(..lead).unwrap_or_default());
                converted.text.push_str(&new);
                converted.changed += 1;
                kept = range.end;
            }
            Err(problem) => problems.push(problem),
        }
    }
    converted
        .text
        .push_str(text.get(kept..).unwrap_or_default());
    converted.diagnostics = problems
        .into_iter()
        .map(|problem| source.diagnostic(problem))
        .collect();
    converted
}

/// A count behind a condition.
#[derive(Debug, PartialEq)]
struct Aggregation {
    kind: &'static str,
    field: Option<String>,
    group_by: Vec<String>,
    bound: &'static str,
    number: String,
}

fn refuse(span: &Range<usize>, message: impl Into<String>) -> Problem {
    Problem::error(DiagnosticKind::Condition, span, message)
}

fn document(text: &str, range: &Range<usize>, node: &Node) -> Result<Option<String>, Problem> {
    let Data::Map(entries) = &node.data else {
        return Ok(None);
    };
    let Some(detection) = node.get("detection") else {
        return Ok(None);
    };
    let Some(condition) = detection.value.get("condition") else {
        return Ok(None);
    };
    let span = condition.value.span.clone();
    let Some((selection, count)) = condition.value.text().and_then(|text| text.split_once('|'))
    else {
        return Ok(None);
    };
    let aggregation = aggregation(count).map_err(|reason| refuse(&span, reason))?;
    let timespan = detection
        .value
        .get("timeframe")
        .and_then(|entry| entry.value.text())
        .ok_or_else(|| {
            refuse(
                &span,
                "the rule has no `timeframe`, and a correlation needs a time span",
            )
            .help("add `timeframe: 5m` or the like to the detection")
        })?;
    let title = node
        .get("title")
        .and_then(|entry| entry.value.text())
        .ok_or_else(|| refuse(&node.span, "the rule has no `title`"))?;
    let written = |place: usize| -> Option<&str> {
        let start = entries.get(place)?.key_span.start;
        let end = entries
            .get(place + 1)
            .map_or(range.end, |next| next.key_span.start);
        text.get(start..end)
    };
    let in_block = entries.iter().all(|entry| {
        let before = text.get(..entry.key_span.start).unwrap_or_default();
        before.is_empty() || before.ends_with('\n')
    });
    if !in_block {
        return Err(refuse(
            &node.span,
            "only a rule whose keys stand at the beginning of lines can be written anew",
        ));
    }
    let name = match node.get("name").and_then(|entry| entry.value.text()) {
        Some(name) => name.to_owned(),
        None => name_of(title),
    };
    let mut correlation = String::new();
    let mut rule = format!(
        "title: {}\nname: {name}\n",
        quoted(&format!("{title}: one of them"))
    );
    for (place, entry) in entries.iter().enumerate() {
        let part = written(place).unwrap_or_default();
        match entry.key.as_str() {
            "name" => {}
            "detection" => rule.push_str(&without_count(part, entry, condition, selection.trim())),
            "logsource" | "fields" => push_lines(&mut rule, part),
            _ => push_lines(&mut correlation, part),
        }
    }
    let _ = write!(
        correlation,
        "correlation:\n    type: {}\n    rules:\n        - {name}\n",
        aggregation.kind
    );
    if !aggregation.group_by.is_empty() {
        correlation.push_str("    group-by:\n");
        for field in &aggregation.group_by {
            let _ = writeln!(correlation, "        - {}", quoted(field));
        }
    }
    let _ = write!(correlation, "    timespan: {timespan}\n    condition:\n");
    if let Some(field) = &aggregation.field {
        let _ = writeln!(correlation, "        field: {}", quoted(field));
    }
    let _ = writeln!(
        correlation,
        "        {}: {}",
        aggregation.bound, aggregation.number
    );
    Ok(Some(format!("{correlation}---\n{rule}")))
}

fn push_lines(into: &mut String, part: &str) {
    into.push_str(part.trim_end());
    into.push('\n');
}

/// The text of a detection with another condition, and without its time frame.
fn without_count(part: &str, detection: &Entry, condition: &Entry, selection: &str) -> String {
    let start = detection.key_span.start;
    let at = |offset: usize| offset.saturating_sub(start).min(part.len());
    let mut edits: Vec<(Range<usize>, String)> = vec![(
        at(condition.value.span.start)..at(condition.value.span.end),
        selection.to_owned(),
    )];
    if let Some(entry) = detection.value.get("timeframe") {
        let from = at(entry.key_span.start);
        let line = part
            .get(..from)
            .map_or(from, |before| before.trim_end_matches(' ').len());
        let end = at(entry.value.span.end);
        let behind = part.get(end..).unwrap_or_default();
        let rest = behind
            .find('\n')
            .map_or(part.len(), |found| end + found + 1);
        edits.push((line..rest, String::new()));
    }
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut text = part.to_owned();
    for (range, new) in edits {
        text.replace_range(range, &new);
    }
    let mut whole = String::new();
    push_lines(&mut whole, &text);
    whole
}

/// `count(field) by a, b > 5`.
fn aggregation(text: &str) -> Result<Aggregation, String> {
    let text = text.trim();
    let unknown = || format!("`{text}` is not a count that can be converted");
    if text.split_whitespace().next() == Some("near") {
        return Err(
            "`near` has no counterpart of the same meaning: write each of its parts as a rule, and a `temporal` correlation over them"
                .to_owned(),
        );
    }
    let (function, rest) = text.split_once('(').ok_or_else(unknown)?;
    let (field, rest) = rest.split_once(')').ok_or_else(unknown)?;
    let field = Some(field.trim())
        .filter(|field| !field.is_empty())
        .map(str::to_owned);
    let kind = match (function.trim(), &field) {
        ("count", None) => "event_count",
        ("count", Some(_)) => "value_count",
        ("sum", Some(_)) => "value_sum",
        ("avg", Some(_)) => "value_avg",
        ("min" | "max", _) => {
            return Err(format!(
                "Sigma 2 has no correlation for `{}`",
                function.trim()
            ));
        }
        _ => return Err(unknown()),
    };
    let at = rest.find(['<', '>', '=']).ok_or_else(unknown)?;
    let (group, comparison) = rest.split_at(at);
    let digits = comparison.trim_start_matches(['<', '>', '=']);
    let bound = match comparison
        .get(..comparison.len() - digits.len())
        .unwrap_or_default()
    {
        ">" => "gt",
        ">=" => "gte",
        "<" => "lt",
        "<=" => "lte",
        "=" | "==" => "eq",
        _ => return Err(unknown()),
    };
    let number = digits.trim();
    if !number.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(unknown());
    }
    let group = group.trim();
    let group_by = match group.strip_prefix("by") {
        Some(fields) if fields.starts_with(char::is_whitespace) => fields
            .split(',')
            .map(|field| field.trim().to_owned())
            .filter(|field| !field.is_empty())
            .collect(),
        None if group.is_empty() => Vec::new(),
        _ => return Err(unknown()),
    };
    Ok(Aggregation {
        kind,
        field,
        group_by,
        bound,
        number: number.to_owned(),
    })
}

/// A name made of a title.
fn name_of(title: &str) -> String {
    let words: String = title
        .chars()
        .map(|one| {
            if one.is_ascii_alphanumeric() {
                one.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    let name = words.split_whitespace().collect::<Vec<_>>().join("_");
    // A name that YAML would read as a number, or as nothing, needs more.
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name
    } else {
        format!("rule_{name}")
    }
}

/// A string as YAML writes it: plain where that is safe.
fn quoted(text: &str) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '.' | '-');
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic());
    if is_word && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bound, CorrelationKind, parse};

    const RULE: &str = "# Why this is here
title: Many failures: of one user
id: 0e95725d-7320-415d-80f7-004da920fc11
status: test
logsource:
    product: x
detection:
    selection:
        action: fail   # any
    condition: selection | count(host) by user, 'a b' >= 5
    timeframe: 10m
falsepositives:
    - None
level: high
";

    #[test]
    fn counts_become_correlations_over_the_rest() {
        let text = RULE
            .replace(
                "title: Many failures: of one user",
                "title: 'Many failures: of one user'",
            )
            .replace("'a b'", "a b");
        let whole = format!(
            "title: A\nlogsource: {{product: x}}\ndetection:\n    s: [x]\n    condition: s\n---\n{text}"
        );
        let converted = convert("r.yml", &whole);
        assert!(
            converted.diagnostics.is_empty(),
            "{:?}",
            converted.diagnostics
        );
        assert_eq!(converted.changed, 1);
        let parsed = parse("r.yml", &converted.text);
        assert!(
            parsed.diagnostics.is_empty(),
            "{}\n{:?}",
            converted.text,
            parsed.diagnostics
        );
        assert_eq!((parsed.rules.len(), parsed.correlations.len()), (2, 1));
        let one = &parsed.correlations[0];
        assert_eq!(one.title, "Many failures: of one user");
        assert_eq!(
            one.id.as_deref(),
            Some("0e95725d-7320-415d-80f7-004da920fc11")
        );
        assert_eq!(one.level.as_str(), "high");
        assert_eq!(one.kind, CorrelationKind::ValueCount);
        assert_eq!(one.group_by, ["user", "a b"]);
        assert_eq!(one.timespan, Some(600));
        let condition = one.condition.as_ref().unwrap();
        assert_eq!(condition.bounds, [(Bound::AtLeast, 5.0)]);
        assert_eq!(condition.fields, ["host"]);
        assert_eq!(parsed.rules[1].name.as_ref(), Some(&one.rules[0]));
        assert!(parsed.rules[1].id.is_none());
        assert!(converted.text.contains("action: fail   # any"));
        // What is converted already stays as it is.
        let again = convert("r.yml", &converted.text);
        assert_eq!((again.changed, again.text), (0, converted.text));
    }

    #[test]
    fn what_cannot_be_converted_stays_and_is_told() {
        for (condition, words) in [
            ("selection | near other", "`near`"),
            ("selection | max(n) > 5", "`max`"),
            ("selection | count() by user", "not a count"),
            ("selection | count() > many", "not a count"),
            ("selection | count > 5", "not a count"),
        ] {
            let text = RULE
                .replace(": of one user", "")
                .replace("selection | count(host) by user, 'a b' >= 5", condition);
            let converted = convert("r.yml", &text);
            assert_eq!(converted.changed, 0);
            assert_eq!(converted.text, text);
            assert!(
                converted.diagnostics[0].message.contains(words),
                "{:?}",
                converted.diagnostics
            );
            assert_eq!(converted.diagnostics[0].line, 10);
        }
        let timeless = RULE
            .replace(": of one user", "")
            .replace("    timeframe: 10m\n", "")
            .replace("'a b'", "b");
        assert!(
            convert("r.yml", &timeless).diagnostics[0]
                .message
                .contains("`timeframe`")
        );
    }

    #[test]
    fn all_functions_and_comparisons_are_read() {
        let read = |text: &str| {
            let one = aggregation(text).unwrap();
            (one.kind, one.bound, one.number)
        };
        assert_eq!(read("count() > 5"), ("event_count", "gt", "5".to_owned()));
        assert_eq!(
            read(" count( ) by a < 5 "),
            ("event_count", "lt", "5".to_owned())
        );
        assert_eq!(
            read("sum(n) by a<=1.5"),
            ("value_sum", "lte", "1.5".to_owned())
        );
        assert_eq!(
            read("avg(n) by a,b == 2"),
            ("value_avg", "eq", "2".to_owned())
        );
    }
}
