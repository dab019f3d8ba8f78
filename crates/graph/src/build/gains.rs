//! What a step comes to: edges, or grants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::HashMap;
use portreeve_model::EntityKind;

use super::Builder;
use crate::catalogue::Yields;
use crate::decide::{Decision, Onto};
use crate::edges::{HUB_FROM, Holder};
use crate::evaluate::{Evaluator, sentinel_actions};
use crate::nodes::NodeId;
use crate::permit::Permit;

impl Builder {
    /// Makes the edges, or the grants, that a step comes to.
    pub(super) fn gain(
        &mut self,
        from: NodeId,
        decision: &Decision,
        if_granted: &BTreeMap<NodeId, Permit>,
        lists: &mut HolderLists,
    ) {
        let escalation = &self.evaluator.plans[decision.plan].escalation;
        let (via, title) = (escalation.id.clone(), escalation.title.clone());
        let permit = &decision.permit;
        match escalation.yields {
            Yields::Target | Yields::Read => {
                let changes_access = escalation
                    .techniques
                    .iter()
                    .any(|technique| technique.as_str().starts_with("T1098"));
                let detail = self.edges.detail(&via, &title, permit, changes_access);
                match &decision.onto {
                    Onto::One(target) if *target == from => {}
                    Onto::One(target) => self.edges.add(from, *target, detail),
                    Onto::Many(targets) => self.edges.add_many(from, targets, detail),
                }
            }
            Yields::Administrator => {
                let found = lists.granted(&self.evaluator, &decision.onto, if_granted);
                for (account, conditions, holders) in found.iter() {
                    self.grant(from, holders, *account, conditions, permit, &via, &title);
                }
            }
            Yields::WithoutBoundary => {
                let found = lists.without_boundary(&self.evaluator, &decision.onto);
                for (account, conditions, holders) in found.iter() {
                    self.grant(from, holders, *account, conditions, permit, &via, &title);
                }
            }
            Yields::Membership => {
                if self.evaluator.nodes.get(from).kind != EntityKind::User {
                    return;
                }
                for &target in decision.onto.nodes() {
                    self.join(from, target, permit, &via, &title);
                }
            }
        }
    }

    /// A user joins a group.
    fn join(&mut self, from: NodeId, target: NodeId, permit: &Permit, via: &str, title: &str) {
        let world = &self.evaluator.world;
        let (Some(member), Some(group)) = (world.taker(from), world.taker(target)) else {
            return;
        };
        let mut joined = member.clone();
        let identity = member.identity.iter().chain(&group.identity);
        joined.identity = identity.copied().collect();
        let asker = world.asker(&self.evaluator.nodes, &joined);
        let bounded = member.boundary.is_some();
        let wanted = sentinel_actions(&self.evaluator.actions);
        let mut actions = member.actions.clone();
        actions.extend(&group.actions);
        let then = actions
            .covers(&wanted)
            .then(|| self.evaluator.administrator(&asker.caller, &asker.policies))
            .flatten();
        let account = self.evaluator.nodes.account_node(from);
        if let (Some(then), Some(account)) = (then, account) {
            let holders = [(from, target)];
            self.grant(
                from,
                &holders,
                account,
                &then.conditions,
                permit,
                via,
                title,
            );
        }
        // What a boundary leaves of the group's permissions is not followed further.
        if !bounded {
            let detail = self.edges.detail(via, title, permit, false);
            self.edges.add(from, target, detail);
        }
    }

    /// `by` makes any of the holders an administrator by a step on what he holds.
    #[allow(clippy::too_many_arguments)]
    fn grant(
        &mut self,
        by: NodeId,
        holders: &[Holder],
        account: NodeId,
        then: &BTreeSet<String>,
        permit: &Permit,
        via: &str,
        title: &str,
    ) {
        let mut permit = permit.clone();
        permit.conditions.extend(then.iter().cloned());
        // On a list of several the giver himself is not meant: he was asked about by himself.
        let own = holders
            .iter()
            .find(|(holder, target)| *holder == by && (holders.len() == 1 || *target != by));
        if let Some(&(_, target)) = own {
            let title = self.title_on(by, target, title);
            let detail = self.edges.detail(via, &title, &permit, false);
            self.edges.add(by, account, detail);
        }
        match holders {
            [] => {}
            [(holder, target)] => {
                if *holder != by {
                    let title = self.title_on(by, *target, title);
                    let detail = self.edges.detail(via, &title, &permit, false);
                    self.edges.grant(by, holders.to_vec(), account, detail);
                }
            }
            several => {
                let detail = self.edges.detail(via, title, &permit, false);
                self.edges.grant(by, several.to_vec(), account, detail);
            }
        }
    }

