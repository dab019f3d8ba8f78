//! Who wrote the objects of a bundle, from the storage's own records.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One write to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Write {
    /// When.
    pub time: Timestamp,
    /// The object's name below the bundle's root.
    pub name: String,
    /// What was done: `PutObject`.
    pub operation: String,
    /// Who did it.
    pub principal: String,
    /// From which address.
    pub from: Option<String>,
    /// With which client.
    pub client: Option<String>,
    /// The record's event id.
    pub event_id: Option<String>,
    /// Where the record stands: file and number.
    pub place: String,
    /// What the record tells of the content.
    #[serde(skip)]
    pub content: Option<Trace>,
}

/// What a record tells of what was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trace {
    /// A SHA-256, in lower-case hexadecimal.
    Sha256(String),
    /// An ETag; of objects encrypted by a key service it is no hash of the content, but differs
    /// where the content does.
    ETag(String),
    /// Only the number of bytes: equal content has it, and other content may.
    Bytes(u64),
}

impl Trace {
    /// From a CloudTrail record of S3. Many carry neither checksum nor ETag.
    pub fn of(record: &[u8]) -> Option<Self> {
        let record: Value = serde_json::from_slice(record).ok()?;
        let text = |part: &str, key: &str| {
            record
                .get(part)?
                .get(key)?
                .as_str()
                .map(|text| text.trim_matches('"').to_owned())
        };
        for part in ["requestParameters", "responseElements"] {
            if let Some(bytes) = text(part, "x-amz-checksum-sha256").and_then(|sum| {
                base64::Engine::decode(&base64::engine::general_purpose::STANDARD, sum).ok()
            }) && bytes.len() == 32
            {
                return Some(Self::Sha256(alloy_primitives::hex::encode(bytes)));
            }
        }
        for part in [
            "responseElements",
            "additionalEventData",
            "requestParameters",
        ] {
            for key in ["eTag", "ETag", "etag"] {
                if let Some(tag) = text(part, key).filter(|tag| !tag.is_empty()) {
                    return Some(Self::ETag(tag));
                }
            }
        }
        record
            .get("additionalEventData")?
            .get("bytesTransferredIn")?
            .as_f64()
            .map(|bytes| Self::Bytes(bytes as u64))
    }

    /// Whether being equal means that the content is.
    pub(super) fn is_sure(&self) -> bool {
        !matches!(self, Self::Bytes(_))
    }
}

/// Places in a row of contents at which one comes back after another: A, B, A. Given are the middle's
/// first place and the return's.
pub(super) fn returns<T: Ord>(contents: &[Option<T>]) -> Vec<(usize, usize)> {
    let mut last: BTreeMap<&T, usize> = BTreeMap::new();
    let mut found = Vec::new();
    let mut before: Option<&T> = None;
    for (place, content) in contents.iter().enumerate() {
        let Some(content) = content else {
            continue;
        };
        if before != Some(content)
            && let Some(earlier) = last.get(content)
        {
            found.push((earlier + 1, place));
        }
        last.insert(content, place);
        before = Some(content);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_found_and_what_stays_is_not() {
        let row = |text: &str| {
            text.chars()
                .map(|one| (one != '-').then_some(one))
                .collect::<Vec<_>>()
        };
        assert_eq!(returns(&row("ABA")), [(1, 2)]);
        assert_eq!(returns(&row("AABBA")), [(2, 4)]);
        assert_eq!(returns(&row("A-B-A")), [(1, 4)]);
        assert_eq!(returns(&row("AAB")), []);
        assert_eq!(returns(&row("ABC")), []);
        assert_eq!(returns(&row("ABAB")), [(1, 2), (2, 3)]);
    }

    #[test]
    fn the_surest_trace_of_a_record_is_taken() {
        let of = |text: &str| Trace::of(text.as_bytes());
        let sum = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [1; 32]);
        let both = format!(
            r#"{{"requestParameters": {{"x-amz-checksum-sha256": "{sum}"}}, "responseElements": {{"ETag": "\"a\""}}}}"#
        );
        assert_eq!(of(&both), Some(Trace::Sha256("01".repeat(32))));
        assert_eq!(
            of(r#"{"responseElements": {"ETag": "\"a\""}}"#),
            Some(Trace::ETag("a".to_owned()))
        );
        assert_eq!(
            of(r#"{"additionalEventData": {"bytesTransferredIn": 17.0}}"#),
            Some(Trace::Bytes(17))
        );
        assert_eq!(of(r#"{"requestParameters": null}"#), None);
        assert_eq!(of("{"), None);
    }
}
