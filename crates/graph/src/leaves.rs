//! What leads nowhere and has no edges: onto which of it someone reached can take a step.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use crate::catalogue::PermissionTarget;
use crate::decide::Question;
use crate::evaluate::Evaluator;
use crate::nodes::NodeId;
use crate::outline::ActionSet;
use crate::plan::{Plan, Targets};
use crate::policies::PolicyId;
use crate::search::{Members, Reach};
use crate::targets::TargetIndex;
use crate::world::{Asker, Opening, Taker, TakerKind};

/// More leaves than this are sorted before anyone is asked.
const MANY: usize = 64;

/// Leaves that are reached.
pub(crate) struct Leaves {
    /// From where each is reached first, and under which of the conditions.
    pub(crate) found: HashMap<NodeId, (NodeId, u32)>,
    pub(crate) conditions: Vec<BTreeSet<String>>,
}

/// Finds them. What a policy may allow is worked out once, and asked about once for all who hold
/// the policy under the same bounds.
pub(crate) struct Finder<'e> {
    evaluator: &'e Evaluator,
    reach: &'e Reach,
    /// Plans with leaves, by their places.
    plans: Vec<&'e Plan>,
    actions: ActionSet,
    /// The leaves that each policy may allow in an account and that are not found yet, by plan.
    open: HashMap<(PolicyId, &'e str), OfPlans>,
    tried: HashSet<Key<'e>>,
    looks: HashMap<PolicyId, bool>,
    known: HashMap<BTreeSet<String>, u32>,
    tagged: &'e ActionSet,
    leaves: Leaves,
}

/// Leaves by the place of their plan.
type OfPlans = Vec<(usize, Vec<NodeId>)>;

/// A policy, the account and kind of its holder, the boundary and the policies that deny.
type Key<'e> = (PolicyId, &'e str, u8, Option<PolicyId>, Vec<PolicyId>);

impl<'e> Finder<'e> {
    /// `tagged` are actions of which some statement looks at the resource's tags.
    pub(crate) fn new(evaluator: &'e Evaluator, tagged: &'e ActionSet, reach: &'e Reach) -> Self {
        let plans = evaluator.plans.iter();
        let plans: Vec<&Plan> = plans.filter(|plan| !plan.leaves.all.is_empty()).collect();
        let needs = plans.iter().flat_map(|plan| plan.target_needs());
        let permissions = needs.flat_map(|need| &need.any_of);
        let names = permissions.map(|permission| permission.action.as_str());
        let actions = evaluator.actions.set(names);
        Self {
            evaluator,
            reach,
            plans,
            actions,
            open: HashMap::new(),
            tried: HashSet::new(),
            looks: HashMap::new(),
            known: HashMap::new(),
            tagged,
            leaves: Leaves {
                found: HashMap::new(),
                conditions: Vec::new(),
            },
        }
    }

    pub(crate) fn find(mut self, members: &Members) -> Leaves {
        let reach = self.reach;
        let world = &self.evaluator.world;
        let mut abroad: HashMap<&str, bool> = HashMap::new();
        for &place in &reach.order {
            let taker = world.taker(place);
            let Some(taker) = taker.filter(|taker| taker.kind != TakerKind::Account) else {
                continue;
            };
            // With the account everything in it is reached already.
            let account = members.account_of(place);
            let elsewhere = account.is_some_and(|account| reach.is_reached(account));
            if elsewhere {
                let account = abroad
                    .entry(&taker.account)
                    .or_insert_with(|| world.is_open_abroad(&self.evaluator.nodes, &taker.account));
                if !*account && !world.is_named_abroad(taker) {
                    continue;
                }
            }
            let mut asker = None;
            if !elsewhere {
                self.by_policies(taker, &mut asker);
            }
            self.by_openings(taker, elsewhere, &mut asker);
        }
        self.leaves
    }

    fn by_policies(&mut self, taker: &'e Taker, asker: &mut Option<Asker>) {
        if !matches!(taker.kind, TakerKind::Principal | TakerKind::Group) {
            return;
        }
        let world = &self.evaluator.world;
        let mut alone = None;
        for &policy in &taker.identity {
            if !world
                .policies
                .outline_of(policy)
                .actions
                .meets(&self.actions)
            {
                continue;
            }
            let mut left = self.open.remove(&(policy, taker.account.as_str()));
            let open = left.get_or_insert_with(|| self.leaves_named(policy, &taker.account));
            let alone = !open.is_empty() && *alone.get_or_insert_with(|| self.is_alone(taker));
            let is_new = !open.is_empty() && (alone || self.tried.insert(self.key(policy, taker)));
            for (at, leaves) in open.iter_mut() {
                let plan = self.plans[*at];
                // What else the step needs may come from other policies.
                let ask = is_new || plan.escalation.needs.len() > 1;
                leaves.retain(|leaf| !self.is_known(*leaf));
                if !ask || leaves.is_empty() || !self.evaluator.may_hold(taker, plan) {
                    continue;
                }
                if leaves.len() > MANY {
                    self.ask_many(taker, asker, *at, leaves);
                    leaves.retain(|leaf| !self.is_known(*leaf));
                } else {
                    leaves.retain(|&leaf| !self.ask(taker, asker, plan, leaf));
                }
            }
            open.retain(|(_, leaves)| !leaves.is_empty());
            let open = left.unwrap_or_default();
            self.open.insert((policy, taker.account.as_str()), open);
        }
        for at in 0..self.plans.len() {
            let plan = self.plans[at];
            if plan.target_needs().next().is_some() || !self.evaluator.may_hold(taker, plan) {
                continue;
            }
            for leaf in self
                .evaluator
                .candidates(taker, plan, &plan.leaves, &[], false)
            {
                self.ask(taker, asker, plan, leaf);
            }
        }
    }

