//! Findings of one kind in a list, for the terminal and the page to lay out: the signing ledger, and
//! what is served against what was built.

use portreeve_model::{Severity, Timestamp};
use portreeve_wallet::bundle::BundleReport;
use portreeve_wallet::ledger::LedgerReport;

use crate::text;

/// What is laid out.
pub(crate) struct Listing {
    /// What kind of page it is.
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    pub(crate) figures: Vec<(String, String)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) blind_spots: Vec<String>,
}

/// One finding.
pub(crate) struct Row {
    pub(crate) severity: Severity,
    pub(crate) what: &'static str,
    pub(crate) subject: String,
    pub(crate) time: Option<Timestamp>,
    pub(crate) reason: String,
}

pub(crate) fn of_ledger(report: &LedgerReport) -> Listing {
    let found = report.findings.len() as u64;
    Listing {
        kind: "The signing ledger",
        title: match found {
            0 => "Every signature and every spend is explained".to_owned(),
            found => format!(
                "{} without an explanation",
                text::counted(found, "signature or spend is", "signatures and spends are")
            ),
        },
        figures: report
            .keys
            .iter()
            .map(|key| {
                let missing = match key.missing_nonces {
                    0 => String::new(),
                    missing => format!(
                        "; {} were not seen",
                        text::counted(missing, "transaction", "transactions")
                    ),
                };
                let name = key
                    .wallet
                    .clone()
                    .unwrap_or_else(|| key.address.to_string());
                let figures = format!(
                    "{} of {} signatures requested, {} of {} spends signed{missing}",
                    text::count(key.requested),
                    text::count(key.signatures),
                    text::count(key.signed),
                    text::count(key.spends)
                );
                (name, figures)
            })
            .collect(),
        rows: report
            .findings
            .iter()
            .map(|finding| Row {
                severity: finding.severity,
                what: finding.id,
                subject: finding.key.clone(),
                time: finding.time,
                reason: format!("{} ({})", finding.reason, serde_word(&finding.certainty)),
            })
            .collect(),
        blind_spots: report.blind_spots.clone(),
    }
}

pub(crate) fn of_bundle(report: &BundleReport) -> Listing {
    Listing {
        kind: "The page that signers trust",
        title: match report.verdict {
            "clean" => "What is served is what was built".to_owned(),
            grave => format!("What is served is not what was built: {grave}"),
        },
        figures: vec![(
            "as built".to_owned(),
            format!(
                "{} of {}",
                text::count(report.as_built),
                text::counted(report.files, "file", "files")
            ),
        )],
        rows: report
            .findings
            .iter()
            .map(|finding| Row {
                severity: finding.severity,
                what: finding.id,
                subject: finding.name.clone(),
                time: finding.time,
                reason: finding.reason.clone(),
            })
            .collect(),
        blind_spots: report.blind_spots.clone(),
    }
}

/// The word that machines read.
fn serde_word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
