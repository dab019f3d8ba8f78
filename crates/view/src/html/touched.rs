//! Whether something was touched, with the records over the hours that the logs cover.

use maud::{Markup, html};
use portreeve_incident::touch::{Covered, Logged, Subject, Touch, TouchRecord};
use portreeve_model::Timestamp;

use super::ROWS;
use super::incident::left_out;
use super::page::{self, answer};
use super::shape::{Clean, middle};
use super::verification::holes;
use crate::terminal::period;
use crate::text;
use crate::verification::worded;

/// The page: `touched --format html`.
pub fn touched(touch: &Touch) -> String {
    let title = touch.headline.clone();
    let about = html! {
        @for (number, id) in touch.ids.iter().enumerate() { @if number > 0 { ", " } span class="mono" { (Clean(id)) } }
        @if let Some(by) = &touch.by { ". Only the credentials of incident " span class="mono" { (Clean(by)) } " count" }
        "."
    };
    let count = |list: usize, omitted: u64| text::count(list as u64 + omitted);
    let figures = [
        ("Answer", touch.answer.as_str().to_owned()),
        ("Done", count(touch.records.len(), touch.omitted.records)),
        (
            "Refused or failed",
            count(touch.attempts.len(), touch.omitted.attempts),
        ),
        (
            "May imply it",
            count(touch.implied.len(), touch.omitted.implied),
        ),
    ];
    let main = html! {
        (answer(&title, about, &figures))
        @if !touch.covered.limits.is_empty() {
            section class="card part" { h2 { "The limits of this answer" } ul class="bullets" { @for limit in &touch.covered.limits { li { (Clean(limit)) } } } }
        }
        section class="card part" { h2 { "When" } (drawn(touch)) }
        (acted(touch))
        (records("What was done", &touch.records, touch.omitted.records))
        (implied(touch))
        (records("Refused or failed: it was not touched by these", &touch.attempts, touch.omitted.attempts))
        (covered(&touch.covered))
    };
    page::page(
        &title,
        page::masthead("Was it touched?", None),
        main,
        page::foot(),
    )
}

const LEFT: f64 = 300.0;
const WIDTH: f64 = 620.0;
const ROW: f64 = 24.0;
/// How many cells are drawn.
const CELLS: usize = 30;

/// The stretch that each account, region and kind of event has records of, with its holes, and every
/// call across.
fn drawn(touch: &Touch) -> Markup {
    let cells = touch
        .covered
        .cells
        .get(..CELLS)
        .unwrap_or(&touch.covered.cells);
    let calls = || touch.records.iter().chain(&touch.attempts);
    let times = cells
        .iter()
        .flat_map(|cell| [cell.first, cell.last])
        .chain(calls().map(|record| record.time))
        .flatten();
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
        return html! { p class="soft" { "No record of these accounts is in the logs." } };
    };
    let length = (last.as_second() - first.as_second()).max(1) as f64;
    let at = |time: Timestamp| {
        let part = (time.as_second() - first.as_second()) as f64 / length;
        LEFT + part.clamp(0.0, 1.0) * WIDTH
    };
    let rows = cells.len() as f64;
    let height = (rows + 2.0) * ROW + 26.0;
    let bar = |from: Timestamp, until: Timestamp, y: f64, class: &str| {
        let (x, end) = (at(from), at(until));
        html! { rect class=(class) x=(format!("{x:.1}")) y=(format!("{y:.1}")) width=(format!("{:.1}", (end - x).max(2.0))) height="14" rx="2" {} }
    };
    let ticks = |records: &[TouchRecord], y: f64, class: &str| {
        // Calls within a point of the drawing are one tick.
        let mut places: Vec<i64> = records
            .iter()
            .filter_map(|record| record.time)
            .map(|time| at(time).round() as i64)
            .collect();
        places.dedup();
        html! { @for x in places { rect class=(class) x=(x) y=(format!("{y:.1}")) width="2" height="14" {} } }
    };
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Calls over time" {
            svg viewBox=(format!("0 0 {:.0} {height:.0}", LEFT + WIDTH + 10.0)) style=(format!("max-width:{:.0}px;min-width:640px", LEFT + WIDTH + 10.0)) role="img" aria-label="Calls that were done and that were not, over the time that the logs cover" {
                text x="0" y="16" font-size="12" { "done" }
                (ticks(&touch.records, 4.0, "hit critical"))
                text x="0" y=(ROW + 16.0) font-size="12" { "refused or failed" }
                (ticks(&touch.attempts, ROW + 4.0, "hit medium"))
                @for (number, cell) in cells.iter().enumerate() {
                    @let y = (number as f64 + 2.0) * ROW + 4.0;
                    text class="s" x="0" y=(format!("{:.1}", y + 12.0)) font-size="12" { (middle(&format!("{} {} {}", cell.account, cell.region, cell.kind), 44)) }
                    @if let (Some(from), Some(until)) = (cell.first, cell.last) { (bar(from, until, y, "panel")) }
                    @for hole in &cell.holes { (bar(hole.from, hole.until, y, "hit high")) }
                }
                text class="s" x=(LEFT) y=(format!("{:.1}", height - 6.0)) font-size="11" { (text::minute(first)) }
                text class="s" x=(LEFT + WIDTH) y=(format!("{:.1}", height - 6.0)) font-size="11" text-anchor="end" { (text::minute(last)) }
            }
        }
        p class="soft small" { "Below the calls: from the first to the last record of each account, region and kind of event; holes are marked." }
    }
}