    /// Asks about many leaves, those that answer alike once.
    fn ask_many(&mut self, taker: &Taker, asker: &mut Option<Asker>, at: usize, leaves: &[NodeId]) {
        let evaluator = self.evaluator;
        let plan = self.plans[at];
        let targets = Targets::of(&evaluator.nodes, leaves.iter().copied());
        let index = TargetIndex::of(evaluator, plan, &targets, self.tagged);
        let asker = asker.get_or_insert_with(|| evaluator.world.asker(&evaluator.nodes, taker));
        let question = Question {
            evaluator,
            taker,
            asker,
            plan,
            targets: &targets,
            index: &index,
            away: false,
        };
        for (onto, permit) in question.answer(&evaluator.world.names_of(&evaluator.nodes, taker)) {
            let place = self.place_of(permit.conditions);
            for &leaf in onto.nodes() {
                if !self.is_known(leaf) {
                    self.leaves.found.insert(leaf, (taker.node, place));
                }
            }
        }
    }

    fn place_of(&mut self, conditions: BTreeSet<String>) -> u32 {
        if let Some(&place) = self.known.get(&conditions) {
            return place;
        }
        let place = self.leaves.conditions.len() as u32;
        self.leaves.conditions.push(conditions.clone());
        self.known.insert(conditions, place);
        place
    }

    /// Asks about what resources themselves open to a taker.
    fn by_openings(&mut self, taker: &'e Taker, elsewhere: bool, asker: &mut Option<Asker>) {
        let nodes = &self.evaluator.nodes;
        let openings: Vec<&Opening> = self.evaluator.world.openings(nodes, taker);
        let home = |opening: &Opening| {
            nodes.get(opening.resource).account.as_deref() == Some(taker.account.as_str())
        };
        for opening in openings {
            if (elsewhere && home(opening)) || self.is_known(opening.resource) {
                continue;
            }
            for at in 0..self.plans.len() {
                let plan = self.plans[at];
                let Some(driver) = plan.target_needs().next() else {
                    continue;
                };
                let actions = driver.any_of.iter();
                let mut actions = actions
                    .filter_map(|permission| self.evaluator.actions.index(&permission.action));
                if actions.any(|action| opening.actions.contains(action))
                    && plan.leaves.contains(opening.resource)
                    && self.evaluator.may_hold(taker, plan)
                {
                    self.ask(taker, asker, plan, opening.resource);
                }
            }
        }
    }

    fn is_known(&self, leaf: NodeId) -> bool {
        self.leaves.found.contains_key(&leaf) || self.reach.is_reached(leaf)
    }

    /// Asks about one leaf; whether the step can be taken.
    fn ask(&mut self, taker: &Taker, asker: &mut Option<Asker>, plan: &Plan, leaf: NodeId) -> bool {
        if self.is_known(leaf) {
            return true;
        }
        let evaluator = self.evaluator;
        let asker = asker.get_or_insert_with(|| evaluator.world.asker(&evaluator.nodes, taker));
        let Some(permit) = evaluator.step(taker, asker, plan, leaf) else {
            return false;
        };
        let place = self.place_of(permit.conditions);
        self.leaves.found.insert(leaf, (taker.node, place));
        true
    }

    /// The leaves that a policy may allow to one of an account, by plan.
    fn leaves_named(&self, policy: PolicyId, account: &str) -> OfPlans {
        let outline = self.evaluator.world.policies.outline_of(policy);
        let mut named = Vec::new();
        for (at, plan) in self.plans.iter().enumerate() {
            let Some(driver) = plan.target_needs().next() else {
                continue;
            };
            let mut found = Vec::new();
            for permission in &driver.any_of {
                if matches!(permission.on, PermissionTarget::Some(_)) {
                    continue;
                }
                let Some(action) = self.evaluator.actions.index(&permission.action) else {
                    continue;
                };
                let grants = outline.grants.iter();
                for grant in grants.filter(|grant| grant.actions.contains(action)) {
                    for pattern in &grant.resources {
                        let home = plan.leaves.by_account.get(account);
                        for list in home.into_iter().chain([&plan.leaves.unplaced]) {
                            self.evaluator
                                .matching(list, pattern, &permission.on, &mut found);
                        }
                    }
                }
            }
            found.sort_unstable();
            found.dedup();
            if !found.is_empty() {
                named.push((at, found));
            }
        }
        named
    }

    /// Whether something tells a taker from others under the same bounds.
    fn is_alone(&mut self, taker: &Taker) -> bool {
        let world = &self.evaluator.world;
        let bounds = taker.boundary.into_iter().chain(world.scps_of(taker));
        let policies: Vec<PolicyId> = bounds
            .chain(world.all_rcps())
            .chain(taker.identity.iter().copied())
            .collect();
        taker.kind != TakerKind::Principal
            || policies.into_iter().any(|policy| {
                let looks = self.looks.entry(policy);
                *looks.or_insert_with(|| self.evaluator.looks_at_caller(policy))
            })
    }

    fn key(&self, policy: PolicyId, taker: &'e Taker) -> Key<'e> {
        let evaluator = self.evaluator;
        let denying = taker.identity.iter().copied().filter(|&policy| {
            let outline = evaluator.world.policies.outline_of(policy);
            outline.denies
        });
        let kind = evaluator.nodes.get(taker.node).kind as u8;
        (
            policy,
            taker.account.as_str(),
            kind,
            taker.boundary,
            denying.collect(),
        )
    }
}
