//! From an estate to a graph.

#[cfg(test)]
mod law;
mod wallets;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::HashMap;
use portreeve_model::{EntityId, EntityKind, Estate, Relation};

use crate::ask::Circumstances;
use crate::catalogue::{Catalogue, Origin, Yields};
use crate::classes::{Folder, Questions};
use crate::decide::{Decider, Decision, Onto, grants_power};
use crate::doors::{self, Door};
use crate::edges::{EdgeBuilder, HUB_FROM, Holder};
use crate::evaluate::{
    Evaluator, Permit, Plan, Targets, TrustedServices, actions_of, base_context, sentinel_actions,
};
use crate::graph::Graph;
use crate::jewels::{self, DeclaredJewel};
use crate::nodes::{NodeId, Nodes};
use crate::outline::ActionSet;
use crate::parallel::{both, in_parallel, share_of};
use crate::path::{Jewel, JewelKind};
use crate::policies::Policies;
use crate::targets::TargetIndex;
use crate::world::{Taker, TakerKind, World, outside_identities};

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

    fn administrators(&self) -> BTreeMap<NodeId, Permit> {
        let evaluator = &self.evaluator;
        let wanted = sentinel_actions(&evaluator.actions);
        let candidates: Vec<&Taker> = evaluator
            .world
            .takers
            .iter()
            .filter(|taker| taker.kind == TakerKind::Principal && taker.actions.covers(&wanted))
            .collect();
        let found = in_parallel(&candidates, A_SHARE, |taker| {
            let asker = evaluator.world.asker(&evaluator.nodes, taker);
            evaluator.administrator(&asker.caller, &asker.policies)
        });
        let found = candidates.iter().zip(found);
        found
            .filter_map(|(taker, permit)| Some((taker.node, permit?)))
            .collect()
    }

    /// Principals that would be administrators if they were given every permission, and under
    /// which conditions: what a boundary, their own denies and the organization leave.
    fn administrators_if_granted(&self) -> BTreeMap<NodeId, Permit> {
        let evaluator = &self.evaluator;
        let (none, wanted) = (ActionSet::default(), sentinel_actions(&evaluator.actions));
        let questions = Questions {
            allowed: &none,
            denied: &wanted,
            resources: false,
        };
        let mut folder = Folder::new(evaluator, questions);
        let mut first_of: Vec<&Taker> = Vec::new();
        let mut class_of = Vec::new();
        for taker in &evaluator.world.takers {
            if taker.kind == TakerKind::Principal {
                let class = folder.class_of(taker, false);
                if class as usize == first_of.len() {
                    first_of.push(taker);
                }
                class_of.push((taker.node, class));
            }
        }
        let permits = in_parallel(&first_of, A_SHARE, |taker| {
            let asker = evaluator.world.asker(&evaluator.nodes, taker);
            evaluator.administrator_if_granted(&asker)
        });
        let permits = class_of
            .into_iter()
            .map(|(node, class)| (node, permits[class as usize].clone()));
        permits
            .filter_map(|(node, permit)| Some((node, permit?)))
            .collect()
    }

    /// Edges that relations are by themselves.
    fn relate(&mut self, estate: &Estate) {
        for relation in estate.relations() {
            let (from, to, via, title) = match relation {
                Relation::Proves {
                    credential,
                    principal,
                } => (credential, principal, "proves", "Use the credential"),
                Relation::RunsAs {
                    workload,
                    principal,
                } => (
                    workload,
                    principal,
                    "runs-as",
                    "Act as the role that the workload runs as",
                ),
                Relation::Pulls {
                    workload,
                    repository,
                } => (
                    repository,
                    workload,
                    "pulled-by",
                    "Be run by the workload that pulls the image",
                ),
                Relation::Serves {
                    distribution,
                    origin,
                } => (
                    distribution,
                    origin,
                    "serves",
                    "Decide what is served in the origin's place",
                ),
                Relation::SignsInAs { person, role } => (
                    person,
                    role,
                    "signs-in-as",
                    "Sign in through the permission set",
                ),
                Relation::Stores { store, credential } => (
                    store,
                    credential,
                    "stores",
                    "Take the credential that is kept there",
                ),
                _ => continue,
            };
            let nodes = &self.evaluator.nodes;
            if let (Some(from), Some(to)) = (nodes.find(from.as_str()), nodes.find(to.as_str()))
                && from != to
            {
                self.edges.relate(from, to, via, title);
            }
        }
    }

    /// A workload of a kind that has a role, whose role the inventory does not tell, may run as
    /// any role of its account that lets its service in.
    fn guess_roles(&mut self) {
        let nodes = &self.evaluator.nodes;
        let told = self.edges.nodes_with("runs-as");
        let mut known = TrustedServices::default();
        let mut roles: BTreeMap<(&str, &str), Arc<[NodeId]>> = BTreeMap::new();
        let mut guesses: Vec<(NodeId, Arc<[NodeId]>)> = Vec::new();
        for (place, node) in nodes.iter() {
            let service = match node.kind {
                EntityKind::Function => "lambda.amazonaws.com",
                EntityKind::BuildProject => "codebuild.amazonaws.com",
                EntityKind::Application => "tasks.apprunner.amazonaws.com",
                EntityKind::LaunchTemplate => "ec2.amazonaws.com",
                _ => continue,
            };
            if node.inferred || told.binary_search(&place).is_ok() {
                continue;
            }
            let account = node.account.as_deref().unwrap_or_default();
            let found = roles.entry((account, service)).or_insert_with(|| {
                let services = &self.evaluator.world.places.trusted_services;
                let roles = services.keys().copied();
                roles
                    .filter(|&role| {
                        nodes.get(role).account == node.account
                            && self.evaluator.trusts_service(role, service, &mut known)
                    })
                    .collect()
            });
            if !found.is_empty() {
                guesses.push((place, found.clone()));
            }
        }
        let permit = Permit {
            conditions: BTreeSet::from([ROLE_OF_WORKLOAD.to_owned()]),
            ..Permit::default()
        };
        let mut roleless = BTreeSet::new();
        let title = "Act as the role that the workload runs as, if this is it";
        for (place, roles) in guesses {
            let detail = self.edges.detail("runs-as", title, &permit, false);
            self.edges.add_many(place, &roles, detail);
            roleless.insert(place);
        }
        if !roleless.is_empty() {
            let ids = roleless.iter().map(|&place| self.evaluator.nodes.id(place));
            self.notes.push(format!(
                "the inventory does not tell which role these run as: {}",
                some_of(ids)
            ));
        }
    }

    /// Gives each escalation its targets. Edges are made to what leads on and to jewels; the rest
    /// are leaves.
    fn place_targets(&mut self, jewels: &BTreeMap<NodeId, Jewel>) {
        let evaluator = &self.evaluator;
        let nodes = &evaluator.nodes;
        let mut of_kind: BTreeMap<EntityKind, Vec<NodeId>> = BTreeMap::new();
        for (place, node) in nodes.iter() {
            of_kind.entry(node.kind).or_default().push(place);
        }
        // Many escalations ask for the same few services.
        let plans = evaluator.plans.iter();
        let services: BTreeSet<&str> = plans
            .flat_map(|plan| &plan.escalation.target.trusts)
            .map(String::as_str)
            .collect();
        let services: Vec<&str> = services.into_iter().collect();
        let share = share_of(nodes.len());
        let trusting = in_parallel(&services, share, |service| evaluator.trusting(service));
        let trusting: BTreeMap<&str, Vec<NodeId>> = services.into_iter().zip(trusting).collect();
        let targets = in_parallel(&evaluator.plans, share, |plan| {
            let wanted = &plan.escalation.target;
            let yields = plan.escalation.yields;
            let kinds: BTreeSet<EntityKind> = wanted.kinds.iter().copied().collect();
            let mut places: Vec<NodeId> = match wanted.trusts.is_empty() {
                true => {
                    let lists = kinds.iter().filter_map(|kind| of_kind.get(kind));
                    lists.flatten().copied().collect()
                }
                false => {
                    let trusts = wanted.trusts.iter().map(String::as_str);
                    let lists = trusts.filter_map(|service| trusting.get(service));
                    let roles = lists.flatten().copied();
                    roles
                        .filter(|&place| kinds.contains(&nodes.get(place).kind))
                        .collect()
                }
            };
            places.sort_unstable();
            places.dedup();
            let (mut core_targets, mut leaves) = (Targets::default(), Targets::default());
            for place in places {
                let node = nodes.get(place);
                let id = node.id.as_str();
                let id_fits = wanted.ids.is_empty()
                    || wanted.ids.iter().any(|p| crate::wildcard::matches(p, id));
                if !id_fits {
                    continue;
                }
                let leads_on = matches!(
                    node.kind,
                    EntityKind::User
                        | EntityKind::Role
                        | EntityKind::Group
                        | EntityKind::Policy
                        | EntityKind::PermissionSet
                        | EntityKind::Account
                ) || self.edges.leads_on(place);
                let core = match yields {
                    Yields::Read => jewels.get(&place).is_some_and(|jewel| {
                        !matches!(
                            jewel.kind,
                            JewelKind::WebOrigin | JewelKind::ImageRepository
                        )
                    }),
                    _ => leads_on || jewels.contains_key(&place),
                };
                let list = if core { &mut core_targets } else { &mut leaves };
                list.push(nodes, place);
            }
            (core_targets, leaves)
        });
        for (plan, (core, leaves)) in self.evaluator.plans.iter_mut().zip(targets) {
            plan.core = core;
            plan.leaves = leaves;
        }
    }

    /// Makes the edges, or the grants, that a step comes to.
    fn gain(
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

    /// Edges from identities of identity providers; those from outside are doors.
    fn federations(&mut self) {
        let plans: Vec<(Origin, String, String)> = self
            .evaluator
            .plans
            .iter()
            .filter(|plan| plan.escalation.from != Origin::Principal)
            .map(|plan| {
                let escalation = &plan.escalation;
                (
                    escalation.from,
                    escalation.id.clone(),
                    escalation.title.clone(),
                )
            })
            .collect();
        for (origin, via, title) in plans {
            for federation in doors::federations(&self.evaluator, origin) {
                let nodes = &self.evaluator.nodes;
                let Some(from) = nodes.find(&federation.identity) else {
                    continue;
                };
                if federation.is_door {
                    self.doors.insert(Door {
                        id: nodes.id(from).clone(),
                        to: nodes.id(federation.role).clone(),
                        reason: federation.reason.clone(),
                        conditions: federation.permit.conditions.iter().cloned().collect(),
                    });
                }
                let detail = self.edges.detail(&via, &title, &federation.permit, false);
                self.edges.add(from, federation.role, detail);
            }
        }
    }
}

/// Who holds the targets of steps that give permissions, by what stands in their way.
#[derive(Default)]
struct HolderLists {
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
