//! Who can reach what: a search, then one thing with what it reaches and who reaches it.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_graph::{AttackPath, Blast, Jewel, JewelKind};

use super::super::Page;
use super::super::incident::left_out;
use super::super::path;
use super::super::shape::Clean;
use super::foot;
use super::steps::{self, Steps};
use super::today::address;
use crate::{name, text};

/// Everything on the page.
#[derive(Debug)]
pub struct Estate<'e> {
    /// What was asked for.
    pub query: &'e str,
    /// Ids of what was found, the first of them.
    pub hits: Vec<&'e str>,
    /// How many were found.
    pub found: usize,
    /// The one thing that was meant, where it is clear.
    pub chosen: Option<&'e str>,
    /// What it reaches.
    pub blast: Option<&'e Blast>,
    /// Ways from it to jewels.
    pub ways: &'e [AttackPath],
    /// Ways to it.
    pub reachers: &'e [AttackPath],
    /// Single steps from it, as far as they were opened.
    pub steps: Option<&'e Steps>,
    /// The estate's crown jewels.
    pub jewels: &'e [Jewel],
}

/// The most ways drawn, and the most rows of a table.
const DRAWN: usize = 12;
const ROWS: usize = 100;

/// The page.
pub fn estate(estate: &Estate<'_>) -> Page {
    let kinds: BTreeMap<&str, JewelKind> = estate
        .jewels
        .iter()
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect();
    let title = match estate.chosen {
        Some(id) => name::short(id).to_owned(),
        None if estate.query.is_empty() => "Who can reach what".to_owned(),
        None => text::counted(estate.found as u64, "match", "matches"),
    };
    let main = html! {
        div class="answer" {
            h1 { (Clean(&title)) }
            @if let Some(id) = estate.chosen { p class="mono" { (Clean(id)) } }
        }
        form class="filters" method="get" action="/estate" role="search" {
            label { "Search " input type="search" name="q" value=(text::clean(estate.query)) placeholder="user, role, key, bucket, function"; }
            button { "Find" }
        }
        @match estate.chosen {
            Some(_) => (chosen(estate, &kinds)),
            None => (listed(estate)),
        }
    };
    Page {
        title,
        what: html! {},
        main,
        foot: foot(),
    }
}

fn listed(estate: &Estate<'_>) -> Markup {
    html! {
        section class="card part" {
            h2 { @if estate.query.is_empty() { "Crown jewels" } @else { "Found" } }
            @if estate.hits.is_empty() { p class="soft" { "Nothing of the inventory is called that." } }
            ul class="plain" { @for hit in &estate.hits {
                li { a class="go" href={ "/estate?q=" (address(hit)) } { (Clean(name::short(hit))) } " " span class="tag" { (name::of(hit).kind.title()) } div class="small soft mono" { (Clean(hit)) } }
            } }
            (left_out(estate.found, estate.hits.len(), "thing", "things"))
        }
    }
}

fn chosen(estate: &Estate<'_>, kinds: &BTreeMap<&str, JewelKind>) -> Markup {
    html! {
        @if let Some(it) = estate.steps { (steps::section(it, kinds)) }
        (ways("Ways from it to crown jewels", "No way from it to a crown jewel was found.", estate.ways, kinds, "from"))
        (ways("Who reaches it", "Nobody was found who reaches it.", estate.reachers, kinds, "to"))
        @if let Some(blast) = estate.blast {
            @let reached: Vec<_> = blast.reached().collect();
            section class="card part" {
                h2 { "What it reaches" }
                @if reached.is_empty() { p class="soft" { "Nothing that the inventory tells of." } } @else {
                    div class="scroll" { table {
                        caption { "Crown jewels are marked. A condition must hold before the step can be taken." }
                        thead { tr { th scope="col" { "What" } th scope="col" { "Kind" } th scope="col" { "Conditions" } } }
                        tbody { @for entry in reached.iter().take(ROWS) { tr {
                            td { a href={ "/estate?q=" (address(entry.id.as_str())) } title=(text::clean(entry.id.as_str())) { (Clean(name::short(entry.id.as_str()))) } @if entry.jewel { " " span class="tag jewel" { "◆" } } }
                            td { (name::of(entry.id.as_str()).kind.title()) }
                            td { (Clean(&entry.conditions.join(", "))) }
                        } } }
                    } }
                    (left_out(reached.len(), ROWS, "thing", "things"))
                }
            }
        }
    }
}

fn ways(
    title: &str,
    none: &str,
    paths: &[AttackPath],
    kinds: &BTreeMap<&str, JewelKind>,
    id: &str,
) -> Markup {
    html! {
        section class="card part" {
            h2 { (title) }
            @if paths.is_empty() { p class="soft" { (none) } } @else {
                div data-pan {  (path::draw(paths.get(..DRAWN).unwrap_or(paths), kinds, id)) }
                (path::table(paths.get(..DRAWN).unwrap_or(paths)))
                (left_out(paths.len(), DRAWN, "way", "ways"))
            }
        }
    }
}
