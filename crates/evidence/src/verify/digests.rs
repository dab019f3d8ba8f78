//! Which digests are proven, and how.

use std::collections::HashMap;
use std::sync::Arc;

use portreeve_model::Proof;

use crate::{Digest, PublicKey, Signature};

/// What is known of one digest, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) proof: Proof,
    pub(super) reason: String,
}

/// What a digest's signatures came to.
enum Signed {
    /// One of them is right, by the key with this number.
    By(usize),
    /// One is right, by a key that CloudTrail did not use at that time.
    OutOfTime(usize),
    /// Those that the digests with these numbers carry for it are all wrong.
    Wrong(Vec<usize>),
    /// There is none.
    No,
    /// The key is not given.
    KeyMissing,
    /// It is to be signed in a way that is not documented.
    Unknown,
}

/// Judges all digests; and tells how many signatures of each key are right.
pub(super) fn judge(
    digests: &[(Arc<str>, Digest)],
    keys: &[PublicKey],
    signatures: &[Signature],
) -> (Vec<Judged>, Vec<u64>) {
    let links = Links::new(digests);
    let mut uses = vec![0; keys.len()];
    let signed: Vec<Signed> = (0..digests.len())
        .map(|number| signed(number, digests, &links, keys, signatures))
        .collect();
    for by in &signed {
        if let Signed::By(key) | Signed::OutOfTime(key) = by {
            uses[*key] += 1;
        }
    }
    let proven = proven(digests, &links, &signed);
    let judged = (0..digests.len())
        .map(|number| {
            if let Some(reason) = &proven[number] {
                return Judged {
                    proof: Proof::Proven,
                    reason: reason.clone(),
                };
            }
            match altered(number, digests, &links, &signed, &proven) {
                Some(reason) => Judged {
                    proof: Proof::Altered,
                    reason,
                },
                None => Judged {
                    proof: Proof::Unproven,
                    reason: unproven(&digests[number].1, &signed[number], keys),
                },
            }
        })
        .collect();
    (judged, uses)
}

/// Which digests follow which.
struct Links<'d> {
    by_object: HashMap<(&'d str, &'d str), Vec<usize>>,
    /// Those that refer to a digest, by the number of that one.
    next: Vec<Vec<usize>>,
}

impl<'d> Links<'d> {
    fn new(digests: &'d [(Arc<str>, Digest)]) -> Self {
        let mut by_object = HashMap::<(&str, &str), Vec<usize>>::new();
        for (number, (_, digest)) in digests.iter().enumerate() {
            by_object
                .entry((&digest.bucket, &digest.object))
                .or_default()
                .push(number);
        }
        let mut links = Self {
            by_object,
            next: vec![Vec::new(); digests.len()],
        };
        for (number, (_, digest)) in digests.iter().enumerate() {
            for previous in links.previous(digest).to_vec() {
                links.next[previous].push(number);
            }
        }
        links
    }

    /// The digests that have the name of the one before.
    fn previous<'a>(&'a self, digest: &'a Digest) -> &'a [usize] {
        digest
            .previous
            .as_ref()
            .and_then(|previous| {
                self.by_object
                    .get(&(previous.bucket.as_str(), previous.object.as_str()))
            })
            .map_or(&[], Vec::as_slice)
    }
}

fn signed(
    number: usize,
    digests: &[(Arc<str>, Digest)],
    links: &Links<'_>,
    keys: &[PublicKey],
    signatures: &[Signature],
) -> Signed {
    let (_, digest) = &digests[number];
    if !digest.has_known_algorithm() {
        return Signed::Unknown;
    }
    let fitting: Vec<usize> = (0..keys.len())
        .filter(|key| {
            keys[*key]
                .fingerprint
                .eq_ignore_ascii_case(&digest.fingerprint)
        })
        .collect();
    let text = digest.signed_text();
    let verifies = |signature: &[u8]| {
        let mut right = fitting
            .iter()
            .copied()
            .filter(|key| keys[*key].verifies(text.as_bytes(), signature));
        let first = right.next()?;
        // The same key may be given twice, with times and without.
        let in_time = std::iter::once(first)
            .chain(right)
            .find(|key| keys[*key].is_valid_at(digest.end));
        Some(in_time.map_or(Signed::OutOfTime(first), Signed::By))
    };
    let mut wrong = Vec::new();
    for next in &links.next[number] {
        if let Some(signature) = digests[*next].1.carried_signature() {
            match verifies(&signature) {
                Some(found) => return found,
                None => wrong.push(*next),
            }
        }
    }
    // One saved beside may belong to another digest: that it does not fit says nothing.
    let beside = signatures
        .iter()
        .find_map(|signature| verifies(&signature.bytes));
    match beside {
        Some(found) => found,
        None if fitting.is_empty() => Signed::KeyMissing,
        None if wrong.is_empty() => Signed::No,
        None => Signed::Wrong(wrong),
    }
}

