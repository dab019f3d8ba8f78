//! Owners' signatures, as `checkNSignatures` of the contract reads them.

use alloy_primitives::{Address, B256, eip191_hash_message};
use k256::ecdsa::{RecoveryId, Signature as Ecdsa, VerifyingKey};

use crate::keys::address_of;

/// Bytes of one signature's fixed part: r, s, v.
const LENGTH: usize = 65;
/// The most signatures that one transaction is read for; Safes have at most a few dozen owners.
const MOST: usize = 256;

/// One owner's signature, told by its last byte `v`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerSignature {
    /// `v` 27 or 28: over the hash itself (`eth_signTypedData`, and what hardware wallets call
    /// blind signing of a hash).
    TypedData(Recoverable),
    /// `v` above 30: over the hash as a personal message (`eth_sign`, EIP-191); `v` is 4 higher.
    EthSign(Recoverable),
    /// `v` 1: the owner approved the hash on the chain, or sends the transaction himself. The bytes
    /// only name him.
    ApprovedHash(Address),
    /// `v` 0: the owner is a contract that answers for itself (EIP-1271). The bytes only name it.
    Contract(Address),
}

/// The two numbers of an ECDSA signature, and which of the curve's points is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recoverable {
    numbers: [u8; 64],
    odd: bool,
}

/// Why bytes are no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Shorter than r, s and v.
    #[error("a signature has {LENGTH} bytes, this has {0}")]
    Length(usize),
    /// A `v` that the contract knows no meaning for.
    #[error("its last byte v is {0}; 0, 1, 27, 28, 31 and 32 are known")]
    Kind(u8),
}

impl OwnerSignature {
    /// Reads one signature's fixed part.
    pub fn parse(bytes: &[u8]) -> Result<Self, SignatureError> {
        let fixed: &[u8; LENGTH] = bytes
            .get(..LENGTH)
            .and_then(|fixed| fixed.try_into().ok())
            .ok_or(SignatureError::Length(bytes.len()))?;
        let mut numbers = [0; 64];
        numbers.copy_from_slice(&fixed[..64]);
        let named = Address::from_slice(&fixed[12..32]);
        let recoverable = |even: u8| Recoverable {
            numbers,
            odd: fixed[64] != even,
        };
        match fixed[64] {
            0 => Ok(Self::Contract(named)),
            1 => Ok(Self::ApprovedHash(named)),
            27 | 28 => Ok(Self::TypedData(recoverable(27))),
            31 | 32 => Ok(Self::EthSign(recoverable(31))),
            other => Err(SignatureError::Kind(other)),
        }
    }

    /// Reads the concatenated signatures of `execTransaction`. A contract's own data follow the
    /// fixed parts and are pointed to by `s`; the fixed parts end where the first of them begins.
    pub fn split(bytes: &[u8]) -> Vec<Result<Self, SignatureError>> {
        let mut end = bytes.len();
        let mut at = 0;
        let mut found = Vec::new();
        while at + LENGTH <= end && found.len() < MOST {
            let fixed = &bytes[at..at + LENGTH];
            let signature = Self::parse(fixed);
            if let Ok(Self::Contract(_)) = signature {
                let high = fixed[32..56].iter().any(|byte| *byte != 0);
                let offset = u64::from_be_bytes(fixed[56..64].try_into().unwrap_or([0xff; 8]));
                if let (false, Ok(offset)) = (high, usize::try_from(offset)) {
                    end = end.min(offset.max(at + LENGTH));
                }
            }
            found.push(signature);
            at += LENGTH;
        }
        found
    }

    /// Who signed a hash. Where the bytes only name the owner, he is named whatever the hash.
    /// `None` where no key fits.
    pub fn signer(&self, hash: B256) -> Option<Address> {
        match self {
            Self::TypedData(signature) => signature.recover(hash),
            Self::EthSign(signature) => signature.recover(eip191_hash_message(hash)),
            Self::ApprovedHash(owner) | Self::Contract(owner) => Some(*owner),
        }
    }

