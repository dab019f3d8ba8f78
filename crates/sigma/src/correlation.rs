//! Correlations: documents that say what several matches mean together.
//!
//! This module reads them; [`crate::correlate`] evaluates them. The types of Sigma's
//! specification are read here whole. A type with a prefix of its own (`portreeve.first_seen`) is
//! an extension: its settings are kept with their places, for whoever knows the type to read
//! through a [`SettingsReader`]. Another tool refuses such a type rather than misread it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use portreeve_model::{Severity, Tactic, Technique};

use crate::Verdict;
use crate::condition::{self, Condition};
use crate::diagnostic::{Diagnostic, DiagnosticKind, DiagnosticSeverity, Problem, Source};
use crate::expression::Expression;
use crate::parse::{Head, attack_tags};
use crate::rule::Status;
use crate::settings::SettingsReader;
use crate::yaml::{self, Data, Node, ScalarKind};

/// A Sigma correlation: what it is called, which rules it looks at, and what makes it fire.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// Its globally unique id.
    pub id: Option<String>,
    /// A name by which other correlations may refer to it.
    pub name: Option<String>,
    /// What it detects, in a few words.
    pub title: String,
    /// How mature it is.
    pub status: Option<Status>,
    /// How much it matters when it fires. One without a level counts as medium.
    pub level: Severity,
    /// What it detects, at length.
    pub description: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// All tags as written.
    pub tags: Vec<String>,
    /// The ATT&CK techniques among the tags.
    pub techniques: Vec<Technique>,
    /// The ATT&CK tactics among the tags.
    pub tactics: Vec<Tactic>,
    /// Where its author learnt of the behaviour.
    pub references: Vec<String>,
    /// Known harmless causes.
    pub falsepositives: Vec<String>,
    /// The file that it was read from.
    pub file: Arc<str>,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The map under the top-level key `portreeve`; null where there is none.
    pub fields: serde_json::Value,
    /// What kind of correlation it is.
    pub kind: CorrelationKind,
    /// The rules and correlations that it refers to, by name or id, in its order.
    pub rules: Vec<String>,
    /// Whether the rules that it refers to also stand for themselves. If not, they are parts of
    /// this one and show nothing alone.
    pub generate: bool,
    /// The fields that must agree: each combination of their values is a group of its own.
    pub group_by: Vec<String>,
    /// What a field of `group_by` is called in the records of a rule: alias, rule, field.
    pub aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// Within how many seconds it must happen.
    pub timespan: Option<u64>,
    /// From which count, sum or number of rules it fires.
    pub condition: Option<Threshold>,
    /// Which of its rules must match, where the condition is over their names.
    pub rule_condition: Option<RuleCondition>,
    pub(crate) settings: Vec<Setting>,
}

/// The types of correlation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorrelationKind {
    /// So many matches.
    EventCount,
    /// So many different values of a field.
    ValueCount,
    /// The sum of a field.
    ValueSum,
    /// The mean of a field.
    ValueAverage,
    /// A percentile of a field.
    ValuePercentile,
    /// All rules, in any order.
    Temporal,
    /// All rules, in their order.
    TemporalOrdered,
    /// A type of somebody's own, with its prefix.
    Extension(String),
}

impl CorrelationKind {
    fn new(word: &str) -> Option<Self> {
        Some(match word {
            "event_count" => Self::EventCount,
            "value_count" => Self::ValueCount,
            "value_sum" => Self::ValueSum,
            "value_avg" => Self::ValueAverage,
            // The median is the percentile that has a name.
            "value_percentile" | "value_median" => Self::ValuePercentile,
            "temporal" => Self::Temporal,
            "temporal_ordered" => Self::TemporalOrdered,
            _ if word.starts_with("portreeve.") => Self::Extension(word.to_owned()),
            _ => return None,
        })
    }

    fn is_temporal(&self) -> bool {
        matches!(self, Self::Temporal | Self::TemporalOrdered)
    }

    fn measures(&self) -> bool {
        matches!(
            self,
            Self::ValueCount | Self::ValueSum | Self::ValueAverage | Self::ValuePercentile
        )
    }
}

/// A condition on a number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Threshold {
    /// The fields whose values are counted or measured.
    pub fields: Vec<String>,
    /// Which percentile.
    pub percentile: Option<f64>,
    /// Every bound; all must hold.
    pub bounds: Vec<(Bound, f64)>,
}

