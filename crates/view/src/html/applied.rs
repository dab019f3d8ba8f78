//! A plan that is made, as a page.

use maud::{Markup, html};

use super::page::{self, answer};
use super::shape::Clean;
use crate::applied::{Applied, AppliedChange, Mark};
use crate::text;

/// The drawing: a bar a change, what goes to the left of the middle, what comes to the right.
const WIDTH: f64 = 1040.0;
const NAME: f64 = 420.0;
const ROW: f64 = 22.0;

/// The page of a plan: `apply --show --format html`, and of how its changes ended.
pub fn applied(applied: &Applied) -> String {
    let count = text::counted(applied.changes.len() as u64, "change", "changes");
    let title = match applied.undo {
        true => format!("{count} to take back"),
        false => count,
    };
    let about = html! {
        "Each change is made by itself, after what is there was held against what is shown here. The digest stands for this plan and no other."
    };
    let lines = |mark: Mark| {
        let changes = applied.changes.iter();
        let lines = changes.map(|change| {
            change
                .lines()
                .iter()
                .filter(|(its, _)| *its == mark)
                .count()
        });
        text::count(lines.sum::<usize>() as u64)
    };
    let figures = [
        ("Changes", text::count(applied.changes.len() as u64)),
        ("Lines out", lines(Mark::Out)),
        ("Lines in", lines(Mark::In)),
        ("Digest", applied.digest.clone()),
    ];
    let main = html! {
        (answer(&title, about, &figures))
        @if !applied.changes.is_empty() {
            section class="card part" { h2 { "What goes, what comes" } (drawn(&applied.changes)) }
        }
        @for change in &applied.changes { section class="card part" { (one(change)) } }
    };
    page::page(&title, page::masthead("Plan", None), main, page::foot())
}

fn drawn(changes: &[AppliedChange]) -> Markup {
    let height = ROW * changes.len() as f64;
    let counts: Vec<(usize, usize)> = changes
        .iter()
        .map(|change| {
            let lines = change.lines();
            let count = |mark| lines.iter().filter(|(its, _)| *its == mark).count();
            (count(Mark::Out), count(Mark::In))
        })
        .collect();
    let most = counts
        .iter()
        .map(|(out, new)| out + new)
        .max()
        .unwrap_or(0)
        .max(1) as f64;
    let scale = |lines: usize| (WIDTH - NAME - 20.0) * lines as f64 / most;
    html! {
        div class="draw" {
            svg viewBox=(format!("0 0 {WIDTH:.0} {height:.0}")) role="img" aria-label=(format!("{} changes with the lines that each takes out and puts in", changes.len())) {
                @for (number, (change, (out, new))) in changes.iter().zip(&counts).enumerate() {
                    @let y = ROW * number as f64;
                    text x="0" y=(format!("{:.1}", y + 15.0)) { (text::shorten(&text::clean(&format!("{} {}", change.id, change.target)), 60)) }
                    rect class="off" x=(NAME) y=(format!("{:.1}", y + 5.5)) width=(format!("{:.1}", scale(*out))) height="11" {}
                    rect class="on" x=(format!("{:.1}", NAME + scale(*out) + 2.0)) y=(format!("{:.1}", y + 5.0)) width=(format!("{:.1}", scale(*new))) height="12" {}
                }
            }
        }
        p class="legend" {
            span { svg viewBox="0 0 14 14" aria-hidden="true" { rect class="off" x="2" y="4" width="10" height="6" {} } "lines that go" }
            span { svg viewBox="0 0 14 14" aria-hidden="true" { rect class="on" x="2" y="4" width="10" height="6" {} } "lines that come" }
        }
    }
}

fn one(change: &AppliedChange) -> Markup {
    html! {
        h2 { (Clean(&change.id)) " " span class="mono" { (Clean(&change.target)) } @if let Some(ending) = &change.ending { " " span class="tag good" { (Clean(ending)) } } }
        @for title in &change.titles { p { (Clean(title)) } }
        @if let Some(account) = &change.account { p class="soft" { "account " (Clean(account)) } }
        pre { @for (mark, line) in change.lines() {
            @match mark {
                Mark::Out => del { "- " (Clean(line)) },
                Mark::In => ins { "+ " (Clean(line)) },
                Mark::Stays => span class="soft" { "  " (Clean(line)) },
            }
            "\n"
        } }
    }
}
