//! What signers of a Safe were shown and what they signed, drawn over time.

use maud::{Markup, html};
use portreeve_model::{Severity, Timestamp};
use portreeve_wallet::safe::Verification;

use super::ROWS;
use super::incident::left_out;
use super::page::{self, answer};
use super::shape::{Clean, badge, mark, middle};
use crate::text;
use crate::wallet::{lead, verdict};

/// The page: `wallet verify --format html`.
pub fn wallet(verification: &Verification) -> String {
    let title = verdict(verification);
    let wrong: Vec<_> = verification
        .checks
        .iter()
        .filter(|check| check.severity > Severity::Informational)
        .collect();
    let figures = [
        (
            "Transactions",
            text::count(verification.transactions.len() as u64),
        ),
        (
            "Confirmations",
            text::count(verification.signers.len() as u64),
        ),
        (
            "Not as shown",
            text::count(
                verification
                    .signers
                    .iter()
                    .filter(|signer| !signer.matches)
                    .count() as u64,
            ),
        ),
        (
            "First sign",
            verification
                .first_sign
                .map_or_else(|| "none".to_owned(), text::minute),
        ),
    ];
    let about = html! {
        (Clean(&verification.headline)) ". "
        @if let Some(lead) = lead(verification) { b { "The first sign stood " (lead) "." } }
    };
    let main = html! {
        (answer(&title, about, &figures))
        section class="card part" { h2 { "Over time" } (drawn(verification)) }
        @if !wrong.is_empty() {
            section class="card part" { h2 { "What is wrong" }
                div class="scroll" { table {
                    caption { "In order of the time at which it could be known." }
                    thead { tr { th scope="col" { "Severity" } th scope="col" { "Time" } th scope="col" { "What" } th scope="col" { "In words" } } }
                    tbody { @for check in wrong.iter().take(ROWS) { tr {
                        td { (badge(check.severity)) }
                        td class="t" { (check.time.map_or_else(String::new, text::time)) }
                        td class="mono" { (check.id) }
                        td { (Clean(&check.reason)) }
                    } } }
                } }
                (left_out(wrong.len(), ROWS, "check", "checks"))
            }
        }
        section class="card part" { h2 { "What each signer was shown, and what was signed" }
            div class="scroll" { table {
                caption { "A signature is set against the transaction it was filed under, and against all others on its nonce." }
                thead { tr { th scope="col" { "Owner" } th scope="col" { "Time" } th scope="col" { "Kind" } th scope="col" { "Shown" } th scope="col" { "Signed" } } }
                tbody { @for signer in verification.signers.iter().take(ROWS) { tr {
                    td class="mono" { (signer.owner) }
                    td class="t" { (signer.time.map_or_else(String::new, text::time)) }
                    td { (signer.kind) }
                    td { (Clean(&signer.shown)) }
                    td { @if signer.matches { span class="tag good" { "as shown" } } @else { span class="tag bad" { "not as shown" } " " (Clean(&signer.signs)) } }
                } } }
            } }
            (left_out(verification.signers.len(), ROWS, "signer", "signers"))
        }
        section class="card part" { h2 { "Transactions" }
            div class="scroll" { table {
                caption { "Each hash is computed from the fields." }
                thead { tr { th scope="col" { "Safe, nonce" } th scope="col" { "Does" } th scope="col" { "Hash" } th scope="col" { "Carried out" } th scope="col" { "Good signatures of" } } }
                tbody { @for transaction in verification.transactions.iter().take(ROWS) { tr {
                    td class="mono" { (transaction.safe) ", " (transaction.nonce) }
                    td { (Clean(&transaction.does)) }
                    td class="mono" {
                        @if let Some(hash) = transaction.computed_hash { (hash) }
                        @if transaction.stated_hash.is_some() && transaction.stated_hash != transaction.computed_hash { " " span class="tag bad" { "not as stated" } }
                    }
                    td class="t" { (transaction.executed.map_or_else(String::new, text::time)) }
                    td class="mono" { @for owner in &transaction.signed_by { (owner) " " } }
                } } }
            } }
            (left_out(verification.transactions.len(), ROWS, "transaction", "transactions"))
        }
    };
    page::page(
        &title,
        page::masthead("What was signed", None),
        main,
        page::foot(),
    )
}

const LEFT: f64 = 170.0;
const WIDTH: f64 = 760.0;
const ROW: f64 = 26.0;
/// How many rows are drawn.
const DRAWN: usize = 30;

/// A row for each confirmation, with its mark; executions are lines across.
fn drawn(verification: &Verification) -> Markup {
    let signers: Vec<_> = verification
        .signers
        .iter()
        .filter_map(|signer| Some((signer, signer.time?)))
        .take(DRAWN)
        .collect();
    let executed: Vec<Timestamp> = verification
        .transactions
        .iter()
        .filter_map(|transaction| transaction.executed)
        .collect();
    let times = || {
        signers
            .iter()
            .map(|(_, time)| *time)
            .chain(executed.iter().copied())
    };
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return html! { p class="soft" { "Nothing in the file has a time." } };
    };
    let length = (last.as_second() - first.as_second()).max(1) as f64;
    let x = |time: Timestamp| LEFT + (time.as_second() - first.as_second()) as f64 / length * WIDTH;
    let bottom = signers.len() as f64 * ROW + 8.0;
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Confirmations and executions over time" {
            svg viewBox=(format!("0 0 {:.0} {:.0}", LEFT + WIDTH + 20.0, bottom + 36.0)) style=(format!("max-width:{:.0}px;min-width:640px", LEFT + WIDTH + 20.0)) role="img" aria-label="When each confirmation was filed, and when transactions were carried out" {
                @for time in &executed {
                    line class="edge cut" x1=(format!("{:.1}", x(*time))) x2=(format!("{:.1}", x(*time))) y1="2" y2=(format!("{bottom:.1}")) {}
                }
                @for (number, (signer, time)) in signers.iter().enumerate() {
                    @let y = number as f64 * ROW + 14.0;
                    text class="m" x="0" y=(format!("{:.1}", y + 4.0)) font-size="12" { (middle(&signer.owner.to_string(), 17)) }
                    line class="grid" x1=(LEFT) x2=(LEFT + WIDTH) y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
                    @let severity = if signer.matches { Severity::Informational } else { Severity::Critical };
                    g class=(severity.as_str()) { (mark(severity, x(*time), y, 5.0)) }
                }
                text class="s" x=(LEFT) y=(format!("{:.1}", bottom + 22.0)) font-size="11" { (text::time(first)) }
                text class="s" x=(LEFT + WIDTH) y=(format!("{:.1}", bottom + 22.0)) font-size="11" text-anchor="end" { (text::time(last)) }
            }
        }
        p class="soft small" { "Diamond: a signature that is not for what was shown. Line: carried out." }
    }
}
