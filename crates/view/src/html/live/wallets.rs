//! Wallets: who signs for each, who reaches it, what was seen of it.

use maud::{Markup, html};
use portreeve_incident::{WalletStanding, WalletStory};
use portreeve_model::{EntityId, Severity};

use super::super::Page;
use super::super::incident::{left_out, response};
use super::super::page::answer;
use super::super::parts::{Parts, SCREEN};
use super::super::shape::{Clean, badge};
use super::super::wallets;
use super::foot;
use super::today::address;
use crate::{name, text};

/// How many keys of a wallet are named.
const KEYS: usize = 3;

/// How many wallets are told of with what was seen of them.
const STORIES: usize = 12;

/// The page. `apart` is what was seen of wallets that no incident tells of.
pub fn wallets(standings: &[WalletStanding], apart: &[WalletStory], parts: Parts<'_>) -> Page {
    let grave = |one: &&WalletStanding| one.severity.is_some_and(|it| it >= Severity::High);
    let grave = standings.iter().filter(grave).count();
    let open = standings.iter().filter(|one| one.open > 0).count();
    let all = text::counted(standings.len() as u64, "wallet", "wallets");
    let title = match (standings.len(), grave) {
        (0, _) => "No wallet is known".to_owned(),
        (_, 0) => format!("Nothing grave was seen of {all}"),
        (_, grave) => format!(
            "Of {all} {} in danger",
            match grave {
                1 => "1 is".to_owned(),
                more => format!("{more} are"),
            }
        ),
    };
    let about = html! {
        "What is gravest comes first, then what most reach. "
        "A wallet is reached by whoever can have its key sign; a Safe, by whoever can have as many owners' keys sign as must."
    };
    let apart_count = standings
        .iter()
        .filter(|one| one.findings > 0 && one.incident.is_none())
        .count();
    let figures = [
        ("Wallets", text::count(standings.len() as u64)),
        ("In danger", text::count(grave as u64)),
        ("Reached openly", text::count(open as u64)),
        ("Without an incident", text::count(apart_count as u64)),
    ];
    let main = html! {
        (answer(&title, about, &figures))
        @if standings.is_empty() {
            p class="soft" { "The wallet policy names wallets, and the public keys of the key management service tell their addresses." }
        } @else {
            section class="card part" id="wallets" {
                h2 { "Wallets" }
                (table(parts.rows("wallets", standings, SCREEN)))
                (parts.more("wallets", standings.len(), SCREEN, "wallet", "wallets"))
            }
        }
        @if !apart.is_empty() {
            section class="card part" id="seen" {
                h2 { "Seen without an incident" }
                p class="soft" { "No known intrusion leads to what was seen of them." }
                @for story in parts.rows("seen", apart, STORIES) { (told(story)) }
                (parts.more("seen", apart.len(), STORIES, "wallet", "wallets"))
            }
        }
        (reached(standings))
    };
    Page {
        title,
        what: html! {},
        main,
        foot: foot(),
    }
}

fn table(standings: &[WalletStanding]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Wallets" { table {
            caption { "Who signs for each wallet, how many reach it, and what was seen of it." }
            thead { tr {
                th scope="col" { "Wallet" } th scope="col" { "Role" } th scope="col" { "Signed for by" }
                th scope="col" class="n" { "Reached by" } th scope="col" class="n" { "Findings" } th scope="col" { "Gravest" } th scope="col" { "Incident" }
            } }
            tbody { @for one in standings { tr {
                td {
                    a href={ "/estate?q=" (address(one.id.as_str())) } { (Clean(called(one))) }
                    div class="small soft mono" { (Clean(&one.address)) }
                    @if let Some(chain) = one.chain { div class="small soft" { "chain " (chain) } }
                }
                td { (Clean(&one.role)) }
                td { (signed(one)) }
                td class="n" { (text::count(one.reached_by as u64)) @if one.open > 0 { div class="small soft" { (text::count(one.open as u64)) " openly" } } }
                td class="n" { (text::count(one.findings as u64)) }
                td {
                    @if let Some(severity) = one.severity { (badge(severity)) }
                    @if let Some(reason) = &one.reason { div class="small" { (Clean(reason)) } }
                }
                td {
                    @match &one.incident {
                        Some(incident) => a href={ "/incidents/" (address(incident)) } { "its story" },
                        None if one.findings > 0 => a href={ "#" (anchor(&one.address)) } { "none: below" },
                        None => "",
                    }
                }
            } } }
        } }
    }
}

