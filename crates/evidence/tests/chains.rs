//! Chains of digests, whole and damaged.

mod chain;

use std::sync::Arc;

use chain::{Signer, Trail};
use portreeve_evidence::{
    Digest, Given, HoleKind, LogFile, PublicKey, Signature, Verification, parse_keys,
    parse_signature, verify,
};
use portreeve_model::Proof;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Digest as _;

/// A trail of so many hours with two files each.
fn trail(hours: usize) -> Trail {
    let mut trail = Trail::new("111122223333", "eu-west-1");
    for _ in 0..hours {
        let time = trail.now.to_string();
        let record = |number: u32| json!({"eventTime": time, "eventID": number});
        trail.hour(&[vec![record(1)], vec![record(2)]]);
    }
    trail
}

/// Files as they are found, by their names.
#[derive(Clone, Default)]
struct Copy {
    digests: Vec<(String, Vec<u8>)>,
    logs: Vec<(String, Vec<u8>)>,
    beside: Vec<Vec<u8>>,
    keys: Vec<u8>,
}

impl Copy {
    fn of(trail: &Trail) -> Self {
        let named =
            |file: &chain::Delivered| (format!("copy/{}", file.object), file.content.clone());
        Self {
            digests: trail
                .digests
                .iter()
                .map(|digest| named(&digest.delivered))
                .collect(),
            logs: trail.logs.iter().map(named).collect(),
            beside: Vec::new(),
            keys: trail.signer.keys().into_bytes(),
        }
    }

    fn verify(&self) -> Verification {
        let keys: Vec<PublicKey> = parse_keys(&"keys.json".into(), &self.keys).0;
        let logs: Vec<LogFile> = self
            .logs
            .iter()
            .map(|(name, content)| LogFile {
                file: name.as_str().into(),
                sha256: Some(sha2::Sha256::digest(content).into()),
                is_log: true,
            })
            .collect();
        let signatures: Vec<Signature> = self
            .beside
            .iter()
            .filter_map(|content| parse_signature(&"beside".into(), content))
            .collect();
        let mut digests: Vec<(Arc<str>, Digest)> = Vec::new();
        let mut broken = Vec::new();
        for (name, content) in &self.digests {
            match Digest::parse(content) {
                Ok(digest) => digests.push((name.as_str().into(), digest)),
                Err(error) => broken.push((name.as_str().into(), error.to_string())),
            }
        }
        verify(Given {
            digests,
            broken,
            logs: &logs,
            keys: &keys,
            signatures: &signatures,
        })
    }
}

fn holes(evidence: &Verification) -> Vec<(HoleKind, &str)> {
    evidence
        .holes
        .iter()
        .map(|hole| (hole.kind, hole.name()))
        .collect()
}

fn proofs(evidence: &Verification) -> Vec<Proof> {
    evidence.digests.iter().map(|digest| digest.proof).collect()
}

/// Writes another value into a digest.
fn edit(content: &mut Vec<u8>, edit: impl FnOnce(&mut Value)) {
    let mut digest = serde_json::from_slice(content).unwrap();
    edit(&mut digest);
    *content = digest.to_string().into_bytes();
}

use Proof::{Altered, Missing, Proven, Unlisted, Unproven};

#[test]
fn of_a_whole_copy_only_the_newest_is_unproven() {
    let trail = trail(6);
    let mut copy = Copy::of(&trail);
    let evidence = copy.verify();
    assert_eq!(holes(&evidence), []);
    assert_eq!(
        proofs(&evidence),
        [Proven, Proven, Proven, Proven, Proven, Unproven]
    );
    assert_eq!((evidence.count(Proven), evidence.count(Unproven)), (10, 2));
    assert!(evidence.moved.is_empty() && evidence.repeated.is_empty());
    let chain = &evidence.chains[0];
    assert_eq!((chain.digests, chain.digests_proven), (6, 5));
    assert_eq!((chain.logs, chain.logs_proven), (12, 10));
    assert_eq!(chain.proven.len(), 1);
    assert_eq!(chain.proven[0].until, trail.digests[4].end);
    assert_eq!(evidence.keys[0].digests, 5);

    // Its signature may be saved beside it, under any name.
    let signature = &trail.digests[5].signature;
    copy.beside = vec![
        json!({"Metadata": {"signature": "00".repeat(256)}})
            .to_string()
            .into_bytes(),
        json!({"Metadata": {"signature": signature, "signature-algorithm": "SHA256withRSA"}})
            .to_string()
            .into_bytes(),
    ];
    let evidence = copy.verify();
    assert!(proofs(&evidence).iter().all(|proof| *proof == Proven));
    assert_eq!(evidence.count(Proven), 12);
}