fn acted(touch: &Touch) -> Markup {
    let listed = |actions: &std::collections::BTreeMap<String, u64>| {
        let actions: Vec<String> = actions
            .iter()
            .map(|(action, count)| format!("{action} ×{count}"))
            .collect();
        actions.join(", ")
    };
    html! {
        @if touch.subject == Subject::Principal && !touch.resources.is_empty() {
            section class="card part" {
                h2 { "What was acted on" }
                div class="scroll" { table {
                    caption { "Most calls first." }
                    thead { tr { th scope="col" { "Resource" } th scope="col" class="n" { "Objects" } th scope="col" { "Done" } th scope="col" { "Refused" } th scope="col" { "When" } } }
                    tbody { @for acted in touch.resources.iter().take(ROWS) { tr {
                        td class="mono" { (Clean(&acted.resource)) }
                        td class="n" { @if acted.objects > 0 { (text::count(acted.objects)) } }
                        td { (Clean(&listed(&acted.actions))) }
                        td { (Clean(&listed(&acted.refused))) }
                        td class="t" { (period(acted.first, acted.last)) }
                    } } }
                } }
                (left_out(touch.resources.len(), ROWS, "resource", "resources"))
            }
        }
    }
}

fn records(title: &str, records: &[TouchRecord], omitted: u64) -> Markup {
    html! {
        @if !records.is_empty() {
            section class="card part" {
                h2 { (title) }
                div class="scroll" { table {
                    caption { "In order of time." }
                    (head())
                    tbody { @for record in records.iter().take(ROWS) { (row(record, None)) } }
                } }
                (left_out(records.len() + omitted as usize, ROWS.min(records.len()), "record", "records"))
            }
        }
    }
}

fn implied(touch: &Touch) -> Markup {
    html! {
        @if !touch.implied.is_empty() {
            section class="card part" {
                h2 { "Calls that do not name it" }
                div class="scroll" { table {
                    caption { "What each such call may do." }
                    (head())
                    tbody { @for implied in touch.implied.iter().take(ROWS) { (row(&implied.record, Some(&implied.says))) } }
                } }
                (left_out(touch.implied.len(), ROWS, "record", "records"))
            }
        }
    }
}

fn head() -> Markup {
    html! { thead { tr { th scope="col" { "Time" } th scope="col" { "What" } th scope="col" { "Outcome" } th scope="col" { "Who" } th scope="col" { "On" } th scope="col" { "Record" } } } }
}

fn row(record: &TouchRecord, says: Option<&str>) -> Markup {
    html! { tr {
        td class="t" { (record.time.map_or("no time".to_owned(), text::time)) }
        td { b { (Clean(&record.action)) } @if let Some(says) = says { div class="small soft" { (Clean(says)) } } }
        td { (Clean(&record.outcome)) }
        td class="mono" { (Clean(&record.actor)) @if let Some(credential) = &record.credential { div class="small soft" { (Clean(credential)) } } }
        td class="mono" { @for target in record.targets.iter().take(3) { div { (Clean(target)) } } }
        td class="mono small" {
            (Clean(&record.file)) " " (record.index)
            @if let Some(id) = &record.event_id { div { (Clean(id)) } }
            @if let Some(proof) = record.proof { " " span class="tag" { (proof.as_str()) } }
        }
    } }
}

fn covered(covered: &Covered) -> Markup {
    let tag = |logged: Logged| {
        let class = match logged {
            Logged::Yes => "tag good",
            Logged::Unsure => "tag warn",
            Logged::No => "tag bad",
        };
        html! { span class=(class) { (logged.as_str().to_lowercase()) } }
    };
    html! {
        section class="card part" {
            h2 { "What the answer rests on" }
            p {
                @if covered.accounts.is_empty() { "The account is not known: records of all accounts count. " }
                @else { "Accounts: " (Clean(&covered.accounts.join(", "))) ". " }
                @if !covered.files.is_empty() { "Log files by what digests prove: " (worded(&covered.files)) "." }
            }
            div class="scroll" { table {
                caption { "The kinds of events that would show a touch." }
                thead { tr { th scope="col" { "Kind" } th scope="col" { "Shows" } th scope="col" { "Logged" } th scope="col" { "How that is known" } } }
                tbody { @for kind in &covered.kinds { tr {
                    td { (Clean(&kind.kind)) " " (Clean(&kind.service)) }
                    td { (Clean(&kind.shows)) }
                    td { (tag(kind.logged)) }
                    td { (Clean(&kind.why)) }
                } } }
            } }
            (holes(&covered.evidence_holes))
        }
    }
}