    /// A step's title with the name of what it is taken on.
    fn title_on(&self, by: NodeId, target: NodeId, title: &str) -> String {
        if target == by {
            return title.to_owned();
        }
        let name = self.evaluator.nodes.id(target).short_name();
        format!("{title} ({name})")
    }
}

/// Who holds the targets of steps that give permissions, by what stands in their way.
#[derive(Default)]
pub(super) struct HolderLists {
    granted: HashMap<*const NodeId, HolderList>,
    unbounded: HashMap<*const NodeId, HolderList>,
    /// What each principal could do without its boundary.
    without_boundary: BTreeMap<NodeId, Option<Permit>>,
}

/// Holders by account and by the conditions under which they become administrators.
type HolderList = Arc<[(NodeId, BTreeSet<String>, Vec<Holder>)]>;

impl HolderLists {
    /// Those who get every permission.
    fn granted(
        &mut self,
        evaluator: &Evaluator,
        onto: &Onto,
        if_granted: &BTreeMap<NodeId, Permit>,
    ) -> HolderList {
        // Whoever may take a step on all of many may take it on the same list of them.
        if let Some(known) = place(onto).and_then(|place| self.granted.get(&place)) {
            return known.clone();
        }
        let mut holders = Vec::new();
        for &target in onto.nodes() {
            match evaluator.nodes.get(target).kind {
                EntityKind::Group | EntityKind::Policy => {
                    let held = evaluator.world.holders.get(&target);
                    holders.extend(held.into_iter().flatten().map(|&holder| (holder, target)));
                }
                _ => holders.push((target, target)),
            }
        }
        let found = holder_list(evaluator, &holders, |holder| if_granted.get(&holder));
        if let Some(place) = place(onto) {
            self.granted.insert(place, found.clone());
        }
        found
    }

    /// Those who are rid of their boundary.
    fn without_boundary(&mut self, evaluator: &Evaluator, onto: &Onto) -> HolderList {
        if let Some(known) = place(onto).and_then(|place| self.unbounded.get(&place)) {
            return known.clone();
        }
        let mut holders = Vec::new();
        for &target in onto.nodes() {
            let taker = evaluator.world.taker(target);
            let Some(taker) = taker.filter(|taker| taker.boundary.is_some()) else {
                continue;
            };
            holders.push((target, target));
            self.without_boundary.entry(target).or_insert_with(|| {
                let mut asker = evaluator.world.asker(&evaluator.nodes, taker);
                asker.policies.boundary = None;
                evaluator.administrator(&asker.caller, &asker.policies)
            });
        }
        let then = |holder| self.without_boundary.get(&holder)?.as_ref();
        let found = holder_list(evaluator, &holders, then);
        if let Some(place) = place(onto) {
            self.unbounded.insert(place, found.clone());
        }
        found
    }
}

/// Where a long list is kept.
fn place(onto: &Onto) -> Option<*const NodeId> {
    match onto {
        Onto::Many(nodes) if nodes.len() >= HUB_FROM => Some(nodes.as_ptr()),
        _ => None,
    }
}

fn holder_list<'p>(
    evaluator: &Evaluator,
    holders: &[Holder],
    then: impl Fn(NodeId) -> Option<&'p Permit>,
) -> HolderList {
    let mut found: BTreeMap<(NodeId, &BTreeSet<String>), BTreeMap<NodeId, NodeId>> =
        BTreeMap::new();
    for &(holder, target) in holders {
        if let (Some(then), Some(account)) = (then(holder), evaluator.nodes.account_node(holder)) {
            let list = found.entry((account, &then.conditions)).or_default();
            list.entry(holder).or_insert(target);
        }
    }
    found
        .into_iter()
        .map(|((account, then), list)| (account, then.clone(), list.into_iter().collect()))
        .collect()
}
