//! One incident as an article.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_graph::JewelKind;
use portreeve_incident::{
    Certainty, Chain, CredentialStory, Incident, NetworkUse, ResponseStep, Touched,
};
use portreeve_model::{Finding, Severity, Timestamp};

use super::finding::{self, actor};
use super::shape::{Clean, badge};
use super::{cut, eviction, likeness, path, timeline, verification, wallets};
use crate::fold::{self, Line};
use crate::lineage::lineage;
use crate::{name, text};

/// The most lines of the timeline's table.
const LINES: usize = 400;
/// The most rows of any other list of an incident.
const ROWS: usize = 200;
/// The most rows of a list that stands on a page of the watch, where the rest is a click away.
const SCREEN: usize = 16;
/// The same of credentials, each of which tells where it was used; all of them are in the timeline.
const CREDENTIALS: usize = 5;

/// How an incident is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told<'a> {
    /// In a report, which is one file: with all its evidence.
    Whole,
    /// On a page of the watch: its evidence, records and plan lie behind links that begin with this address.
    Linked(&'a str),
}

impl Told<'_> {
    /// How many rows of a list are told in place.
    fn rows(self, screen: usize) -> usize {
        match self {
            Told::Whole => ROWS,
            Told::Linked(_) => screen,
        }
    }
}

/// How many steps of what to do first stand on a screen; the plan has them all.
const STEPS: usize = 10;

/// The article.
pub(super) fn article(
    incident: &Incident,
    findings: &BTreeMap<&str, &Finding>,
    jewels: &BTreeMap<&str, JewelKind>,
    number: usize,
    told: Told<'_>,
) -> Markup {
    let id = format!("incident-{number}");
    html! {
        article class={ "card incident " (incident.severity.as_str()) } id=(id) aria-labelledby={ (id) "-headline" } {
            div class="over" {
                (badge(incident.severity))
                span { "score " (incident.score) " of 100" }
                span class="mono" { (Clean(&incident.id)) }
                @if incident.muted > 0 { span class="tag" { (incident.muted) " of " (text::counted(incident.findings.len() as u64, "finding", "findings")) " muted by exceptions" } }
            }
            h2 id={ (id) "-headline" } { (Clean(&incident.headline)) }
            @if !incident.narrative.is_empty() {
                div class="story" { @for sentence in &incident.narrative { p { (Clean(sentence)) } } }
            }
            (facts(incident))
            @if let Told::Linked(_) = told { (parts(incident)) }
            section id=[part("timeline", told)] {
                h3 { "What happened" }
                (timeline::draw(incident, findings, &format!("{id}-timeline"), told))
            }
            (likeness::section(&incident.likeness))
            section class="columns" style="display:grid" {
                section { h3 { "Credentials used" } (chains(&incident.chains)) (credentials(&incident.credential_stories, told)) }
                section {
                    h3 { "What was touched" }
                    (touched(&incident.touched, told))
                    @if !incident.score_parts.is_empty() { (score(incident)) }
                }
            }
            section id=[part("reach", told)] {
                h3 { "How far it can still go" }
                @if incident.paths.is_empty() {
                    p class="soft" { "No path to a crown jewel was found in what is known of the estate." }
                } @else {
                    @let paths = first(&incident.paths, told.rows(path::DRAWN));
                    div data-pan[matches!(told, Told::Linked(_))] { (path::draw(paths, jewels, &format!("{id}-paths"))) }
                    @match told {
                        Told::Linked(address) => p { a href={ (address) "/paths" } data-inline { "The same as a table" } },
                        Told::Whole => (path::table(paths)),
                    }
                    (left_out(incident.paths.len(), paths.len(), "path", "paths"))
                }
            }
            (verification::of_incident(incident))
            (wallets::sections(&incident.wallets, if let Told::Whole = told { wallets::Place::File } else { wallets::Place::Screen }))
            @if let Told::Whole = told { (eviction::section(incident)) }
            @if !incident.response.is_empty() {
                section id=[part("plan", told)] {
                    h3 { "What to do first" }
                    p class="soft small" { "Review each command before you run it. A click selects the whole command." }
                    (response(first(&incident.response, told.rows(STEPS))))
                    (left_out(incident.response.len(), told.rows(STEPS), "step", "steps"))
                }
            }
            @match told {
                Told::Whole => {
                    @if let Some(it) = &incident.cut { (cut::of_incident(it)) }
                    section {
                        h3 { "Findings and their evidence" }
                        @for finding in incident.findings.iter().filter_map(|id| findings.get(id.as_str())).take(ROWS) { (finding::details(finding)) }
                        (left_out(incident.findings.len(), ROWS, "finding", "findings"))
                    }
                    section {
                        h3 { "Every record, folded" }
                        (table(incident, findings))
                    }
                },
                Told::Linked(address) => { (behind(incident, findings, address)) },
            }
        }
    }
}

