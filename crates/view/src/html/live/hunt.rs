//! A question to all that was kept: a Sigma rule or fields with their values, and what matches over time.

use maud::{Markup, html};

use super::super::Page;
use super::super::hunt::{counted_by, drawn, found_rules, matched};
use super::super::shape::Clean;
use super::foot;
use super::today::address;
use crate::hunt::Hunt;
use crate::text;

/// Everything on the page.
#[derive(Debug)]
pub struct HuntPage<'h> {
    /// The Sigma rule that was asked, as it was written.
    pub rule: &'h str,
    /// Fields with their values, one a line.
    pub fields: &'h str,
    /// From when on, as it was written.
    pub since: &'h str,
    /// Until when, as it was written.
    pub until: &'h str,
    /// Why it was not asked.
    pub problem: Option<&'h str>,
    /// What was found, where something was asked.
    pub found: Option<(&'h Hunt<'h>, Searched)>,
}

/// How far a hunt went.
#[derive(Clone, Copy, Debug)]
pub struct Searched {
    /// Older records that were not searched.
    pub older: u64,
    /// The number of the part of the log to go on before, where there are older ones.
    pub before: Option<u64>,
}

/// How many principals and techniques are counted on the page.
const COUNTED: usize = 20;

/// The page.
pub fn hunt(page: &HuntPage<'_>) -> Page {
    let title = match page.found {
        Some((hunt, _)) => hunt.sentence(),
        None => "Ask all that was kept".to_owned(),
    };
    let main = html! {
        div class="answer" {
            h1 { (title) }
            @match page.found {
                Some((hunt, searched)) => p {
                    (Clean(&hunt.effort())) "."
                    @if searched.older > 0 { " " (text::counted(searched.older, "older record was", "older records were")) " not searched." }
                },
                None => p { "Every record that the watch took in is kept as it arrived. A Sigma rule, or fields with their values, are put to each." },
            }
        }
        (form(page))
        @if let Some((hunt, searched)) = page.found { (answer(page, hunt, searched)) }
    };
    Page {
        title,
        what: html! {},
        main,
        foot: foot(),
    }
}

fn form(page: &HuntPage<'_>) -> Markup {
    html! {
        form class="card part ask" method="get" action="/hunt" role="search" {
            @if let Some(problem) = page.problem { p class="banner bad" role="alert" { (text::clean_lines(problem)) } }
            label class="wide" { "Fields, one a line; all of them must hold"
                textarea name="fields" rows="3" maxlength="4000" spellcheck="false" class="mono" placeholder="eventName=GetSecretValue\nuserIdentity.arn|contains=kiran" { (text::clean_lines(page.fields)) }
            }
            details open[!page.rule.is_empty()] {
                summary { span class="grow" { "A Sigma rule" } }
                label class="wide" { "The rule in YAML; with fields above, both must hold"
                    textarea name="rule" rows="12" maxlength="16000" spellcheck="false" class="mono" placeholder="title: Secrets read\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  s:\n    eventName: GetSecretValue\n  condition: s" { (text::clean_lines(page.rule)) }
                }
            }
            div class="filters" {
                label { "Since (UTC)" input name="since" value=(text::clean(page.since)) placeholder="2026-04-07" autocomplete="off" size="17"; }
                label { "Before (UTC)" input name="until" value=(text::clean(page.until)) placeholder="2026-04-08T12:00" autocomplete="off" size="17"; }
                button { "Hunt" }
            }
        }
    }
}

fn answer(page: &HuntPage<'_>, hunt: &Hunt<'_>, searched: Searched) -> Markup {
    let principals: Vec<(String, u64)> = hunt
        .tally
        .principals()
        .into_iter()
        .take(COUNTED)
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    html! {
        @if hunt.tally.matches > 0 {
            section class="card part" { h2 { "When" } (drawn(hunt)) }
            @if hunt.rows().len() > 1 { (found_rules(hunt)) }
            (counted_by("Principals", &principals, ("principal", "principals")))
            (matched(hunt, &|file, index| record(file, index)))
        }
        @if !hunt.notes.is_empty() {
            section class="card part" { h2 { "Notes" } ul class="bullets" { @for note in hunt.notes { li { (Clean(note)) } } } }
        }
        @if let Some(before) = searched.before {
            p class="more" { a class="act" href=(older(page, before)) rel="next" { "Search what is older" } }
        }
    }
}

/// The address of the same question to what is older.
fn older(page: &HuntPage<'_>, before: u64) -> String {
    let mut link = format!("/hunt?before={before}");
    let asked = [
        ("fields", page.fields),
        ("rule", page.rule),
        ("since", page.since),
        ("until", page.until),
    ];
    for (name, value) in asked.iter().filter(|(_, value)| !value.is_empty()) {
        link.push_str(&format!("&{name}={}", address(value)));
    }
    link
}

/// The address of a record by the part of the log that holds it.
fn record(file: &str, index: u64) -> Option<String> {
    let name = file.rsplit('/').next()?;
    let number: u64 = name.split('.').next()?.parse().ok()?;
    Some(format!("/records?segment={number}&index={index}"))
}
