//! Saved graphs: what cannot be used is refused with the reason, whatever the bytes.

use crate::common::example::small;
use portreeve_graph::{Catalogue, DeclaredJewel, Graph, Inputs, LoadError};
use proptest::prelude::*;

fn graph() -> (Catalogue, Graph) {
    let catalogue = crate::common::catalogue();
    let escalation = catalogue
        .get("lambda-create-function")
        .expect("it is there");
    let statements = ["iam:* on *".to_owned(), "lambda:* on *".to_owned()];
    let small = small(escalation, &statements);
    let graph = Graph::build(&small.estate, &catalogue, &[]);
    (catalogue, graph)
}

fn saved() -> (Inputs, Vec<u8>, Graph) {
    let (catalogue, graph) = graph();
    let inputs = Inputs::of(&catalogue, &[], [&b"an export"[..]]);
    let mut bytes = Vec::new();
    graph.save(&inputs, &mut bytes).expect("it is saved");
    (inputs, bytes, graph)
}

#[test]
fn a_loaded_graph_answers_as_the_one_that_was_saved() {
    let (inputs, bytes, graph) = saved();
    let loaded = Graph::load(&inputs, bytes.as_slice()).expect("it is loaded");
    assert_eq!(graph.size(), loaded.size());
    for from in graph.entities() {
        for to in graph.entities() {
            let (from, to) = (from.as_str(), to.as_str());
            assert_eq!(graph.path(from, to), loaded.path(from, to));
        }
    }
}

#[test]
fn a_graph_of_other_inputs_is_stale() {
    let (_, bytes, _) = saved();
    let catalogue = crate::common::catalogue();
    let jewel = DeclaredJewel {
        id: "x".into(),
        kind: None,
        reason: None,
    };
    for other in [
        Inputs::of(&catalogue, &[], [&b"another export"[..]]),
        Inputs::of(&catalogue, &[jewel], [&b"an export"[..]]),
        Inputs::of(&Catalogue::default(), &[], [&b"an export"[..]]),
        Inputs::of(&catalogue, &[], std::iter::empty()),
    ] {
        let refused = Graph::load(&other, bytes.as_slice());
        assert!(matches!(refused, Err(LoadError::Stale)));
    }
}

#[test]
fn what_is_no_graph_or_a_damaged_one_is_refused() {
    let (inputs, bytes, _) = saved();
    let load = |bytes: &[u8]| Graph::load(&inputs, bytes);
    assert!(matches!(load(b""), Err(LoadError::NotAGraph)));
    assert!(matches!(
        load(b"{\"Records\": []}       "),
        Err(LoadError::NotAGraph)
    ));
    let mut other = bytes.clone();
    other[16] ^= 0xff;
    assert!(matches!(load(&other), Err(LoadError::Version { .. })));
    assert!(matches!(
        load(&bytes[..bytes.len() - 1]),
        Err(LoadError::Damaged(_))
    ));
    let mut other = bytes.clone();
    *other.last_mut().expect("a byte") ^= 1;
    assert!(matches!(load(&other), Err(LoadError::Damaged(_))));
}

/// Where the body starts, and where its digest and its length are.
const DIGEST: usize = 52;
const LENGTH: usize = 84;
const BODY: usize = 92;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_body_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        use sha2::{Digest, Sha256};
        let (inputs, mut bytes, graph) = saved();
        for (place, value) in changes {
            let place = BODY + place.index(bytes.len() - BODY);
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(BODY + cut.index(bytes.len() - BODY));
        }
        // The digest is made to fit, so that the body itself is what is looked at.
        let digest = Sha256::digest(&bytes[BODY..]);
        bytes[DIGEST..LENGTH].copy_from_slice(&digest);
        let length = (bytes.len() - BODY) as u64;
        bytes[LENGTH..BODY].copy_from_slice(&length.to_le_bytes());
        if let Ok(loaded) = Graph::load(&inputs, bytes.as_slice()) {
            for from in graph.entities() {
                loaded.reached_from(from.as_str());
                loaded.reachers(from.as_str());
                loaded.paths_to_jewels(from.as_str());
                loaded.writers(from.as_str());
            }
            prop_assert!(loaded.edges().count() + loaded.nodes().count() > 0);
        }
    }
}
