//! What an incident rests on, each a click away: its findings, its records, one record as it arrived.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_incident::{Incident, TimelineEntry, TimelineRole};
use portreeve_model::Finding;

use super::super::Page;
use super::super::finding::{actor, inside, linked, record as record_address};
use super::super::parts::Parts;
use super::super::shape::{Clean, badge};
use super::foot;
use super::incident::address_of;
use crate::{name, text};

/// Rows of a list of findings, and of records, on one screen.
const ROWS: usize = 100;

/// A way back to the incident, above what is behind it.
fn back(incident: &Incident) -> Markup {
    html! {
        nav class="back" aria-label="Where this belongs" {
            a href=(address_of(incident)) { "← " (Clean(&incident.headline)) }
        }
    }
}

fn page(title: String, above: Markup, main: Markup) -> Page {
    Page {
        what: html! {},
        main: html! {
            (above)
            div class="answer" { h1 { (Clean(&title)) } }
            (main)
        },
        foot: foot(),
        title,
    }
}

/// One finding with its evidence.
pub fn finding(incident: &Incident, finding: &Finding) -> Page {
    let main = html! {
        section class="card part" data-fragment {
            p class="over" { (badge(finding.severity)) }
            (inside(finding, true))
        }
    };
    page(finding.title.clone(), back(incident), main)
}

/// All findings of an incident, gravest first.
pub fn findings(
    incident: &Incident,
    findings: &BTreeMap<&str, &Finding>,
    parts: Parts<'_>,
) -> Page {
    let mut listed: Vec<&Finding> = incident
        .findings
        .iter()
        .filter_map(|id| findings.get(id.as_str()).copied())
        .collect();
    listed.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.time));
    let address = address_of(incident);
    let main = html! {
        section class="card part" id="findings" {
            h2 { "Gravest first" }
            ol class="links" { @for finding in parts.rows("findings", &listed, ROWS) { (linked(finding, &address)) } }
            (parts.more("findings", listed.len(), ROWS, "finding", "findings"))
        }
    };
    let title = text::counted(listed.len() as u64, "finding", "findings");
    page(title, back(incident), main)
}

/// Every record of an incident in order of time, each with a way to the record as it arrived.
pub fn records(incident: &Incident, findings: &BTreeMap<&str, &Finding>, parts: Parts<'_>) -> Page {
    let all = &incident.timeline;
    let main = html! {
        section class="card part" id="records" {
            h2 { "In order of time" }
            div class="scroll" tabindex="0" role="region" aria-label="Records" { table {
                caption { "Times as the records tell them, in UTC. What is set in grey nothing ties to the intruder but the credential." }
                thead { tr {
                    th scope="col" { "Time" } th scope="col" { "What" } th scope="col" { "On what" }
                    th scope="col" { "Who" } th scope="col" { "From" } th scope="col" { "Finding" }
                } }
                tbody { @for entry in parts.rows("records", all, ROWS) { (row(entry, findings)) } }
            } }
            (parts.more("records", all.len(), ROWS, "record", "records"))
        }
    };
    let title = text::counted(all.len() as u64, "record", "records");
    page(title, back(incident), main)
}

fn row(entry: &TimelineEntry, findings: &BTreeMap<&str, &Finding>) -> Markup {
    let finding = entry.finding.as_deref().and_then(|id| findings.get(id));
    html! {
        tr class=[(entry.role == TimelineRole::Quiet).then_some("quiet")] {
            td class="t" { (entry.time.map_or("no time".to_owned(), text::time)) }
            td { a href=(record_address(&entry.file, entry.index)) { (Clean(&entry.action)) } @if entry.outcome != "success" { " " span class="tag" { (Clean(&entry.outcome)) } } }
            td { @if let Some(first) = entry.targets.first() { (Clean(name::short(first))) } @if entry.targets.len() > 1 { " and " (entry.targets.len() - 1) " more" } }
            td { (actor(&entry.actor)) @if let Some(credential) = &entry.credential { br; span class="mono soft" { (Clean(credential)) } } }
            td class="mono" { (entry.address.as_deref().map_or("".into(), text::clean)) }
            td { @if let Some(finding) = finding { (badge(finding.severity)) " " (Clean(&finding.title)) } }
        }
    }
}

/// One record as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'r> {
    /// The file or input that brought it.
    pub file: &'r str,
    /// Its number there.
    pub index: u64,
    /// Its text, set out on lines; secrets in it are masked.
    pub text: &'r str,
    /// How many secrets were masked.
    pub masked: usize,
}

/// One record as it arrived.
pub fn record(raw: &Raw<'_>) -> Page {
    let main = html! {
        section class="card part" data-fragment {
            dl class="pairs" {
                dt { "Brought by" } dd class="mono" { (Clean(raw.file)) }
                dt { "Record" } dd { (text::count(raw.index)) " of it, counted from 0" }
                @if raw.masked > 0 { dt { "Masked" } dd { (text::counted(raw.masked as u64, "secret", "secrets")) ": a fingerprint and the last four characters stand for each" } }
            }
            pre tabindex="0" { code { (text::clean_lines(raw.text)) } }
        }
    };
    page("One record as it arrived".to_owned(), html! {}, main)
}
