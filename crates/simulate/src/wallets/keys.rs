//! Keys of the simulation's owners. They are made of the plan's seed, guard nothing, and hold nothing on
//! any chain: with them confirmations can be verified as those of real owners are.

use alloy_primitives::{Address, B256, Bytes, eip191_hash_message};
use k256::ecdsa::SigningKey;
use portreeve_wallet::address_of_public_key;

use crate::dice::Seeds;

/// A key and its address.
pub(super) struct Key {
    signing: SigningKey,
    pub(super) address: Address,
}

impl Key {
    /// The key of someone, by what the simulation calls him.
    pub(super) fn of(seeds: Seeds, whose: &str) -> Self {
        let mut dice = seeds.stream(&format!("wallet key {whose}"), 0);
        loop {
            // All but one of 2^127 numbers are keys.
            let number: B256 = dice.hex(64).parse().unwrap_or_default();
            let Ok(signing) = SigningKey::from_slice(number.as_slice()) else {
                continue;
            };
            let point = signing.verifying_key().to_encoded_point(false);
            if let Ok(address) = address_of_public_key(point.as_bytes()) {
                return Self { signing, address };
            }
        }
    }

    /// The public key as a key management service gives it out: DER (RFC 5480) on secp256k1.
    pub(super) fn public_der(&self) -> Vec<u8> {
        const HEAD: [u8; 23] = [
            0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, 0x03, 0x42, 0x00,
        ];
        let point = self.signing.verifying_key().to_encoded_point(false);
        [&HEAD[..], point.as_bytes()].concat()
    }

    /// Signs a hash as typed data is signed: `v` is 27 or 28.
    pub(super) fn sign(&self, hash: B256) -> Bytes {
        let Ok((signature, recovery)) = self.signing.sign_prehash_recoverable(hash.as_slice())
        else {
            return Bytes::new();
        };
        let mut bytes = signature.to_bytes().to_vec();
        bytes.push(27 + recovery.to_byte());
        bytes.into()
    }

    /// Signs a text as a personal message (EIP-191).
    pub(super) fn sign_text(&self, text: &str) -> Bytes {
        self.sign(eip191_hash_message(text))
    }

    /// Signs a hash as a personal message, as a Safe takes it from wallets that sign no typed data: `v`
    /// is 4 higher.
    pub(super) fn sign_as_message(&self, hash: B256) -> Bytes {
        let mut bytes = self.sign(eip191_hash_message(hash)).to_vec();
        if let Some(v) = bytes.last_mut() {
            *v += 4;
        }
        bytes.into()
    }
}

/// An address that nobody has a key of.
pub(super) fn address(seeds: Seeds, whose: &str, number: u64) -> Address {
    let mut dice = seeds.stream(&format!("address {whose}"), number);
    dice.hex(40).parse().unwrap_or_default()
}