fn first<T>(all: &[T], most: usize) -> &[T] {
    all.get(..most).unwrap_or(all)
}

/// A name for a part of the article, where it has the page for itself.
fn part(name: &'static str, told: Told<'_>) -> Option<&'static str> {
    matches!(told, Told::Linked(_)).then_some(name)
}

/// The ways to the parts of a long page.
fn parts(incident: &Incident) -> Markup {
    html! {
        nav class="parts-of" aria-label="Parts of the incident" { ul {
            li { a href="#timeline" { "What happened" } }
            li { a href="#reach" { "How far still" } }
            @if !incident.response.is_empty() { li { a href="#plan" { "What to do" } } }
            li { a href="#findings" { "Findings" } }
            li { a href="#people" { "Notes and state" } }
        } }
    }
}

/// The summary of a plan, and ways to the plan, the findings and the records.
fn behind(incident: &Incident, findings: &BTreeMap<&str, &Finding>, address: &str) -> Markup {
    let mut listed: Vec<&Finding> = incident
        .findings
        .iter()
        .filter_map(|id| findings.get(id.as_str()).copied())
        .collect();
    listed.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.time));
    html! {
        section {
            h3 { "Containment" }
            @if let Some(cut) = &incident.cut {
                p { (crate::cut::of_incident_in_words(cut)) }
                ul class="bullets" {
                    @for step in cut.changes.iter().take(SCREEN) { li { (Clean(&step.title)) } }
                }
                (left_out(cut.changes.len(), SCREEN, "change", "changes"))
            }
            @if !incident.eviction.is_empty() {
                p { "Of what the intruder held, made or changed: " (crate::terminal::summed(&incident.eviction)) "." }
            }
            p class="more" {
                a class="act" href={ (address) "/plan" } { "The whole plan, with its commands and its proof" } " "
                a href={ (address) "/plan.txt" } download { "as a text file" }
            }
        }
        section id="findings" {
            h3 { "Findings, gravest first" }
            ol class="links" {
                @for finding in listed.iter().take(SCREEN) { (finding::linked(finding, address)) }
            }
            p class="more" {
                @if listed.len() > SCREEN { a href={ (address) "/findings" } { "All " (text::counted(listed.len() as u64, "finding", "findings")) } " · " }
                a href={ (address) "/records" } { "All " (text::counted(incident.timeline.len() as u64, "record", "records")) }
            }
        }
    }
}

/// Says how many of a list are not on the page.
pub(super) fn left_out(total: usize, shown: usize, one: &str, many: &str) -> Markup {
    html! {
        @if total > shown {
            p class="left-out" {
                (text::counted((total - shown) as u64, &format!("more {one}"), &format!("more {many}")))
                " left out of this page; the report in JSON holds all."
            }
        }
    }
}

fn facts(incident: &Incident) -> Markup {
    let time = |time: Option<Timestamp>| {
        time.map_or("not known".to_owned(), |time| {
            format!("{} UTC", text::time(time))
        })
    };
    let lasted = incident
        .first_sign
        .zip(incident.last_activity)
        .filter(|(first, last)| first < last);
    html! {
        dl class="facts" {
            div { dt { "First sign" } dd { b { (time(incident.first_sign)) } } }
            div { dt { "Last activity" } dd { (time(incident.last_activity)) } }
            @if let Some((first, last)) = lasted {
                div { dt { "Between them" } dd { (text::span(last.as_second() - first.as_second())) } }
            }
            div class="wide" { dt { "Acted as" } dd { @for (number, principal) in incident.principals.iter().take(6).enumerate() { @if number > 0 { br; } (actor(principal)) } @if incident.principals.len() > 6 { br; "and " (incident.principals.len() - 6) " more" } } }
            @if !incident.tactics.is_empty() {
                div class="wide" {
                    dt { "Tactics seen" }
                    dd { ol class="flow" { @for tactic in &incident.tactics { li { (tactic.title()) } } } }
                }
            }
        }
    }
}

