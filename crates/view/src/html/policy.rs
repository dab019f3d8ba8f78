//! Answers of authorisation as pages.

use maud::{Markup, html};

use super::incident::left_out;
use super::page;
use super::shape::Clean;
use super::{ROWS, page::answer};
use crate::policy::{self, PolicyTests, TestedCase};
use crate::text;

/// How wide the bar is in which each case is a stroke.
const BAR: f64 = 1040.0;
const BAR_HEIGHT: f64 = 30.0;
/// The most strokes that a bar is drawn of; of more cases each stroke stands for several.
const STROKES: usize = 260;

/// The page of a run of tests of policies: `policy test --format html`.
pub fn tests(tests: &PolicyTests<'_>) -> String {
    let counts = tests.counts();
    let title = match (counts.failed, counts.unread) {
        (0, 0) => format!(
            "All {} hold",
            text::counted(counts.cases as u64, "case", "cases")
        ),
        (0, unread) => format!(
            "{} could not be read",
            text::counted(unread as u64, "line", "lines")
        ),
        (failed, _) => format!(
            "{} of {} failed",
            text::count(failed as u64),
            text::counted(counts.cases as u64, "case", "cases")
        ),
    };
    let about = html! {
        "Each case asks one question of the policies that it brings along, and says which answer its author expects."
    };
    let figures = [
        ("Cases", text::count(counts.cases as u64)),
        ("Passed", text::count(counts.passed as u64)),
        ("Failed", text::count(counts.failed as u64)),
        ("Lines not read", text::count(counts.unread as u64)),
        ("Took", format!("{:.2} s", counts.seconds)),
    ];
    let failures: Vec<&TestedCase<'_>> = tests.cases.iter().filter(|case| !case.pass).collect();
    let main = html! {
        (answer(&title, about, &figures))
        @if !tests.cases.is_empty() {
            section class="card part" { h2 { "All cases" } (bar(tests.cases)) }
        }
        @if !failures.is_empty() {
            section class="card part" {
                h2 { "Failed" }
                @for case in failures.iter().take(ROWS) { (failure(case)) }
                (left_out(failures.len(), ROWS, "failure", "failures"))
            }
        }
        @if !tests.unread.is_empty() {
            section class="card part" {
                h2 { "Not read" }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "File" } th scope="col" class="n" { "Line" } th scope="col" { "Why" } } }
                    tbody { @for line in tests.unread.iter().take(ROWS) {
                        tr { td class="mono" { (Clean(line.file)) } td class="n" { (line.line) } td { (Clean(line.reason)) } }
                    } }
                } }
                (left_out(tests.unread.len(), ROWS, "line", "lines"))
            }
        }
        (passed(tests.cases))
    };
    page::page(
        &title,
        page::masthead("Tests of policies", None),
        main,
        page::foot(),
    )
}

/// A stroke a case, in their order: whole where it passed, low and open where it failed.
fn bar(cases: &[TestedCase<'_>]) -> Markup {
    let strokes = cases.len().min(STROKES);
    let each = cases.len().div_ceil(strokes.max(1));
    let width = BAR / strokes.max(1) as f64;
    let failed = cases.iter().filter(|case| !case.pass).count();
    html! {
        div class="draw" {
            svg viewBox=(format!("0 0 {BAR:.0} {BAR_HEIGHT:.0}")) role="img" aria-label=(format!("{} cases in order, {failed} of them failed", cases.len())) {
                @for (number, part) in cases.chunks(each).enumerate() {
                    @let bad = part.iter().any(|case| !case.pass);
                    @let x = number as f64 * width;
                    @if bad {
                        rect class="off" x=(format!("{:.2}", x + 0.8)) y="1" width=(format!("{:.2}", (width - 1.6).max(0.6))) height=(format!("{:.0}", BAR_HEIGHT - 2.0)) {}
                    } @else {
                        rect class="on" x=(format!("{x:.2}")) y="8" width=(format!("{:.2}", (width - 1.0).max(0.6))) height=(format!("{:.0}", BAR_HEIGHT - 16.0)) {}
                    }
                }
            }
        }
        p class="legend" {
            span { svg viewBox="0 0 14 14" aria-hidden="true" { rect class="on" x="2" y="4" width="10" height="6" {} } "passed" }
            span { svg viewBox="0 0 14 14" aria-hidden="true" { rect class="off" x="2" y="1" width="10" height="12" {} } "failed" }
            @if each > 1 { span { "A stroke stands for " (each) " cases." } }
        }
    }
}

fn failure(case: &TestedCase<'_>) -> Markup {
    let expected = case.expected.map_or("any", policy::decision);
    html! {
        details open {
            summary {
                span class="grow" { b class="name" { (Clean(case.id)) } " " span class="soft" { (Clean(case.file)) ":" (case.line) } }
                span class="tag bad" { "expected " (expected) ", got " (policy::decision(case.decision)) }
            }
            div class="inside" {
                dl class="pairs" {
                    dt { "May" } dd class="mono" { (Clean(case.principal)) }
                    dt { "do" } dd class="mono" { (Clean(case.action)) }
                    dt { "on" } dd class="mono" { (Clean(case.resource)) }
                    dt { "Because" } dd {
                        @match case.reason {
                            Some(reason) => (Clean(reason)),
                            None => (Clean(&policy::ground(case.decision, case.layer, case.statement))),
                        }
                    }
                    @for atom in case.depends_on { dt { "Depends on" } dd { (Clean(&policy::atom(atom))) } }
                }
            }
        }
    }
}

fn passed(cases: &[TestedCase<'_>]) -> Markup {
    let passed: Vec<&TestedCase<'_>> = cases.iter().filter(|case| case.pass).collect();
    html! {
        @if !passed.is_empty() {
            section class="card part" {
                h2 { "Passed" }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "Case" } th scope="col" { "Answer" } th scope="col" { "Rests on" } th scope="col" { "Place" } } }
                    tbody { @for case in passed.iter().take(ROWS) { tr {
                        td { (Clean(case.id)) }
                        td { (policy::decision(case.decision)) }
                        td { (case.layer.map_or("", policy::layer)) @if let Some(statement) = case.statement { " " code { (Clean(&statement.to_string())) } } }
                        td class="soft" { (Clean(case.file)) ":" (case.line) }
                    } } }
                } }
                (left_out(passed.len(), ROWS, "case", "cases"))
            }
        }
    }
}
