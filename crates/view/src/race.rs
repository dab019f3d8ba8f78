//! The race for the crown jewels in words, for the terminal and the page to lay out.

use portreeve_incident::race::{Control, JewelRace, Outcome, Race};

use crate::{name, text};

/// The answer in a line.
pub(crate) fn title(race: &Race) -> String {
    let total = race.jewels.len() as u64;
    if total == 0 {
        return "No crown jewel can be reached on a path that is known.".to_owned();
    }
    let lost = race
        .jewels
        .iter()
        .filter(|jewel| jewel.outcome.needs_controls())
        .count() as u64;
    let jewels = text::counted(total, "crown jewel", "crown jewels");
    match lost {
        0 => format!("Detection can win the race for all of {jewels} that can be reached."),
        _ => format!(
            "Detection cannot win the race for {} of {jewels} that can be reached: only controls can.",
            text::count(lost)
        ),
    }
}

/// Seconds in words; nothing for none.
pub(crate) fn length(seconds: u64) -> String {
    match seconds {
        0 => "at once".to_owned(),
        seconds => text::span(i64::try_from(seconds).unwrap_or(i64::MAX)),
    }
}

/// How the race for one jewel goes, in a sentence.
pub(crate) fn told(jewel: &JewelRace, response: u64) -> String {
    let taken = match jewel.seconds {
        0 => "taken at once".to_owned(),
        seconds => format!("taken after {}", length(seconds)),
    };
    let Some(sign) = &jewel.first_sign else {
        return format!("{taken}; no step is logged on which a rule of medium or above fires");
    };
    let delay = match sign.delay.records {
        0 => "documented delay".to_owned(),
        _ => "measured delay".to_owned(),
    };
    let answered = match response {
        0 => String::new(),
        seconds => format!(", cut off {} later", length(seconds)),
    };
    let margin = jewel.margin.unwrap_or_default();
    let left = match margin {
        0 => "at the same moment".to_owned(),
        margin if margin > 0 => format!("{} before", text::span(margin)),
        margin => format!("{} too late", text::span(-margin)),
    };
    let late = match jewel.outcome {
        Outcome::Luck => format!(
            "; one record of ten comes after {} and too late",
            length(sign.delay.late)
        ),
        _ => String::new(),
    };
    format!(
        "{taken}; the first sign shows after {} ({delay} of {}){answered}: {left}{late}",
        length(sign.shown),
        length(sign.delay.median)
    )
}

/// A control in words.
pub(crate) fn control(control: &Control) -> String {
    let statements = match control.statements.as_slice() {
        [] => String::new(),
        statements => format!(" ({})", statements.join(", ")),
    };
    format!(
        "keep {} from {} on {}{statements}",
        name::short(control.from.as_str()),
        control.permissions.join(", "),
        name::short(control.to.as_str())
    )
}
