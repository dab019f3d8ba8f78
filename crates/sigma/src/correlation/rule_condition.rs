//! A condition over the names of a correlation's rules.

use crate::Verdict;
use crate::condition::Condition;
use crate::diagnostic::{DiagnosticKind, Problem, Source};
use crate::expression::Expression;
use crate::yaml::Node;

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

/// Reads a condition over `rules`, and tells of those that it does not use.
pub(super) fn over_rules(
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
