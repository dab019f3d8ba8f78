//! A condition on a count, sum or number of rules.

use super::values::{number, problem, texts};
use crate::diagnostic::Problem;
use crate::yaml::{self, Data, Node};

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

/// Reads the condition of a correlation that counts or measures.
pub(super) fn threshold(node: &Node) -> Result<Threshold, Problem> {
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
