use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Hash, from_hexadecimal, hexadecimal, paths};

/// One digest file: what CloudTrail delivered to one bucket, of one region, in about an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// From when on log files were delivered that it lists.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// The bucket that it was delivered to.
    pub bucket: String,
    /// Its key there.
    pub object: String,
    /// The fingerprint of the key that it is signed with.
    pub fingerprint: String,
    /// The digest before; `None` in the first of a chain.
    pub previous: Option<Previous>,
    /// The log files, in the order in which they are listed.
    pub logs: Vec<ListedLog>,
    /// The SHA-256 of its content, uncompressed.
    pub sha256: Hash,
    place: Place,
    /// Exactly as written, since it is signed.
    end_text: String,
    /// Exactly as written; `null` where there is none.
    previous_signature: Option<String>,
    algorithm: String,
}

/// What a digest says of the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Its bucket.
    pub bucket: String,
    /// Its key there.
    pub object: String,
    /// The SHA-256 of its content, where it is told in that algorithm.
    pub sha256: Option<Hash>,
}

/// A log file as a digest lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedLog {
    /// The bucket that it was delivered to.
    pub bucket: String,
    /// Its key there.
    pub object: String,
    /// The SHA-256 of its content, uncompressed; `None` where it is told in another algorithm.
    pub sha256: Option<Hash>,
    /// The time of its first event.
    pub oldest: Option<Timestamp>,
    /// The time of its last event.
    pub newest: Option<Timestamp>,
}

/// Whose digests make one chain: those of one trail, account and region. Backfill digests, which list
/// what was left out by delay, follow one another apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The account that the logs are of.
    pub account: String,
    /// The region that they are of.
    pub region: String,
    /// The trail's name.
    pub trail: String,
    /// The trail's home region.
    pub home: String,
    /// Whether these are backfill digests.
    pub backfill: bool,
}

/// A file that is no digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DigestError {
    /// It is not JSON, or lacks a field.
    #[error("not a digest file of CloudTrail: {0}")]
    Form(String),
    /// It says that it ends before it begins.
    #[error("a digest that ends before it begins")]
    Order,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    aws_account_id: String,
    digest_start_time: Timestamp,
    digest_end_time: String,
    digest_s3_bucket: String,
    digest_s3_object: String,
    digest_public_key_fingerprint: String,
    digest_signature_algorithm: String,
    previous_digest_s3_bucket: Option<String>,
    previous_digest_s3_object: Option<String>,
    previous_digest_hash_value: Option<String>,
    previous_digest_hash_algorithm: Option<String>,
    previous_digest_signature: Option<String>,
    #[serde(default)]
    log_files: Vec<RawLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLog {
    s3_bucket: String,
    s3_object: String,
    hash_value: String,
    hash_algorithm: String,
    newest_event_time: Option<Timestamp>,
    oldest_event_time: Option<Timestamp>,
}

/// The only algorithms that are documented.
const HASH: &str = "SHA-256";
const SIGNATURE: &str = "SHA256withRSA";

fn hash(value: &str, algorithm: &str) -> Option<Hash> {
    let bytes = (algorithm == HASH).then(|| from_hexadecimal(value))??;
    bytes.try_into().ok()
}

impl Digest {
    /// Reads the content of a digest file, uncompressed.
    pub fn parse(content: &[u8]) -> Result<Self, DigestError> {
        let raw: Raw = serde_json::from_slice(content)
            .map_err(|error| DigestError::Form(error.to_string()))?;
        let end: Timestamp = raw
            .digest_end_time
            .parse()
            .map_err(|error| DigestError::Form(format!("digestEndTime: {error}")))?;
        if end < raw.digest_start_time {
            return Err(DigestError::Order);
        }
        let previous = raw
            .previous_digest_s3_bucket
            .zip(raw.previous_digest_s3_object)
            .map(|(bucket, object)| Previous {
                bucket,
                object,
                sha256: raw
                    .previous_digest_hash_value
                    .zip(raw.previous_digest_hash_algorithm)
                    .and_then(|(value, algorithm)| hash(&value, &algorithm)),
            });
        let place = paths::place_of_digest(&raw.digest_s3_object, &raw.aws_account_id);
        Ok(Self {
            start: raw.digest_start_time,
            end,
            bucket: raw.digest_s3_bucket,
            object: raw.digest_s3_object,
            fingerprint: raw.digest_public_key_fingerprint,
            previous,
            logs: raw
                .log_files
                .into_iter()
                .map(|log| ListedLog {
                    sha256: hash(&log.hash_value, &log.hash_algorithm),
                    bucket: log.s3_bucket,
                    object: log.s3_object,
                    oldest: log.oldest_event_time,
                    newest: log.newest_event_time,
                })
                .collect(),
            sha256: Sha256::digest(content).into(),
            place,
            end_text: raw.digest_end_time,
            previous_signature: raw.previous_digest_signature,
            algorithm: raw.digest_signature_algorithm,
        })
    }

