//! Why a rule matches a record, or does not.

use portreeve_sigma::{Explained, Verdict};

use super::page::{GOOD, Page, STRONG, SUSPECT, Span, faint, plain};

pub(super) fn write(page: &mut Page, title: &str, explained: &Explained) {
    let answer = match explained.verdict {
        Verdict::Yes => "matches",
        Verdict::No => "does not match",
        Verdict::Unknown => "may match: it asks for what is not known",
    };
    page.spans(0, &[Span(STRONG, format!("{title}: {answer}."))]);
    part(page, explained, 1);
}

fn part(page: &mut Page, explained: &Explained, depth: usize) {
    let (mark, style) = match explained.verdict {
        Verdict::Yes => ("yes    ", GOOD),
        Verdict::No => ("no     ", SUSPECT),
        Verdict::Unknown => ("unknown", SUSPECT),
    };
    let mut line = vec![
        plain("  ".repeat(depth)),
        Span(style, mark.to_owned()),
        plain(format!("  {}", explained.asks)),
    ];
    if explained.is_predicate {
        line.push(faint(match explained.values.as_slice() {
            [] => "  the record has no such field".to_owned(),
            values => format!("  the record has {}", values.join(", ")),
        }));
    }
    page.spans(2 * depth + 9, &line);
    for inner in &explained.parts {
        part(page, inner, depth + 1);
    }
}
