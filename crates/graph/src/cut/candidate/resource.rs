//! Changes of what a resource lets in: its policy, the trust policy of a role, the grants on a key.

use std::collections::BTreeSet;

use portreeve_authz::aws::KmsGrant;
use portreeve_model::{EntityId, EntityKind, PolicyLayer};

use super::super::costs::ChangeKind;
use super::super::document::{StatementEdit, principals, statements};
use super::super::holdings::Editing;
use super::super::naming::{covers_action, is_allow, names_of, names_principal, statement_name};
use super::{Candidate, Candidates, Part, Place, Use};
use crate::nodes::account_id;

impl Candidates<'_> {
    /// What the policy of a resource, or the trust policy of a role, allows a taker.
    pub(super) fn of_resource(
        &self,
        taker: &EntityId,
        target: &EntityId,
        used: &Use<'_>,
        found: &mut BTreeSet<Candidate>,
    ) {
        let known = self.holdings.estate.get(target.as_str());
        let Some(entity) = known.filter(|target| !target.inferred) else {
            return;
        };
        let (layer, kind, whose) = match entity.kind {
            EntityKind::Role => (
                PolicyLayer::Trust,
                ChangeKind::NarrowTrust,
                format!("the trust policy of {}", target.full_name()),
            ),
            _ => (
                PolicyLayer::Resource,
                ChangeKind::NarrowResource,
                format!("the policy of {}", target.full_name()),
            ),
        };
        // Roles of Identity Center and of services are trusted as those decide.
        if entity.kind == EntityKind::Role && self.holdings.editing(target) != Editing::Own {
            return;
        }
        let names = names_of(taker);
        for held in self.holdings.policies(target.as_str(), layer) {
            let list = statements(held.document);
            for (place, statement) in list.iter().enumerate() {
                if !is_allow(statement) || !covers_action(statement, used.action) {
                    continue;
                }
                let named = statement_name(place, statement, list.len());
                let at = Place {
                    target: target.clone(),
                    layer,
                    name: held.name.to_owned(),
                    subjects: vec![target.clone()],
                };
                let mut add = |kind, title, edit| {
                    found.insert(Candidate {
                        title,
                        kind,
                        touches: BTreeSet::from([target.clone()]),
                        part: Part::Statement {
                            at: at.clone(),
                            edit,
                        },
                    });
                };
                let mut is_meant = false;
                for (of, principal) in principals(statement) {
                    let own = entity.account.as_deref().unwrap_or_default();
                    let is_own_root = principal == own || *principal == *account_id(own).as_str();
                    // Without its account a key can never be edited again.
                    if entity.kind == EntityKind::Key && is_own_root {
                        continue;
                    }
                    if !names_principal(&names, of, principal) {
                        continue;
                    }
                    is_meant = true;
                    add(
                        kind,
                        format!("Take {principal} out of {named} of {whose}"),
                        StatementEdit::TakePrincipal {
                            statement: place,
                            kind: of.to_owned(),
                            principal: principal.to_owned(),
                        },
                    );
                }
                if is_meant && self.lacks_mfa && layer == PolicyLayer::Trust {
                    add(
                        ChangeKind::RequireCondition,
                        format!("Ask for a second factor in {named} of {whose}"),
                        StatementEdit::RequireMfa { statement: place },
                    );
                }
            }
        }
    }

    /// The grants on a key that let a taker in.
    pub(super) fn of_grants(
        &self,
        taker: &EntityId,
        key: &EntityId,
        used: &Use<'_>,
        found: &mut BTreeSet<Candidate>,
    ) {
        let names = names_of(taker);
        for held in self.holdings.policies(key.as_str(), PolicyLayer::Grant) {
            let policy = KmsGrant::from_json(held.document).and_then(|grant| grant.as_policy());
            let list = policy.map(|policy| statements(&policy)).unwrap_or_default();
            let lets_in = list.iter().any(|statement| {
                covers_action(statement, used.action)
                    && principals(statement)
                        .into_iter()
                        .any(|(of, principal)| names_principal(&names, of, principal))
            });
            if lets_in {
                found.insert(Candidate {
                    title: format!("Revoke {} on {}", held.name, key.full_name()),
                    kind: ChangeKind::RevokeGrant,
                    touches: BTreeSet::from([key.clone()]),
                    part: Part::Revoke {
                        key: key.clone(),
                        grant: held.name.to_owned(),
                    },
                });
            }
        }
    }
}
