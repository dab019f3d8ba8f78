//! Wallets, for the terminal and the page to lay out.

use portreeve_model::Severity;
use portreeve_wallet::safe::Verification;
use portreeve_wallet::watch::WatchReport;

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

/// What watching came to as a title.
pub(crate) fn watched(report: &WatchReport) -> String {
    let wallets = text::counted(report.wallets, "wallet", "wallets");
    let grave = report
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::High)
        .count() as u64;
    match (report.findings.len() as u64, grave) {
        (0, _) => format!("Nothing happened to {wallets}"),
        (all, 0) => format!(
            "{} about {wallets}, none of them grave",
            text::counted(all, "finding", "findings")
        ),
        (all, grave) => format!(
            "{} about {wallets}, {} grave",
            text::counted(all, "finding", "findings"),
            text::count(grave)
        ),
    }
}
