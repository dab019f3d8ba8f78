use super::page::{FAINT, GOOD, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
use crate::collected::Collected;
use crate::text;

/// How many places of a refused call are named.
const PLACES: usize = 3;

/// What was read, in numbers, and what was not, by name.
pub(super) fn collected(page: &mut Page, collected: &Collected, options: &Options) {
    let style = if collected.headline().ends_with("whole") {
        GOOD
    } else {
        SUSPECT
    };
    page.spans(
        0,
        &[
            Span(style.bold(), collected.headline()),
            plain(": "),
            Span(
                STRONG,
                text::counted(collected.accounts.len() as u64, "account", "accounts"),
            ),
            plain(format!(
                ", {}, {}",
                text::counted(collected.parts() as u64, "part", "parts"),
                text::counted(collected.calls, "call", "calls")
            )),
            faint(format!("  by {}", collected.caller)),
        ],
    );
    if let Some(stopped) = &collected.stopped {
        page.spans(0, &[Span(SUSPECT, stopped.clone())]);
    }
    page.heading("Read");
    for surface in &collected.surfaces {
        let mut spans = vec![
            plain(format!("{}: ", surface.title)),
            Span(GOOD, format!("{} whole", text::count(surface.whole as u64))),
        ];
        if surface.partly > 0 {
            let partly = format!("{} in part", text::count(surface.partly as u64));
            spans.extend([plain(", "), Span(SUSPECT, partly)]);
        }
        if surface.kept > 0 {
            let kept = format!(
                " ({} from an earlier run)",
                text::count(surface.kept as u64)
            );
            spans.push(Span(FAINT, kept));
        }
        page.spans(2, &spans);
    }
    if !collected.unreachable.is_empty() || !collected.refused.is_empty() {
        page.heading("Not seen");
    }
    for (account, why) in &collected.unreachable {
        let account = Span(SUSPECT, format!("all of account {account}"));
        page.spans(2, &[account, plain(format!(": {why}"))]);
    }
    let most = options.list.unwrap_or(usize::MAX);
    for call in collected.refused.iter().take(most) {
        let named = call.places.get(..PLACES).unwrap_or(&call.places).join(", ");
        let more = call.places.len().saturating_sub(PLACES);
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        page.spans(
            2,
            &[
                Span(SUSPECT, call.action.clone()),
                plain(format!(
                    " {} in {named}{more}: {}",
                    call.code,
                    text::counted(call.count, "call", "calls")
                )),
                faint(format!("  {}", call.message)),
            ],
        );
    }
    left_out(
        page,
        collected.refused.len().saturating_sub(most) as u64,
        "refused call",
        "refused calls",
        options,
    );
    page.heading("Next");
    page.command(&format!("portreeve paths {}", collected.folder));
}
