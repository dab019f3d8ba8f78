use std::collections::BTreeMap;

use portreeve_graph::{BlastEntry, Door, JewelKind, JewelReach};

use super::page::{FAINT, GOOD, JEWEL, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out, path, surroundings};
use crate::roads::{Counts, Loss, Roads};
use crate::{name, text};

/// Doors, paths, and from whom jewels are reachable.
pub(super) fn paths(page: &mut Page, roads: &Roads<'_>, options: &Options) {
    let kinds: BTreeMap<&str, JewelKind> = roads
        .jewels
        .iter()
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect();
    let open = roads.paths.iter().filter(|path| path.conditions.is_empty());
    match roads.paths.len() {
        0 => page.spans(
            0,
            &[plain("No path was found in what is known of the estate.")],
        ),
        found => page.spans(
            0,
            &[
                Span(STRONG, text::counted(found as u64, "path", "paths")),
                plain(format!(", {} open now", text::count(open.count() as u64))),
            ],
        ),
    }
    given(page, roads.given);
    doors(page, roads.doors, options);
    let most = options.list.unwrap_or(roads.paths.len());
    if !(roads.doors.is_empty() || roads.paths.is_empty()) {
        page.heading("Paths");
    }
    for path in roads.paths.iter().take(most) {
        page.gap();
        path::write(page, path, &kinds);
    }
    left_out(
        page,
        roads.paths.len().saturating_sub(most) as u64,
        "path",
        "paths",
        options,
    );
    reach(page, roads.reach, &kinds, options);
    surroundings::blind_spots(page, roads.blind_spots, options);
}

/// What is known of the intruder's requests.
fn given(page: &mut Page, given: &[String]) {
    if !given.is_empty() {
        page.spans(2, &[faint(format!("Given {}.", given.join(", ")))]);
    }
}

fn doors(page: &mut Page, doors: &[Door], options: &Options) {
    if doors.is_empty() {
        return;
    }
    page.heading(&format!("Doors ({})", text::count(doors.len() as u64)));
    let most = options.list.unwrap_or(doors.len()).min(doors.len());
    for door in doors.iter().take(most) {
        let to = name::of(door.to.as_str());
        let account = to
            .account
            .map_or_else(String::new, |account| format!(" ({account})"));
        let mut spans = vec![
            Span(STRONG, format!("  {}", name::short(door.id.as_str()))),
            plain(" → "),
            Span(STRONG, to.name.into()),
            faint(format!("{account}  {}", door.reason)),
        ];
        if !door.conditions.is_empty() {
            spans.push(Span(GOOD, format!("  if {}", door.conditions.join(", "))));
        }
        page.spans(4, &spans);
    }
    left_out(page, (doors.len() - most) as u64, "door", "doors", options);
}

fn reach(
    page: &mut Page,
    reach: &[JewelReach],
    kinds: &BTreeMap<&str, JewelKind>,
    options: &Options,
) {
    if reach.is_empty() {
        return;
    }
    page.heading("From whom the jewels are reachable");
    let mut sorted: Vec<&JewelReach> = reach.iter().collect();
    sorted.sort_by(|one, other| {
        (other.open, other.principals, &one.jewel).cmp(&(one.open, one.principals, &other.jewel))
    });
    let most = options.list.unwrap_or(sorted.len()).min(sorted.len());
    for jewel in sorted.iter().take(most) {
        let id = jewel.jewel.as_str();
        let kind = kinds.get(id).map_or("jewel", |kind| kind.title());
        let mut spans = vec![
            Span(JEWEL, format!("  ◆ {}", name::short(id))),
            faint(format!("  {kind}: ")),
        ];
        if jewel.principals == 0 {
            spans.push(Span(GOOD, "nobody".into()));
        } else {
            let count = jewel.principals as u64;
            spans.push(plain(format!(
                "{}, ",
                text::counted(count, "principal", "principals")
            )));
            let style = if jewel.open > 0 { SUSPECT } else { GOOD };
            let open = text::count(jewel.open as u64);
            spans.push(Span(style, format!("{open} without a condition")));
        }
        page.spans(6, &spans);
    }
    left_out(
        page,
        (sorted.len() - most) as u64,
        "jewel",
        "jewels",
        options,
    );
}

/// What a loss would cost: in numbers, the ways to jewels, then everything by hop.
pub(super) fn loss(page: &mut Page, loss: &Loss<'_>, options: &Options) {
    let counts = Counts::of(loss.blast.reached());
    let verb = if loss.asked.len() == 1 { "is" } else { "are" };
    page.spans(
        0,
        &[
            plain("If "),
            Span(STRONG, loss.asked.join(", ")),
            plain(format!(" {verb} lost: ")),
            Span(
                if counts.jewels > 0 { SUSPECT } else { GOOD },
                text::counted(counts.jewels as u64, "crown jewel", "crown jewels"),
            ),
            plain(format!(
                ", {} and {} can be reached, {} of all without a condition.",
                text::counted(counts.principals as u64, "principal", "principals"),
                text::counted(
                    counts.others as u64,
                    "further resource",
                    "further resources"
                ),
                text::count(counts.open as u64)
            )),
        ],
    );
    if counts.all() == 0 {
        page.spans(0, &[faint("That holds for what is known of the estate.")]);
    }
    given(page, loss.given);
    doors(page, &loss.blast.doors, options);
    let kinds: BTreeMap<&str, JewelKind> = loss
        .jewels
        .iter()
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect();
    if !loss.blast.paths.is_empty() {
        page.heading("Ways to crown jewels");
        let paths = &loss.blast.paths;
        let most = options.list.unwrap_or(paths.len()).min(paths.len());
        for (number, path) in paths.iter().take(most).enumerate() {
            if number > 0 {
                page.gap();
            }
            path::write(page, path, &kinds);
        }
        left_out(page, (paths.len() - most) as u64, "way", "ways", options);
    }
    for hop in &loss.blast.hops {
        let count = text::count(hop.reached.len() as u64);
        page.heading(&format!(
            "{} away ({count})",
            text::counted(u64::from(hop.hop), "step", "steps")
        ));
        let most = options
            .list
            .unwrap_or(hop.reached.len())
            .min(hop.reached.len());
        for entry in hop.reached.iter().take(most) {
            one(page, entry, &kinds);
        }
        left_out(
            page,
            (hop.reached.len() - most) as u64,
            "thing",
            "things",
            options,
        );
    }
    surroundings::blind_spots(page, loss.blind_spots, options);
}

fn one(page: &mut Page, entry: &BlastEntry, kinds: &BTreeMap<&str, JewelKind>) {
    let read = name::of(entry.id.as_str());
    let (mark, style, kind) = match kinds.get(entry.id.as_str()) {
        Some(kind) if entry.jewel => ("◆ ", JEWEL, kind.title()),
        _ if entry.kind.is_principal() => ("", STRONG, read.kind.title()),
        _ => ("", FAINT, read.kind.title()),
    };
    let account = read
        .account
        .map_or_else(String::new, |account| format!(", {account}"));
    let mut spans = vec![
        Span(style, format!("  {mark}{}", read.name)),
        faint(format!("  {kind}{account}")),
    ];
    if !entry.conditions.is_empty() {
        spans.push(Span(GOOD, format!("  if {}", entry.conditions.join(", "))));
    }
    page.spans(4, &spans);
}
