//! What wants a look today.

use maud::{Markup, html};
use portreeve_graph::JewelKind;
use portreeve_incident::{Incident, WalletStory};
use portreeve_model::{BlindSpot, Severity, Timestamp};

use super::super::Page;
use super::super::shape::{Clean, badge};
use super::super::wallets;
use super::foot;
use crate::{name, text};

/// One incident in the list.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'t> {
    /// The incident.
    pub incident: &'t Incident,
    /// Whose it is.
    pub owner: Option<&'t str>,
    /// How it stands.
    pub state: &'t str,
}

/// One input of one log source.
#[derive(Clone, Copy, Debug)]
pub struct SourceLine<'t> {
    /// The log source.
    pub source: &'t str,
    /// Who brings the records.
    pub input: &'t str,
    /// Records since the watch began.
    pub records: u64,
    /// When the last arrived.
    pub last_arrival: Option<Timestamp>,
    /// The latest record's own time.
    pub last_event: Option<Timestamp>,
    /// How late records usually come, in seconds.
    pub usual_delay: Option<i64>,
}

/// Everything on the page.
#[derive(Debug)]
pub struct Today<'t> {
    /// The incidents that the filters leave, those of this page, gravest first.
    pub incidents: Vec<Listed<'t>>,
    /// How many the filters leave.
    pub found: usize,
    /// How many incidents there are, and how many of them are open.
    pub all: usize,
    /// Incidents that nobody has closed.
    pub open: usize,
    /// What was asked for, as it stands in the address.
    pub query: &'t str,
    /// The severity that was asked for.
    pub severity: Option<Severity>,
    /// The state that was asked for: a word, or `open` or `all`.
    pub state: &'t str,
    /// Where the next page begins, where there is one: the address.
    pub next: Option<String>,
    /// Jewels that an open incident touched or can still reach, with the incident's id.
    pub at_risk: Vec<(&'t str, JewelKind, &'t str, bool)>,
    /// How many findings there are, doors, and master keys.
    pub findings: usize,
    /// Ways in from outside.
    pub doors: usize,
    /// Keys that open an account or a jewel.
    pub masters: usize,
    /// Records that stage two holds.
    pub records: u64,
    /// Where records come from.
    pub sources: Vec<SourceLine<'t>>,
    /// What happened to wallets without a known intrusion that led there.
    pub wallets: &'t [WalletStory],
    /// What could not be seen.
    pub blind_spots: &'t [BlindSpot],
}

/// The most rows of a list beside the incidents.
const ROWS: usize = 12;

/// The page.
pub fn today(today: &Today<'_>) -> Page {
    let title = match (today.open, today.all) {
        (0, 0) => "No incident was found".to_owned(),
        (0, _) => "No incident is open".to_owned(),
        (open, _) => format!(
            "{} open",
            text::counted(open as u64, "incident", "incidents")
        ),
    };
    let main = html! {
        div class="answer" {
            h1 { (title) }
            p {
                @if today.all == 0 { "That holds only for what the logs cover: see " a href="/coverage" { "what could not be seen" } "." }
                @else { "Gravest first. Each is one intrusion as far as the logs tell, with what it holds and what cuts its way." }
            }
        }
        dl class="figures" {
            div { dt { "Open incidents" } dd { (text::count(today.open as u64)) } }
            div { dt { "Findings" } dd { (text::count(today.findings as u64)) } }
            div { dt { "Jewels at risk" } dd { (text::count(today.at_risk.len() as u64)) } }
            div { dt { a href="/doors" { "Doors" } } dd { (text::count(today.doors as u64)) } }
            div { dt { a href="/keys" { "Master keys" } } dd { (text::count(today.masters as u64)) } }
            div { dt { "Records held" } dd { (text::count(today.records)) } }
        }
        section class="card part" id="incidents" {
            h2 { "Incidents" }
            (filters(today))
            @if today.incidents.is_empty() { p class="soft" { "None that the filters leave." } }
            ol class="incidents" { @for listed in &today.incidents { (row(listed)) } }
            @if let Some(next) = &today.next { p class="more" { a href=(next) rel="next" { "Further incidents" } " of " (text::count(today.found as u64)) } }
        }
        @if !today.wallets.is_empty() {
            section class="card part" id="wallets" {
                h2 { "Wallets" }
                p class="soft" { "No known intrusion leads to what was seen of them. " a href="/wallets" { "All wallets" } }
                (wallets::sections(today.wallets, wallets::Place::Screen))
            }
        }
        div class="columns" {
            section class="card part" {
                h2 { "Crown jewels at risk" }
                @if today.at_risk.is_empty() { p class="soft" { "No open incident touched one or has a way to one." } }
                ul class="plain" { @for (id, kind, incident, touched) in today.at_risk.iter().take(ROWS) {
                    li {
                        a href={ "/estate?q=" (address(id)) } title=(text::clean(id)) { (Clean(name::short(id))) } " "
                        span class="tag jewel" { "◆ " (kind.title()) } " "
                        a href={ "/incidents/" (address(incident)) } { @if *touched { span class="tag bad" { "touched" } } @else { span class="tag warn" { "within reach" } } }
                    }
                } }
                @if today.at_risk.len() > ROWS { p class="left-out" { (today.at_risk.len() - ROWS) " more stand with their incidents." } }
            }
            section class="card part" {
                h2 { "Blind spots" }
                @if today.blind_spots.is_empty() { p class="soft" { "Nothing is known to be missing." } }
                ul class="plain" { @for spot in today.blind_spots.iter().take(ROWS) { li { (Clean(&spot.missing)) } } }
                @if today.blind_spots.len() > ROWS { p class="left-out" { a href="/coverage" { "All " (today.blind_spots.len()) } } }
            }
        }
        (sources(&today.sources))
    };
    Page {
        title,
        what: html! {},
        main,
        foot: foot(),
    }
}

