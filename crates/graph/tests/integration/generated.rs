//! Generated accounts with planted paths and decoys: every path is found, no decoy is reported.

use crate::common::generated::generated;
use portreeve_graph::Graph;

fn check(principals: usize) {
    let Some((estate, labels)) = generated(principals) else {
        return;
    };
    let graph = Graph::build(&estate, &crate::common::catalogue(), &[]);
    let mut asked_for_mfa = 0;
    for label in &labels {
        let text = |key: &str| label[key].as_str().unwrap_or_default();
        let (source, target) = (text("source"), text("target"));
        let path = match target {
            "ADMIN" => graph.path_to_administrator(source),
            target => graph.path(source, target),
        };
        assert_eq!(
            path.is_some(),
            label["reachable"] == true,
            "{label} {path:?}"
        );
        if target != "ADMIN" {
            let back = graph.reachers(target);
            let found = back.iter().find(|path| path.from.as_str() == source);
            assert_eq!(found.is_some(), path.is_some(), "{label}");
        }
        let Some(path) = path else { continue };
        let mfa = text("why").contains("MFA");
        let wanted: &[&str] = if mfa {
            &["aws:MultiFactorAuthPresent"]
        } else {
            &[]
        };
        assert_eq!(path.conditions, wanted, "{label}");
        asked_for_mfa += usize::from(mfa);
    }
    assert_eq!(asked_for_mfa, 3);
    assert!(labels.len() > 150);
}

#[test]
fn of_300_principals_all_is_right() {
    check(300);
}

#[test]
fn of_1000_principals_all_is_right() {
    check(1000);
}
