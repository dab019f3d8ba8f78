//! A cut as a page: the paths with the cut drawn on them, the changes, what the past says.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_graph::JewelKind;
use portreeve_graph::cut::{Change, Edit, LeastCost};
use portreeve_incident::containment::{Refusal, Typed};

use super::incident::left_out;
use super::page::{self, answer};
use super::shape::Clean;
use super::{ROWS, blind_spots, path};
use crate::cut::CutAnswer;
use crate::{name, text};

/// The page of a cut: `cut --format html`.
pub fn cut(it: &CutAnswer<'_>) -> String {
    let title = it.title();
    let about = html! {
        @for proof in it.proofs() { (proof) " " }
        @if !it.given.is_empty() { "Given " (Clean(&it.given.join(", "))) "." }
        @if !it.blind_spots.is_empty() {
            " " a href="#blind" { (text::counted(it.blind_spots.len() as u64, "thing", "things")) " could not be seen" } "."
        }
    };
    let least = match it.cut.least_cost {
        LeastCost::Proven => format!("{}, the least", it.cut.cost),
        LeastCost::Bound => format!("{}, at least {}", it.cut.cost, it.cut.bound),
    };
    let figures = [
        ("Paths before", text::count(it.cut.before.len() as u64)),
        ("Paths left", text::count(it.cut.left.len() as u64)),
        ("Changes", text::count(it.cut.plan.changes.len() as u64)),
        ("Cost", least),
        ("Candidates", text::count(it.cut.candidates as u64)),
    ];
    let main = html! {
        (answer(&title, about, &figures))
        (drawn(it))
        (changes(it))
        (past(it))
        (blind_spots(it.blind_spots))
    };
    page::page(&title, page::masthead("The cut", None), main, page::foot())
}

fn drawn(it: &CutAnswer<'_>) -> Markup {
    let kinds: BTreeMap<&str, JewelKind> = it
        .jewels
        .iter()
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect();
    let drawing = |id, what, paths: &[portreeve_graph::AttackPath]| {
        let shown = paths.get(..ROWS).unwrap_or(paths);
        path::draw_cut(shown, &kinds, id, what, &it.cut.breaks)
    };
    html! {
        @if !it.cut.left.is_empty() {
            section class="card part" {
                h2 { "Paths that no known change can cut" }
                (drawing("left", "Attack paths that are left", &it.cut.left))
                (left_out(it.cut.left.len(), ROWS, "path", "paths"))
            }
        }
        @if !it.cut.before.is_empty() {
            section class="card part" {
                h2 { "Where the paths are cut" }
                (drawing("ways", "Attack paths with the steps that are cut", &it.cut.before))
                (left_out(it.cut.before.len(), ROWS, "path", "paths"))
            }
        }
    }
}

fn changes(it: &CutAnswer<'_>) -> Markup {
    html! {
        @if !it.cut.plan.changes.is_empty() {
            section class="card part" id="changes" {
                h2 { "The changes" }
                p class="soft small" { "Commands to review before you run them." }
                ol class="response" { @for (change, typed) in it.changes() { (one(change, typed)) } }
            }
        }
    }
}

fn one(change: &Change, typed: &Typed) -> Markup {
    html! {
        li {
            div {
                @for title in &change.titles { h4 { (Clean(title)) } }
                @if let Some(account) = &change.account { p class="small soft" { "In account " (Clean(account)) ", cost " (change.cost) } }
                @if let Some(command) = &typed.command { pre { code { (text::clean_lines(command)) } } }
                @if let Some(caveat) = &typed.caveat { p class="soft" { (Clean(caveat)) } }
                @if let Edit::Document { before, after, .. } = &change.edit {
                    (folded("The policy before", before.as_deref().unwrap_or("There is none.")))
                    (folded("The policy after", after.as_deref().unwrap_or("There is none.")))
                }
                @if let Some(undo) = &typed.undo { (folded("To take it back", undo)) }
                @if let Some(terraform) = &typed.terraform { (folded("In Terraform", terraform)) }
            }
        }
    }
}

fn folded(title: &str, body: &str) -> Markup {
    html! {
        details {
            summary { span class="grow" { (title) } }
            div class="inside" { pre { code { (text::clean_lines(body)) } } }
        }
    }
}

fn past(it: &CutAnswer<'_>) -> Markup {
    let (Some(history), Some(past)) = (it.history, it.past()) else {
        return html! {};
    };
    html! {
        section class="card part" id="refused" {
            h2 { "What was used that would be refused" }
            p { (past) }
            @if !history.refused.is_empty() {
                div class="scroll" { table {
                    thead { tr { th scope="col" { "Who" } th scope="col" { "Action" } th scope="col" { "On" } th scope="col" { "Calls" } th scope="col" { "Last" } th scope="col" { "Then" } } }
                    tbody { @for refused in history.refused.iter().take(ROWS) { tr {
                        td {
                            b { (Clean(name::short(refused.principal.as_str()))) }
                            div class="small soft" { (Clean(&refused.sessions.join(", "))) }
                        }
                        td class="mono" { (Clean(&refused.action)) @if refused.operation != refused.action { div class="small soft" { (Clean(&refused.operation)) } } }
                        td class="mono" { (Clean(&refused.resource)) }
                        td { (text::count(refused.calls)) }
                        td { @if let Some(last) = refused.last { (text::minute(last)) } }
                        td {
                            @match refused.refusal { Refusal::Denied => { span class="tag warn" { "refused" } }, Refusal::Depends => { span class="tag" { "depends" } } }
                            @if let Some(reason) = &refused.reason { div class="small soft" { (Clean(reason)) } }
                        }
                    } } }
                } }
                (left_out(history.refused.len(), ROWS, "entry", "entries"))
            }
            @if !history.silent.is_empty() {
                p class="small soft" { "Of these the logs may be silent: " (Clean(&history.silent.join("; "))) "." }
            }
        }
    }
}
