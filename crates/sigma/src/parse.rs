//! A rule file: its documents, their heads, and what their conditions stand for.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use portreeve_model::{Severity, Tactic, Technique};

use crate::collection::Collection;
use crate::condition::Condition;
use crate::correlation::{self, Correlation};
use crate::detection::{self, Leaf};
use crate::diagnostic::{Diagnostic, DiagnosticKind, DiagnosticSeverity, Problem, Source};
use crate::expression::Expression;
use crate::filter::{Filter, Filtered};
use crate::rule::{LogSource, Rule};
use crate::yaml::{self, Data, Entry, Node};

/// The most diagnostics that one file gives.
const MAX_DIAGNOSTICS: usize = 100;
/// The most tests that a condition may stand for when its search identifiers are written out.
const MAX_TESTS: usize = 200_000;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// The correlations, in the order of the file.
    pub correlations: Vec<Correlation>,
    /// The filters, in the order of the file. [`crate::apply_filters`] narrows rules down by them.
    pub filters: Vec<Filter>,
    /// What is to be said about the file, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file of Sigma rules.
///
/// A file may hold several documents. A document that cannot be used is told of by a diagnostic;
/// the others are read all the same. `file` names the file in diagnostics and rules.
pub fn parse(file: &str, text: &str) -> Parsed {
    let source = Source::new(file, text);
    let mut parsed = Parsed::default();
    let mut problems = Vec::new();
    if text.len() > yaml::MAX_FILE_BYTES {
        problems.push(Problem::error(
            DiagnosticKind::Limit,
            &(0..0),
            format!("a rule file of more than {} bytes", yaml::MAX_FILE_BYTES),
        ));
    } else {
        let mut collection = Collection::default();
        for range in yaml::documents(text) {
            let node = yaml::read(text, &range).and_then(|node| match node {
                Some(node) => collection.take(node),
                None => Ok(None),
            });
            match node {
                Ok(Some(node)) => match document(&source, &node, &mut problems) {
                    Ok(Some(Document::Rule(rule))) => parsed.rules.push(*rule),
                    Ok(Some(Document::Filter(filter))) => parsed.filters.push(*filter),
                    Ok(Some(Document::Correlation(correlation))) => {
                        parsed.correlations.push(*correlation);
                    }
                    Ok(None) => {}
                    Err(problem) => problems.push(problem),
                },
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
    }
    problems.sort_by_key(|problem| problem.span.start);
    if problems.len() > MAX_DIAGNOSTICS {
        // Errors come first when not all can be told.
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
        let dropped = problems.len() - MAX_DIAGNOSTICS;
        problems.truncate(MAX_DIAGNOSTICS);
        problems.sort_by_key(|problem| problem.span.start);
        problems.push(Problem::note(
            DiagnosticKind::Limit,
            &(text.len()..text.len()),
            format!("{dropped} more in this file"),
        ));
    }
    parsed.diagnostics = problems
        .into_iter()
        .map(|problem| source.diagnostic(problem))
        .collect();
    parsed
}

/// What a document turned out to be.
enum Document {
    Rule(Box<Rule>),
    Correlation(Box<Correlation>),
    Filter(Box<Filter>),
}

fn document(
    source: &Source<'_>,
    node: &Arc<Node>,
    problems: &mut Vec<Problem>,
) -> Result<Option<Document>, Problem> {
    let entries = match &node.data {
        Data::Map(entries) => entries,
        // `---` with nothing behind it.
        Data::Scalar(_) if node.text().is_none() => return Ok(None),
        _ => {
            return Err(Problem::error(
                DiagnosticKind::Head,
                &node.span,
                format!("a rule is a map, and this is {}", node.noun()),
            ));
        }
    };
    if let Some(entry) = yaml::repeated_key(entries) {
        return Err(Problem::error(
            DiagnosticKind::Yaml,
            &entry.key_span,
            format!("`{}` stands twice in this rule", entry.key),
        ));
    }
    if let Some(entry) = node.get("correlation") {
        let read = correlation::correlation(source, node, &entry.value, problems)?;
        return Ok(read.map(|read| Document::Correlation(Box::new(read))));
    }
    if let Some(entry) = node.get("filter") {
        let filter = filter(source, node, entry, problems)?;
        return Ok(Some(Document::Filter(Box::new(filter))));
    }
    let mut head = Head { node, problems };
    let title = head.required_text("title")?;
    let logsource = head.logsource()?;
    let level = head.level();
    let status = head.word("status", |text| text.parse().ok());
    if matches!(
        status,
        Some(crate::Status::Deprecated | crate::Status::Unsupported)
    ) {
        let span = head
            .node
            .get("status")
            .map_or(0..0, |entry| entry.value.span.clone());
        head.problems.push(Problem::note(
            DiagnosticKind::Head,
            &span,
            "its author says that this rule is not to be used any more",
        ));
    }
    let tags = head.texts("tags");
    let (techniques, tactics) = attack_tags(&tags);
    let fields = node
        .get("portreeve")
        .map_or(serde_json::Value::Null, |entry| entry.value.to_json());
    let Some(detection) = node.get("detection") else {
        return Err(Problem::error(
            DiagnosticKind::Detection,
            &(node.span.start..node.span.start),
            "the rule has no `detection`",
        ));
    };
    let condition = condition(source, detection, head.problems)?;
    let line = entries
        .first()
        .map_or(node.span.start, |entry| entry.key_span.start);
    Ok(Some(Document::Rule(Box::new(Rule {
        id: head.text("id"),
        name: head.text("name"),
        title,
        status,
        level,
        description: head.text("description").unwrap_or_default(),
        author: head.text("author"),
        license: head.text("license"),
        tags,
        techniques,
        tactics,
        references: head.texts("references"),
        falsepositives: head.texts("falsepositives"),
        shown: head.texts("fields"),
        logsource,
        file: source.file.clone(),
        line: source.locate(line).0,
        fields,
        paths: paths(&condition),
        condition,
    }))))
}

/// The fields that a condition asks for, in alphabetical order, each once.
pub(crate) fn paths(condition: &Expression<Leaf>) -> Vec<Arc<str>> {
    let mut paths = BTreeSet::new();
    condition.leaves(&mut |leaf| match leaf {
        Leaf::Ready(predicate) => paths.extend(predicate.paths().cloned()),
        Leaf::Pending(item, _) => paths.extend(item.field.clone()),
    });
    paths.into_iter().collect()
}

/// Reads the document whose key `filter` is `section`.
fn filter(
    source: &Source<'_>,
    node: &Node,
    section: &Entry,
    problems: &mut Vec<Problem>,
) -> Result<Filter, Problem> {
    let mut head = Head { node, problems };
    let title = head.required_text("title")?;
    let logsource = head.logsource()?;
    let refuse =
        |span: &Range<usize>, message: &str| Problem::error(DiagnosticKind::Filter, span, message);
    let Some(rules) = section.value.get("rules") else {
        return Err(refuse(&section.key_span, "the filter has no `rules`")
            .help("name rules by id or name, or write `any`"));
    };
    let all = |text: &str| text.eq_ignore_ascii_case("any") || text.eq_ignore_ascii_case("all");
    let rules = match &rules.value.data {
        Data::List(items) if items.is_empty() => Filtered::Any,
        Data::List(items) => {
            let names: Option<Vec<String>> = items
                .iter()
                .map(|item| item.text().map(str::to_owned))
                .collect();
            Filtered::Named(names.ok_or_else(|| {
                refuse(
                    &rules.value.span,
                    "`rules` holds ids and names of rules only",
                )
            })?)
        }
        _ => match rules.value.text() {
            Some(text) if all(text) => Filtered::Any,
            Some(text) => Filtered::Named(vec![text.to_owned()]),
            None => return Err(refuse(&rules.value.span, "`rules` names no rule")),
        },
    };
    let condition = condition(source, section, head.problems)?;
    if !matches!(condition, Expression::Not(_)) {
        head.problems.push(
            Problem::note(
                DiagnosticKind::Filter,
                &section.key_span,
                "this filter keeps the matches that meet its condition",
            )
            .help("write `not` before it to leave them out"),
        );
    }
    Ok(Filter {
        id: head.text("id"),
        title,
        description: head.text("description").unwrap_or_default(),
        logsource,
        rules,
        file: source.file.clone(),
        line: source.locate(node.span.start).0,
        paths: paths(&condition),
        condition,
    })
}

/// The ATT&CK techniques and tactics among tags, each once, in the order of the tags.
pub(crate) fn attack_tags(tags: &[String]) -> (Vec<Technique>, Vec<Tactic>) {
    let mut techniques: Vec<Technique> = Vec::new();
    let mut tactics: Vec<Tactic> = Vec::new();
    for tag in tags.iter().filter(|tag| tag.starts_with("attack.")) {
        match (Technique::new(tag), Tactic::from_tag(tag)) {
            (Some(technique), _) if !techniques.contains(&technique) => techniques.push(technique),
            (None, Some(tactic)) if !tactics.contains(&tactic) => tactics.push(tactic),
            _ => {}
        }
    }
    (techniques, tactics)
}

/// The top level of a rule.
pub(crate) struct Head<'a> {
    pub(crate) node: &'a Node,
    pub(crate) problems: &'a mut Vec<Problem>,
}

impl Head<'_> {
    fn missing(&self, key: &str) -> Problem {
        let start = self.node.span.start;
        Problem::error(
            DiagnosticKind::Head,
            &(start..start),
            format!("the rule has no `{key}`"),
        )
    }

    pub(crate) fn required_text(&mut self, key: &str) -> Result<String, Problem> {
        match self.text(key) {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(self.missing(key)),
        }
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        let entry = self.node.get(key)?;
        match (&entry.value.data, entry.value.text()) {
            (_, Some(text)) => Some(text.to_owned()),
            (Data::List(_) | Data::Map(_), None) => {
                self.odd(
                    &entry.value.span,
                    format!("`{key}` is {}, not a string", entry.value.noun()),
                );
                None
            }
            _ => None,
        }
    }

    /// A list of strings; a single string counts as a list of one.
    pub(crate) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(entry) = self.node.get(key) else {
            return Vec::new();
        };
        match &entry.value.data {
            Data::List(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    match item.text() {
                        Some(text) => texts.push(text.to_owned()),
                        None => self.odd(
                            &item.span,
                            format!("{} in `{key}`, where a string is expected", item.noun()),
                        ),
                    }
                }
                texts
            }
            _ => self.text(key).into_iter().collect(),
        }
    }

    fn odd(&mut self, span: &Range<usize>, message: String) {
        self.problems
            .push(Problem::warning(DiagnosticKind::Head, span, message));
    }

    pub(crate) fn word<T>(&mut self, key: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(key)?;
        let value = read(text.trim());
        if value.is_none()
            && let Some(entry) = self.node.get(key)
        {
            self.odd(
                &entry.value.span,
                format!("`{text}` is not a {key} that Sigma knows"),
            );
        }
        value
    }

    pub(crate) fn level(&mut self) -> Severity {
        self.word("level", |text| text.parse().ok())
            .unwrap_or(Severity::Medium)
    }

    fn logsource(&mut self) -> Result<LogSource, Problem> {
        let Some(entry) = self.node.get("logsource") else {
            return Err(self.missing("logsource"));
        };
        if !matches!(entry.value.data, Data::Map(_)) {
            return Err(Problem::error(
                DiagnosticKind::Head,
                &entry.value.span,
                format!("`logsource` is {}, not a map", entry.value.noun()),
            ));
        }
        let part = |key: &str| {
            entry
                .value
                .get(key)
                .and_then(|entry| entry.value.text())
                .map(str::to_owned)
        };
        let logsource = LogSource {
            product: part("product"),
            category: part("category"),
            service: part("service"),
        };
        if logsource == LogSource::default() {
            self.odd(
                &entry.key_span,
                "`logsource` names neither product nor category nor service".into(),
            );
        }
        Ok(logsource)
    }
}

