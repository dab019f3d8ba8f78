use std::collections::BTreeMap;

use portreeve_graph::{AttackPath, JewelKind};

use super::page::{GOOD, JEWEL, Page, STRONG, SUSPECT, Span, faint, plain};
use crate::{name, text};

/// A path: where it leads, whether anything stands in the way, and its steps.
pub(super) fn write(page: &mut Page, path: &AttackPath, jewels: &BTreeMap<&str, JewelKind>) {
    let target = name::of(path.to.as_str());
    let kind = jewels
        .get(path.to.as_str())
        .map_or(target.kind.title(), |kind| kind.title());
    let mut lead = vec![
        Span(JEWEL, format!("  ◆ {}", target.name)),
        faint(format!(
            "  {kind}, {}",
            text::counted(path.steps.len() as u64, "step", "steps")
        )),
    ];
    if path.conditions.is_empty() {
        lead.push(Span(SUSPECT, "  open: no condition on the way".into()));
    } else {
        lead.push(Span(
            GOOD,
            format!("  needs {}", path.conditions.join(", ")),
        ));
    }
    page.spans(4, &lead);
    let start = name::of(path.from.as_str());
    page.spans(
        6,
        &[
            plain("    from "),
            Span(STRONG, start.name.into()),
            faint(format!(" ({})", start.kind.title())),
        ],
    );
    for (number, step) in path.steps.iter().enumerate() {
        let mut spans = vec![
            faint(format!("    {}. ", number + 1)),
            plain(format!("{} → ", step.title)),
            Span(STRONG, name::short(step.to.as_str()).into()),
        ];
        if !step.permissions.is_empty() {
            spans.push(faint(format!("  {}", step.permissions.join(" "))));
        }
        if !step.conditions.is_empty() {
            spans.push(Span(GOOD, format!("  if {}", step.conditions.join(", "))));
        }
        page.spans(7, &spans);
    }
}
