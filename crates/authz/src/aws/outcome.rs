//! Outcomes of layers, and how they combine.

use super::pattern::Tri;
use super::statement::Statement;
use crate::{Atom, PolicyLayer, StatementRef};

/// A statement where it was found.
#[derive(Clone, Copy)]
pub(super) struct Found<'p> {
    pub(super) layer: PolicyLayer,
    pub(super) policy: &'p str,
    pub(super) statement: &'p Statement,
}

impl Found<'_> {
    pub(super) fn reference(&self) -> StatementRef {
        StatementRef {
            policy: self.policy.to_owned(),
            index: self.statement.index,
            sid: self.statement.sid.as_deref().map(str::to_owned),
        }
    }
}

/// Whether something is allowed, by what, and what it hangs on.
pub(super) struct Outcome<'p> {
    pub(super) tri: Tri,
    /// The statement that allows, or would.
    pub(super) by: Option<Found<'p>>,
    /// The layer that lacks an allow, or is undecided.
    pub(super) layer: PolicyLayer,
    /// What it hangs on, where it is undecided.
    pub(super) atoms: Vec<Atom>,
}

impl<'p> Outcome<'p> {
    pub(super) fn new(tri: Tri, layer: PolicyLayer) -> Self {
        Self {
            tri,
            by: None,
            layer,
            atoms: Vec::new(),
        }
    }

    /// Takes in one more statement, or group of policies, any of which is enough.
    pub(super) fn or(self, other: Self) -> Self {
        let (mut kept, more) = if other.tri > self.tri {
            (other, self)
        } else {
            (self, other)
        };
        if kept.tri == Tri::Maybe && more.tri == Tri::Maybe {
            kept.atoms.extend(more.atoms);
        }
        kept
    }

    /// Takes in one more layer that must allow too.
    pub(super) fn and(self, other: Self) -> Self {
        let by = self.by.or(other.by);
        let (mut kept, more) = if other.tri < self.tri {
            (other, self)
        } else {
            (self, other)
        };
        if kept.tri == Tri::Maybe && more.tri == Tri::Maybe {
            kept.atoms.extend(more.atoms);
        }
        kept.by = by;
        kept
    }
}
