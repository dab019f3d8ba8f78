use portreeve_incident::WalletStory;

use super::page::{self, PLAIN, Page, STRONG, Span, faint, plain};
use super::{Options, left_out};
use crate::text;

/// What happened to wallets.
pub(super) fn write(page: &mut Page, wallets: &[WalletStory], options: &Options) {
    for story in wallets {
        page.heading(&format!("Wallet {}", text::clean(&story.wallet)));
        page.spans(2, &[faint(format!("  {}", text::clean(&story.address)))]);
        for tie in &story.ties {
            let time = tie.time.map_or("no time".to_owned(), text::minute);
            page.spans(
                4,
                &[plain(format!(
                    "  {time} UTC  {} by {} on {} ({})",
                    text::clean(&tie.action),
                    text::clean(&tie.actor),
                    text::clean(&tie.target),
                    tie.certainty.as_str()
                ))],
            );
        }
        let shown = options.list.unwrap_or(story.events.len());
        for event in story.events.iter().take(shown) {
            let time = event.time.map_or("no time".to_owned(), text::time);
            page.spans(
                4,
                &[
                    Span(
                        if event.loss { STRONG } else { PLAIN },
                        format!("  {time} UTC  "),
                    ),
                    Span(
                        page::severity(event.severity),
                        event.severity.as_str().to_owned(),
                    ),
                    plain(format!("  {}", text::clean(&event.reason))),
                    faint(format!("  {}", text::clean(&event.rule))),
                ],
            );
        }
        let more = story.events.len().saturating_sub(shown);
        left_out(page, more as u64, "event", "events", options);
        for lead in &story.before_loss {
            page.spans(
                4,
                &[
                    Span(
                        STRONG,
                        format!("  {} before money left: ", text::span(lead.seconds)),
                    ),
                    plain(format!(
                        "{} ({} UTC)",
                        text::clean(&lead.what),
                        text::minute(lead.time)
                    )),
                ],
            );
        }
    }
}
