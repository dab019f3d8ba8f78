//! Whether the intruder is out, as a table.

use maud::{Markup, html};
use portreeve_incident::Incident;
use portreeve_incident::eviction::{EvictionState, Hold, RecordName};

use super::incident::left_out;
use super::shape::Clean;
use crate::text;

const ROWS: usize = 200;

/// The section; nothing for what may be ordinary work.
pub(super) fn section(incident: &Incident) -> Markup {
    html! {
        @if let (Some(containment), false) = (&incident.containment, incident.eviction.is_empty()) {
            section {
                h3 { "Is the intruder out?" }
                p class="soft small" {
                    "After " (text::minute(containment.at)) " UTC (" (containment.basis.words()) "): "
                    (crate::terminal::summed(&incident.eviction)) "."
                }
                div class="scroll" { table {
                    caption { "All that was held, made or changed. Nothing is called dead without the record that shows it, or its own end." }
                    thead { tr { th scope="col" { "State" } th scope="col" { "What" } th scope="col" { "Since" } th scope="col" { "What shows it" } th scope="col" { "Fired later" } } }
                    tbody { @for one in incident.eviction.iter().take(ROWS) { tr {
                        @let class = match one.state {
                            EvictionState::Alive => "tag bad",
                            EvictionState::AliveUntil => "tag warn",
                            EvictionState::Unknown => "tag",
                            EvictionState::Dead => "tag good",
                        };
                        td {
                            span class=(class) { (one.state.as_str()) }
                            @if let (EvictionState::AliveUntil, Some(until)) = (one.state, one.until) { br; span class="t" { (text::minute(until)) } }
                        }
                        td {
                            (one.kind) ", "
                            (match one.how { Hold::Made => "made", Hold::Changed => "changed", Hold::Used => "used" })
                            br; span class="mono" { @if one.id.is_empty() { "not named by the record" } @else { (Clean(&one.id)) } }
                        }
                        td class="t" { (one.since.map_or("no time".to_owned(), text::minute)) }
                        td { (Clean(&one.why)) @if let Some(record) = &one.shown_by { br; (named(record)) } }
                        td { @if one.fired_total > 0 {
                            span class="tag bad" { (text::counted(one.fired_total, "call", "calls")) }
                            @for record in &one.fired { br; (named(record)) }
                        } }
                    } } }
                } }
                (left_out(incident.eviction.len(), ROWS, "thing", "things"))
            }
        }
    }
}

fn named(record: &RecordName) -> Markup {
    html! {
        span class="soft small" {
            (record.time.map_or("no time".to_owned(), text::minute)) " " (Clean(&record.action)) " "
            span class="mono" { (Clean(record.event_id.as_deref().unwrap_or_default())) }
        }
    }
}
