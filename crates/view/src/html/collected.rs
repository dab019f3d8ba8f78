//! A collection as a page.

use maud::{Markup, html};

use super::ROWS;
use super::incident::left_out;
use super::page::{self, answer};
use super::shape::Clean;
use crate::collected::{Collected, SurfaceRead};
use crate::text;

/// The drawing's size: a bar a surface, its name before it.
const WIDTH: f64 = 1040.0;
const NAME: f64 = 300.0;
const ROW: f64 = 22.0;

/// The page of a collection: `collect aws --format html`.
pub fn collected(collected: &Collected) -> String {
    let title = collected.headline();
    let about = html! {
        @match &collected.stopped {
            Some(why) => (Clean(why)),
            None => "Inventory was read with read-only calls; what was refused is a blind spot in every later answer.",
        }
    };
    let figures = [
        ("Accounts", text::count(collected.accounts.len() as u64)),
        (
            "Not entered",
            text::count(collected.unreachable.len() as u64),
        ),
        ("Parts", text::count(collected.parts() as u64)),
        ("Calls", text::count(collected.calls)),
        (
            "Kinds of calls refused",
            text::count(collected.refused.len() as u64),
        ),
    ];
    let main = html! {
        (answer(&title, about, &figures))
        section class="card part" { h2 { "Read" } (bars(&collected.surfaces)) }
        @if !collected.unreachable.is_empty() {
            section class="card part" {
                h2 { "Accounts that could not be entered" }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "Account" } th scope="col" { "Why" } } }
                    tbody { @for (account, why) in collected.unreachable.iter().take(ROWS) {
                        tr { td class="mono" { (Clean(account)) } td { (Clean(why)) } }
                    } }
                } }
                (left_out(collected.unreachable.len(), ROWS, "account", "accounts"))
            }
        }
        @if !collected.refused.is_empty() {
            section class="card part" {
                h2 { "Calls that were refused or failed" }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "Action" } th scope="col" { "Why" } th scope="col" class="n" { "Calls" } th scope="col" { "Where" } } }
                    tbody { @for call in collected.refused.iter().take(ROWS) { tr {
                        td class="mono" { (Clean(&call.action)) }
                        td { (Clean(&call.code)) @if !call.message.is_empty() { br; span class="soft" { (Clean(&call.message)) } } }
                        td class="n" { (text::count(call.count)) }
                        td { (Clean(&call.places.join(", "))) }
                    } } }
                } }
                (left_out(collected.refused.len(), ROWS, "kind of call", "kinds of calls"))
            }
        }
    };
    page::page(
        &title,
        page::masthead("Collection", None),
        main,
        page::foot(),
    )
}

/// A bar a surface: filled as far as it was read whole, open where something was not seen.
fn bars(surfaces: &[SurfaceRead]) -> Markup {
    let most = surfaces.iter().map(parts).max().unwrap_or(0).max(1) as f64;
    let height = ROW * surfaces.len() as f64;
    let scale = |parts: usize| (WIDTH - NAME - 90.0) * parts as f64 / most;
    let label = surfaces.iter().map(|surface| {
        format!(
            "{}: {} whole, {} in part",
            surface.title, surface.whole, surface.partly
        )
    });
    let label = label.collect::<Vec<_>>().join("; ");
    html! {
        div class="draw" {
            svg viewBox=(format!("0 0 {WIDTH:.0} {height:.0}")) role="img" aria-label=(label) {
                @for (number, surface) in surfaces.iter().enumerate() {
                    @let y = ROW * number as f64;
                    @let whole = scale(surface.whole);
                    @let partly = scale(surface.partly);
                    text x="0" y=(format!("{:.1}", y + 15.0)) { (surface.title) }
                    rect class="on" x=(NAME) y=(format!("{:.1}", y + 5.0)) width=(format!("{whole:.1}")) height="12" {}
                    @if surface.partly > 0 {
                        rect class="off" x=(format!("{:.1}", NAME + whole + 1.0)) y=(format!("{:.1}", y + 5.5)) width=(format!("{:.1}", partly.max(3.0))) height="11" {}
                    }
                    text x=(format!("{:.1}", NAME + whole + partly + 10.0)) y=(format!("{:.1}", y + 15.0)) { (parts(surface)) }
                }
            }
        }
        p class="legend" {
            span { svg viewBox="0 0 14 14" aria-hidden="true" { rect class="on" x="2" y="4" width="10" height="6" {} } "read whole" }
            span { svg viewBox="0 0 14 14" aria-hidden="true" { rect class="off" x="2" y="4" width="10" height="6" {} } "something was not seen" }
            span { "A part is one account, or one account and region." }
        }
    }
}

fn parts(surface: &SurfaceRead) -> usize {
    surface.whole + surface.partly
}