fn credentials(stories: &[CredentialStory], told: Told<'_>) -> Markup {
    if stories.is_empty() {
        return html! { p class="soft" { "None is known." } };
    }
    let ordered = lineage(stories);
    let rows = told.rows(CREDENTIALS);
    let shown: Vec<_> = ordered.iter().take(rows).collect();
    // A nested list, made from depths: each deeper credential opens a list, each return closes it.
    let mut open = 0usize;
    let mut markup = String::from("<ul class=\"tree\">");
    for (place, (story, depth)) in shown.iter().enumerate() {
        let depth = (*depth).min(12);
        if place > 0 {
            if depth > open {
                markup.push_str("<ul class=\"tree\">");
                open += 1;
            } else {
                markup.push_str("</li>");
                while open > depth {
                    markup.push_str("</ul></li>");
                    open -= 1;
                }
            }
        }
        markup.push_str("<li>");
        markup.push_str(&credential(story).into_string());
    }
    markup.push_str(&"</li></ul>".repeat(open + 1));
    html! { (maud::PreEscaped(markup)) (left_out(stories.len(), rows, "credential", "credentials")) }
}

fn credential(story: &CredentialStory) -> Markup {
    html! {
        div class="cred mono" { (Clean(&story.credential)) }
        div class="small" { (actor(&story.actor)) }
        div class="small soft" {
            @match (story.minted_by.as_str(), story.created) {
                ("unknown", None) => "how it was issued is not in the logs",
                ("unknown", Some(created)) => { "issued " (moment(created)) },
                (method, None) => { "issued by " (Clean(method)) },
                (method, Some(created)) => {
                    "issued " (moment(created))
                    @if story.certainty.is_some_and(|it| it < Certainty::Certain) { ", likely" }
                    " by " (Clean(method))
                },
            }
            @if let Some(reason) = &story.reason { " (" (Clean(reason)) ")" }
            @if let Some(expires) = story.expires { ", ends by itself " (moment(expires)) }
        }
        ul class="uses" { @for network in story.networks.iter().take(20) { (network_use(network)) } }
        (left_out(story.networks.len(), 20, "network", "networks"))
    }
}

/// Credentials that the intruder took one after the other.
fn chains(chains: &[Chain]) -> Markup {
    html! {
        @for chain in chains.iter().take(ROWS) {
            p {
                b title=(text::clean(&chain.person)) { (Clean(name::short(&chain.person))) } ": "
                (crate::terminal::length(chain)) ", from "
                @for (number, network) in chain.networks.iter().take(20).enumerate() {
                    @if number > 0 { ", " }
                    span class="mono" { (Clean(network)) }
                }
                ", " (crate::terminal::period(chain.first, chain.last))
            }
        }
        (left_out(chains.len(), ROWS, "chain", "chains"))
    }
}

/// A time that is not broken across lines.
fn moment(time: Timestamp) -> Markup {
    html! { span class="t" { (text::minute(time)) } }
}

fn network_use(network: &NetworkUse) -> Markup {
    html! {
        li class=(if network.suspect { "suspect" } else { "" }) {
            span {
                b class="mono" { @if network.address.is_empty() { "no address recorded" } @else { (Clean(&network.address)) } } " "
                @if network.class != "unknown" { span class="tag" { (Clean(&network.class)) } }
                @if network.suspect { " " span class="tag warn" { "suspect" } }
            }
            span class="when" { (text::counted(network.calls, "call", "calls")) }
            span class="what soft" {
                (crate::terminal::period(network.first, network.last))
                @if let Some(client) = &network.client { br; span class="mono" { (Clean(client)) } }
            }
        }
    }
}

fn touched(touched: &[Touched], told: Told<'_>) -> Markup {
    let rows = told.rows(SCREEN);
    let mut sorted: Vec<&Touched> = touched.iter().collect();
    sorted.sort_by_key(|one| one.jewel.is_none());
    html! {
        @if sorted.is_empty() { p class="soft" { "No resource is named by the records." } }
        ul class="touched" {
            @for one in sorted.iter().take(rows) {
                @let read = name::of(&one.resource);
                li {
                    div class="row" {
                        b title=(text::clean(&one.resource)) { (Clean(read.name)) }
                        @match &one.jewel {
                            Some(kind) => span class="tag jewel" { "◆ " (Clean(kind)) },
                            None => span class="tag" { (read.kind.title()) },
                        }
                        @match (one.succeeded, one.written) {
                            (false, _) => span class="tag good" { "every call refused" },
                            (true, true) => span class="tag bad" { "written" },
                            (true, false) => span class="tag warn" { (read.kind.seen()) },
                        }
                        @if one.objects > 0 { span class="tag" { (text::counted(one.objects, "object", "objects")) } }
                    }
                    div class="acts" {
                        @for (number, (action, count)) in one.actions.iter().take(8).enumerate() {
                            @if number > 0 { ", " } (Clean(action)) @if *count > 1 { "\u{a0}×" (text::count(*count)) }
                        }
                    }
                }
            }
        }
        (left_out(sorted.len(), rows, "resource", "resources"))
    }
}

