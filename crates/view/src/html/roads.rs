//! Ways to crown jewels, and what a loss would cost, as pages.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_graph::{AttackPath, BlastEntry, Door, Hop, Jewel, JewelKind, JewelReach};

use super::incident::left_out;
use super::page::{self, Page, answer};
use super::parts::{Parts, SCREEN};
use super::shape::{Clean, middle};
use super::{ROWS, blind_spots, blind_spots_in, path};
use crate::roads::{Counts, Loss, Roads};
use crate::{name, text};

fn kinds(jewels: &[Jewel]) -> BTreeMap<&str, JewelKind> {
    jewels
        .iter()
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect()
}

/// The page of ways to crown jewels: `paths --format html`.
pub fn paths(roads: &Roads<'_>) -> String {
    paths_page(roads, Parts::FILE).file()
}

/// The same page, to be framed.
pub fn paths_page(roads: &Roads<'_>, parts: Parts<'_>) -> Page {
    let open = roads.paths.iter().filter(|path| path.conditions.is_empty());
    let open = open.count() as u64;
    let found = roads.paths.len() as u64;
    let title = match found {
        0 => "No path was found".to_owned(),
        _ => format!(
            "{}, {} open now",
            text::counted(found, "path", "paths"),
            text::count(open)
        ),
    };
    let about = html! {
        "Each step says which permission or trust allows it, and which condition must hold. "
        "Steps without a condition are open to whoever stands at their start."
        (given(roads.given))
        @if !roads.blind_spots.is_empty() {
            " " a href="#blind" { (text::counted(roads.blind_spots.len() as u64, "thing", "things")) " could not be seen" } "."
        }
    };
    let figures = [
        ("Paths", text::count(found)),
        ("Open now", text::count(open)),
        ("Doors", text::count(roads.doors.len() as u64)),
        ("Crown jewels", text::count(roads.jewels.len() as u64)),
    ];
    let main = html! {
        (answer(&title, about, &figures))
        (doors(roads.doors, parts))
        (ways("Attack paths", roads.paths, &kinds(roads.jewels), parts))
        (reach(roads.reach, &kinds(roads.jewels)))
        (blind_spots_in(roads.blind_spots, parts))
    };
    Page {
        what: page::masthead("Attack paths", None),
        foot: page::foot(),
        title,
        main,
    }
}

/// What is known of the intruder's requests.
fn given(given: &[String]) -> Markup {
    html! { @if !given.is_empty() { " Given " (Clean(&given.join(", "))) "." } }
}

fn ways(
    title: &str,
    paths: &[AttackPath],
    jewels: &BTreeMap<&str, JewelKind>,
    parts: Parts<'_>,
) -> Markup {
    html! {
        @if !paths.is_empty() {
            section class="card part" id="paths" {
                h2 { (title) }
                (path::draw(parts.rows("paths", paths, path::DRAWN), jewels, "ways"))
                (parts.more("paths", paths.len(), path::DRAWN, "path", "paths"))
            }
        }
    }
}

fn doors(doors: &[Door], parts: Parts<'_>) -> Markup {
    html! {
        @if !doors.is_empty() {
            section class="card part" id="doors" {
                h2 { "Doors" }
                div class="scroll" { table {
                    caption { "Where someone from outside the estate can come in." }
                    thead { tr { th scope="col" { "Who" } th scope="col" { "Leads to" } th scope="col" { "Why" } th scope="col" { "If" } } }
                    tbody { @for door in parts.rows("doors", doors, SCREEN) { tr {
                        td class="mono" { (Clean(door.id.as_str())) }
                        td { b { (Clean(name::short(door.to.as_str()))) } div class="small soft mono" { (Clean(door.to.as_str())) } }
                        td { (Clean(&door.reason)) }
                        td { (Clean(&door.conditions.join(", "))) }
                    } } }
                } }
                (parts.more("doors", doors.len(), SCREEN, "door", "doors"))
            }
        }
    }
}

/// How many jewels the bars show.
const BARS: usize = 40;
const BAR: f64 = 420.0;