#[test]
fn what_was_done_to_log_files_is_named() {
    let mut copy = Copy::of(&trail(6));
    copy.logs[2].1.push(b' ');
    let (missing, _) = copy.logs.remove(5);
    let (renamed, elsewhere) = ("copy/other.json".to_owned(), "moved/".to_owned());
    copy.logs[0].0 = renamed.clone();
    copy.logs[1].0 = elsewhere.clone() + copy.logs[1].0.rsplit('/').next().unwrap();
    let again = ("again.json.gz".to_owned(), copy.logs[3].1.clone());
    copy.logs.push(again);
    let planted = "111122223333_CloudTrail_eu-west-1_20260302T0230Z_0.json.gz".to_owned();
    copy.logs.push((planted.clone(), b"{}".to_vec()));
    let evidence = copy.verify();
    assert_eq!(
        holes(&evidence),
        [
            (HoleKind::AlteredLog, copy.logs[2].0.as_str()),
            (
                HoleKind::MissingLog,
                &*missing.replacen("copy/", "org-logs/", 1)
            ),
        ]
    );
    assert_eq!(evidence.holes[1].from, evidence.holes[1].until);
    assert_eq!(
        evidence.holes[1].from.unwrap().to_string(),
        "2026-03-02T02:00:00Z"
    );
    let moved: Vec<(&str, bool)> = evidence
        .moved
        .iter()
        .map(|moved| (&*moved.file, moved.renamed))
        .collect();
    assert_eq!(moved, [(&*renamed, true), (copy.logs[1].0.as_str(), false)]);
    assert_eq!(&*evidence.repeated[0].file, "again.json.gz");
    assert_eq!(evidence.repeated.len(), 1);
    assert_eq!(evidence.proof_of("again.json.gz"), Some(Proven));
    assert_eq!(evidence.proof_of(&renamed), Some(Proven));
    assert_eq!(evidence.proof_of(&planted), Some(Unlisted));
    assert_eq!((evidence.count(Missing), evidence.count(Altered)), (1, 1));
}

#[test]
fn a_good_copy_beside_an_altered_one_proves_and_both_are_told() {
    let mut copy = Copy::of(&trail(4));
    let (name, content) = copy.logs[0].clone();
    copy.logs.push((
        name.replacen("copy/", "second/", 1),
        [&content[..], b" "].concat(),
    ));
    let evidence = copy.verify();
    assert_eq!(evidence.proof_of(&name), Some(Proven));
    assert_eq!(holes(&evidence)[0].0, HoleKind::AlteredLog);
    assert!(evidence.holes[0].reason.contains("another file is as"));
}

#[test]
fn files_in_one_folder_are_not_moved_and_other_compression_does_no_harm() {
    let mut copy = Copy::of(&trail(4));
    for (name, _) in copy.logs.iter_mut().chain(&mut copy.digests) {
        *name = name.rsplit('/').next().unwrap().to_owned();
    }
    let evidence = copy.verify();
    assert!(evidence.moved.is_empty() && evidence.holes.is_empty());
    assert_eq!(evidence.count(Proven), 6);
}

#[test]
fn an_altered_digest_is_named_and_those_before_it_stay_proven() {
    let mut copy = Copy::of(&trail(6));
    // To hide that a log was altered, its hash is altered too.
    copy.logs[6].1.push(b' ');
    let hash = chain::hexadecimal(&sha2::Sha256::digest(&copy.logs[6].1));
    edit(&mut copy.digests[3].1, |digest| {
        digest["logFiles"][0]["hashValue"] = hash.into();
    });
    let evidence = copy.verify();
    assert_eq!(
        holes(&evidence),
        [(HoleKind::AlteredDigest, copy.digests[3].0.as_str())]
    );
    assert_eq!(
        proofs(&evidence),
        [Proven, Proven, Proven, Altered, Proven, Unproven]
    );
    // What it lists is not proven by it.
    assert_eq!(evidence.proof_of(&copy.logs[6].0), Some(Unproven));
    assert_eq!(evidence.proof_of(&copy.logs[7].0), Some(Unproven));
    assert_eq!(evidence.proof_of(&copy.logs[5].0), Some(Proven));
}

#[test]
fn an_altered_signature_harms_nothing_that_a_hash_proves() {
    let mut copy = Copy::of(&trail(5));
    // The one carried by the newest, which nothing proves: one of the two was altered.
    edit(&mut copy.digests[4].1, |digest| {
        digest["previousDigestSignature"] = "00".repeat(256).into();
    });
    let evidence = copy.verify();
    assert_eq!(
        proofs(&evidence),
        [Proven, Proven, Proven, Altered, Unproven]
    );
    assert!(
        evidence.holes[0]
            .reason
            .contains("or the digest after it was")
    );
}

