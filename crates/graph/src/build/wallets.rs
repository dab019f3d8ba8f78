//! Edges to wallets: from the key that signs for one, from the owners of a Safe.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{Estate, Relation};

use super::Builder;
use crate::nodes::NodeId;
use crate::permit::Permit;

/// The owners of one Safe.
#[derive(Default)]
struct Owners {
    list: BTreeSet<NodeId>,
    /// How many must sign. Of what is told twice the lesser holds.
    threshold: Option<u64>,
    count: u64,
}

impl Builder {
    /// A key signs for its wallet alone. An owner of a Safe alone does so only where one signature is
    /// enough: else the step hangs on those of the others, which may be had in ways that no inventory
    /// tells. Who reaches as many owners as must sign needs nothing else.
    pub(super) fn wallets(&mut self, estate: &Estate) {
        let mut safes = BTreeMap::<NodeId, Owners>::new();
        for relation in estate.relations() {
            let nodes = &self.evaluator.nodes;
            match relation {
                Relation::SignsFor { signer, wallet } => {
                    let ends = (nodes.find(signer.as_str()), nodes.find(wallet.as_str()));
                    if let (Some(from), Some(to)) = ends
                        && from != to
                    {
                        let title = format!("Sign for the wallet{}", self.called(to));
                        self.edges.relate(from, to, "signs-for", &title);
                    }
                }
                Relation::OwnerOf {
                    owner,
                    wallet,
                    threshold,
                    owners,
                } => {
                    let ends = (nodes.find(owner.as_str()), nodes.find(wallet.as_str()));
                    if let (Some(owner), Some(wallet)) = ends
                        && owner != wallet
                    {
                        let safe = safes.entry(wallet).or_default();
                        safe.list.insert(owner);
                        let told = [safe.threshold, *threshold];
                        safe.threshold = told.into_iter().flatten().min();
                        safe.count = safe.count.max(*owners);
                    }
                }
                _ => {}
            }
        }
        for (wallet, safe) in safes {
            self.owners(wallet, safe);
        }
    }

    fn owners(&mut self, wallet: NodeId, safe: Owners) {
        let Owners {
            list,
            threshold,
            count,
        } = safe;
        let count = count.max(list.len() as u64);
        let called = self.called(wallet);
        let mut permit = Permit::default();
        let title = match threshold {
            Some(0 | 1) => {
                format!("Sign for the Safe{called}, of whose {count} owners one is enough")
            }
            Some(needed) => {
                permit
                    .conditions
                    .insert(format!("wallet:{needed}-of-{count}-owners"));
                format!(
                    "Sign for the Safe{called} as 1 of {count} owners, of whom {needed} must sign"
                )
            }
            None => {
                permit
                    .conditions
                    .insert(format!("wallet:unknown-threshold-of-{count}-owners"));
                format!(
                    "Sign for the Safe{called} as 1 of {count} owners; how many must sign is not known"
                )
            }
        };
        let detail = self.edges.detail("owner-of", &title, &permit, false);
        for &owner in &list {
            self.edges.add(owner, wallet, detail);
        }
        let needed = threshold.and_then(|needed| u32::try_from(needed).ok());
        if let Some(needed) = needed.filter(|&needed| needed > 1 && needed as usize <= list.len()) {
            let title = format!(
                "Sign for the Safe{called} as {needed} of {count} owners, all of them reached"
            );
            let detail = self
                .edges
                .detail("owner-of", &title, &Permit::default(), false);
            let owners = list.into_iter().collect();
            self.edges.quorum(owners, needed, wallet, detail);
        }
    }

    /// What people call a wallet, after a space.
    fn called(&self, wallet: NodeId) -> String {
        let called = self.evaluator.nodes.get(wallet).called.first();
        called.map_or_else(String::new, |name| format!(" {name}"))
    }
}
