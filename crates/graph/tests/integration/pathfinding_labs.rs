//! Real, labelled estates: for each scored row a path from its start to its target must be found.

/// How many of the 49 scored rows are reached. It does not fall.
const REACHED: usize = 49;

#[test]
fn labelled_targets_are_reached() {
    let catalogue = crate::common::catalogue();
    let Some(labs) = crate::common::labs::scored(&catalogue) else {
        return;
    };
    let (mut rows, mut reached) = (0, 0);
    for lab in labs {
        rows += 1;
        let id = &lab.id;
        match &lab.path {
            Some(path) => {
                reached += 1;
                assert_eq!(path.from.as_str(), lab.start);
                let via: Vec<&str> = path.steps.iter().map(|step| step.via.as_str()).collect();
                println!(
                    "| {id} | {} | {} | {} |",
                    path.to.short_name(),
                    via.join(", "),
                    path.conditions.join(", ")
                );
            }
            None => {
                println!("| {id} | MISSED | | unread {} |", lab.unread);
                for step in lab.graph.steps_from(&lab.start) {
                    println!("      {} -> {} {:?}", step.via, step.to, step.conditions);
                }
            }
        }
    }
    println!("reached {reached} of {rows}");
    assert_eq!(rows, 49);
    assert!(reached >= REACHED, "reached {reached} of {rows}");
}
