//! What digests prove of log files, with each chain drawn as a strip of time.

use maud::{Markup, html};
use portreeve_evidence::{Chain, EvidenceHole, Verification};
use portreeve_incident::Incident;
use portreeve_model::{Proof, Timestamp};

use super::ROWS;
use super::incident::left_out;
use super::page::{self, answer};
use super::shape::{Clean, middle};
use crate::terminal::period;
use crate::text;
use crate::verification::{Verified, place, short, summed, worded};

/// The page: `evidence verify --format html`.
pub fn verified(verified: &Verified<'_>) -> String {
    let verification = verified.verification;
    let counts = verified.counts();
    let title = verified.title();
    let about = html! {
        "A log file is proven where its hash stands in a digest whose signature is right, or in one that a later one proves. "
        @if verification.keys.is_empty() { b { "No public key was given: nothing can be proven." } }
    };
    let figures = [
        ("Files", text::count(verified.files)),
        ("Log files", worded(&counts.logs)),
        ("Digests", worded(&counts.digests)),
        ("Holes", text::count(verification.holes.len() as u64)),
    ];
    let main = html! {
        (answer(&title, about, &figures))
        section class="card part" {
            h2 { "Missing or altered" }
            @if verification.holes.is_empty() { p class="soft" { "Nothing is known to be." } }
            (holes(&verification.holes))
        }
        section class="card part" { h2 { "Chains of digests" } (strips(verification)) (chains(&verification.chains)) }
        (moved(verification))
        (not_proven(verification))
        section class="card part" {
            h2 { "Public keys" }
            @for key in &verification.keys {
                p { span class="mono" { (Clean(&key.fingerprint)) } " in " span class="mono" { (Clean(&key.file)) } ": " (text::counted(key.digests, "digest", "digests")) " signed" }
            }
        }
    };
    page::page(
        &title,
        page::masthead("Whether the evidence stands", None),
        main,
        page::foot(),
    )
}

/// The part of a report: how far its log files are proven.
pub(super) fn section(verification: &Verification) -> Markup {
    html! {
        h3 { "Whether the evidence stands" }
        p { (summed(verification)) "." }
        (strips(verification))
        (holes(&verification.holes))
    }
}

/// What of an incident's records is proven, and what may hide a part of it.
pub(super) fn of_incident(incident: &Incident) -> Markup {
    html! {
        @if !incident.proof.is_empty() || !incident.evidence_holes.is_empty() {
            section {
                h3 { "Whether the evidence stands" }
                @if !incident.proof.is_empty() { p { "Records by what digests prove of their files: " (worded(&incident.proof)) "." } }
                (holes(&incident.evidence_holes))
            }
        }
    }
}

pub(super) fn holes(holes: &[EvidenceHole]) -> Markup {
    html! {
        @if !holes.is_empty() {
            div class="scroll" { table {
                caption { "What may hide events, in order of time." }
                thead { tr { th scope="col" { "What" } th scope="col" { "Name" } th scope="col" { "Where" } th scope="col" { "Events of" } th scope="col" { "Why" } } }
                tbody { @for hole in holes.iter().take(ROWS) { tr {
                    td { span class="tag bad" { (hole.kind.title()) } }
                    td class="mono" title=(text::clean(hole.name())) { (Clean(short(hole))) }
                    td { (Clean(&place(hole))) }
                    td class="t" { (period(hole.from, hole.until)) }
                    td { (Clean(&hole.reason)) }
                } } }
            } }
            (left_out(holes.len(), ROWS, "hole", "holes"))
        }
    }
}

/// How many chains are drawn.
const STRIPS: usize = 40;
const LEFT: f64 = 300.0;
const WIDTH: f64 = 620.0;
const ROW: f64 = 24.0;

