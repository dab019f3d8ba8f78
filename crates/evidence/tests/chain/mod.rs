//! Writes trails with digests in CloudTrail's documented form, signed with keys that were made for
//! these tests and sign nothing else.
#![allow(dead_code, unreachable_pub)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, ToSpan};
use md5::Md5;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What signs digests.
pub struct Signer {
    pair: RsaKeyPair,
}

impl Signer {
    pub fn one() -> Self {
        Self::new(include_bytes!("one.pk8"))
    }

    pub fn two() -> Self {
        Self::new(include_bytes!("two.pk8"))
    }

    fn new(key: &[u8]) -> Self {
        Self {
            pair: RsaKeyPair::from_pkcs8(key).unwrap(),
        }
    }

    /// The public key in PKCS #1.
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub fn fingerprint(&self) -> String {
        hexadecimal(&Md5::digest(self.public_key()))
    }

    /// What `aws cloudtrail list-public-keys` prints, for a time of use.
    pub fn key_list(&self, from: &str, until: &str) -> String {
        json!({"PublicKeyList": [{
            "Value": STANDARD.encode(self.public_key()), "Fingerprint": self.fingerprint(),
            "ValidityStartTime": from, "ValidityEndTime": until,
        }]})
        .to_string()
    }

    /// The same for a key that is in use all year.
    pub fn keys(&self) -> String {
        self.key_list("2026-01-01T00:00:00+00:00", "2026-12-31T00:00:00+00:00")
    }

    pub fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .unwrap();
        hexadecimal(&signature)
    }
}

/// A file as it was delivered: its key in the bucket and its content, uncompressed.
#[derive(Clone)]
pub struct Delivered {
    pub object: String,
    pub content: Vec<u8>,
}

/// A digest with the signature that S3 keeps beside it.
#[derive(Clone)]
pub struct Signed {
    pub delivered: Delivered,
    pub signature: String,
    pub end: Timestamp,
    pub bucket: String,
}

/// One trail in one account and region.
pub struct Trail {
    pub bucket: String,
    pub account: String,
    pub region: String,
    pub name: String,
    pub signer: Signer,
    pub digests: Vec<Signed>,
    pub logs: Vec<Delivered>,
    pub now: Timestamp,
}

impl Trail {
    pub fn new(account: &str, region: &str) -> Self {
        Self {
            bucket: "org-logs".into(),
            account: account.into(),
            region: region.into(),
            name: "org_trail".into(),
            signer: Signer::one(),
            digests: Vec::new(),
            logs: Vec::new(),
            now: "2026-03-02T00:00:00Z".parse().unwrap(),
        }
    }

    /// An hour passes in which these records are delivered, in one file each list.
    pub fn hour(&mut self, files: &[Vec<Value>]) {
        let last = self.digests.last().cloned();
        self.digest(files, last.as_ref(), "");
    }

    /// An hour passes, and its digest begins a chain.
    pub fn first_hour(&mut self, files: &[Vec<Value>]) {
        self.digest(files, None, "");
    }

    pub fn digest(&mut self, files: &[Vec<Value>], previous: Option<&Signed>, suffix: &str) {
        let (start, end) = (self.now, self.now + 1.hour());
        self.now = end;
        let mut listed = Vec::new();
        for (number, records) in files.iter().enumerate() {
            let delivered = self.log(start + (5 + number as i64 % 50).minutes(), number, records);
            let times = records.iter().map(|record| record["eventTime"].clone());
            let mut times: Vec<String> = times
                .filter_map(|time| time.as_str().map(str::to_owned))
                .collect();
            times.sort();
            listed.push(json!({
                "s3Bucket": self.bucket, "s3Object": delivered.object,
                "hashValue": hexadecimal(&Sha256::digest(&delivered.content)),
                "hashAlgorithm": "SHA-256",
                "newestEventTime": times.last(), "oldestEventTime": times.first(),
            }));
            self.logs.push(delivered);
        }
        let Self {
            account,
            region,
            name,
            bucket,
            ..
        } = &*self;
        let object = format!(
            "AWSLogs/{account}/CloudTrail-Digest/{region}/{}/{account}_CloudTrail-Digest_{region}_{name}_eu-west-1_{}{suffix}.json.gz",
            end.strftime("%Y/%m/%d"),
            end.strftime("%Y%m%dT%H%M%SZ"),
        );
        let digest = json!({
            "awsAccountId": account,
            "digestStartTime": start.to_string(), "digestEndTime": end.to_string(),
            "digestS3Bucket": bucket, "digestS3Object": object,
            "digestPublicKeyFingerprint": self.signer.fingerprint(),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": null, "oldestEventTime": null,
            "previousDigestS3Bucket": previous.map(|it| &it.bucket),
            "previousDigestS3Object": previous.map(|it| &it.delivered.object),
            "previousDigestHashValue": previous.map(|it| hexadecimal(&Sha256::digest(&it.delivered.content))),
            "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"),
            "previousDigestSignature": previous.map(|it| &it.signature),
            "logFiles": listed,
        });
        let signed = self.sign(object, digest.to_string().into_bytes(), end, previous);
        self.digests.push(signed);
    }

    fn sign(
        &self,
        object: String,
        content: Vec<u8>,
        end: Timestamp,
        previous: Option<&Signed>,
    ) -> Signed {
        let text = format!(
            "{end}\n{}/{object}\n{}\n{}",
            self.bucket,
            hexadecimal(&Sha256::digest(&content)),
            previous.map_or("null", |it| it.signature.as_str()),
        );
        Signed {
            signature: self.signer.sign(&text),
            bucket: self.bucket.clone(),
            delivered: Delivered { object, content },
            end,
        }
    }

    fn log(&self, time: Timestamp, number: usize, records: &[Value]) -> Delivered {
        let Self {
            account, region, ..
        } = self;
        let unique = format!("{time} {number} {} {}", self.name, self.digests.len());
        let unique = &hexadecimal(&Sha256::digest(unique))[..16];
        Delivered {
            object: format!(
                "AWSLogs/{account}/CloudTrail/{region}/{}/{account}_CloudTrail_{region}_{}_{}.json.gz",
                time.strftime("%Y/%m/%d"),
                time.strftime("%Y%m%dT%H%MZ"),
                unique,
            ),
            content: json!({"Records": records}).to_string().into_bytes(),
        }
    }
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
