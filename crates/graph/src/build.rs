//! From an estate to a graph.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{EntityId, EntityKind, Estate, PolicyLayer, Relation};

use crate::ask::Circumstances;
use crate::catalogue::{Catalogue, Origin, Yields};
use crate::doors::{self, Door};
use crate::edges::{Edges, Grant};
use crate::evaluate::{Evaluator, Permit, Plan, actions_of, base_context};
use crate::graph::Graph;
use crate::jewels::{self, DeclaredJewel};
use crate::nodes::{NodeId, Nodes};
use crate::outline::Outline;
use crate::path::{Jewel, JewelKind};
use crate::world::{Opening, Taker, TakerKind, World, outside_identities};

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
    let policies: Vec<(&Relation, Outline)> = estate
        .relations()
        .iter()
        .filter_map(|relation| match relation {
            Relation::Policy {
                layer: PolicyLayer::Trust | PolicyLayer::Resource,
                document,
                ..
            } => Some((relation, Outline::of(document, &actions))),
            _ => None,
        })
        .collect();
    let mut outside = outside_identities(estate, &policies);
    for (_, outline) in &policies {
        for grant in &outline.grants {
            for (provider, subject) in doors::subjects(grant) {
                outside.insert(doors::identity(&provider, &subject));
            }
        }
    }
    let nodes = Nodes::of(estate, outside);
    let world = World::of(estate, &nodes, &actions);
    let evaluator = Evaluator {
        nodes,
        world,
        actions,
        plans: catalogue.iter().map(Plan::of).collect(),
        base: circumstances.laid_over(base_context()),
    };
    Builder::new(evaluator).build(estate, declared)
}

/// A step that a taker can take.
struct Step {
    from: NodeId,
    target: NodeId,
    permit: Permit,
    plan: usize,
}

/// Whether a plan gives permissions to a principal, rather than the principal to the taker.
fn grants_power(plan: &Plan) -> bool {
    matches!(
        plan.escalation.yields,
        Yields::Administrator | Yields::WithoutBoundary
    )
}

struct Builder {
    evaluator: Evaluator,
    edges: Edges,
    doors: BTreeSet<Door>,
    notes: Vec<String>,
}

