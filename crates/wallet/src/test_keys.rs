//! Keys for tests: the private keys 1, 2, 3 …, known to everyone.

use alloy_primitives::{Address, B256, eip191_hash_message};
use k256::ecdsa::SigningKey;

use crate::keys::address_of;

fn key(number: u8) -> SigningKey {
    let mut bytes = [0; 32];
    bytes[31] = number;
    SigningKey::from_slice(&bytes).unwrap()
}

pub(crate) fn owner(number: u8) -> Address {
    address_of(key(number).verifying_key())
}

pub(crate) fn public_point(number: u8) -> Vec<u8> {
    key(number)
        .verifying_key()
        .to_encoded_point(false)
        .as_bytes()
        .to_vec()
}

/// A signature of the hash itself, v 27 or 28.
pub(crate) fn sign(number: u8, hash: B256) -> Vec<u8> {
    let (signature, id) = key(number)
        .sign_prehash_recoverable(hash.as_slice())
        .unwrap();
    let mut bytes = signature.to_bytes().to_vec();
    bytes.push(27 + id.to_byte());
    bytes
}

/// A signature of the hash as a personal message, v 31 or 32.
pub(crate) fn sign_as_message(number: u8, hash: B256) -> Vec<u8> {
    let mut bytes = sign(number, eip191_hash_message(hash));
    bytes[64] += 4;
    bytes
}
