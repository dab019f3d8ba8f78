//! What happened to wallets on a chain.

use portreeve_wallet::contain::Step;
use portreeve_wallet::watch::WatchReport;

use super::page::{self, Page, STRONG, Span, faint, plain};
use super::{Options, left_out};
use crate::text;
use crate::wallet::watched;

pub(super) fn write(page: &mut Page, report: &WatchReport, options: &Options) {
    page.spans(0, &[Span(STRONG, watched(report))]);
    if let (Some(first), Some(last)) = (report.first, report.last) {
        let blocks = text::counted(report.blocks, "block", "blocks");
        page.field(
            "seen",
            vec![plain(format!(
                "{blocks}, {} to {} UTC",
                text::time(first),
                text::time(last)
            ))],
        );
    }
    let shown = options
        .list
        .unwrap_or(report.findings.len())
        .min(report.findings.len());
    for finding in report.findings.iter().take(shown) {
        page.gap();
        page.spans(
            2,
            &[
                Span(
                    page::severity(finding.severity),
                    finding.severity.to_string(),
                ),
                Span(STRONG, format!("  {}", finding.title)),
            ],
        );
        page.spans(
            2,
            &[plain(format!(
                "  {}: {}",
                finding.wallet_name, finding.reason
            ))],
        );
        let transaction = finding
            .transaction
            .map_or_else(String::new, |hash| format!(", transaction {hash}"));
        page.spans(
            2,
            &[faint(format!(
                "  {} UTC, block {} of chain {}{transaction}",
                text::time(finding.time),
                finding.block,
                finding.chain
            ))],
        );
        page.spans(2, &[faint(format!("  {}", finding.rule))]);
    }
    left_out(
        page,
        (report.findings.len() - shown) as u64,
        "finding",
        "findings",
        options,
    );
    if !report.response.is_empty() {
        page.heading("What to do first");
        for (number, step) in report.response.iter().enumerate() {
            one_step(page, number + 1, step);
        }
    }
    if !report.notices.is_empty() {
        page.heading("The chain itself");
        let shown = options
            .list
            .unwrap_or(report.notices.len())
            .min(report.notices.len());
        for notice in report.notices.iter().take(shown) {
            page.spans(4, &[plain(format!("  {notice}"))]);
        }
        left_out(
            page,
            (report.notices.len() - shown) as u64,
            "notice",
            "notices",
            options,
        );
    }
    page.heading("What could not be seen");
    let shown = options
        .list
        .unwrap_or(report.blind_spots.len())
        .min(report.blind_spots.len());
    for spot in report.blind_spots.iter().take(shown) {
        page.spans(4, &[plain(format!("  {spot}"))]);
    }
    left_out(
        page,
        (report.blind_spots.len() - shown) as u64,
        "blind spot",
        "blind spots",
        options,
    );
}

fn one_step(page: &mut Page, number: usize, step: &Step) {
    page.spans(5, &[plain(format!("  {number}. {}", step.text))]);
    if let Some(command) = &step.command {
        page.command(command);
    }
    if let Some(transaction) = &step.transaction {
        let from = transaction
            .from
            .map_or_else(String::new, |from| format!("from {from} "));
        page.spans(
            5,
            &[faint(format!(
                "     unsigned: {from}to {}, data",
                transaction.to
            ))],
        );
        page.command(&transaction.data.to_string());
    }
}
