//! Credentials and what they open, as a page.

use maud::{Markup, html};
use portreeve_graph::Key;
use portreeve_incident::OverPermissive;

use super::blind_spots_in;
use super::incident::left_out;
use super::page::{self, Page, answer};
use super::parts::{Parts, SCREEN};
use super::shape::{Clean, middle};
use crate::keys::{Keys, called, kept, opens, owner};
use crate::{name, text};

/// The page of credentials: `keys --format html`.
pub fn keys(keys: &Keys<'_>) -> String {
    keys_page(keys, Parts::FILE).file()
}

/// The same page, to be framed.
pub fn keys_page(keys: &Keys<'_>, parts: Parts<'_>) -> Page {
    let counts = keys.counts();
    let title = match counts.masters {
        0 => "No key opens an account or a crown jewel".to_owned(),
        some => format!(
            "{} of {} {} an account or a crown jewel",
            text::count(some as u64),
            text::counted(counts.keys as u64, "credential", "credentials"),
            if some == 1 { "opens" } else { "open" },
        ),
    };
    let about = html! {
        "Ranked by what each opens now, then by what it opens under conditions, then by how much it reaches, the oldest first."
        @if let Some(time) = keys.ring.as_of { " Ages as of " (text::day(time)) "." }
        @if !keys.blind_spots.is_empty() {
            " " a href="#blind" { (text::counted(keys.blind_spots.len() as u64, "thing", "things")) " could not be seen" } "."
        }
    };
    let mut figures = vec![
        ("Credentials", text::count(counts.keys as u64)),
        ("Master keys", text::count(counts.masters as u64)),
        ("Unused", text::count(counts.unused as u64)),
        ("Use not told", text::count(counts.use_unknown as u64)),
    ];
    if keys.ring.has_history {
        figures.push((
            "Allowed too much",
            text::count(counts.over_permissive as u64),
        ));
    }
    let unused: Vec<&Key> = keys.unused().collect();
    let main = html! {
        (answer(&title, about, &figures))
        @if !keys.masters().is_empty() {
            section class="card part" id="masters" {
                h2 { "Master keys" }
                (bars(keys))
                (table(keys, parts.rows("masters", keys.masters(), SCREEN).iter(), "What each opens, and how it lives."))
                (parts.more("masters", keys.masters().len(), SCREEN, "master key", "master keys"))
                (left_out(counts.masters, keys.top, "master key", "master keys"))
            }
        }
        @if !unused.is_empty() {
            section class="card part" id="unused" {
                h2 { "Unused" }
                (table(keys, parts.rows("unused", &unused, SCREEN).iter().copied(), &format!("Keys that work and were not used for {} days.", keys.ring.unused_days)))
                (parts.more("unused", unused.len(), SCREEN, "key", "keys"))
            }
        }
        @if !keys.ring.over_permissive.is_empty() {
            section class="card part" id="allowed" {
                h2 { "Allowed more than they used" }
                @for one in parts.rows("allowed", &keys.ring.over_permissive, 12) { (principal(one)) }
                (parts.more("allowed", keys.ring.over_permissive.len(), 12, "principal", "principals"))
            }
        }
        (blind_spots_in(keys.blind_spots, parts))
    };
    Page {
        what: page::masthead("Keys", None),
        foot: page::foot(),
        title,
        main,
    }
}

const BAR: f64 = 380.0;
const ROW: f64 = 28.0;
const LEFT: f64 = 300.0;

/// A bar for each master key: the jewels that it reaches, and how many of them without a condition.
fn bars(keys: &Keys<'_>) -> Markup {
    let masters = keys.masters();
    let most = masters
        .iter()
        .map(|key| key.opens.jewels)
        .max()
        .unwrap_or(1)
        .max(1);
    let scale = BAR / f64::from(most);
    let (width, height) = (LEFT + BAR + 250.0, masters.len() as f64 * ROW + 6.0);
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Crown jewels by master key" {
            svg viewBox=(format!("0 0 {width:.0} {height:.0}")) style=(format!("max-width:{width:.0}px;min-width:700px")) role="img" aria-label="For each master key how many crown jewels it reaches, and how many of them without a condition; the table below says the same in words" {
                @for (place, key) in masters.iter().enumerate() {
                    @let y = 3.0 + place as f64 * ROW;
                    @let (all, open) = (f64::from(key.opens.jewels) * scale, f64::from(key.opens.open_jewels) * scale);
                    text x="0" y=(format!("{:.1}", y + 16.0)) font-size="12.5" { (middle(called(key), 26)) tspan class="s" dx="6" font-size="11" { (key.kind.title()) } }
                    rect class="panel" x=(LEFT) y=(format!("{:.1}", y + 4.0)) width=(format!("{all:.1}")) height="16" rx="3" {}
                    rect class="hit high" x=(LEFT) y=(format!("{:.1}", y + 4.0)) width=(format!("{open:.1}")) height="16" rx="3" {}
                    text class="s" x=(format!("{:.1}", LEFT + all + 8.0)) y=(format!("{:.1}", y + 16.0)) font-size="11.5" {
                        (text::counted(u64::from(key.opens.jewels), "jewel", "jewels"))
                        @if key.opens.accounts > 0 { ", " (text::counted(u64::from(key.opens.accounts), "account", "accounts")) }
                    }
                }
            }
        }
    }
}

fn table<'k>(keys: &Keys<'_>, list: impl Iterator<Item = &'k Key>, caption: &str) -> Markup {
    html! {
        div class="scroll" { table {
            caption { (caption) }
            thead { tr { th scope="col" { "Key" } th scope="col" { "Whose" } th scope="col" { "Opens" } th scope="col" class="n" { "Reaches" } th scope="col" { "Life" } } }
            tbody { @for key in list { tr {
                td { b { (Clean(called(key))) } div class="small soft" { (key.kind.title()) } }
                td { (Clean(&owner(key))) div class="small soft mono" { (Clean(key.owner.as_str())) } }
                td { (opens(key.opens)) }
                td class="n" { @if let Some(reached) = key.reached { (text::count(reached as u64)) } @else { "not counted" } }
                td { (keys.life(key)) }
            } } }
        } }
    }
}

fn principal(one: &OverPermissive) -> Markup {
    let policy = serde_json::to_string_pretty(&one.least.policy).unwrap_or_default();
    let lists = [
        ("Used", one.used.join(", ")),
        ("Nothing used of", one.least.unused.join(", ")),
        ("Narrowed", one.least.narrowed.join(", ")),
        ("Text not known", one.least.unseen.join(", ")),
    ];
    html! {
        details {
            summary {
                span class="grow" { (Clean(name::short(one.principal.as_str()))) }
                span class="end" { (text::counted(one.used.len() as u64, "action", "actions")) " used; opens " (opens(one.opens)) }
            }
            div class="inside" {
                p class="small soft mono" { (Clean(one.principal.as_str())) }
                @for (title, words) in lists.iter().filter(|(_, words)| !words.is_empty()) {
                    p { b { (title) } ": " (Clean(words)) }
                }
                @if !one.least.kept.is_empty() {
                    p { b { "Kept unseen" } ": what the logs cannot show." }
                    ul class="bullets" { @for (reason, actions) in kept(one) { li { (reason) ": " span class="mono" { (Clean(&actions)) } } } }
                }
                p { "The policy that would do:" }
                pre { code { (text::clean_lines(&policy)) } }
            }
        }
    }
}