impl Builder {
    fn new(evaluator: Evaluator) -> Self {
        let edges = Edges::new(evaluator.nodes.len());
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

    fn build(mut self, estate: &Estate, declared: &[DeclaredJewel]) -> Graph {
        let administrators = self.administrators();
        let jewels = jewels::find(
            estate,
            &self.evaluator,
            &administrators,
            declared,
            &mut self.notes,
        );
        self.relate(estate);
        self.guess_roles();
        self.place_targets(&jewels);
        for (&place, permit) in &administrators {
            if let Some(account) = self.evaluator.nodes.account_node(place) {
                let title = "Is an administrator of its account";
                let edge = self.edges.edge(account, "administrator", title, permit);
                self.edges.add(place, edge);
            }
        }
        let if_granted = self.administrators_if_granted();
        for taker in 0..self.evaluator.world.takers.len() {
            self.steps_of(taker, &administrators, &if_granted);
        }
        self.federations();
        self.doors.extend(doors::callable(&self.evaluator));
        self.edges.finish();

        let mut members: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for (place, node) in self.evaluator.nodes.iter() {
            let held = !matches!(node.kind, EntityKind::External | EntityKind::Account);
            if held && let Some(account) = self.evaluator.nodes.account_node(place) {
                members.entry(account).or_default().push(place);
            }
        }
        self.notes.sort();
        self.notes.dedup();
        Graph::new(
            self.evaluator,
            self.edges,
            members,
            jewels,
            self.doors.into_iter().collect(),
            self.notes,
        )
    }

    fn administrators(&self) -> BTreeMap<NodeId, Permit> {
        let takers = self.evaluator.world.takers.iter();
        takers
            .filter(|taker| taker.kind == TakerKind::Principal)
            .filter_map(|taker| {
                self.evaluator
                    .administrator(&taker.caller, &taker.policies)
                    .map(|permit| (taker.node, permit))
            })
            .collect()
    }

    /// Principals that would be administrators if they were given every permission, and under
    /// which conditions: what a boundary and the organization leave.
    fn administrators_if_granted(&self) -> BTreeMap<NodeId, Permit> {
        // Without a boundary only the account's own bounds count, the same for all in it.
        let mut unbounded: BTreeMap<(&str, EntityKind), Option<Permit>> = BTreeMap::new();
        let evaluator = &self.evaluator;
        let mut found = BTreeMap::new();
        for taker in &evaluator.world.takers {
            if taker.kind != TakerKind::Principal {
                continue;
            }
            let plain = taker.policies.boundary.is_none()
                && taker.policies.scps.is_empty()
                && taker.policies.session.is_empty();
            let permit = if plain {
                let kind = evaluator.nodes.get(taker.node).kind;
                let known = unbounded.entry((&taker.account, kind));
                let permit = known.or_insert_with(|| {
                    let mut policies = taker.policies.clone();
                    policies.identity.clear();
                    policies.identity.extend(evaluator.world.everything.clone());
                    evaluator.administrator(&taker.caller, &policies)
                });
                // An explicit deny of its own outlasts the grant.
                match permit {
                    Some(_) if taker.denies => evaluator.administrator_if_granted(taker),
                    permit => permit.clone(),
                }
            } else {
                evaluator.administrator_if_granted(taker)
            };
            if let Some(permit) = permit {
                found.insert(taker.node, permit);
            }
        }
        found
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
        let mut guesses = Vec::new();
        for (place, node) in nodes.iter() {
            let service = match node.kind {
                EntityKind::Function => "lambda.amazonaws.com",
                EntityKind::BuildProject => "codebuild.amazonaws.com",
                EntityKind::Application => "tasks.apprunner.amazonaws.com",
                EntityKind::LaunchTemplate => "ec2.amazonaws.com",
                _ => continue,
            };
            let told = self
                .edges
                .of(place)
                .iter()
                .any(|edge| self.edges.texts.get(edge.via) == "runs-as");
            if node.inferred || told {
                continue;
            }
            for &role in self.evaluator.world.trusted_services.keys() {
                if nodes.get(role).account == node.account
                    && self.evaluator.trusts_service(role, service)
                {
                    guesses.push((place, role));
                }
            }
        }
        let permit = Permit {
            conditions: BTreeSet::from([ROLE_OF_WORKLOAD.to_owned()]),
            ..Permit::default()
        };
        let mut roleless = BTreeSet::new();
        for (place, role) in guesses {
            let title = "Act as the role that the workload runs as, if this is it";
            let edge = self.edges.edge(role, "runs-as", title, &permit);
            self.edges.add(place, edge);
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
        let mut plans = std::mem::take(&mut self.evaluator.plans);
        for plan in &mut plans {
            let wanted = plan.escalation.target.clone();
            let yields = plan.escalation.yields;
            for (place, node) in self.evaluator.nodes.iter() {
                if !wanted.kinds.contains(&node.kind) {
                    continue;
                }
                let id = node.id.as_str();
                let id_fits = wanted.ids.is_empty()
                    || wanted.ids.iter().any(|p| crate::wildcard::matches(p, id));
                let trust_fits = wanted.trusts.is_empty()
                    || wanted
                        .trusts
                        .iter()
                        .any(|service| self.evaluator.trusts_service(place, service));
                if !id_fits || !trust_fits {
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
                ) || !self.edges.of(place).is_empty();
                let core = match yields {
                    Yields::Read => jewels.get(&place).is_some_and(|jewel| {
                        !matches!(
                            jewel.kind,
                            JewelKind::WebOrigin | JewelKind::ImageRepository
                        )
                    }),
                    _ => leads_on || jewels.contains_key(&place),
                };
                let list = if core {
                    &mut plan.core
                } else {
                    &mut plan.leaves
                };
                list.push(&self.evaluator.nodes, place);
            }
        }
        self.evaluator.plans = plans;
    }

    /// All steps that one taker can take to what leads on.
    fn steps_of(
        &mut self,
        taker: usize,
        administrators: &BTreeMap<NodeId, Permit>,
        if_granted: &BTreeMap<NodeId, Permit>,
    ) {
        let world = &self.evaluator.world;
        let taker = &world.takers[taker];
        // Everything at home is the administrator's already; what is left is elsewhere.
        let elsewhere = taker.kind == TakerKind::Account
            || administrators
                .get(&taker.node)
                .is_some_and(|permit| permit.conditions.is_empty());
        let openings = self.evaluator.openings(taker);
        let mut steps: Vec<Step> = Vec::new();
        // One who can make himself an administrator need not be asked about each principal at
        // home as well: he has them all through the account.
        let mut strong = elsewhere;
        if !strong {
            for (place, plan) in self.evaluator.plans.iter().enumerate() {
                if grants_power(plan) {
                    self.plan_steps(taker, place, &openings, false, true, &mut steps);
                }
            }
            strong = steps.iter().any(|step| {
                let power = if_granted.get(&taker.node);
                let at_once = power.is_some_and(|permit| permit.conditions.is_empty());
                let yields = self.evaluator.plans[step.plan].escalation.yields;
                yields == Yields::Administrator && step.permit.conditions.is_empty() && at_once
            });
        }
        for (place, plan) in self.evaluator.plans.iter().enumerate() {
            let of_principals = plan.escalation.target.kinds.iter().all(|kind| {
                matches!(
                    kind,
                    EntityKind::User | EntityKind::Role | EntityKind::Group | EntityKind::Policy
                )
            });
            if !strong && grants_power(plan) {
                steps.retain(|step| step.plan != place);
            }
            let away = elsewhere || (strong && of_principals);
            self.plan_steps(taker, place, &openings, away, false, &mut steps);
        }
        let kind = taker.kind;
        // What leads nowhere gets no edge, but is a door all the same.
        let mut leaves = Vec::new();
        if kind == TakerKind::Outside {
            for (place, plan) in self.evaluator.plans.iter().enumerate() {
                let targets = &plan.leaves;
                if !self.evaluator.may_hold(taker, plan) {
                    continue;
                }
                for target in self
                    .evaluator
                    .candidates(taker, plan, targets, &openings, false)
                {
                    if let Some(permit) = self.evaluator.step(taker, plan, target) {
                        leaves.push((taker.node, target, permit, place));
                    }
                }
            }
        }
        let mut openings = Vec::new();
        for step in steps {
            if kind == TakerKind::Outside {
                openings.push((step.from, step.target, step.permit.clone(), step.plan));
            }
            self.gain(step.from, step.target, step.permit, step.plan, if_granted);
        }
        openings.extend(leaves);
        for (from, target, permit, plan) in openings {
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
                conditions: permit.conditions.into_iter().collect(),
            });
        }
    }

