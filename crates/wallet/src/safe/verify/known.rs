//! A transaction with what is known of it.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use jiff::Timestamp;

use crate::safe::calls::Unpacked;
use crate::safe::queue::Filed;
use crate::safe::transaction::Operation;
use crate::safe::version::Library;

/// A transaction with its hash and its calls.
pub(super) struct Known<'a> {
    pub(super) filed: &'a Filed,
    /// The hash of its fields, where the domain is known; else the one that is stated.
    pub(super) hash: Option<B256>,
    pub(super) computed: Option<B256>,
    pub(super) calls: Unpacked,
    pub(super) signed_by: BTreeSet<Address>,
}

impl Known<'_> {
    pub(super) fn is_delegatecall(&self) -> bool {
        let direct = self.filed.transaction.operation == Operation::DelegateCall;
        let library = Library::at(self.filed.transaction.to).is_some();
        direct && !library
            || self
                .calls
                .calls
                .iter()
                .any(|call| call.operation == Operation::DelegateCall)
    }

    /// An empty call to the Safe itself: how owners use up a nonce to reject what stands on it.
    pub(super) fn is_rejection(&self, safe: Address) -> bool {
        let transaction = &self.filed.transaction;
        transaction.to == safe
            && transaction.value.is_zero()
            && transaction.data.is_empty()
            && transaction.operation == Operation::Call
    }

    pub(super) fn executed(&self) -> Option<Timestamp> {
        self.filed
            .execution
            .as_ref()
            .and_then(|execution| execution.time)
    }

    /// When it could first be known.
    pub(super) fn known_at(&self) -> Option<Timestamp> {
        self.filed.submitted.or_else(|| self.executed())
    }
}
