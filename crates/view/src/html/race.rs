//! The race for the crown jewels, each drawn as two bars over one time.

use maud::{Markup, html};
use portreeve_incident::race::{JewelRace, Outcome, Race};

use super::ROWS;
use super::incident::left_out;
use super::page::{self, answer};
use super::shape::{Clean, middle};
use crate::race::{control, length, title, told};
use crate::{name, text};

/// The page: `race --format html`.
pub fn race(race: &Race) -> String {
    let title = title(race);
    let about = html! {
        (Clean(&race.actor)) " makes a call every " (length(race.pace.seconds_a_call)) " (" (Clean(&race.pace.basis)) "). "
        @if race.delays.is_empty() {
            "Records are taken to come as late as is documented: " (length(race.documented_delay.median)) " on average, up to " (length(race.documented_delay.late)) ". "
        }
        @if race.response > 0 { "People need " (length(race.response)) " from a sign to the cut." }
    };
    let count = |outcome| {
        let found = race.jewels.iter().filter(|jewel| jewel.outcome == outcome);
        text::count(found.count() as u64)
    };
    let figures = [
        ("Unseen", count(Outcome::Unseen)),
        ("Lost", count(Outcome::Lost)),
        ("A matter of luck", count(Outcome::Luck)),
        ("Can be won", count(Outcome::Won)),
    ];
    let main = html! {
        (answer(&title, about, &figures))
        section class="card part" { h2 { "The race" } (drawn(race)) }
        @if !race.controls.is_empty() {
            section class="card part" {
                h2 { "What wins where detection cannot" }
                ul class="bullets" { @for one in race.controls.iter().take(ROWS) { li { (Clean(&control(one))) " " span class="soft" { "on the quickest path to " (text::counted(one.jewels.len() as u64, "jewel", "jewels")) } } } }
                (left_out(race.controls.len(), ROWS, "control", "controls"))
            }
        }
        @for jewel in race.jewels.iter().take(ROWS) { (steps(jewel, race.response)) }
        (delays(race))
    };
    page::page(&title, page::masthead("The race", None), main, page::foot())
}

const LEFT: f64 = 260.0;
const WIDTH: f64 = 620.0;
const ROW: f64 = 34.0;
/// How many jewels are drawn.
const DRAWN: usize = 40;

/// For each jewel the time of the path above, and the time until the first sign shows below.
fn drawn(race: &Race) -> Markup {
    let jewels: Vec<&JewelRace> = race.jewels.iter().take(DRAWN).collect();
    let longest = jewels
        .iter()
        .flat_map(|jewel| {
            let sign = jewel.first_sign.as_ref();
            [
                jewel.seconds,
                sign.map_or(0, |sign| sign.shown_late + race.response),
            ]
        })
        .max()
        .unwrap_or_default()
        .max(1) as f64;
    let x = |seconds: u64| LEFT + seconds as f64 / longest * WIDTH;
    let height = jewels.len() as f64 * ROW + 8.0;
    let bar = |from: u64, to: u64, y: f64, class: &str| {
        html! { rect class=(class) x=(format!("{:.1}", x(from))) y=(format!("{y:.1}")) width=(format!("{:.1}", (x(to) - x(from)).max(2.0))) height="10" rx="2" {} }
    };
    html! {
        @if jewels.is_empty() { p class="soft" { "No jewel can be reached." } } @else {
            div class="draw" tabindex="0" role="region" aria-label="The race for each jewel" {
                svg viewBox=(format!("0 0 {:.0} {height:.0}", LEFT + WIDTH + 110.0)) style=(format!("max-width:{:.0}px;min-width:640px", LEFT + WIDTH + 110.0)) role="img" aria-label="For each crown jewel when it is taken, and when the first sign shows" {
                    @for (number, jewel) in jewels.iter().enumerate() {
                        @let y = number as f64 * ROW + 4.0;
                        text x="0" y=(format!("{:.1}", y + 15.0)) font-size="12" { (middle(name::short(jewel.jewel.as_str()), 34)) }
                        (bar(0, jewel.seconds, y, "hit critical"))
                        @if let Some(sign) = &jewel.first_sign {
                            (bar(0, sign.shown + race.response, y + 13.0, "hit low"))
                            (bar(sign.shown + race.response, sign.shown_late + race.response, y + 13.0, "panel"))
                        }
                        text class="s" x=(format!("{:.1}", LEFT + WIDTH + 8.0)) y=(format!("{:.1}", y + 15.0)) font-size="11.5" { (jewel.outcome.title()) }
                    }
                }
            }
            p class="soft small" { "Above: until the jewel is taken. Below: until the first sign has shown and people could have cut the path, for half of the records; empty: for nine of ten." }
        }
    }
}

fn steps(jewel: &JewelRace, response: u64) -> Markup {
    let class = match jewel.outcome {
        Outcome::Unseen | Outcome::Lost => "tag bad",
        Outcome::Luck => "tag warn",
        Outcome::Won => "tag good",
    };
    html! {
        section class="card part" {
            h2 { (Clean(name::short(jewel.jewel.as_str()))) " " span class=(class) { (jewel.outcome.title()) } }
            p class="mono small soft" { (Clean(jewel.jewel.as_str())) }
            p { (Clean(&told(jewel, response))) "." }
            @if let Some(through) = &jewel.through { p { "Every path goes through the administrator " (Clean(name::short(through.as_str()))) ": that race comes first." } }
            @if !jewel.conditions.is_empty() { p { "The path needs " (Clean(&jewel.conditions.join(", "))) "." } }
            div class="scroll" { table {
                caption { "The quickest of " (text::counted(jewel.paths, "path", "paths")) ", from " (Clean(jewel.from.as_str())) "." }
                thead { tr { th scope="col" class="n" { "Done after" } th scope="col" { "Step" } th scope="col" { "Onto" } th scope="col" { "Logged" } th scope="col" { "May fire" } } }
                tbody { @for step in &jewel.steps { tr {
                    td class="n t" { (length(step.done)) }
                    td { (Clean(&step.step.title)) @if !step.waits_for.is_empty() { ", " (step.waits_for) } }
                    td class="mono" { (Clean(name::short(step.step.to.as_str()))) }
                    td { (Clean(&step.logged.join(", "))) @if !step.unlogged.is_empty() { " " span class="tag bad" { "not: " (Clean(&step.unlogged.join(", "))) } } }
                    td { @for sign in step.signs.iter().take(3) { div { (Clean(&sign.title)) " (" (sign.level.as_str()) ")" } } }
                } } }
            } }
        }
    }
}

fn delays(race: &Race) -> Markup {
    html! {
        @if !race.delays.is_empty() {
            section class="card part" {
                h2 { "How late records come" }
                div class="scroll" { table {
                    caption { "Measured from the time of the event to the delivery that the file's name tells." }
                    thead { tr { th scope="col" { "Account" } th scope="col" class="n" { "Half within" } th scope="col" class="n" { "Nine of ten within" } th scope="col" class="n" { "Records" } } }
                    tbody { @for (account, delay) in &race.delays { tr {
                        td class="mono" { (Clean(account)) }
                        td class="n" { (length(delay.median)) }
                        td class="n" { (length(delay.late)) }
                        td class="n" { (text::count(delay.records)) }
                    } } }
                } }
            }
        }
    }
}