/// The condition of a rule or filter with its search identifiers put in.
fn condition(
    source: &Source<'_>,
    detection: &Entry,
    problems: &mut Vec<Problem>,
) -> Result<Expression<Leaf>, Problem> {
    let is_filter = detection.key == "filter";
    let Data::Map(entries) = &detection.value.data else {
        return Err(Problem::error(
            DiagnosticKind::Detection,
            &detection.value.span,
            format!(
                "`{}` is {}, not a map",
                detection.key,
                detection.value.noun()
            ),
        ));
    };
    if let Some(entry) = yaml::repeated_key(entries) {
        return Err(Problem::error(
            DiagnosticKind::Detection,
            &entry.key_span,
            format!("`{}` stands twice in this {}", entry.key, detection.key),
        ));
    }
    let Some(condition) = detection.value.get("condition") else {
        return Err(Problem::error(
            DiagnosticKind::Condition,
            &detection.key_span,
            format!("the {} has no `condition`", detection.key),
        ));
    };
    let mut names = Vec::new();
    let mut name_spans = Vec::new();
    let mut selections = Vec::new();
    for entry in entries {
        match entry.key.as_str() {
            "condition" => {}
            "rules" if is_filter => {}
            "timeframe" => problems.push(
                Problem::warning(
                    DiagnosticKind::Detection,
                    &entry.key_span,
                    "`timeframe` has no meaning in a rule of Sigma 2",
                )
                .help("write a correlation document with a `timespan`"),
            ),
            name => {
                selections.push(detection::selection(&entry.value, problems)?);
                names.push(name);
                name_spans.push(&entry.key_span);
            }
        }
    }
    let lines: Vec<&Arc<Node>> = match &condition.value.data {
        Data::List(items) if !items.is_empty() => items.iter().collect(),
        _ => vec![&condition.value],
    };
    let mut parts = Vec::new();
    for line in lines {
        let Some(text) = line.text() else {
            return Err(Problem::error(
                DiagnosticKind::Condition,
                &line.span,
                format!("{} is not a condition", line.noun()),
            ));
        };
        let written = source.text.get(line.span.clone()).unwrap_or_default();
        let condition = Condition {
            names: &names,
            span: line.span.clone(),
            offset: written.find(text).map(|at| line.span.start + at),
        };
        parts.push(condition.read(text)?);
    }
    let references = Expression::any(parts);
    let mut size = 0usize;
    let mut used = vec![false; names.len()];
    references.leaves(&mut |index| {
        size = size.saturating_add(selections.get(*index).map_or(0, Expression::size));
        if let Some(used) = used.get_mut(*index) {
            *used = true;
        }
    });
    if size > MAX_TESTS {
        return Err(Problem::error(
            DiagnosticKind::Limit,
            &condition.value.span,
            format!("a condition of more than {MAX_TESTS} tests, search identifiers written out"),
        ));
    }
    for ((name, span), _) in names
        .iter()
        .zip(name_spans)
        .zip(used)
        .filter(|(_, used)| !used)
    {
        problems.push(Problem::warning(
            DiagnosticKind::Condition,
            span,
            format!("the condition does not use `{name}`"),
        ));
    }
    references.try_map(&mut |index| match selections.get(*index) {
        Some(selection) => selection.try_map(&mut |leaf| {
            Ok(Expression::Leaf(match leaf {
                Leaf::Pending(item, _) => {
                    Leaf::Pending(item.clone(), source.locate(item.span.start))
                }
                ready => ready.clone(),
            }))
        }),
        None => Err(Problem::error(
            DiagnosticKind::Condition,
            &condition.value.span,
            "no such search identifier",
        )),
    })
}

impl Parsed {
    /// Whether a document of the file could not be used.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == DiagnosticSeverity::Error)
    }
}
