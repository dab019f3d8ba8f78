//! Any bytes as digests, public keys and metadata: reading and verifying them never panics, and what no
//! key signed is not proven.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_evidence::{Digest, Given, parse_keys, parse_signature, verify};
use portreeve_model::Proof;

fuzz_target!(|data: &[u8]| {
    let file = "input".into();
    let (keys, errors) = parse_keys(&file, data);
    assert!(!keys.is_empty() || !errors.is_empty());
    let signatures: Vec<_> = parse_signature(&file, data).into_iter().collect();
    // Several digests, parted by a byte that JSON holds nowhere.
    let digests: Vec<_> = data
        .split(|byte| *byte == 0)
        .filter_map(|part| Digest::parse(part).ok())
        .enumerate()
        .map(|(number, digest)| (number.to_string().into(), digest))
        .collect();
    let evidence = verify(Given {
        digests,
        signatures: &signatures,
        ..Given::default()
    });
    assert!(
        evidence
            .digests
            .iter()
            .all(|digest| digest.proof != Proof::Proven)
    );
    assert!(evidence.logs.iter().all(|log| log.proof == Proof::Missing));
});
