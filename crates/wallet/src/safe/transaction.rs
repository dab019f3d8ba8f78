//! What the owners of a Safe sign, and its hash.

use std::borrow::Cow;
use std::fmt;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{Eip712Domain, SolCall, SolStruct};

use super::version::SafeVersion;
use crate::abi::{before_1_0, execTransactionCall, since_1_0};

/// How a Safe calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// An ordinary call: the target acts with its own storage.
    Call,
    /// The target's code runs as the Safe itself: it may change its owners, its implementation,
    /// and spend all that it holds.
    DelegateCall,
    /// A number that no version of the contract knows; the contract refuses it.
    Unknown(u8),
}

impl Operation {
    /// From the number in calldata.
    pub fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Call,
            1 => Self::DelegateCall,
            other => Self::Unknown(other),
        }
    }

    /// The number in calldata.
    pub fn number(self) -> u8 {
        match self {
            Self::Call => 0,
            Self::DelegateCall => 1,
            Self::Unknown(other) => other,
        }
    }
}

/// A transaction of a Safe: the ten fields that its owners sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeTransaction {
    /// Whom the Safe calls.
    pub to: Address,
    /// How much of the chain's coin it sends, in wei.
    pub value: U256,
    /// The calldata.
    pub data: Bytes,
    /// How it calls.
    pub operation: Operation,
    /// Gas for the inner call.
    pub safe_tx_gas: U256,
    /// Gas of the rest, for the refund; `dataGas` before 1.0.0.
    pub base_gas: U256,
    /// Price of the refund.
    pub gas_price: U256,
    /// Token of the refund.
    pub gas_token: Address,
    /// Who is refunded.
    pub refund_receiver: Address,
    /// The Safe's own running number.
    pub nonce: U256,
}

impl SafeTransaction {
    /// Reads the calldata of `execTransaction`, with the concatenated signatures. The nonce is not
    /// in it: it is the Safe's at that moment. `None` where it is another call or malformed.
    pub fn from_calldata(calldata: &[u8], nonce: U256) -> Option<(Self, Bytes)> {
        let call = execTransactionCall::abi_decode(calldata).ok()?;
        Some((
            Self {
                to: call.to,
                value: call.value,
                data: call.data,
                operation: Operation::from_number(call.operation),
                safe_tx_gas: call.safeTxGas,
                base_gas: call.baseGas,
                gas_price: call.gasPrice,
                gas_token: call.gasToken,
                refund_receiver: call.refundReceiver,
                nonce,
            },
            call.signatures,
        ))
    }

    /// The safeTxHash: the EIP-712 hash that each owner signs.
    pub fn hash(&self, domain: &Domain) -> B256 {
        let separator = Eip712Domain {
            chain_id: domain.kind.chain().map(U256::from),
            verifying_contract: Some(domain.safe),
            ..Eip712Domain::default()
        };
        match domain.kind {
            DomainKind::Before1_0 => before_1_0::SafeTx {
                to: self.to,
                value: self.value,
                data: self.data.clone(),
                operation: self.operation.number(),
                safeTxGas: self.safe_tx_gas,
                dataGas: self.base_gas,
                gasPrice: self.gas_price,
                gasToken: self.gas_token,
                refundReceiver: self.refund_receiver,
                nonce: self.nonce,
            }
            .eip712_signing_hash(&separator),
            DomainKind::Since1_0 | DomainKind::Since1_3 { .. } => since_1_0::SafeTx {
                to: self.to,
                value: self.value,
                data: self.data.clone(),
                operation: self.operation.number(),
                safeTxGas: self.safe_tx_gas,
                baseGas: self.base_gas,
                gasPrice: self.gas_price,
                gasToken: self.gas_token,
                refundReceiver: self.refund_receiver,
                nonce: self.nonce,
            }
            .eip712_signing_hash(&separator),
        }
    }
}

/// What a signature is bound to beside the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The Safe.
    pub safe: Address,
    /// The form that its version uses.
    pub kind: DomainKind,
}

/// The three forms of Safe's EIP-712 domain and structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainKind {
    /// Versions before 1.0: the Safe's address, and `dataGas`.
    Before1_0,
    /// Versions 1.0 to 1.2: the Safe's address.
    Since1_0,
    /// Versions from 1.3: the Safe's address and the chain.
    Since1_3 {
        /// The chain's number (EIP-155).
        chain: u64,
    },
}

impl DomainKind {
    /// The form of a version on a chain. `None` where the version needs the chain and none is known.
    pub fn of(version: SafeVersion, chain: Option<u64>) -> Option<Self> {
        match (version.major, version.minor) {
            (0, _) => Some(Self::Before1_0),
            (1, 0..=2) => Some(Self::Since1_0),
            _ => chain.map(|chain| Self::Since1_3 { chain }),
        }
    }

