//! The catalogue of escalations: which permissions let a principal gain what. Data, not code: one
//! YAML file an escalation.

mod need;
mod parse;

use std::collections::BTreeMap;
use std::sync::Arc;

use portreeve_model::{EntityKind, Technique};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use need::{Need, Permission, PermissionTarget};

/// All escalations, by id.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Shared with the graphs that are built with them.
    escalations: BTreeMap<String, Arc<Escalation>>,
    /// The SHA-256 of each file.
    digests: BTreeMap<String, [u8; 32]>,
}

impl Catalogue {
    /// Reads the files of a catalogue: the name of each, and its text. The id of an escalation is
    /// its file's name without folders and ending. What cannot be read is left out and named.
    pub fn parse<'a>(
        files: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> (Self, Vec<CatalogueError>) {
        let mut catalogue = Self::default();
        let mut errors = Vec::new();
        for (name, text) in files {
            match parse::escalation(name, text) {
                Err(error) => errors.push(error),
                Ok(escalation) if catalogue.escalations.contains_key(&escalation.id) => {
                    errors.push(CatalogueError {
                        file: name.to_owned(),
                        line: 1,
                        column: 1,
                        reason: format!("the id `{}` is taken by another file", escalation.id),
                    });
                }
                Ok(escalation) => {
                    let digest = Sha256::digest(text.as_bytes()).into();
                    catalogue.digests.insert(escalation.id.clone(), digest);
                    catalogue
                        .escalations
                        .insert(escalation.id.clone(), Arc::new(escalation));
                }
            }
        }
        (catalogue, errors)
    }

    /// The escalation with this id.
    pub fn get(&self, id: &str) -> Option<&Escalation> {
        self.escalations.get(id).map(Arc::as_ref)
    }

    /// All escalations, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Escalation> {
        self.escalations.values().map(Arc::as_ref)
    }

    /// All escalations, to be kept.
    pub(crate) fn shared(&self) -> impl Iterator<Item = Arc<Escalation>> {
        self.escalations.values().cloned()
    }

    /// The SHA-256 of the file of each escalation, by id.
    pub(crate) fn digests(&self) -> &BTreeMap<String, [u8; 32]> {
        &self.digests
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.escalations.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.escalations.is_empty()
    }
}

/// Why a file of the catalogue cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct CatalogueError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

/// One way to gain what one was not given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Escalation {
    /// Its id: what [`PathStep::via`](crate::PathStep::via) names.
    pub id: String,
    /// The step in words, in the imperative: "Assume the role".
    pub title: String,
    /// How it works, and what stops it.
    pub description: String,
    /// The ATT&CK techniques that it is an instance of.
    pub techniques: Vec<Technique>,
    /// Public documents that the facts are from.
    pub references: Vec<String>,
    /// Where a public list of escalations that is referred to asks for other permissions: the id
    /// there, and why ours are not the same.
    pub differs: BTreeMap<String, String>,
    /// Who can take the step.
    pub from: Origin,
    /// What the step is taken on.
    pub target: TargetKind,
    /// The permissions that it takes, all of them.
    pub needs: Vec<Need>,
    /// What must exist in the target's account. Where the inventory shows none, the step has the
    /// condition `portreeve:Exists/KIND`.
    pub beside: Vec<EntityKind>,
    /// What must hold besides and no inventory shows: conditions of every step made of it.
    pub assumes: Vec<String>,
    /// What it gains.
    pub yields: Yields,
    /// Policies that open it, and policies that do not.
    pub examples: Vec<Example>,
}

/// Who can take a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A principal of an AWS account.
    #[default]
    Principal,
    /// Whoever holds a token of an OIDC provider.
    WebIdentity,
    /// Whoever holds an assertion of a SAML provider.
    Saml,
}

/// What a step is taken on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetKind {
    /// The kinds of entities.
    pub kinds: Vec<EntityKind>,
    /// Whether it is every account of the organization, taken from its management account.
    pub member_accounts: bool,
    /// For roles: services any of which its trust policy must let in. Empty: no matter.
    pub trusts: Vec<String>,
    /// Patterns one of which its id must match. Empty: no matter.
    pub ids: Vec<String>,
}

/// What a step gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Yields {
    /// The target: to act as it, to control it, to use it.
    Target,
    /// To read what is in the target.
    Read,
    /// Every permission for the target principal, or for those whom the target policy or group
    /// covers. It gains the taker something only where he can act as one of them.
    Administrator,
    /// The permissions of the target group.
    Membership,
    /// The target principal's permissions without its boundary.
    WithoutBoundary,
}

/// A policy for the taker of a step, for the tests of the catalogue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Example {
    /// Whether it opens the step.
    pub opens: bool,
    /// Its statements in short: `iam:PassRole on target`, `deny s3:* on *`.
    pub statements: Vec<String>,
}
