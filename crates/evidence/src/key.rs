use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use md5::{Digest, Md5};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;

use crate::{der, hexadecimal};

/// A public key that CloudTrail's digests are signed with. Each region has its own, and they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The MD5 of the key's PKCS #1 DER, in hexadecimal: what `digestPublicKeyFingerprint` names.
    pub fingerprint: String,
    /// From when on CloudTrail signs with it; `None` where that is not known.
    pub valid_from: Option<Timestamp>,
    /// Until when CloudTrail signs with it.
    pub valid_until: Option<Timestamp>,
    /// The file that it was read from.
    pub file: Arc<str>,
    pkcs1: Vec<u8>,
}

/// A file that is not of public keys, or a key in it that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// Nothing in the file is a key.
    #[error(
        "{0}: no public key; expected what `aws cloudtrail list-public-keys` prints, or an RSA public \
         key as PEM or DER"
    )]
    NoKey(Arc<str>),
    /// One key of the file cannot be read.
    #[error("{file}: key {number}: {reason}")]
    Broken {
        /// The file.
        file: Arc<str>,
        /// Which key in it, from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
}

/// What `aws cloudtrail list-public-keys` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyList {
    public_key_list: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    value: String,
    fingerprint: Option<String>,
    validity_start_time: Option<Moment>,
    validity_end_time: Option<Moment>,
}

/// A time as the AWS CLI writes it: seconds since 1970, or ISO 8601.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(f64),
    Text(Timestamp),
}

impl Moment {
    fn time(self) -> Option<Timestamp> {
        match self {
            Moment::Seconds(seconds) => Timestamp::from_second(seconds as i64).ok(),
            Moment::Text(time) => Some(time),
        }
    }
}

/// The keys of a file: the JSON of `aws cloudtrail list-public-keys` (that of several regions one
/// after the other too), PEM with one key or more, or the DER of one. Keys that can be read are given
/// beside those that cannot.
pub fn parse_keys(file: &Arc<str>, bytes: &[u8]) -> (Vec<PublicKey>, Vec<KeyError>) {
    let mut found = Found {
        file: file.clone(),
        number: 0,
        keys: Vec::new(),
        errors: Vec::new(),
    };
    match bytes.trim_ascii_start() {
        [b'{' | b'[', ..] => found.json(bytes),
        text if text.starts_with(b"-----BEGIN ") => {
            for key in der::pem(&String::from_utf8_lossy(text)) {
                found.add(key.as_deref(), None, None);
            }
        }
        _ if der::rsa_public_key(bytes).is_some() => found.add(Some(bytes), None, None),
        _ => {}
    }
    if found.keys.is_empty() && found.errors.is_empty() {
        found.errors.push(KeyError::NoKey(file.clone()));
    }
    (found.keys, found.errors)
}

struct Found {
    file: Arc<str>,
    number: usize,
    keys: Vec<PublicKey>,
    errors: Vec<KeyError>,
}

impl Found {
    fn json(&mut self, bytes: &[u8]) {
        for list in serde_json::Deserializer::from_slice(bytes).into_iter::<OneOrMore>() {
            match list {
                Ok(OneOrMore::One(list)) => self.list(list),
                Ok(OneOrMore::More(lists)) => lists.into_iter().for_each(|list| self.list(list)),
                Err(error) => {
                    self.number += 1;
                    self.broken(format!(
                        "not what `aws cloudtrail list-public-keys` prints: {error}"
                    ));
                    return;
                }
            }
        }
    }

    fn list(&mut self, list: KeyList) {
        for listed in list.public_key_list {
            let value = STANDARD.decode(listed.value.trim()).ok();
            let times = (
                listed.validity_start_time.and_then(Moment::time),
                listed.validity_end_time.and_then(Moment::time),
            );
            self.add(value.as_deref(), Some(times), listed.fingerprint.as_deref());
        }
    }

    fn add(
        &mut self,
        key: Option<&[u8]>,
        times: Option<(Option<Timestamp>, Option<Timestamp>)>,
        declared: Option<&str>,
    ) {
        self.number += 1;
        let Some(pkcs1) = key.and_then(der::rsa_public_key) else {
            return self.broken("not an RSA public key".to_owned());
        };
        let fingerprint = hexadecimal(&Md5::digest(pkcs1));
        // What stands beside a key is not signed; the key itself says what its fingerprint is.
        if let Some(declared) = declared
            && !declared.eq_ignore_ascii_case(&fingerprint)
        {
            return self.broken(format!(
                "its fingerprint is {fingerprint}, and {declared} stands beside it"
            ));
        }
        let (valid_from, valid_until) = times.unwrap_or_default();
        self.keys.push(PublicKey {
            fingerprint,
            valid_from,
            valid_until,
            file: self.file.clone(),
            pkcs1: pkcs1.to_vec(),
        });
    }

    fn broken(&mut self, reason: String) {
        self.errors.push(KeyError::Broken {
            file: self.file.clone(),
            number: self.number,
            reason,
        });
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(KeyList),
    More(Vec<KeyList>),
}

impl PublicKey {
    /// Whether a signature is this key's: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2),
    /// which CloudTrail calls `SHA256withRSA`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.pkcs1)
            .verify(message, signature)
            .is_ok()
    }