    /// The chain that it belongs to.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where it was delivered: bucket and key.
    pub fn name(&self) -> String {
        format!("{}/{}", self.bucket, self.object)
    }

    /// What CloudTrail signs of it: its end, where it was delivered, its hash, and the signature of
    /// the digest before, as lines. The first of a chain has `null` there.
    pub(crate) fn signed_text(&self) -> String {
        format!(
            "{}\n{}/{}\n{}\n{}",
            self.end_text,
            self.bucket,
            self.object,
            hexadecimal(&self.sha256),
            self.previous_signature.as_deref().unwrap_or("null"),
        )
    }

    /// The signature of the digest before, which it carries.
    pub(crate) fn carried_signature(&self) -> Option<Vec<u8>> {
        from_hexadecimal(self.previous_signature.as_deref()?)
    }

    /// Whether it is signed in the way that is documented.
    pub(crate) fn has_known_algorithm(&self) -> bool {
        self.algorithm == SIGNATURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of the documentation's example, with a hash in place of a name of its own.
    fn example(previous: &str) -> String {
        format!(
            r#"{{"awsAccountId": "111122223333", "digestStartTime": "2015-08-17T14:01:31Z",
            "digestEndTime": "2015-08-17T15:01:31Z", "digestS3Bucket": "b", "digestS3Object": "o",
            "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
            "digestSignatureAlgorithm": "SHA256withRSA", "newestEventTime": "2015-08-17T14:52:27Z",
            "oldestEventTime": "2015-08-17T14:42:27Z", {previous}
            "logFiles": [{{"s3Bucket": "b", "s3Object": "l",
            "hashValue": "9bb6196fc6b84d6f075a56548feca262bd99ba3c2de41b618e5b6e22c1fc71f6",
            "hashAlgorithm": "SHA-256", "newestEventTime": "2015-08-17T14:52:27Z",
            "oldestEventTime": "2015-08-17T14:42:27Z"}}]}}"#
        )
    }

    #[test]
    fn the_documented_shape_is_read() {
        let text = example(
            r#""previousDigestS3Bucket": "b", "previousDigestS3Object": "p",
            "previousDigestHashValue": "97fb791cf91ffc440d274f8190dbdd9aa09c34432aba82739df18b6d3c13df2d",
            "previousDigestHashAlgorithm": "SHA-256", "previousDigestSignature": "50887ccf","#,
        );
        let digest = Digest::parse(text.as_bytes()).unwrap();
        assert_eq!(digest.previous.as_ref().unwrap().object, "p");
        assert!(digest.previous.as_ref().unwrap().sha256.is_some());
        assert_eq!(digest.logs[0].sha256.unwrap()[0], 0x9b);
        let hash = hexadecimal(&Sha256::digest(text.as_bytes()));
        assert_eq!(
            digest.signed_text(),
            format!("2015-08-17T15:01:31Z\nb/o\n{hash}\n50887ccf")
        );
    }

    #[test]
    fn the_first_of_a_chain_has_null_in_place_of_a_signature() {
        let nulls = r#""previousDigestS3Bucket": null, "previousDigestS3Object": null,
            "previousDigestHashValue": null, "previousDigestHashAlgorithm": null,
            "previousDigestSignature": null,"#;
        for previous in [nulls, ""] {
            let digest = Digest::parse(example(previous).as_bytes()).unwrap();
            assert!(digest.previous.is_none() && digest.carried_signature().is_none());
            assert!(digest.signed_text().ends_with("\nnull"));
        }
    }

    #[test]
    fn what_is_no_digest_is_told() {
        let lacking = example("").replace("digestS3Object", "x");
        let error = Digest::parse(lacking.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("digestS3Object"), "{error}");
        let turned = example("").replace("15:01:31", "13:01:31");
        assert_eq!(Digest::parse(turned.as_bytes()), Err(DigestError::Order));
        assert!(Digest::parse(b"").is_err());
    }

    #[test]
    fn another_algorithm_is_no_hash() {
        let digest = Digest::parse(example("").replace("\"SHA-256\"", "\"MD5\"").as_bytes());
        assert_eq!(digest.unwrap().logs[0].sha256, None);
    }
}
