use super::page::{FAINT, GOOD, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
use crate::policy::{self, PolicyTests, TestedCase};
use crate::text;

/// The failures of a run, each with what decided it, and the run in numbers.
pub(super) fn tests(page: &mut Page, tests: &PolicyTests<'_>, options: &Options) {
    let failures: Vec<&TestedCase<'_>> = tests.cases.iter().filter(|case| !case.pass).collect();
    let most = options.list.unwrap_or(usize::MAX);
    for case in failures.iter().take(most) {
        failure(page, case);
    }
    left_out(
        page,
        failures.len().saturating_sub(most) as u64,
        "failure",
        "failures",
        options,
    );
    let unread = tests.unread.iter();
    for line in unread.take(most) {
        page.spans(
            4,
            &[
                Span(SUSPECT, "unread  ".into()),
                plain(format!("{}:{}  ", line.file, line.line)),
                plain(line.reason),
            ],
        );
    }
    left_out(
        page,
        tests.unread.len().saturating_sub(most) as u64,
        "line that could not be read",
        "lines that could not be read",
        options,
    );
    let counts = tests.counts();
    page.gap();
    let mut spans = vec![
        Span(STRONG, text::counted(counts.cases as u64, "case", "cases")),
        plain(format!(" in {:.2} s: ", counts.seconds)),
        Span(
            GOOD,
            format!("{} passed", text::count(counts.passed as u64)),
        ),
    ];
    let failed = format!("{} failed", text::count(counts.failed as u64));
    let style = if counts.failed > 0 { SUSPECT } else { FAINT };
    spans.extend([plain(", "), Span(style, failed)]);
    if counts.unread > 0 {
        let unread = text::counted(counts.unread as u64, "line", "lines");
        spans.extend([plain(", "), Span(SUSPECT, format!("{unread} not read"))]);
    }
    page.spans(0, &spans);
}

fn failure(page: &mut Page, case: &TestedCase<'_>) {
    let expected = case.expected.map_or("any", policy::decision);
    page.spans(
        8,
        &[
            Span(SUSPECT, "FAILED  ".into()),
            Span(STRONG, case.id.into()),
            faint(format!("  {}:{}", case.file, case.line)),
        ],
    );
    page.spans(
        10,
        &[plain(format!(
            "        expected {expected}, got {}",
            policy::decision(case.decision)
        ))],
    );
    let asked = [case.action, case.resource, case.principal];
    if asked.iter().any(|part| !part.is_empty()) {
        let [action, resource, principal] = asked;
        page.spans(
            10,
            &[faint(format!(
                "        {action} on {resource} by {principal}"
            ))],
        );
    }
    let mut lines = Vec::new();
    match case.reason {
        Some(reason) => lines.push(reason.to_owned()),
        None => lines.push(policy::ground(case.decision, case.layer, case.statement)),
    }
    lines.extend(case.depends_on.iter().map(policy::atom));
    for line in lines {
        page.spans(10, &[plain(format!("        {line}"))]);
    }
    page.gap();
}