#[test]
fn a_missing_digest_is_named_with_its_time() {
    let mut copy = Copy::of(&trail(6));
    let (name, _) = copy.digests.remove(2);
    let evidence = copy.verify();
    assert_eq!(
        holes(&evidence),
        [(
            HoleKind::MissingDigest,
            &*name.replacen("copy/", "org-logs/", 1)
        )]
    );
    let hole = &evidence.holes[0];
    assert_eq!(hole.from.unwrap().to_string(), "2026-03-02T02:00:00Z");
    assert_eq!(hole.until.unwrap().to_string(), "2026-03-02T03:00:00Z");
    // It carried the signature of the one before, and only that.
    assert_eq!(
        proofs(&evidence),
        [Proven, Unproven, Proven, Proven, Unproven]
    );
    // The log files that it listed are not taken for planted ones.
    assert_eq!(evidence.proof_of(&copy.logs[4].0), Some(Unproven));
    assert_eq!(evidence.count(Unlisted), 0);
}

#[test]
fn a_digest_that_cannot_be_read_is_an_altered_one() {
    let mut copy = Copy::of(&trail(4));
    copy.digests[1].1.truncate(40);
    let evidence = copy.verify();
    assert_eq!(
        holes(&evidence),
        [(HoleKind::AlteredDigest, copy.digests[1].0.as_str())]
    );
}

#[test]
fn a_part_of_a_chain_goes_on_before_and_has_no_hole() {
    let mut copy = Copy::of(&trail(6));
    copy.digests.drain(..2);
    copy.logs.drain(..4);
    let evidence = copy.verify();
    assert!(evidence.holes.is_empty());
    assert!(evidence.chains[0].goes_on_before);
}

#[test]
fn a_chain_that_begins_anew_leaves_a_gap() {
    let mut trail = trail(3);
    trail.now = "2026-03-02T09:00:00Z".parse().unwrap();
    trail.first_hour(&[]);
    trail.hour(&[]);
    let evidence = Copy::of(&trail).verify();
    let hole = &evidence.holes[0];
    assert_eq!((evidence.holes.len(), hole.kind), (1, HoleKind::Gap));
    assert_eq!(hole.from.unwrap().to_string(), "2026-03-02T03:00:00Z");
    assert_eq!(hole.until.unwrap().to_string(), "2026-03-02T09:00:00Z");
    assert_eq!(evidence.chains[0].proven.len(), 2);
}

#[test]
fn a_trail_may_change_its_bucket() {
    let mut trail = trail(3);
    trail.bucket = "new-logs".into();
    trail.hour(&[vec![json!({"eventTime": "2026-03-02T03:10:00Z"})]]);
    trail.hour(&[]);
    let evidence = Copy::of(&trail).verify();
    assert!(evidence.holes.is_empty());
    assert_eq!(evidence.chains.len(), 1);
    assert_eq!(evidence.chains[0].digests_proven, 4);
}

#[test]
fn chains_of_regions_accounts_and_trails_are_apart() {
    let mut whole = Copy::default();
    for (account, region, name) in [
        ("111122223333", "eu-west-1", "org_trail"),
        ("111122223333", "us-east-1", "org_trail"),
        ("444455556666", "eu-west-1", "org_trail"),
        ("444455556666", "eu-west-1", "own"),
    ] {
        let mut trail = Trail::new(account, region);
        trail.name = name.into();
        for hour in 0..3 {
            trail.hour(&[vec![
                json!({"eventID": format!("{account}{region}{name}{hour}")}),
            ]]);
        }
        let copy = Copy::of(&trail);
        whole.keys = copy.keys;
        whole.digests.extend(copy.digests);
        whole.logs.extend(copy.logs);
    }
    let evidence = whole.verify();
    assert_eq!(evidence.chains.len(), 4);
    assert!(evidence.holes.is_empty());
    assert!(
        evidence
            .chains
            .iter()
            .all(|chain| chain.digests_proven == 2)
    );
}

#[test]
fn backfill_digests_list_what_came_late_in_a_chain_of_their_own() {
    let mut trail = trail(4);
    let now = trail.now;
    trail.now = "2026-03-02T01:00:00Z".parse().unwrap();
    let late = vec![json!({"eventTime": "2026-03-02T01:30:00Z", "eventID": "late"})];
    trail.digest(&[late], None, "_backfill");
    let first = trail.digests.last().cloned();
    trail.now = now;
    trail.digest(&[], first.as_ref(), "_backfill");
    let evidence = Copy::of(&trail).verify();
    assert!(evidence.holes.is_empty(), "{:?}", evidence.holes);
    let backfill = evidence.chains.iter().find(|chain| chain.place.backfill);
    assert_eq!(backfill.unwrap().digests_proven, 1);
    assert_eq!(evidence.count(Proven), 7);
}