/// A condition over the rules of a correlation: `a and (b or not c)`.
#[derive(Clone, Debug)]
pub struct RuleCondition {
    /// The leaves are places in the correlation's rules.
    pub(crate) expression: Expression<usize>,
}

impl RuleCondition {
    /// Whether it holds, told by which of the correlation's rules matched.
    pub fn holds(&self, is_matched: &dyn Fn(usize) -> bool) -> bool {
        let verdict = self
            .expression
            .evaluate(&mut |rule| Verdict::from(is_matched(*rule)));
        verdict == Verdict::Yes
    }

    /// Whether more can only help: it asks for nothing that must not be there.
    pub fn only_rises(&self) -> bool {
        fn is_plain(expression: &Expression<usize>) -> bool {
            match expression {
                Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                    parts.iter().all(is_plain)
                }
                Expression::Not(_) => false,
                Expression::Leaf(_) => true,
            }
        }
        is_plain(&self.expression)
    }
}

/// How a number must stand to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Greater.
    Above,
    /// Greater or equal.
    AtLeast,
    /// Less.
    Below,
    /// Less or equal.
    AtMost,
    /// Equal.
    Equal,
    /// Not equal.
    Unequal,
}

impl Threshold {
    /// Whether a number meets the condition.
    pub fn holds(&self, number: f64) -> bool {
        self.bounds.iter().all(|(bound, limit)| match bound {
            Bound::Above => number > *limit,
            Bound::AtLeast => number >= *limit,
            Bound::Below => number < *limit,
            Bound::AtMost => number <= *limit,
            Bound::Equal => number == *limit,
            Bound::Unequal => number != *limit,
        })
    }

    /// Whether more can only help: then it is decided as soon as it holds, without waiting for
    /// what else the time span brings.
    pub fn only_rises(&self) -> bool {
        self.bounds
            .iter()
            .all(|(bound, _)| matches!(bound, Bound::Above | Bound::AtLeast))
    }

    /// The largest number that a bound names.
    pub fn largest(&self) -> f64 {
        self.bounds
            .iter()
            .map(|(_, limit)| *limit)
            .fold(0.0, f64::max)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) place: (usize, usize),
    pub(crate) value: Arc<Node>,
}

/// The longest time span, in seconds: ten years.
const LONGEST: u64 = 3_660 * 86_400;
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

fn over_rules(
    source: &Source<'_>,
    node: &Node,
    rules: &[String],
    problems: &mut Vec<Problem>,
) -> Result<RuleCondition, Problem> {
    let text = node.text().unwrap_or_default();
    let written = source.text.get(node.span.clone()).unwrap_or_default();
    let names: Vec<&str> = rules.iter().map(String::as_str).collect();
    let reader = Condition {
        names: &names,
        span: node.span.clone(),
        offset: written.find(text).map(|at| node.span.start + at),
    };
    let expression = reader.read(text)?;
    let mut used = vec![false; rules.len()];
    expression.leaves(&mut |rule| {
        if let Some(used) = used.get_mut(*rule) {
            *used = true;
        }
    });
    for (name, _) in rules.iter().zip(used).filter(|(_, used)| !used) {
        problems.push(Problem::warning(
            DiagnosticKind::Correlation,
            &node.span,
            format!("the condition does not use `{name}`"),
        ));
    }
    Ok(RuleCondition { expression })
}

pub(crate) fn problem(span: &Range<usize>, message: impl Into<String>) -> Problem {
    Problem::error(DiagnosticKind::Correlation, span, message)
}

/// A list of strings; a single string counts as a list of one.
pub(crate) fn texts(node: &Node, key: &str) -> Result<Vec<String>, Problem> {
    let items: Vec<&Node> = match &node.data {
        Data::List(items) => items.iter().map(|item| &**item).collect(),
        _ => vec![node],
    };
    items
        .into_iter()
        .map(|item| match item.text() {
            Some(text) => Ok(text.to_owned()),
            None => Err(problem(
                &item.span,
                format!("{} in `{key}`, where a string is expected", item.noun()),
            )),
        })
        .collect()
}

