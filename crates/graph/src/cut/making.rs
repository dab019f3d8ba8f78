//! What some parts come to together: the estate's revision, and the edits that a person reviews.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_model::{EntityId, PolicyLayer, Relation, Revision};

use super::candidate::{Candidate, Part, Place};
use super::costs::{ChangeKind, Costs};
use super::document::{StatementEdit, edited};
use super::holdings::{Holdings, PermissionSet, is_managed};
use super::plan::{Change, Edit, PLAN_VERSION, Plan};

/// The edits of each policy that some parts edit.
fn by_place<'p>(
    parts: impl Iterator<Item = &'p Part>,
) -> BTreeMap<&'p Place, BTreeSet<&'p StatementEdit>> {
    let mut edits: BTreeMap<&Place, BTreeSet<&StatementEdit>> = BTreeMap::new();
    for part in parts {
        if let Part::Statement { at, edit } = part {
            edits.entry(at).or_default().insert(edit);
        }
    }
    edits
}

/// From whom a part detaches a policy.
fn detached<'p>(target: &'p EntityId, copies: &'p [EntityId]) -> &'p [EntityId] {
    match copies {
        [] => std::slice::from_ref(target),
        copies => copies,
    }
}

/// How the estate changes when all of some parts are made. Of the relations that come, those of
/// subjects that are not `meant` are left out.
pub(super) fn revision<'p>(
    holdings: &Holdings<'_>,
    parts: impl Iterator<Item = &'p Part> + Clone,
    meant: impl Fn(&EntityId) -> bool,
) -> Revision {
    let mut revision = Revision::default();
    let mut without: BTreeSet<(&EntityId, &str)> = BTreeSet::new();
    for part in parts.clone() {
        let gone = match part {
            Part::Statement { .. } => continue,
            Part::Detach {
                target,
                policy,
                copies,
            } => {
                for subject in detached(target, copies) {
                    without.insert((subject, policy));
                    for held in holdings.policies(subject.as_str(), PolicyLayer::Identity) {
                        if held.name == policy {
                            revision.gone.insert(held.relation(subject));
                        }
                    }
                }
                continue;
            }
            Part::Revoke { key, grant } => {
                let held = holdings.policies(key.as_str(), PolicyLayer::Grant);
                let held = held.filter(|held| held.name == grant);
                revision.gone.extend(held.map(|held| held.relation(key)));
                continue;
            }
            Part::Leave { user, group } => Relation::MemberOf {
                member: user.clone(),
                group: group.clone(),
            },
            Part::Deactivate { key, user } => Relation::Proves {
                credential: key.clone(),
                principal: user.clone(),
            },
            Part::TakeRole { workload, role } => Relation::RunsAs {
                workload: workload.clone(),
                principal: role.clone(),
            },
            Part::Unassign { person, role } => Relation::SignsInAs {
                person: person.clone(),
                role: role.clone(),
            },
        };
        revision.gone.insert(gone);
    }
    for (place, edits) in by_place(parts) {
        for subject in place.subjects.iter().filter(|subject| meant(subject)) {
            for &layer in place.layers() {
                let held = holdings.policies(subject.as_str(), layer);
                let held: Vec<_> = held.filter(|held| held.name == place.name).collect();
                if held.is_empty() && is_managed(&place.name) {
                    continue;
                }
                let before = held.first().map(|held| &**held.document);
                revision
                    .gone
                    .extend(held.iter().map(|held| held.relation(subject)));
                let is_without = layer == PolicyLayer::Identity
                    && without.contains(&(subject, place.name.as_str()));
                if let Some(after) = place.after(before, &edits).filter(|_| !is_without) {
                    revision.come.insert(Relation::Policy {
                        subject: subject.clone(),
                        layer,
                        name: place.name.clone(),
                        document: after.into(),
                    });
                }
            }
        }
    }
    revision
}

impl Place {
    /// The layers in which the policy may be held.
    fn layers(&self) -> &[PolicyLayer] {
        match is_managed(&self.name) {
            true => &[PolicyLayer::Identity, PolicyLayer::Boundary],
            false => std::slice::from_ref(&self.layer),
        }
    }

