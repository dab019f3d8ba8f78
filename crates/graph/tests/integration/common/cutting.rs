//! Holds a cut to what it says of itself, by building the graph anew.

use portreeve_authz::aws::Document;
use portreeve_graph::cut::{Costs, Cut, EXACT_UP_TO, Edit, Plan, Question};
use portreeve_graph::{Catalogue, Circumstances, Graph};
use portreeve_model::{EntityId, Estate};

/// The cut between two entities, with the built-in costs.
pub(crate) fn cut(estate: &Estate, catalogue: &Catalogue, from: &EntityId, to: &EntityId) -> Cut {
    let cut = Question {
        estate,
        catalogue,
        declared: &[],
        circumstances: &Circumstances::default(),
        from: vec![from.clone()],
        to: vec![to.clone()],
        costs: &Costs::default(),
        exact_up_to: EXACT_UP_TO,
    }
    .cut();
    hold(estate, catalogue, &cut, from, to);
    cut
}

/// No path is left; with any change put back there is one; every policy can be read.
fn hold(estate: &Estate, catalogue: &Catalogue, cut: &Cut, from: &EntityId, to: &EntityId) {
    let reaches = |plan: &Plan| {
        let estate = estate.revised(&plan.revision(estate));
        let graph = Graph::build(&estate, catalogue, &[]);
        graph.path(from.as_str(), to.as_str()).is_some()
    };
    assert!(cut.proven && cut.minimal && cut.left.is_empty(), "{cut:#?}");
    assert!(!reaches(&cut.plan), "a path is left: {:#?}", cut.plan);
    for place in 0..cut.plan.changes.len() {
        let mut fewer = cut.plan.clone();
        let back = fewer.changes.remove(place);
        assert!(reaches(&fewer), "not needed: {back:#?}");
    }
    for change in &cut.plan.changes {
        if let Edit::Document { before, after, .. } = &change.edit {
            for text in before.iter().chain(after) {
                Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            }
        }
    }
}
