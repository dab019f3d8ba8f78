//! The race for the crown jewels.

use portreeve_incident::race::{JewelRace, Outcome, Race};
use portreeve_model::Severity;

use super::page::{self, GOOD, JEWEL, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
use crate::race::{control, length, title, told};
use crate::{name, text};

pub(super) fn write(page: &mut Page, race: &Race, options: &Options) {
    page.spans(0, &[Span(STRONG, title(race))]);
    page.field(
        "actor",
        vec![
            plain(format!(
                "{}, a call every {}",
                race.actor,
                length(race.pace.seconds_a_call)
            )),
            faint(format!("; {}", race.pace.basis)),
        ],
    );
    delays(page, race);
    if race.response > 0 {
        page.field(
            "response",
            vec![plain(format!(
                "{} from the sign to the cut",
                length(race.response)
            ))],
        );
    }
    let shown = options
        .list
        .unwrap_or(race.jewels.len())
        .min(race.jewels.len());
    for jewel in race.jewels.iter().take(shown) {
        one(page, jewel, race.response);
    }
    let more = (race.jewels.len() - shown) as u64;
    left_out(page, more, "jewel", "jewels", options);
    if !race.controls.is_empty() {
        page.heading("What wins where detection cannot");
        let shown = options
            .list
            .unwrap_or(race.controls.len())
            .min(race.controls.len());
        for one in race.controls.iter().take(shown) {
            let jewels = text::counted(one.jewels.len() as u64, "jewel", "jewels");
            page.spans(
                6,
                &[
                    plain(format!("  - {}", control(one))),
                    faint(format!("  on the quickest path to {jewels}")),
                ],
            );
        }
        let more = (race.controls.len() - shown) as u64;
        left_out(page, more, "control", "controls", options);
    }
    if !race.out_of_reach.is_empty() {
        page.gap();
        let jewels = text::counted(
            race.out_of_reach.len() as u64,
            "crown jewel has",
            "crown jewels have",
        );
        page.spans(
            0,
            &[faint(format!(
                "{jewels} no path that is known; JSON names them."
            ))],
        );
    }
}

fn delays(page: &mut Page, race: &Race) {
    for (account, delay) in &race.delays {
        page.field(
            "log delay",
            vec![
                plain(format!(
                    "{account}: half within {}, nine of ten within {}",
                    length(delay.median),
                    length(delay.late)
                )),
                faint(format!(
                    "  measured of {}",
                    text::counted(delay.records, "record", "records")
                )),
            ],
        );
    }
    if race.delays.is_empty() {
        page.field(
            "log delay",
            vec![
                plain(format!(
                    "{} on average, up to {}",
                    length(race.documented_delay.median),
                    length(race.documented_delay.late)
                )),
                faint("  as documented: no file tells by its name when it was delivered"),
            ],
        );
    }
}

fn one(page: &mut Page, jewel: &JewelRace, response: u64) {
    page.gap();
    let style = match jewel.outcome {
        Outcome::Unseen | Outcome::Lost => page::severity(Severity::High),
        Outcome::Luck => SUSPECT,
        Outcome::Won => GOOD,
    };
    page.spans(
        4,
        &[
            Span(JEWEL, format!("◆ {}", name::short(jewel.jewel.as_str()))),
            faint(format!("  {}  ", jewel.kind.title())),
            Span(style, jewel.outcome.title().to_uppercase()),
        ],
    );
    page.spans(4, &[plain(format!("  {}", told(jewel, response)))]);
    page.spans(
        4,
        &[
            faint("  from "),
            plain(name::short(jewel.from.as_str())),
            faint(match &jewel.through {
                Some(through) => format!("  through {}", name::short(through.as_str())),
                None => String::new(),
            }),
            faint(match jewel.conditions.is_empty() {
                true => String::new(),
                false => format!("  if {}", jewel.conditions.join(", ")),
            }),
        ],
    );
    for (number, step) in jewel.steps.iter().enumerate() {
        let mut spans = vec![
            faint(format!("    {:>8}  ", length(step.done))),
            plain(step.step.title.clone()),
        ];
        if !step.waits_for.is_empty() {
            spans.push(faint(format!(", {}", step.waits_for)));
        }
        if !step.unlogged.is_empty() {
            spans.push(Span(
                SUSPECT,
                format!("  not logged: {}", step.unlogged.join(", ")),
            ));
        }
        page.spans(14, &spans);
        let is_first = jewel
            .first_sign
            .as_ref()
            .is_some_and(|sign| sign.step == number);
        if let (true, Some(rule)) = (is_first, step.signs.first()) {
            page.spans(
                16,
                &[
                    Span(STRONG, "              first sign  ".to_owned()),
                    plain(rule.title.clone()),
                    faint(format!(" ({})", rule.level.as_str())),
                ],
            );
        }
    }
}
