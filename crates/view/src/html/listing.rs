//! Findings of one kind in a list, with how many of each severity there are drawn as bars.

use maud::{Markup, html};
use portreeve_model::Severity;

use super::ROWS;
use super::incident::left_out;
use super::page::{self, answer};
use super::shape::{Clean, badge};
use crate::listing::Listing;
use crate::text;

pub(super) fn write(listing: &Listing) -> String {
    let figures: Vec<(&str, String)> = listing
        .figures
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let about = html! { (text::counted(listing.rows.len() as u64, "finding", "findings")) ". " };
    let main = html! {
        (answer(&listing.title, about, &figures))
        @if !listing.rows.is_empty() {
            section class="card part" { h2 { "What is wrong" }
                (bars(listing))
                div class="scroll" { table {
                    caption { "Each with what is known of it." }
                    thead { tr { th scope="col" { "Severity" } th scope="col" { "Time" } th scope="col" { "About" } th scope="col" { "What was seen" } } }
                    tbody { @for row in listing.rows.iter().take(ROWS) { tr {
                        td { (badge(row.severity)) }
                        td class="t" { (row.time.map_or_else(String::new, text::time)) }
                        td class="mono" { (Clean(&row.subject)) }
                        td { (Clean(&row.reason)) " " span class="soft mono" { (row.what) } }
                    } } }
                } }
                (left_out(listing.rows.len(), ROWS, "finding", "findings"))
            }
        }
        @if !listing.blind_spots.is_empty() {
            section class="card part" { h2 { "What could not be seen" }
                @for spot in listing.blind_spots.iter().take(ROWS) { p { (Clean(spot)) } }
            }
        }
    };
    page::page(
        &listing.title,
        page::masthead(listing.kind, None),
        main,
        page::foot(),
    )
}

fn bars(listing: &Listing) -> Markup {
    let counts: Vec<(Severity, usize)> = Severity::ALL
        .into_iter()
        .rev()
        .map(|severity| {
            (
                severity,
                listing
                    .rows
                    .iter()
                    .filter(|row| row.severity == severity)
                    .count(),
            )
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(1) as f64;
    let height = counts.len() as f64 * 24.0 + 4.0;
    html! {
        div class="draw" {
            svg viewBox=(format!("0 0 720 {height:.0}")) style="max-width:720px" role="img" aria-label="How many findings there are of each severity" {
                @for (number, (severity, count)) in counts.iter().enumerate() {
                    @let y = number as f64 * 24.0 + 4.0;
                    text x="0" y=(format!("{:.1}", y + 12.0)) font-size="12" { (severity.as_str()) }
                    g class=(severity.as_str()) { rect class="hit" x="110" y=(format!("{y:.1}")) width=(format!("{:.1}", *count as f64 / most * 540.0)) height="14" rx="2" {} }
                    text class="s" x=(format!("{:.1}", 118.0 + *count as f64 / most * 540.0)) y=(format!("{:.1}", y + 12.0)) font-size="11.5" { (count) }
                }
            }
        }
    }
}
