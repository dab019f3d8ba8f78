//! Processing pipelines, in the YAML of pySigma: what a rule's fields are called in one's own logs.
//!
//! A pipeline is written for tools that make queries of rules. Here it changes rules before they are
//! compiled, so that what only concerns a query's text has no meaning and is refused by name.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use regex::Regex;

use crate::detection::{self, Leaf};
use crate::diagnostic::{Diagnostic, DiagnosticKind, DiagnosticSeverity, Problem, Source};
use crate::expression::Expression;
use crate::parse::paths;
use crate::predicate::{Predicate, Test};
use crate::rule::{LogSource, Rule};
use crate::yaml::{self, Data, Node};

/// The most steps of a pipeline.
const MAX_STEPS: usize = 1_000;
/// The most tests that a pipeline may make of a rule's.
const MAX_TESTS: usize = 200_000;

/// A processing pipeline.
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    /// Its name.
    pub name: Option<String>,
    /// Of several, the one with the lowest priority comes first.
    pub priority: i64,
    steps: Vec<Step>,
    placeholders: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug)]
struct Step {
    id: Option<String>,
    change: Change,
    rules: Conditions<RuleTest>,
    fields: Conditions<FieldTest>,
}

#[derive(Clone, Debug)]
enum Change {
    Rename(BTreeMap<String, Vec<Arc<str>>>),
    Prefixes(Vec<(String, Vec<String>)>),
    Around(String, String),
    Drop,
    Add(Expression<Leaf>),
    LogSource(LogSource),
    Refuse(String),
    /// Values of placeholders, which the whole pipeline gives.
    Nothing,
}

/// Conditions and how they are joined.
#[derive(Clone, Debug)]
struct Conditions<T> {
    tests: Vec<T>,
    any: bool,
    negated: bool,
}

impl<T> Conditions<T> {
    fn hold(&self, holds: impl Fn(&T) -> bool) -> bool {
        let together = match (self.tests.is_empty(), self.any) {
            (true, _) => return true,
            (_, true) => self.tests.iter().any(holds),
            (_, false) => self.tests.iter().all(holds),
        };
        together != self.negated
    }
}

#[derive(Clone, Debug)]
enum RuleTest {
    LogSource(LogSource),
    Applied(String),
    Tag(String),
    HasField(String),
}

#[derive(Clone, Debug)]
struct FieldTest {
    plain: BTreeSet<String>,
    patterns: Vec<Regex>,
    excludes: bool,
}

impl FieldTest {
    fn holds(&self, field: &str) -> bool {
        let named = self.plain.contains(field)
            || self.patterns.iter().any(|pattern| pattern.is_match(field));
        named != self.excludes
    }
}

fn refuse(span: &Range<usize>, message: impl Into<String>) -> Problem {
    Problem::error(DiagnosticKind::Pipeline, span, message)
}

/// Reads the only document of a file.
fn read<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&Node) -> Result<T, Problem>,
) -> Result<T, Box<Diagnostic>> {
    let source = Source::new(file, text);
    let document = || {
        if text.len() > yaml::MAX_FILE_BYTES {
            let message = format!("a file of more than {} bytes", yaml::MAX_FILE_BYTES);
            return Err(Problem::error(DiagnosticKind::Limit, &(0..0), message));
        }
        let ranges = yaml::documents(text);
        let [range] = ranges.as_slice() else {
            return Err(refuse(&(0..0), "the file is to hold one document"));
        };
        match yaml::read(text, range)? {
            Some(node) => read(&node),
            None => Err(refuse(&(0..0), "the file is empty")),
        }
    };
    document().map_err(|problem| Box::new(source.diagnostic(problem)))
}

/// Reads the values of placeholders: a map of names, without percent signs, to a value or a list.
///
/// # Errors
///
/// Where the file is not such a map.
pub fn parse_placeholders(
    file: &str,
    text: &str,
) -> Result<BTreeMap<String, Vec<String>>, Box<Diagnostic>> {
    read(file, text, values_by_name)
}

fn values_by_name(node: &Node) -> Result<BTreeMap<String, Vec<String>>, Problem> {
    let Data::Map(entries) = &node.data else {
        return Err(refuse(
            &node.span,
            format!("{} where a map of names to values is expected", node.noun()),
        ));
    };
    let mut values = BTreeMap::new();
    for entry in entries {
        values.insert(entry.key.clone(), texts(&entry.value)?);
    }
    Ok(values)
}

