//! A hunt as one page, its matches drawn over time.

use maud::{Markup, html};
use portreeve_model::{Severity, Timestamp};

use super::ROWS;
use super::incident::left_out;
use super::page::{self, answer};
use super::shape::{Clean, badge};
use crate::hunt::Hunt;
use crate::text;

/// The page: `hunt --format html`.
pub fn hunt(hunt: &Hunt<'_>) -> String {
    let title = hunt.sentence();
    let figures: Vec<(String, String)> = hunt
        .tally
        .levels(&hunt.known.heads)
        .into_iter()
        .map(|(level, count)| (capital(level.as_str()), text::count(count)))
        .collect();
    let figures: Vec<(&str, String)> = figures
        .iter()
        .map(|(name, count)| (name.as_str(), count.clone()))
        .collect();
    let principals: Vec<(String, u64)> = hunt
        .tally
        .principals()
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    let main = html! {
        (answer(&title, html! { (Clean(&hunt.effort())) }, &figures))
        section class="card part" { h2 { "When" } (drawn(hunt)) }
        (found_rules(hunt))
        (counted_by("Techniques", &hunt.tally.techniques(&hunt.known.heads), ("technique", "techniques")))
        (counted_by("Principals", &principals, ("principal", "principals")))
        (matched(hunt, &|_, _| None))
        @if !hunt.notes.is_empty() {
            section class="card part" { h2 { "Notes" } ul class="bullets" { @for note in hunt.notes { li { (Clean(note)) } } } }
        }
    };
    page::page(&title, page::masthead("The hunt", None), main, page::foot())
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 120.0;

/// Matches as columns over time.
pub(super) fn drawn(hunt: &Hunt<'_>) -> Markup {
    let histogram = hunt.tally.histogram().columns(180);
    let drawn: Vec<Column> = histogram
        .iter()
        .map(|(time, counts)| Column {
            name: text::time(*time),
            count: counts.iter().sum(),
            grave: counts
                .iter()
                .skip(Severity::High as usize)
                .any(|count| *count > 0),
        })
        .collect();
    let ends: Option<(Timestamp, Timestamp)> = histogram
        .first()
        .zip(histogram.last())
        .map(|(first, last)| (first.0, last.0));
    match ends {
        Some((first, last)) => columns(&drawn, &text::minute(first), &text::minute(last)),
        None => html! { p class="soft" { "No match has a time." } },
    }
}

/// How often something was seen in a part of the time.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) count: u64,
    /// With something grave in it; it is darker.
    pub(super) grave: bool,
}

/// Columns side by side, with the names of both ends below.
pub(super) fn columns(columns: &[Column], first: &str, last: &str) -> Markup {
    let most = columns.iter().map(|column| column.count).max();
    let most = most.unwrap_or_default().max(1) as f64;
    let step = WIDTH / columns.len().max(1) as f64;
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Matches over time" {
            svg viewBox=(format!("0 0 {WIDTH:.0} {:.0}", HEIGHT + 24.0)) style=(format!("max-width:{WIDTH:.0}px;min-width:480px")) role="img" aria-label="Matches over time" {
                @for (number, column) in columns.iter().enumerate() {
                    @let height = column.count as f64 / most * HEIGHT;
                    @if height > 0.0 {
                        rect x=(format!("{:.1}", number as f64 * step)) y=(format!("{:.1}", HEIGHT - height.max(2.0))) width=(format!("{:.1}", (step - 1.0).max(1.0))) height=(format!("{:.1}", height.max(2.0))) fill="currentColor" fill-opacity=(if column.grave { "0.9" } else { "0.45" }) {
                            title { (column.name) ": " (text::counted(column.count, "match", "matches")) }
                        }
                    }
                }
                text x="0" y=(HEIGHT + 18.0) font-size="12" fill="currentColor" { (first) }
                text x=(WIDTH) y=(HEIGHT + 18.0) font-size="12" text-anchor="end" fill="currentColor" { (last) }
            }
        }
    }
}

pub(super) fn found_rules(hunt: &Hunt<'_>) -> Markup {
    let rows = hunt.rows();
    html! {
        @if !rows.is_empty() {
            section class="card part" {
                h2 { "Rules" }
                table {
                    thead { tr { th { "Level" } th { "Rule" } th { "Techniques" } th { "Matches" } th { "First" } th { "Last" } } }
                    tbody {
                        @for row in rows.iter().take(ROWS) {
                            tr {
                                td { (badge(row.level)) }
                                td { (Clean(row.title)) }
                                td { (Clean(&row.techniques)) }
                                td { (text::count(row.matches)) }
                                td { @if let Some(time) = row.first { (text::time(time)) } }
                                td { @if let Some(time) = row.last { (text::time(time)) } }
                            }
                        }
                    }
                }
                (left_out(rows.len(), ROWS, "rule", "rules"))
            }
        }
    }
}

pub(super) fn counted_by(
    title: &str,
    counts: &[(String, u64)],
    (one, many): (&str, &str),
) -> Markup {
    html! {
        @if !counts.is_empty() {
            section class="card part" {
                h2 { (title) }
                table { tbody { @for (name, count) in counts.iter().take(ROWS) { tr { td { (text::count(*count)) } td { (Clean(name)) } } } } }
                (left_out(counts.len(), ROWS, one, many))
            }
        }
    }
}

/// Matches, each with a way to its first record where there is one: told by the record's file and number.
pub(super) fn matched(hunt: &Hunt<'_>, way: &dyn Fn(&str, u64) -> Option<String>) -> Markup {
    html! {
        @if !hunt.matches.is_empty() {
            section class="card part" {
                h2 { "Matches" }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "Time" } th scope="col" { "Level" } th scope="col" { "Rule" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Where" } } }
                    tbody {
                        @for found in hunt.matches.iter().take(ROWS) {
                            @if let Some(head) = hunt.known.head(found) {
                                tr {
                                    td { @if let Some(time) = found.time { (text::time(time)) } }
                                    td { (badge(head.level)) }
                                    td { (Clean(&head.title)) }
                                    td { (Clean(found.actor.as_deref().unwrap_or_default())) }
                                    @let place = found.records.first();
                                    @let link = place.and_then(|place| way(hunt.known.file(place), place.index));
                                    td { (Clean(found.action.as_deref().unwrap_or_default())) }
                                    td { @match (link, place) {
                                        (Some(link), _) => a href=(link) data-inline { "record" },
                                        (None, Some(place)) => { (Clean(hunt.known.file(place))) ", record " (place.index) },
                                        (None, None) => {},
                                    } }
                                }
                            }
                        }
                    }
                } }
                (left_out(hunt.tally.matches as usize, hunt.matches.len().min(ROWS), "match", "matches"))
            }
        }
    }
}
