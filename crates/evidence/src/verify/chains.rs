//! The chains that digests make, and what is missing in them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use portreeve_model::Proof;

use super::Told;
use super::digests::Judged;
use crate::{Chain, Digest, DigestState, EvidenceHole, HoleKind, Place, Span, Verification, paths};

/// Tells digests, chains and holes in them.
pub(super) fn tell(
    digests: &[(Arc<str>, Digest)],
    judged: &[Judged],
    broken: &[(Arc<str>, String)],
    verification: &mut Verification,
) {
    let objects: HashSet<(&str, &str)> = digests
        .iter()
        .map(|(_, digest)| (digest.bucket.as_str(), digest.object.as_str()))
        .collect();
    let broken: HashMap<&str, &(Arc<str>, String)> = broken
        .iter()
        .map(|found| (paths::base(&found.0), found))
        .collect();
    let mut chains = BTreeMap::<&Place, Vec<Told<'_>>>::new();
    for told in digests.iter().zip(judged) {
        chains.entry(told.0.1.place()).or_default().push(told);
    }
    for (place, mut members) in chains {
        members.sort_by_key(|((file, digest), _)| (digest.end, digest.start, file.clone()));
        for (one, judged) in &members {
            verification.digests.push(state(one, judged));
            if judged.proof == Proof::Altered {
                let (file, digest) = *one;
                verification.holes.push(EvidenceHole {
                    from: Some(digest.start),
                    until: Some(digest.end),
                    kind: HoleKind::AlteredDigest,
                    object: digest.name(),
                    file: Some(file.clone()),
                    reason: judged.reason.clone(),
                    ..hole(place)
                });
            }
        }
        let goes_on_before = missing(place, &members, &objects, &broken, verification);
        let (Some(((_, first), _)), Some(((_, last), _))) = (members.first(), members.last())
        else {
            continue;
        };
        verification.chains.push(Chain {
            place: place.clone(),
            from: first.start,
            until: last.end,
            digests: members.len() as u64,
            digests_proven: proven(&members).count() as u64,
            logs: 0,
            logs_proven: 0,
            goes_on_before,
            proven: spans(proven(&members).map(|digest| (digest.start, digest.end))),
        });
        let objects: Vec<(&Arc<str>, &str, String)> = members
            .iter()
            .filter(|(_, judged)| judged.proof != Proof::Altered)
            .map(|((file, digest), _)| (file, digest.object.as_str(), digest.name()))
            .collect();
        verification.moved.extend(super::logs::moved(&objects));
    }
}

fn proven<'m>(members: &'m [Told<'_>]) -> impl Iterator<Item = &'m Digest> {
    members
        .iter()
        .filter(|(_, judged)| judged.proof == Proof::Proven)
        .map(|((_, digest), _)| digest)
}

fn state((file, digest): &(Arc<str>, Digest), judged: &Judged) -> DigestState {
    DigestState {
        file: file.clone(),
        object: digest.name(),
        place: digest.place().clone(),
        from: digest.start,
        until: digest.end,
        logs: digest.logs.len() as u64,
        proof: judged.proof,
        reason: judged.reason.clone(),
    }
}

/// A hole of a chain, to be filled in.
fn hole(place: &Place) -> EvidenceHole {
    EvidenceHole {
        from: None,
        until: None,
        kind: HoleKind::Gap,
        account: place.account.clone(),
        region: place.region.clone(),
        trail: place.trail.clone(),
        object: String::new(),
        file: None,
        reason: String::new(),
    }
}

/// Tells which digests are missing between those of a chain; gives whether there were some before
/// the first.
fn missing(
    place: &Place,
    members: &[Told<'_>],
    objects: &HashSet<(&str, &str)>,
    broken: &HashMap<&str, &(Arc<str>, String)>,
    verification: &mut Verification,
) -> bool {
    let mut goes_on_before = false;
    // The latest end of those before; they are in order of their ends.
    let mut before: Option<Timestamp> = None;
    for ((_, digest), judged) in members {
        let gap = |kind, object: String, file, reason: &str| EvidenceHole {
            from: before,
            until: Some(digest.start),
            kind,
            object,
            file,
            reason: reason.to_owned(),
            ..hole(place)
        };
        // Backfill digests come when there is something to list, and cover no stretch of time.
        let is_gap = !place.backfill && before.is_some_and(|end| end < digest.start);
        match &digest.previous {
            // What an altered digest refers to is not known.
            _ if judged.proof == Proof::Altered => {}
            None => {
                if is_gap {
                    verification.holes.push(gap(
                        HoleKind::Gap,
                        String::new(),
                        None,
                        "the chain begins anew: logging or the validation of log files was off, or the \
                         trail was made anew",
                    ));
                }
            }
            Some(previous) => {
                let name = format!("{}/{}", previous.bucket, previous.object);
                if objects.contains(&(previous.bucket.as_str(), previous.object.as_str())) {
                    if is_gap {
                        verification.holes.push(gap(
                            HoleKind::Gap,
                            String::new(),
                            None,
                            "no digest covers it, although each refers to the one before",
                        ));
                    }
                } else if let Some((file, reason)) = broken.get(paths::base(&previous.object)) {
                    verification.holes.push(gap(
                        HoleKind::AlteredDigest,
                        name,
                        Some(file.clone()),
                        reason,
                    ));
                } else if before.is_some() {
                    verification.holes.push(gap(
                        HoleKind::MissingDigest,
                        name,
                        None,
                        "the digest after it refers to it",
                    ));
                } else {
                    goes_on_before = true;
                }
            }
        }
        before = before.max(Some(digest.end));
    }
    goes_on_before
}

/// Stretches in order, those that touch as one.
fn spans(all: impl Iterator<Item = (Timestamp, Timestamp)>) -> Vec<Span> {
    let mut all: Vec<(Timestamp, Timestamp)> = all.collect();
    all.sort_unstable();
    let mut spans: Vec<Span> = Vec::new();
    for (from, until) in all {
        match spans.last_mut() {
            Some(last) if from <= last.until => last.until = last.until.max(until),
            _ => spans.push(Span { from, until }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_touch_are_one() {
        let time = |second| Timestamp::from_second(second).unwrap();
        let span = |from, until| (time(from), time(until));
        let found = spans([span(20, 30), span(0, 10), span(10, 15), span(2, 12)].into_iter());
        assert_eq!(
            found,
            [(0, 15), (20, 30)].map(|(from, until)| Span {
                from: time(from),
                until: time(until)
            })
        );
    }
}
