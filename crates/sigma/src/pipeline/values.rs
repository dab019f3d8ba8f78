//! What stands in the YAML of a pipeline: strings, lists, maps of names to values.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, DiagnosticKind, Problem, Source};
use crate::rule::LogSource;
use crate::yaml::{self, Data, Node};

/// Why a pipeline is refused.
pub(super) fn refuse(span: &Range<usize>, message: impl Into<String>) -> Problem {
    Problem::error(DiagnosticKind::Pipeline, span, message)
}

/// Reads the only document of a file.
pub(super) fn read<T>(
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

pub(super) fn values_by_name(node: &Node) -> Result<BTreeMap<String, Vec<String>>, Problem> {
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

/// A list of strings; a single string counts as a list of one.
pub(super) fn texts(node: &Node) -> Result<Vec<String>, Problem> {
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

pub(super) fn text(node: &Node, key: &str) -> Result<Option<String>, Problem> {
    match node.get(key) {
        Some(entry) => Ok(texts(&entry.value)?.into_iter().next()),
        None => Ok(None),
    }
}

pub(super) fn wanted_text(node: &Node, key: &str) -> Result<String, Problem> {
    text(node, key)?.ok_or_else(|| refuse(&node.span, format!("`{key}` is missing")))
}

pub(super) fn list<'n>(node: &'n Node, key: &str) -> Result<Vec<&'n Node>, Problem> {
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

pub(super) fn logsource(node: &Node) -> Result<LogSource, Problem> {
    Ok(LogSource {
        product: text(node, "product")?,
        category: text(node, "category")?,
        service: text(node, "service")?,
    })
}
