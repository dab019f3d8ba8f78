//! Principals folded into classes: those of a class get the same answers to all questions that the
//! graph asks when it is built, so that one of them is asked about.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use portreeve_model::EntityKind;

use crate::evaluate::Evaluator;
use crate::nodes::NodeId;
use crate::outline::{ActionSet, Looks};
use crate::permit::Permit;
use crate::plan::Plan;
use crate::policies::PolicyId;
use crate::world::{Taker, TakerKind};

/// What principals of a class share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    kind: (TakerKind, EntityKind),
    account: String,
    known: bool,
    /// Identity policies that may allow something that is asked about, or that are not understood.
    policies: Vec<PolicyId>,
    /// What the others deny.
    denials: Vec<u32>,
    boundary: Option<PolicyId>,
    tags: Vec<(String, String)>,
    /// The principal, where something tells it from all others.
    itself: Option<NodeId>,
}

/// What is asked about.
pub(crate) struct Questions<'q> {
    /// Actions that an allow counts for.
    pub(crate) allowed: &'q ActionSet,
    /// Actions that a deny counts for.
    pub(crate) denied: &'q ActionSet,
    /// Whether policies of resources bear on the answers.
    pub(crate) resources: bool,
}

/// Folds principals into classes.
pub(crate) struct Folder<'e> {
    evaluator: &'e Evaluator,
    texts: HashMap<&'e str, u32>,
    classes: HashMap<Key, u32>,
    /// What the policies of resources look at.
    at_name: bool,
    at_tags: BTreeSet<String>,
    questions: Questions<'e>,
}

impl<'e> Folder<'e> {
    pub(crate) fn new(evaluator: &'e Evaluator, questions: Questions<'e>) -> Self {
        let mut folder = Self {
            evaluator,
            texts: HashMap::new(),
            classes: HashMap::new(),
            at_name: false,
            at_tags: BTreeSet::new(),
            questions,
        };
        let own: BTreeSet<PolicyId> = evaluator.world.of_resources().map(|(_, own)| own).collect();
        let of_resources = own.into_iter().filter(|_| folder.questions.resources);
        let bounds: Vec<PolicyId> = of_resources.chain(evaluator.world.all_rcps()).collect();
        for policy in bounds {
            folder.note(policy);
        }
        folder
    }

    /// Notes what a policy that holds for all looks at.
    fn note(&mut self, policy: PolicyId) {
        let mut looks = Looks::default();
        self.look(policy, &mut looks);
        self.at_name |= looks.at_name;
        self.at_tags.extend(looks.at_tags);
    }

    /// What the statements of a policy that bear on the questions look at.
    fn look(&self, policy: PolicyId, into: &mut Looks) {
        let outline = self.evaluator.world.policies.outline_of(policy);
        if !outline.plain {
            into.at_name = true;
        }
        let grants = outline.grants.iter();
        let grants = grants.map(|grant| (&grant.actions, &grant.looks));
        let denials = outline.denials.iter();
        let denials = denials.map(|denial| (&denial.actions, &denial.looks));
        for (actions, looks) in grants.chain(denials) {
            if actions.meets(self.questions.denied) || actions.meets(self.questions.allowed) {
                into.at_name |= looks.at_name;
                into.at_tags.extend(looks.at_tags.iter().cloned());
            }
        }
    }

    /// The class of a principal. Classes are numbered in the order in which they are met.
    pub(crate) fn class_of(&mut self, taker: &Taker, alone: bool) -> u32 {
        let world = &self.evaluator.world;
        let node = self.evaluator.nodes.get(taker.node);
        let mut looks = Looks::default();
        let mut policies = Vec::new();
        let mut denials = Vec::new();
        for &policy in &taker.identity {
            let outline = world.policies.outline_of(policy);
            self.look(policy, &mut looks);
            if !outline.plain || outline.actions.meets(self.questions.allowed) {
                policies.push(policy);
                continue;
            }
            for denial in &outline.denials {
                if denial.actions.meets(self.questions.denied) {
                    let next = self.texts.len() as u32;
                    denials.push(*self.texts.entry(&denial.text).or_insert(next));
                }
            }
        }
        denials.sort_unstable();
        denials.dedup();
        for policy in taker.boundary.into_iter().chain(world.scps_of(taker)) {
            self.look(policy, &mut looks);
        }
        let of_resources = self.at_name || (self.questions.resources && world.is_named(taker));
        let alone = alone
            || looks.at_name
            || of_resources
            || looks
                .at_tags
                .iter()
                .chain(&self.at_tags)
                .any(String::is_empty)
            || !matches!(taker.kind, TakerKind::Principal);
        let looked_at = |tag: &str| {
            let tag = tag.to_ascii_lowercase();
            looks.at_tags.contains(&tag) || self.at_tags.contains(&tag)
        };
        let tags = node.tags.iter().filter(|(key, _)| looked_at(key));
        let key = Key {
            kind: (taker.kind, node.kind),
            account: taker.account.clone(),
            known: !node.inferred,
            policies,
            denials,
            boundary: taker.boundary,
            tags: tags
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            itself: alone.then_some(taker.node),
        };
        let next = self.classes.len() as u32;
        *self.classes.entry(key).or_insert(next)
    }
}

