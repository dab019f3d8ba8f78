//! What is proven of the records that incidents are told by, and what missing and altered files may
//! hide.

use std::collections::HashMap;

use portreeve_evidence::{HoleKind, Verification};
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

/// What cannot be known because of missing and altered files.
pub fn evidence_gaps(verification: &Verification) -> impl Iterator<Item = BlindSpot> {
    verification.holes.iter().map(|hole| {
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
    })
}
