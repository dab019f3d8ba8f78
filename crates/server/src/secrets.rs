//! Secrets that pass through in records: they are never shown, only what tells one from another.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Names of fields whose value is a secret, lower case and without `-` and `_`.
const NAMES: &[&str] = &[
    "accesstoken",
    "apikey",
    "authorizationtoken",
    "clientsecret",
    "idtoken",
    "masteruserpassword",
    "newpassword",
    "oldpassword",
    "passphrase",
    "password",
    "plaintext",
    "privatekey",
    "refreshtoken",
    "secretaccesskey",
    "secretbinary",
    "secretstring",
    "sessiontoken",
];

/// A record on lines, its secrets masked; and how many there were. What is no JSON is not shown.
pub(crate) fn set_out(record: &[u8]) -> (String, usize) {
    let Ok(mut value) = serde_json::from_slice::<Value>(record) else {
        return ("This record is no JSON.".to_owned(), 0);
    };
    let mut masked = 0;
    mask(&mut value, &mut masked);
    (
        serde_json::to_string_pretty(&value).unwrap_or_default(),
        masked,
    )
}

/// The parser bounds how deep a value is.
fn mask(value: &mut Value, masked: &mut usize) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, masked)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if is_secret(name) && !text.is_empty() => {
                        *text = shown(text);
                        *masked += 1;
                    }
                    other => mask(other, masked),
                }
            }
        }
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|letter| !matches!(letter, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect();
    NAMES.binary_search(&plain.as_str()).is_ok()
}

/// A fingerprint and the last four characters; of a short secret the fingerprint alone.
fn shown(secret: &str) -> String {
    let digest = Sha256::digest(secret);
    let print: String = digest[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let letters: Vec<char> = secret.chars().collect();
    let end: String = match letters.len() {
        16.. => letters[letters.len() - 4..].iter().collect(),
        _ => String::new(),
    };
    format!("(masked, SHA-256 {print}…, ends …{end})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_apart_and_not_shown() {
        assert!(NAMES.is_sorted());
        let token = "FwoGZXIvYXdzEXAMPLEtoken1234";
        let record = format!(
            r#"{{"responseElements":{{"credentials":{{"accessKeyId":"ASIAEXAMPLE","sessionToken":"{token}"}}}},
               "list":[{{"Secret_Access-Key":"short"}},{{"password":""}}],"token":7}}"#
        );
        let (text, masked) = set_out(record.as_bytes());
        assert_eq!(masked, 2);
        assert!(!text.contains(token) && !text.contains("short"), "{text}");
        assert!(
            text.contains("ends …1234") && text.contains("ASIAEXAMPLE"),
            "{text}"
        );
        assert_ne!(shown("one"), shown("two"));
        assert_eq!(set_out(b"\xff{").1, 0);
    }
}
