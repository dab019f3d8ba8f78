//! What the logs covered, with a calendar of the days.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use portreeve_incident::Totals;
use portreeve_incident::sight::{Gap, LogState, ProfileSight};
use portreeve_model::Coverage;

use super::shape::{Clean, mark};
use crate::text;

const CELL: f64 = 17.0;
/// The most weeks that a calendar shows: two years.
const WEEKS: i64 = 105;

/// One source's coverage.
pub(super) fn draw(coverage: &Coverage, totals: &Totals, id: &str) -> Markup {
    let list = |set: &BTreeSet<String>| match set.is_empty() {
        true => "none named".to_owned(),
        false => set
            .iter()
            .map(|one| text::clean(one))
            .collect::<Vec<_>>()
            .join(", "),
    };
    html! {
        div class="coverage" {
            dl class="pairs" {
                dt { "Source" } dd class="mono" { (Clean(&coverage.source)) }
                dt { "From" } dd { (coverage.first.map_or("no record has a time".to_owned(), |time| format!("{} UTC", text::time(time)))) }
                dt { "Until" } dd { (coverage.last.map_or("no record has a time".to_owned(), |time| format!("{} UTC", text::time(time)))) }
                dt { "Records" }
                dd {
                    (text::count(coverage.records))
                    @if coverage.duplicates > 0 { ", and " (text::counted(coverage.duplicates, "duplicate", "duplicates")) " left out" }
                    @if coverage.without_time > 0 { "; " (text::count(coverage.without_time)) " without a time" }
                }
                dt { "Accounts" } dd { (list(&coverage.accounts)) }
                dt { "Regions" } dd { (list(&coverage.regions)) }
                dt { "Event kinds" }
                dd {
                    @for (number, (kind, count)) in coverage.event_kinds.iter().enumerate() { @if number > 0 { ", " } (Clean(kind)) " " (text::count(*count)) }
                    @if coverage.event_kinds.is_empty() { "none named" }
                }
                dt { "Days without" }
                dd {
                    @if coverage.days_without_records.is_empty() { "none between the first record and the last" }
                    @else {
                        (coverage.days_without_records.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", "))
                        @if coverage.days_without_records.len() > 10 { " and " (coverage.days_without_records.len() - 10) " more" }
                    }
                }
            }
            (calendar(coverage, totals, id))
        }
    }
}

/// Which steps of an actor's way the logs can show.
pub(super) fn steps(profile: &ProfileSight) -> Markup {
    let tag = |state: LogState| {
        let (class, word) = match state {
            LogState::There => ("tag good", "seen"),
            LogState::Partly => ("tag warn", "in part"),
            LogState::Absent => ("tag bad", "hidden"),
            LogState::Unread => ("tag", "not read yet"),
        };
        html! { span class=(class) { (word) } }
    };
    html! {
        details {
            summary {
                span class="grow" { "What of the known way of " (Clean(&profile.title)) " these logs can show" }
                span class="end" { (text::counted(profile.steps.len() as u64, "step", "steps")) }
            }
            div class="inside" {
                div class="scroll" { table {
                    caption { "In the order of the way; what is missing of a log stands beside it." }
                    thead { tr { th scope="col" { "Step" } th scope="col" { "State" } th scope="col" { "Log" } } }
                    tbody { @for step in &profile.steps { tr {
                        td { (Clean(&step.title)) }
                        td { (tag(step.state)) }
                        td { @for (number, log) in step.logs.iter().enumerate() {
                            @if number > 0 { br; }
                            span class="mono" { (Clean(&log.source)) @if let Some(kind) = &log.kind { " " (Clean(kind)) } }
                            ": " (Clean(&log.what)) " " (tag(log.state))
                            @if log.state != LogState::Unread {
                                @for gap in log.gaps.iter().take(GAPS) { br; span class="soft" { (gap_words(gap)) } }
                                @if log.gaps.len() > GAPS { br; span class="soft" { "and " (log.gaps.len() - GAPS) " more; the report in JSON holds all" } }
                            }
                        } }
                    } } }
                } }
            }
        }
    }
}

/// How many gaps of one log are listed.
const GAPS: usize = 6;

