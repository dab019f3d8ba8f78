//! What stands around the incidents: the answer in one line, other findings, and the limits of
//! what was looked at.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_incident::Report;
use portreeve_model::{BlindSpot, Coverage, Finding, InputKind, Severity, Timestamp};

use super::incident::period;
use super::page::{self, GOOD, Page, STRONG, Span, faint, plain};
use super::{Context, Options, exceptions, left_out, sight};
use crate::verification::summed;
use crate::{name, text};

/// The answer in a few lines.
pub(super) fn opening(page: &mut Page, report: &Report, options: &Options) {
    let records = text::counted(report.summary.records, "record", "records");
    if report.incidents.is_empty() {
        page.spans(0, &[Span(STRONG, "No incident was found.".into())]);
        page.spans(
            0,
            &[plain(format!(
                "{records} were read against {}. What that answer does not cover stands below: \
                 what the logs covered, and what could not be seen.",
                text::counted(report.rules, "rule", "rules")
            ))],
        );
        return;
    }
    let number = text::counted(report.incidents.len() as u64, "incident", "incidents");
    page.spans(0, &[Span(STRONG, number), plain(format!(" in {records}"))]);
    if report.incidents.len() > 1 {
        let total = report.incidents.len();
        let shown = options
            .list
            .map_or(total, |list| list.saturating_mul(2))
            .min(total);
        for incident in report.incidents.iter().take(shown) {
            page.spans(
                14,
                &[
                    Span(
                        page::severity(incident.severity),
                        incident.severity.as_str().to_uppercase(),
                    ),
                    plain(" ".repeat(14 - incident.severity.as_str().len().min(13))),
                    plain(incident.headline.clone()),
                ],
            );
        }
        left_out(
            page,
            (total - shown) as u64,
            "incident",
            "incidents",
            options,
        );
    }
}

/// Everything after the incidents.
pub(super) fn write(page: &mut Page, report: &Report, context: &Context<'_>) {
    if !report.incidents.is_empty() {
        page.gap();
        page.rule(plain("Outside the incidents"), "");
    }
    other_findings(page, report, context);
    blind_spots(page, &report.blind_spots, context.options);
    coverage(page, report);
    exceptions::write(page, &report.exceptions, context.options);
    inputs(page, report, context);
    if !report.notes.is_empty() {
        page.heading("Notes");
        let shown = context
            .options
            .list
            .unwrap_or(report.notes.len())
            .min(report.notes.len());
        for note in report.notes.iter().take(shown) {
            page.spans(4, &[plain(format!("  - {note}"))]);
        }
        left_out(
            page,
            (report.notes.len() - shown) as u64,
            "note",
            "notes",
            context.options,
        );
    }
    page.gap();
    page.spans(
        0,
        &[faint(format!(
            "{} · {} · {:.1} s · {} · Portreeve {} · rules {}",
            text::counted(report.summary.records, "record", "records"),
            text::size(report.summary.bytes),
            report.summary.seconds,
            text::counted(report.rules, "rule", "rules"),
            report.version,
            report
                .rules_sha256
                .get(..12)
                .unwrap_or(&report.rules_sha256),
        ))],
    );
}

/// Findings of one rule outside any incident.
struct Group<'a> {
    first: &'a Finding,
    count: u64,
    muted: u64,
    actors: BTreeSet<&'a str>,
    earliest: Option<Timestamp>,
    latest: Option<Timestamp>,
}

fn other_findings(page: &mut Page, report: &Report, context: &Context<'_>) {
    let told: BTreeSet<&str> = report
        .incidents
        .iter()
        .flat_map(|incident| incident.findings.iter().map(String::as_str))
        .collect();
    let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, &str, &str), Group<'_>> =
        BTreeMap::new();
    for finding in report
        .findings
        .iter()
        .filter(|finding| !told.contains(finding.id.as_str()))
    {
        let key = (
            std::cmp::Reverse(finding.severity),
            finding.title.as_str(),
            finding.rule.as_str(),
        );
        let group = groups.entry(key).or_insert_with(|| Group {
            first: finding,
            count: 0,
            muted: 0,
            actors: BTreeSet::new(),
            earliest: finding.time,
            latest: None,
        });
        group.count += 1;
        group.muted += u64::from(finding.is_muted());
        group.actors.insert(&finding.actor);
        group.latest = group.latest.max(finding.last_time.or(finding.time));
    }
    if groups.is_empty() {
        return;
    }
    let total = groups.values().map(|group| group.count).sum();
    page.heading(&format!("Other findings ({})", text::count(total)));
    let shown = context
        .options
        .list
        .unwrap_or(groups.len())
        .min(groups.len());
    for group in groups.values().take(shown) {
        let severity = group.first.severity;
        let mut title = match group.count {
            1 => group.first.title.clone(),
            count => format!("{} ×{}", group.first.title, text::count(count)),
        };
        match group.muted {
            0 => {}
            muted if muted == group.count => title.push_str(" (muted)"),
            muted => title.push_str(&format!(" ({} muted)", text::count(muted))),
        }
        let label = severity.as_str().to_uppercase();
        let padding = " ".repeat(14usize.saturating_sub(label.len()));
        page.spans(
            16,
            &[
                plain("  "),
                Span(page::severity(severity), label),
                plain(padding),
                plain(title),
            ],
        );
        let mut actors: Vec<String> = group
            .actors
            .iter()
            .take(2)
            .map(|actor| match actor.is_empty() {
                true => "an unknown actor".to_owned(),
                false => name::short(actor).to_owned(),
            })
            .collect();
        if group.actors.len() > 2 {
            actors.push(format!("{} others", group.actors.len() - 2));
        }
        let when = period(group.earliest, group.latest);
        page.spans(
            16,
            &[faint(format!(
                "                {} · {when}",
                actors.join(", ")
            ))],
        );
        for detail in group.first.details.iter().take(2) {
            page.spans(16, &[plain(format!("                {detail}"))]);
        }
        if let Some(author) = &group.first.rule_author {
            page.spans(16, &[faint(format!("                rule by {author}"))]);
        }
    }
    left_out(
        page,
        (groups.len() - shown) as u64,
        "kind",
        "kinds",
        context.options,
    );
}

