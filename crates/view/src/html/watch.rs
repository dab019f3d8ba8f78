//! What happened to wallets on a chain, drawn over time.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_model::{Severity, Timestamp};
use portreeve_wallet::watch::WatchReport;

use super::ROWS;
use super::incident::left_out;
use super::page::{self, answer};
use super::shape::{Clean, badge, mark, middle};
use crate::text;
use crate::wallet::watched;

/// The page: `wallet watch --format html`.
pub fn watch(report: &WatchReport) -> String {
    let title = watched(report);
    let of = |least: Severity| {
        text::count(
            report
                .findings
                .iter()
                .filter(|finding| finding.severity >= least)
                .count() as u64,
        )
    };
    let figures = [
        ("Blocks", text::count(report.blocks)),
        ("Wallets", text::count(report.wallets)),
        ("Critical", of(Severity::Critical)),
        ("High and above", of(Severity::High)),
    ];
    let about = html! {
        @if let (Some(first), Some(last)) = (report.first, report.last) { "Seen from " (text::time(first)) " to " (text::time(last)) " UTC. " }
        (text::counted(report.blind_spots.len() as u64, "thing", "things")) " could not be seen."
    };
    let main = html! {
        (answer(&title, about, &figures))
        section class="card part" { h2 { "Over time" } (drawn(report)) }
        @if !report.findings.is_empty() {
            section class="card part" { h2 { "Findings" }
                div class="scroll" { table {
                    caption { "In order of time." }
                    thead { tr { th scope="col" { "Severity" } th scope="col" { "Time" } th scope="col" { "Wallet" } th scope="col" { "What happened" } th scope="col" { "Where" } } }
                    tbody { @for finding in report.findings.iter().take(ROWS) { tr {
                        td { (badge(finding.severity)) }
                        td class="t" { (text::time(finding.time)) }
                        td { (Clean(&finding.wallet_name)) }
                        td { b { (finding.title) } ". " (Clean(&finding.reason)) " " span class="soft mono" { (finding.rule) } }
                        td class="mono" { "chain " (finding.chain) ", block " (finding.block) @if let Some(hash) = finding.transaction { ", " (hash) } }
                    } } }
                } }
                (left_out(report.findings.len(), ROWS, "finding", "findings"))
            }
        }
        @if !report.response.is_empty() {
            section class="card part" { h2 { "What to do first" }
                p class="soft" { "Nothing here is signed or sent. Review each step." }
                @for step in &report.response {
                    p { (Clean(&step.text)) }
                    @if let Some(command) = &step.command { pre { (Clean(command)) } }
                    @if let Some(transaction) = &step.transaction {
                        pre { "to " (transaction.to) "\ndata " (transaction.data) }
                    }
                }
            }
        }
        section class="card part" { h2 { "What could not be seen" }
            @for notice in report.notices.iter().take(ROWS) { p { (notice) } }
            @for spot in report.blind_spots.iter().take(ROWS) { p { (Clean(spot)) } }
        }
    };
    page::page(&title, page::masthead("Wallets", None), main, page::foot())
}

const LEFT: f64 = 170.0;
const WIDTH: f64 = 760.0;
const ROW: f64 = 30.0;
/// How many wallets and findings are drawn.
const DRAWN: usize = 30;
const MARKS: usize = 400;

/// A row for each wallet, with a mark for each finding.
fn drawn(report: &WatchReport) -> Markup {
    let mut rows: BTreeMap<&str, Vec<(Severity, Timestamp)>> = BTreeMap::new();
    for finding in report.findings.iter().take(MARKS) {
        rows.entry(&finding.wallet_name)
            .or_default()
            .push((finding.severity, finding.time));
    }
    let (Some(first), Some(last), false) = (report.first, report.last, rows.is_empty()) else {
        return html! { p class="soft" { "Nothing to draw." } };
    };
    let length = (last.as_second() - first.as_second()).max(1) as f64;
    let x = |time: Timestamp| LEFT + (time.as_second() - first.as_second()) as f64 / length * WIDTH;
    let bottom = rows.len().min(DRAWN) as f64 * ROW + 6.0;
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Findings over time" {
            svg viewBox=(format!("0 0 {:.0} {:.0}", LEFT + WIDTH + 20.0, bottom + 30.0)) style=(format!("max-width:{:.0}px;min-width:640px", LEFT + WIDTH + 20.0)) role="img" aria-label="For each wallet when something was found" {
                @for (number, (name, marks)) in rows.iter().take(DRAWN).enumerate() {
                    @let y = number as f64 * ROW + 16.0;
                    text x="0" y=(format!("{:.1}", y + 4.0)) font-size="12" { (middle(name, 22)) }
                    line class="grid" x1=(LEFT) x2=(LEFT + WIDTH) y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
                    @for (severity, time) in marks { g class=(severity.as_str()) { (mark(*severity, x(*time), y, 5.0)) } }
                }
                text class="s" x=(LEFT) y=(format!("{:.1}", bottom + 20.0)) font-size="11" { (text::time(first)) }
                text class="s" x=(LEFT + WIDTH) y=(format!("{:.1}", bottom + 20.0)) font-size="11" text-anchor="end" { (text::time(last)) }
            }
        }
    }
}