    fn after(&self, before: Option<&str>, edits: &BTreeSet<&StatementEdit>) -> Option<String> {
        edited(before, self.layer, is_managed(&self.name), edits)
    }
}

/// The plan that some candidates make, each policy's edits in one change. Changes are in the order
/// of accounts, then of what is edited.
pub(super) fn plan(holdings: &Holdings<'_>, chosen: &[&Candidate], costs: &Costs) -> Plan {
    let mut edits: BTreeMap<Edit, Vec<&Candidate>> = BTreeMap::new();
    let places = by_place(chosen.iter().map(|candidate| &candidate.part));
    for candidate in chosen {
        let edit = match &candidate.part {
            Part::Statement { at, .. } => document_edit(holdings, at, &places[at]),
            Part::Detach {
                target,
                policy,
                copies,
            } => Edit::Attachment {
                target: target.clone(),
                policy: policy.clone(),
                attached: false,
                copies: copies.clone(),
            },
            Part::Revoke { key, grant } => Edit::Document {
                target: key.clone(),
                layer: PolicyLayer::Grant,
                name: grant.clone(),
                before: holdings
                    .document(key.as_str(), PolicyLayer::Grant, grant)
                    .cloned(),
                after: None,
                copies: Vec::new(),
            },
            Part::Leave { user, group } => Edit::Membership {
                user: user.clone(),
                group: group.clone(),
                member: false,
            },
            Part::Deactivate { key, user } => Edit::AccessKey {
                user: user.clone(),
                key: key.clone(),
                active: false,
            },
            Part::TakeRole { workload, role } => Edit::WorkloadRole {
                workload: workload.clone(),
                role: role.clone(),
                runs: false,
            },
            Part::Unassign { person, role } => Edit::Assignment {
                person: person.clone(),
                role: role.clone(),
                assigned: false,
            },
        };
        edits.entry(edit).or_default().push(candidate);
    }
    let mut changes: Vec<Change> = edits
        .into_iter()
        .map(|(edit, parts)| {
            let kinds: BTreeSet<ChangeKind> = parts.iter().map(|part| part.kind).collect();
            Change {
                id: String::new(),
                kinds: kinds.into_iter().collect(),
                titles: parts.iter().map(|part| part.title.clone()).collect(),
                cost: parts.iter().map(|part| costs.of(part.kind)).sum(),
                account: account_of(holdings, &edit),
                edit,
            }
        })
        .collect();
    changes.sort_by(|one, other| (&one.account, &one.edit).cmp(&(&other.account, &other.edit)));
    for (change, number) in changes.iter_mut().zip(1..) {
        change.id = number.to_string();
    }
    Plan {
        version: PLAN_VERSION,
        changes,
    }
}

fn document_edit(holdings: &Holdings<'_>, at: &Place, edits: &BTreeSet<&StatementEdit>) -> Edit {
    let held = at.subjects.iter().flat_map(|subject| {
        let layers = at.layers().iter();
        layers.filter_map(|layer| holdings.document(subject.as_str(), *layer, &at.name))
    });
    let before = held.into_iter().next().cloned();
    let after = at.after(before.as_deref(), edits).map(Arc::from);
    let is_set = at.name == PermissionSet::POLICY;
    Edit::Document {
        target: at.target.clone(),
        layer: at.layer,
        name: at.name.clone(),
        before,
        after,
        copies: if is_set {
            at.subjects.clone()
        } else {
            Vec::new()
        },
    }
}

fn account_of(holdings: &Holdings<'_>, edit: &Edit) -> Option<String> {
    let of = |id: &EntityId| {
        let known = holdings.estate.get(id.as_str());
        let known = known.and_then(|entity| entity.account.clone());
        known.or_else(|| id.aws_account().map(str::to_owned))
    };
    match edit {
        Edit::AccessKey { user, .. } => of(user),
        Edit::Assignment { role, .. } => of(role),
        Edit::WorkloadRole { workload, role, .. } => of(workload).or_else(|| of(role)),
        edit => of(edit.target()),
    }
}
