//! Reading a correlation's document.

use std::collections::BTreeMap;

use super::rule_condition::over_rules;
use super::threshold::threshold;
use super::values::{duration, problem, texts};
use super::{Correlation, CorrelationKind, Setting};
use crate::condition;
use crate::diagnostic::{DiagnosticKind, Problem, Source};
use crate::parse::{Head, attack_tags};
use crate::yaml::{self, Data, Node};

/// The most rules that one correlation may refer to.
const MAX_RULES: usize = 200;

/// Reads the document whose key `correlation` is `entry`.
pub(crate) fn correlation(
    source: &Source<'_>,
    node: &Node,
    section: &Node,
    problems: &mut Vec<Problem>,
) -> Result<Option<Correlation>, Problem> {
    let Data::Map(entries) = &section.data else {
        return Err(problem(
            &section.span,
            format!("`correlation` is {}, not a map", section.noun()),
        ));
    };
    if let Some(entry) = yaml::repeated_key(entries) {
        return Err(problem(
            &entry.key_span,
            format!("`{}` stands twice in this correlation", entry.key),
        ));
    }
    let mut head = Head { node, problems };
    let title = head.required_text("title")?;
    let level = head.level();
    let status = head.word("status", |text| text.parse().ok());
    let tags = head.texts("tags");
    let (techniques, tactics) = attack_tags(&tags);
    let fields = node
        .get("portreeve")
        .map_or(serde_json::Value::Null, |entry| entry.value.to_json());

    let wanted = |key: &str| {
        section.get(key).ok_or_else(|| {
            problem(
                &(section.span.start..section.span.start),
                format!("the correlation has no `{key}`"),
            )
        })
    };
    let word = wanted("type")?;
    let kind = match word.value.text() {
        None => {
            return Err(problem(
                &word.value.span,
                format!("`type` is {}, not a string", word.value.noun()),
            ));
        }
        Some(text) => match CorrelationKind::new(text) {
            Some(kind) => kind,
            None => {
                // Other tools have types of their own too; their rules still run.
                head.problems.push(
                    Problem::warning(
                        DiagnosticKind::NotEvaluated,
                        &word.value.span,
                        format!("a correlation of type `{text}` is not evaluated"),
                    )
                    .help("the rules that it refers to run on their own"),
                );
                return Ok(None);
            }
        },
    };
    let extension = matches!(kind, CorrelationKind::Extension(_));
    let mut rules = match section.get("rules") {
        Some(entry) => texts(&entry.value, "rules")?,
        None if extension || (kind.is_temporal() && written_condition(section).is_some()) => {
            Vec::new()
        }
        None => texts(&wanted("rules")?.value, "rules")?,
    };
    if rules.len() > MAX_RULES {
        return Err(Problem::error(
            DiagnosticKind::Limit,
            &section.span,
            format!("a correlation of more than {MAX_RULES} rules"),
        ));
    }
    let group_by = match section.get("group-by") {
        Some(entry) => texts(&entry.value, "group-by")?,
        None => Vec::new(),
    };
    let timespan = match section.get("timespan") {
        Some(entry) => Some(duration(&entry.value)?),
        None if extension => None,
        None => {
            wanted("timespan")?;
            None
        }
    };
    let aliases = match section.get("aliases") {
        Some(entry) => aliases(&entry.value)?,
        None => BTreeMap::new(),
    };
    let mut condition = None;
    let mut rule_condition = None;
    match section.get("condition") {
        Some(entry) if kind.is_temporal() && entry.value.text().is_some() => {
            if section.get("rules").is_none() {
                rules = condition::words(entry.value.text().unwrap_or_default());
            }
            rule_condition = Some(over_rules(source, &entry.value, &rules, head.problems)?);
        }
        Some(entry) => condition = Some(threshold(&entry.value)?),
        None if kind.is_temporal() || extension => {}
        None => {
            wanted("condition")?;
        }
    }
    if let Some(condition) = &mut condition {
        let at = section
            .get("condition")
            .map_or(section.span.clone(), |entry| entry.value.span.clone());
        if kind.measures() && condition.fields.is_empty() {
            return Err(problem(&at, "the condition names no `field`"));
        }
        if word.value.text() == Some("value_median") {
            condition.percentile = Some(50.0);
        }
        if kind == CorrelationKind::ValuePercentile && condition.percentile.is_none() {
            return Err(problem(&at, "the condition names no `percentile`"));
        }
    }
    let generate = [section.get("generate"), node.get("generate")]
        .into_iter()
        .flatten()
        .any(|entry| entry.value.text() == Some("true"));
    const STANDARD: &[&str] = &[
        "type",
        "rules",
        "group-by",
        "timespan",
        "aliases",
        "condition",
        "generate",
    ];
    let mut settings = Vec::new();
    for entry in entries {
        if STANDARD.contains(&entry.key.as_str()) {
            continue;
        }
        if !extension {
            head.problems.push(Problem::warning(
                DiagnosticKind::Correlation,
                &entry.key_span,
                format!("`{}` means nothing in a correlation", entry.key),
            ));
            continue;
        }
        settings.push(Setting {
            key: entry.key.clone(),
            key_span: entry.key_span.clone(),
            place: source.locate(entry.key_span.start),
            value: entry.value.clone(),
        });
    }
    let line = match &node.data {
        Data::Map(entries) => entries
            .first()
            .map_or(node.span.start, |entry| entry.key_span.start),
        _ => node.span.start,
    };
    Ok(Some(Correlation {
        id: head.text("id"),
        name: head.text("name"),
        title,
        status,
        level,
        description: head.text("description").unwrap_or_default(),
        author: head.text("author"),
        tags,
        techniques,
        tactics,
        references: head.texts("references"),
        falsepositives: head.texts("falsepositives"),
        file: source.file.clone(),
        line: source.locate(line).0,
        fields,
        kind,
        rules,
        generate,
        group_by,
        aliases,
        timespan,
        condition,
        rule_condition,
        settings,
    }))
}

/// The condition, where it is over the names of rules.
fn written_condition(section: &Node) -> Option<&str> {
    section.get("condition")?.value.text()
}

fn aliases(node: &Node) -> Result<BTreeMap<String, BTreeMap<String, String>>, Problem> {
    let map = |node: &Node| match &node.data {
        Data::Map(entries) => Ok(entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.value.clone()))
            .collect::<Vec<_>>()),
        _ => Err(problem(
            &node.span,
            format!("{} in `aliases`, where a map is expected", node.noun()),
        )),
    };
    let mut aliases = BTreeMap::new();
    for (alias, fields) in map(node)? {
        let mut of_rules = BTreeMap::new();
        for (rule, field) in map(&fields)? {
            let text = field
                .text()
                .ok_or_else(|| problem(&field.span, "an alias stands for the name of a field"))?;
            of_rules.insert(rule, text.to_owned());
        }
        aliases.insert(alias, of_rules);
    }
    Ok(aliases)
}
