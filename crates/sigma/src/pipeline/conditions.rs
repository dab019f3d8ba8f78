//! Which rules and fields a step of a pipeline is for.

use std::collections::BTreeSet;

use regex::Regex;

use super::values::{list, logsource, refuse, text, texts, wanted_text};
use crate::diagnostic::Problem;
use crate::rule::LogSource;
use crate::yaml::Node;

/// Conditions and how they are joined.
#[derive(Clone, Debug)]
pub(super) struct Conditions<T> {
    tests: Vec<T>,
    any: bool,
    negated: bool,
}

impl<T> Conditions<T> {
    pub(super) fn hold(&self, holds: impl Fn(&T) -> bool) -> bool {
        let together = match (self.tests.is_empty(), self.any) {
            (true, _) => return true,
            (_, true) => self.tests.iter().any(holds),
            (_, false) => self.tests.iter().all(holds),
        };
        together != self.negated
    }
}

/// A test of a rule.
#[derive(Clone, Debug)]
pub(super) enum RuleTest {
    LogSource(LogSource),
    Applied(String),
    Tag(String),
    HasField(String),
}

/// A test of a field's name.
#[derive(Clone, Debug)]
pub(super) struct FieldTest {
    plain: BTreeSet<String>,
    patterns: Vec<Regex>,
    excludes: bool,
}

impl FieldTest {
    pub(super) fn holds(&self, field: &str) -> bool {
        let named = self.plain.contains(field)
            || self.patterns.iter().any(|pattern| pattern.is_match(field));
        named != self.excludes
    }
}

/// Reads the conditions under a key, each by `read`, and how they are joined.
pub(super) fn conditions<T>(
    step: &Node,
    key: &str,
    joined: &str,
    read: fn(&Node) -> Result<T, Problem>,
) -> Result<Conditions<T>, Problem> {
    let tests = list(step, key)?
        .into_iter()
        .map(read)
        .collect::<Result<_, _>>()?;
    let flag = |name: String| text(step, &name);
    Ok(Conditions {
        tests,
        any: match flag(format!("{joined}_op"))?.as_deref() {
            None | Some("and") => false,
            Some("or") => true,
            Some(other) => {
                return Err(refuse(
                    &step.span,
                    format!("conditions are joined by `and` or `or`, not by `{other}`"),
                ));
            }
        },
        negated: flag(format!("{joined}_not"))?.as_deref() == Some("true"),
    })
}

pub(super) fn rule_test(node: &Node) -> Result<RuleTest, Problem> {
    let kind = wanted_text(node, "type")?;
    Ok(match kind.as_str() {
        "logsource" => RuleTest::LogSource(logsource(node)?),
        "processing_item_applied" => RuleTest::Applied(wanted_text(node, "processing_item_id")?),
        "tag" => RuleTest::Tag(wanted_text(node, "tag")?),
        "contains_field" => RuleTest::HasField(wanted_text(node, "field")?),
        other => {
            return Err(refuse(
                &node.span,
                format!("a condition of type `{other}` on rules is not known here"),
            )
            .help("known are logsource, processing_item_applied, tag, contains_field"));
        }
    })
}

pub(super) fn field_test(node: &Node) -> Result<FieldTest, Problem> {
    let kind = wanted_text(node, "type")?;
    let excludes = match kind.as_str() {
        "include_fields" => false,
        "exclude_fields" => true,
        other => {
            return Err(refuse(
                &node.span,
                format!("a condition of type `{other}` on fields is not known here"),
            )
            .help("known are include_fields, exclude_fields"));
        }
    };
    let entry = node
        .get("fields")
        .ok_or_else(|| refuse(&node.span, "`fields` is missing"))?;
    let names = texts(&entry.value)?;
    let mut test = FieldTest {
        plain: BTreeSet::new(),
        patterns: Vec::new(),
        excludes,
    };
    match text(node, "mode")?.as_deref() {
        None | Some("plain") => test.plain.extend(names),
        Some("re") => {
            for name in names {
                // From the beginning of the name, as the reference implementation matches.
                let pattern = regex::RegexBuilder::new(&format!(r"\A(?:{name})"))
                    .size_limit(1 << 20)
                    .build()
                    .map_err(|_| {
                        refuse(
                            &entry.value.span,
                            format!("`{name}` is not a regular expression"),
                        )
                    })?;
                test.patterns.push(pattern);
            }
        }
        Some(other) => {
            return Err(refuse(
                &node.span,
                format!("a mode is `plain` or `re`, not `{other}`"),
            ));
        }
    }
    Ok(test)
}
