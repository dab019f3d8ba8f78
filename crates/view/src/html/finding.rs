//! Findings with their evidence, each to be opened in place.

use maud::{Markup, html};
use portreeve_model::{Evidence, Finding};

use super::live::address;
use super::shape::{Clean, badge};
use crate::{name, text};

/// A finding: one line, and what it rests on within.
pub(super) fn details(finding: &Finding) -> Markup {
    html! {
        details {
            summary { (line(finding)) }
            div class="inside" { (inside(finding, false)) }
        }
    }
}

/// The line of a finding that stands on a page of its own, below the address of its incident.
pub(super) fn linked(finding: &Finding, incident: &str) -> Markup {
    html! {
        li { a href={ (incident) "/findings/" (address(&finding.id)) } data-inline { (line(finding)) } }
    }
}

fn line(finding: &Finding) -> Markup {
    html! {
        (badge(finding.severity))
        span class="grow" { (Clean(&finding.title)) @if finding.is_muted() { " " span class="tag" { "muted" } } }
        span class="end" {
            (finding.time.map_or("no time".to_owned(), text::minute)) " · "
            (text::counted(finding.evidence_total, "record", "records"))
        }
    }
}

/// What a finding says and rests on; where it stands on a page of the watch, with ways to the records.
pub(super) fn inside(finding: &Finding, ways: bool) -> Markup {
    let more = finding
        .evidence_total
        .saturating_sub(finding.evidence.len() as u64);
    html! {
                dl class="pairs" {
                    dt { "Actor" } dd { (actor(&finding.actor)) }
                    @if let Some(credential) = &finding.credential { dt { "Credential" } dd class="mono" { (Clean(credential)) } }
                    @for detail in &finding.details { dt { "Shown" } dd { (Clean(detail)) } }
                    dt { "Rule" } dd class="mono" { (Clean(&finding.rule)) }
                    @if let Some(author) = &finding.rule_author { dt { "Rule by" } dd { (Clean(author)) } }
                    @if let Some(exception) = &finding.muted_by { dt { "Muted by" } dd { (Clean(exception)) } }
                    @if !finding.techniques.is_empty() {
                        dt { "ATT&CK" }
                        dd {
                            @for (number, technique) in finding.techniques.iter().enumerate() { @if number > 0 { ", " } (technique.as_str()) }
                            @if !finding.tactics.is_empty() {
                                span class="soft" { " (" (finding.tactics.iter().map(|tactic| tactic.title()).collect::<Vec<_>>().join(", ")) ")" }
                            }
                        }
                    }
                    @if !finding.targets.is_empty() { dt { "Acted on" } dd { (targets(&finding.targets)) } }
                }
                (evidence(&finding.evidence, more, ways))
    }
}

/// A principal, with its whole id to be seen.
pub(super) fn actor(id: &str) -> Markup {
    html! {
        @if id.is_empty() { "not told by the records" } @else { span title=(text::clean(id)) { (Clean(name::short(id))) } }
    }
}

/// The address of the page of one record.
pub(super) fn record(file: &str, index: u64) -> String {
    format!("/records?file={}&index={index}", address(file))
}

fn targets(targets: &[String]) -> Markup {
    html! {
        @for (number, target) in targets.iter().take(8).enumerate() { @if number > 0 { ", " } span class="mono" { (Clean(name::short(target))) } }
        @if targets.len() > 8 { " and " (text::count(targets.len() as u64 - 8)) " more" }
    }
}

fn evidence(evidence: &[Evidence], more: u64, ways: bool) -> Markup {
    html! {
        div class="scroll" {
            table {
                caption { "Evidence" @if more > 0 { ": the first " (evidence.len()) " of " (text::count(more + evidence.len() as u64)) " records" } }
                thead { tr {
                    th scope="col" { "Time (UTC)" } th scope="col" { "Action" } th scope="col" { "Event id" }
                    th scope="col" { "File" } th scope="col" class="n" { "Record" } th scope="col" class="n" { "Byte" }
                } }
                tbody {
                    @for one in evidence {
                        tr {
                            td class="t" { (one.time.map_or("none".to_owned(), text::time)) }
                            td { @if ways { a href=(record(&one.file, one.index)) data-inline { (Clean(&one.action)) } } @else { (Clean(&one.action)) } }
                            td class="mono" { (one.event_id.as_deref().map_or("none".into(), text::clean)) }
                            td class="mono" { (Clean(&one.file)) }
                            td class="n" { (text::count(one.index)) }
                            td class="n" { (text::count(one.offset)) }
                        }
                    }
                }
            }
        }
    }
}
