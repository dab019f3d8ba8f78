//! What signers of a Safe were shown, and what they signed.

use portreeve_model::Severity;
use portreeve_wallet::safe::{Check, SignerReport, TransactionReport, Verification};

use super::page::{self, GOOD, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
use crate::text;
use crate::wallet::{lead, verdict};

pub(super) fn write(page: &mut Page, verification: &Verification, options: &Options) {
    page.spans(0, &[Span(STRONG, verdict(verification))]);
    page.spans(0, &[plain(verification.headline.clone())]);
    if let Some(first) = verification.first_sign {
        page.field(
            "first sign",
            vec![plain(format!("{} UTC", text::time(first)))],
        );
    }
    if let Some(lead) = lead(verification) {
        page.field("lead", vec![Span(SUSPECT, lead)]);
    }
    checks(page, &verification.checks, options);
    page.heading("Transactions");
    let shown = options
        .list
        .unwrap_or(verification.transactions.len())
        .min(verification.transactions.len());
    for transaction in verification.transactions.iter().take(shown) {
        one_transaction(page, transaction);
    }
    left_out(
        page,
        (verification.transactions.len() - shown) as u64,
        "transaction",
        "transactions",
        options,
    );
    if !verification.signers.is_empty() {
        page.heading("What each signer was shown, and what was signed");
        let shown = options
            .list
            .unwrap_or(verification.signers.len())
            .min(verification.signers.len());
        for signer in verification.signers.iter().take(shown) {
            one_signer(page, signer);
        }
        left_out(
            page,
            (verification.signers.len() - shown) as u64,
            "signer",
            "signers",
            options,
        );
    }
}

/// What was looked at and found wrong; what was found right is in JSON.
fn checks(page: &mut Page, checks: &[Check], options: &Options) {
    let wrong: Vec<&Check> = checks
        .iter()
        .filter(|check| check.severity > Severity::Informational)
        .collect();
    if wrong.is_empty() {
        return;
    }
    page.heading("What is wrong");
    let shown = options.list.unwrap_or(wrong.len()).min(wrong.len());
    for check in wrong.iter().take(shown) {
        let time = check
            .time
            .map_or_else(|| "at no known time".to_owned(), text::time);
        page.spans(
            4,
            &[
                plain("  "),
                Span(page::severity(check.severity), check.severity.to_string()),
                faint(format!("  {time}  {}", check.id)),
            ],
        );
        page.spans(4, &[plain(format!("    {}", check.reason))]);
    }
    left_out(
        page,
        (wrong.len() - shown) as u64,
        "check",
        "checks",
        options,
    );
}

fn one_transaction(page: &mut Page, transaction: &TransactionReport) {
    let state = match transaction.executed {
        Some(time) => format!("carried out {}", text::time(time)),
        None => "not carried out".to_owned(),
    };
    page.spans(
        4,
        &[
            Span(STRONG, format!("  nonce {}", transaction.nonce)),
            faint(format!("  {state}, {}", transaction.safe)),
        ],
    );
    page.spans(4, &[plain(format!("    {}", transaction.does))]);
    let hash = |hash: Option<_>| {
        hash.map_or_else(
            || "not known".to_owned(),
            |hash: portreeve_wallet::B256| hash.to_string(),
        )
    };
    let agrees = transaction.computed_hash == transaction.stated_hash;
    let stated = match (transaction.stated_hash, transaction.computed_hash) {
        (Some(_), Some(_)) if agrees => Span(GOOD, ", as stated".to_owned()),
        (Some(stated), _) => Span(SUSPECT, format!(", stated {stated}")),
        (None, _) => faint(""),
    };
    page.spans(
        4,
        &[
            faint("    hash "),
            plain(hash(transaction.computed_hash)),
            stated,
        ],
    );
    if !transaction.signed_by.is_empty() {
        let signers: Vec<String> = transaction
            .signed_by
            .iter()
            .map(ToString::to_string)
            .collect();
        page.spans(
            4,
            &[faint("    good signatures of "), plain(signers.join(", "))],
        );
    }
}

fn one_signer(page: &mut Page, signer: &SignerReport) {
    let time = signer
        .time
        .map_or_else(|| "at no known time".to_owned(), text::time);
    let mark = if signer.matches {
        Span(GOOD, "as shown".to_owned())
    } else {
        Span(page::severity(Severity::High), "not as shown".to_owned())
    };
    page.spans(
        4,
        &[
            Span(STRONG, format!("  {}", signer.owner)),
            faint(format!("  {time}, {}  ", signer.kind)),
            mark,
        ],
    );
    page.spans(11, &[faint("    shown  "), plain(signer.shown.clone())]);
    if !signer.matches {
        page.spans(11, &[faint("    signed "), plain(signer.signs.clone())]);
    }
}
