//! The laws of a cut, on small random estates: no path is left, every change is needed, and no
//! cheaper set of changes leaves none.

use std::collections::BTreeSet;

use portreeve_authz::aws::Document;
use portreeve_model::EntityId;
use proptest::prelude::*;

use super::candidate::{Candidate, Candidates, Part};
use super::holdings::Holdings;
use super::making::revision;
use super::*;
use crate::random::{self, PRINCIPALS, USERS};
use crate::{Circumstances, Graph};

fn cases() -> u32 {
    let asked = std::env::var("PORTREEVE_CUT_CASES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(24)
}

/// Every change that could break any step that anyone can take.
fn universe(graph: &Graph, candidates: &Candidates<'_>) -> Vec<Candidate> {
    let mut found = BTreeSet::new();
    for id in graph.entities() {
        for step in graph.steps_from(id.as_str()) {
            candidates.of_step(&step, &mut found);
        }
    }
    found.into_iter().collect()
}

/// Whether some set of candidates that costs less than `limit` leaves no path, by trying each.
fn is_cheaper(
    all: &[(u32, &Part)],
    limit: u64,
    made: &mut Vec<Part>,
    cuts: &dyn Fn(&[Part]) -> bool,
) -> bool {
    for (place, &(cost, part)) in all.iter().enumerate() {
        let Some(left) = limit.checked_sub(u64::from(cost)).filter(|left| *left > 0) else {
            continue;
        };
        made.push(part.clone());
        if cuts(made) || is_cheaper(&all[place + 1..], left, made, cuts) {
            return true;
        }
        made.pop();
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn a_cut_leaves_no_path_and_none_is_cheaper(
        seed in random::seed(),
        from in 0..USERS,
        to in 0..PRINCIPALS + 3,
    ) {
        let estate = random::estate(&seed);
        let catalogue = random::catalogue();
        let from = EntityId::from(random::id(from));
        let to = match to.checked_sub(PRINCIPALS) {
            None => EntityId::from(random::id(to)),
            Some(0) => EntityId::from("arn:aws:s3:::web-0"),
            Some(1) => EntityId::from(random::SAFE),
            Some(_) => crate::nodes::account_id(random::HOME),
        };
        let (costs, circumstances) = (Costs::default(), Circumstances::default());
        let question = Question {
            estate: &estate,
            catalogue: &catalogue,
            declared: &[],
            circumstances: &circumstances,
            from: vec![from.clone()],
            to: vec![to.clone()],
            costs: &costs,
            exact_up_to: EXACT_UP_TO,
        };
        let cut = question.cut();
        let reaches = |estate: &portreeve_model::Estate| {
            let graph = Graph::build(estate, &catalogue, &[]);
            from != to && graph.path(from.as_str(), to.as_str()).is_some()
        };
        prop_assert!(cut.minimal);
        prop_assert_eq!(cut.proven, cut.left.is_empty());
        prop_assert_eq!(cut.before.is_empty(), !reaches(&estate));
        for change in &cut.plan.changes {
            if let Edit::Document { after: Some(after), .. } = &change.edit {
                prop_assert!(Document::parse(after).is_ok(), "{after}");
            }
        }

        let holdings = Holdings::of(&estate);
        let graph = Graph::build(&estate, &catalogue, &[]);
        let candidates = Candidates::new(&holdings, &catalogue, false);
        let universe = universe(&graph, &candidates);
        let cuts = |parts: &[Part]| {
            !reaches(&estate.revised(&revision(&holdings, parts.iter(), |_| true)))
        };
        if !cut.left.is_empty() {
            let all: Vec<Part> = universe.iter().map(|candidate| candidate.part.clone()).collect();
            prop_assert!(!cuts(&all), "all candidates together would cut {:?}", cut.left);
            return Ok(());
        }
        prop_assert!(!reaches(&estate.revised(&cut.plan.revision(&estate))));
        prop_assert_eq!(cut.least_cost, LeastCost::Proven);
        let back = estate.revised(&cut.plan.revision(&estate));
        let back = back.revised(&cut.plan.inverse().revision(&back));
        prop_assert_eq!(back.relations(), estate.relations());

        // Trying all sets is for small costs.
        if cut.cost > 0 && cut.cost <= 6 {
            let mut all: Vec<(u32, &Part)> = universe
                .iter()
                .map(|candidate| (costs.of(candidate.kind), &candidate.part))
                .collect();
            all.sort();
            let mut made = Vec::new();
            let found = is_cheaper(&all, cut.cost, &mut made, &cuts);
            prop_assert!(!found, "{made:?} costs less than {:?}", cut.plan);
        }
    }

    #[test]
    fn beyond_the_stated_number_the_bound_holds(seed in random::seed(), from in 0..USERS) {
        let estate = random::estate(&seed);
        let catalogue = random::catalogue();
        let (costs, circumstances) = (Costs::default(), Circumstances::default());
        let mut question = Question {
            estate: &estate,
            catalogue: &catalogue,
            declared: &[],
            circumstances: &circumstances,
            from: vec![EntityId::from(random::id(from))],
            to: Vec::new(),
            costs: &costs,
            exact_up_to: EXACT_UP_TO,
        };
        let exact = question.cut();
        question.exact_up_to = 3;
        let rough = question.cut();
        prop_assert_eq!(rough.proven, exact.proven);
        prop_assert!(rough.minimal);
        prop_assert!(rough.bound <= exact.cost && exact.cost <= rough.cost);
        if rough.least_cost == LeastCost::Proven {
            prop_assert_eq!(rough.cost, exact.cost);
        }
    }
}
