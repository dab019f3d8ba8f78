//! What a surface is: one file in `surfaces/` that says what is asked of one service, and in which
//! of the command line's shapes it is written down.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value};

use crate::caller::Caller;

/// Once for what a surface is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// The organization, with the user's own credentials.
    Organization,
    /// Each account.
    Account,
    /// Each region of each account.
    Region,
}

/// An operation and the permission that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    /// The service, by the name of its model.
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    /// The action of IAM, where it is not `SERVICE:OPERATION`
    /// (<https://docs.aws.amazon.com/service-authorization/latest/reference/>).
    action: Option<&'static str>,
}

impl Call {
    /// An operation whose action bears its name.
    pub(crate) const fn new(service: &'static str, operation: &'static str) -> Self {
        Self {
            service,
            operation,
            action: None,
        }
    }

    /// An operation whose action has another name.
    pub(crate) const fn allowed_by(self, action: &'static str) -> Self {
        Self {
            action: Some(action),
            ..self
        }
    }

    /// The action of IAM that allows it.
    pub(crate) fn action(&self) -> String {
        match self.action {
            Some(action) => action.to_owned(),
            None => format!("{}:{}", self.service, self.operation),
        }
    }
}

/// What a surface found: members of its file.
pub(crate) type Found = Map<String, Value>;

/// A surface at work.
pub(crate) type Collecting<'a> = Pin<Box<dyn Future<Output = Found> + 'a>>;

/// All that one file in `surfaces/` declares.
pub(crate) struct Surface {
    /// Its id, which names its files and is what `--only` takes.
    pub(crate) id: &'static str,
    /// What it reads, in a few words.
    pub(crate) title: &'static str,
    pub(crate) scope: Scope,
    /// The inventory formats that its file holds, by id (`docs/inventory.md`).
    pub(crate) formats: &'static [&'static str],
    /// Every call that it makes. Any other is refused.
    pub(crate) calls: &'static [Call],
    /// Makes the calls.
    pub(crate) collect: for<'a> fn(&'a Caller<'a>) -> Collecting<'a>,
}

include!(concat!(env!("OUT_DIR"), "/surfaces.rs"));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    #[test]
    fn every_call_is_in_a_model_and_only_reads() {
        for surface in SURFACES {
            for call in surface.calls {
                let found = model::operation(call.service, call.operation);
                assert!(found.is_some(), "{call:?}");
                // `GenerateCredentialReport` makes nothing but the report, for four hours.
                let reads = [
                    "Get",
                    "List",
                    "Describe",
                    "BatchGet",
                    "GenerateCredentialReport",
                ];
                let reads = reads.iter().any(|verb| call.operation.starts_with(verb));
                assert!(reads, "{call:?} may change something");
            }
        }
    }

    #[test]
    fn ids_are_those_of_the_files_and_calls_are_named_once() {
        for surface in SURFACES {
            let mut calls = surface.calls.to_vec();
            calls.sort_unstable();
            calls.dedup();
            assert_eq!(calls.len(), surface.calls.len(), "{}", surface.id);
            assert!(!surface.title.is_empty() && !surface.formats.is_empty());
        }
        let mut ids: Vec<&str> = SURFACES.iter().map(|surface| surface.id).collect();
        let files = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), files);
    }
}
