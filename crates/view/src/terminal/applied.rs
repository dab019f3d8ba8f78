use super::page::{FAINT, GOOD, PLAIN, Page, STRONG, SUSPECT, Span, faint, plain};
use crate::applied::{Applied, AppliedChange, Mark};
use crate::text;

/// The changes of a plan, each with what goes and what comes.
pub(super) fn applied(page: &mut Page, applied: &Applied) {
    let count = text::counted(applied.changes.len() as u64, "change", "changes");
    let verb = if applied.undo { " to take back" } else { "" };
    page.spans(
        0,
        &[
            Span(STRONG, format!("{count}{verb}")),
            plain(", digest "),
            Span(STRONG, applied.digest.clone()),
        ],
    );
    for change in &applied.changes {
        page.gap();
        one(page, change);
    }
}

/// One change.
pub(super) fn one(page: &mut Page, change: &AppliedChange) {
    let mut head = vec![
        Span(STRONG, format!("{}  ", change.id)),
        plain(&change.target),
    ];
    if let Some(account) = &change.account {
        head.push(faint(format!("  account {account}")));
    }
    if let Some(ending) = &change.ending {
        head.push(Span(GOOD, format!("  {ending}")));
    }
    page.spans(2, &head);
    for title in &change.titles {
        page.spans(2, &[plain(format!("  {title}"))]);
    }
    for (mark, line) in change.lines() {
        let (sign, style) = match mark {
            Mark::Out => ("- ", SUSPECT),
            Mark::In => ("+ ", GOOD),
            Mark::Stays => ("  ", FAINT),
        };
        let line = Span(style, format!("{sign}{line}"));
        page.spans(8, &[Span(PLAIN, "    ".into()), line]);
    }
}