/// An id as part of an address.
pub fn address(id: &str) -> String {
    let mut address = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                address.push(byte.into());
            }
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

fn filters(today: &Today<'_>) -> Markup {
    html! {
        form class="filters" method="get" action="/" role="search" {
            label { "Search " input type="search" name="q" value=(text::clean(today.query)) placeholder="principal, key, resource, words"; }
            label { "At least " select name="severity" {
                option value="" selected[today.severity.is_none()] { "any severity" }
                @for severity in Severity::ALL.into_iter().rev() { option value=(severity.as_str()) selected[today.severity == Some(severity)] { (severity.as_str()) } }
            } }
            label { "State " select name="state" {
                @for word in ["open", "all", "new", "investigating", "contained", "closed", "false-positive"] { option value=(word) selected[today.state == word] { (word) } }
            } }
            button { "Filter" }
        }
    }
}

fn row(listed: &Listed<'_>) -> Markup {
    let incident = listed.incident;
    html! {
        li class=(incident.severity.as_str()) id={ "incident-" (incident.id) } {
            span class="score" title="score of 100" { (incident.score) }
            div {
                a class="go" href={ "/incidents/" (address(&incident.id)) } { (Clean(&incident.headline)) }
                div class="over" {
                    (badge(incident.severity))
                    @if let Some(first) = incident.first_sign { span class="t" { "since " (text::minute(first)) } }
                    @if let Some(last) = incident.last_activity { span class="t" { "last " (text::minute(last)) } }
                    span { (text::counted(incident.findings.len() as u64, "finding", "findings")) }
                    span class="tag" { (listed.state) }
                    @if let Some(owner) = listed.owner { span { (Clean(owner)) } }
                }
            }
        }
    }
}

fn sources(sources: &[SourceLine<'_>]) -> Markup {
    let time = |time: Option<Timestamp>| time.map_or("not yet".to_owned(), text::time);
    html! {
        section class="card part" id="sources" {
            h2 { "Sources" }
            @if sources.is_empty() { p class="soft" { "No record has arrived since the watch began; what was taken in before is held." } } @else {
                div class="scroll" tabindex="0" role="region" aria-label="Sources" { table {
                    caption { "Both clocks, in UTC: when a record says that it happened, and when it arrived here." }
                    thead { tr { th scope="col" { "Source" } th scope="col" { "Brought by" } th scope="col" class="n" { "Records" } th scope="col" { "Latest event" } th scope="col" { "Last arrival" } th scope="col" class="n" { "Usually late by" } } }
                    tbody { @for one in sources { tr {
                        td { (Clean(one.source)) }
                        td { (Clean(one.input)) }
                        td class="n" { (text::count(one.records)) }
                        td class="t" { (time(one.last_event)) }
                        td class="t" { (time(one.last_arrival)) }
                        td class="n" { @if let Some(delay) = one.usual_delay { (text::span(delay.max(0))) } }
                    } } }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_addresses_are_escaped() {
        let id = "arn:aws:s3:::a/b?c=\"<d>&é";
        assert_eq!(
            address(id),
            "arn%3Aaws%3As3%3A%3A%3Aa%2Fb%3Fc%3D%22%3Cd%3E%26%C3%A9"
        );
    }
}