    /// The steps of one plan that a taker can take. `held` leaves only those on himself, on his
    /// groups and on the policies that he holds.
    fn plan_steps(
        &self,
        taker: &Taker,
        place: usize,
        openings: &[&Opening],
        elsewhere: bool,
        held: bool,
        steps: &mut Vec<Step>,
    ) {
        let evaluator = &self.evaluator;
        let plan = &evaluator.plans[place];
        if !evaluator.may_hold(taker, plan) {
            return;
        }
        let mut targets = evaluator.candidates(taker, plan, &plan.core, openings, elsewhere);
        if held {
            targets.retain(|target| {
                let holders = evaluator.world.holders.get(target);
                holders.is_some_and(|holders| holders.contains(&taker.node))
            });
        }
        let on_self = grants_power(plan)
            && !elsewhere
            && plan.core.contains(taker.node)
            && evaluator.may_hold_on_target(taker, plan);
        targets.extend(on_self.then_some(taker.node));
        if targets.is_empty() {
            return;
        }
        let Some(at_large) = evaluator.at_large(taker, plan) else {
            return;
        };
        for target in targets {
            if let Some(mut permit) = evaluator.on_target(taker, plan, target) {
                permit.add(at_large.clone());
                steps.push(Step {
                    from: taker.node,
                    target,
                    permit,
                    plan: place,
                });
            }
        }
    }

