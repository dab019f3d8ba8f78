//! Which log files are as they were delivered, by content first and by name where content fails.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use portreeve_model::Proof;

use super::LogFile;
use super::digests::Judged;
use crate::{
    Digest, EvidenceHole, Hash, HoleKind, ListedLog, LogState, Moved, Place, Repeated,
    Verification, paths,
};

/// The files by content and by name.
struct Files<'f> {
    all: &'f [LogFile],
    by_hash: HashMap<Hash, Vec<usize>>,
    by_base: HashMap<&'f str, Vec<usize>>,
}

impl<'f> Files<'f> {
    fn new(all: &'f [LogFile]) -> Self {
        let mut by_hash = HashMap::<Hash, Vec<usize>>::new();
        let mut by_base = HashMap::<&str, Vec<usize>>::new();
        for (number, file) in all.iter().enumerate() {
            by_base
                .entry(paths::base(&file.file))
                .or_default()
                .push(number);
            if let Some(hash) = file.sha256 {
                by_hash.entry(hash).or_default().push(number);
            }
        }
        Self {
            all,
            by_hash,
            by_base,
        }
    }

    /// The file with a content that lies most like the key under which it was delivered; of equals
    /// the first by name.
    fn with_content(&self, log: &ListedLog) -> Option<usize> {
        let same = self.by_hash.get(&log.sha256?)?;
        same.iter().copied().max_by(|one, other| {
            let (one, other) = (&self.all[*one].file, &self.all[*other].file);
            paths::shared_parts(one, &log.object)
                .cmp(&paths::shared_parts(other, &log.object))
                .then_with(|| other.cmp(one))
        })
    }

    /// The files with the name of a log and a content that no digest lists.
    fn with_name(&self, log: &ListedLog, listed: &HashSet<Hash>) -> impl Iterator<Item = usize> {
        self.by_base
            .get(paths::base(&log.object))
            .into_iter()
            .flatten()
            .copied()
            .filter(|number| {
                let own = self.all[*number].sha256;
                own.is_none_or(|own| !listed.contains(&own))
            })
    }
}

/// One listing of a log file: by which digest, and how good that is.
struct Listing<'d> {
    log: &'d ListedLog,
    place: &'d Place,
    by: Proof,
}

/// Tells log files, and fills in what chains say of them.
pub(super) fn tell(
    digests: &[(Arc<str>, Digest)],
    judged: &[Judged],
    all: &[LogFile],
    verification: &mut Verification,
) {
    let files = Files::new(all);
    let listings = listings(digests, judged);
    let listed: HashSet<Hash> = listings.keys().filter_map(|(.., hash)| *hash).collect();
    let mut used = HashSet::<usize>::new();
    let mut named = BTreeSet::<usize>::new();
    let mut states = Vec::new();
    let mut placed = BTreeMap::<&Place, Vec<(&Arc<str>, &str, String)>>::new();
    let mut counts = BTreeMap::<&Place, (u64, u64)>::new();
    for listing in listings.values() {
        let found = files.with_content(listing.log);
        let altered: Vec<usize> = files.with_name(listing.log, &listed).collect();
        let count = counts.entry(listing.place).or_default();
        count.0 += 1;
        let object = format!("{}/{}", listing.log.bucket, listing.log.object);
        if let Some(number) = found {
            used.insert(number);
            let file = &files.all[number].file;
            placed.entry(listing.place).or_default().push((
                file,
                &listing.log.object,
                object.clone(),
            ));
            count.1 += u64::from(listing.by == Proof::Proven);
            states.push(state(listing, Some(file), listing_proof(listing)));
        } else if listing.log.sha256.is_none() && !altered.is_empty() {
            let reason =
                "its hash is told by an algorithm that is not documented; expected SHA-256";
            for number in &altered {
                named.insert(*number);
                let file = &files.all[*number].file;
                states.push(state(
                    listing,
                    Some(file),
                    (Proof::Unproven, reason.to_owned()),
                ));
            }
            continue;
        } else if altered.is_empty() {
            let reason = match listing.by {
                Proof::Altered => "a digest lists it, which was itself altered",
                Proof::Proven => "a proven digest lists it",
                _ => "a digest lists it",
            };
            verification
                .holes
                .push(hole(listing, HoleKind::MissingLog, None, reason));
            states.push(state(listing, None, (Proof::Missing, reason.to_owned())));
        }
        for number in altered {
            let file = &files.all[number].file;
            // What an altered digest says against a file is not evidence.
            if listing.by == Proof::Altered {
                if found.is_none() && named.insert(number) {
                    states.push(state(listing, Some(file), listing_proof(listing)));
                }
                continue;
            }
            let reason = match (&files.all[number].sha256, found) {
                (None, _) => "it cannot be read to its end",
                (Some(_), Some(_)) => {
                    "its content is not that which the digest lists; another file is as delivered"
                }
                (Some(_), None) => "its content is not that which the digest lists",
            };
            if named.insert(number) {
                verification.holes.push(hole(
                    listing,
                    HoleKind::AlteredLog,
                    Some(file.clone()),
                    reason,
                ));
                states.push(state(
                    listing,
                    Some(file),
                    (Proof::Altered, reason.to_owned()),
                ));
            }
        }
    }
    for objects in placed.values() {
        verification.moved.extend(moved(objects));
    }
    for chain in &mut verification.chains {
        (chain.logs, chain.logs_proven) = counts.get(&chain.place).copied().unwrap_or_default();
    }
    rest(&files, &used, &named, &mut states, verification);
    states.sort_by(|one, other| {
        (one.from, &one.file, &one.object).cmp(&(other.from, &other.file, &other.object))
    });
    verification.logs = states;
}

