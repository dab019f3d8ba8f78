//! Real, labelled estates: each is cut.
#![allow(clippy::print_stdout)]

mod common;

use portreeve_authz::aws::{Document, decode_document};
use portreeve_graph::cut::{Costs, Cut, EXACT_UP_TO, Edit, LeastCost, Question};
use portreeve_graph::{Circumstances, Graph};

#[test]
fn every_labelled_target_is_cut_at_least_cost() {
    let catalogue = common::catalogue();
    let Some(labs) = common::labs::scored(&catalogue) else {
        return;
    };
    let (costs, circumstances) = (Costs::default(), Circumstances::default());
    let mut cuts = 0;
    for lab in labs {
        let path = lab.path.expect("a path");
        if path.steps.is_empty() {
            continue;
        }
        let question = Question {
            estate: &lab.estate,
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
            "| {} | {} | {} | {:?} | {} candidates | {:?} ms",
            lab.id,
            cut.plan.changes.len(),
            cut.cost,
            cut.least_cost,
            cut.candidates,
            time.elapsed().as_millis()
        );
        for change in &cut.plan.changes {
            println!("      {:?}", change.titles);
        }
        for left in &cut.left {
            println!("      LEFT {left:?}");
        }
        cuts += 1;
        hold(&cut, &lab.id);
    }
    assert_eq!(cuts, 49);
}

fn hold(cut: &Cut, id: &str) {
    assert!(cut.proven && cut.minimal, "{id}");
    assert_eq!(cut.least_cost, LeastCost::Proven, "{id}");
}