    /// Whether CloudTrail signed with it then, as far as is known.
    pub(crate) fn is_valid_at(&self, time: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= time)
            && self.valid_until.is_none_or(|until| time <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the documentation of `list-public-keys`.
    const VALUE: &str = "MIIBCgKCAQEAlSS3cl92HDycr/MTj0moOhas8habjrraXw+KzlWF0axSI2tcF+3iJ9BKQAVSKxGwxwu3m0wG3J+kUl1xboEcEPHYoIYMbgfSw7KGnuDKwkLzsQWhUJ0cIbOHASox1vv/5fNXkrHhGbDCHeVXm804c83nvHUEFYThr1PfyP/8HwrCtR3FX5OANtQCP61C1nJtSSkC8JSQUOrIP4CuwJjc+4WGDk+BGH5m9iuiAKkipEHWmUl8/P7XpfpWQuk4h8g3pXZOrNXr08lbh4d39svj7UqdhvOXoBISp9t/EXYuePGEtBdrKD9Dz+VHwyUPtBQvYr9BnkF88qBnaPNhS44rzwIDAQAB";
    const FINGERPRINT: &str = "7f3f401420072e50a65a141430817ab3";

    fn file() -> Arc<str> {
        "keys".into()
    }

    #[test]
    fn the_documented_example_has_its_fingerprint() {
        let text = format!(
            r#"{{"PublicKeyList": [{{"ValidityStartTime": 1453076702.0, "ValidityEndTime": "2016-02-17T00:25:02+00:00", "Value": "{VALUE}", "Fingerprint": "{FINGERPRINT}"}}]}}"#
        );
        let (keys, errors) = parse_keys(&file(), text.as_bytes());
        assert_eq!(errors, []);
        assert_eq!(keys[0].fingerprint, FINGERPRINT);
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(keys[0].valid_from, Some(time("2016-01-18T00:25:02Z")));
        assert!(keys[0].is_valid_at(time("2016-02-17T00:25:02Z")));
        assert!(!keys[0].is_valid_at(time("2016-02-17T00:25:03Z")));
        // Of several regions, one after the other or in a list.
        let (keys, _) = parse_keys(&file(), format!("{text}\n{text}").as_bytes());
        assert_eq!(keys.len(), 2);
        let (keys, _) = parse_keys(&file(), format!("[{text},{text}]").as_bytes());
        assert_eq!(keys.len(), 2);
    }

    #[test]
    fn keys_are_read_in_each_of_their_forms() {
        let pkcs1 = STANDARD.decode(VALUE).unwrap();
        let wrapped: Vec<u8> = [
            &[0x30, 0x82, 0x01, 0x22, 0x30, 0x0d][..],
            der_rsa(),
            &[0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00],
            &pkcs1,
        ]
        .concat();
        let pem = |label: &str, der: &[u8]| {
            let text = STANDARD.encode(der);
            let lines: Vec<&str> = text
                .as_bytes()
                .chunks(64)
                .map(|line| std::str::from_utf8(line).unwrap())
                .collect();
            format!(
                "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
                lines.join("\n")
            )
        };
        let both = pem("RSA PUBLIC KEY", &pkcs1) + &pem("PUBLIC KEY", &wrapped);
        for (bytes, count) in [
            (pkcs1.clone(), 1),
            (wrapped.clone(), 1),
            (both.into_bytes(), 2),
        ] {
            let (keys, errors) = parse_keys(&file(), &bytes);
            assert_eq!((keys.len(), errors.len()), (count, 0));
            assert!(keys.iter().all(|key| key.fingerprint == FINGERPRINT));
        }
    }

    fn der_rsa() -> &'static [u8] {
        &[
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
        ]
    }

    #[test]
    fn what_is_wrong_is_told_and_the_rest_is_used() {
        let text = format!(
            r#"{{"PublicKeyList": [{{"Value": "AAAA"}}, {{"Value": "{VALUE}", "Fingerprint": "00"}}, {{"Value": "{VALUE}"}}]}}"#
        );
        let (keys, errors) = parse_keys(&file(), text.as_bytes());
        assert_eq!(keys.len(), 1);
        assert!(errors[0].to_string().contains("key 1: not an RSA"));
        assert!(errors[1].to_string().contains("00 stands beside it"));
        for bytes in [
            &b""[..],
            b"hello",
            b"{\"PublicKeyList\": []}",
            b"-----BEGIN RSA PUBLIC KEY",
            &[0x30, 0x82, 0xff],
        ] {
            let (keys, errors) = parse_keys(&file(), bytes);
            assert!(keys.is_empty());
            assert_eq!(errors, [KeyError::NoKey(file())]);
        }
        let (_, errors) = parse_keys(&file(), b"{\"Keys\": 1}");
        assert!(errors[0].to_string().contains("list-public-keys"));
    }

    #[test]
    fn a_private_key_is_none() {
        let text = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let (keys, errors) = parse_keys(&file(), text.as_bytes());
        assert!(keys.is_empty() && errors == [KeyError::NoKey(file())]);
    }
}
