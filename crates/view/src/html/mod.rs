//! The report as one page: what `--format html` writes.
//!
//! The page is one file. It loads nothing, holds no script, and forbids both by its content
//! security policy. It folds long timelines and says how much it leaves out, so that it stays
//! small whatever the report holds. It is readable without colour, printed, and with a screen
//! reader: each drawing has the same in words beside it.

mod access;
mod applied;
mod backtest;
mod collected;
mod coverage;
mod cut;
mod difference;
mod eviction;
mod finding;
mod hunt;
mod incident;
mod keys;
mod likeness;
mod listing;
pub mod live;
mod matrix;
mod page;
mod parts;
mod path;
mod policy;
mod posture;
mod race;
mod roads;
mod shape;
mod timeline;
mod touched;
mod verification;
mod wallet;
mod wallets;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use portreeve_graph::JewelKind;
use portreeve_incident::{Report, Totals};
use portreeve_model::{BlindSpot, Finding, Input, InputKind, Severity};
use portreeve_wallet::bundle::BundleReport;
use portreeve_wallet::ledger::LedgerReport;

use crate::text;
pub use access::{holders, verdict};
pub use applied::applied;
pub use backtest::backtest;
pub use collected::collected;
pub use cut::cut;
pub use difference::change;
pub use hunt::hunt;
use incident::left_out;
pub use keys::{keys, keys_page};
pub use page::Page;
use parts::SCREEN;
pub use parts::{Asked, Parts};
pub use policy::tests as policy_tests;
pub use posture::{posture, posture_page};
pub use race::race;
pub use roads::{loss, loss_page, paths, paths_page};
use shape::{Clean, badge};
pub use touched::touched;
pub use verification::verified;
pub use wallet::wallet;
pub use watch::watch;

/// The most incidents, findings outside incidents, and other rows on one page.
const INCIDENTS: usize = 50;
const FINDINGS: usize = 300;
const ROWS: usize = 500;

/// The page of `wallet ledger`: signatures and spends that nothing explains.
pub fn ledger(report: &LedgerReport) -> String {
    listing::write(&crate::listing::of_ledger(report))
}

/// The page of `bundle verify`: what is served against what was built.
pub fn bundle(report: &BundleReport) -> String {
    listing::write(&crate::listing::of_bundle(report))
}

/// Makes the page.
pub fn report(report: &Report) -> String {
    let findings: BTreeMap<&str, &Finding> = report
        .findings
        .iter()
        .map(|finding| (finding.id.as_str(), finding))
        .collect();
    let jewels: BTreeMap<&str, JewelKind> = report
        .jewels
        .iter()
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect();
    let title = title(report);
    let main = html! {
        (answer(report, &title))
        @for (number, incident) in report.incidents.iter().take(INCIDENTS).enumerate() {
            (incident::article(incident, &findings, &jewels, number + 1, incident::Told::Whole))
        }
        (left_out(report.incidents.len(), INCIDENTS, "incident", "incidents"))
        (wallets::sections(&report.wallets, wallets::Place::File))
        (other_findings(report))
        (blind_spots(&report.blind_spots))
        (covered(report, &Totals::of(&report.findings)))
        (exceptions(report))
        (inputs(report))
        (notes(report))
    };
    let foot = html! {
        "Portreeve " (Clean(&report.version)) " · " (text::counted(report.rules, "rule", "rules"))
        " · rules' SHA-256 " span class="mono" { (Clean(&report.rules_sha256)) }
    };
    page::page(&title, masthead(report), main, foot)
}

fn title(report: &Report) -> String {
    match report.incidents.as_slice() {
        [] => "No incident was found".to_owned(),
        [one] => format!("One {} incident", one.severity),
        many => {
            let gravest = many
                .iter()
                .map(|incident| incident.severity)
                .max()
                .unwrap_or_default();
            format!("{} incidents, the gravest {gravest}", many.len())
        }
    }
}

fn masthead(report: &Report) -> Markup {
    let last = report.coverage.iter().filter_map(|coverage| coverage.last);
    let end = last
        .max()
        .map(|last| format!("logs up to {} UTC", text::minute(last)));
    html! {
        (page::masthead("Investigation report", end))
        @if report.simulated {
            p class="banner" role="note" {
                b { "Simulated data." } " The simulator wrote these records; no organisation, person or intrusion in them is real."
            }
        }
    }
}

