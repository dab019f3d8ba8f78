//! Fields and values of a detection: which the log does not have, which are said better.

use std::ops::Range;

use super::{FieldKnowledge, text_of};
use crate::diagnostic::{DiagnosticKind, Problem};
use crate::pattern::{Part, Pattern};
use crate::rule::LogSource;
use crate::yaml::{Data, Entry, Node, ScalarKind};

pub(super) fn check(
    node: &Node,
    knowledge: &dyn Fn(&LogSource, &str) -> FieldKnowledge,
    problems: &mut Vec<Problem>,
) {
    let part = |key: &str| {
        let source = &node.get("logsource")?.value;
        text_of(source, key).map(|(text, _)| text.to_owned())
    };
    let logsource = LogSource {
        product: part("product"),
        category: part("category"),
        service: part("service"),
    };
    let section = node.get("detection").or_else(|| node.get("filter"));
    let Some(Data::Map(entries)) = section.map(|entry| &entry.value.data) else {
        return;
    };
    let mut checker = Checker {
        logsource,
        knowledge,
        problems,
    };
    for entry in entries {
        if !["condition", "timeframe", "rules"].contains(&entry.key.as_str()) {
            checker.selection(&entry.value);
        }
    }
}

struct Checker<'a> {
    logsource: LogSource,
    knowledge: &'a dyn Fn(&LogSource, &str) -> FieldKnowledge,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    /// Documents nest no deeper than the parser of YAML allows.
    fn selection(&mut self, node: &Node) {
        match &node.data {
            Data::Map(entries) => entries.iter().for_each(|entry| self.item(entry)),
            Data::List(items) => items.iter().for_each(|item| self.selection(item)),
            Data::Scalar(_) => {}
        }
    }

    fn item(&mut self, entry: &Entry) {
        let mut words = entry.key.split('|').map(str::trim);
        let field = words.next().unwrap_or_default();
        let modifiers: Vec<&str> = words.collect();
        self.field(field, &entry.key_span);
        let values: Vec<&Node> = match &entry.value.data {
            Data::List(items) => items.iter().map(|item| &**item).collect(),
            _ => vec![&entry.value],
        };
        for value in values {
            let Data::Scalar(scalar) = &value.data else {
                continue;
            };
            if scalar.kind != ScalarKind::Text {
                continue;
            }
            if modifiers.contains(&"fieldref") {
                self.field(&scalar.text, &value.span);
            } else if modifiers.contains(&"re") {
                self.regex(&scalar.text, &value.span);
            } else if !modifiers.contains(&"cidr") && !field.is_empty() {
                self.wildcards(&scalar.text, &value.span, &modifiers);
            }
        }
    }

    fn field(&mut self, field: &str, span: &Range<usize>) {
        if field.is_empty() {
            return;
        }
        if let FieldKnowledge::Unknown(meant) = (self.knowledge)(&self.logsource, field) {
            let problem = Problem::warning(
                DiagnosticKind::UnknownField,
                span,
                format!("this log has no field `{field}`"),
            );
            self.problems.push(match meant {
                Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                None => problem,
            });
        }
    }

    fn regex(&mut self, text: &str, span: &Range<usize>) {
        let plain = |one: char| {
            one.is_alphanumeric() || matches!(one, ' ' | '_' | '-' | '/' | ':' | '=' | ',')
        };
        if !text.is_empty() && text.chars().all(plain) {
            self.problems.push(
                Problem::note(
                    DiagnosticKind::Habit,
                    span,
                    format!("`{text}` needs no regular expression"),
                )
                .help("`contains|cased` finds the same, and faster"),
            );
        }
    }

    fn wildcards(&mut self, text: &str, span: &Range<usize>, modifiers: &[&str]) {
        let parts = Pattern::parse(text).parts;
        let place = ["contains", "startswith", "endswith"]
            .into_iter()
            .find(|name| modifiers.contains(name));
        let modifier = match (place, parts.as_slice()) {
            (None, [Part::Any, Part::Text(_), Part::Any]) => "contains",
            (None, [Part::Text(_), Part::Any]) => "startswith",
            (None, [Part::Any, Part::Text(_)]) => "endswith",
            (Some(name), [first, .., last]) => {
                let before = name != "startswith" && *first == Part::Any;
                let behind = name != "endswith" && *last == Part::Any;
                if before || behind {
                    self.problems.push(Problem::note(
                        DiagnosticKind::Habit,
                        span,
                        format!("the `*` of `{name}` stands there already"),
                    ));
                }
                return;
            }
            _ => return,
        };
        self.problems.push(Problem::note(
            DiagnosticKind::Habit,
            span,
            format!("`{modifier}` says the same without `*`"),
        ));
    }
}