fn texts(node: &Node) -> Result<Vec<String>, Problem> {
    let one = |node: &Node| {
        node.text().map(str::to_owned).ok_or_else(|| {
            refuse(
                &node.span,
                format!("{} where a string is expected", node.noun()),
            )
        })
    };
    match &node.data {
        Data::List(items) => items.iter().map(|item| one(item)).collect(),
        _ => Ok(vec![one(node)?]),
    }
}

fn text(node: &Node, key: &str) -> Result<Option<String>, Problem> {
    match node.get(key) {
        Some(entry) => Ok(texts(&entry.value)?.into_iter().next()),
        None => Ok(None),
    }
}

fn wanted_text(node: &Node, key: &str) -> Result<String, Problem> {
    text(node, key)?.ok_or_else(|| refuse(&node.span, format!("`{key}` is missing")))
}

fn list<'n>(node: &'n Node, key: &str) -> Result<Vec<&'n Node>, Problem> {
    match node.get(key).map(|entry| &entry.value) {
        None => Ok(Vec::new()),
        Some(value) => match &value.data {
            Data::List(items) => Ok(items.iter().map(|item| &**item).collect()),
            // A map of names to what would stand in the list.
            Data::Map(entries) => Ok(entries.iter().map(|entry| &*entry.value).collect()),
            Data::Scalar(_) => Err(refuse(&value.span, format!("`{key}` is to be a list"))),
        },
    }
}

fn logsource(node: &Node) -> Result<LogSource, Problem> {
    Ok(LogSource {
        product: text(node, "product")?,
        category: text(node, "category")?,
        service: text(node, "service")?,
    })
}

impl Pipeline {
    /// Reads a pipeline.
    ///
    /// # Errors
    ///
    /// Where it is no pipeline, or asks for something that has a meaning for queries alone: rules
    /// that were changed by half of it would match other things than they were meant for.
    pub fn parse(file: &str, text: &str) -> Result<Self, Box<Diagnostic>> {
        read(file, text, Self::read)
    }

    fn read(node: &Node) -> Result<Self, Problem> {
        let Data::Map(entries) = &node.data else {
            return Err(refuse(
                &node.span,
                format!("a pipeline is a map, and this is {}", node.noun()),
            ));
        };
        for entry in entries {
            match entry.key.as_str() {
                "name" | "priority" | "vars" | "transformations" | "allowed_backends" => {}
                other => {
                    return Err(refuse(
                        &entry.key_span,
                        format!("`{other}` changes queries, of which there are none here"),
                    ));
                }
            }
        }
        let vars = match node.get("vars") {
            Some(entry) => values_by_name(&entry.value)?,
            None => BTreeMap::new(),
        };
        let priority = match text(node, "priority")? {
            Some(number) => number
                .parse()
                .map_err(|_| refuse(&node.span, "`priority` is to be a whole number"))?,
            None => 0,
        };
        let mut pipeline = Self {
            name: text(node, "name")?,
            priority,
            ..Self::default()
        };
        let steps = list(node, "transformations")?;
        if steps.len() > MAX_STEPS {
            let message = format!("a pipeline of more than {MAX_STEPS} steps");
            return Err(Problem::error(DiagnosticKind::Limit, &node.span, message));
        }
        for step in steps {
            let change = change(step, &vars, &mut pipeline.placeholders)?;
            if step.get("detection_item_conditions").is_some() {
                return Err(refuse(
                    &step.span,
                    "`detection_item_conditions` are not known here",
                ));
            }
            pipeline.steps.push(Step {
                id: text(step, "id")?,
                change,
                rules: conditions(step, "rule_conditions", "rule_cond", rule_test)?,
                fields: conditions(step, "field_name_conditions", "field_name_cond", field_test)?,
            });
        }
        Ok(pipeline)
    }

    /// The values that it gives to placeholders, for
    /// [`Matcher::with_placeholders`](crate::Matcher::with_placeholders).
    pub fn placeholders(&self) -> &BTreeMap<String, Vec<String>> {
        &self.placeholders
    }

