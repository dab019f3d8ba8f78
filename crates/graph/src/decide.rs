//! Which steps a taker can take, and onto what: targets that answer alike are asked about once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_model::EntityKind;
use smallvec::SmallVec;

use crate::catalogue::{PermissionTarget, Yields};
use crate::evaluate::{Evaluator, has_generated_suffix};
use crate::nodes::NodeId;
use crate::outline::ActionSet;
use crate::permit::Permit;
use crate::plan::{Plan, Targets};
use crate::targets::{TargetIndex, rest_of};
use crate::wildcard::{Shape, literal_prefix, matches};
use crate::world::{Asker, Taker, TakerKind};

/// Onto what a step is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Onto {
    One(NodeId),
    /// Several, in the order of ids. The taker may be among them, and is then not meant.
    Many(Arc<[NodeId]>),
}

impl Onto {
    pub(crate) fn nodes(&self) -> &[NodeId] {
        match self {
            Onto::One(node) => std::slice::from_ref(node),
            Onto::Many(nodes) => nodes,
        }
    }
}

/// That a taker can take a step, by the place of its plan.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) plan: usize,
    pub(crate) onto: Onto,
    pub(crate) permit: Permit,
}

/// Whether a plan gives permissions to a principal, rather than the principal to the taker.
pub(crate) fn grants_power(plan: &Plan) -> bool {
    matches!(
        plan.escalation.yields,
        Yields::Administrator | Yields::WithoutBoundary
    )
}

/// Whether all targets of a plan are principals, or what gives principals their permissions.
fn of_principals(plan: &Plan) -> bool {
    plan.escalation.target.kinds.iter().all(|kind| {
        matches!(
            kind,
            EntityKind::User | EntityKind::Role | EntityKind::Group | EntityKind::Policy
        )
    })
}

/// All that the decisions of one graph need.
pub(crate) struct Decider<'e> {
    pub(crate) evaluator: &'e Evaluator,
    /// The targets of each plan.
    pub(crate) indexes: Vec<TargetIndex>,
    /// Who may do everything at home, and under which conditions.
    pub(crate) administrators: &'e BTreeMap<NodeId, Permit>,
    /// Who would, were he given every permission.
    pub(crate) if_granted: &'e BTreeMap<NodeId, Permit>,
    /// What each principal holds: itself, its groups, the policies attached to it.
    pub(crate) held: BTreeMap<NodeId, Vec<NodeId>>,
}

/// A pattern of resources in a statement that bears on a question.
struct Clause<'p> {
    pattern: &'p str,
    /// Whether it allows the taker what the step asks for first.
    drives: bool,
    /// Whether it stands for a pattern with variables, which covers less.
    widened: bool,
}

/// How patterns tell a target from the others of its list.
#[derive(Default)]
struct Touch {
    /// The clauses that cover it.
    clauses: SmallVec<[u32; 4]>,
    /// Whether what covers it is too intricate to compare.
    single: bool,
    driven: bool,
}

/// What clauses make of a list of targets.
#[derive(Default)]
struct Touched {
    /// Whether some clause drives the step onto all of them.
    wide: bool,
    /// Whether nothing can be said of any but by asking.
    all_single: bool,
    nodes: BTreeMap<NodeId, Touch>,
}