#[test]
fn with_another_key_or_none_nothing_is_proven_or_altered() {
    let trail = trail(4);
    let mut copy = Copy::of(&trail);
    for (keys, reason) in [
        (Signer::two().keys(), "no public key with the fingerprint"),
        (String::new(), "no public key is given"),
    ] {
        copy.keys = keys.into_bytes();
        let evidence = copy.verify();
        assert!(proofs(&evidence).iter().all(|proof| *proof == Unproven));
        assert!(evidence.digests[0].reason.contains(reason));
        assert_eq!((holes(&evidence).len(), evidence.count(Unproven)), (0, 8));
    }
    // Hashes speak also without keys.
    copy.logs[0].1.push(b' ');
    copy.digests[1].1.push(b' ');
    let evidence = copy.verify();
    let kinds: Vec<HoleKind> = holes(&evidence).iter().map(|hole| hole.0).collect();
    assert_eq!(kinds, [HoleKind::AlteredLog, HoleKind::AlteredDigest]);
}

#[test]
fn a_forged_chain_with_a_key_of_its_own_is_not_proven() {
    let genuine = trail(4);
    let mut forged = Trail::new("111122223333", "eu-west-1");
    forged.signer = Signer::two();
    for _ in 0..4 {
        forged.hour(&[vec![json!({"eventID": "forged"})]]);
    }
    let mut copy = Copy::of(&forged);
    copy.keys = genuine.signer.keys().into_bytes();
    assert!(
        proofs(&copy.verify())
            .iter()
            .all(|proof| *proof == Unproven)
    );
    // Under the name of the genuine key the signatures are wrong.
    for (_, content) in &mut copy.digests {
        edit(content, |digest| {
            digest["digestPublicKeyFingerprint"] = genuine.signer.fingerprint().into();
        });
    }
    let evidence = copy.verify();
    assert_eq!(evidence.count(Proven), 0);
    assert_eq!(evidence.holes.len(), 3);
}

#[test]
fn a_key_signs_only_while_it_is_in_use() {
    let trail = trail(6);
    let mut copy = Copy::of(&trail);
    copy.keys = trail
        .signer
        .key_list("2026-01-01T00:00:00+00:00", "2026-03-02T03:30:00+00:00")
        .into_bytes();
    let evidence = copy.verify();
    assert_eq!(
        proofs(&evidence),
        [Proven, Proven, Proven, Unproven, Unproven, Unproven]
    );
    assert!(evidence.digests[3].reason.contains("in use from"));
    // A key that begins later: the hash in a proven digest proves those before.
    copy.keys = trail
        .signer
        .key_list("2026-03-02T04:30:00+00:00", "2026-12-31T00:00:00+00:00")
        .into_bytes();
    let evidence = copy.verify();
    assert_eq!(evidence.chains[0].digests_proven, 5);
    assert!(evidence.digests[0].reason.contains("its hash stands in"));
}

#[test]
fn digests_that_refer_to_each_other_do_no_harm() {
    let mut copy = Copy::of(&trail(3));
    let last = copy.digests[2].0.replacen("copy/", "", 1);
    edit(&mut copy.digests[0].1, |digest| {
        digest["previousDigestS3Bucket"] = "org-logs".into();
        digest["previousDigestS3Object"] = last.into();
    });
    let evidence = copy.verify();
    assert_eq!(proofs(&evidence), [Altered, Proven, Unproven]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever one file is changed, it is named and nothing else is; and the order does not show.
    #[test]
    fn one_change_is_one_hole(log in 0..10usize, digest in 0..4usize, what in 0..4u8, seed in any::<u64>()) {
        let mut copy = Copy::of(&trail(5));
        let named = match what {
            0 => { copy.logs[log].1.push(b'\n'); copy.logs[log].0.clone() }
            1 => copy.logs.remove(log).0,
            2 => { copy.digests[digest].1.push(b'\n'); copy.digests[digest].0.clone() }
            // Without the first the chain merely begins later.
            _ => copy.digests.remove(digest.max(1)).0,
        };
        let evidence = copy.verify();
        let tail = named.trim_start_matches("copy/");
        prop_assert_eq!(evidence.holes.len(), 1);
        prop_assert!(evidence.holes[0].name().ends_with(tail));
        let turn = (seed % 4) as usize;
        copy.digests.rotate_left(turn);
        copy.logs.reverse();
        prop_assert_eq!(evidence, copy.verify());
    }
}
