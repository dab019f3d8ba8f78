//! The ledger of approved requests: CSV with a head line, or NDJSON, with the same names.
//!
//! | name | what |
//! |---|---|
//! | `request_id` | the request's id |
//! | `key` | the key that is to sign: ARN or id |
//! | `approved_at` | when it was approved, RFC 3339 |
//! | `approvers` | who approved; in CSV apart by `;` |
//! | `transaction` | optional: the hash of the transaction that came of it |
//! | `kms_request_id` | optional: the id that the key service answered with; `requestID` in CloudTrail |
//! | `signatures` | optional: how many signatures it may need, with retries; 1 where absent |

use alloy_primitives::B256;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// An approved request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// The request's id.
    pub request_id: String,
    /// The key that is to sign.
    pub key: String,
    /// When it was approved.
    pub approved_at: Timestamp,
    /// Who approved.
    #[serde(default, deserialize_with = "names")]
    pub approvers: Vec<String>,
    /// The transaction that came of it.
    #[serde(default)]
    pub transaction: Option<B256>,
    /// The id that the key service answered with.
    #[serde(default, deserialize_with = "filled")]
    pub kms_request_id: Option<String>,
    /// How many signatures it may need.
    #[serde(default = "one", deserialize_with = "count")]
    pub signatures: usize,
}

fn one() -> usize {
    1
}

/// Why a line is no request.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct RequestError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
}

/// Reads a ledger. A line that is no request is told, and the others are read.
pub fn read_requests(bytes: &[u8]) -> (Vec<Request>, Vec<RequestError>) {
    let mut requests = Vec::new();
    let mut errors = Vec::new();
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            if text.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(text) {
                Ok(request) => requests.push(request),
                Err(error) => errors.push(RequestError {
                    line,
                    reason: error.to_string(),
                }),
            }
        }
        return (requests, errors);
    }
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    for record in reader.deserialize() {
        match record {
            Ok(request) => requests.push(request),
            Err(error) => errors.push(RequestError {
                line: error.position().map_or(1, csv::Position::line),
                reason: error.to_string(),
            }),
        }
    }
    (requests, errors)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    Joined(String),
    Apart(Vec<String>),
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Option::<Names>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Names::Apart(names)) => names,
        Some(Names::Joined(names)) => names
            .split(';')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

/// Text that is not empty.
fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    Ok(Option::<usize>::deserialize(deserializer)?.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let csv = "request_id,key,approved_at,approvers,transaction,kms_request_id,signatures\n\
                   r1,k,2026-01-01T00:00:00Z,ann; bob,,q1,\n\
                   r2,k,yesterday,,,,\n\
                   r3,k,2026-01-01T00:00:02Z,,0x0101010101010101010101010101010101010101010101010101010101010101,,2\n";
        let json = r#"{"request_id":"r1","key":"k","approved_at":"2026-01-01T00:00:00Z","approvers":["ann","bob"],"kms_request_id":"q1"}
{"request_id":"r2"}
{"request_id":"r3","key":"k","approved_at":"2026-01-01T00:00:02Z","transaction":"0x0101010101010101010101010101010101010101010101010101010101010101","signatures":2}"#;
        let (from_csv, csv_errors) = read_requests(csv.as_bytes());
        let (from_json, json_errors) = read_requests(json.as_bytes());
        assert_eq!(from_csv, from_json);
        assert_eq!(from_csv.len(), 2);
        assert_eq!(from_csv[0].approvers, ["ann", "bob"]);
        assert_eq!((csv_errors[0].line, json_errors[0].line), (3, 2));
    }
}