    /// Every form that could be meant: of one chain where it is known, else of chains on which
    /// Safes are common.
    pub fn candidates(chain: Option<u64>) -> Vec<Self> {
        let chains: Cow<'static, [u64]> = match chain {
            Some(chain) => Cow::Owned(vec![chain]),
            None => Cow::Borrowed(COMMON_CHAINS),
        };
        [Self::Since1_0]
            .into_iter()
            .chain(chains.iter().map(|chain| Self::Since1_3 { chain: *chain }))
            .chain([Self::Before1_0])
            .collect()
    }

    fn chain(self) -> Option<u64> {
        match self {
            Self::Since1_3 { chain } => Some(chain),
            Self::Before1_0 | Self::Since1_0 => None,
        }
    }
}

impl fmt::Display for DomainKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before1_0 => formatter.write_str("Safe before 1.0"),
            Self::Since1_0 => formatter.write_str("Safe 1.0 to 1.2"),
            Self::Since1_3 { chain } => write!(formatter, "Safe 1.3 or later on chain {chain}"),
        }
    }
}

/// Ethereum, Optimism, BNB, Gnosis, Polygon, Base, Arbitrum, Avalanche, Linea, Scroll, Sepolia.
const COMMON_CHAINS: &[u64] = &[
    1, 10, 56, 100, 137, 8453, 42161, 43114, 59144, 534_352, 11_155_111,
];

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, keccak256};
    use alloy_sol_types::SolValue;

    use super::*;

    fn transaction() -> SafeTransaction {
        SafeTransaction {
            to: address!("00000000000000000000000000000000000000aa"),
            value: U256::from(7),
            data: Bytes::from_static(&[1, 2, 3]),
            operation: Operation::DelegateCall,
            safe_tx_gas: U256::from(45_746),
            base_gas: U256::from(3),
            gas_price: U256::from(4),
            gas_token: address!("00000000000000000000000000000000000000bb"),
            refund_receiver: address!("00000000000000000000000000000000000000cc"),
            nonce: U256::from(71),
        }
    }

    /// The hash as the contract's `encodeTransactionData` writes it, without the library's help.
    fn by_hand(transaction: &SafeTransaction, type_hash: &str, separator: B256) -> B256 {
        let fields = (
            keccak256(type_hash),
            transaction.to,
            transaction.value,
            keccak256(&transaction.data),
            U256::from(transaction.operation.number()),
            transaction.safe_tx_gas,
            transaction.base_gas,
            transaction.gas_price,
            transaction.gas_token,
            transaction.refund_receiver,
            transaction.nonce,
        );
        let inner = keccak256(fields.abi_encode());
        keccak256([&[0x19, 0x01], separator.as_slice(), inner.as_slice()].concat())
    }

    #[test]
    fn each_version_hashes_as_its_contract_does() {
        let safe = address!("1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4");
        let old = "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 dataGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)";
        let new = old.replace("dataGas", "baseGas");
        let plain =
            keccak256((keccak256("EIP712Domain(address verifyingContract)"), safe).abi_encode());
        let with_chain = keccak256(
            (
                keccak256("EIP712Domain(uint256 chainId,address verifyingContract)"),
                U256::from(137),
                safe,
            )
                .abi_encode(),
        );
        let transaction = transaction();
        let hash = |version: &str| {
            let kind = DomainKind::of(SafeVersion::parse(version).unwrap(), Some(137)).unwrap();
            transaction.hash(&Domain { safe, kind })
        };
        assert_eq!(hash("0.1.0"), by_hand(&transaction, old, plain));
        for version in ["1.0.0", "1.1.1", "1.2.0"] {
            assert_eq!(hash(version), by_hand(&transaction, &new, plain));
        }
        for version in ["1.3.0", "1.4.1+L2", "1.5.0", "2.0.0"] {
            assert_eq!(hash(version), by_hand(&transaction, &new, with_chain));
        }
        assert_eq!(
            DomainKind::of(SafeVersion::parse("1.3.0").unwrap(), None),
            None
        );
    }

    #[test]
    fn calldata_of_another_function_or_cut_short_is_no_transaction() {
        let call = execTransactionCall {
            to: Address::ZERO,
            value: U256::ZERO,
            data: Bytes::from_static(b"inner"),
            operation: 1,
            safeTxGas: U256::ZERO,
            baseGas: U256::ZERO,
            gasPrice: U256::ZERO,
            gasToken: Address::ZERO,
            refundReceiver: Address::ZERO,
            signatures: Bytes::from_static(&[9; 65]),
        };
        let calldata = call.abi_encode();
        let (transaction, signatures) =
            SafeTransaction::from_calldata(&calldata, U256::from(5)).unwrap();
        assert_eq!(transaction.operation, Operation::DelegateCall);
        assert_eq!(&transaction.data[..], b"inner");
        assert_eq!(signatures.len(), 65);
        for end in 0..calldata.len() {
            assert!(
                SafeTransaction::from_calldata(&calldata[..end], U256::ZERO).is_none()
                    || end + 31 >= calldata.len()
            );
        }
        let mut other = calldata;
        other[0] ^= 1;
        assert!(SafeTransaction::from_calldata(&other, U256::ZERO).is_none());
    }
}
