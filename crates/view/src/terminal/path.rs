use std::collections::BTreeMap;

use portreeve_graph::{AttackPath, BlastRadius, JewelKind};
use portreeve_model::EntityId;

use super::page::{FAINT, GOOD, JEWEL, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
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

/// What can be reached, jewels first.
pub(super) fn blast_radius(page: &mut Page, start: &str, radius: &BlastRadius, options: &Options) {
    page.spans(
        0,
        &[
            plain("From "),
            Span(STRONG, name::short(start).into()),
            plain(" can be reached:"),
        ],
    );
    let lists: [(&str, &[EntityId], _); 3] = [
        ("Crown jewels", &radius.jewels, JEWEL),
        ("Principals to act as", &radius.principals, STRONG),
        ("Resources to act on", &radius.resources, FAINT),
    ];
    for (title, ids, style) in lists {
        page.heading(&format!("{title} ({})", text::count(ids.len() as u64)));
        let shown = options.list.unwrap_or(ids.len()).min(ids.len());
        for id in ids.iter().take(shown) {
            let read = name::of(id.as_str());
            let account = read
                .account
                .map(|account| format!(", {account}"))
                .unwrap_or_default();
            page.spans(
                4,
                &[
                    Span(style, format!("  {}", read.name)),
                    faint(format!("  {}{account}", read.kind.title())),
                ],
            );
        }
        left_out(page, (ids.len() - shown) as u64, "one", "ones", options);
    }
}
