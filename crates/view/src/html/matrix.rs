//! An actor's way as a matrix of ATT&CK: tactics, and in each the techniques, with what the logs can show of
//! them and what they have shown.

use std::collections::BTreeMap;

use maud::{Markup, html};
use portreeve_incident::Totals;
use portreeve_incident::sight::{LogState, ProfileSight};
use portreeve_model::{Tactic, Technique};

use super::shape::Clean;
use crate::text;

/// What is known of one technique.
#[derive(Debug)]
struct Cell<'a> {
    technique: &'a Technique,
    /// The best that the logs can do for any step with it.
    state: LogState,
    /// Steps of the way that it serves.
    steps: Vec<&'a str>,
    /// How many findings are of it.
    seen: u64,
}

impl Cell<'_> {
    fn words(&self) -> (&'static str, String) {
        match (self.seen, self.state) {
            (0, LogState::There) => ("covered", "covered".to_owned()),
            (0, LogState::Partly) => ("partly", "in part".to_owned()),
            (0, LogState::Absent) => ("blind", "blind".to_owned()),
            (0, LogState::Unread) => ("blind", "blind: no such log is read".to_owned()),
            (some, _) => (
                "seen",
                format!("seen: {}", text::counted(some, "finding", "findings")),
            ),
        }
    }
}

/// The matrix of one actor.
pub(super) fn matrix(profile: &ProfileSight, totals: &Totals) -> Markup {
    let cells = cells(profile, totals);
    let mut columns = BTreeMap::<Tactic, Vec<&Cell<'_>>>::new();
    for cell in &cells {
        for tactic in cell.technique.tactics() {
            columns.entry(*tactic).or_default().push(cell);
        }
    }
    let count = |wanted: &str| cells.iter().filter(|cell| cell.words().0 == wanted).count();
    html! {
        section class="card part" id={ "matrix-" (profile.actor) } {
            h2 { "The known way of " (Clean(&profile.title)) ", by technique" }
            p class="soft" {
                (count("seen")) " seen here, " (count("covered")) " more covered by the logs, " (count("partly")) " in part, "
                (count("blind")) " blind. A technique stands under each tactic that it serves."
            }
            div class="matrix" {
                @for (tactic, cells) in &columns {
                    section aria-labelledby={ (profile.actor) "-" (*tactic as u8) } {
                        h3 id={ (profile.actor) "-" (*tactic as u8) } { (tactic.title()) }
                        ul { @for cell in cells { (drawn(cell)) } }
                    }
                }
            }
        }
    }
}

fn drawn(cell: &Cell<'_>) -> Markup {
    let (class, words) = cell.words();
    let id = cell.technique.as_str();
    let title = cell.technique.title();
    html! {
        li class=(class) title=(text::clean(&cell.steps.join("; "))) {
            b { (title.as_deref().unwrap_or(id)) }
            span { span class="mono" { (id) } " " (words) }
        }
    }
}

/// The actor's techniques in order of their ids.
fn cells<'a>(profile: &'a ProfileSight, totals: &Totals) -> Vec<Cell<'a>> {
    let mut cells = BTreeMap::<&str, Cell<'a>>::new();
    for step in &profile.steps {
        for technique in &step.techniques {
            let cell = cells.entry(technique.v19()).or_insert_with(|| Cell {
                technique,
                state: step.state,
                steps: Vec::new(),
                seen: 0,
            });
            cell.state = cell.state.min(step.state);
            cell.steps.push(&step.title);
        }
    }
    for (id, cell) in &mut cells {
        cell.seen = totals.of_technique(id);
    }
    cells.into_values().collect()
}
