//! The law of folding: a graph of classes, clusters and hubs says what a graph says for which each
//! principal was asked about each target by itself.

use std::collections::BTreeSet;

use portreeve_model::Estate;
use proptest::prelude::*;

use super::*;
use crate::catalogue::Origin;
use crate::export::{GraphEdge, NodeKind};
use crate::nodes::account_id;
use crate::random::{HOME, catalogue, estate, seed};
use crate::world::{Taker, principal_id};

impl Builder {
    /// The steps of all takers, each asked about each target.
    fn plain_steps(&mut self, if_granted: &BTreeMap<NodeId, Permit>) {
        let mut lists = HolderLists::default();
        for place in 0..self.evaluator.world.takers.len() {
            let taker = self.evaluator.world.takers[place].clone();
            for decision in self.plain_decisions(&taker) {
                self.gain(taker.node, &decision, if_granted, &mut lists);
            }
        }
    }

    fn plain_decisions(&self, taker: &Taker) -> Vec<Decision> {
        let evaluator = &self.evaluator;
        let nodes = &evaluator.nodes;
        let asker = evaluator.world.asker(nodes, taker);
        let mut found = Vec::new();
        for (place, plan) in evaluator.plans.iter().enumerate() {
            if plan.escalation.from != Origin::Principal {
                continue;
            }
            for &target in &plan.core.all {
                let home = nodes.get(target).account.as_deref() == Some(taker.account.as_str());
                let names = |id: &str| {
                    evaluator.world.said_by(target).any(|policy| {
                        let grants = &evaluator.world.policies.outline_of(policy).grants;
                        let mut names = grants.iter().flat_map(|grant| &grant.principals);
                        names.any(|name| principal_id(name) == id)
                    })
                };
                // What lets nobody in by a policy or a grant that is seen opens nothing between
                // accounts.
                let mut called = evaluator.world.names_of(nodes, taker).into_iter();
                let unseen = !home
                    && !called.any(|name| names(&name))
                    && nodes.get(target).account.is_some()
                    && !plan.escalation.target.member_accounts
                    && !evaluator.world.own.contains_key(&target);
                let left_out = unseen
                    || match taker.kind {
                        TakerKind::Account => home,
                        // An identity outside stands for those who are named so, no others.
                        TakerKind::Outside => !names(nodes.id(taker.node).as_str()),
                        _ => false,
                    };
                if left_out || (target == taker.node && !grants_power(plan)) {
                    continue;
                }
                if let Some(permit) = evaluator.step(taker, &asker, plan, target) {
                    found.push(Decision {
                        plan: place,
                        onto: Onto::One(target),
                        permit,
                    });
                }
            }
        }
        found
    }
}

fn plain(estate: &Estate, catalogue: &Catalogue) -> Graph {
    let actions = actions_of(catalogue);
    let (policies, held) = Policies::read(estate.relations(), &actions);
    let outside = outside_identities(estate, &policies, &held);
    let nodes = Nodes::of(estate, Nodes::named_by(estate), outside);
    let world = World::of(estate, &nodes, policies, &held);
    let plans = catalogue.shared().map(Plan::of).collect();
    let builder = Builder::new(Evaluator {
        nodes,
        world,
        actions,
        plans,
        circumstances: Circumstances::default(),
        base: base_context(),
    });
    builder.build_with(estate, &[], |builder, _, if_granted| {
        builder.plain_steps(if_granted);
    })
}

/// From where, onto what, and all that an edge says; hubs as their targets.
type Said = (
    String,
    String,
    String,
    Vec<String>,
    Vec<String>,
    Vec<String>,
    Option<String>,
);

fn said(graph: &Graph) -> BTreeSet<Said> {
    let hubs: BTreeSet<&str> = graph
        .nodes()
        .filter(|node| node.kind == NodeKind::Hub)
        .map(|node| node.id)
        .collect();
    let covered = |edge: &GraphEdge<'_>| -> Vec<String> {
        if !hubs.contains(edge.to) {
            return vec![edge.to.to_owned()];
        }
        let of_hub = graph.edges().filter(|of| of.from == edge.to);
        of_hub.map(|of| of.to.to_owned()).collect()
    };
    let owned = |list: &[&str]| -> Vec<String> { list.iter().map(|t| (*t).to_owned()).collect() };
    let mut said = BTreeSet::new();
    for edge in graph.edges().filter(|edge| !hubs.contains(edge.from)) {
        for to in covered(&edge).into_iter().filter(|to| to != edge.from) {
            let mut besides: Vec<Option<String>> =
                owned(&edge.besides).into_iter().map(Some).collect();
            if besides.is_empty() {
                besides.push(None);
            }
            // What a giver can use alone is an edge of its own.
            besides.retain(|besides| besides.as_deref() != Some(edge.from));
            for besides in besides {
                said.insert((
                    edge.from.to_owned(),
                    to.clone(),
                    edge.via.to_owned(),
                    owned(&edge.permissions),
                    owned(&edge.conditions),
                    owned(&edge.statements),
                    besides,
                ));
            }
        }
    }
    said
}