/// Takers who get the same answer about one step onto one target.
pub(crate) struct Alike<'e> {
    evaluator: &'e Evaluator,
    plan: &'e Plan,
    target: NodeId,
    /// Which policies may allow it.
    naming: &'e [bool],
    /// Which policies deny anything.
    denying: &'e [bool],
    /// What the step asks for on its target.
    asked: ActionSet,
    /// Whether each taker is to be asked about by itself.
    apart: bool,
    bounds: HashMap<(&'e str, Option<PolicyId>), bool>,
    known: HashMap<AlikeKey<'e>, Known>,
}

/// What is known of those with one key.
enum Known {
    /// All of them get the same answer.
    Same(Option<Arc<Permit>>),
    /// Something tells them from each other.
    Apart,
}

/// Kinds, account, policies that may allow the step, policies that deny, boundary.
type AlikeKey<'e> = (
    (TakerKind, EntityKind),
    &'e str,
    Vec<PolicyId>,
    Vec<PolicyId>,
    Option<PolicyId>,
);

impl Evaluator {
    /// Folds takers for one step onto one target; `naming` are the policies that may allow it,
    /// `denying` those that deny anything.
    pub(crate) fn alike<'e>(
        &'e self,
        plan: &'e Plan,
        target: NodeId,
        naming: &'e [bool],
        denying: &'e [bool],
    ) -> Alike<'e> {
        let own = self.world.said_by(target);
        let mut policies = own.chain(self.world.all_rcps());
        // Other policies may allow what else the step needs.
        let apart =
            plan.escalation.needs.len() != 1 || policies.any(|policy| self.looks_at_caller(policy));
        let permissions = plan.target_needs().flat_map(|need| &need.any_of);
        let asked = permissions.map(|permission| permission.action.as_str());
        Alike {
            evaluator: self,
            plan,
            target,
            naming,
            denying,
            asked: self.actions.set(asked),
            apart,
            bounds: HashMap::new(),
            known: HashMap::new(),
        }
    }

    /// Whether a policy may answer two callers of a kind differently.
    pub(crate) fn looks_at_caller(&self, policy: PolicyId) -> bool {
        let outline = self.world.policies.outline_of(policy);
        let grants = outline.grants.iter().map(|grant| &grant.looks);
        let denials = outline.denials.iter().map(|denial| &denial.looks);
        !outline.plain
            || grants
                .chain(denials)
                .any(|looks| looks.at_name || !looks.at_tags.is_empty())
    }
}

impl<'e> Alike<'e> {
    /// What a taker is permitted: of those who are alike the first is asked about, with the policies
    /// that bear on the step.
    pub(crate) fn permit(&mut self, taker: &'e Taker) -> Option<Arc<Permit>> {
        let world = &self.evaluator.world;
        if self.apart || taker.kind != TakerKind::Principal || world.is_named(taker) {
            return self.ask(taker, &taker.identity);
        }
        let of = |bears: &dyn Fn(PolicyId) -> bool| -> Vec<PolicyId> {
            let policies = taker.identity.iter().copied();
            policies.filter(|&policy| bears(policy)).collect()
        };
        let key = (
            (taker.kind, self.evaluator.nodes.get(taker.node).kind),
            taker.account.as_str(),
            of(&|policy| self.naming[policy as usize]),
            of(&|policy| self.denying[policy as usize] && self.denies(policy)),
            taker.boundary,
        );
        match self.known.get(&key) {
            Some(Known::Same(permit)) => return permit.clone(),
            Some(Known::Apart) => return self.ask(taker, &taker.identity),
            None => {}
        }
        let mut policies = key.2.iter().chain(&key.3);
        let apart = self.bounds_look_at_caller(taker)
            || policies.any(|&policy| self.evaluator.looks_at_caller(policy));
        if apart {
            self.known.insert(key, Known::Apart);
            return self.ask(taker, &taker.identity);
        }
        let bearing = of(&|policy| key.2.contains(&policy) || key.3.contains(&policy));
        let permit = self.ask(taker, &bearing);
        self.known.insert(key, Known::Same(permit.clone()));
        permit
    }

    /// Whether a policy may deny the step.
    fn denies(&self, policy: PolicyId) -> bool {
        let outline = self.evaluator.world.policies.outline_of(policy);
        let mut denials = outline.denials.iter();
        !outline.plain || denials.any(|denial| denial.actions.meets(&self.asked))
    }

    fn bounds_look_at_caller(&mut self, taker: &'e Taker) -> bool {
        let evaluator = self.evaluator;
        let bound = self.bounds.entry((&taker.account, taker.boundary));
        *bound.or_insert_with(|| {
            let mut bounds = evaluator.world.scps_of(taker).chain(taker.boundary);
            bounds.any(|policy| evaluator.looks_at_caller(policy))
        })
    }

    fn ask(&self, taker: &Taker, identity: &[PolicyId]) -> Option<Arc<Permit>> {
        let world = &self.evaluator.world;
        let asker = world.asker_with(&self.evaluator.nodes, taker, identity);
        let permit = self.evaluator.step(taker, &asker, self.plan, self.target)?;
        Some(Arc::new(permit))
    }
}