impl Decider<'_> {
    /// All steps of a taker to what leads on.
    pub(crate) fn decide(&self, taker: &Taker) -> Vec<Decision> {
        let asker = self.evaluator.world.asker(&self.evaluator.nodes, taker);
        // Everything at home is the administrator's already; what is left is elsewhere.
        let elsewhere = taker.kind == TakerKind::Account
            || self
                .administrators
                .get(&taker.node)
                .is_some_and(|permit| permit.conditions.is_empty());
        let names = self.evaluator.world.names_of(&self.evaluator.nodes, taker);
        let mut decisions: Vec<Decision> = Vec::new();
        // One who can make himself an administrator need not be asked about each principal at
        // home as well: he has them all through the account.
        let mut strong = elsewhere;
        if !strong {
            for (place, plan) in self.evaluator.plans.iter().enumerate() {
                if grants_power(plan) {
                    self.held_steps(taker, &asker, place, &mut decisions);
                }
            }
            strong = decisions.iter().any(|decision| {
                let power = self.if_granted.get(&taker.node);
                let at_once = power.is_some_and(|permit| permit.conditions.is_empty());
                let yields = self.evaluator.plans[decision.plan].escalation.yields;
                yields == Yields::Administrator && decision.permit.conditions.is_empty() && at_once
            });
            if !strong {
                decisions.clear();
            }
        }
        for (place, plan) in self.evaluator.plans.iter().enumerate() {
            let away = elsewhere || (strong && of_principals(plan));
            if self.indexes[place].is_empty() || !self.evaluator.may_hold(taker, plan) {
                continue;
            }
            let question = Question {
                evaluator: self.evaluator,
                taker,
                asker: &asker,
                plan,
                targets: &plan.core,
                index: &self.indexes[place],
                away,
            };
            let answers = question.answer(&names).into_iter();
            decisions.extend(answers.map(|(onto, permit)| Decision {
                plan: place,
                onto,
                permit,
            }));
        }
        decisions
    }

    /// The steps of one plan that a taker can take on himself, on his groups and on the policies
    /// that he holds.
    fn held_steps(
        &self,
        taker: &Taker,
        asker: &Asker,
        place: usize,
        decisions: &mut Vec<Decision>,
    ) {
        let plan = &self.evaluator.plans[place];
        let evaluator = self.evaluator;
        if !evaluator.may_hold(taker, plan) || !evaluator.may_hold_on_target(taker, plan) {
            return;
        }
        let held = self.held.get(&taker.node).into_iter().flatten().copied();
        let targets = held
            .chain([taker.node])
            .filter(|&target| plan.core.contains(target));
        let found: BTreeSet<NodeId> = targets.collect();
        let mut at_large = None;
        for target in found {
            let Some(mut permit) = evaluator.on_target(taker, asker, plan, target) else {
                continue;
            };
            if at_large.is_none() {
                at_large = Some(evaluator.at_large(taker, asker, plan));
            }
            let Some(Some(more)) = &at_large else { return };
            permit.add(more.clone());
            decisions.push(Decision {
                plan: place,
                onto: Onto::One(target),
                permit,
            });
        }
    }
}

/// Which of the targets of one plan a taker can take its step on.
#[derive(Clone, Copy)]
pub(crate) struct Question<'d> {
    pub(crate) evaluator: &'d Evaluator,
    pub(crate) taker: &'d Taker,
    pub(crate) asker: &'d Asker,
    pub(crate) plan: &'d Plan,
    pub(crate) targets: &'d Targets,
    pub(crate) index: &'d TargetIndex,
    /// Whether the taker's own account is left out.
    pub(crate) away: bool,
}

impl Question<'_> {
    /// The steps; `names` are those by which resources may let the taker in.
    pub(crate) fn answer(self, names: &[String]) -> Vec<(Onto, Permit)> {
        let plan = self.plan;
        let inside = plan
            .target_needs()
            .flat_map(|need| &need.any_of)
            .any(|permission| permission.on == PermissionTarget::InTarget);
        let mut found = Found {
            evaluator: self.evaluator,
            taker: self.taker,
            asker: self.asker,
            plan,
            targets: self.targets,
            index: self.index,
            away: self.away,
            clauses: Vec::new(),
            inside,
            steps: Vec::new(),
        };
        found.find(names);
        found.finish()
    }
}

/// The steps of one plan that are found for one taker.
struct Found<'d> {
    evaluator: &'d Evaluator,
    taker: &'d Taker,
    asker: &'d Asker,
    plan: &'d Plan,
    targets: &'d Targets,
    index: &'d TargetIndex,
    away: bool,
    clauses: Vec<Clause<'d>>,
    /// Whether the step asks for something inside its targets.
    inside: bool,
    steps: Vec<(Onto, Permit)>,
}