fn reach(reach: &[JewelReach], jewels: &BTreeMap<&str, JewelKind>) -> Markup {
    let mut sorted: Vec<&JewelReach> = reach.iter().collect();
    sorted.sort_by(|one, other| {
        (other.open, other.principals, &one.jewel).cmp(&(one.open, one.principals, &other.jewel))
    });
    let most = sorted.iter().map(|jewel| jewel.principals).max();
    let scale = BAR / most.unwrap_or(1).max(1) as f64;
    let rows = sorted.len().min(BARS);
    let (left, row) = (290.0, 26.0);
    let (width, height) = (left + BAR + 210.0, rows as f64 * row + 6.0);
    html! {
        @if !reach.is_empty() {
            section class="card part" {
                h2 { "From whom the jewels are reachable" }
                div class="draw" tabindex="0" role="region" aria-label="Principals by jewel" {
                    svg viewBox=(format!("0 0 {width:.0} {height:.0}")) style=(format!("max-width:{width:.0}px;min-width:640px")) role="img" aria-label="For each crown jewel how many principals reach it, and how many of them without a condition" {
                        @for (place, jewel) in sorted.iter().take(BARS).enumerate() {
                            @let y = 3.0 + place as f64 * row;
                            @let kind = jewels.get(jewel.jewel.as_str()).map_or("jewel", |kind| kind.title());
                            text x="0" y=(format!("{:.1}", y + 16.0)) font-size="12.5" { (middle(name::short(jewel.jewel.as_str()), 24)) tspan class="s" dx="6" font-size="11" { (kind) } }
                            rect class="panel" x=(left) y=(format!("{:.1}", y + 4.0)) width=(format!("{:.1}", jewel.principals as f64 * scale)) height="16" rx="3" {}
                            rect class="hit high" x=(left) y=(format!("{:.1}", y + 4.0)) width=(format!("{:.1}", jewel.open as f64 * scale)) height="16" rx="3" {}
                            text class="s" x=(format!("{:.1}", left + jewel.principals as f64 * scale + 8.0)) y=(format!("{:.1}", y + 16.0)) font-size="11.5" {
                                @if jewel.principals == 0 { "nobody" } @else { (text::count(jewel.principals as u64)) ", " (text::count(jewel.open as u64)) " without a condition" }
                            }
                        }
                    }
                }
                (left_out(sorted.len(), BARS, "jewel", "jewels"))
            }
        }
    }
}

/// The page of what a loss would cost: `blast --format html`.
pub fn loss(loss: &Loss<'_>) -> String {
    loss_page(loss).file()
}

/// The same page, to be framed.
pub fn loss_page(loss: &Loss<'_>) -> Page {
    let counts = Counts::of(loss.blast.reached());
    let names = loss.asked.join(", ");
    let verb = if loss.asked.len() == 1 { "is" } else { "are" };
    let title = format!("If {} {verb} lost", middle(&names, 60));
    let about = html! {
        @match counts.jewels {
            0 => { "No crown jewel is reached" },
            some => { b { (text::counted(some as u64, "crown jewel", "crown jewels")) } " can be reached" },
        }
        ", in what is known of the estate."
        (given(loss.given))
        @if !loss.blind_spots.is_empty() {
            " " a href="#blind" { (text::counted(loss.blind_spots.len() as u64, "thing", "things")) " could not be seen" } "."
        }
    };
    let figures = [
        ("Crown jewels", text::count(counts.jewels as u64)),
        ("Principals", text::count(counts.principals as u64)),
        ("Other resources", text::count(counts.others as u64)),
        ("Without a condition", text::count(counts.open as u64)),
        (
            "Steps at most",
            text::count(loss.blast.hops.last().map_or(0, |hop| u64::from(hop.hop))),
        ),
    ];
    let jewels = kinds(loss.jewels);
    let main = html! {
        (answer(&title, about, &figures))
        @if !loss.blast.hops.is_empty() {
            section class="card part" { h2 { "By hop" } (rings(loss, &names)) }
        }
        (doors(&loss.blast.doors, Parts::FILE))
        (ways("Ways to crown jewels", &loss.blast.paths, &jewels, Parts::FILE))
        @if !loss.blast.hops.is_empty() {
            section class="card part" {
                h2 { "Everything that is reached" }
                @for hop in &loss.blast.hops { (listed(hop, &jewels)) }
            }
        }
        (blind_spots(loss.blind_spots))
    };
    Page {
        what: page::masthead("Blast radius", None),
        foot: page::foot(),
        title,
        main,
    }
}

const COLUMN: f64 = 148.0;
const COLUMN_GAP: f64 = 40.0;
const BLOCK: f64 = 40.0;