    /// Whether the bytes themselves are bound to a hash. Where they are not, only the chain can
    /// tell what was approved.
    pub fn is_bound(&self) -> bool {
        matches!(self, Self::TypedData(_) | Self::EthSign(_))
    }

    /// What it is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TypedData(_) => "typed data",
            Self::EthSign(_) => "eth_sign",
            Self::ApprovedHash(_) => "approved hash",
            Self::Contract(_) => "contract",
        }
    }
}

impl Recoverable {
    /// As the chain's `ecrecover`, which takes both values of `s` (Ethereum's yellow paper, appendix
    /// E): the higher is turned into the lower of the other point, which is the same signature.
    fn recover(&self, hash: B256) -> Option<Address> {
        let signature = Ecdsa::from_slice(&self.numbers).ok()?;
        let (signature, odd) = match signature.normalize_s() {
            Some(low) => (low, !self.odd),
            None => (signature, self.odd),
        };
        let id = RecoveryId::new(odd, false);
        let key = VerifyingKey::recover_from_prehash(hash.as_slice(), &signature, id).ok()?;
        Some(address_of(&key))
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;
    use proptest::prelude::*;

    use super::*;
    use crate::test_keys::{owner, sign, sign_as_message};

    #[test]
    fn every_kind_names_its_signer() {
        let hash = keccak256("a transaction");
        let other = keccak256("another");
        let typed = OwnerSignature::parse(&sign(1, hash)).unwrap();
        let message = OwnerSignature::parse(&sign_as_message(1, hash)).unwrap();
        for signature in [typed, message] {
            assert_eq!(signature.signer(hash), Some(owner(1)));
            assert_ne!(signature.signer(other), Some(owner(1)));
            assert!(signature.is_bound());
        }
        assert_eq!(typed.kind(), "typed data");
        assert_eq!(message.kind(), "eth_sign");

        let mut approved = [0; 65];
        approved[12..32].copy_from_slice(owner(2).as_slice());
        approved[64] = 1;
        let approved = OwnerSignature::parse(&approved).unwrap();
        assert_eq!(approved, OwnerSignature::ApprovedHash(owner(2)));
        assert_eq!(approved.signer(hash), Some(owner(2)));
        assert!(!approved.is_bound());
        assert_eq!(
            OwnerSignature::parse(&[0; 64]),
            Err(SignatureError::Length(64))
        );
        assert_eq!(
            OwnerSignature::parse(&[5; 65]),
            Err(SignatureError::Kind(5))
        );
    }

    #[test]
    fn the_higher_s_is_the_same_signature() {
        let hash = keccak256("malleable");
        let bytes = sign(1, hash);
        let signature = Ecdsa::from_slice(&bytes[..64]).unwrap();
        let (r, s) = signature.split_scalars();
        let high = Ecdsa::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
        let mut flipped = high.to_bytes().to_vec();
        flipped.push(if bytes[64] == 27 { 28 } else { 27 });
        let flipped = OwnerSignature::parse(&flipped).unwrap();
        assert_eq!(flipped.signer(hash), Some(owner(1)));
    }

    #[test]
    fn a_contracts_own_data_are_no_signatures() {
        let hash = keccak256("mixed");
        let mut contract = [0; 65];
        contract[12..32].copy_from_slice(owner(3).as_slice());
        contract[63] = 130; // Its data begin after two fixed parts.
        let mut bytes = contract.to_vec();
        bytes.extend(sign(1, hash));
        bytes.extend([7; 32 + 65]);
        let found = OwnerSignature::split(&bytes);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], Ok(OwnerSignature::Contract(owner(3))));
        assert_eq!(found[1].unwrap().signer(hash), Some(owner(1)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), hash in any::<[u8; 32]>()) {
            for signature in OwnerSignature::split(&bytes).into_iter().flatten() {
                signature.signer(B256::new(hash));
            }
        }
    }
}
