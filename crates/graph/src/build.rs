//! From an estate to a graph.

mod administrators;
mod gains;
#[cfg(test)]
mod law;
mod relations;
mod targets;
mod wallets;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{EntityId, Estate};

use self::gains::HolderLists;
use crate::ask::Circumstances;
use crate::catalogue::Catalogue;
use crate::classes::{Folder, Questions};
use crate::decide::{Decider, Decision, Onto, grants_power};
use crate::doors::{self, Door};
use crate::edges::EdgeBuilder;
use crate::evaluate::{Evaluator, actions_of, base_context};
use crate::graph::Graph;
use crate::jewels::{self, DeclaredJewel};
use crate::nodes::{NodeId, Nodes};
use crate::outline::ActionSet;
use crate::parallel::{both, in_parallel, share_of};
use crate::permit::Permit;
use crate::plan::Plan;
use crate::policies::Policies;
use crate::targets::TargetIndex;
use crate::world::{TakerKind, World, outside_identities};

/// The condition of a step that hangs on which role a workload runs as, where the inventory does
/// not tell.
pub(crate) const ROLE_OF_WORKLOAD: &str = "portreeve:RoleOfWorkload";

pub(crate) fn graph(
    estate: &Estate,
    catalogue: &Catalogue,
    declared: &[DeclaredJewel],
    circumstances: &Circumstances,
) -> Graph {
    let actions = actions_of(catalogue);
    let (named, (policies, held)) = both(
        estate.len(),
        || Nodes::named_by(estate),
        || Policies::read(estate.relations(), &actions),
    );
    let outside = outside_identities(estate, &policies, &held);
    let nodes = Nodes::of(estate, named, outside);
    let world = World::of(estate, &nodes, policies, &held);
    let evaluator = Evaluator {
        nodes,
        world,
        actions,
        plans: catalogue.shared().map(Plan::of).collect(),
        circumstances: circumstances.clone(),
        base: circumstances.laid_over(base_context()),
    };
    Builder::new(evaluator).build(estate, declared)
}

/// How many decisions are worth handing to a thread.
const A_SHARE: usize = 64;

struct Builder {
    evaluator: Evaluator,
    edges: EdgeBuilder,
    doors: BTreeSet<Door>,
    notes: Vec<String>,
}

impl Builder {
    fn new(evaluator: Evaluator) -> Self {
        let edges = EdgeBuilder::new(evaluator.nodes.len());
        let mut notes = evaluator.world.notes.clone();
        if !evaluator.world.unread.is_empty() {
            notes.push(format!(
                "these policies are not in the inventory or cannot be read, and what they grant is not in the graph: {}",
                some_of(evaluator.world.unread.iter())
            ));
        }
        Self {
            evaluator,
            edges,
            doors: BTreeSet::new(),
            notes,
        }
    }

    fn build(self, estate: &Estate, declared: &[DeclaredJewel]) -> Graph {
        self.build_with(estate, declared, Self::steps)
    }

    /// Builds the graph; `steps` adds those of all takers, being told who is an administrator and
    /// who would be one, were he given every permission.
    fn build_with(
        mut self,
        estate: &Estate,
        declared: &[DeclaredJewel],
        steps: impl FnOnce(&mut Self, &BTreeMap<NodeId, Permit>, &BTreeMap<NodeId, Permit>),
    ) -> Graph {
        let administrators = self.administrators();
        let jewels = jewels::find(
            estate,
            &self.evaluator,
            &administrators,
            declared,
            &mut self.notes,
        );
        self.relate(estate);
        self.wallets(estate);
        self.guess_roles();
        self.place_targets(&jewels);
        for (&place, permit) in &administrators {
            if let Some(account) = self.evaluator.nodes.account_node(place) {
                let title = "Is an administrator of its account";
                let detail = self.edges.detail("administrator", title, permit, false);
                self.edges.add(place, account, detail);
            }
        }
        let if_granted = self.administrators_if_granted();
        steps(&mut self, &administrators, &if_granted);
        self.federations();
        self.doors.extend(doors::callable(&self.evaluator));
        self.doors.extend(doors::open_by_list(&self.evaluator));
        self.doors.extend(doors::open_addresses(&self.evaluator));
        self.doors.extend(doors::open_machines(estate));
        self.evaluator.nodes.forget_attributes();
        self.notes.sort();
        self.notes.dedup();
        Graph::new(
            self.evaluator,
            self.edges.finish(),
            jewels,
            self.doors.into_iter().collect(),
            self.notes,
        )
    }

