//! What posture checks found, as a page.

use maud::{Markup, html};
use portreeve_graph::AttackPath;
use portreeve_posture::{CheckCounts, Failure, Posture};

use super::page::{self, Page, answer};
use super::parts::{Parts, SCREEN};
use super::shape::{Clean, badge, middle};
use super::{blind_spots_in, path};
use crate::posture::{by_path, kinds, listed_in};
use crate::{name, text};

/// The page of a posture: `check --format html`.
pub fn posture(posture: &Posture) -> String {
    posture_page(posture, Parts::FILE).file()
}

/// The same page, to be framed.
pub fn posture_page(posture: &Posture, parts: Parts<'_>) -> Page {
    let summary = posture.summary;
    let groups = by_path(posture);
    let on_path: usize = groups.iter().map(|group| group.failures.len()).sum();
    let title = match summary.failed {
        0 => "No check failed".to_owned(),
        failed => format!(
            "{}, {} on an attack path",
            text::counted(failed as u64, "failure", "failures"),
            text::count(on_path as u64)
        ),
    };
    let about = html! {
        "What lies on an attack path to a crown jewel comes first. What the inventory does not show is "
        a href="#unknown" { "named" } ", and never passes. As of " (text::minute(posture.as_of)) " UTC."
    };
    let figures = [
        ("Failures", text::count(summary.failed as u64)),
        ("On a path", text::count(on_path as u64)),
        ("Passed", text::count(summary.passed as u64)),
        ("Suppressed", text::count(summary.suppressed as u64)),
        ("Not shown", text::count(summary.unknown as u64)),
    ];
    let paths: Vec<AttackPath> = groups.iter().map(|group| group.path.clone()).collect();
    let main = html! {
        (answer(&title, about, &figures))
        @if !paths.is_empty() {
            section class="card part" id="paths" {
                h2 { "The paths that failures lie on" }
                (path::draw(parts.rows("paths", &paths, path::DRAWN), &kinds(posture), "ways"))
                (parts.more("paths", paths.len(), path::DRAWN, "path", "paths"))
            }
        }
        (failures(posture, parts))
        (bars(&posture.checks, parts))
        (suppressions(posture))
        (unknown(posture, parts))
        (blind_spots_in(&posture.blind_spots, parts))
    };
    Page {
        what: page::masthead("Posture", None),
        foot: page::foot(),
        title,
        main,
    }
}

fn failures(posture: &Posture, parts: Parts<'_>) -> Markup {
    let open: Vec<&Failure> = posture
        .findings
        .iter()
        .filter(|finding| !finding.is_suppressed())
        .collect();
    html! {
        @if !open.is_empty() {
            section class="card part" id="failures" {
                h2 { "What failed" }
                div class="scroll" { table {
                    caption { "In the order in which it wants a look." }
                    thead { tr { th scope="col" { "Severity" } th scope="col" { "What" } th scope="col" { "Where" } th scope="col" { "Attack path" } th scope="col" { "What to do" } } }
                    tbody { @for failure in parts.rows("failures", &open, SCREEN) { (row(failure)) } }
                } }
                (parts.more("failures", open.len(), SCREEN, "failure", "failures"))
            }
        }
    }
}

fn row(failure: &Failure) -> Markup {
    let read = name::of(failure.resource.as_str());
    html! {
        tr {
            td { (badge(failure.severity)) }
            td {
                b { (failure.title) } div { (Clean(&failure.reason)) }
                div class="small soft" { span class="mono" { (failure.check) } " " (listed_in(failure.posture, failure.cis)) }
            }
            td { b { (Clean(read.name)) } div class="small soft mono" { (Clean(failure.resource.as_str())) } }
            td { @if let Some(path) = &failure.path { (walk(path)) } @else { span class="soft" { "none known" } } }
            td {
                (failure.remedy)
                @for page in failure.references { div class="small" { a href=(page) rel="noreferrer" { "AWS documentation" } } }
            }
        }
    }
}

/// A path in a line: its stations.
fn walk(path: &AttackPath) -> Markup {
    html! {
        (Clean(name::short(path.from.as_str())))
        @for step in &path.steps { " → " (Clean(name::short(step.to.as_str()))) }
        @if !path.conditions.is_empty() { div class="small soft" { "if " (Clean(&path.conditions.join(", "))) } }
    }
}

const BAR: f64 = 380.0;
const ROW: f64 = 24.0;
const LEFT: f64 = 330.0;

