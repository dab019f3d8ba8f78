//! What happened to wallets, as tables.

use maud::{Markup, html};
use portreeve_incident::WalletStory;

use super::incident::left_out;
use super::shape::Clean;
use crate::text;

const ROWS: usize = 200;

/// A section for each wallet.
pub(super) fn sections(wallets: &[WalletStory]) -> Markup {
    html! {
        @for story in wallets {
            section {
                h3 { "Wallet " (Clean(&story.wallet)) }
                p class="soft small mono" { (Clean(&story.address)) }
                @if !story.before_loss.is_empty() {
                    ul { @for lead in &story.before_loss {
                        li { b { (text::span(lead.seconds)) } " before money left: " (Clean(&lead.what)) " (" span class="t" { (text::minute(lead.time)) } " UTC)" }
                    } }
                }
                div class="scroll" { table {
                    caption { "What leads there from the intrusion, and what was seen of the wallet" }
                    thead { tr { th scope="col" { "Time" } th scope="col" { "Severity" } th scope="col" { "What" } th scope="col" { "Where" } } }
                    tbody {
                        @for tie in &story.ties { tr {
                            td class="t" { (tie.time.map_or("no time".to_owned(), text::minute)) }
                            td { span class="tag" { (tie.certainty.as_str()) } }
                            td { (Clean(&tie.actor)) " called " span class="mono" { (Clean(&tie.action)) } }
                            td class="mono" { (Clean(&tie.target)) }
                        } }
                        @for event in story.events.iter().take(ROWS) { tr {
                            td class="t" { (event.time.map_or("no time".to_owned(), text::time)) }
                            td { span class=(if event.loss { "tag bad" } else { "tag" }) { (event.severity.as_str()) } }
                            td { (Clean(&event.reason)) br; span class="soft mono" { (Clean(&event.rule)) } }
                            td class="mono" {
                                @if let Some((chain, block)) = event.block { "chain " (chain) ", block " (block) br; }
                                @if let Some(hash) = &event.hash { (Clean(hash)) }
                            }
                        } }
                    }
                } }
                (left_out(story.events.len(), ROWS, "event", "events"))
            }
        }
    }
}
