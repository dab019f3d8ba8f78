//! Public keys of a key management service, and the addresses that they sign for.

use alloy_primitives::Address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::keys::{PublicKeyError, address_of_public_key};

/// A key and its address: the edge from the key to the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SigningKey {
    /// The key's ARN or id.
    pub key: String,
    /// The address whose transactions it signs.
    pub address: Address,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not what the service prints.
    #[error("not what `aws kms get-public-key` prints: {0}")]
    Form(#[from] serde_json::Error),
    /// Of another curve.
    #[error("{key} is of {spec}; wallets sign with ECC_SECG_P256K1")]
    Curve {
        /// The key.
        key: String,
        /// Its kind.
        spec: String,
    },
    /// No base64.
    #[error("{key}: its public key is no base64: {error}")]
    Base64 {
        /// The key.
        key: String,
        /// What is wrong.
        error: base64::DecodeError,
    },
    /// No key of a wallet.
    #[error("{key}: {error}")]
    Key {
        /// The key.
        key: String,
        /// What is wrong.
        error: PublicKeyError,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    key_id: String,
    public_key: String,
    #[serde(alias = "CustomerMasterKeySpec")]
    key_spec: Option<String>,
}

/// Reads what `aws kms get-public-key` prints, for any number of keys one after the other. A key that
/// cannot be used is told, and the others are read.
pub fn read_keys(bytes: &[u8]) -> (Vec<SigningKey>, Vec<KeyError>) {
    let mut keys = Vec::new();
    let mut errors = Vec::new();
    for printed in serde_json::Deserializer::from_slice(bytes).into_iter::<Printed>() {
        match printed.map_err(KeyError::from).and_then(one) {
            Ok(key) => keys.push(key),
            Err(error) => errors.push(error),
        }
    }
    (keys, errors)
}

fn one(printed: Printed) -> Result<SigningKey, KeyError> {
    let Printed {
        key_id: key,
        public_key,
        key_spec,
    } = printed;
    if let Some(spec) = key_spec.filter(|spec| spec != "ECC_SECG_P256K1") {
        return Err(KeyError::Curve { key, spec });
    }
    let bytes = match STANDARD.decode(public_key.trim()) {
        Ok(bytes) => bytes,
        Err(error) => return Err(KeyError::Base64 { key, error }),
    };
    match address_of_public_key(&bytes) {
        Ok(address) => Ok(SigningKey { key, address }),
        Err(error) => Err(KeyError::Key { key, error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys::{owner, public_point};

    #[test]
    fn keys_are_read_one_after_the_other_and_others_are_told() {
        let print = |key: &str, spec: &str, bytes: &[u8]| {
            format!(
                r#"{{"KeyId": "{key}", "PublicKey": "{}", "KeySpec": "{spec}"}}"#,
                STANDARD.encode(bytes)
            )
        };
        let text = [
            print("one", "ECC_SECG_P256K1", &public_point(1)),
            print("two", "RSA_2048", &[1]),
            print("three", "ECC_SECG_P256K1", &[1, 2]),
            print("four", "ECC_SECG_P256K1", &public_point(2)),
        ]
        .join("\n");
        let (keys, errors) = read_keys(text.as_bytes());
        assert_eq!(
            keys.iter().map(|key| key.address).collect::<Vec<_>>(),
            [owner(1), owner(2)]
        );
        assert!(matches!(
            errors[..],
            [KeyError::Curve { .. }, KeyError::Key { .. }]
        ));
        assert!(matches!(read_keys(b"[]").1[..], [KeyError::Form(_)]));
    }
}
