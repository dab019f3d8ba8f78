//! Single values of a correlation: lists of strings, time spans, numbers.

use std::ops::Range;

use crate::diagnostic::{DiagnosticKind, Problem};
use crate::yaml::{Data, Node, ScalarKind};

/// The longest time span, in seconds: ten years.
const LONGEST: u64 = 3_660 * 86_400;

/// Something that is wrong with a correlation.
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

/// A finite number.
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
