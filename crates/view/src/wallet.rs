//! Wallets, for the terminal and the page to lay out.

use portreeve_wallet::safe::Verification;

use crate::text;

/// The verdict as a title.
pub(crate) fn verdict(verification: &Verification) -> String {
    match verification.verdict {
        "clean" => "Clean: what was signed is what was shown".to_owned(),
        grave => format!("Verdict: {grave}"),
    }
}

/// How long before the execution the first sign stood.
pub(crate) fn lead(verification: &Verification) -> Option<String> {
    let seconds = verification.lead_seconds?;
    let executed = verification.executed?;
    Some(format!(
        "{} before {} UTC",
        text::span(seconds),
        text::time(executed)
    ))
}
