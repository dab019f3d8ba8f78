//! What a step uses and needs, as authorisation tells it.

use std::collections::BTreeSet;

use portreeve_authz::{Answer, Atom, Decision, KeyClass, PolicyLayer};

/// What a step uses and needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Permit {
    pub(crate) permissions: Vec<String>,
    pub(crate) conditions: BTreeSet<String>,
    pub(crate) statements: Vec<String>,
}

impl Permit {
    /// What an answer permits. Conditions that the caller meets at will are none. A permission that
    /// would come from a policy that was not seen is not taken for held: the notes name that policy.
    pub(crate) fn of(answer: Answer, action: Option<&str>) -> Option<Self> {
        let unseen_grant = |atom: &Atom| {
            atom.class == KeyClass::Unseen && atom.must_hold && atom.layer == PolicyLayer::Identity
        };
        if answer.decision == Decision::Denied || answer.depends_on.iter().any(unseen_grant) {
            return None;
        }
        Some(Self {
            permissions: action.map(str::to_owned).into_iter().collect(),
            conditions: answer
                .depends_on
                .into_iter()
                .filter(|atom| atom.class != KeyClass::Settable && !is_harmless(atom))
                .map(|atom| atom.key)
                .collect(),
            statements: answer
                .statement
                .map(|statement| statement.to_string())
                .into_iter()
                .collect(),
        })
    }

    pub(crate) fn add(&mut self, other: Permit) {
        for permission in other.permissions {
            if !self.permissions.contains(&permission) {
                self.permissions.push(permission);
            }
        }
        self.conditions.extend(other.conditions);
        for statement in other.statements {
            if !self.statements.contains(&statement) {
                self.statements.push(statement);
            }
        }
    }
}

/// Whether an atom only says that a policy of AWS's own, whose text is not at hand, might deny:
/// those grant, but for the few whose names say that they deny.
fn is_harmless(atom: &Atom) -> bool {
    atom.class == KeyClass::Unseen
        && !atom.must_hold
        && atom.key.starts_with("arn:aws:iam::aws:policy/")
        && !atom.key.contains("Deny")
        && !atom.key.contains("Quarantine")
}