/// Each chain as a strip from the first digest of all to the last: what is proven filled, what is not
/// empty, holes marked.
fn strips(verification: &Verification) -> Markup {
    let chains: Vec<&Chain> = verification
        .chains
        .iter()
        .filter(|chain| !chain.place.backfill)
        .take(STRIPS)
        .collect();
    let first = chains.iter().map(|chain| chain.from).min();
    let last = chains.iter().map(|chain| chain.until).max();
    let (Some(first), Some(last)) = (first, last) else {
        return html! {};
    };
    let length = (last.as_second() - first.as_second()).max(1) as f64;
    let at = |time: Timestamp| {
        let part = (time.as_second() - first.as_second()) as f64 / length;
        LEFT + part.clamp(0.0, 1.0) * WIDTH
    };
    let height = chains.len() as f64 * ROW + 26.0;
    let bar = |from: Timestamp, until: Timestamp, y: f64, class: &str, least: f64| {
        let (x, end) = (at(from), at(until));
        html! { rect class=(class) x=(format!("{x:.1}")) y=(format!("{y:.1}")) width=(format!("{:.1}", (end - x).max(least))) height="14" rx="2" {} }
    };
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Chains of digests over time" {
            svg viewBox=(format!("0 0 {:.0} {height:.0}", LEFT + WIDTH + 10.0)) style=(format!("max-width:{:.0}px;min-width:640px", LEFT + WIDTH + 10.0)) role="img" aria-label="For each account, region and trail the time that proven digests cover, and what is missing or altered" {
                @for (number, chain) in chains.iter().enumerate() {
                    @let y = number as f64 * ROW + 4.0;
                    text x="0" y=(format!("{:.1}", y + 12.0)) font-size="12" {
                        (middle(&format!("{} {} {}", chain.place.account, chain.place.region, chain.place.trail), 44))
                    }
                    (bar(chain.from, chain.until, y, "panel", 1.0))
                    @for span in &chain.proven { (bar(span.from, span.until, y, "hit low", 1.0)) }
                    @for hole in verification.holes.iter().filter(|hole| hole.account == chain.place.account && hole.region == chain.place.region && hole.trail == chain.place.trail).take(ROWS) {
                        @if let Some(from) = hole.from.or(hole.until) {
                            (bar(from, hole.until.unwrap_or(from), y, "hit critical", 4.0))
                        }
                    }
                }
                text class="s" x=(LEFT) y=(format!("{:.1}", height - 6.0)) font-size="11" { (text::minute(first)) }
                text class="s" x=(LEFT + WIDTH) y=(format!("{:.1}", height - 6.0)) font-size="11" text-anchor="end" { (text::minute(last)) }
            }
        }
        p class="soft small" { "Filled: covered by proven digests. Empty: digests that are not proven. Marked across: missing or altered." }
    }
}

fn chains(chains: &[Chain]) -> Markup {
    html! {
        div class="scroll" { table {
            caption { "By account, region and trail." }
            thead { tr { th scope="col" { "Chain" } th scope="col" { "From" } th scope="col" { "Until" } th scope="col" class="n" { "Digests proven" } th scope="col" class="n" { "Log files proven" } } }
            tbody { @for chain in chains.iter().take(ROWS) { tr {
                td { (Clean(&chain.place.account)) " " (Clean(&chain.place.region)) " " (Clean(&chain.place.trail)) @if chain.place.backfill { " (backfill)" } }
                td class="t" { (text::minute(chain.from)) @if chain.goes_on_before { " and before" } }
                td class="t" { (text::minute(chain.until)) }
                td class="n" { (text::count(chain.digests_proven)) " of " (text::count(chain.digests)) }
                td class="n" { (text::count(chain.logs_proven)) " of " (text::count(chain.logs)) }
            } } }
        } }
        (left_out(chains.len(), ROWS, "chain", "chains"))
    }
}

fn moved(verification: &Verification) -> Markup {
    html! {
        @if !verification.moved.is_empty() {
            section class="card part" {
                h2 { "Moved, with the content as delivered" }
                div class="scroll" { table {
                    caption { "They prove as well as any other." }
                    thead { tr { th scope="col" { "File" } th scope="col" { "Was" } th scope="col" { "How" } } }
                    tbody { @for moved in verification.moved.iter().take(ROWS) { tr {
                        td class="mono" { (Clean(&moved.file)) }
                        td class="mono" { (Clean(&moved.object)) }
                        td { @if moved.renamed { "renamed" } @else { "elsewhere" } }
                    } } }
                } }
                (left_out(verification.moved.len(), ROWS, "file", "files"))
            }
        }
    }
}

fn not_proven(verification: &Verification) -> Markup {
    let doubtful = |proof| matches!(proof, Proof::Unproven | Proof::Unlisted);
    let digests = verification
        .digests
        .iter()
        .filter(|digest| doubtful(digest.proof))
        .map(|digest| (&*digest.file, digest.proof, &digest.reason));
    let logs = verification
        .logs
        .iter()
        .filter(|log| doubtful(log.proof))
        .map(|log| {
            (
                log.file.as_deref().unwrap_or_default(),
                log.proof,
                &log.reason,
            )
        });
    let all: Vec<(&str, Proof, &String)> = digests.chain(logs).collect();
    html! {
        @if !all.is_empty() {
            section class="card part" {
                h2 { "Not proven" }
                div class="scroll" { table {
                    caption { "Nothing speaks against these files, and nothing proves them." }
                    thead { tr { th scope="col" { "File" } th scope="col" { "State" } th scope="col" { "Why" } } }
                    tbody { @for (file, proof, reason) in all.iter().take(ROWS) { tr {
                        td class="mono" { (Clean(file)) }
                        td { (proof.as_str()) }
                        td { (Clean(reason)) }
                    } } }
                } }
                (left_out(all.len(), ROWS, "file", "files"))
            }
        }
    }
}