impl<'d> Found<'d> {
    fn find(&mut self, names: &[String]) {
        let evaluator = self.evaluator;
        let account = Some(self.taker.account.as_str()).filter(|account| !account.is_empty());
        if self.plan.escalation.target.member_accounts {
            if evaluator.world.management.contains(&self.taker.account) {
                let own = evaluator.nodes.account_node(self.taker.node);
                for &target in &self.targets.all {
                    if Some(target) != own {
                        self.ask_one(target);
                    }
                }
            }
            return;
        }
        if self.index.asks_nothing {
            // It is whatever the taker's account has of it.
            if let Some(account) = account.filter(|_| !self.away) {
                for &target in self.targets.by_account.get(account).into_iter().flatten() {
                    if target != self.taker.node {
                        self.ask_one(target);
                    }
                }
            }
            return;
        }
        self.clauses = self.clauses();
        let mut whole: BTreeSet<u32> = BTreeSet::new();
        let mut partly: BTreeMap<NodeId, Touch> = BTreeMap::new();
        let may_drive = self.may_drive();
        let by_policies = matches!(self.taker.kind, TakerKind::Principal | TakerKind::Group);
        if by_policies && !self.away && may_drive {
            let index = self.index;
            for block in index.blocks(account) {
                let touched = self.touch(&block.nodes, &block.head, &block.shared);
                if touched.wide {
                    let enterable = match account {
                        Some(account) => index.enterable(block, account),
                        None => block.clusters.clone(),
                    };
                    whole.extend(enterable);
                } else {
                    let driven = touched.nodes.into_iter().filter(|(_, touch)| touch.driven);
                    partly.extend(driven);
                }
            }
        }
        whole.extend(self.opened(names, may_drive));
        for cluster in whole.iter().copied() {
            self.ask_whole(cluster);
        }
        self.ask_partly(partly, &whole);
        let plan = self.plan;
        let on_self = grants_power(plan)
            && !self.away
            && self.targets.contains(self.taker.node)
            && evaluator.may_hold_on_target(self.taker, plan);
        if on_self {
            self.ask_one(self.taker.node);
        }
    }

    /// The clusters that resources themselves open to the taker by name.
    fn opened(&self, names: &[String], may_drive: bool) -> Vec<u32> {
        let own_account = Some(self.taker.account.as_str());
        let own_root = crate::nodes::account_id(&self.taker.account);
        let evaluator = self.evaluator;
        let mut found = Vec::new();
        for name in names {
            let outside = self.taker.kind == TakerKind::Outside;
            let by_root = !outside && name == own_root.as_str();
            for &cluster in self.index.opened_to(name) {
                let account = self.index.clusters[cluster as usize].account.as_deref();
                let home = account == own_account;
                if home && (by_root || self.taker.kind == TakerKind::Account) {
                    continue;
                }
                if home && self.away && !self.taker.account.is_empty() {
                    continue;
                }
                // Between accounts the taker's own policies must allow as well, but for grants.
                let first = self.index.clusters[cluster as usize].nodes[0];
                let own_too = !home
                    && account.is_some()
                    && !evaluator.world.has_grants(first)
                    && matches!(self.taker.kind, TakerKind::Principal | TakerKind::Group);
                if own_too && !may_drive {
                    continue;
                }
                found.push(cluster);
            }
        }
        found
    }

    fn may_drive(&self) -> bool {
        let driver = self.plan.target_needs().next();
        let permissions = driver.into_iter().flat_map(|need| &need.any_of);
        let actions = &self.evaluator.actions;
        permissions
            .filter_map(|permission| actions.index(&permission.action))
            .any(|action| self.taker.actions.contains(action))
    }

