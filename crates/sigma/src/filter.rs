//! Sigma filters: documents that narrow other rules down.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::detection::Leaf;
use crate::diagnostic::{Diagnostic, DiagnosticKind, DiagnosticSeverity};
use crate::expression::Expression;
use crate::rule::{LogSource, Rule};

/// A Sigma filter: a condition that matches of other rules must meet as well.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Its globally unique id.
    pub id: Option<String>,
    /// What it is for, in a few words.
    pub title: String,
    /// Why, at length.
    pub description: String,
    /// The logs of the rules that it may narrow down.
    pub logsource: LogSource,
    /// The rules that it narrows down.
    pub rules: Filtered,
    /// The file that it was read from.
    pub file: Arc<str>,
    /// The line on which it begins, from 1.
    pub line: usize,
    pub(crate) condition: Expression<Leaf>,
    pub(crate) paths: Vec<Arc<str>>,
}

/// Which rules a filter narrows down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filtered {
    /// All for its log source.
    Any,
    /// These, by id or name.
    Named(Vec<String>),
}

/// Narrows rules down: each matches from now on only where the filters for it hold too. The log
/// source of a filter must name nothing that the rule's does not.
///
/// Tells of filters that name a rule that is not there, and of those that fit none.
pub fn apply_filters(rules: &mut [Rule], filters: &[Filter]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut numbers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, rule) in rules.iter().enumerate() {
        for name in [&rule.id, &rule.name].into_iter().flatten() {
            numbers.entry(name.clone()).or_default().push(number);
        }
    }
    for filter in filters {
        let mut chosen: Vec<usize> = match &filter.rules {
            Filtered::Any => (0..rules.len()).collect(),
            Filtered::Named(names) => {
                for name in names.iter().filter(|name| !numbers.contains_key(*name)) {
                    diagnostics.push(filter.warning(format!("there is no rule `{name}`")));
                }
                names
                    .iter()
                    .filter_map(|name| numbers.get(name))
                    .flatten()
                    .copied()
                    .collect()
            }
        };
        chosen.sort_unstable();
        chosen.dedup();
        let named = chosen.len();
        let mut applied = 0;
        for number in chosen {
            let Some(rule) = rules.get_mut(number) else {
                continue;
            };
            if !filter.logsource.includes(&rule.logsource) {
                continue;
            }
            applied += 1;
            let before = std::mem::replace(&mut rule.condition, Expression::All(Vec::new()));
            rule.condition = Expression::all(vec![before, filter.condition.clone()]);
            rule.paths.extend(filter.paths.iter().cloned());
            rule.paths.sort();
            rule.paths.dedup();
        }
        if named > 0 && applied == 0 {
            diagnostics.push(filter.warning("none of its rules is for its log source".to_owned()));
        }
    }
    diagnostics
}

impl Filter {
    fn warning(&self, message: String) -> Diagnostic {
        Diagnostic {
            file: self.file.clone(),
            line: self.line,
            column: 1,
            span: 0..0,
            severity: DiagnosticSeverity::Warning,
            kind: DiagnosticKind::Filter,
            message: format!("{}: {message}", self.title),
            help: None,
        }
    }
}