/// A column for each number of steps: how many jewels, principals and other things are there.
fn rings(loss: &Loss<'_>, names: &str) -> Markup {
    let hops = &loss.blast.hops;
    let width = (hops.len() as f64 + 1.0) * (COLUMN + COLUMN_GAP) - COLUMN_GAP + 8.0;
    let height = 3.0 * (BLOCK + 8.0) + 34.0;
    let centre = 24.0 + 1.5 * (BLOCK + 8.0);
    html! {
        div class="draw" tabindex="0" role="region" aria-label="What is reached by hop" {
            svg viewBox=(format!("0 0 {width:.0} {height:.0}")) style=(format!("max-width:{width:.0}px;min-width:{:.0}px", width.min(1056.0) * 0.8)) role="img" aria-label="What is reached, by the number of steps; the lists below say the same in words" {
                rect class="node start" x="4" y=(format!("{:.1}", centre - BLOCK / 2.0)) width=(COLUMN) height=(BLOCK) rx="12" {}
                text x=(format!("{:.1}", 4.0 + COLUMN / 2.0)) y=(format!("{:.1}", centre + 4.5)) text-anchor="middle" font-size="12.5" font-weight="600" { (middle(names, 18)) }
                @for (place, hop) in hops.iter().enumerate() { (column(hop, 4.0 + (place as f64 + 1.0) * (COLUMN + COLUMN_GAP), centre)) }
            }
        }
    }
}

fn column(hop: &Hop, x: f64, centre: f64) -> Markup {
    let counts = Counts::of(hop.reached.iter());
    let blocks = [
        (counts.jewels, "crown jewel", "crown jewels", "target"),
        (counts.principals, "principal", "principals", ""),
        (counts.others, "resource", "resources", ""),
    ];
    let blocks: Vec<_> = blocks.into_iter().filter(|block| block.0 > 0).collect();
    let top = centre - blocks.len() as f64 * (BLOCK + 8.0) / 2.0 + 4.0;
    html! {
        path class="arrow" d=(format!("M{:.1} {centre:.1}l-8 -4.500v9z", x - 3.0)) {}
        line class="edge" x1=(format!("{:.1}", x - COLUMN_GAP + 2.0)) x2=(format!("{:.1}", x - 10.0)) y1=(format!("{centre:.1}")) y2=(format!("{centre:.1}")) {}
        text class="s" x=(format!("{:.1}", x + COLUMN / 2.0)) y="14" text-anchor="middle" font-size="11.5" {
            (text::counted(u64::from(hop.hop), "step", "steps")) ", " (text::count(counts.open as u64)) " open"
        }
        @for (place, (count, one, many, class)) in blocks.into_iter().enumerate() {
            @let y = top + place as f64 * (BLOCK + 8.0);
            rect class={ "node " (class) } x=(format!("{x:.1}")) y=(format!("{y:.1}")) width=(COLUMN) height=(BLOCK) rx="4" {}
            text x=(format!("{:.1}", x + COLUMN / 2.0)) y=(format!("{:.1}", y + BLOCK / 2.0 + 4.5)) text-anchor="middle" font-size="12.5" { (text::counted(count as u64, one, many)) }
        }
    }
}

fn listed(hop: &Hop, jewels: &BTreeMap<&str, JewelKind>) -> Markup {
    html! {
        details open[hop.hop == 1] {
            summary {
                span class="grow" { (text::counted(u64::from(hop.hop), "step", "steps")) " away" }
                span class="end" { (text::counted(hop.reached.len() as u64, "thing", "things")) }
            }
            div class="inside" {
                div class="scroll" { table {
                    thead { tr { th scope="col" { "What" } th scope="col" { "Kind" } th scope="col" { "If" } th scope="col" { "From" } } }
                    tbody { @for entry in hop.reached.iter().take(ROWS) { (row(entry, jewels)) } }
                } }
                (left_out(hop.reached.len(), ROWS, "thing", "things"))
            }
        }
    }
}

fn row(entry: &BlastEntry, jewels: &BTreeMap<&str, JewelKind>) -> Markup {
    let read = name::of(entry.id.as_str());
    let jewel = jewels.get(entry.id.as_str()).filter(|_| entry.jewel);
    html! {
        tr {
            td { b { (Clean(read.name)) } div class="small soft mono" { (Clean(entry.id.as_str())) } }
            td { @match jewel { Some(kind) => { span class="tag jewel" { (kind.title()) } }, None => (read.kind.title()) } }
            td { (Clean(&entry.conditions.join(", "))) }
            td class="soft" { (Clean(name::short(entry.from.as_str()))) }
        }
    }
}