/// `90m`: a number and `s`, `m`, `h`, `d` or `w`, in seconds.
pub(crate) fn duration(node: &Node) -> Result<u64, Problem> {
    let odd = || {
        problem(&node.span, "not a time span")
            .help("write a number and a letter: 30s, 15m, 8h, 14d, 2w")
    };
    let text = node.text().ok_or_else(odd)?;
    let digits = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        // The mean month and year, as the reference implementation takes them.
        "M" => 2_629_746,
        "y" => 31_556_952,
        _ => return Err(odd()),
    };
    let number: u64 = digits.parse().map_err(|_| odd())?;
    number
        .checked_mul(unit)
        .filter(|seconds| (1..=LONGEST).contains(seconds))
        .ok_or_else(|| {
            problem(
                &node.span,
                "a time span is one second at least, ten years at most",
            )
        })
}

pub(crate) fn number(node: &Node) -> Result<f64, Problem> {
    let parsed = match &node.data {
        Data::Scalar(scalar) if matches!(scalar.kind, ScalarKind::Number(_)) => {
            scalar.text.parse::<f64>().ok()
        }
        _ => None,
    };
    parsed.filter(|number| number.is_finite()).ok_or_else(|| {
        problem(
            &node.span,
            format!("{} where a number is expected", node.noun()),
        )
    })
}

fn threshold(node: &Node) -> Result<Threshold, Problem> {
    let Data::Map(entries) = &node.data else {
        return Err(problem(
            &node.span,
            format!("the condition is {}, not a map", node.noun()),
        ));
    };
    if let Some(entry) = yaml::repeated_key(entries) {
        return Err(problem(
            &entry.key_span,
            format!("`{}` stands twice in this condition", entry.key),
        ));
    }
    let mut threshold = Threshold::default();
    for entry in entries {
        let bound = match entry.key.as_str() {
            "field" => {
                threshold.fields = texts(&entry.value, "field")?;
                continue;
            }
            "percentile" => {
                let percentile = number(&entry.value)?;
                if !(0.0..=100.0).contains(&percentile) {
                    return Err(problem(&entry.value.span, "a percentile is 0 to 100"));
                }
                threshold.percentile = Some(percentile);
                continue;
            }
            "gt" => Bound::Above,
            "gte" => Bound::AtLeast,
            "lt" => Bound::Below,
            "lte" => Bound::AtMost,
            "eq" => Bound::Equal,
            "neq" => Bound::Unequal,
            other => {
                return Err(
                    problem(&entry.key_span, format!("a condition knows no `{other}`"))
                        .help("use gt, gte, lt, lte, eq or neq, and field for what is counted"),
                );
            }
        };
        threshold.bounds.push((bound, number(&entry.value)?));
    }
    if threshold.bounds.is_empty() {
        return Err(problem(&node.span, "a condition without any bound"));
    }
    Ok(threshold)
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

impl Correlation {
    /// Something to tell about it, at its first line.
    pub fn diagnostic(
        &self,
        severity: DiagnosticSeverity,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            file: self.file.clone(),
            line: self.line,
            column: 1,
            span: 0..0,
            severity,
            kind: DiagnosticKind::Correlation,
            message: format!("{}: {}", self.title, message.into()),
            help: None,
        }
    }

    /// The name of a field in the records of a rule: an alias is followed, where it has one for
    /// this rule.
    pub fn field<'f>(&'f self, field: &'f str, rule: &[&str]) -> &'f str {
        self.aliases
            .get(field)
            .and_then(|of_rules| rule.iter().find_map(|name| of_rules.get(*name)))
            .map_or(field, String::as_str)
    }

    /// A reader of the settings of an extension.
    pub fn settings(&self) -> SettingsReader<'_> {
        SettingsReader::new(self)
    }

    /// Everything that decides when it fires, in one text: where it changes, what was remembered
    /// for it means nothing any more.
    pub fn definition(&self) -> String {
        let mut settings: Vec<String> = self
            .settings
            .iter()
            .map(|setting| format!("{}={}", setting.key, setting.value.to_json()))
            .collect();
        settings.extend(
            self.rule_condition
                .iter()
                .map(|condition| format!("{:?}", condition.expression)),
        );
        format!(
            "{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}",
            self.kind,
            self.rules,
            self.group_by,
            self.aliases,
            self.timespan,
            self.condition,
            settings
        )
    }
}
