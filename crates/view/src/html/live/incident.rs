//! One incident, with what people wrote beside it.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_graph::JewelKind;
use portreeve_incident::Incident;
use portreeve_model::{Finding, Timestamp};

use super::super::Page;
use super::super::incident::{Told, article};
use super::super::shape::Clean;
use super::foot;
use super::today::address;
use crate::text;

/// What someone wrote.
#[derive(Clone, Copy, Debug)]
pub struct NoteLine<'i> {
    /// Who.
    pub who: &'i str,
    /// When.
    pub time: Timestamp,
    /// What.
    pub words: &'i str,
}

/// Everything on the page.
#[derive(Debug)]
pub struct IncidentPage<'i> {
    /// The incident.
    pub incident: &'i Incident,
    /// Its findings, by id.
    pub findings: BTreeMap<&'i str, &'i Finding>,
    /// The estate's jewels, by id.
    pub jewels: BTreeMap<&'i str, JewelKind>,
    /// Whose it is.
    pub owner: Option<&'i str>,
    /// How it stands.
    pub state: &'i str,
    /// The words that a state can be.
    pub states: &'i [&'i str],
    /// What people wrote.
    pub notes: Vec<NoteLine<'i>>,
    /// Whether the reader may write.
    pub may_write: bool,
}

/// The address of an incident's page; what is behind it begins with this.
pub(super) fn address_of(incident: &Incident) -> String {
    format!("/incidents/{}", address(&incident.id))
}

/// The page.
pub fn incident(page: &IncidentPage<'_>) -> Page {
    let address = address_of(page.incident);
    let main = html! {
        (stands(page, &address))
        (article(page.incident, &page.findings, &page.jewels, 1, Told::Linked(&address)))
        (people(page, &address))
    };
    Page {
        title: page.incident.headline.clone(),
        what: html! {},
        main,
        foot: foot(),
    }
}

/// How it stands, and what can be taken away of it.
fn stands(page: &IncidentPage<'_>, address: &str) -> Markup {
    html! {
        div class="stands" {
            span { span class="tag" { (page.state) } " " @match page.owner { Some(owner) => { (Clean(owner)) " looks after it" }, None => "nobody looks after it yet" } }
            @if !page.notes.is_empty() { a href="#people" { (text::counted(page.notes.len() as u64, "note", "notes")) } }
            span class="exports" {
                "Take away: "
                a href={ (address) "/report.html" } download { "report" } " "
                a href={ (address) "/plan.txt" } download { "plan" } " "
                a href={ "/api/v1/incidents/" (super::today::address(&page.incident.id)) } download={ (super::today::address(&page.incident.id)) ".json" } { "JSON" } " "
                a href={ "/api/v1/incidents/" (super::today::address(&page.incident.id)) "/stix" } download={ (super::today::address(&page.incident.id)) ".stix.json" } { "STIX" }
            }
        }
    }
}

fn people(page: &IncidentPage<'_>, address: &str) -> Markup {
    html! {
        section class="card care" id="people" aria-labelledby="people-title" {
            h2 id="people-title" { "Who looks after it" }
            @if page.may_write {
                form method="post" action={ (address) "/care" } {
                    label { "Owner " input name="owner" value=(text::clean(page.owner.unwrap_or_default())) maxlength="100" autocomplete="off"; }
                    label { "State " select name="state" { @for word in page.states { option value=(word) selected[*word == page.state] { (word) } } } }
                    button { "Save" }
                    a href={ (address) "/decisions" } { "Merge or split" }
                }
            } @else {
                p { "State " b { (page.state) } @if let Some(owner) = page.owner { ", " (Clean(owner)) " looks after it" } " " a href={ (address) "/decisions" } { "Merges and splits" } }
            }
            @if !page.notes.is_empty() {
                ul class="plain notes" { @for note in &page.notes {
                    li { div class="soft small" { b { (Clean(note.who)) } " " span class="t" { (text::minute(note.time)) } } p { (Clean(note.words)) } }
                } }
            }
            @if page.may_write {
                form method="post" action={ (address) "/notes" } {
                    label class="wide" { "Note " textarea name="words" rows="2" maxlength="10000" required {} }
                    button { "Add" }
                }
            }
        }
    }
}
