//! Whether something was touched.

use portreeve_incident::touch::{
    Acted, Answer, Covered, Implied, Logged, Subject, Touch, TouchRecord,
};
use portreeve_model::Severity;

use super::incident::period;
use super::page::{self, FAINT, GOOD, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
use crate::verification::worded;
use crate::{name, text};

pub(super) fn write(page: &mut Page, touch: &Touch, options: &Options) {
    page.spans(0, &[Span(STRONG, touch.headline.clone())]);
    for id in touch.ids.iter().filter(|id| **id != touch.asked) {
        page.spans(2, &[faint(format!("  {id}"))]);
    }
    limits(page, &touch.covered, touch.answer);
    if touch.subject == Subject::Principal {
        resources(page, &touch.resources, options);
    }
    records(
        page,
        "What was done",
        &touch.records,
        touch.omitted.records,
        options,
    );
    implied(page, touch, options);
    records(
        page,
        "Refused or failed: it was not touched by these",
        &touch.attempts,
        touch.omitted.attempts,
        options,
    );
    covered(page, &touch.covered, options);
}

fn limits(page: &mut Page, covered: &Covered, answer: Answer) {
    if covered.limits.is_empty() || answer == Answer::Yes {
        return;
    }
    page.heading("The limits of this answer");
    for limit in &covered.limits {
        page.spans(4, &[plain(format!("  - {limit}"))]);
    }
}

fn resources(page: &mut Page, resources: &[Acted], options: &Options) {
    if resources.is_empty() {
        return;
    }
    page.heading("What was acted on");
    let shown = options.list.unwrap_or(resources.len()).min(resources.len());
    for acted in resources.iter().take(shown) {
        let style = if acted.actions.is_empty() {
            FAINT
        } else {
            STRONG
        };
        let mut head = vec![
            plain("  "),
            Span(style, name::short(&acted.resource).to_owned()),
        ];
        if acted.objects > 0 {
            head.push(plain(format!(
                "  {}",
                text::counted(acted.objects, "object", "objects")
            )));
        }
        if acted.actions.is_empty() {
            head.push(faint("  every call refused"));
        }
        head.push(faint(format!("  {}", period(acted.first, acted.last))));
        page.spans(4, &head);
        let listed = |actions: &std::collections::BTreeMap<String, u64>| {
            let actions: Vec<String> = actions
                .iter()
                .map(|(action, count)| match count {
                    1 => action.clone(),
                    count => format!("{action} ×{count}"),
                })
                .collect();
            actions.join(", ")
        };
        if !acted.actions.is_empty() {
            page.spans(6, &[plain(format!("      {}", listed(&acted.actions)))]);
        }
        if !acted.refused.is_empty() {
            page.spans(
                6,
                &[faint(format!("      refused: {}", listed(&acted.refused)))],
            );
        }
    }
    let more = (resources.len() - shown) as u64;
    left_out(page, more, "resource", "resources", options);
}

fn records(page: &mut Page, title: &str, records: &[TouchRecord], omitted: u64, options: &Options) {
    if records.is_empty() {
        return;
    }
    page.heading(title);
    let shown = options.list.unwrap_or(records.len()).min(records.len());
    for record in records.iter().take(shown) {
        one_record(page, record);
    }
    let more = (records.len() - shown) as u64 + omitted;
    left_out(page, more, "record", "records", options);
}

fn one_record(page: &mut Page, record: &TouchRecord) {
    let time = record.time.map_or("no time".to_owned(), text::time);
    let mut head = vec![
        faint(format!("  {time}  ")),
        Span(STRONG, record.action.clone()),
    ];
    if record.outcome != "success" {
        head.push(Span(SUSPECT, format!("  {}", record.outcome)));
    }
    head.push(plain(format!("  {}", name::short(&record.actor))));
    if let Some(credential) = &record.credential {
        head.push(faint(format!("  {credential}")));
    }
    page.spans(6, &head);
    if let Some(target) = record.targets.first() {
        let more = record.targets.len() - 1;
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        page.spans(6, &[plain(format!("      on {target}{more}"))]);
    }
    let mut place = format!("      {}, record {}", record.file, record.index);
    if let Some(id) = &record.event_id {
        place.push_str(&format!(", event {id}"));
    }
    if let Some(proof) = record.proof {
        place.push_str(&format!(" ({})", proof.as_str()));
    }
    page.spans(6, &[faint(place)]);
}

fn implied(page: &mut Page, touch: &Touch, options: &Options) {
    for (touches, title) in [
        (true, "May have touched it without naming it"),
        (false, "Told its name at most"),
    ] {
        let found: Vec<&Implied> = touch
            .implied
            .iter()
            .filter(|implied| implied.touches == touches)
            .collect();
        if found.is_empty() {
            continue;
        }
        page.heading(title);
        let shown = options.list.unwrap_or(found.len()).min(found.len());
        for implied in found.iter().take(shown) {
            one_record(page, &implied.record);
            page.spans(
                6,
                &[plain(format!(
                    "      {} {}",
                    implied.record.action, implied.says
                ))],
            );
        }
        left_out(
            page,
            (found.len() - shown) as u64,
            "record",
            "records",
            options,
        );
    }
}

/// What the answer rests on.
fn covered(page: &mut Page, covered: &Covered, options: &Options) {
    page.heading("What the answer rests on");
    let accounts = match covered.accounts.as_slice() {
        [] => "not known; records of all accounts count".to_owned(),
        accounts => accounts.join(", "),
    };
    page.field("accounts", vec![plain(accounts)]);
    if let Some(region) = &covered.region {
        page.field("region", vec![plain(region.clone())]);
    }
    for kind in &covered.kinds {
        let style = match kind.logged {
            Logged::Yes => GOOD,
            Logged::Unsure => SUSPECT,
            Logged::No => page::severity(Severity::High),
        };
        let label = match kind.kind.as_str() {
            "Data" => format!("data, {}", kind.service),
            _ => "management".to_owned(),
        };
        page.field(
            &label,
            vec![
                Span(style, kind.logged.as_str().to_owned()),
                plain(format!("  {}", kind.shows)),
                faint(format!("; {}", kind.why)),
            ],
        );
    }
    let shown = options
        .list
        .unwrap_or(covered.cells.len())
        .min(covered.cells.len());
    for cell in covered.cells.iter().take(shown) {
        page.spans(
            6,
            &[
                plain(format!("  {} {} {}", cell.account, cell.region, cell.kind)),
                faint(format!(
                    "  {} in {}  {}",
                    text::counted(cell.records, "record", "records"),
                    text::counted(cell.hours, "hour", "hours"),
                    period(cell.first, cell.last)
                )),
                Span(
                    SUSPECT,
                    match cell.holes.len() as u64 {
                        0 => String::new(),
                        holes => format!("  {}", text::counted(holes, "hole", "holes")),
                    },
                ),
            ],
        );
    }
    let more = (covered.cells.len() - shown) as u64;
    left_out(page, more, "line", "lines", options);
    if !covered.files.is_empty() {
        page.field("log files", vec![plain(worded(&covered.files))]);
    }
    let shown = options
        .list
        .unwrap_or(covered.proven.len())
        .min(covered.proven.len());
    for proven in covered.proven.iter().take(shown) {
        page.field(
            "proven",
            vec![plain(format!(
                "{} {}  {}",
                proven.account,
                proven.region,
                period(Some(proven.span.from), Some(proven.span.until))
            ))],
        );
    }
    let more = (covered.proven.len() - shown) as u64;
    left_out(page, more, "stretch", "stretches", options);
}
