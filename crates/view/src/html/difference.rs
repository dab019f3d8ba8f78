//! What a change opened and closed, as a page.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_graph::{AttackPath, ChangedPolicy, Door, JewelKind, Way};

use super::incident::left_out;
use super::page::{self, answer};
use super::shape::Clean;
use super::{ROWS, blind_spots, path};
use crate::difference::{Change, conditions, headline, lists, policy};
use crate::{name, text};

/// The page of a change: `diff --format html`.
pub fn change(change: &Change<'_>) -> String {
    let difference = change.difference;
    let title = headline(change);
    let about = html! {
        "A way is a principal that reaches a crown jewel; of each way the step is named that the change opened or closed, with the policies that bear on it."
        @if !change.given.is_empty() { " Given " (Clean(&change.given.join(", "))) "." }
        @if !change.unknown.is_empty() { " " b { "Some of it is not known until the plan is applied." } }
    };
    let figures = [
        ("Ways opened", text::count(difference.opened.len() as u64)),
        ("Weakened", text::count(difference.weakened.len() as u64)),
        ("Ways closed", text::count(difference.closed.len() as u64)),
        (
            "Doors opened",
            text::count(difference.doors_opened.len() as u64),
        ),
        (
            "Doors closed",
            text::count(difference.doors_closed.len() as u64),
        ),
    ];
    let changed: Vec<Door> = difference
        .doors_changed
        .iter()
        .map(|changed| changed.door.clone())
        .collect();
    let main = html! {
        (answer(&title, about, &figures))
        (doors("Doors opened", &difference.doors_opened))
        (doors("Doors with other conditions", &changed))
        @for (title, ways) in lists(difference) { (listed(title, ways)) }
        (doors("Doors closed", &difference.doors_closed))
        (policies(change.policies))
        @if !change.unknown.is_empty() {
            section class="card part" {
                h2 { "Not known until the apply" }
                ul class="blind" { @for spot in change.unknown { li { b { (Clean(&spot.missing)) } p class="soft" { (Clean(&spot.consequence)) } } } }
            }
        }
        (blind_spots(change.blind_spots))
    };
    page::page(&title, page::masthead("Change", None), main, page::foot())
}

fn doors(title: &str, doors: &[Door]) -> Markup {
    html! {
        @if !doors.is_empty() {
            section class="card part" {
                h2 { (title) }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "Who" } th scope="col" { "Leads to" } th scope="col" { "Why" } th scope="col" { "If" } } }
                    tbody { @for door in doors.iter().take(ROWS) { tr {
                        td class="mono" { (Clean(door.id.as_str())) }
                        td { b { (Clean(name::short(door.to.as_str()))) } }
                        td { (Clean(&door.reason)) }
                        td { (Clean(&door.conditions.join(", "))) }
                    } } }
                } }
                (left_out(doors.len(), ROWS, "door", "doors"))
            }
        }
    }
}

/// How many ways are drawn; the table holds more.
const DRAWN: usize = 40;

fn listed(title: &str, ways: &[Way]) -> Markup {
    let kinds: BTreeMap<&str, JewelKind> = ways
        .iter()
        .map(|way| (way.to.as_str(), way.jewel))
        .collect();
    let drawn: Vec<AttackPath> = ways
        .iter()
        .take(DRAWN)
        .map(|way| way.path.clone())
        .collect();
    html! {
        @if !ways.is_empty() {
            section class="card part" {
                h2 { (title) }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "Step" } th scope="col" { "Policies that differ" } th scope="col" { "Conditions" } } }
                    tbody { @for way in ways.iter().take(ROWS) { tr {
                        td { b { (Clean(name::short(way.from.as_str()))) } }
                        td { b { (Clean(name::short(way.to.as_str()))) } " " span class="tag jewel" { (way.jewel.title()) }
                            @if !way.with_it.is_empty() { div class="small soft" { "and " (text::counted(way.with_it.len() as u64, "jewel", "jewels")) " of it" } } }
                        td { @if let Some(step) = way.changed_step() { (Clean(&step.title)) div class="small soft mono" { (Clean(&step.statements.join(", "))) } } }
                        td { @for cause in &way.causes { div { (Clean(&policy(cause))) } } }
                        td { (Clean(&conditions(way))) }
                    } } }
                } }
                (left_out(ways.len(), ROWS, "way", "ways"))
                (path::draw(&drawn, &kinds, &title.to_lowercase().replace(' ', "-")))
            }
        }
    }
}

fn policies(policies: &[ChangedPolicy]) -> Markup {
    html! {
        @if !policies.is_empty() {
            section class="card part" {
                h2 { "Policies that differ" }
                ul class="bullets" { @for one in policies.iter().take(ROWS) { li { (Clean(&policy(one))) } } }
                (left_out(policies.len(), ROWS, "policy", "policies"))
            }
        }
    }
}
