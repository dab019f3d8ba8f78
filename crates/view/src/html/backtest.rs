//! A rule's trial on a history as one page.

use maud::html;
use portreeve_incident::Backtest;

use super::ROWS;
use super::hunt::{Column, columns};
use super::incident::left_out;
use super::page::{self, answer};
use super::shape::Clean;
use crate::backtest::{bars, noise, sentence};
use crate::text;

/// How many columns are drawn at most.
const COLUMNS: usize = 180;

/// The page: `rules backtest --format html`.
pub fn backtest(told: &Backtest) -> String {
    let title = sentence(told).unwrap_or_else(|| "No records with a time".to_owned());
    let figures = [
        ("Matches", text::count(told.matches)),
        ("A day", format!("{:.1}", told.matches_a_day)),
        ("Findings", text::count(told.findings)),
        ("Principals", text::count(told.principals.len() as u64)),
    ];
    let (share, bars) = bars(told, COLUMNS);
    let about = match share {
        1 => "A column is a day.".to_owned(),
        days => format!("A column is {days} days."),
    };
    let drawn: Vec<Column> = bars
        .iter()
        .map(|(day, count)| Column {
            name: day.clone(),
            count: *count,
            grave: false,
        })
        .collect();
    let ends = bars.first().zip(bars.last());
    let main = html! {
        (answer(&title, html! { (about) }, &figures))
        @if let Some(((first, _), (last, _))) = ends {
            section class="card part" { h2 { "When" } (columns(&drawn, first, last)) }
        }
        @if !told.principals.is_empty() {
            section class="card part" {
                h2 { "Whom" }
                div class="scroll" { table {
                    caption { "Who the matches are of, most often first." }
                    thead { tr { th scope="col" { "Matches" } th scope="col" { "Days" } th scope="col" { "Principal" } th scope="col" { "Noise" } } }
                    tbody { @for one in told.principals.iter().take(ROWS) { tr {
                        td { (text::count(one.matches)) }
                        td { (one.days) }
                        td class="mono" { (Clean(&one.principal)) }
                        td { (noise(one.noise)) }
                    } } }
                } }
                (left_out(told.principals.len(), ROWS, "principal", "principals"))
            }
        }
    };
    page::page(
        &title,
        page::masthead("A rule on a history", None),
        main,
        page::foot(),
    )
}
