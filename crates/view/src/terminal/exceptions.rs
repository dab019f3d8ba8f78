use portreeve_incident::{ExceptionState, ExceptionUse};

use super::page::{GOOD, PLAIN, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
use crate::text;

/// The exceptions in use, and what each did.
pub(super) fn write(page: &mut Page, uses: &[ExceptionUse], options: &Options) {
    if uses.is_empty() {
        return;
    }
    let muted = uses.iter().map(|one| one.muted).sum();
    page.heading(&format!(
        "Exceptions ({}, {} muted)",
        text::count(uses.len() as u64),
        text::counted(muted, "finding", "findings")
    ));
    let shown = options.list.unwrap_or(uses.len()).min(uses.len());
    for one in uses.iter().take(shown) {
        let style = match one.state {
            ExceptionState::Active => GOOD,
            ExceptionState::Expired => SUSPECT,
            ExceptionState::Unused | ExceptionState::Upcoming => PLAIN,
        };
        let state = one.state.as_str();
        page.spans(
            14,
            &[
                plain("  "),
                Span(style, state.to_owned()),
                plain(" ".repeat(12usize.saturating_sub(state.len()))),
                Span(STRONG, one.id.clone()),
                plain(format!("  {} muted", text::count(one.muted))),
                faint(format!("  {}", one.scope.join(" "))),
            ],
        );
        page.spans(
            14,
            &[faint(format!(
                "              {} ({}, {}), until {}",
                one.reason,
                one.owner,
                one.ticket,
                text::minute(one.expires)
            ))],
        );
    }
    let more = (uses.len() - shown) as u64;
    left_out(page, more, "exception", "exceptions", options);
}
