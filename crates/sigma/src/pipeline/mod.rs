//! Processing pipelines, in the YAML of pySigma: what a rule's fields are called in one's own logs.
//!
//! A pipeline is written for tools that make queries of rules. Here it changes rules before they are
//! compiled, so that what only concerns a query's text has no meaning and is refused by name.

mod change;
mod conditions;
mod step;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use self::change::change;
use self::conditions::{conditions, field_test, rule_test};
use self::step::Step;
use self::values::{list, read, refuse, text, values_by_name};
use crate::diagnostic::{Diagnostic, DiagnosticKind, DiagnosticSeverity, Problem};
use crate::parse::paths;
use crate::rule::Rule;
use crate::yaml::{Data, Node};

pub use self::values::parse_placeholders;

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
            let fits = step.is_for(rule, &applied);
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
