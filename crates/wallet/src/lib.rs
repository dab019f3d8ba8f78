//! EVM chains: Safe multisigs, wallets and the keys that sign for them.
//!
//! Everything here is pure: bytes in, findings out. This crate holds no private key, signs nothing
//! and sends nothing; it recovers signers from signatures that others made.
//!
//! ```
//! use portreeve_wallet::safe::{Expectations, read_queues, verify};
//!
//! // A delegatecall to an address that nobody knows, before anyone has signed it.
//! let file = br#"[{"safe": "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4", "nonce": 4, "operation": 1,
//!     "to": "0x00000000000000000000000000000000000000aa", "value": "0", "confirmations": []}]"#;
//! let (queues, _) = read_queues(file).unwrap();
//! let verification = verify(&queues, &Expectations::default());
//! assert!(verification.checks.iter().any(|check| check.id == "delegatecall-to-unknown"));
//! ```

mod abi;
pub mod bundle;
pub mod chain;
pub mod contain;
mod keys;
pub mod ledger;
pub mod node;
pub mod policy;
pub mod relations;
pub mod safe;
pub mod service;
#[cfg(test)]
mod test_keys;
pub mod watch;
pub mod words;

pub use alloy_primitives::{Address, B256, Bytes, U256};
pub use keys::{PublicKeyError, address_of_public_key};