    /// Makes the edge, or the grant, that a step comes to.
    fn gain(
        &mut self,
        from: NodeId,
        target: NodeId,
        permit: Permit,
        plan: usize,
        if_granted: &BTreeMap<NodeId, Permit>,
    ) {
        let escalation = &self.evaluator.plans[plan].escalation;
        let (via, title) = (escalation.id.clone(), escalation.title.clone());
        match escalation.yields {
            Yields::Target | Yields::Read => {
                if from != target {
                    let changes_access = escalation
                        .techniques
                        .iter()
                        .any(|technique| technique.as_str().starts_with("T1098"));
                    let mut edge = self.edges.edge(target, &via, &title, &permit);
                    edge.changes_access = changes_access;
                    self.edges.add(from, edge);
                }
            }
            Yields::Administrator => {
                let kind = self.evaluator.nodes.get(target).kind;
                let holders: Vec<NodeId> = match kind {
                    EntityKind::Group | EntityKind::Policy => self
                        .evaluator
                        .world
                        .holders
                        .get(&target)
                        .into_iter()
                        .flatten()
                        .copied()
                        .collect(),
                    _ => vec![target],
                };
                for holder in holders {
                    if let Some(then) = if_granted.get(&holder) {
                        self.grant(from, holder, target, &permit, then, &via, &title);
                    }
                }
            }
            Yields::WithoutBoundary => {
                let Some(&place) = self.evaluator.world.taker_of.get(&target) else {
                    return;
                };
                let taker = &self.evaluator.world.takers[place];
                if taker.policies.boundary.is_none() {
                    return;
                }
                let mut policies = taker.policies.clone();
                policies.boundary = None;
                if let Some(then) = self.evaluator.administrator(&taker.caller, &policies) {
                    self.grant(from, target, target, &permit, &then, &via, &title);
                }
            }
            Yields::Membership => {
                let places = (
                    self.evaluator.world.taker_of.get(&from),
                    self.evaluator.world.taker_of.get(&target),
                );
                let (Some(&member), Some(&group)) = places else {
                    return;
                };
                let member = &self.evaluator.world.takers[member];
                let group = &self.evaluator.world.takers[group];
                if self.evaluator.nodes.get(from).kind != EntityKind::User {
                    return;
                }
                let mut policies = member.policies.clone();
                policies
                    .identity
                    .extend(group.policies.identity.iter().cloned());
                let bounded = policies.boundary.is_some();
                if let Some(then) = self.evaluator.administrator(&member.caller, &policies) {
                    self.grant(from, from, target, &permit, &then, &via, &title);
                }
                // What a boundary leaves of the group's permissions is not followed further.
                if !bounded {
                    let edge = self.edges.edge(target, &via, &title, &permit);
                    self.edges.add(from, edge);
                }
            }
        }
    }

    /// `by` makes `holder` an administrator by a step on `target`.
    #[allow(clippy::too_many_arguments)]
    fn grant(
        &mut self,
        by: NodeId,
        holder: NodeId,
        target: NodeId,
        permit: &Permit,
        then: &Permit,
        via: &str,
        title: &str,
    ) {
        let nodes = &self.evaluator.nodes;
        let Some(account) = nodes.account_node(holder) else {
            return;
        };
        let mut permit = permit.clone();
        permit.conditions.extend(then.conditions.iter().cloned());
        let title = if target == by {
            title.to_owned()
        } else {
            format!("{title} ({})", nodes.id(target).short_name())
        };
        let edge = self.edges.edge(account, via, &title, &permit);
        if by == holder {
            self.edges.add(by, edge);
        } else {
            self.edges.grant(Grant { by, holder, edge });
        }
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
                let edge = self
                    .edges
                    .edge(federation.role, &via, &title, &federation.permit);
                self.edges.add(from, edge);
            }
        }
    }
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
