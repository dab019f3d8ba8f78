//! From digests, keys and log files to what they prove.

mod chains;
mod digests;
mod logs;

use std::sync::Arc;

use crate::{Digest, Hash, KeyUse, PublicKey, Repeated, Signature, Verification};
use digests::Judged;

/// All that there is to verify, and to verify with.
#[derive(Clone, Debug, Default)]
pub struct Given<'g> {
    /// The digests, each with the name of its file.
    pub digests: Vec<(Arc<str>, Digest)>,
    /// Files that seem to be digests and cannot be read as such, with the reason.
    pub broken: Vec<(Arc<str>, String)>,
    /// All other files that may be logs.
    pub logs: &'g [LogFile],
    /// Public keys.
    pub keys: &'g [PublicKey],
    /// Signatures that were saved beside digests.
    pub signatures: &'g [Signature],
}

/// A file that may be one that a digest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Its name.
    pub file: Arc<str>,
    /// The SHA-256 of its content, decompressed; `None` where it cannot be read to its end.
    pub sha256: Option<Hash>,
    /// Whether it is a log of the form in which trails deliver them. Only such are missed in digests.
    pub is_log: bool,
}

/// Verifies all digests and log files. The result does not depend on their order.
///
/// Time is linear in digests and log files but for those of one object; each digest costs one check of
/// a signature, and each that still lacks one a check of every signature saved beside.
pub fn verify(mut given: Given<'_>) -> Verification {
    given.digests.sort_by(|one, other| one.0.cmp(&other.0));
    given.digests.dedup_by(|one, other| one.0 == other.0);
    let mut repeated = Vec::new();
    let digests = distinct(given.digests, &mut repeated);
    let (judged, uses) = digests::judge(&digests, given.keys, given.signatures);
    let mut verification = Verification {
        repeated,
        ..Verification::default()
    };
    chains::tell(&digests, &judged, &given.broken, &mut verification);
    logs::tell(&digests, &judged, given.logs, &mut verification);
    let mut keys: Vec<KeyUse> = given
        .keys
        .iter()
        .zip(uses)
        .map(|(key, digests)| KeyUse {
            fingerprint: key.fingerprint.clone(),
            valid_from: key.valid_from,
            valid_until: key.valid_until,
            file: key.file.clone(),
            digests,
        })
        .collect();
    keys.sort_by(|one, other| {
        (&one.fingerprint, &one.file).cmp(&(&other.fingerprint, &other.file))
    });
    verification.keys = keys;
    verification.holes.sort();
    verification.moved.sort();
    verification.repeated.sort();
    verification
}

/// A digest with what is known of it.
type Told<'d> = (&'d (Arc<str>, Digest), &'d Judged);

/// Each digest once, the others told as copies.
fn distinct(all: Vec<(Arc<str>, Digest)>, repeated: &mut Vec<Repeated>) -> Vec<(Arc<str>, Digest)> {
    let mut known = std::collections::HashMap::<Hash, Arc<str>>::new();
    let mut kept = Vec::with_capacity(all.len());
    for (file, digest) in all {
        match known.entry(digest.sha256) {
            std::collections::hash_map::Entry::Occupied(first) => repeated.push(Repeated {
                file,
                of: first.get().clone(),
            }),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(file.clone());
                kept.push((file, digest));
            }
        }
    }
    kept
}