fn answer(report: &Report, title: &str) -> Markup {
    let accounts: BTreeSet<&String> = report
        .coverage
        .iter()
        .flat_map(|coverage| &coverage.accounts)
        .collect();
    let first = report
        .coverage
        .iter()
        .filter_map(|coverage| coverage.first)
        .min();
    let last = report
        .coverage
        .iter()
        .filter_map(|coverage| coverage.last)
        .max();
    let records = text::counted(report.summary.records, "record", "records");
    html! {
        div class="answer" {
            h1 { (title) }
            p {
                (records) " of " (text::counted(accounts.len() as u64, "account", "accounts"))
                @if let (Some(first), Some(last)) = (first, last) { ", from " (text::day(first)) " to " (text::day(last)) "," }
                " were read against " (text::counted(report.rules, "rule", "rules")) ". "
                @if report.incidents.is_empty() {
                    "That holds only for what these logs cover: see what could not be seen, below."
                } @else if !report.blind_spots.is_empty() {
                    a href="#blind" { (text::counted(report.blind_spots.len() as u64, "thing", "things")) " could not be seen" } "."
                }
            }
        }
        dl class="figures" {
            div { dt { "Incidents" } dd { (text::count(report.incidents.len() as u64)) } }
            div { dt { "Findings" } dd { (text::count(report.findings.len() as u64)) } }
            div { dt { "Crown jewels" } dd { (text::count(report.jewels.len() as u64)) } }
            div { dt { "Records" } dd { (text::count(report.summary.records)) } }
            div { dt { "Logs" } dd { (text::size(report.summary.bytes)) } }
            div { dt { "Read in" } dd { (format!("{:.1} s", report.summary.seconds)) } }
        }
        @if report.incidents.len() > 1 {
            ol class="overview" {
                @for (number, incident) in report.incidents.iter().take(INCIDENTS).enumerate() {
                    li {
                        (badge(incident.severity))
                        a href={ "#incident-" (number + 1) } { (Clean(&incident.headline)) }
                        span class="soft small t" { (incident.first_sign.map_or("no time".to_owned(), text::minute)) }
                    }
                }
            }
        }
        nav aria-label="Parts of the report" {
            ul {
                @if report.incidents.len() == 1 { li { a href="#incident-1" { "Incident" } } }
                li { a href="#other" { "Other findings" } }
                li { a href="#blind" { "What could not be seen" } }
                li { a href="#coverage" { "What the logs covered" } }
                li { a href="#inputs" { "Inputs" } }
            }
        }
    }
}

fn other_findings(report: &Report) -> Markup {
    let told: BTreeSet<&str> = report
        .incidents
        .iter()
        .flat_map(|incident| incident.findings.iter().map(String::as_str))
        .collect();
    let mut others: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| !told.contains(finding.id.as_str()))
        .collect();
    others.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let counts = Severity::ALL.into_iter().rev().filter_map(|severity| {
        let count = others
            .iter()
            .filter(|finding| finding.severity == severity)
            .count();
        (count > 0).then_some((severity, count))
    });
    html! {
        section class="card part" id="other" {
            h2 { "Other findings" }
            @if others.is_empty() {
                p class="soft" { "None outside the incidents." }
            } @else {
                p class="over" { @for (severity, count) in counts { span { (badge(severity)) " " (text::count(count as u64)) } } }
                @for finding in others.iter().take(FINDINGS) { (finding::details(finding)) }
                (left_out(others.len(), FINDINGS, "finding", "findings"))
            }
        }
    }
}

fn blind_spots(blind_spots: &[BlindSpot]) -> Markup {
    blind_spots_in(blind_spots, Parts::FILE)
}

fn blind_spots_in(blind_spots: &[BlindSpot], parts: Parts<'_>) -> Markup {
    html! {
        section class="card part" id="blind" {
            h2 { "What could not be seen" }
            @if blind_spots.is_empty() { p class="soft" { "Nothing is known to be missing." } }
            ul class="blind" {
                @for blind_spot in parts.rows("blind", blind_spots, SCREEN) {
                    li {
                        b { (Clean(&blind_spot.missing)) }
                        p class="soft" { (Clean(&blind_spot.consequence)) }
                        (remedy(&blind_spot.remedy))
                    }
                }
            }
            (parts.more("blind", blind_spots.len(), SCREEN, "blind spot", "blind spots"))
        }
    }
}

fn remedy(remedy: &str) -> Markup {
    html! {
        @if text::is_command(remedy) { pre { code { (text::clean_lines(remedy)) } } }
        @else if !remedy.is_empty() { p { (Clean(remedy)) } }
    }
}

