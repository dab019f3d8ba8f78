//! The plan of an incident: what to do first, and what cuts the paths, to read, to copy and to take away.

use maud::html;
use portreeve_incident::{Incident, ResponseStep};

use super::super::incident::response;
use super::super::shape::Clean;
use super::super::{Page, cut, eviction, path};
use super::foot;
use super::incident::address_of;
use crate::cut::of_incident_in_words;
use crate::text;

/// The plan as a page.
pub fn plan(incident: &Incident) -> Page {
    let address = address_of(incident);
    let title = "The plan".to_owned();
    let main = html! {
        nav class="back" aria-label="Where this belongs" { a href=(address) { "← " (Clean(&incident.headline)) } }
        div class="answer" {
            h1 { (title) }
            p { "Review each command before you run it. Nothing here changes anything by itself." }
            p { a class="act" href={ (address) "/plan.txt" } download { "Take it away as a text file" } }
        }
        div class="card" {
            section {
                h3 { "What to do first" }
                @if incident.response.is_empty() { p class="soft" { "Nothing is known that would have to be done." } }
                (response(&incident.response))
            }
            @if let Some(it) = &incident.cut { (cut::of_incident(it)) }
            (eviction::section(incident))
        }
    };
    Page {
        title,
        what: html! {},
        main,
        foot: foot(),
    }
}

/// The paths of an incident as a table, each step a row.
pub fn paths(incident: &Incident) -> Page {
    let title = "How far it can still go".to_owned();
    let main = html! {
        nav class="back" aria-label="Where this belongs" { a href=(address_of(incident)) { "← " (Clean(&incident.headline)) } }
        div class="answer" { h1 { (title) } }
        div class="card part" data-fragment { (path::rows(&incident.paths)) }
    };
    Page {
        title,
        what: html! {},
        main,
        foot: foot(),
    }
}

/// The plan as a text: comments are lines that begin with `#`, all others are commands.
pub fn plan_text(incident: &Incident) -> String {
    let mut out = String::new();
    comment(&mut out, &incident.headline);
    comment(
        &mut out,
        &format!(
            "Incident {}, {}, score {} of 100. Review each command before you run it.",
            incident.id, incident.severity, incident.score
        ),
    );
    steps(&mut out, "What to do first", &incident.response);
    if let Some(cut) = &incident.cut {
        steps(&mut out, &of_incident_in_words(cut), &cut.changes);
    }
    out
}

/// How wide a comment may be, in columns.
const WIDTH: usize = 98;

/// Words as comment lines. What could end a line early is cleaned away, so that no word becomes a command.
fn comment(out: &mut String, words: &str) {
    for line in text::wrap(&text::clean(words), WIDTH, 0) {
        out.push_str("# ");
        out.push_str(&line);
        out.push('\n');
    }
}

fn steps(out: &mut String, title: &str, steps: &[ResponseStep]) {
    if steps.is_empty() {
        return;
    }
    out.push('\n');
    comment(out, title);
    for (number, step) in steps.iter().enumerate() {
        out.push('\n');
        comment(out, &format!("{}. {}", number + 1, step.title));
        if let Some(caveat) = &step.caveat {
            comment(out, caveat);
        }
        if let Some(command) = &step.command {
            out.push_str(text::clean_lines(command).trim_end());
            out.push('\n');
        }
    }
}