fn called(one: &WalletStanding) -> &str {
    one.name.as_deref().unwrap_or("no name")
}

/// Where what was seen of a wallet stands on the page.
fn anchor(address: &str) -> String {
    format!("seen-{}", address.to_ascii_lowercase())
}

fn signed(one: &WalletStanding) -> Markup {
    let key = |key: &EntityId| html! { a href={ "/estate?q=" (address(key.as_str())) } title=(text::clean(key.as_str())) { (Clean(name::short(key.as_str()))) } };
    html! {
        @if one.owners > 0 {
            @match one.threshold {
                Some(needed) => div { (needed) " of " (text::counted(one.owners, "owner", "owners")) },
                None => div { "some of " (text::counted(one.owners, "owner", "owners")) },
            }
        }
        @for one in one.keys.iter().take(KEYS) { div class="small" { (key(one)) } }
        (left_out(one.keys.len(), KEYS, "key", "keys"))
        @if one.keys.is_empty() { div class="small soft" { "no key of the estate" } }
    }
}

/// What was seen of a wallet, and what to do first.
fn told(story: &WalletStory) -> Markup {
    html! {
        div id=(anchor(&story.address)) {
            (wallets::sections(std::slice::from_ref(story), wallets::Place::Screen))
            @if !story.response.is_empty() {
                h4 { "What to do first" }
                (response(&story.response))
            }
        }
    }
}

/// Wallets that are reached without a condition: by what is told where they are looked at, and cut by
/// one command.
fn reached(standings: &[WalletStanding]) -> Markup {
    let open: Vec<&WalletStanding> = standings.iter().filter(|one| one.open > 0).collect();
    html! {
        @if !open.is_empty() {
            section class="card part" id="reached" {
                h2 { "Reached without a condition" }
                ol class="response" { @for one in open.iter().take(STORIES) { li { div {
                    h4 { (Clean(called(one))) ": " (text::counted(one.open as u64, "principal", "principals")) }
                    p class="soft" { a href={ "/estate?q=" (address(one.id.as_str())) } { "Who, and on which ways" } ". The smallest change that leaves none:" }
                    pre { code { "portreeve cut INVENTORY --to " (Clean(one.id.as_str())) } }
                } } } }
                (left_out(open.len(), STORIES, "wallet", "wallets"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Asked;
    use super::*;

    fn standing(number: u8) -> WalletStanding {
        let address = format!("0x{:040x}", number);
        WalletStanding {
            id: format!("eip155:1:{address}").into(),
            address,
            chain: Some(1),
            name: Some(format!("vault <{number}>")),
            role: "cold".to_owned(),
            keys: vec!["arn:aws:kms:eu-west-1:111122223333:key/k-1".into()],
            owners: 3,
            threshold: Some(2),
            reached_by: 4,
            open: 1,
            findings: 1,
            severity: Some(Severity::High),
            reason: Some("an owner signed what was not shown".to_owned()),
            first_sign: None,
            incident: None,
            response: Vec::new(),
        }
    }

    #[test]
    fn a_long_list_is_told_part_by_part_and_escaped() {
        let all: Vec<WalletStanding> = (0..90).map(standing).collect();
        let asked = Asked::from([("wallets".to_owned(), 2)]);
        let page = wallets(&all, &[], Parts::screen(&asked));
        let text = page.main.into_string();
        assert!(text.contains("vault &lt;41&gt;") && !text.contains("vault &lt;81&gt;"));
        assert!(text.contains("2 of 3 owners") && text.contains("?wallets=3#wallets"));
        assert!(text.len() < 90_000, "{}", text.len());
        assert_eq!(page.title, "Of 90 wallets 90 are in danger");
        let none = wallets(&[], &[], Parts::screen(&Asked::new()));
        assert_eq!(none.title, "No wallet is known");
    }
}
