use std::collections::BTreeMap;

use portreeve_graph::{Door, JewelKind, Way};

use super::page::{GOOD, JEWEL, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out, path, surroundings};
use crate::difference::{Change, conditions, headline, lists, policy};
use crate::{name, text};

/// Doors and ways that a change opened and closed, each with what opened it.
pub(super) fn change(page: &mut Page, change: &Change<'_>, options: &Options) {
    let difference = change.difference;
    let style = if difference.opens() { SUSPECT } else { GOOD };
    page.spans(0, &[Span(style.bold(), format!("{}.", headline(change)))]);
    if !change.given.is_empty() {
        page.spans(2, &[faint(format!("Given {}.", change.given.join(", ")))]);
    }
    doors(page, "Doors opened", &difference.doors_opened, options);
    if !difference.doors_changed.is_empty() {
        page.heading("Doors changed");
        for changed in &difference.doors_changed {
            let weaker = if changed.weaker { "weaker" } else { "other" };
            let words = |list: &[String]| match list {
                [] => "no condition".to_owned(),
                list => list.join(", "),
            };
            door(page, &changed.door);
            let now = words(&changed.door.conditions);
            let before = words(&changed.conditions_before);
            page.spans(4, &[faint(format!("    {weaker}: {now}; before {before}"))]);
        }
    }
    for (title, ways) in lists(difference) {
        let most = options.list.unwrap_or(ways.len()).min(ways.len());
        if ways.is_empty() {
            continue;
        }
        page.heading(&format!("{title} ({})", text::count(ways.len() as u64)));
        for (place, way) in ways.iter().take(most).enumerate() {
            if place > 0 {
                page.gap();
            }
            one(page, way);
        }
        left_out(page, (ways.len() - most) as u64, "way", "ways", options);
    }
    doors(page, "Doors closed", &difference.doors_closed, options);
    if !change.policies.is_empty() {
        let count = change.policies.len();
        page.heading(&format!(
            "Policies that differ ({})",
            text::count(count as u64)
        ));
        let most = options.list.unwrap_or(count).min(count);
        for one in change.policies.iter().take(most) {
            page.spans(4, &[plain(format!("  {}", policy(one)))]);
        }
        left_out(page, (count - most) as u64, "policy", "policies", options);
    }
    if !change.unknown.is_empty() {
        page.heading("Not known until the apply");
        for spot in change.unknown {
            page.spans(4, &[Span(SUSPECT, format!("  {}", spot.missing))]);
            page.spans(4, &[faint(format!("    {}.", spot.consequence))]);
        }
    }
    surroundings::blind_spots(page, change.blind_spots, options);
}

fn doors(page: &mut Page, title: &str, doors: &[Door], options: &Options) {
    if doors.is_empty() {
        return;
    }
    page.heading(&format!("{title} ({})", text::count(doors.len() as u64)));
    let most = options.list.unwrap_or(doors.len()).min(doors.len());
    doors.iter().take(most).for_each(|one| door(page, one));
    left_out(page, (doors.len() - most) as u64, "door", "doors", options);
}

fn door(page: &mut Page, door: &Door) {
    let mut spans = vec![
        Span(STRONG, format!("  {}", name::short(door.id.as_str()))),
        plain(" → "),
        Span(STRONG, name::short(door.to.as_str()).to_owned()),
        faint(format!("  {}", door.reason)),
    ];
    if !door.conditions.is_empty() {
        spans.push(Span(GOOD, format!("  if {}", door.conditions.join(", "))));
    }
    page.spans(4, &spans);
}

fn one(page: &mut Page, way: &Way) {
    let kinds: BTreeMap<&str, JewelKind> = BTreeMap::from([(way.to.as_str(), way.jewel)]);
    path::write(page, &way.path, &kinds);
    let conditions = conditions(way);
    if way.conditions_before.is_some() {
        page.spans(4, &[plain("    conditions: "), Span(GOOD, conditions)]);
    }
    if let Some(step) = way.changed_step() {
        let title = step.title.clone();
        let statements = match step.statements.as_slice() {
            [] => String::new(),
            list => format!(" by {}", list.join(", ")),
        };
        page.spans(
            4,
            &[
                plain("    the change is at step "),
                Span(STRONG, (way.step.unwrap_or_default() + 1).to_string()),
                plain(format!(", {title}{statements}")),
            ],
        );
    }
    for cause in &way.causes {
        page.spans(6, &[faint(format!("    {}", policy(cause)))]);
    }
    if !way.with_it.is_empty() {
        let count = way.with_it.len() as u64;
        let jewels = text::counted(count, "crown jewel", "crown jewels");
        page.spans(
            4,
            &[Span(JEWEL, format!("    with it {jewels} of the account"))],
        );
    }
}