/// What could not be seen, and how to see it.
pub(super) fn blind_spots(page: &mut Page, blind_spots: &[BlindSpot], options: &Options) {
    if blind_spots.is_empty() {
        return;
    }
    page.heading("What could not be seen");
    let shown = options
        .list
        .unwrap_or(blind_spots.len())
        .min(blind_spots.len());
    for blind_spot in blind_spots.iter().take(shown) {
        page.spans(
            4,
            &[
                plain("  - "),
                Span(STRONG, blind_spot.missing.clone()),
                plain(format!(": {}", blind_spot.consequence)),
            ],
        );
        if text::is_command(&blind_spot.remedy) {
            page.command(&blind_spot.remedy);
        } else if !blind_spot.remedy.is_empty() {
            page.spans(4, &[faint(format!("    {}", blind_spot.remedy))]);
        }
    }
    left_out(
        page,
        (blind_spots.len() - shown) as u64,
        "blind spot",
        "blind spots",
        options,
    );
}

fn coverage(page: &mut Page, report: &Report) {
    page.heading("What the logs covered");
    if report.coverage.is_empty() {
        page.spans(
            2,
            &[plain(
                "  No log was read: nothing can be said about what happened.",
            )],
        );
    }
    for coverage in &report.coverage {
        one_coverage(page, coverage);
    }
    for profile in &report.sight {
        page.field("known ways", vec![plain(sight::summed(profile))]);
    }
    if let Some(verification) = &report.verification {
        page.field("evidence", vec![plain(summed(verification))]);
    }
}

fn one_coverage(page: &mut Page, coverage: &Coverage) {
    let mut figures = text::counted(coverage.records, "record", "records");
    if coverage.duplicates > 0 {
        figures.push_str(&format!(
            ", {} left out",
            text::counted(coverage.duplicates, "duplicate", "duplicates")
        ));
    }
    if coverage.without_time > 0 {
        figures.push_str(&format!(
            ", {} without a time",
            text::count(coverage.without_time)
        ));
    }
    page.field(
        "source",
        vec![
            Span(STRONG, coverage.source.clone()),
            plain(format!("  {figures}")),
        ],
    );
    page.field(
        "time",
        vec![plain(format!(
            "{} UTC",
            period(coverage.first, coverage.last)
        ))],
    );
    let list = |set: &BTreeSet<String>| {
        set.iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    page.field("accounts", vec![plain(or_none(list(&coverage.accounts)))]);
    page.field("regions", vec![plain(or_none(list(&coverage.regions)))]);
    let kinds: Vec<String> = coverage
        .event_kinds
        .iter()
        .map(|(kind, count)| format!("{kind} {}", text::count(*count)))
        .collect();
    page.field("event kinds", vec![plain(or_none(kinds.join(", ")))]);
    match coverage.days_without_records.as_slice() {
        [] => page.field(
            "days",
            vec![Span(
                GOOD,
                "none without records between the first and the last".into(),
            )],
        ),
        days => {
            let mut named: Vec<&str> = days.iter().take(8).map(String::as_str).collect();
            let more = format!("and {} more", days.len().saturating_sub(8));
            if days.len() > 8 {
                named.push(&more);
            }
            page.field("days without", vec![Span(page::SUSPECT, named.join(", "))]);
        }
    }
}

fn or_none(list: String) -> String {
    if list.is_empty() {
        "none named".to_owned()
    } else {
        list
    }
}

fn inputs(page: &mut Page, report: &Report, context: &Context<'_>) {
    let mut kinds: BTreeMap<InputKind, (u64, u64)> = BTreeMap::new();
    for input in &report.inputs {
        let entry = kinds.entry(input.kind).or_default();
        entry.0 += 1;
        entry.1 += input.bytes;
    }
    if !kinds.is_empty() {
        let named: Vec<String> = kinds
            .iter()
            .map(|(kind, (files, bytes))| {
                let kind = match kind {
                    InputKind::Log => {
                        if *files == 1 {
                            "log"
                        } else {
                            "logs"
                        }
                    }
                    InputKind::Inventory => "inventory",
                    InputKind::Networks => "data of networks",
                    InputKind::Wallets => "of wallets",
                    InputKind::Ignored => "known and not needed",
                    InputKind::Unrecognised => "not recognised",
                };
                format!("{} {kind} ({})", text::count(*files), text::size(*bytes))
            })
            .collect();
        page.field("files", vec![plain(named.join(", "))]);
    }
    let total = report.dead_letters.len() as u64 + report.dead_letters_omitted;
    if total == 0 {
        return;
    }
    page.heading(&format!("Not readable ({})", text::count(total)));
    let shown = context
        .options
        .list
        .unwrap_or(report.dead_letters.len())
        .min(report.dead_letters.len());
    for letter in report.dead_letters.iter().take(shown) {
        page.spans(
            4,
            &[
                plain(format!("  {} ", letter.file)),
                faint(format!("at byte {}: ", text::count(letter.offset))),
                plain(letter.reason.clone()),
            ],
        );
    }
    left_out(
        page,
        total - shown as u64,
        "unreadable part",
        "unreadable parts",
        context.options,
    );
}
