//! The signing ledger: every spend explained by a signature of ours, every signature by a request.
//!
//! The cloud's record of `kms:Sign` carries no digest. So signatures, spends and requests are joined by
//! what identifies them where that is known (the key service's request id, the transaction's hash), and
//! else by key, order and time ([`align`](self)); each join says how sure it is.

mod align;
mod keys;
mod reconcile;
mod requests;
#[cfg(test)]
mod tests;

pub use keys::{KeyError, SigningKey, read_keys};
pub use reconcile::{
    Certainty, KeyLedger, LedgerFinding, LedgerReport, SignRecord, Spend, reconcile,
};
pub use requests::{Request, RequestError, read_requests};