    /// The patterns of all statements that bear on the step, in an order of their own.
    fn clauses(&self) -> Vec<Clause<'d>> {
        let evaluator = self.evaluator;
        let actions = |needs: &mut dyn Iterator<Item = &'d crate::catalogue::Need>| -> ActionSet {
            let permissions = needs.flat_map(|need| &need.any_of);
            let names = permissions.map(|permission| permission.action.as_str());
            evaluator.actions.set(names)
        };
        let asked = actions(&mut self.plan.target_needs());
        let driving = actions(&mut self.plan.target_needs().take(1));
        let mut drives: BTreeMap<(&str, bool), bool> = BTreeMap::new();
        let own = self.taker.identity.iter().map(|&policy| (policy, true));
        let bounds = self
            .taker
            .boundary
            .into_iter()
            .chain(evaluator.world.scps_of(self.taker))
            .chain(evaluator.world.all_rcps())
            .map(|policy| (policy, false));
        for (policy, is_own) in own.chain(bounds) {
            let outline = evaluator.world.policies.outline_of(policy);
            for grant in outline
                .grants
                .iter()
                .filter(|grant| grant.actions.meets(&asked))
            {
                let drive = is_own && grant.actions.meets(&driving);
                let widened = grant.looks.in_resources;
                for pattern in &grant.resources {
                    *drives.entry((pattern, widened)).or_default() |= drive;
                }
                for pattern in &grant.excepted {
                    drives.entry((pattern, widened)).or_default();
                }
            }
            let denials = outline.denials.iter();
            for denial in denials.filter(|denial| denial.actions.meets(&asked)) {
                let widened = denial.looks.in_resources;
                for pattern in &denial.resources {
                    drives.entry((pattern, widened)).or_default();
                }
            }
        }
        drives
            .into_iter()
            .map(|((pattern, widened), drives)| Clause {
                pattern,
                drives,
                widened,
            })
            .collect()
    }

    /// What the clauses make of a list of targets in the order of ids that share a head.
    fn touch(&self, list: &[NodeId], head: &str, shared: &str) -> Touched {
        let mut touched = Touched::default();
        let nodes = &self.evaluator.nodes;
        let shortened = |&node: &NodeId| has_generated_suffix(nodes.get(node).kind);
        if list.first().is_some_and(shortened) {
            // The part that AWS generates may be missing from the id: a pattern may name it.
            touched.all_single = true;
            touched.wide = list.iter().any(|&node| {
                let id = nodes.id(node).as_str();
                let mut drivers = self.clauses.iter().filter(|clause| clause.drives);
                drivers.any(|clause| {
                    let pattern = clause.pattern;
                    matches(pattern, id) || matches(pattern.trim_end_matches("/*"), id)
                })
            });
            return touched;
        }
        for (place, clause) in self.clauses.iter().enumerate() {
            let shape = if self.inside {
                inside(clause.pattern, head)
            } else {
                Shape::of(clause.pattern, head)
            };
            let single = self.inside || clause.widened;
            match shape {
                Shape::None => {}
                Shape::All if !clause.widened => touched.wide |= clause.drives,
                Shape::All | Shape::Odd => {
                    touched.all_single = true;
                    touched.wide |= clause.drives;
                }
                Shape::Prefix(prefix) if shared.starts_with(prefix) && !single => {
                    touched.wide |= clause.drives;
                }
                Shape::Exact(rest) => self.cover(list, place, rest, &mut touched, |text| {
                    (text == rest).then_some(single)
                }),
                Shape::Prefix(rest) => {
                    self.cover(list, place, rest, &mut touched, |_| Some(single));
                }
                Shape::Wild(rest) => {
                    let prefix = literal_prefix(rest);
                    self.cover(list, place, prefix, &mut touched, |text| {
                        matches(rest, text).then_some(true)
                    });
                }
            }
        }
        touched
    }

    /// Notes the targets whose rest starts with a text and that a clause covers. `covers` tells
    /// whether it does, and whether the target must then be asked about by itself.
    fn cover(
        &self,
        list: &[NodeId],
        place: usize,
        prefix: &str,
        touched: &mut Touched,
        covers: impl Fn(&str) -> Option<bool>,
    ) {
        let evaluator = self.evaluator;
        let start = list.partition_point(|&node| rest_of(evaluator, node) < prefix);
        for &node in &list[start..] {
            let rest = rest_of(evaluator, node);
            if !rest.starts_with(prefix) {
                break;
            }
            if let Some(single) = covers(rest) {
                let touch = touched.nodes.entry(node).or_default();
                touch.clauses.push(place as u32);
                touch.single |= single;
                touch.driven |= self.clauses[place].drives;
            }
        }
    }

    /// Asks about all targets of a cluster, those that answer alike once.
    fn ask_whole(&mut self, cluster: u32) {
        let index = self.index;
        let cluster = &index.clusters[cluster as usize];
        if cluster.single {
            for &target in &*cluster.nodes {
                if self.is_meant(target) {
                    self.ask_one(target);
                }
            }
            return;
        }
        let mut shared = rest_of(self.evaluator, cluster.nodes[0]);
        if let Some(&last) = cluster.nodes.last() {
            let last = rest_of(self.evaluator, last);
            let same = shared.bytes().zip(last.bytes()).take_while(|(a, b)| a == b);
            let mut length = same.count();
            while !shared.is_char_boundary(length) {
                length -= 1;
            }
            shared = &shared[..length];
        }
        let touched = self.touch(&cluster.nodes, &cluster.head, shared);
        if touched.all_single {
            for &target in &*cluster.nodes {
                if self.is_meant(target) {
                    self.ask_one(target);
                }
            }
            return;
        }
        if touched.nodes.is_empty() {
            if let Some(permit) = self.ask(cluster.nodes[0]) {
                self.steps.push((Onto::Many(cluster.nodes.clone()), permit));
            }
            return;
        }
        let rest: Vec<NodeId> = cluster
            .nodes
            .iter()
            .copied()
            .filter(|node| !touched.nodes.contains_key(node))
            .collect();
        if let Some(&first) = rest.first()
            && let Some(permit) = self.ask(first)
        {
            self.steps.push((Onto::Many(rest.into()), permit));
        }
        self.ask_alike(touched.nodes);
    }

    /// Asks about targets that clauses tell from the rest of their clusters.
    fn ask_partly(&mut self, touched: BTreeMap<NodeId, Touch>, done: &BTreeSet<u32>) {
        let mut of: BTreeMap<u32, BTreeMap<NodeId, Touch>> = BTreeMap::new();
        for (target, touch) in touched {
            if let Some(cluster) = self.index.cluster_of(target)
                && !done.contains(&cluster)
            {
                of.entry(cluster).or_default().insert(target, touch);
            }
        }
        for (cluster, mut touched) in of {
            if self.index.clusters[cluster as usize].single {
                for touch in touched.values_mut() {
                    touch.single = true;
                }
            }
            self.ask_alike(touched);
        }
    }

    /// Asks about targets of one cluster, once for those that the same clauses cover.
    fn ask_alike(&mut self, touched: BTreeMap<NodeId, Touch>) {
        let mut alike: BTreeMap<SmallVec<[u32; 4]>, Vec<NodeId>> = BTreeMap::new();
        for (target, touch) in touched {
            if touch.single {
                if self.is_meant(target) {
                    self.ask_one(target);
                }
            } else {
                alike.entry(touch.clauses).or_default().push(target);
            }
        }
        for (_, targets) in alike {
            let Some(&first) = targets.first() else {
                continue;
            };
            if targets == [first] && !self.is_meant(first) {
                continue;
            }
            if let Some(permit) = self.ask(first) {
                let onto = match targets.as_slice() {
                    [only] => Onto::One(*only),
                    _ => Onto::Many(targets.into()),
                };
                self.steps.push((onto, permit));
            }
        }
    }

    /// Whether a target is one of this taker's. A taker may be asked for all of its class: what it
    /// could do to itself, which is no step, the others can do to it. Steps that give power are
    /// asked for each taker alone, and those on itself by themselves.
    fn is_meant(&self, target: NodeId) -> bool {
        target != self.taker.node || !grants_power(self.plan)
    }

    fn ask_one(&mut self, target: NodeId) {
        if let Some(permit) = self.ask(target) {
            self.steps.push((Onto::One(target), permit));
        }
    }

    fn ask(&self, target: NodeId) -> Option<Permit> {
        self.evaluator
            .on_target(self.taker, self.asker, self.plan, target)
    }

    /// The steps, with what they need besides their targets. Those that ask the same are joined.
    fn finish(self) -> Vec<(Onto, Permit)> {
        if self.steps.is_empty() {
            return Vec::new();
        }
        let Some(at_large) = self.evaluator.at_large(self.taker, self.asker, self.plan) else {
            return Vec::new();
        };
        let mut singles: BTreeMap<Permit, Vec<NodeId>> = BTreeMap::new();
        let mut found = Vec::new();
        for (onto, mut permit) in self.steps {
            permit.add(at_large.clone());
            match onto {
                Onto::One(target) if target != self.taker.node => {
                    singles.entry(permit).or_default().push(target);
                }
                onto => found.push((onto, permit)),
            }
        }
        for (permit, mut targets) in singles {
            targets.sort_unstable();
            targets.dedup();
            let onto = match targets.as_slice() {
                [only] => Onto::One(*only),
                _ => Onto::Many(targets.into()),
            };
            found.push((onto, permit));
        }
        found
    }
}

/// What a pattern may cover of what is inside the ARNs of a head, as objects are inside buckets.
/// Whatever it covers in part must be asked about by itself.
fn inside<'p>(pattern: &'p str, head: &str) -> Shape<'p> {
    match Shape::of(pattern, head) {
        Shape::Wild("*/*") => Shape::All,
        Shape::Exact(rest) => Shape::Exact(rest.split('/').next().unwrap_or(rest)),
        Shape::Prefix(rest) | Shape::Wild(rest) => {
            let literal = literal_prefix(rest);
            match literal.split_once('/') {
                Some((name, _)) => Shape::Exact(name),
                None if literal.is_empty() => Shape::Odd,
                None => Shape::Prefix(literal),
            }
        }
        shape => shape,
    }
}
