//! The difference of two states of an estate, as reports show it.

use portreeve_graph::{ChangedPolicy, Difference, PolicyFate, Way};
use portreeve_model::BlindSpot;
use serde::Serialize;

use crate::{name, text};

/// What `diff` writes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Change<'a> {
    /// What is known of the intruder's requests, in the user's words.
    pub given: &'a [String],
    /// Doors and ways that the change opened and closed.
    #[serde(flatten)]
    pub difference: &'a Difference,
    /// Policies and memberships that differ.
    pub policies: &'a [ChangedPolicy],
    /// What a plan leaves open until it is applied: what hangs on it may open too.
    pub unknown: &'a [BlindSpot],
    /// What could not be seen after the change.
    pub blind_spots: &'a [BlindSpot],
}

/// The lists of ways, each with its heading.
pub(crate) fn lists(difference: &Difference) -> [(&'static str, &[Way]); 4] {
    [
        ("Ways opened", &difference.opened),
        ("Ways with weaker conditions", &difference.weakened),
        ("Ways closed", &difference.closed),
        ("Ways with stronger conditions", &difference.strengthened),
    ]
}

/// The change in a line.
pub(crate) fn headline(change: &Change<'_>) -> String {
    let difference = change.difference;
    let counted = |count: usize, one: &str, many: &str, what: &str| {
        (count > 0).then(|| format!("{} {what}", text::counted(count as u64, one, many)))
    };
    let parts = [
        counted(difference.opened.len(), "way", "ways", "opened"),
        counted(difference.doors_opened.len(), "door", "doors", "opened"),
        counted(difference.weakened.len(), "way", "ways", "weakened"),
        counted(difference.closed.len(), "way", "ways", "closed"),
        counted(difference.doors_closed.len(), "door", "doors", "closed"),
        counted(difference.strengthened.len(), "way", "ways", "strengthened"),
        counted(difference.doors_changed.len(), "door", "doors", "changed"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "No door and no way to a crown jewel opened or closed".to_owned(),
        false => parts.join(", "),
    }
}

/// What a way hangs on now and before, in words; empty where nothing stands in it on either side.
pub(crate) fn conditions(way: &Way) -> String {
    let words = |list: &[String]| match list {
        [] => "no condition".to_owned(),
        list => list.join(", "),
    };
    let now = &way.path.conditions;
    match &way.conditions_before {
        Some(before) => format!("{}; before {}", words(now), words(before)),
        None if now.is_empty() => String::new(),
        None => format!("if {}", words(now)),
    }
}

/// A changed policy, in words.
pub(crate) fn policy(one: &ChangedPolicy) -> String {
    let subject = name::short(one.subject.as_str());
    let named = match one.name.starts_with("arn:") {
        true => name::short(&one.name),
        false => &one.name,
    };
    match (one.layer, one.change) {
        (None, PolicyFate::Added) => format!("{subject} joined {named}"),
        (None, _) => format!("{subject} left {named}"),
        (Some(layer), fate) => {
            let statements = match one.statements.as_slice() {
                [] => String::new(),
                [only] => format!(" (statement {only})"),
                several => format!(" (statements {})", several.join(", ")),
            };
            let (layer, fate) = (layer.as_str(), fate.as_str());
            format!("{layer} policy {named} of {subject} {fate}{statements}")
        }
    }
}