    /// The steps of all takers, those of a class decided once.
    fn steps(
        &mut self,
        administrators: &BTreeMap<NodeId, Permit>,
        if_granted: &BTreeMap<NodeId, Permit>,
    ) {
        let evaluator = &self.evaluator;
        let (core, tagged) = (self.core_actions(), evaluator.tagged_actions());
        let decider = Decider {
            evaluator,
            indexes: in_parallel(&evaluator.plans, share_of(evaluator.nodes.len()), |plan| {
                TargetIndex::of(evaluator, plan, &plan.core, &tagged)
            }),
            administrators,
            if_granted,
            held: held(evaluator),
        };
        let questions = Questions {
            allowed: &core,
            denied: &core,
            resources: true,
        };
        let mut folder = Folder::new(evaluator, questions);
        let mut first_of: Vec<usize> = Vec::new();
        let mut class_of = Vec::with_capacity(evaluator.world.takers.len());
        for (place, taker) in evaluator.world.takers.iter().enumerate() {
            let alone = administrators.contains_key(&taker.node)
                || evaluator
                    .plans
                    .iter()
                    .any(|plan| grants_power(plan) && evaluator.may_hold_any(taker, plan));
            let class = folder.class_of(taker, alone);
            if class as usize == first_of.len() {
                first_of.push(place);
            }
            class_of.push(class);
        }
        let decisions = in_parallel(&first_of, A_SHARE, |&place| {
            decider.decide(&evaluator.world.takers[place])
        });
        drop(decider);
        drop(folder);
        let mut holders = HolderLists::default();
        for (place, class) in class_of.into_iter().enumerate() {
            let taker = self.evaluator.world.takers[place].node;
            let outside = self.evaluator.world.takers[place].kind == TakerKind::Outside;
            for decision in &decisions[class as usize] {
                let decision = &match outside {
                    true => self.without_shut(taker, decision),
                    false => Cow::Borrowed(decision),
                };
                if outside {
                    for &target in decision.onto.nodes() {
                        self.door(taker, target, &decision.permit, decision.plan);
                    }
                }
                self.gain(taker, decision, if_granted, &mut holders);
            }
            if outside {
                self.doors_to_leaves(place);
            }
        }
    }

    /// A decision on anyone without what is shut to the public.
    fn without_shut<'d>(&self, taker: NodeId, decision: &'d Decision) -> Cow<'d, Decision> {
        let nodes = &self.evaluator.nodes;
        let shut = |node: &NodeId| doors::is_shut_to_public(nodes.get(*node));
        if nodes.id(taker).as_str() != "*" || !decision.onto.nodes().iter().any(shut) {
            return Cow::Borrowed(decision);
        }
        let open = decision.onto.nodes().iter().copied();
        Cow::Owned(Decision {
            onto: Onto::Many(open.filter(|node| !shut(node)).collect()),
            ..decision.clone()
        })
    }

    /// The actions of steps that any edge may be made of.
    fn core_actions(&self) -> ActionSet {
        let plans = self.evaluator.plans.iter();
        let core = plans.filter(|plan| !plan.core.all.is_empty());
        let needs = core.flat_map(|plan| &plan.escalation.needs);
        let permissions = needs.flat_map(|need| &need.any_of);
        let names = permissions.map(|permission| permission.action.as_str());
        self.evaluator.actions.set(names)
    }

    /// What leads nowhere gets no edge, but is a door all the same.
    fn doors_to_leaves(&mut self, place: usize) {
        let evaluator = &self.evaluator;
        let taker = &evaluator.world.takers[place];
        let openings = evaluator.world.openings(&evaluator.nodes, taker);
        if openings.is_empty() {
            return;
        }
        let asker = evaluator.world.asker(&evaluator.nodes, taker);
        let mut found = Vec::new();
        for (place, plan) in evaluator.plans.iter().enumerate() {
            if plan.leaves.all.is_empty() || !evaluator.may_hold(taker, plan) {
                continue;
            }
            for target in evaluator.candidates(taker, plan, &plan.leaves, &openings, false) {
                if let Some(permit) = evaluator.step(taker, &asker, plan, target) {
                    found.push((target, permit, place));
                }
            }
        }
        let from = taker.node;
        let anyone = evaluator.nodes.id(from).as_str() == "*";
        found.retain(|(target, ..)| {
            !(anyone && doors::is_shut_to_public(evaluator.nodes.get(*target)))
        });
        for (target, permit, plan) in found {
            self.door(from, target, &permit, plan);
        }
    }

    fn door(&mut self, from: NodeId, target: NodeId, permit: &Permit, plan: usize) {
        let nodes = &self.evaluator.nodes;
        let title = &self.evaluator.plans[plan].escalation.title;
        let who = match nodes.id(from).as_str() {
            "*" => "anyone".to_owned(),
            id => match EntityId::from(id).aws_account() {
                Some(account) if id.ends_with(":root") => {
                    format!("anyone in the account {account}, which is not in the estate,")
                }
                _ => "a principal outside the estate".to_owned(),
            },
        };
        self.doors.insert(Door {
            id: nodes.id(from).clone(),
            to: nodes.id(target).clone(),
            reason: format!("{who} may {}", lower_first(title)),
            conditions: permit.conditions.iter().cloned().collect(),
        });
    }
}

/// What each principal holds: its groups and the policies attached to it or to them.
fn held(evaluator: &Evaluator) -> BTreeMap<NodeId, Vec<NodeId>> {
    let mut held: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for (&target, holders) in &evaluator.world.holders {
        for &holder in holders {
            held.entry(holder).or_default().push(target);
        }
    }
    held
}

/// The first few of many ids, and how many there are.
fn some_of<'i>(ids: impl ExactSizeIterator<Item = &'i EntityId>) -> String {
    let count = ids.len();
    let first: Vec<&str> = ids.take(3).map(EntityId::as_str).collect();
    match count {
        0..=3 => first.join(", "),
        _ => format!("{} and {} more", first.join(", "), count - 3),
    }
}

/// A title inside a sentence.
fn lower_first(title: &str) -> String {
    let mut characters = title.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
