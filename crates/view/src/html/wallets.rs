//! What happened to wallets, as tables.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use maud::{Markup, html};
use portreeve_incident::{WalletEvent, WalletStory};

use super::incident::left_out;
use super::live::address;
use super::shape::Clean;
use crate::text;

/// Where wallets are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file, which has room for many events.
    File,
    /// On a page of the watch, which leads to the wallet in the graph.
    Screen,
}

/// A section for each wallet, with its events in order of time: as many as the place has room for.
pub(super) fn sections(wallets: &[WalletStory], place: Place) -> Markup {
    let rows = match place {
        Place::File => 200,
        Place::Screen => 5,
    };
    html! {
        @for story in wallets {
            section {
                h3 { "Wallet " (Clean(&story.wallet)) }
                p class="soft small mono" {
                    @if place == Place::Screen && !story.id.is_empty() { a href={ "/estate?q=" (address(&story.id)) } { (Clean(&story.address)) } }
                    @else { (Clean(&story.address)) }
                }
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
                        @for event in gravest(&story.events, rows) { tr {
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
                (left_out(story.events.len(), rows, "event", "events"))
            }
        }
    }
}

/// So many events in their own order: the first of each kind, the gravest and losses before others.
fn gravest(events: &[WalletEvent], most: usize) -> Vec<&WalletEvent> {
    let mut kinds = BTreeSet::new();
    let mut ranked: Vec<(bool, usize, &WalletEvent)> = events
        .iter()
        .enumerate()
        .map(|(place, event)| (!kinds.insert(event.rule.as_str()), place, event))
        .collect();
    ranked.sort_by_key(|(is_again, _, event)| (*is_again, Reverse((event.severity, event.loss))));
    ranked.truncate(most);
    ranked.sort_by_key(|(_, place, _)| *place);
    ranked.into_iter().map(|(.., event)| event).collect()
}

#[cfg(test)]
mod tests {
    use portreeve_model::Severity;

    use super::*;

    fn event(rule: &str, severity: Severity, loss: bool) -> WalletEvent {
        WalletEvent {
            time: None,
            rule: rule.to_owned(),
            severity,
            reason: String::new(),
            block: None,
            hash: None,
            loss,
        }
    }

    #[test]
    fn each_kind_and_the_gravest_come_first() {
        let events = [
            event("low", Severity::Low, false),
            event("critical", Severity::Critical, false),
            event("critical", Severity::Critical, false),
            event("high", Severity::High, false),
            event("lost", Severity::High, true),
        ];
        let rules = |most: usize| -> Vec<String> {
            let told = gravest(&events, most).into_iter();
            told.map(|event| event.rule.clone()).collect()
        };
        assert_eq!(rules(2), ["critical", "lost"]);
        assert_eq!(rules(4), ["low", "critical", "high", "lost"]);
        assert_eq!(rules(9).len(), 5);
    }
}