/// Each listed log file once, by the best digest that lists it.
fn listings<'d>(
    digests: &'d [(Arc<str>, Digest)],
    judged: &[Judged],
) -> BTreeMap<(&'d str, &'d str, Option<Hash>), Listing<'d>> {
    let mut listings = BTreeMap::<_, Listing<'d>>::new();
    for ((_, digest), judged) in digests.iter().zip(judged) {
        for log in &digest.logs {
            let listing = Listing {
                log,
                place: digest.place(),
                by: judged.proof,
            };
            let key = (log.bucket.as_str(), log.object.as_str(), log.sha256);
            let known = listings.entry(key);
            match known {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(listing);
                }
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    if (listing.by, listing.place) < (place.get().by, place.get().place) {
                        place.insert(listing);
                    }
                }
            }
        }
    }
    // What a proven digest says of an object stands against what an altered one says of it.
    let told: HashSet<(&str, &str)> = listings
        .iter()
        .filter(|(_, listing)| listing.by == Proof::Proven)
        .map(|((bucket, object, _), _)| (*bucket, *object))
        .collect();
    listings.retain(|(bucket, object, _), listing| {
        listing.by != Proof::Altered || !told.contains(&(*bucket, *object))
    });
    listings
}

fn listing_proof(listing: &Listing<'_>) -> (Proof, String) {
    match listing.by {
        Proof::Proven => (
            Proof::Proven,
            "its hash stands in a proven digest".to_owned(),
        ),
        Proof::Altered => (
            Proof::Unproven,
            "its hash stands in a digest that was itself altered".to_owned(),
        ),
        _ => (
            Proof::Unproven,
            "its hash stands in a digest that is not proven itself".to_owned(),
        ),
    }
}

fn state(listing: &Listing<'_>, file: Option<&Arc<str>>, proof: (Proof, String)) -> LogState {
    LogState {
        file: file.cloned(),
        object: Some(format!("{}/{}", listing.log.bucket, listing.log.object)),
        account: listing.place.account.clone(),
        region: listing.place.region.clone(),
        from: listing.log.oldest,
        until: listing.log.newest,
        proof: proof.0,
        reason: proof.1,
    }
}

fn hole(
    listing: &Listing<'_>,
    kind: HoleKind,
    file: Option<Arc<str>>,
    reason: &str,
) -> EvidenceHole {
    EvidenceHole {
        from: listing.log.oldest,
        until: listing.log.newest,
        kind,
        account: listing.place.account.clone(),
        region: listing.place.region.clone(),
        trail: listing.place.trail.clone(),
        object: format!("{}/{}", listing.log.bucket, listing.log.object),
        file,
        reason: reason.to_owned(),
    }
}

