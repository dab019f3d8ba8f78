//! What holds for every plan, whatever goes wrong in it.

mod common;

use common::{run, small, text};
use portreeve_simulate::{Faults, MemorySink, Plan, Share, Without, simulate};
use proptest::prelude::*;

fn share() -> impl Strategy<Value = Share> {
    (0u32..=1_000_000).prop_map(|millionths| {
        let text = format!("{}", f64::from(millionths) / 1e6);
        text.parse().expect("a share")
    })
}

fn without() -> impl Strategy<Value = Without> {
    prop::sample::select(vec![
        "s3-data-events",
        "read-events",
        "identity-center",
        "sts",
        "service=iam",
        "account=prod-web",
        "region=us-east-1",
        "days=3..6",
        "inventory",
        "networks",
    ])
    .prop_map(|word| word.parse().expect("a word"))
}

fn plan() -> impl Strategy<Value = Plan> {
    let faults = (0u32..800, share(), share(), prop::option::of(share())).prop_map(
        |(delay, duplicates, held_up, loss)| Faults {
            delay,
            duplicates,
            held_up,
            loss,
        },
    );
    let name = prop::sample::select(vec!["main", "cookie-only", "main-quiet"]);
    let words = prop::collection::vec(without(), 0..3);
    (any::<u64>(), name, faults, words, prop::option::of(0u32..9)).prop_map(
        |(seed, name, faults, without, start_after_foothold)| Plan {
            days: 18,
            max_records: 6_000,
            faults,
            without,
            start_after_foothold,
            ..small(seed, name)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_plan_is_repeatable_bounded_and_labelled_truly(plan in plan()) {
        let first = run(&plan);
        let mut again = MemorySink::default();
        let summary = simulate(&plan, &mut again).expect("the plan is sound");
        prop_assert!(first.sink == again);
        prop_assert_eq!(&first.summary, &summary);

        prop_assert!(first.records.len() <= plan.max_records);
        prop_assert_eq!(first.records.len(), summary.records);
        let ids = first.ids();
        prop_assert_eq!(ids.len() + summary.duplicates, first.records.len());
        for label in first.labels() {
            prop_assert!(ids.contains(text(&label, "event_id")), "{}", label);
        }
        for record in &first.records {
            let time: jiff::Timestamp = text(record, "eventTime").parse().expect("a time");
            prop_assert!(time >= summary.begins && time < summary.ends);
        }
    }
}

proptest! {
    #[test]
    fn words_are_refused_or_read_back(text in ".{0,40}") {
        if let Ok(without) = text.parse::<Without>() {
            prop_assert_eq!(without.to_string().parse::<Without>(), Ok(without));
        }
        if let Ok(share) = text.parse::<Share>() {
            prop_assert_eq!(share.to_string().parse::<Share>(), Ok(share));
        }
    }

    #[test]
    fn nearly_words_are_refused_or_read_back(
        word in "(service|account|region|days|inventory|sts|networks)",
        value in "(=[a-z0-9.-]{0,14})?",
    ) {
        if let Ok(without) = format!("{word}{value}").parse::<Without>() {
            prop_assert_eq!(without.to_string().parse::<Without>(), Ok(without));
        }
    }
}
