use std::sync::Arc;

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::from_hexadecimal;

/// A digest's signature as it stands in the metadata of its object in S3. Whose it is need not be told: it
/// fits one digest and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The file that it was read from.
    pub file: Arc<str>,
    pub(crate) bytes: Vec<u8>,
}

/// The name of the metadata, without and with what S3 puts before it in a header.
const NAME: &str = "signature";
const HEADER: &str = "x-amz-meta-signature";

#[derive(Deserialize)]
struct HeadObject {
    #[serde(rename = "Metadata")]
    metadata: BTreeMap<String, String>,
}

/// The signature in metadata that were saved beside a digest: what `aws s3api head-object` prints, or
/// the headers of a response with `x-amz-meta-signature`. `None` where there is none.
pub fn parse_signature(file: &Arc<str>, content: &[u8]) -> Option<Signature> {
    let from_json = || {
        let head: HeadObject = serde_json::from_slice(content).ok()?;
        head.metadata.into_iter().find_map(|(name, value)| {
            (name.eq_ignore_ascii_case(NAME) || name.eq_ignore_ascii_case(HEADER)).then_some(value)
        })
    };
    let from_headers = || {
        let text = std::str::from_utf8(content).ok()?;
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim()
                .eq_ignore_ascii_case(HEADER)
                .then(|| value.to_owned())
        })
    };
    let value = from_json().or_else(from_headers)?;
    // The shortest that any key in use makes.
    let bytes = from_hexadecimal(value.trim()).filter(|bytes| bytes.len() >= 256)?;
    Some(Signature {
        file: file.clone(),
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_read_in_both_forms() {
        let hex = "5a".repeat(256);
        let json = format!(
            r#"{{"ContentLength": 1, "Metadata": {{"signature": "{hex}", "signature-algorithm": "SHA256withRSA"}}}}"#
        );
        let headers = format!("HTTP/1.1 200 OK\r\nX-Amz-Meta-Signature: {hex}\r\n");
        for text in [json, headers] {
            let signature = parse_signature(&"m".into(), text.as_bytes()).unwrap();
            assert_eq!(signature.bytes, [0x5a; 256]);
        }
        for text in ["{}", "{\"Metadata\": {}}", "x-amz-meta-signature: 5a", ""] {
            assert_eq!(parse_signature(&"m".into(), text.as_bytes()), None);
        }
    }
}