/// The files that no digest lists: copies of those that are, and logs that nothing speaks for.
fn rest(
    files: &Files<'_>,
    used: &HashSet<usize>,
    named: &BTreeSet<usize>,
    states: &mut Vec<LogState>,
    verification: &mut Verification,
) {
    let told: HashMap<Arc<str>, usize> = states
        .iter()
        .enumerate()
        .filter_map(|(place, state)| Some((state.file.clone()?, place)))
        .collect();
    for (number, file) in files.all.iter().enumerate() {
        if used.contains(&number) || named.contains(&number) {
            continue;
        }
        let original = file
            .sha256
            .and_then(|hash| files.by_hash.get(&hash))
            .and_then(|same| same.iter().find(|number| used.contains(number)));
        if let Some(original) = original {
            let of = &files.all[*original].file;
            verification.repeated.push(Repeated {
                file: file.file.clone(),
                of: of.clone(),
            });
            if let Some(known) = told.get(of).map(|place| states[*place].clone()) {
                states.push(LogState {
                    file: Some(file.file.clone()),
                    ..known
                });
            }
        } else if file.is_log {
            states.push(unlisted(file, verification));
        }
    }
}

/// A log file that no digest lists, with the reason as far as its name tells.
fn unlisted(file: &LogFile, verification: &Verification) -> LogState {
    let told = paths::delivery(&file.file);
    let (account, region) = told.map_or(("", ""), |(account, region, _)| (account, region));
    let mut chains = verification
        .chains
        .iter()
        .filter(|chain| {
            let place = &chain.place;
            !place.backfill && place.account == account && place.region == region
        })
        .peekable();
    let covering = |from, until| told.is_some_and(|(.., time)| from <= time && time < until);
    let in_hole = verification.holes.iter().any(|hole| {
        matches!(
            hole.kind,
            HoleKind::MissingDigest | HoleKind::AlteredDigest | HoleKind::Gap
        ) && hole.account == account
            && hole.region == region
            && hole
                .from
                .zip(hole.until)
                .is_some_and(|(from, until)| covering(from, until))
    });
    let (proof, reason) = if told.is_none() {
        (
            Proof::Unproven,
            "no digest lists it, and its name does not say when it was delivered",
        )
    } else if chains.peek().is_none() {
        (
            Proof::Unproven,
            "no digest of its account and region is given",
        )
    } else if in_hole {
        (
            Proof::Unproven,
            "the digest that would list it is missing or altered",
        )
    } else if chains.any(|chain| covering(chain.from, chain.until)) {
        (
            Proof::Unlisted,
            "the digests of the time at which its name says that it was delivered do not list it",
        )
    } else {
        (
            Proof::Unproven,
            "its name says that it was delivered before the first digest or after the last",
        )
    };
    LogState {
        file: Some(file.file.clone()),
        object: None,
        account: account.to_owned(),
        region: region.to_owned(),
        from: None,
        until: None,
        proof,
        reason: reason.to_owned(),
    }
}

/// Of the files of one chain, each with its key and its whole name, those that lie otherwise than
/// most: people copy whole trees, parts of them, or all files into one folder.
pub(super) fn moved(files: &[(&Arc<str>, &str, String)]) -> Vec<Moved> {
    let shared: Vec<usize> = files
        .iter()
        .map(|(file, key, _)| paths::shared_parts(file, key))
        .collect();
    let mut often = BTreeMap::<usize, usize>::new();
    for parts in &shared {
        *often.entry(*parts).or_default() += 1;
    }
    let usual = often
        .iter()
        .max_by_key(|(parts, count)| (**count, **parts))
        .map_or(0, |(parts, _)| *parts);
    files
        .iter()
        .zip(shared)
        .filter(|(_, shared)| *shared == 0 || *shared < usual)
        .map(|((file, _, object), shared)| Moved {
            file: (*file).clone(),
            object: object.clone(),
            renamed: shared == 0,
        })
        .collect()
}