    /// Changes rules. Those that it refuses are taken out and told of.
    pub fn apply(&self, rules: &mut Vec<Rule>) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        rules.retain_mut(|rule| match self.change(rule) {
            Ok(()) => true,
            Err(message) => {
                diagnostics.push(Diagnostic {
                    file: rule.file.clone(),
                    line: rule.line,
                    column: 1,
                    span: 0..0,
                    severity: DiagnosticSeverity::Error,
                    kind: DiagnosticKind::Pipeline,
                    message: format!("{}: {message}", rule.title),
                    help: None,
                });
                false
            }
        });
        diagnostics
    }

    fn change(&self, rule: &mut Rule) -> Result<(), String> {
        let mut applied: BTreeSet<&str> = BTreeSet::new();
        for step in &self.steps {
            let fits = step.rules.hold(|test| match test {
                RuleTest::LogSource(wanted) => wanted.includes(&rule.logsource),
                RuleTest::Applied(id) => applied.contains(id.as_str()),
                RuleTest::Tag(tag) => rule.tags.contains(tag),
                RuleTest::HasField(field) => rule.paths.iter().any(|path| **path == **field),
            });
            if !fits {
                continue;
            }
            step.run(rule)?;
            applied.extend(step.id.as_deref());
            if rule.condition.size() > MAX_TESTS {
                return Err(format!(
                    "the pipeline makes more than {MAX_TESTS} tests of it"
                ));
            }
            rule.paths = paths(&rule.condition);
        }
        Ok(())
    }
}

impl Step {
    fn run(&self, rule: &mut Rule) -> Result<(), String> {
        match &self.change {
            Change::Nothing => {}
            Change::Refuse(message) => return Err(message.clone()),
            Change::LogSource(new) => rule.logsource = new.clone(),
            Change::Add(more) => {
                let before = std::mem::replace(&mut rule.condition, Expression::All(Vec::new()));
                rule.condition = Expression::all(vec![more.clone(), before]);
            }
            Change::Drop => match without(&rule.condition, &|field| self.names(field)) {
                Some(rest) => rule.condition = rest,
                None => return Err("the pipeline leaves nothing of its condition".to_owned()),
            },
            Change::Rename(_) | Change::Prefixes(_) | Change::Around(..) => {
                rule.condition = rule
                    .condition
                    .try_map(&mut |leaf| Ok::<_, String>(self.renamed(leaf)))?;
                for path in &mut rule.shown {
                    if let Some(first) = self.new_names(path).first() {
                        *path = first.to_string();
                    }
                }
            }
        }
        Ok(())
    }

    fn names(&self, field: &str) -> bool {
        self.fields.hold(|test| test.holds(field))
    }

    /// What a field is called from now on; itself where nothing is said of it.
    fn new_names(&self, field: &str) -> Vec<Arc<str>> {
        if !self.names(field) {
            return vec![field.into()];
        }
        match &self.change {
            Change::Rename(names) => names.get(field).cloned(),
            Change::Prefixes(prefixes) => prefixes.iter().find_map(|(prefix, new)| {
                let rest = field.strip_prefix(prefix.as_str())?;
                Some(
                    new.iter()
                        .map(|new| format!("{new}{rest}").into())
                        .collect(),
                )
            }),
            Change::Around(before, behind) => Some(vec![format!("{before}{field}{behind}").into()]),
            _ => None,
        }
        .unwrap_or_else(|| vec![field.into()])
    }

    fn renamed(&self, leaf: &Leaf) -> Expression<Leaf> {
        let each = |field: &Option<Arc<str>>, with: &dyn Fn(Option<Arc<str>>) -> Vec<Leaf>| {
            let names = match field {
                Some(field) => self.new_names(field).into_iter().map(Some).collect(),
                None => vec![None],
            };
            let leaves = names.into_iter().flat_map(with);
            Expression::any(leaves.map(Expression::Leaf).collect())
        };
        match leaf {
            Leaf::Pending(item, place) => each(&item.field, &|field| {
                let mut item = (**item).clone();
                item.field = field;
                vec![Leaf::Pending(Arc::new(item), *place)]
            }),
            Leaf::Ready(predicate) => each(&predicate.field, &|field| {
                let tests = match &predicate.test {
                    Test::Reference {
                        other,
                        place,
                        cased,
                    } => self
                        .new_names(other)
                        .into_iter()
                        .map(|other| Test::Reference {
                            other,
                            place: *place,
                            cased: *cased,
                        })
                        .collect(),
                    test => vec![test.clone()],
                };
                tests
                    .into_iter()
                    .map(|test| {
                        Leaf::Ready(Predicate {
                            field: field.clone(),
                            test,
                        })
                    })
                    .collect()
            }),
        }
    }
}

