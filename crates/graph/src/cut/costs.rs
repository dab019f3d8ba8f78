//! What kinds of changes there are, and what each costs: one table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A kind of change that a cut may propose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// A condition is asked for in a statement of a trust or resource policy: a second factor.
    RequireCondition,
    /// An action is taken out of one statement of an inline policy.
    NarrowInline,
    /// A principal is taken out of one statement of a role's trust policy.
    NarrowTrust,
    /// A principal is taken out of one statement of a resource's policy.
    NarrowResource,
    /// A grant on a KMS key is revoked.
    RevokeGrant,
    /// An action is taken out of one statement of a managed policy: of all who hold it.
    NarrowManaged,
    /// An action on one resource is denied to one principal, by an inline policy of its own.
    Deny,
    /// An action on every resource is denied to one principal, likewise.
    DenyEverywhere,
    /// An action is taken out of a permission set's own policy: in all accounts that have the set.
    NarrowPermissionSet,
    /// An action is denied to all who hold a permission set.
    DenyPermissionSet,
    /// One statement is taken out of a permission set's own policy: in all accounts.
    RemovePermissionSet,
    /// A user leaves a group.
    LeaveGroup,
    /// One statement is taken out of an inline policy.
    RemoveInline,
    /// A managed policy is detached from one principal.
    Detach,
    /// An access key is deactivated.
    DeactivateKey,
    /// One statement is taken out of a managed policy: of all who hold it.
    RemoveManaged,
    /// A permission set is no longer assigned to a person or group in one account.
    RemoveAssignment,
    /// A workload no longer runs as a role.
    TakeRole,
    /// An action on one resource is denied to one principal by a service control policy on its
    /// account. It binds nobody in the management account.
    DenyByOrganization,
}

/// A kind of change, what it costs where nothing else is said, and what it is called.
const KINDS: [(ChangeKind, u32, &str); 19] = [
    (ChangeKind::RequireCondition, 1, "require-condition"),
    (ChangeKind::NarrowInline, 2, "narrow-inline"),
    (ChangeKind::NarrowTrust, 2, "narrow-trust"),
    (ChangeKind::NarrowResource, 2, "narrow-resource"),
    (ChangeKind::RevokeGrant, 2, "revoke-grant"),
    (ChangeKind::NarrowManaged, 3, "narrow-managed"),
    (ChangeKind::Deny, 3, "deny"),
    (ChangeKind::DenyEverywhere, 4, "deny-everywhere"),
    (ChangeKind::NarrowPermissionSet, 4, "narrow-permission-set"),
    (ChangeKind::DenyPermissionSet, 5, "deny-permission-set"),
    (ChangeKind::LeaveGroup, 4, "leave-group"),
    (ChangeKind::RemoveInline, 4, "remove-inline"),
    (ChangeKind::Detach, 5, "detach"),
    (ChangeKind::DeactivateKey, 5, "deactivate-key"),
    (ChangeKind::RemoveManaged, 6, "remove-managed"),
    (ChangeKind::RemovePermissionSet, 6, "remove-permission-set"),
    (ChangeKind::RemoveAssignment, 6, "remove-assignment"),
    (ChangeKind::TakeRole, 8, "take-role"),
    (ChangeKind::DenyByOrganization, 10, "deny-by-organization"),
];

impl ChangeKind {
    /// All kinds, the cheapest first.
    pub fn all() -> impl Iterator<Item = ChangeKind> {
        KINDS.iter().map(|(kind, ..)| *kind)
    }

    /// The kebab-case name used in settings and machine-readable reports.
    pub fn as_str(self) -> &'static str {
        let known = KINDS.iter().find(|(kind, ..)| *kind == self);
        known.map_or("", |(_, _, name)| name)
    }
}

/// What each kind of change costs. The unit is the owner's: only how costs compare counts. The
/// built-in ones put what few notice and what is easily taken back before what breaks more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<ChangeKind, u32>")]
pub struct Costs(BTreeMap<ChangeKind, u32>);

impl Default for Costs {
    fn default() -> Self {
        Self(KINDS.iter().map(|(kind, cost, _)| (*kind, *cost)).collect())
    }
}

impl From<BTreeMap<ChangeKind, u32>> for Costs {
    /// The built-in costs, some of them replaced. A cost of zero counts as one: a change that costs
    /// nothing would be made for nothing.
    fn from(replaced: BTreeMap<ChangeKind, u32>) -> Self {
        let mut costs = Self::default();
        for (kind, cost) in replaced {
            costs.0.insert(kind, cost.max(1));
        }
        costs
    }
}

impl Costs {
    /// What a change of this kind costs.
    pub fn of(&self, kind: ChangeKind) -> u32 {
        self.0.get(&kind).copied().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_cost_and_the_name_that_machines_read() {
        for kind in ChangeKind::all() {
            let name = serde_json::to_value(kind).unwrap();
            assert_eq!(name, kind.as_str());
            assert!(Costs::default().of(kind) > 0, "{kind:?}");
        }
    }

    #[test]
    fn a_cost_is_replaced_and_never_nothing() {
        let costs: Costs = serde_json::from_str(r#"{"detach": 1, "deny": 0}"#).unwrap();
        assert_eq!(costs.of(ChangeKind::Detach), 1);
        assert_eq!(costs.of(ChangeKind::Deny), 1);
        assert_eq!(costs.of(ChangeKind::LeaveGroup), 4);
    }
}
