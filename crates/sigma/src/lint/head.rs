//! Titles, ids, dates, tags: what the specification says of them, and what rule collections expect.

use super::{habit, text_of};
use crate::diagnostic::{DiagnosticKind, Problem};
use crate::modifier::closest;
use crate::yaml::{Data, Node};

/// The keys that the specifications of rules, correlations and filters name, and ours.
const KEYS: &[&str] = &[
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "references",
    "author",
    "date",
    "modified",
    "logsource",
    "detection",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "correlation",
    "filter",
    "generate",
    "portreeve",
];
const LONGEST_TITLE: usize = 256;
const LONGEST_DESCRIPTION: usize = 65_535;

/// Rules specification, "Yaml File": how a file is called.
pub(super) fn file_name(file: &str, problems: &mut Vec<Problem>) {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let fits = name.strip_suffix(".yml").is_some_and(|stem| {
        stem.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        })
    });
    if !fits || !(10..=70).contains(&name.len()) {
        problems.push(
            Problem::note(
                DiagnosticKind::Habit,
                &(0..0),
                format!("`{name}` is not the usual form of a file name"),
            )
            .help("10 to 70 lower-case letters, digits and `_`, and `.yml` behind them"),
        );
    }
}

pub(super) fn check(node: &Node, problems: &mut Vec<Problem>) {
    let Data::Map(entries) = &node.data else {
        return;
    };
    let start = entries.first().map_or(0..0, |entry| entry.key_span.clone());
    let is_rule = node.get("detection").is_some();
    let mut wanted = vec!["id", "description"];
    if is_rule {
        wanted.extend(["status", "level"]);
    }
    // Parts of correlations need no more than a name.
    let is_part = node.get("name").is_some() && node.get("id").is_none();
    for key in wanted
        .iter()
        .filter(|key| !is_part && node.get(key).is_none())
    {
        problems.push(Problem::note(
            DiagnosticKind::Habit,
            &start,
            format!("the rule has no `{key}`"),
        ));
    }
    for entry in entries {
        if let Some(known) =
            closest(&entry.key, KEYS.iter().copied()).filter(|known| *known != entry.key)
            && !KEYS.contains(&entry.key.as_str())
        {
            problems.push(habit(
                &entry.key_span,
                format!(
                    "`{}` means nothing here; did you mean `{known}`?",
                    entry.key
                ),
            ));
        }
    }
    if let Some((title, span)) =
        text_of(node, "title").filter(|(title, _)| title.chars().count() > LONGEST_TITLE)
    {
        let length = title.chars().count();
        problems.push(habit(
            span,
            format!("a title of {length} characters, where {LONGEST_TITLE} are the most"),
        ));
    }
    if let Some((_, span)) =
        text_of(node, "description").filter(|(text, _)| text.chars().count() > LONGEST_DESCRIPTION)
    {
        problems.push(habit(
            span,
            format!("a description of more than {LONGEST_DESCRIPTION} characters"),
        ));
    }
    if let Some((id, span)) = text_of(node, "id").filter(|(id, _)| !is_uuid(id)) {
        problems.push(
            habit(span, format!("the id `{id}` is not a UUID"))
                .help("make a new one at random (version 4)"),
        );
    }
    dates(node, problems);
    for key in ["references", "tags", "falsepositives"] {
        if let Some(entry) = node
            .get(key)
            .filter(|entry| !matches!(entry.value.data, Data::List(_)))
        {
            problems.push(habit(&entry.value.span, format!("`{key}` is to be a list")));
        }
    }
    if let Some(Data::List(tags)) = node.get("tags").map(|entry| &entry.value.data) {
        for tag in tags {
            let text = tag.text().unwrap_or_default();
            if !text
                .split_once('.')
                .is_some_and(|(space, name)| !space.is_empty() && !name.is_empty())
            {
                problems.push(
                    habit(&tag.span, format!("the tag `{text}` has no namespace"))
                        .help("write it as `attack.t1078`, `cve.2021-44228` or the like"),
                );
            }
        }
    }
    for key in ["product", "category", "service"] {
        let Some((value, span)) = node
            .get("logsource")
            .and_then(|entry| text_of(&entry.value, key))
        else {
            continue;
        };
        if value
            .chars()
            .any(|one| one.is_uppercase() || one.is_whitespace())
        {
            problems.push(habit(
                span,
                format!("`{value}` is to be in lower case, with `_` for spaces"),
            ));
        }
    }
}

fn dates(node: &Node, problems: &mut Vec<Problem>) {
    let mut known: Vec<&str> = Vec::new();
    for key in ["date", "modified"] {
        let Some((text, span)) = text_of(node, key) else {
            continue;
        };
        if text.len() == 10 && crate::date::DatePart::Day.of(text).is_some() {
            if known.first().is_some_and(|date| text < *date) {
                problems.push(habit(span, "the rule was modified before its `date`"));
            }
            known.push(text);
        } else {
            problems.push(habit(
                span,
                format!("`{text}` is not a date as `2026-01-31`"),
            ));
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