/// How many estates are tried; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

fn is_open(graph: &Graph, from: &str, to: &str) -> bool {
    from == to
        || graph
            .path(from, to)
            .is_some_and(|path| path.conditions.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn folding_changes_nothing(seed in seed()) {
        let catalogue = catalogue();
        let estate = estate(&seed);
        let folded = Graph::build(&estate, &catalogue, &[]);
        let plain = plain(&estate, &catalogue);
        for from in plain.entities() {
            for to in plain.entities() {
                let (from, to) = (from.as_str(), to.as_str());
                let (one, other) = (folded.path(from, to), plain.path(from, to));
                prop_assert_eq!(one.is_some(), other.is_some(), "{} to {}: {:?} {:?}", from, to, one, other);
                let open = |path: &Option<crate::path::AttackPath>| {
                    path.as_ref().is_some_and(|path| path.conditions.is_empty())
                };
                prop_assert_eq!(open(&one), open(&other), "{} to {}: {:?} {:?}", from, to, one, other);
            }
        }
        let (one, other) = (said(&folded), said(&plain));
        for edge in one.difference(&other) {
            prop_assert!(false, "only the folded graph has {edge:?}");
        }
        for edge in other.difference(&one) {
            // Who controls the account has all that is in it without an edge to each.
            let mut nodes = plain.nodes();
            let account = nodes.find(|node| node.id == edge.1).and_then(|node| node.account);
            let account = account.unwrap_or(HOME);
            prop_assert!(
                is_open(&folded, &edge.0, account_id(account).as_str()),
                "the folded graph lacks {edge:?}"
            );
        }
    }

    #[test]
    fn a_graph_is_the_same_when_it_is_loaded(seed in seed()) {
        let catalogue = catalogue();
        let graph = Graph::build(&estate(&seed), &catalogue, &[]);
        let inputs = crate::saved::Inputs::of(&catalogue, &[], std::iter::empty());
        let mut bytes = Vec::new();
        graph.save(&inputs, &mut bytes).unwrap();
        let loaded = Graph::load(&inputs, bytes.as_slice()).unwrap();
        prop_assert_eq!(said(&graph), said(&loaded));
        prop_assert_eq!(graph.jewels(), loaded.jewels());
        prop_assert_eq!(graph.doors(), loaded.doors());
        for from in graph.entities() {
            prop_assert_eq!(graph.reached_from(from.as_str()), loaded.reached_from(from.as_str()));
            prop_assert_eq!(graph.reachers(from.as_str()), loaded.reachers(from.as_str()));
        }
        let mut again = Vec::new();
        loaded.save(&inputs, &mut again).unwrap();
        prop_assert_eq!(bytes, again);
    }

    #[test]
    fn all_that_is_reached_is_listed(seed in seed()) {
        let graph = Graph::build(&estate(&seed), &catalogue(), &[]);
        for from in graph.entities() {
            let listed = graph.reached_from(from.as_str());
            let ids: BTreeSet<&EntityId> = listed.iter().map(|reached| &reached.id).collect();
            prop_assert_eq!(ids.len(), listed.len());
            for to in graph.entities().filter(|to| *to != from) {
                let path = graph.path(from.as_str(), to.as_str());
                prop_assert_eq!(ids.contains(to), path.is_some(), "{} to {}: {:?}", from, to, path);
            }
        }
    }

    #[test]
    fn the_walk_backwards_finds_who_walks_there(seed in seed()) {
        let graph = Graph::build(&estate(&seed), &catalogue(), &[]);
        for to in graph.entities() {
            let found = graph.reachers(to.as_str());
            let by: BTreeSet<&str> = found.iter().map(|path| path.from.as_str()).collect();
            prop_assert_eq!(by.len(), found.len());
            for node in graph.nodes() {
                let is_principal = matches!(node.kind, NodeKind::Entity(kind) if kind.is_principal());
                if !is_principal || node.id == to.as_str() {
                    continue;
                }
                let forwards = graph.path(node.id, to.as_str());
                prop_assert_eq!(
                    by.contains(node.id), forwards.is_some(),
                    "{} to {}: {:?}", node.id, to, forwards
                );
                let open = forwards.as_ref().is_some_and(|path| path.conditions.is_empty());
                let backwards = found.iter().find(|path| path.from.as_str() == node.id);
                prop_assert_eq!(
                    open, backwards.is_some_and(|path| path.conditions.is_empty()),
                    "{:?} {:?}", forwards, backwards
                );
            }
            for path in &found {
                let mut at = path.from.clone();
                for step in &path.steps {
                    prop_assert_eq!(&step.from, &at);
                    at = step.to.clone();
                }
                prop_assert_eq!(&at, &path.to);
            }
        }
    }
}