fn gap_words(gap: &Gap) -> Markup {
    html! {
        @if let Some(account) = &gap.account { "account " (Clean(account)) " " }
        @if let Some(region) = &gap.region { (Clean(region)) " " }
        @if gap.from.is_some() { (crate::terminal::period(gap.from, gap.until)) " " }
        (Clean(&gap.why))
    }
}

/// Weeks as columns, days as rows, Monday first.
fn calendar(coverage: &Coverage, totals: &Totals, id: &str) -> Markup {
    let day = |time: jiff::Timestamp| time.to_zoned(TimeZone::UTC).date();
    let (Some(first), Some(last)) = (coverage.first.map(day), coverage.last.map(day)) else {
        return html! {};
    };
    let monday = |date: Date| {
        let back = i64::from(date.weekday().since(Weekday::Monday));
        date.checked_sub(back.days()).unwrap_or(date)
    };
    let end = monday(last);
    let weeks = |from: Date| (end - from).get_days() as i64 / 7 + 1;
    let mut start = monday(first);
    let left_out = (weeks(start) - WEEKS).max(0);
    start = start.checked_add((left_out * 7).days()).unwrap_or(start);
    let silent: BTreeSet<&str> = coverage
        .days_without_records
        .iter()
        .map(String::as_str)
        .collect();
    let columns = weeks(start);
    let width = 34.0 + columns as f64 * CELL;
    let height = 22.0 + 7.0 * CELL;
    let mut dates = Vec::new();
    let mut date = start.max(first);
    while date <= last {
        dates.push(date);
        let Ok(next) = date.checked_add(1.day()) else {
            break;
        };
        date = next;
    }
    let place = |date: Date| {
        let days = f64::from((date - start).get_days());
        (
            34.0 + (days / 7.0).floor() * CELL,
            20.0 + f64::from(date.weekday().since(Weekday::Monday)) * CELL,
        )
    };
    html! {
        figure class="calendar" {
            svg viewBox=(format!("0 0 {width:.0} {height:.0}")) width=(format!("{:.0}", width * 1.25)) height=(format!("{:.0}", height * 1.25)) role="img" aria-labelledby={ (id) "-title" } {
                title id={ (id) "-title" } { "Days with records, from " (first) " to " (last) }
                @for (row, name) in ["Mon", "Wed", "Fri"].into_iter().enumerate() {
                    text class="s" x="0" y=(format!("{:.1}", 20.0 + row as f64 * 2.0 * CELL + 11.0)) font-size="10.5" { (name) }
                }
                @for date in dates.iter().filter(|date| date.day() == 1 || **date == start.max(first)) {
                    @let (x, _) = place(*date);
                    text class="s" x=(format!("{x:.1}")) y="11" font-size="10.5" { (date.strftime("%b").to_string()) }
                }
                @for date in &dates {
                    @let (x, y) = place(*date);
                    @let missing = silent.contains(date.to_string().as_str());
                    @let hit = totals.of_day(*date);
                    g class=(hit.map_or("", |(severity, _)| severity.as_str())) {
                        title {
                            (date) @if missing { ": no record" } @else { ": records" }
                            @if let Some((severity, count)) = hit { ", " (text::counted(count, "finding", "findings")) ", gravest " (severity) }
                        }
                        @if missing {
                            rect class="off" x=(format!("{:.1}", x + 0.7)) y=(format!("{:.1}", y + 0.7)) width="12.6" height="12.6" rx="3" {}
                            path class="off" d=(format!("M{:.1} {:.1}l6 6m0 -6l-6 6", x + 4.0, y + 4.0)) {}
                        } @else {
                            rect class="on" x=(format!("{x:.1}")) y=(format!("{y:.1}")) width="14" height="14" rx="3" {}
                        }
                        @if let Some((severity, _)) = hit { (mark(severity, x + 7.0, y + 7.0, 3.6)) }
                    }
                }
            }
            figcaption style="margin-top:8px" {
                "Shaded: records. Crossed: none. Marks: findings."
                @if left_out > 0 { " The first " (text::counted(left_out as u64, "week is", "weeks are")) " not drawn." }
            }
        }
    }
}
