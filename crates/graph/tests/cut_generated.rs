//! Generated accounts: every planted path is cut.
#![allow(clippy::print_stdout)]

mod common;

use common::generated::generated;
use portreeve_graph::cut::{Costs, EXACT_UP_TO, LeastCost, Question};
use portreeve_graph::{Circumstances, Graph};

#[test]
fn every_planted_path_of_1000_principals_is_cut() {
    let Some((estate, labels)) = generated(1000) else {
        return;
    };
    let catalogue = common::catalogue();
    let graph = Graph::build(&estate, &catalogue, &[]);
    let (costs, circumstances) = (Costs::default(), Circumstances::default());
    for label in labels.iter().filter(|label| label["reachable"] == true) {
        let text = |key: &str| label[key].as_str().unwrap_or_default();
        let path = match text("target") {
            "ADMIN" => graph.path_to_administrator(text("source")),
            target => graph.path(text("source"), target),
        };
        let path = path.expect("a path");
        let question = Question {
            estate: &estate,
            catalogue: &catalogue,
            declared: &[],
            circumstances: &circumstances,
            from: vec![path.from.clone()],
            to: vec![path.to.clone()],
            costs: &costs,
            exact_up_to: EXACT_UP_TO,
        };
        let time = std::time::Instant::now();
        let cut = question.cut();
        println!(
            "{} -> {}: {} changes, cost {} {:?} {}, {} candidates, {} ms; {:?}",
            path.from,
            path.to,
            cut.plan.changes.len(),
            cut.cost,
            cut.least_cost,
            cut.bound,
            cut.candidates,
            time.elapsed().as_millis(),
            cut.plan
                .changes
                .iter()
                .flat_map(|c| &c.titles)
                .take(5)
                .collect::<Vec<_>>()
        );
        assert!(cut.proven && cut.minimal, "{label} {:?}", cut.left);
        assert_eq!(cut.least_cost, LeastCost::Proven, "{label}");
    }
}
