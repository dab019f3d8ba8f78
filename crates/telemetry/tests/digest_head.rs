//! Digests are told by their beginning, also where they are longer than what is looked at.

use portreeve_telemetry::{Container, recognise};

#[test]
fn a_digest_longer_than_the_sample_is_one() {
    let listed = r#"{"s3Bucket": "b", "s3Object": "o", "hashValue": "00"}"#;
    let text = format!(
        r#"{{"awsAccountId": "111122223333", "digestStartTime": "2026-03-02T14:01:31Z", "logFiles": [{}]}}"#,
        vec![listed; 4_000].join(",")
    );
    for length in [text.len(), 64 * 1024, 200] {
        let found = recognise(&text.as_bytes()[..length]).unwrap();
        assert_eq!(
            (found.format, found.container),
            ("digest", Container::Ignored)
        );
    }
}
