//! Laws that hold for all policies, and the comparison with a deliberately naive evaluator.

// What was covered, or skipped, is for people to read.
#![allow(clippy::print_stdout)]

mod naive;
mod world;

use naive::Keys;
use portreeve_authz::Decision;
use portreeve_authz::aws::{Absent, Context, ContextValue, Target};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;
use world::{ACTIONS, RESOURCES, World, statement, world};

/// From least to most: what an added allow may only raise.
fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Denied => 0,
        Decision::Depends => 1,
        Decision::Allowed => 2,
    }
}

/// All keys that conditions name, with the values that they may have; empty for absent.
const CHOICES: &[(&str, &[&[&str]])] = &[
    ("k:a", &[&[], &["a"], &["ab"]]),
    ("k:b", &[&[], &["b"], &["anna"]]),
    ("k:m", &[&[], &["a", "b"], &["c"]]),
    ("k:t", &[&[], &["true"], &["false"]]),
    ("k:n", &[&[], &["1"], &["3"]]),
];

/// The values chosen for the keys; a choice past the end leaves a key unknown.
fn keys(choices: &[usize]) -> (Keys, Context, Vec<usize>) {
    let mut known = Keys::new();
    let mut context = Context::new(Absent::Absent);
    let mut open = Vec::new();
    for (index, ((key, values), choice)) in CHOICES.iter().zip(choices).enumerate() {
        match values.get(*choice) {
            Some([]) => {}
            Some(values) => {
                let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
                match values.as_slice() {
                    [value] => context.set(key, value.clone()),
                    _ => context.set(key, values.clone()),
                };
                known.insert((*key).to_owned(), values);
            }
            None => {
                context.set(key, ContextValue::Unknown);
                open.push(index);
            }
        }
    }
    (known, context, open)
}

/// Every way in which the unknown keys may turn out.
fn completions(known: &Keys, open: &[usize]) -> Vec<Keys> {
    let mut all = vec![known.clone()];
    for index in open {
        let (key, values) = CHOICES[*index];
        all = all
            .into_iter()
            .flat_map(|keys| {
                values.iter().map(move |values| {
                    let mut keys = keys.clone();
                    if !values.is_empty() {
                        let values = values.iter().map(|value| (*value).to_owned()).collect();
                        keys.insert(key.to_owned(), values);
                    }
                    keys
                })
            })
            .collect();
    }
    all
}

fn known_keys() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..3usize, CHOICES.len())
}

fn some_keys() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![0..3usize, Just(3)], CHOICES.len())
}