/// For each check that judged something a bar: failed, passed, not shown.
fn bars(checks: &[CheckCounts], parts: Parts<'_>) -> Markup {
    let mut shown: Vec<&CheckCounts> = checks
        .iter()
        .filter(|check| check.counts.failed + check.counts.passed > 0)
        .collect();
    shown.sort_by_key(|check| {
        (
            std::cmp::Reverse((check.counts.failed > 0, check.severity)),
            check.id,
        )
    });
    let told = parts.rows("checks", &shown, SCREEN);
    let (width, height) = (LEFT + BAR + 220.0, told.len() as f64 * ROW + 6.0);
    html! {
        @if !shown.is_empty() {
            section class="card part" id="checks" {
                h2 { "Check by check" }
                div class="draw" tabindex="0" role="region" aria-label="Failed and passed by check" {
                    svg viewBox=(format!("0 0 {width:.0} {height:.0}")) style=(format!("max-width:{width:.0}px;min-width:640px")) role="img" aria-label="For each check the share of what failed; the figures stand beside each bar" {
                        @for (place, check) in told.iter().enumerate() { (bar(check, 3.0 + place as f64 * ROW)) }
                    }
                }
                (parts.more("checks", shown.len(), SCREEN, "check", "checks"))
            }
        }
    }
}

fn bar(check: &CheckCounts, y: f64) -> Markup {
    let counts = check.counts;
    let all = (counts.failed + counts.passed + counts.unknown + counts.suppressed).max(1) as f64;
    let failed = counts.failed as f64 / all * BAR;
    let class = format!("hit {}", check.severity);
    html! {
        text x="0" y=(format!("{:.1}", y + 15.0)) font-size="12" { (middle(check.title, 50)) }
        rect class="panel" x=(LEFT) y=(format!("{:.1}", y + 4.0)) width=(format!("{BAR:.1}")) height="14" rx="3" {}
        rect class=(class) x=(LEFT) y=(format!("{:.1}", y + 4.0)) width=(format!("{failed:.1}")) height="14" rx="3" {}
        text class="s" x=(format!("{:.1}", LEFT + BAR + 8.0)) y=(format!("{:.1}", y + 15.0)) font-size="11.5" {
            (text::count(counts.failed as u64)) " failed, " (text::count(counts.passed as u64)) " passed"
            @if counts.unknown > 0 { ", " (text::count(counts.unknown as u64)) " not shown" }
        }
    }
}

fn suppressions(posture: &Posture) -> Markup {
    html! {
        @if !posture.suppressions.is_empty() {
            section class="card part" {
                h2 { "Suppressions" }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "State" } th scope="col" { "Hides" } th scope="col" { "Until" } th scope="col" { "Why" } } }
                    tbody { @for one in &posture.suppressions { tr {
                        td class="mono" { (Clean(&one.id)) }
                        td { @if one.state.is_defect() { span class="tag warn" { (one.state.title()) } } @else { (one.state.title()) } }
                        td { (text::count(one.hidden as u64)) }
                        td { (one.expires.map_or_else(|| "no end".to_owned(), text::day)) }
                        td { (Clean(&one.reason)) div class="small soft" { (Clean(&one.owner)) " " (Clean(&one.ticket)) } }
                    } } }
                } }
            }
        }
    }
}

fn unknown(posture: &Posture, parts: Parts<'_>) -> Markup {
    let unknown = &posture.unknown;
    html! {
        section class="card part" id="unknown" {
            h2 { "Not shown by the inventory" }
            @if unknown.is_empty() { p class="soft" { "Every check saw what it needs." } } @else {
                div class="scroll" { table {
                    caption { "Neither passed nor failed." }
                    thead { tr { th scope="col" { "Check" } th scope="col" { "Of" } th scope="col" { "Missing" } } }
                    tbody { @for unseen in parts.rows("unknown", unknown, SCREEN) { tr {
                        td class="mono" { (unseen.check) }
                        td {
                            @if let Some(first) = unseen.resources.first() { (Clean(name::short(first.as_str()))) }
                            @if unseen.resources.len() > 1 { " and " (text::count(unseen.resources.len() as u64 - 1)) " more" }
                        }
                        td { (Clean(&unseen.missing)) }
                    } } }
                } }
                (parts.more("unknown", unknown.len(), SCREEN, "gap", "gaps"))
            }
        }
    }
}
