//! What posture checks found, for a terminal.

use portreeve_posture::{Check, Failure, Posture};

use super::page::{FAINT, GOOD, Page, STRONG, SUSPECT, Span, faint, plain, severity};
use super::{Options, left_out, path, surroundings};
use crate::posture::{by_check, by_path, kinds, listed_in};
use crate::{name, text};

/// How many resources are named of a check that fails for many.
const NAMED: usize = 5;

pub(super) fn write(page: &mut Page, posture: &Posture, options: &Options) {
    opening(page, posture);
    let kinds = kinds(posture);
    let groups = by_path(posture);
    if !groups.is_empty() {
        page.heading("On an attack path");
        let shown = options.list.unwrap_or(groups.len()).min(groups.len());
        for (number, group) in groups.iter().take(shown).enumerate() {
            if number > 0 {
                page.gap();
            }
            for failure in &group.failures {
                one(page, failure);
            }
            path::write(page, group.path, &kinds);
        }
        left_out(
            page,
            (groups.len() - shown) as u64,
            "path",
            "paths",
            options,
        );
    }
    let groups = by_check(posture);
    if !groups.is_empty() {
        page.heading("On no path that is known");
        let shown = options.list.unwrap_or(groups.len()).min(groups.len());
        for group in groups.iter().take(shown) {
            let named = match options.list {
                Some(_) => NAMED,
                None => group.failures.len(),
            };
            lead(page, group.first, group.failures.len());
            for failure in group.failures.iter().take(named) {
                resource(page, failure);
            }
            if group.failures.len() > named {
                let more = (group.failures.len() - named) as u64;
                page.spans(6, &[faint(format!("      and {} more", text::count(more)))]);
            }
            page.spans(6, &[faint("      → "), plain(group.first.remedy)]);
        }
        left_out(
            page,
            (groups.len() - shown) as u64,
            "check",
            "checks",
            options,
        );
    }
    suppressions(page, posture);
    unknown(page, posture, options);
    surroundings::blind_spots(page, &posture.blind_spots, options);
}

fn opening(page: &mut Page, posture: &Posture) {
    let summary = posture.summary;
    let failing = posture
        .checks
        .iter()
        .filter(|check| check.counts.failed > 0);
    let failing = failing.count() as u64;
    let on_path = posture
        .findings
        .iter()
        .filter(|finding| !finding.is_suppressed() && finding.path.is_some())
        .count() as u64;
    let style = if summary.failed > 0 { SUSPECT } else { GOOD };
    page.spans(
        0,
        &[
            Span(
                style,
                text::counted(summary.failed as u64, "failure", "failures"),
            ),
            plain(format!(
                " of {}, {} on an attack path to a crown jewel; {} passed, {} not shown by the inventory",
                text::counted(failing, "check", "checks"),
                text::count(on_path),
                text::count(summary.passed as u64),
                text::count(summary.unknown as u64),
            )),
            plain(match summary.suppressed {
                0 => ".".to_owned(),
                some => format!(", {} suppressed.", text::count(some as u64)),
            }),
        ],
    );
    let ran = posture.checks.len() as u64;
    page.spans(
        2,
        &[faint(format!(
            "{}, as of {} UTC.",
            text::counted(ran, "check", "checks"),
            text::minute(posture.as_of)
        ))],
    );
}

/// A failure on a path: what, of what, what to do.
fn one(page: &mut Page, failure: &Failure) {
    lead(page, failure, 1);
    resource(page, failure);
    page.spans(6, &[faint("      → "), plain(failure.remedy)]);
}

fn lead(page: &mut Page, failure: &Failure, count: usize) {
    let mut spans = vec![
        Span(
            severity(failure.severity),
            format!("  {:<8}", failure.severity),
        ),
        plain(" "),
        Span(STRONG, failure.title.to_owned()),
    ];
    if count > 1 {
        spans.push(plain(format!(" ({})", text::count(count as u64))));
    }
    let listed = listed_in(failure.posture, failure.cis);
    let listed = match listed.is_empty() {
        true => String::new(),
        false => format!("  {listed}"),
    };
    spans.push(faint(format!("  {}{listed}", failure.check)));
    page.spans(6, &spans);
}

fn resource(page: &mut Page, failure: &Failure) {
    let read = name::of(failure.resource.as_str());
    let account = failure.account.as_deref().or(read.account);
    let account = account.map_or_else(String::new, |account| format!(" ({account})"));
    page.spans(
        8,
        &[
            plain("      "),
            Span(STRONG, read.name.to_owned()),
            faint(account),
            plain(format!(": {}", failure.reason)),
        ],
    );
}

fn suppressions(page: &mut Page, posture: &Posture) {
    if posture.suppressions.is_empty() {
        return;
    }
    page.heading("Suppressions");
    for one in &posture.suppressions {
        let style = if one.state.is_defect() {
            SUSPECT
        } else {
            FAINT
        };
        let ends = one.expires.map_or_else(
            || "no end".to_owned(),
            |expires| format!("until {}", text::day(expires)),
        );
        let hidden = match one.hidden {
            0 => String::new(),
            some => format!(
                ", hides {}",
                text::counted(some as u64, "failure", "failures")
            ),
        };
        let mut spans = vec![
            Span(STRONG, format!("  {}", one.id)),
            plain("  "),
            Span(style, format!("{}{hidden}", one.state.title())),
            faint(format!("  {ends}")),
        ];
        for part in [&one.owner, &one.reason, &one.ticket] {
            if !part.is_empty() {
                spans.push(faint(format!("; {part}")));
            }
        }
        page.spans(4, &spans);
    }
}

fn unknown(page: &mut Page, posture: &Posture, options: &Options) {
    if posture.unknown.is_empty() {
        return;
    }
    page.heading("Not shown by the inventory, so neither passed nor failed");
    let all = posture.unknown.len();
    let shown = options.list.unwrap_or(all).min(all);
    for unseen in posture.unknown.iter().take(shown) {
        let first = unseen.resources.first().map(|id| name::short(id.as_str()));
        let of = match (first, unseen.resources.len()) {
            (Some(first), 1) => first.to_owned(),
            (Some(first), count) => format!("{first} and {} more", text::count(count as u64 - 1)),
            (None, _) => String::new(),
        };
        page.spans(
            4,
            &[
                Span(STRONG, format!("  {}", unseen.check)),
                plain(format!("  {of}: ")),
                faint(unseen.missing.clone()),
            ],
        );
    }
    left_out(page, (all - shown) as u64, "gap", "gaps", options);
}

/// The checks that there are, with their numbers.
pub(super) fn checks(page: &mut Page, checks: &[&Check]) {
    for check in checks {
        let listed = listed_in(check.posture, check.cis);
        page.spans(
            4,
            &[
                Span(severity(check.severity), format!("{:<8}", check.severity)),
                Span(STRONG, format!(" {}", check.id)),
                plain(format!("  {}", check.title)),
                faint(format!("  {listed}")),
            ],
        );
        for limit in check.limits {
            page.spans(
                11,
                &[faint(format!(
                    "         {} = {}: {}",
                    limit.name, limit.default, limit.meaning
                ))],
            );
        }
    }
}