fn ask(world: &World, action: &str, resource: &str, context: &Context) -> Decision {
    world.ask(action, Target::Exact(resource), context).decision
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn equals_the_naive_evaluator(
        world in world(), action in select(ACTIONS), resource in select(RESOURCES), choices in known_keys(),
    ) {
        let (known, context, _) = keys(&choices);
        let expected = naive::allowed(&world, action, resource, &known);
        let expected = if expected { Decision::Allowed } else { Decision::Denied };
        prop_assert_eq!(ask(&world, action, resource, &context), expected);
    }

    #[test]
    fn is_never_wrong_on_unknown_keys(
        world in world(), action in select(ACTIONS), resource in select(RESOURCES), choices in some_keys(),
    ) {
        let (known, context, open) = keys(&choices);
        let answer = world.ask(action, Target::Exact(resource), &context);
        let outcomes: Vec<bool> = completions(&known, &open)
            .iter()
            .map(|keys| naive::allowed(&world, action, resource, keys))
            .collect();
        match answer.decision {
            Decision::Allowed => prop_assert!(outcomes.iter().all(|allowed| *allowed)),
            Decision::Denied => prop_assert!(outcomes.iter().all(|allowed| !allowed)),
            Decision::Depends => {
                prop_assert!(!open.is_empty());
                prop_assert!(!answer.depends_on.is_empty());
                // It hangs only on what is unknown.
                for atom in &answer.depends_on {
                    let key = atom.key.to_lowercase();
                    prop_assert!(open.iter().any(|index| CHOICES[*index].0 == key), "{:?}", atom);
                }
            }
        }
        prop_assert_eq!(answer.decision == Decision::Depends, !answer.depends_on.is_empty());
    }

    #[test]
    fn questions_about_some_resource_miss_none(
        world in world(), action in select(ACTIONS), choices in known_keys(),
        within in select(&["*", "arn:aws:s3:::b/*", "arn:aws:s3:::?", "arn:aws:s3:::*/x"][..]),
    ) {
        let (known, context, _) = keys(&choices);
        let fits = |resource: &&&str| match within {
            "arn:aws:s3:::b/*" => resource.starts_with("arn:aws:s3:::b/"),
            "arn:aws:s3:::?" => **resource == "arn:aws:s3:::c",
            "arn:aws:s3:::*/x" => resource.ends_with("/x"),
            _ => true,
        };
        let some = RESOURCES
            .iter()
            .filter(fits)
            .any(|resource| naive::allowed(&world, action, resource, &known));
        let answer = world.ask(action, Target::Within(within), &context);
        prop_assert!(!some || answer.decision == Decision::Allowed);
        if within == "*" {
            prop_assert_eq!(answer, world.ask(action, Target::Any, &context));
        }
    }

    #[test]
    fn an_explicit_deny_always_wins(
        mut world in world(), layer in 0..5usize, action in select(ACTIONS),
        resource in select(RESOURCES), choices in some_keys(),
    ) {
        let mut deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
        let policy = match layer {
            0 => &mut world.boundary,
            1 => &mut world.session,
            2 => { world.scps.push(vec![json!({"Statement": [deny]})]); &mut None }
            3 => { world.identity.push(json!({"Statement": [deny]})); &mut None }
            _ => { deny["Principal"] = json!("*"); &mut world.resource }
        };
        *policy = Some(json!({"Statement": [deny]}));
        let (_, context, _) = keys(&choices);
        prop_assert_eq!(ask(&world, action, resource, &context), Decision::Denied);
    }

    #[test]
    fn an_added_allow_never_lowers(
        world in world(), mut added in statement(false), action in select(ACTIONS),
        resource in select(RESOURCES), choices in some_keys(),
    ) {
        added["Effect"] = json!("Allow");
        let mut more = world.clone();
        more.identity.push(json!({"Version": "2012-10-17", "Statement": [added]}));
        let (_, context, _) = keys(&choices);
        let (before, after) =
            (ask(&world, action, resource, &context), ask(&more, action, resource, &context));
        prop_assert!(rank(before) <= rank(after));
    }

    #[test]
    fn conditions_removed_from_allows_never_lower_and_from_denies_never_raise(
        world in world(), action in select(ACTIONS), resource in select(RESOURCES), choices in some_keys(),
    ) {
        let (_, context, _) = keys(&choices);
        let before = rank(ask(&world, action, resource, &context));
        let without = |effect: &str| {
            let mut changed = world.clone();
            changed.each_statement(|statement| {
                if statement["Effect"] == effect {
                    statement.as_object_mut().unwrap().remove("Condition");
                }
            });
            rank(ask(&changed, action, resource, &context))
        };
        prop_assert!(before <= without("Allow"));
        prop_assert!(before >= without("Deny"));
    }

    #[test]
    fn bounds_never_grant(
        world in world(), action in select(ACTIONS), resource in select(RESOURCES), choices in some_keys(),
    ) {
        let (_, context, _) = keys(&choices);
        let before = rank(ask(&world, action, resource, &context));
        let free = World { scps: vec![], boundary: None, session: None, ..world };
        prop_assert!(before <= rank(ask(&free, action, resource, &context)));
    }

    #[test]
    fn the_order_of_statements_does_not_matter(
        world in world(), action in select(ACTIONS), resource in select(RESOURCES), choices in some_keys(),
    ) {
        let mut turned = world.clone();
        turned.identity.reverse();
        let policies = turned.identity.iter_mut().chain(&mut turned.resource).chain(&mut turned.boundary);
        for policy in policies {
            policy["Statement"].as_array_mut().unwrap().reverse();
        }
        let (_, context, _) = keys(&choices);
        let before = world.ask(action, Target::Exact(resource), &context);
        let after = turned.ask(action, Target::Exact(resource), &context);
        prop_assert_eq!(before.decision, after.decision);
        prop_assert_eq!(before.depends_on, after.depends_on);
    }
}

/// The laws say little where all worlds answer alike.
#[test]
fn the_worlds_are_varied() {
    let mut runner = TestRunner::deterministic();
    let strategy = (world(), select(ACTIONS), select(RESOURCES), some_keys());
    let mut counts = [0; 3];
    for _ in 0..1000 {
        let (world, action, resource, choices) = strategy.new_tree(&mut runner).unwrap().current();
        let (_, context, _) = keys(&choices);
        counts[usize::from(rank(ask(&world, action, resource, &context)))] += 1;
    }
    println!(
        "denied {}, depends {}, allowed {}",
        counts[0], counts[1], counts[2]
    );
    assert!(counts.iter().all(|count| *count >= 50), "{counts:?}");
}