/// Steps with their commands.
pub(super) fn response(steps: &[ResponseStep]) -> Markup {
    html! {
        ol class="response" {
            @for step in steps {
                li {
                    div {
                        h4 { (Clean(&step.title)) }
                        @if let Some(command) = &step.command { pre { code { (text::clean_lines(command)) } } }
                        @if let Some(caveat) = &step.caveat { p class="soft" { (Clean(caveat)) } }
                    }
                }
            }
        }
    }
}

fn score(incident: &Incident) -> Markup {
    let most = incident
        .score_parts
        .iter()
        .map(|part| part.points)
        .max()
        .unwrap_or(1)
        .max(1);
    html! {
        h3 class="again" { "Why the score is " (incident.score) }
        ul class="parts" {
            @for part in incident.score_parts.iter().take(ROWS) {
                li {
                    span { (Clean(&part.reason)) }
                    svg viewBox="0 0 150 8" preserveAspectRatio="none" aria-hidden="true" {
                        rect class="track" width="150" height="8" rx="4" {}
                        rect class="bar" width=(format!("{:.1}", f64::from(part.points) * 150.0 / f64::from(most))) height="8" rx="4" {}
                    }
                    span class="n" { (part.points) }
                }
            }
        }
    }
}

/// The timeline in words.
fn table(incident: &Incident, findings: &BTreeMap<&str, &Finding>) -> Markup {
    let severity = |id: &str| {
        findings
            .get(id)
            .map_or(Severity::Informational, |finding| finding.severity)
    };
    let (lines, omitted) = fold::abridge(fold::lines(&incident.timeline), Some(LINES), severity);
    html! {
        details {
            summary {
                span class="grow" { "Timeline as a table" }
                span class="end" {
                    (text::counted(incident.timeline.len() as u64, "record", "records")) " in "
                    (text::counted(lines.len() as u64, "line", "lines"))
                }
            }
            div class="inside" {
                div class="scroll" {
                    table {
                        caption { "Calls with the same finding, by one actor from one place and close in time, are one line." }
                        thead { tr {
                            th scope="col" { "Time (UTC)" } th scope="col" { "What" } th scope="col" { "On what" }
                            th scope="col" { "Who" } th scope="col" { "From" } th scope="col" { "Finding" }
                        } }
                        tbody { @for line in &lines { (row(line, findings)) } }
                    }
                }
                @if omitted > 0 {
                    p class="left-out" { (text::counted(omitted, "record", "records")) " left out of this table; the report in JSON holds all." }
                }
            }
        }
    }
}

fn row(line: &Line<'_>, findings: &BTreeMap<&str, &Finding>) -> Markup {
    let clock = line.time().map_or("no time".to_owned(), text::time);
    let named = |actions: &[(&str, u64)]| {
        actions
            .iter()
            .take(6)
            .map(|(action, count)| match count {
                1 => text::clean(action).into_owned(),
                _ => format!("{}\u{a0}×{}", text::clean(action), text::count(*count)),
            })
            .collect::<Vec<_>>()
            .join(", ")
    };
    html! {
        @match line {
            Line::Quiet(quiet) => tr class="quiet" {
                td class="t" { (clock) }
                td colspan="5" { (text::counted(quiet.count, "quiet call", "quiet calls")) ": " (named(&quiet.actions())) }
            },
            Line::Calls(calls) => tr {
                @let entry = calls.first;
                td class="t" { (clock) }
                td { (named(&calls.actions)) @if entry.outcome != "success" { " " span class="tag" { (Clean(&entry.outcome)) } } }
                td { (Clean(&calls.target())) }
                td { (actor(&entry.actor)) @if let Some(credential) = &entry.credential { br; span class="mono soft" { (Clean(credential)) } } }
                td class="mono" { (entry.address.as_deref().map_or("".into(), text::clean)) }
                td { @if let Some(finding) = entry.finding.as_deref().and_then(|id| findings.get(id)) { (badge(finding.severity)) " " (Clean(&finding.title)) } }
            },
        }
    }
}
