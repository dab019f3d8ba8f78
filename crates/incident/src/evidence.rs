//! What is proven of the records that incidents are told by, and what missing and altered files may
//! hide.

use std::collections::{BTreeMap, HashMap};

use portreeve_evidence::{EvidenceHole, HoleKind, Verification};
use portreeve_model::{BlindSpot, Proof};

use crate::report::Incident;

/// Says of each incident which missing and altered files may hide a part of it, and how many of its
/// records are in files that are proven. Holes of every account count: what an intruder did where
/// nothing is left of it may belong to any incident of that time.
pub fn verified(incidents: &mut [Incident], verification: &Verification) {
    let proofs: HashMap<&str, Proof> = verification
        .logs
        .iter()
        .filter_map(|log| Some((log.file.as_deref()?, log.proof)))
        .collect();
    for incident in incidents {
        incident.evidence_holes = verification
            .holes_in(&[], incident.first_sign, incident.last_activity)
            .cloned()
            .collect();
        for entry in &incident.timeline {
            let proof = proofs.get(&*entry.file).copied();
            *incident
                .proof
                .entry(proof.unwrap_or(Proof::Unproven))
                .or_default() += 1;
        }
    }
}

/// Of how many missing log files of one trail, account and region each is a blind spot of its own; more
/// are told as one. Whoever hands over the logs of a day with the digests of a year lacks them all.
const TOLD_APART: usize = 5;

/// What cannot be known because of missing and altered files.
pub fn evidence_gaps(verification: &Verification) -> Vec<BlindSpot> {
    let mut missing = BTreeMap::<(&str, &str, &str), Vec<&EvidenceHole>>::new();
    let mut spots = Vec::new();
    for hole in &verification.holes {
        if hole.kind == HoleKind::MissingLog {
            missing
                .entry((&hole.account, &hole.region, &hole.trail))
                .or_default()
                .push(hole);
        } else {
            spots.push(spot(hole));
        }
    }
    for holes in missing.into_values() {
        if holes.len() <= TOLD_APART {
            spots.extend(holes.into_iter().map(spot));
            continue;
        }
        let from = holes.iter().filter_map(|hole| hole.from).min();
        let until = holes.iter().filter_map(|hole| hole.until).max();
        if let Some(first) = holes.first() {
            let whole = EvidenceHole {
                from,
                until,
                object: String::new(),
                ..(*first).clone()
            };
            let one = spot(&whole);
            spots.push(BlindSpot {
                missing: format!(
                    "{} {}",
                    holes.len(),
                    one.missing.replacen("file", "files", 1)
                ),
                consequence: one.consequence.replacen("in it", "in them", 1),
                ..one
            });
        }
    }
    spots
}

/// One hole as a blind spot.
fn spot(hole: &EvidenceHole) -> BlindSpot {
    let place = [&hole.account, &hole.region]
        .map(String::as_str)
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let when = match (hole.from, hole.until) {
        (Some(from), Some(until)) => format!(" from {from} to {until}"),
        (Some(from), None) => format!(" from {from} on"),
        (None, Some(until)) => format!(" until {until}"),
        (None, None) => String::new(),
    };
    let name = match hole.name() {
        "" => String::new(),
        name => format!(" {name}"),
    };
    BlindSpot {
            missing: format!("{}{name} ({place}{when})", hole.kind.title()),
            consequence: match hole.kind {
                HoleKind::MissingLog => "what happened in it is not told",
                HoleKind::AlteredLog => {
                    "records may have been taken out of it, changed or put in; what it says is told \
                     all the same"
                }
                HoleKind::MissingDigest | HoleKind::AlteredDigest => {
                    "nothing says whether log files of that time are missing or altered"
                }
                HoleKind::Gap => "nothing says what was logged in that time, or that anything was",
            }
            .to_owned()
                + &format!(": {}", hole.reason),
            remedy: match hole.kind {
                HoleKind::Gap => {
                    "look for StopLogging, DeleteTrail and UpdateTrail before it, and for another trail's logs"
                }
                _ => "look for an older version or another copy of it: versions of the bucket, replicas, backups",
            }
            .to_owned(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_missing_files_are_one_blind_spot() {
        let hole = |number: u32, kind| EvidenceHole {
            from: format!("2026-03-{number:02}T00:00:00Z").parse().ok(),
            until: format!("2026-03-{number:02}T01:00:00Z").parse().ok(),
            kind,
            account: "111122223333".into(),
            region: "eu-west-1".into(),
            trail: "main".into(),
            object: format!("log-{number}"),
            file: None,
            reason: "a digest lists it".into(),
        };
        let verification = |count: u32| Verification {
            holes: (1..=count)
                .map(|number| hole(number, HoleKind::MissingLog))
                .chain([hole(9, HoleKind::MissingDigest)])
                .collect(),
            ..Verification::default()
        };
        assert_eq!(evidence_gaps(&verification(5)).len(), 6);
        let spots = evidence_gaps(&verification(8));
        assert_eq!(spots.len(), 2);
        assert_eq!(
            spots[1].missing,
            "8 missing log files (111122223333, eu-west-1 from 2026-03-01T00:00:00Z to 2026-03-08T01:00:00Z)"
        );
        assert!(spots[1].consequence.contains("in them"));
    }
}
