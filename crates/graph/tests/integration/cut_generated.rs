//! A generated account of 1,000 principals: planted ways are cut off one by one, and all at once.

use std::collections::BTreeSet;

use crate::common::cutting::cut;
use crate::common::generated::generated;
use portreeve_graph::cut::{Costs, EXACT_UP_TO, LeastCost, Question};
use portreeve_graph::{Circumstances, Graph};
use portreeve_model::EntityId;
use serde_json::Value;

#[test]
fn planted_ways_of_1000_principals_are_cut_off() {
    let Some((estate, labels)) = generated(1000) else {
        return;
    };
    let catalogue = crate::common::catalogue();
    let graph = Graph::build(&estate, &catalogue, &[]);
    let mut sources: BTreeSet<EntityId> = BTreeSet::new();
    // The ways are planted three times over. A few of the first are cut off, each by itself and all of
    // them together; every way, where that is asked for.
    let all = std::env::var_os("PORTREEVE_CUT_ALL").is_some();
    let is_first = |label: &&Value| {
        let source = label["source"].as_str().unwrap_or_default();
        label["reachable"] == true && (all || source.ends_with("-0"))
    };
    let mut cuts = 0;
    for (place, label) in labels.iter().filter(is_first).enumerate() {
        let text = |key: &str| label[key].as_str().unwrap_or_default();
        let path = match text("target") {
            "ADMIN" => graph.path_to_administrator(text("source")),
            target => graph.path(text("source"), target),
        };
        let path = path.expect("a path");
        if all || place % 4 == 0 {
            let cut = cut(&estate, &catalogue, &path.from, &path.to);
            assert_eq!(cut.least_cost, LeastCost::Proven, "{label}");
            cuts += 1;
            sources.insert(path.from);
        }
    }
    println!("{cuts} ways cut off");
    assert!(cuts >= 5 && sources.len() >= 5);
    let cut = Question {
        estate: &estate,
        catalogue: &catalogue,
        declared: &[],
        circumstances: &Circumstances::default(),
        from: sources.iter().cloned().collect(),
        to: Vec::new(),
        costs: &Costs::default(),
        exact_up_to: EXACT_UP_TO,
    }
    .cut();
    println!(
        "{} starts: {} changes at a cost of {}, at least {}, of {} candidates",
        sources.len(),
        cut.plan.changes.len(),
        cut.cost,
        cut.bound,
        cut.candidates
    );
    assert!(cut.proven && cut.minimal, "{:?}", cut.left);
    assert!(cut.least_cost == LeastCost::Proven || cut.bound < cut.cost);
    let after = estate.revised(&cut.plan.revision(&estate));
    let after = Graph::build(&after, &catalogue, &[]);
    for source in &sources {
        assert!(
            after.paths_to_jewels(source.as_str()).is_empty(),
            "{source}"
        );
    }
}
