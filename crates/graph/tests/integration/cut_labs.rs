//! Real, labelled estates: each target is cut off, and no cheaper set of changes would do.

use crate::common::cutting::cut;
use portreeve_graph::cut::LeastCost;

#[test]
fn every_labelled_target_is_cut_off_at_least_cost() {
    let catalogue = crate::common::catalogue();
    let Some(labs) = crate::common::labs::scored(&catalogue) else {
        return;
    };
    let mut cuts = 0;
    for lab in labs {
        let path = lab.path.expect("a path");
        let cut = cut(&lab.estate, &catalogue, &path.from, &path.to);
        assert_eq!(cut.least_cost, LeastCost::Proven, "{}", lab.id);
        cuts += 1;
        let titles = cut.plan.changes.iter().flat_map(|change| &change.titles);
        let titles: Vec<&str> = titles.map(String::as_str).collect();
        println!("| {} | {} | {} |", lab.id, cut.cost, titles.join("; "));
    }
    assert_eq!(cuts, 49);
}
