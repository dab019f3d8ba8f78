//! What keys open, found by a walk from each: what the fast way is held to.

use portreeve_graph::{Graph, Key, Power};
use portreeve_model::EntityKind;

/// What a walk finds that a key opens, and how many entities it reaches.
pub(crate) fn opened(graph: &Graph, id: &str) -> (Power, usize) {
    let mut power = Power::default();
    for path in graph.paths_to_jewels(id) {
        let open = u32::from(path.conditions.is_empty());
        power.jewels += 1;
        power.open_jewels += open;
    }
    let reached = graph.reached_from(id);
    for one in reached.iter().filter(|one| one.kind == EntityKind::Account) {
        power.accounts += 1;
        power.open_accounts += u32::from(one.conditions.is_empty());
    }
    (power, reached.len())
}

/// The ids of the first keys, by the rule of the guide, each looked at by itself.
pub(crate) fn masters(graph: &Graph, keys: &[Key], count: usize) -> Vec<String> {
    let mut ranked: Vec<_> = keys
        .iter()
        .map(|key| {
            let (power, reached) = opened(graph, key.id.as_str());
            let opens = [
                power.open_accounts,
                power.open_jewels,
                power.accounts,
                power.jewels,
            ];
            let more = opens.map(|number| u32::MAX - number);
            let age = (key.created.is_none(), key.created);
            (
                !key.active,
                more,
                usize::MAX - reached,
                age,
                key.id.to_string(),
            )
        })
        .collect();
    ranked.sort();
    ranked.into_iter().take(count).map(|row| row.4).collect()
}
