//! Laws that hold for all policies, and the comparison with a deliberately naive evaluator.

// What was covered, or skipped, is for people to read.
#![allow(clippy::print_stdout)]

mod ask;
mod compare;
mod naive;
mod source;
mod world;

use ask::{Asked, context, keys};
use portreeve_authz::aws::Target;
use portreeve_authz::{Answer, Decision};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use source::{Source, random_bytes};
use world::{ACTIONS, Kind, RESOURCES, World, choices, statement};

/// As many bytes as a world takes.
const BYTES: usize = 700;

/// From least to most: what an added allow may only raise.
fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Denied => 0,
        Decision::Depends => 1,
        Decision::Allowed => 2,
    }
}

/// The evaluators agree on so many random cases as `PORTREEVE_LAW_CASES` says, 20,000 without it.
#[test]
fn equals_the_naive_evaluator() {
    let cases = std::env::var("PORTREEVE_LAW_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(20_000_u64);
    let mut counts = [0_u64; 3];
    for seed in 0..cases {
        let bytes = random_bytes(seed, BYTES);
        match compare::compare(&bytes) {
            Ok(decision) => counts[usize::from(rank(decision))] += 1,
            Err(difference) => panic!("case {seed}: {difference}"),
        }
    }
    let [denied, depends, allowed] = counts;
    println!("{cases} cases: {denied} denied, {depends} depend, {allowed} allowed");
    // The comparison says little where all worlds answer alike.
    assert!(
        counts.iter().all(|count| *count * 50 >= cases),
        "{counts:?}"
    );
}

fn world() -> impl Strategy<Value = World> {
    prop::collection::vec(any::<u8>(), BYTES)
        .prop_map(|bytes| World::build(&mut Source::new(&bytes)))
}

fn chosen(unknown: usize) -> impl Strategy<Value = Vec<Option<usize>>> {
    prop::collection::vec(any::<u8>(), 64)
        .prop_map(move |bytes| choices(&mut Source::new(&bytes), unknown))
}

fn ask(world: &World, action: &str, resource: &str, choices: &[Option<usize>]) -> Answer {
    let (context, _) = context(choices);
    Asked::new(world).ask(action, Target::Exact(resource), &context)
}

fn decide(world: &World, action: &str, resource: &str, choices: &[Option<usize>]) -> Decision {
    ask(world, action, resource, choices).decision
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn questions_about_some_resource_miss_none(
        world in world(), action in select(ACTIONS), choices in chosen(0),
        within in select(&["*", "arn:aws:s3:::b/*", "arn:aws:s3:::?", "arn:aws:s3:::*/x"][..]),
    ) {
        let fits = |resource: &&&str| match within {
            "arn:aws:s3:::b/*" => resource.starts_with("arn:aws:s3:::b/"),
            "arn:aws:s3:::?" => **resource == "arn:aws:s3:::c",
            "arn:aws:s3:::*/x" => resource.ends_with("/x"),
            _ => true,
        };
        let known = keys(&choices);
        let some = RESOURCES
            .iter()
            .filter(fits)
            .any(|resource| naive::judge(&world, action, resource, &known, false).allowed);
        let asked = Asked::new(&world);
        let (context, _) = context(&choices);
        let answer = asked.ask(action, Target::Within(within), &context);
        prop_assert!(!some || answer.decision != Decision::Denied);
        if within == "*" {
            prop_assert_eq!(answer, asked.ask(action, Target::Any, &context));
        }
    }

    #[test]
    fn an_explicit_deny_always_wins(
        mut world in world(), layer in 0..7usize, action in select(ACTIONS),
        resource in select(RESOURCES), choices in chosen(30),
    ) {
        let deny = json!({"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
        let mut for_all = deny.clone();
        for_all["Statement"][0]["Principal"] = json!("*");
        let bounds_bind = world.who != world::Who::Linked && !world.exempt_from_scp;
        match layer {
            0 => world.boundary = Some(deny),
            1 => world.session = Some(deny),
            2 if bounds_bind && world.who.arn().starts_with("arn:") && world.who != world::Who::Provider => {
                world.scps.push(vec![deny]);
            }
            3 if bounds_bind && action.starts_with("s3:") => world.rcps.push(vec![for_all]),
            4 => world.endpoint.push(for_all),
            5 => world.resource = Some(for_all),
            _ => world.identity.push(deny),
        }
        prop_assert_eq!(decide(&world, action, resource, &choices), Decision::Denied);
    }

    #[test]
    fn an_added_allow_never_lowers(
        world in world(), bytes in prop::collection::vec(any::<u8>(), 40), action in select(ACTIONS),
        resource in select(RESOURCES), choices in chosen(30),
    ) {
        let mut added = statement(&mut Source::new(&bytes), Kind::OfPrincipal);
        added["Effect"] = json!("Allow");
        let mut more = world.clone();
        more.identity.push(json!({"Version": "2012-10-17", "Statement": [added]}));
        let before = decide(&world, action, resource, &choices);
        let after = decide(&more, action, resource, &choices);
        prop_assert!(rank(before) <= rank(after));
    }

    #[test]
    fn conditions_removed_from_allows_never_lower_and_from_denies_never_raise(
        world in world(), action in select(ACTIONS), resource in select(RESOURCES), choices in chosen(30),
    ) {
        let before = rank(decide(&world, action, resource, &choices));
        let without = |effect: &str| {
            let mut changed = world.clone();
            // A condition can make a bucket's policy non-public: without it the block shuts it.
            changed.restrict_public_buckets = false;
            changed.each_statement(|statement| {
                if statement["Effect"] == effect {
                    statement.as_object_mut().unwrap().remove("Condition");
                }
            });
            rank(decide(&changed, action, resource, &choices))
        };
        prop_assert!(before <= without("Allow"));
        let open = World { restrict_public_buckets: false, ..world.clone() };
        prop_assert!(rank(decide(&open, action, resource, &choices)) >= without("Deny"));
    }

    #[test]
    fn bounds_never_grant(
        world in world(), action in select(ACTIONS), resource in select(RESOURCES), choices in chosen(30),
    ) {
        let before = rank(decide(&world, action, resource, &choices));
        // A federated user without a session policy has nothing: there it is no bound.
        let session = world.session.clone().filter(|_| world.who == world::Who::Federated);
        let free = World {
            scps: vec![], rcps: vec![], endpoint: vec![], boundary: None, session,
            restrict_public_buckets: false, ..world
        };
        prop_assert!(before <= rank(decide(&free, action, resource, &choices)));
    }

    #[test]
    fn the_order_of_statements_does_not_matter(
        world in world(), action in select(ACTIONS), resource in select(RESOURCES), choices in chosen(30),
    ) {
        let mut turned = world.clone();
        turned.identity.reverse();
        let policies = turned.identity.iter_mut().chain(&mut turned.resource).chain(&mut turned.boundary);
        for policy in policies {
            policy["Statement"].as_array_mut().unwrap().reverse();
        }
        let before = ask(&world, action, resource, &choices);
        let after = ask(&turned, action, resource, &choices);
        prop_assert_eq!(before.decision, after.decision);
        // Atoms that name a statement by its place move with it.
        let keys = |answer: &Answer| -> Vec<String> {
            answer.condition_keys().into_iter().map(str::to_owned).collect()
        };
        prop_assert_eq!(keys(&before), keys(&after));
    }
}
