//! Safe multisigs: what their owners are shown, what they sign, and what is carried out.

mod calls;
mod queue;
mod report;
mod signature;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;
mod verify;
mod version;

pub use calls::{Call, Packed, Unpacked};
pub(crate) use queue::queues_of;
pub use queue::{Confirmation, Execution, Filed, Queue, QueueError, read_queues};
pub use report::{Check, SignerReport, TransactionReport, Verification};
pub use signature::{OwnerSignature, Recoverable, SignatureError};
pub use transaction::{Domain, DomainKind, Operation, SafeTransaction};
pub use verify::{AnnouncedPayment, Expectations, Spending, verify};
pub use version::{Library, SafeVersion};
