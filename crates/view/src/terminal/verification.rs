//! What digests prove of log files.

use std::collections::BTreeMap;

use portreeve_evidence::{Chain, EvidenceHole, KeyUse, Verification};
use portreeve_incident::Incident;
use portreeve_model::{Proof, Severity};

use super::incident::period;
use super::page::{self, GOOD, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
use crate::text;
use crate::verification::{Verified, place, short, worded};

pub(super) fn write(page: &mut Page, verified: &Verified<'_>, options: &Options) {
    let verification = verified.verification;
    let counts = verified.counts();
    page.spans(0, &[Span(STRONG, verified.title())]);
    page.field("log files", vec![plain(worded(&counts.logs))]);
    page.field("digests", vec![plain(worded(&counts.digests))]);
    keys(page, &verification.keys);
    holes(page, &verification.holes, options);
    chains(page, &verification.chains, options);
    moved(page, verification, options);
    doubtful(page, verification, options);
    if !verified.dead_letters.is_empty() {
        page.heading("Not readable");
        let total = verified.dead_letters.len();
        let shown = options.list.unwrap_or(total).min(total);
        for letter in verified.dead_letters.iter().take(shown) {
            page.spans(4, &[plain(format!("  {}: {}", letter.file, letter.reason))]);
        }
        left_out(page, (total - shown) as u64, "file", "files", options);
    }
}

fn keys(page: &mut Page, keys: &[KeyUse]) {
    if keys.is_empty() {
        page.field(
            "keys",
            vec![
                Span(SUSPECT, "none given: nothing can be proven".to_owned()),
                faint("; `--keys FILE` gives them"),
            ],
        );
    }
    for key in keys {
        let used = match key.digests {
            0 => "signed none of these digests".to_owned(),
            count => format!("signed {}", text::counted(count, "digest", "digests")),
        };
        page.field(
            "key",
            vec![
                plain(format!("{}  {used}", key.fingerprint)),
                faint(match key.valid_from.or(key.valid_until) {
                    Some(_) => format!("  in use {}", period(key.valid_from, key.valid_until)),
                    None => String::new(),
                }),
            ],
        );
    }
}

fn holes(page: &mut Page, holes: &[EvidenceHole], options: &Options) {
    if holes.is_empty() {
        return;
    }
    page.heading("Missing or altered");
    let shown = options.list.unwrap_or(holes.len()).min(holes.len());
    for hole in holes.iter().take(shown) {
        one_hole(page, hole);
    }
    left_out(page, (holes.len() - shown) as u64, "hole", "holes", options);
}

fn one_hole(page: &mut Page, hole: &EvidenceHole) {
    page.spans(
        6,
        &[
            Span(
                page::severity(Severity::High),
                format!("  {}", hole.kind.title()),
            ),
            plain(format!("  {}", short(hole))),
        ],
    );
    page.spans(
        6,
        &[
            faint(format!("      {}  ", place(hole))),
            plain(period(hole.from, hole.until)),
        ],
    );
    page.spans(6, &[faint(format!("      {}", hole.reason))]);
}

fn chains(page: &mut Page, chains: &[Chain], options: &Options) {
    page.heading("Chains of digests");
    let shown = options.list.map_or(chains.len(), |list| list * 2);
    let shown = shown.min(chains.len());
    for chain in chains.iter().take(shown) {
        let whole = chain.digests_proven == chain.digests && chain.logs_proven == chain.logs;
        let backfill = if chain.place.backfill {
            " (backfill)"
        } else {
            ""
        };
        page.spans(
            6,
            &[
                Span(
                    STRONG,
                    format!(
                        "  {} {} {}{backfill}",
                        chain.place.account, chain.place.region, chain.place.trail
                    ),
                ),
                faint(format!("  {}", period(Some(chain.from), Some(chain.until)))),
            ],
        );
        page.spans(
            6,
            &[
                Span(
                    if whole { GOOD } else { page::PLAIN },
                    format!(
                        "      {} of {} and {} of {} proven",
                        text::count(chain.digests_proven),
                        text::counted(chain.digests, "digest", "digests"),
                        text::count(chain.logs_proven),
                        text::counted(chain.logs, "log file", "log files"),
                    ),
                ),
                faint(if chain.goes_on_before {
                    "; there were digests before the first"
                } else {
                    ""
                }),
            ],
        );
    }
    left_out(
        page,
        (chains.len() - shown) as u64,
        "chain",
        "chains",
        options,
    );
}

fn moved(page: &mut Page, verification: &Verification, options: &Options) {
    let total = verification.moved.len();
    if total > 0 {
        page.heading("Moved, with the content as delivered");
        let shown = options.list.unwrap_or(total).min(total);
        for moved in verification.moved.iter().take(shown) {
            let how = if moved.renamed {
                "renamed"
            } else {
                "elsewhere"
            };
            page.spans(6, &[plain(format!("  {}  ", moved.file)), faint(how)]);
            page.spans(6, &[faint(format!("      was {}", moved.object))]);
        }
        left_out(page, (total - shown) as u64, "file", "files", options);
    }
    let copies = verification.repeated.len() as u64;
    if copies > 0 {
        page.gap();
        page.spans(
            0,
            &[faint(format!(
                "{} with the content of another; JSON names them.",
                text::counted(copies, "file is a copy", "files are copies")
            ))],
        );
    }
}

/// Digests and log files that are neither proven nor altered, by the reason.
fn doubtful(page: &mut Page, verification: &Verification, options: &Options) {
    let mut reasons = BTreeMap::<(&str, &str), Vec<&str>>::new();
    for digest in &verification.digests {
        if digest.proof == Proof::Unproven {
            reasons
                .entry(("digest", &digest.reason))
                .or_default()
                .push(&digest.file);
        }
    }
    for log in &verification.logs {
        if let (Proof::Unproven | Proof::Unlisted, Some(file)) = (log.proof, &log.file) {
            reasons
                .entry(("log file", &log.reason))
                .or_default()
                .push(file);
        }
    }
    if reasons.is_empty() {
        return;
    }
    page.heading("Not proven");
    for ((what, reason), files) in reasons {
        let number = text::counted(files.len() as u64, what, &format!("{what}s"));
        page.spans(
            4,
            &[
                Span(SUSPECT, format!("  {number}")),
                plain(format!(": {reason}")),
            ],
        );
        let shown = options.list.map_or(files.len(), |_| FEW).min(files.len());
        for file in files.iter().take(shown) {
            page.spans(8, &[faint(format!("      {file}"))]);
        }
        left_out(page, (files.len() - shown) as u64, "file", "files", options);
    }
}

/// How many files of one reason are named where lists are limited.
const FEW: usize = 3;

/// What of an incident's records is proven, and what may hide a part of it.
pub(super) fn of_incident(page: &mut Page, incident: &Incident, options: &Options) {
    if incident.proof.is_empty() && incident.evidence_holes.is_empty() {
        return;
    }
    page.heading("Whether the evidence stands");
    if !incident.proof.is_empty() {
        page.spans(
            4,
            &[plain(format!(
                "  Records by what digests prove of their files: {}.",
                worded(&incident.proof)
            ))],
        );
    }
    let total = incident.evidence_holes.len();
    let shown = options.list.unwrap_or(total).min(total);
    for hole in incident.evidence_holes.iter().take(shown) {
        one_hole(page, hole);
    }
    left_out(page, (total - shown) as u64, "hole", "holes", options);
}
