//! What the logs cover, and which steps of known actors' ways they can show.

use anstyle::Style;
use portreeve_incident::Report;
use portreeve_incident::sight::{Gap, LogSight, LogState, ProfileSight, StepSight};
use portreeve_model::{Coverage, CoverageCell, Hole, Severity};

use super::incident::period;
use super::page::{self, FAINT, GOOD, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out, surroundings};
use crate::text;

/// How many holes of one cell, or gaps of one log, are listed where lists are limited.
const FEW: usize = 3;

pub(super) fn write(page: &mut Page, report: &Report, options: &Options) {
    for profile in &report.sight {
        steps(page, profile, options);
    }
    surroundings::blind_spots(page, &report.blind_spots, options);
    for coverage in &report.coverage {
        cells(page, coverage, options);
    }
    let unread = report.dead_letters.len() as u64 + report.dead_letters_omitted;
    if unread > 0 {
        page.gap();
        let parts = text::counted(unread, "part", "parts");
        page.spans(
            0,
            &[plain(format!(
                "{parts} of the files could not be read; `portreeve investigate` lists them."
            ))],
        );
    }
}

fn steps(page: &mut Page, profile: &ProfileSight, options: &Options) {
    page.heading(&format!(
        "What of the known way of {} these logs can show",
        profile.title
    ));
    page.spans(2, &[faint(format!("  {}", summed(profile)))]);
    for step in &profile.steps {
        one_step(page, step, options);
    }
}

/// How many steps of an actor's way can be seen.
pub(super) fn summed(profile: &ProfileSight) -> String {
    let count = |state| {
        let steps = profile.steps.iter().filter(|step| step.state == state);
        steps.count() as u64
    };
    format!(
        "of {} of {}'s way {} can be seen in these logs, {} in part, {} not; {} only in logs that \
         are not read yet",
        text::counted(profile.steps.len() as u64, "step", "steps"),
        profile.title,
        count(LogState::There),
        count(LogState::Partly),
        count(LogState::Absent),
        count(LogState::Unread),
    )
}

fn word(state: LogState) -> (Style, &'static str) {
    match state {
        LogState::There => (GOOD, "seen"),
        LogState::Partly => (SUSPECT, "in part"),
        LogState::Absent => (page::severity(Severity::High), "HIDDEN"),
        LogState::Unread => (FAINT, "not read"),
    }
}

fn one_step(page: &mut Page, step: &StepSight, options: &Options) {
    let (style, state) = word(step.state);
    let techniques: Vec<&str> = step.techniques.iter().map(|it| it.as_str()).collect();
    page.spans(
        12,
        &[
            plain("  "),
            Span(style, state.to_owned()),
            plain(" ".repeat(10usize.saturating_sub(state.len()))),
            plain(step.title.clone()),
            faint(format!("  {}", techniques.join(" "))),
        ],
    );
    for log in step.logs.iter().filter(|log| log.state != LogState::There) {
        one_log(page, log, options);
    }
}

fn one_log(page: &mut Page, log: &LogSight, options: &Options) {
    let mut name = log.source.clone();
    if let Some(kind) = &log.kind {
        name.push_str(&format!(" {kind}"));
    }
    let lead = match log.state {
        LogState::Unread => format!("            {name}, {}", log.what),
        state => format!("            {name}, {}: {}", log.what, word(state).1),
    };
    match log.gaps.as_slice() {
        // What is missing everywhere needs no line of its own.
        [only] if only.account.is_none() && only.from.is_none() => {
            page.spans(14, &[faint(format!("{lead}; {}", only.why))]);
        }
        gaps => {
            page.spans(14, &[faint(lead)]);
            let shown = options.list.map_or(gaps.len(), |_| FEW).min(gaps.len());
            for gap in gaps.iter().take(shown) {
                page.spans(16, &[faint(format!("              - {}", place(gap)))]);
            }
            if gaps.len() > shown {
                page.spans(
                    16,
                    &[faint(format!(
                        "              - and {} more; {}",
                        gaps.len() - shown,
                        options.see_all
                    ))],
                );
            }
        }
    }
}

fn place(gap: &Gap) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(gap.account.as_ref().map(|it| format!("account {it}")));
    words.extend(gap.region.clone());
    if gap.from.is_some() {
        words.push(period(gap.from, gap.until));
    }
    if words.is_empty() {
        return gap.why.clone();
    }
    format!("{}: {}", words.join(", "), gap.why)
}

fn cells(page: &mut Page, coverage: &Coverage, options: &Options) {
    page.heading(&format!("What {} covers", coverage.source));
    if coverage.cells_omitted {
        page.spans(
            2,
            &[plain(
                "  There are too many accounts, regions and hours to tell them one by one.",
            )],
        );
        return;
    }
    let told: Vec<&CoverageCell> = coverage
        .cells
        .iter()
        // The sums of single accounts repeat what their cells say.
        .filter(|cell| !cell.kind.is_empty() || cell.account.is_empty())
        .collect();
    let shown = options
        .list
        .map_or(told.len(), |list| list * 3)
        .min(told.len());
    for cell in told.iter().take(shown) {
        let name = match cell.kind.as_str() {
            "" => "everything".to_owned(),
            kind => {
                let account = match cell.account.as_str() {
                    "" => "no account",
                    account => account,
                };
                let region = match cell.region.as_str() {
                    "" => "no region",
                    region => region,
                };
                format!("{account} {region} {kind}")
            }
        };
        page.spans(
            6,
            &[
                Span(STRONG, format!("  {name}")),
                plain(format!(
                    "  {} in {}",
                    text::counted(cell.records, "record", "records"),
                    text::counted(cell.hours, "hour", "hours")
                )),
                faint(format!("  {}", period(cell.first, cell.last))),
            ],
        );
        let few = options
            .list
            .map_or(cell.holes.len(), |_| FEW)
            .min(cell.holes.len());
        for Hole { from, until } in cell.holes.iter().take(few) {
            page.spans(
                8,
                &[
                    Span(SUSPECT, "      no record ".to_owned()),
                    plain(period(Some(*from), Some(*until))),
                    faint(", although other days have some at these hours"),
                ],
            );
        }
        let more = (cell.holes.len() - few) as u64;
        left_out(page, more, "hole", "holes", options);
    }
    let more = (told.len() - shown) as u64;
    left_out(page, more, "line", "lines", options);
}
