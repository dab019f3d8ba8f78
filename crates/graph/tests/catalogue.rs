//! The catalogue in `escalations/`: every file is read, documented and does what it says.

mod common;

use common::example::{is_open, small};
use portreeve_graph::{Catalogue, Graph, Origin, Yields};

#[test]
fn every_file_is_read_and_documented() {
    let catalogue = common::catalogue();
    assert!(catalogue.len() >= 45, "{} files", catalogue.len());
    for escalation in catalogue.iter() {
        let id = &escalation.id;
        assert!(!escalation.references.is_empty(), "{id} has no reference");
        assert!(!escalation.techniques.is_empty(), "{id} has no technique");
        assert!(escalation.description.len() > 40, "{id} is not described");
        assert!(
            !escalation.title.ends_with('.'),
            "{id}: a title is no sentence"
        );
        let exercised = escalation.examples.iter().any(|example| example.opens)
            && escalation.examples.iter().any(|example| !example.opens);
        assert!(
            exercised || escalation.from != Origin::Principal,
            "{id} needs an example that opens it and one that does not"
        );
    }
}

#[test]
fn examples_open_and_stay_shut() {
    let catalogue = common::catalogue();
    let mut wrong = Vec::new();
    for escalation in catalogue.iter() {
        for example in &escalation.examples {
            let small = small(escalation, &example.statements);
            if is_open(&catalogue, &escalation.id, &small) != example.opens {
                wrong.push(format!(
                    "{} should{} be open by {:?}",
                    escalation.id,
                    if example.opens { "" } else { " not" },
                    example.statements
                ));
            }
        }
        if escalation.from != Origin::Principal {
            let small = small(escalation, &[]);
            if !is_open(&catalogue, &escalation.id, &small) {
                wrong.push(format!("{} should be open", escalation.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_makes_an_administrator_reaches_the_account() {
    let catalogue = common::catalogue();
    for escalation in catalogue.iter() {
        if matches!(escalation.yields, Yields::Target | Yields::Read) {
            continue;
        }
        for example in escalation.examples.iter().filter(|example| example.opens) {
            let small = small(escalation, &example.statements);
            let graph = Graph::build(&small.estate, &catalogue, &[]);
            let path = graph.path_to_administrator(&small.start);
            assert!(
                path.is_some(),
                "{} by {:?}",
                escalation.id,
                example.statements
            );
        }
    }
}

#[test]
fn an_explicit_deny_on_any_permission_of_a_step_removes_it() {
    let catalogue = common::catalogue();
    for escalation in catalogue.iter().filter(|e| e.from == Origin::Principal) {
        for example in escalation.examples.iter().filter(|example| example.opens) {
            let open = small(escalation, &example.statements);
            let graph = Graph::build(&open.estate, &catalogue, &[]);
            let steps = graph.steps_from(&open.start);
            let Some(step) = steps.iter().find(|step| step.via == escalation.id) else {
                continue;
            };
            for permission in &step.permissions {
                let mut statements = example.statements.clone();
                statements.push(format!("deny {permission} on *"));
                let graph = Graph::build(&small(escalation, &statements).estate, &catalogue, &[]);
                let left = graph.steps_from(&open.start);
                assert!(
                    !left.iter().any(|left| left.via == step.via
                        && left.to == step.to
                        && left.permissions == step.permissions),
                    "{} stays open without {permission}",
                    escalation.id
                );
            }
        }
    }
}

#[test]
fn two_files_of_one_name_are_an_error() {
    let text = &common::catalogue_files()[0].1;
    let files = [("a/x.yml", text.as_str()), ("b/x.yml", text.as_str())];
    let (catalogue, errors) = Catalogue::parse(files.into_iter());
    assert_eq!((catalogue.len(), errors.len()), (1, 1));
    assert_eq!(errors[0].file, "b/x.yml");
}

#[test]
fn every_publicly_listed_path_is_covered() {
    let Some(folder) = common::shared_data("pathfinding_cloud/paths") else {
        return;
    };
    let catalogue = common::catalogue();
    let named: Vec<&str> = catalogue
        .iter()
        .flat_map(|escalation| &escalation.references)
        .filter_map(|reference| reference.strip_prefix("https://pathfinding.cloud/paths/"))
        .collect();
    let mut listed = 0;
    for service in std::fs::read_dir(folder).expect("the folder") {
        for file in std::fs::read_dir(service.expect("a service").path()).expect("its paths") {
            let text = std::fs::read_to_string(file.expect("a path").path()).expect("readable");
            let id = text.lines().find_map(|line| line.strip_prefix("id: "));
            let id = id.expect("an id").trim().trim_matches('"');
            listed += 1;
            assert!(named.contains(&id), "no escalation refers to {id}");
        }
    }
    assert_eq!(listed, 65);
}
