//! From public keys to addresses.

use alloy_primitives::{Address, keccak256};
use k256::ecdsa::VerifyingKey;

/// The address of a public key: the last 20 bytes of the Keccak-256 of its uncompressed point
/// without the leading byte (Ethereum's yellow paper, section 4.2 and appendix F).
pub(crate) fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_encoded_point(false);
    let hash = keccak256(&point.as_bytes()[1..]);
    Address::from_slice(&hash[12..])
}

/// Why bytes are no public key of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Not a `SubjectPublicKeyInfo` on secp256k1, nor a point.
    #[error(
        "no public key on secp256k1: expected the DER of `aws kms get-public-key` (88 bytes), or a point of 33 or 65 bytes"
    )]
    Form,
    /// Of the right form, and not on the curve.
    #[error("the point is not on the curve secp256k1")]
    Point,
}

/// What stands before the point in the DER of a public key on secp256k1 (RFC 5480, SEC 2):
/// sequence, algorithm `id-ecPublicKey`, curve 1.3.132.0.10, bit string of 65 bytes and no unused bits.
const DER_HEAD: [u8; 23] = [
    0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x0a, 0x03, 0x42, 0x00,
];

/// The address of a public key as a key management service exports it: DER, or the bare point.
pub fn address_of_public_key(bytes: &[u8]) -> Result<Address, PublicKeyError> {
    let point = match bytes.strip_prefix(&DER_HEAD) {
        Some(point) => point,
        None if matches!(bytes.len(), 33 | 65) => bytes,
        None => return Err(PublicKeyError::Form),
    };
    if point.len() != 65 && point.len() != 33 {
        return Err(PublicKeyError::Form);
    }
    let key = VerifyingKey::from_sec1_bytes(point).map_err(|_| PublicKeyError::Point)?;
    Ok(address_of(&key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys::{owner, public_point};

    #[test]
    fn der_and_points_give_the_same_address() {
        let point = public_point(1);
        let der = [&DER_HEAD[..], &point].concat();
        assert_eq!(address_of_public_key(&der), Ok(owner(1)));
        assert_eq!(address_of_public_key(&point), Ok(owner(1)));
        let short = [&[2 + (point[64] & 1)][..], &point[1..33]].concat();
        assert_eq!(address_of_public_key(&short), Ok(owner(1)));
    }

    #[test]
    fn other_bytes_are_told() {
        assert_eq!(
            address_of_public_key(b"-----BEGIN"),
            Err(PublicKeyError::Form)
        );
        assert_eq!(address_of_public_key(&[4; 65]), Err(PublicKeyError::Point));
        assert_eq!(address_of_public_key(&DER_HEAD), Err(PublicKeyError::Form));
    }
}
