use portreeve_incident::Incident;
use portreeve_incident::eviction::{Evicted, EvictionState};
use portreeve_model::Severity;

use super::page::{self, GOOD, PLAIN, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
use crate::{name, text};

/// Whether the intruder is out: what still works of all that was held, made or changed.
pub(super) fn write(page: &mut Page, incident: &Incident, options: &Options) {
    let Some(containment) = &incident.containment else {
        return;
    };
    if incident.eviction.is_empty() {
        return;
    }
    page.heading("Is the intruder out?");
    page.spans(
        2,
        &[
            plain(format!(
                "  After {} UTC: {}.",
                text::minute(containment.at),
                summed(&incident.eviction)
            )),
            faint(format!("  ({})", containment.basis.words())),
        ],
    );
    let total = incident.eviction.len();
    let shown = options.list.unwrap_or(total).min(total);
    for one in incident.eviction.iter().take(shown) {
        item(page, one);
    }
    left_out(page, (total - shown) as u64, "thing", "things", options);
}

/// How many are in which state.
pub(crate) fn summed(evicted: &[Evicted]) -> String {
    let count = |state| evicted.iter().filter(|it| it.state == state).count() as u64;
    let fired = evicted.iter().filter(|it| it.fired_total > 0).count() as u64;
    let mut words = format!(
        "{} alive, {} alive until they end, {} unknown, {} dead",
        count(EvictionState::Alive),
        count(EvictionState::AliveUntil),
        count(EvictionState::Unknown),
        count(EvictionState::Dead),
    );
    if fired > 0 {
        words.push_str(&format!("; {fired} FIRED LATER"));
    }
    words
}

fn item(page: &mut Page, one: &Evicted) {
    let style = match one.state {
        EvictionState::Alive => page::severity(Severity::High),
        EvictionState::AliveUntil => SUSPECT,
        EvictionState::Unknown => PLAIN,
        EvictionState::Dead => GOOD,
    };
    let mut state = one.state.as_str().to_owned();
    if let (EvictionState::AliveUntil, Some(until)) = (one.state, one.until) {
        state = format!("{state} {}", text::minute(until));
    }
    let id = if one.id.is_empty() {
        "not named by the record".to_owned()
    } else {
        name::short(&one.id).to_owned()
    };
    page.spans(
        6,
        &[
            plain("  "),
            Span(style, state),
            plain(format!("  {} ", one.kind)),
            Span(STRONG, id),
            faint(format!("  {}", one.why)),
        ],
    );
    if let Some(first) = one.fired.first() {
        let when = first.time.map_or("no time".to_owned(), text::minute);
        page.spans(
            8,
            &[
                Span(page::severity(Severity::High), "      fired later".into()),
                plain(format!(
                    "  {}, first {} {when}",
                    text::counted(one.fired_total, "call", "calls"),
                    first.action
                )),
                faint(format!(
                    "  {}",
                    first.event_id.as_deref().unwrap_or_default()
                )),
            ],
        );
    }
}