/// Why each digest is proven: by its signature, else by its hash in a proven one after it.
fn proven(
    digests: &[(Arc<str>, Digest)],
    links: &Links<'_>,
    signed: &[Signed],
) -> Vec<Option<String>> {
    let mut proven: Vec<Option<String>> = signed
        .iter()
        .map(|signed| matches!(signed, Signed::By(_)).then(|| "its signature is right".to_owned()))
        .collect();
    let mut waiting: Vec<usize> = (0..digests.len())
        .filter(|number| proven[*number].is_some())
        .collect();
    while let Some(number) = waiting.pop() {
        let (_, digest) = &digests[number];
        let told = digest
            .previous
            .as_ref()
            .and_then(|previous| previous.sha256);
        for previous in links.previous(digest) {
            if proven[*previous].is_none() && told == Some(digests[*previous].1.sha256) {
                proven[*previous] =
                    Some("its hash stands in the digest after it, which is proven".to_owned());
                waiting.push(*previous);
            }
        }
    }
    proven
}

/// Why a digest that is not proven has been altered, if it has.
fn altered(
    number: usize,
    digests: &[(Arc<str>, Digest)],
    links: &Links<'_>,
    signed: &[Signed],
    proven: &[Option<String>],
) -> Option<String> {
    let own = digests[number].1.sha256;
    let differs = |next: &usize| {
        let previous = digests[*next].1.previous.as_ref();
        previous
            .and_then(|previous| previous.sha256)
            .is_some_and(|told| told != own)
    };
    let next = &links.next[number];
    if next
        .iter()
        .any(|next| proven[*next].is_some() && differs(next))
    {
        return Some("its content is not that which the digest after it names".to_owned());
    }
    if let Signed::Wrong(carriers) = &signed[number] {
        let carrier_is_proven = carriers.iter().any(|carrier| proven[*carrier].is_some());
        return Some(if carrier_is_proven {
            "its signature, which the digest after it carries, is wrong".to_owned()
        } else {
            "its signature is wrong: it was altered, or the digest after it was, which carries the \
             signature"
                .to_owned()
        });
    }
    next.iter().any(differs).then(|| {
        "its content is not that which the digest after it names, which is not proven itself: one of \
         the two was altered"
            .to_owned()
    })
}

fn unproven(digest: &Digest, signed: &Signed, keys: &[PublicKey]) -> String {
    match signed {
        Signed::OutOfTime(key) => {
            let key = &keys[*key];
            let time = |time: Option<jiff::Timestamp>| {
                time.map_or("an unknown time".to_owned(), |time| time.to_string())
            };
            format!(
                "it ends at {}, and the key that signed it was in use from {} to {}",
                digest.end,
                time(key.valid_from),
                time(key.valid_until)
            )
        }
        Signed::KeyMissing if keys.is_empty() => "no public key is given".to_owned(),
        Signed::KeyMissing => format!(
            "no public key with the fingerprint {} is given",
            digest.fingerprint
        ),
        Signed::Unknown => {
            "it is to be signed by an algorithm that is not documented; expected SHA256withRSA"
                .to_owned()
        }
        Signed::No | Signed::By(_) | Signed::Wrong(_) => {
            "no digest after it is there to carry its signature, and none is saved beside it"
                .to_owned()
        }
    }
}