/// A condition without the tests of some fields; none where nothing is left.
fn without(
    condition: &Expression<Leaf>,
    is_unwanted: &dyn Fn(&str) -> bool,
) -> Option<Expression<Leaf>> {
    let each = |parts: &[Expression<Leaf>]| -> Vec<Expression<Leaf>> {
        parts
            .iter()
            .filter_map(|part| without(part, is_unwanted))
            .collect()
    };
    let some = |parts: Vec<Expression<Leaf>>| (!parts.is_empty()).then_some(parts);
    match condition {
        Expression::All(parts) => some(each(parts)).map(Expression::all),
        Expression::Any(parts) => some(each(parts)).map(Expression::any),
        Expression::AtLeast(count, parts) => {
            some(each(parts)).map(|parts| Expression::AtLeast((*count).min(parts.len()), parts))
        }
        Expression::Not(inner) => {
            without(inner, is_unwanted).map(|inner| Expression::Not(Box::new(inner)))
        }
        Expression::Leaf(leaf) => {
            let field = match leaf {
                Leaf::Ready(predicate) => predicate.field.as_deref(),
                Leaf::Pending(item, _) => item.field.as_deref(),
            };
            (!field.is_some_and(is_unwanted)).then(|| Expression::Leaf(leaf.clone()))
        }
    }
}

fn change(
    step: &Node,
    vars: &BTreeMap<String, Vec<String>>,
    placeholders: &mut BTreeMap<String, Vec<String>>,
) -> Result<Change, Problem> {
    let kind = wanted_text(step, "type")?;
    let mapping = || -> Result<BTreeMap<String, Vec<String>>, Problem> {
        let entry = step
            .get("mapping")
            .ok_or_else(|| refuse(&step.span, "`mapping` is missing"))?;
        values_by_name(&entry.value)
    };
    Ok(match kind.as_str() {
        "field_name_mapping" => Change::Rename(
            mapping()?
                .into_iter()
                .map(|(from, to)| (from, to.into_iter().map(Arc::from).collect()))
                .collect(),
        ),
        "field_name_prefix_mapping" => {
            let mut prefixes: Vec<(String, Vec<String>)> = mapping()?.into_iter().collect();
            // Of two prefixes the longer says more.
            prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
            Change::Prefixes(prefixes)
        }
        "field_name_prefix" => Change::Around(wanted_text(step, "prefix")?, String::new()),
        "field_name_suffix" => Change::Around(String::new(), wanted_text(step, "suffix")?),
        "drop_detection_item" => Change::Drop,
        "add_condition" => {
            let entry = step
                .get("conditions")
                .ok_or_else(|| refuse(&step.span, "`conditions` is missing"))?;
            let added = detection::selection(&entry.value, &mut Vec::new())?;
            Change::Add(match text(step, "negated")?.as_deref() {
                Some("true") => Expression::Not(Box::new(added)),
                _ => added,
            })
        }
        "change_logsource" => Change::LogSource(logsource(step)?),
        "rule_failure" => Change::Refuse(wanted_text(step, "message")?),
        "value_placeholders" | "wildcard_placeholders" => {
            let names = match (step.get("include"), step.get("exclude")) {
                (Some(entry), _) => Some(texts(&entry.value)?),
                (None, Some(entry)) => {
                    return Err(refuse(
                        &entry.key_span,
                        "`exclude` is not known here; name them under `include`",
                    ));
                }
                (None, None) => None,
            };
            if kind == "wildcard_placeholders" {
                let names = names.ok_or_else(|| {
                    refuse(
                        &step.span,
                        "name the placeholders that any value may stand for under `include`",
                    )
                })?;
                placeholders.extend(names.into_iter().map(|name| (name, vec!["*".to_owned()])));
            } else {
                let is_named =
                    |name: &String| names.as_ref().is_none_or(|names| names.contains(name));
                let named = vars.iter().filter(|(name, _)| is_named(name));
                placeholders.extend(named.map(|(name, values)| (name.clone(), values.clone())));
            }
            Change::Nothing
        }
        other => {
            return Err(refuse(
                &step.span,
                format!("a transformation of type `{other}` is not known, or changes queries, of which there are none here"),
            )
            .help("known are field_name_mapping, field_name_prefix_mapping, field_name_prefix, field_name_suffix, drop_detection_item, add_condition, change_logsource, rule_failure, value_placeholders, wildcard_placeholders"));
        }
    })
}

fn conditions<T>(
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

fn rule_test(node: &Node) -> Result<RuleTest, Problem> {
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

fn field_test(node: &Node) -> Result<FieldTest, Problem> {
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
