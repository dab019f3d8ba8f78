//! The catalogue in `escalations/`: every file is read, documented and does what it says.

use crate::common::example::{is_open, small};
use portreeve_graph::{Catalogue, Escalation, Graph, Need, Origin, Yields};

#[test]
fn every_file_is_read_and_documented() {
    let catalogue = crate::common::catalogue();
    assert!(catalogue.len() > 100, "{} files", catalogue.len());
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
fn what_a_step_assumes_is_explained_in_the_guide() {
    let guide = std::fs::read_to_string(crate::common::root().join("docs/escalations.md"));
    let guide = guide.expect("the guide");
    for escalation in crate::common::catalogue().iter() {
        for condition in &escalation.assumes {
            let row = format!("| `{condition}` |");
            assert!(guide.contains(&row), "{}: {condition}", escalation.id);
        }
    }
}

#[test]
fn examples_open_and_stay_shut() {
    let catalogue = crate::common::catalogue();
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
    let catalogue = crate::common::catalogue();
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
    let catalogue = crate::common::catalogue();
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
    let text = &crate::common::catalogue_files()[0].1;
    let files = [("a/x.yml", text.as_str()), ("b/x.yml", text.as_str())];
    let (catalogue, errors) = Catalogue::parse(files.into_iter());
    assert_eq!((catalogue.len(), errors.len()), (1, 1));
    assert_eq!(errors[0].file, "b/x.yml");
}

/// The permissions that a file of pathfinding.cloud requires.
fn required(text: &str) -> Vec<&str> {
    let permissions = text.lines().skip_while(|line| *line != "permissions:");
    permissions
        .skip_while(|line| line.trim() != "required:")
        .skip(1)
        .take_while(|line| line.starts_with("  - ") || line.starts_with("    "))
        .filter_map(|line| line.trim().strip_prefix("- permission: "))
        .map(|permission| permission.trim_matches('"'))
        .collect()
}

/// Whether an escalation asks for these permissions: for none that is not among them, and for
/// each of them somewhere.
fn asks_for(escalation: &Escalation, required: &[&str]) -> bool {
    let named = |need: &Need, action: &str| {
        let mut permissions = need.any_of.iter();
        permissions.any(|permission| permission.action.eq_ignore_ascii_case(action))
    };
    let needs = &escalation.needs;
    needs
        .iter()
        .all(|need| required.iter().any(|action| named(need, action)))
        && required
            .iter()
            .all(|action| needs.iter().any(|need| named(need, action)))
}

/// Covered is one to which an escalation refers that asks for the same permissions, or says why
/// it does not.
#[test]
fn every_publicly_listed_path_is_covered() {
    const LIST: &str = "https://pathfinding.cloud/paths/";
    let catalogue = crate::common::catalogue();
    let cites: Vec<(&str, &Escalation)> = catalogue
        .iter()
        .flat_map(|escalation| {
            let references = escalation.references.iter();
            let ids = references.filter_map(|reference| reference.strip_prefix(LIST));
            ids.map(move |id| (id, escalation))
        })
        .collect();
    for escalation in catalogue.iter() {
        for id in escalation.differs.keys() {
            let cited = cites
                .iter()
                .any(|(cited, by)| cited == id && by.id == escalation.id);
            assert!(
                cited,
                "{} differs from {id} and does not cite it",
                escalation.id
            );
        }
    }
    let table = std::fs::read_to_string(crate::common::root().join("docs/escalations.md"));
    let table = table.expect("the guide");
    for (id, escalation) in &cites {
        let row = table
            .lines()
            .find(|line| line.starts_with(&format!("| `{id}` |")));
        assert!(
            row.is_some_and(|row| row.contains(&format!("`{}`", escalation.id))),
            "docs/escalations.md does not say that {} covers {id}",
            escalation.id
        );
    }

    let Some(folder) = crate::common::shared_data("pathfinding_cloud/paths") else {
        return;
    };
    let mut listed = 0;
    for service in std::fs::read_dir(folder).expect("the folder") {
        for file in std::fs::read_dir(service.expect("a service").path()).expect("its paths") {
            let text = std::fs::read_to_string(file.expect("a path").path()).expect("readable");
            let id = text.lines().find_map(|line| line.strip_prefix("id: "));
            let id = id.expect("an id").trim().trim_matches('"');
            let required = required(&text);
            assert!(!required.is_empty(), "{id} requires nothing");
            listed += 1;
            let covering: Vec<&Escalation> = cites
                .iter()
                .filter(|(cited, _)| *cited == id)
                .map(|(_, escalation)| *escalation)
                .collect();
            assert!(!covering.is_empty(), "no escalation refers to {id}");
            for escalation in covering {
                let same = asks_for(escalation, &required);
                let explained = escalation.differs.get(id);
                match (same, explained) {
                    (true, None) => {}
                    (false, Some(reason)) => assert!(reason.len() > 20, "{reason}"),
                    (true, Some(_)) => {
                        panic!("{} does not differ from {id}", escalation.id)
                    }
                    (false, None) => panic!(
                        "{} asks for other permissions than {id} and does not say why: {required:?}",
                        escalation.id
                    ),
                }
            }
        }
    }
    assert_eq!(listed, 65);
}
