//! Whether log files are those that were delivered: CloudTrail's chain of digests, verified from
//! the files alone.
//!
//! Every hour CloudTrail writes a digest: the hashes of the log files that it delivered, the hash of
//! the digest before, and the signature of the digest before. Its own signature is kept beside it, in
//! the metadata of the object in S3. A copy of the files has no metadata; yet each digest but the newest
//! is signed, for the signature stands in the next one. A digest is proven by its signature, or by its
//! hash in a proven later one; a log file by its hash in a proven digest, wherever it lies and
//! whatever it is called.
//!
//! The form is documented in the CloudTrail user guide, "CloudTrail digest file structure" and "Custom
//! implementations of CloudTrail log file integrity validation".
//!
//! This crate is the only one that does cryptography, and all of it is checks with public keys. Bytes
//! come in, [`Verification`] comes out; files are opened elsewhere.
//!
//! ```
//! use portreeve_evidence::{Digest, Given, verify};
//!
//! let digest = Digest::parse(br#"{"awsAccountId": "111122223333",
//!     "digestStartTime": "2026-03-02T14:01:31Z", "digestEndTime": "2026-03-02T15:01:31Z",
//!     "digestS3Bucket": "logs", "digestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/02/111122223333_CloudTrail-Digest_eu-west-1_main_eu-west-1_20260302T150131Z.json.gz",
//!     "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
//!     "digestSignatureAlgorithm": "SHA256withRSA", "previousDigestSignature": null, "logFiles": []}"#)?;
//! assert_eq!((digest.place().region.as_str(), digest.place().trail.as_str()), ("eu-west-1", "main"));
//!
//! let verification = verify(Given { digests: vec![("newest.json".into(), digest)], ..Given::default() });
//! // Nothing follows it that carries its signature.
//! assert_eq!(verification.digests[0].proof, portreeve_model::Proof::Unproven);
//! assert!(verification.holes.is_empty());
//! # Ok::<(), portreeve_evidence::DigestError>(())
//! ```

mod der;
mod digest;
mod key;
mod paths;
mod report;
mod signature;
mod verify;

pub use digest::{Digest, DigestError, ListedLog, Place};
pub use key::{KeyError, PublicKey, parse_keys};
pub use paths::delivery;
pub use report::{
    Chain, DigestState, EvidenceHole, HoleKind, KeyUse, LogState, Moved, Repeated, Span,
    Verification,
};
pub use signature::{Signature, parse_signature};
pub use verify::{Given, LogFile, verify};

/// The SHA-256 of something.
pub type Hash = [u8; 32];

/// Lower-case hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The bytes that hexadecimal of either case stands for; `None` for any other text.
fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .map(|digit| digit.to_digit(16))
        .collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    Some(
        pairs
            .iter()
            .map(|[high, low]| (high << 4 | low) as u8)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_back() {
        let bytes = [0, 1, 0x7f, 0xab, 0xff];
        assert_eq!(hexadecimal(&bytes), "00017fabff");
        assert_eq!(from_hexadecimal("00017FabFF").unwrap(), bytes);
        assert!(from_hexadecimal("0").is_none() && from_hexadecimal("0g").is_none());
        assert_eq!(from_hexadecimal("").unwrap(), Vec::<u8>::new());
    }
}