fn covered(report: &Report, totals: &Totals) -> Markup {
    html! {
        section class="card part" id="coverage" {
            h2 { "What the logs covered" }
            @if report.coverage.is_empty() { p class="soft" { "No log was read: nothing can be said about what happened." } }
            @for (number, coverage) in report.coverage.iter().enumerate() {
                (coverage::draw(coverage, totals, &format!("calendar-{number}")))
            }
            @for profile in &report.sight { (coverage::steps(profile)) }
            @if let Some(verification) = &report.verification { (verification::section(verification)) }
        }
    }
}

fn exceptions(report: &Report) -> Markup {
    html! {
        @if !report.exceptions.is_empty() {
            section class="card part" id="exceptions" {
                h2 { "Exceptions" }
                div class="scroll" { table {
                    caption { "What they mute is told all the same; it neither pages nor scores." }
                    thead { tr { th scope="col" { "Exception" } th scope="col" { "State" } th scope="col" class="n" { "Muted" } th scope="col" { "For" } th scope="col" { "Until" } th scope="col" { "Why" } } }
                    tbody { @for one in report.exceptions.iter().take(ROWS) { tr {
                        td class="mono" { (Clean(&one.id)) }
                        td { (one.state.as_str()) }
                        td class="n" { (text::count(one.muted)) }
                        td class="mono" { (Clean(&one.scope.join(" "))) }
                        td class="t" { (text::minute(one.expires)) }
                        td { (Clean(&one.reason)) " (" (Clean(&one.owner)) ", " (Clean(&one.ticket)) ")" }
                    } } }
                } }
                (left_out(report.exceptions.len(), ROWS, "exception", "exceptions"))
            }
        }
    }
}

fn inputs(report: &Report) -> Markup {
    let unread = report.dead_letters.len() as u64 + report.dead_letters_omitted;
    html! {
        section class="card part" id="inputs" {
            h2 { "Inputs" }
            details {
                summary {
                    span class="grow" { (text::counted(report.inputs.len() as u64, "file", "files")) " with their hashes" }
                    span class="end" { (text::size(report.inputs.iter().map(|input| input.bytes).sum())) }
                }
                div class="inside" {
                    div class="scroll" { table {
                        caption { "Every file as it was read; the hash is that of the file on disk." }
                        thead { tr { th scope="col" { "File" } th scope="col" { "Recognised as" } th scope="col" class="n" { "Records" } th scope="col" class="n" { "Size" } th scope="col" { "SHA-256" } } }
                        tbody { @for input in report.inputs.iter().take(ROWS) { (input_row(input)) } }
                    } }
                    (left_out(report.inputs.len(), ROWS, "file", "files"))
                }
            }
            details open[unread > 0] {
                summary { span class="grow" { "Not readable" } span class="end" { (text::counted(unread, "part", "parts")) } }
                div class="inside" {
                    @if unread == 0 { p class="soft" { "Everything was read." } } @else {
                        div class="scroll" { table {
                            caption { "Everything readable around these parts was used." }
                            thead { tr { th scope="col" { "File" } th scope="col" class="n" { "Byte" } th scope="col" { "Why" } } }
                            tbody {
                                @for letter in report.dead_letters.iter().take(ROWS) {
                                    tr { td class="mono" { (Clean(&letter.file)) } td class="n" { (text::count(letter.offset)) } td { (Clean(&letter.reason)) } }
                                }
                            }
                        } }
                        (left_out(unread as usize, report.dead_letters.len().min(ROWS), "part", "parts"))
                    }
                }
            }
        }
    }
}

fn input_row(input: &Input) -> Markup {
    let kind = match input.kind {
        InputKind::Log | InputKind::Inventory | InputKind::Networks | InputKind::Wallets => {
            input.format.as_str()
        }
        InputKind::Ignored => "known, not needed",
        InputKind::Unrecognised => "not recognised",
    };
    html! {
        tr {
            td class="mono" { (Clean(&input.file)) }
            td { (Clean(kind)) }
            td class="n" { (text::count(input.records)) }
            td class="n t" { (text::size(input.bytes)) }
            td class="mono" { (Clean(&input.sha256)) }
        }
    }
}

fn notes(report: &Report) -> Markup {
    html! {
        @if !report.notes.is_empty() {
            section class="card part" id="notes" {
                h2 { "Notes" }
                ul class="bullets" { @for note in report.notes.iter().take(ROWS) { li { (Clean(note)) } } }
                (left_out(report.notes.len(), ROWS, "note", "notes"))
            }
        }
    }
}
