//! What people decided of an incident: which others are one with it, which parts are not of it.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_incident::Incident;
use portreeve_model::{Finding, Timestamp};

use super::super::Page;
use super::super::shape::Clean;
use super::incident::address_of;
use super::{foot, today};
use crate::text;

/// What someone decided.
#[derive(Clone, Copy, Debug)]
pub struct DecisionLine<'d> {
    /// To undo it by.
    pub number: u64,
    /// Whether two are one; else a part is not of it.
    pub joins: bool,
    /// The incident, by the id that it had.
    pub incident: &'d str,
    /// The other incident, or the part.
    pub what: &'d str,
    /// Who.
    pub who: &'d str,
    /// When.
    pub time: Timestamp,
    /// Whether it does anything now.
    pub holds: bool,
    /// Who undid it, and when.
    pub undone: Option<(&'d str, Timestamp)>,
}

/// Everything on the page.
#[derive(Debug)]
pub struct DecisionsPage<'d> {
    /// The incident.
    pub incident: &'d Incident,
    /// Its findings, by id.
    pub findings: BTreeMap<&'d str, &'d Finding>,
    /// Others that it may be one with, the gravest first.
    pub others: Vec<&'d Incident>,
    /// What was decided, the first first.
    pub decisions: Vec<DecisionLine<'d>>,
    /// Whether the reader may decide.
    pub may_write: bool,
}

/// How many findings are offered to be taken out; the API takes any.
const OFFERED: usize = 200;

/// The page.
pub fn decisions(page: &DecisionsPage<'_>) -> Page {
    let address = address_of(page.incident);
    let title = "Merge and split".to_owned();
    let main = html! {
        nav class="back" aria-label="Where this belongs" { a href=(address) { "← " (Clean(&page.incident.headline)) } }
        div class="answer" {
            h1 { (title) }
            p { "Say that another incident is one with this, or that a part is not of it. What was found stays as it is, and every decision can be undone." }
        }
        section class="card care" aria-labelledby="decided" {
            h2 id="decided" { "What was decided" }
            @if page.decisions.is_empty() { p class="soft" { "Nothing yet." } } @else {
                ul class="plain notes" { @for line in &page.decisions { li { (decided(line, page.may_write, &address)) } } }
            }
        }
        @if page.may_write {
            (joining(page, &address))
            (parting(page, &address))
        }
    };
    Page {
        title,
        what: html! {},
        main,
        foot: foot(),
    }
}

fn decided(line: &DecisionLine<'_>, may_write: bool, address: &str) -> Markup {
    html! {
        div class="soft small" {
            b { (Clean(line.who)) } " " span class="t" { (text::minute(line.time)) }
            @if let Some((who, time)) = line.undone { " · undone by " b { (Clean(who)) } " " span class="t" { (text::minute(time)) } }
            @else if !line.holds { " · does nothing as long as what it names is not there" }
        }
        @if line.joins { p { (incident(line.incident)) " and " (incident(line.what)) " are one" } }
        @else { p { code { (Clean(line.what)) } " is not of " (incident(line.incident)) } }
        @if may_write && line.undone.is_none() {
            form method="post" action={ (address) "/decisions/" (line.number) "/undo" } {
                button aria-label={ "Undo decision " (line.number) } { "Undo" }
            }
        }
    }
}

fn incident(id: &str) -> Markup {
    html! { a href={ "/incidents/" (today::address(id)) } { code { (Clean(id)) } } }
}

fn joining(page: &DecisionsPage<'_>, address: &str) -> Markup {
    html! {
        section class="card care" aria-labelledby="join" {
            h2 id="join" { "Merge" }
            form method="post" action={ (address) "/decisions" } {
                input type="hidden" name="kind" value="join";
                label class="wide" { "This is one with the incident "
                    input name="what" list="others" required maxlength="400" autocomplete="off";
                }
                datalist id="others" { @for other in &page.others {
                    option value=(other.id) { (Clean(&other.headline)) }
                } }
                button { "Merge" }
            }
        }
    }
}

fn parting(page: &DecisionsPage<'_>, address: &str) -> Markup {
    let incident = page.incident;
    let found = |credential: &str| {
        let own = |it: &&&Finding| it.credential.as_deref() == Some(credential);
        page.findings.values().filter(own).count() as u64
    };
    let stories = incident.credential_stories.iter();
    let credentials: Vec<_> = stories
        .map(|it| (it, found(&it.credential)))
        .filter(|(_, count)| *count > 0)
        .collect();
    let findings = incident.findings.iter();
    let findings = findings.filter_map(|id| page.findings.get(id.as_str()));
    html! {
        section class="card care" aria-labelledby="part" {
            h2 id="part" { "Split" }
            p class="soft" { "A credential takes with it those that were minted from it. What is taken out becomes an incident of its own." }
            form method="post" action={ (address) "/decisions" } {
                input type="hidden" name="kind" value="part";
                label class="wide" { "Not of this incident "
                    select name="what" required {
                        option value="" { "choose" }
                        optgroup label="Credentials" { @for (story, count) in &credentials {
                            option value={ "credential:" (text::clean(&story.credential)) } { (Clean(&story.credential)) ", " (Clean(&story.actor)) ": " (text::counted(*count, "finding", "findings")) }
                        } }
                        optgroup label="Findings" { @for finding in findings.take(OFFERED) {
                            option value={ "finding:" (finding.id) } { @if let Some(time) = finding.time { (text::minute(time)) " " } (Clean(&finding.title)) }
                        } }
                    }
                }
                button { "Split" }
            }
        }
    }
}
