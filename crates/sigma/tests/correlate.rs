//! Correlations over time: the engine against a plain one that walks through every window, in any
//! order of input, on any number of threads, stopped and taken up again.

use std::sync::Arc;

use common::PlainRecord;
use common::slow_correlation::{self, Event, Told};
use portreeve_record::Fields;
use portreeve_sigma::correlate::{Bounds, Correlator, Items, Match, Plan, Reference, RestoreError};
use portreeve_sigma::{Correlation, Rule, parse};
use proptest::prelude::*;

mod common;

const SECOND: i64 = 1_000_000;

const RULES: &str = "
---
title: A
name: a
logsource: { product: test }
detection: { s: { kind|contains: a }, condition: s }
---
title: B
name: b
logsource: { product: test }
detection: { s: { kind|contains: b }, condition: s }
---
title: C
name: c
logsource: { product: test }
detection: { s: { kind|contains: c }, condition: s }
";
const NAMES: [&str; 3] = ["a", "b", "c"];

struct Setup {
    correlations: Vec<Correlation>,
    rules: Vec<Rule>,
    plan: Arc<Plan>,
    fields: Fields,
}

fn setup(documents: &str) -> Setup {
    let text = format!("{documents}{RULES}");
    let parsed = parse("test.yml", &text);
    assert!(!parsed.has_errors(), "{text}\n{:?}", parsed.diagnostics);
    let mut fields = Fields::default();
    let (plan, problems) = Plan::new(&parsed.correlations, &parsed.rules, &mut fields);
    assert!(problems.is_empty(), "{text}\n{problems:?}");
    Setup {
        correlations: parsed.correlations,
        rules: parsed.rules,
        plan: Arc::new(plan),
        fields,
    }
}

/// The items of each match.
fn items(setup: &Setup, events: &[Event]) -> Vec<Items> {
    let mut all = Vec::new();
    for event in events {
        let record = PlainRecord::new(&event.record.to_string(), &setup.fields);
        for (rule, parsed) in setup.rules.iter().enumerate() {
            if event.rules.contains(&parsed.name.as_deref().unwrap()) {
                let mut items = Items::new();
                setup
                    .plan
                    .items(rule, &record, event.time, event.reference, &mut items);
                all.push(items);
            }
        }
    }
    all
}

fn together(items: &[Items]) -> Items {
    let mut all = Items::new();
    items.iter().for_each(|items| all.append(items));
    all
}

/// Folds in pieces, so that some of it is decided long before the end.
fn matches(setup: &Setup, items: &[Items], bounds: Bounds, piece: usize) -> Vec<Match> {
    let mut correlator = Correlator::new(setup.plan.clone(), bounds);
    let mut matches = Vec::new();
    for piece in items.chunks(piece.max(1)) {
        correlator.fold(&together(piece), &mut matches);
        correlator.settle(&mut matches);
    }
    correlator.finish(&mut matches);
    assert_eq!(correlator.account().late, 0);
    matches
}

fn told(matches: &[Match]) -> Vec<Told> {
    let mut told: Vec<Told> = matches
        .iter()
        .map(|one| {
            let group = one.group.iter().map(|(_, value)| value.clone()).collect();
            let number = format!("{:.6}", one.number);
            (
                one.correlation,
                one.time,
                one.until,
                group,
                number,
                one.held,
            )
        })
        .collect();
    told.sort();
    told
}

fn event(second: i64, index: u64, kind: &str, record: serde_json::Value) -> Event {
    let mut record = record;
    record["kind"] = kind.into();
    Event {
        time: second * SECOND,
        reference: Reference { source: 0, index },
        rules: NAMES
            .into_iter()
            .filter(|name| kind.contains(name))
            .collect(),
        record,
    }
}

/// The seconds at which a correlation over events of one user began to hold.
fn seconds(documents: &str, events: &[(i64, &str)]) -> Vec<i64> {
    let setup = setup(documents);
    let events: Vec<Event> = (0..)
        .zip(events)
        .map(|(index, (second, kind))| {
            event(
                *second,
                index,
                kind,
                serde_json::json!({"user": "ann", "n": index}),
            )
        })
        .collect();
    let items = items(&setup, &events);
    let matches = matches(&setup, &items, Bounds::default(), 1);
    matches.iter().map(|one| one.time / SECOND).collect()
}

fn one(section: &str) -> String {
    let indented: String = section
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    format!("title: T\ncorrelation:\n{indented}")
}

#[test]
fn counts_slide_over_the_time_span() {
    let text =
        one("type: event_count\nrules: [a]\ngroup-by: [user]\ntimespan: 10s\ncondition: {gte: 3}");
    assert_eq!(seconds(&text, &[(0, "a"), (5, "a"), (10, "a")]), [10]);
    assert_eq!(seconds(&text, &[(0, "a"), (5, "a"), (11, "a")]), [0; 0]);
    assert_eq!(seconds(&text, &[(0, "a"), (5, "b"), (10, "a")]), [0; 0]);
    // While it goes on holding it is one match; after a time span without it is another.
    let burst: Vec<(i64, &str)> = [0, 1, 2, 3, 4, 30, 31, 32]
        .map(|second| (second, "a"))
        .to_vec();
    assert_eq!(seconds(&text, &burst), [2, 32]);
}

#[test]
fn an_upper_limit_is_decided_when_the_time_span_is_over() {
    let text = one(
        "type: event_count\nrules: [a]\ngroup-by: [user]\ntimespan: 10s\ncondition: {gt: 1, lte: 3}",
    );
    assert_eq!(seconds(&text, &[(0, "a"), (5, "a"), (10, "a")]), [10]);
    assert_eq!(
        seconds(&text, &[(0, "a"), (1, "a"), (2, "a"), (3, "a")]),
        [0; 0]
    );
    assert_eq!(seconds(&text, &[(0, "a")]), [0; 0]);
    let equal =
        one("type: event_count\nrules: [a]\ngroup-by: [user]\ntimespan: 10s\ncondition: {eq: 2}");
    assert_eq!(
        seconds(&equal, &[(0, "a"), (7, "a"), (11, "a"), (20, "a")]),
        [10, 21]
    );
}

#[test]
fn a_record_that_several_rules_match_counts_once() {
    let text = one(
        "type: event_count\nrules: [a, b]\ngroup-by: [user]\ntimespan: 10s\ncondition: {gte: 2}",
    );
    assert_eq!(seconds(&text, &[(0, "ab")]), [0; 0]);
    assert_eq!(seconds(&text, &[(0, "ab"), (1, "b")]), [1]);
}

#[test]
fn sequences_want_different_records_in_order() {
    let text = one("type: temporal_ordered\nrules: [a, b, c]\ngroup-by: [user]\ntimespan: 10s");
    assert_eq!(seconds(&text, &[(0, "a"), (1, "b"), (2, "c")]), [2]);
    assert_eq!(seconds(&text, &[(0, "b"), (1, "a"), (2, "c")]), [0; 0]);
    assert_eq!(seconds(&text, &[(0, "ab"), (2, "c")]), [0; 0]);
    assert_eq!(seconds(&text, &[(0, "a"), (5, "b"), (11, "c")]), [0; 0]);
    // The chain that began last has the most time left.
    assert_eq!(
        seconds(&text, &[(0, "a"), (4, "a"), (5, "b"), (12, "c")]),
        [12]
    );
    // Of one time, records are in order as they stand in the log.
    assert_eq!(seconds(&text, &[(0, "a"), (0, "b"), (0, "c")]), [0]);
    let two = one(
        "type: temporal_ordered\nrules: [a, b, c]\ngroup-by: [user]\ntimespan: 10s\ncondition: {gte: 2}",
    );
    assert_eq!(seconds(&two, &[(0, "a"), (1, "c")]), [1]);
    assert_eq!(seconds(&two, &[(0, "c"), (1, "a")]), [0; 0]);
    let choice = one(
        "type: temporal_ordered\nrules: [a, b, c]\ngroup-by: [user]\ntimespan: 10s\ncondition: a and (b or c)",
    );
    assert_eq!(seconds(&choice, &[(0, "a"), (1, "c")]), [1]);
    assert_eq!(seconds(&choice, &[(0, "b"), (1, "c")]), [0; 0]);
}

#[test]
fn rules_that_must_be_missing_are_decided_at_the_end() {
    let text = one(
        "type: temporal\nrules: [a, b]\ngroup-by: [user]\ntimespan: 10s\ncondition: a and not b",
    );
    assert_eq!(seconds(&text, &[(0, "a")]), [10]);
    assert_eq!(seconds(&text, &[(0, "a"), (10, "b")]), [0; 0]);
    assert_eq!(seconds(&text, &[(0, "a"), (11, "b")]), [10]);
}

#[test]
fn a_chain_follows_what_still_holds() {
    // Failures go on for a minute; the login at the end comes within ten seconds of the last of them.
    let text = "
title: Login behind failures
correlation: { type: temporal_ordered, rules: [many, b], group-by: [user], timespan: 10s }
---
title: Many failures
name: many
correlation: { type: event_count, rules: [a], group-by: [user], timespan: 10s, condition: { gte: 5 } }
";
    let mut events: Vec<(i64, &str)> = (0..60).map(|second| (second, "a")).collect();
    events.push((62, "b"));
    assert_eq!(seconds(text, &events), [62]);
    let setup = setup(text);
    assert!(setup.plan.shows(0) && !setup.plan.shows(1));
    assert!(!setup.plan.shows_rule(0) && !setup.plan.shows_rule(1) && setup.plan.shows_rule(2));
}

#[test]
fn aliases_join_different_fields() {
    let setup = setup(
        "
title: There and back
correlation:
    type: temporal
    rules: [a, b]
    group-by: [inside]
    timespan: 10s
    aliases: { inside: { a: to, b: from } }
",
    );
    let events = [
        event(0, 0, "a", serde_json::json!({"to": "x", "from": "y"})),
        event(1, 1, "b", serde_json::json!({"to": "y", "from": "x"})),
        event(2, 2, "b", serde_json::json!({"to": "x", "from": "z"})),
    ];
    let found = matches(&setup, &items(&setup, &events), Bounds::default(), 1);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].group, [(Arc::from("inside"), "x".to_owned())]);
    assert_eq!(found[0].records.len(), 2);
}

#[test]
fn sums_are_exact_and_other_values_are_counted_as_unreadable() {
    let text = one(
        "type: value_sum\nrules: [a]\ngroup-by: [user]\ntimespan: 1h\ncondition: {field: n, gte: 1}",
    );
    let setup = setup(&text);
    let events: Vec<Event> = (0..11)
        .map(|index| {
            let n = if index == 10 {
                serde_json::json!("many")
            } else {
                serde_json::json!(0.1)
            };
            event(
                index as i64,
                index,
                "a",
                serde_json::json!({"user": "u", "n": n}),
            )
        })
        .collect();
    let mut correlator = Correlator::new(setup.plan.clone(), Bounds::default());
    let mut found = Vec::new();
    correlator.fold(&together(&items(&setup, &events)), &mut found);
    correlator.finish(&mut found);
    // Ten tenths are one, which floating point does not say.
    assert_eq!(found[0].time, 9 * SECOND);
    assert_eq!(found[0].number, 1.0);
    assert_eq!(correlator.account().unreadable, 1);
}

#[test]
fn what_is_let_go_is_told_and_the_same_on_any_number_of_threads() {
    let text =
        one("type: event_count\nrules: [a]\ngroup-by: [user]\ntimespan: 1h\ncondition: {gte: 2}");
    let setup = setup(&text);
    let events: Vec<Event> = (0..2_000u64)
        .map(|index| {
            let user = format!("user{}", index % 700);
            event(
                index as i64,
                index,
                "a",
                serde_json::json!({ "user": user }),
            )
        })
        .collect();
    let items = items(&setup, &events);
    let run = |threads: usize, piece: usize| {
        let bounds = Bounds {
            groups: 320,
            threads,
            ..Bounds::default()
        };
        let mut correlator = Correlator::new(setup.plan.clone(), bounds);
        let mut found = Vec::new();
        for piece in items.chunks(piece) {
            correlator.fold(&together(piece), &mut found);
            correlator.settle(&mut found);
        }
        correlator.finish(&mut found);
        (found, correlator.account().clone())
    };
    let (found, account) = run(1, 2_000);
    assert!(account.let_go > 0 && account.named.len() == account.let_go.min(1_000) as usize);
    assert_eq!(run(2, 2_000), (found.clone(), account.clone()));
    assert_eq!(run(8, 2_000).0, found);
    assert_eq!(run(1, 7).0, found);
    assert_eq!(run(1, 7).1.let_go, account.let_go);
    let enough = Bounds {
        groups: 700 * 32,
        ..Bounds::default()
    };
    assert_eq!(matches(&setup, &items, enough, 100).len(), 700);
}

#[test]
fn what_is_too_late_is_counted() {
    let text =
        one("type: event_count\nrules: [a]\ngroup-by: [user]\ntimespan: 10s\ncondition: {gte: 2}");
    let setup = setup(&text);
    let late = [(100, 0), (50, 1), (49, 2), (51, 3)]
        .map(|(second, index)| event(second, index, "a", serde_json::json!({"user": "u"})));
    let bounds = Bounds {
        lateness: 50 * SECOND,
        ..Bounds::default()
    };
    let mut correlator = Correlator::new(setup.plan.clone(), bounds);
    let mut found = Vec::new();
    correlator.fold(&together(&items(&setup, &late)), &mut found);
    correlator.finish(&mut found);
    assert_eq!(correlator.account().late, 1);
    assert_eq!(found.len(), 1);
}

#[test]
fn what_cannot_be_used_is_told_and_the_others_run() {
    let text = format!(
        "{}---\n{}---\n{}---\n{}---\n{}---\n{}{RULES}",
        one("type: event_count\nrules: [nothing]\ntimespan: 1m\ncondition: {gte: 1}"),
        "title: X\nname: x\ncorrelation: { type: temporal, rules: [y, a], timespan: 1m }\n",
        "title: Y\nname: y\ncorrelation: { type: temporal, rules: [x, b], timespan: 1m }\n",
        one("type: temporal_ordered\nrules: [a, b]\ntimespan: 1m\ncondition: {lt: 2}"),
        one("type: portreeve.first_seen\nrules: [a]"),
        one("type: event_count\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1}"),
    );
    let parsed = parse("test.yml", &text);
    let (plan, problems) = Plan::new(&parsed.correlations, &parsed.rules, &mut Fields::default());
    let messages: Vec<&str> = problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(problems.len(), 5, "{messages:?}");
    for (message, wanted) in messages.iter().zip([
        "no rule or correlation `nothing`",
        "upper limit",
        "`portreeve.first_seen`",
        "refers to itself",
        "refers to itself",
    ]) {
        assert!(message.contains(wanted), "{message}");
    }
    assert_eq!(
        (0..6).map(|one| plan.is_compiled(one)).collect::<Vec<_>>(),
        [false, false, false, false, false, true]
    );
}

#[test]
fn state_of_other_rules_is_refused() {
    let first = setup(&one(
        "type: event_count\nrules: [a]\ntimespan: 10s\ncondition: {gte: 2}",
    ));
    let other = setup(&one(
        "type: event_count\nrules: [a]\ntimespan: 10s\ncondition: {gte: 3}",
    ));
    let saved = Correlator::new(first.plan.clone(), Bounds::default()).save();
    let error = Correlator::restore(other.plan, Bounds::default(), saved).unwrap_err();
    assert_eq!(error, RestoreError::OtherRules);
}

/// A section of any type.
fn section() -> impl Strategy<Value = String> {
    let group = prop_oneof![Just("[]"), Just("[user]"), Just("[user, host]")];
    let rules = prop_oneof![Just("[a]"), Just("[a, b]"), Just("[b, a, c]")];
    let bound = prop_oneof![
        (1..5).prop_map(|limit| format!("gte: {limit}")),
        (0..4).prop_map(|limit| format!("gt: {limit}")),
        (1..5).prop_map(|limit| format!("lt: {limit}")),
        (1..4).prop_map(|limit| format!("eq: {limit}")),
        (1..4).prop_map(|limit| format!("neq: {limit}")),
        (0..3).prop_map(|limit| format!("gt: {limit}, lte: {}", limit + 2)),
    ];
    let kind = prop_oneof![
        Just(("event_count", "")),
        Just(("value_count", "field: host, ")),
        Just(("value_count", "field: [host, n], ")),
        Just(("value_sum", "field: n, ")),
        Just(("value_avg", "field: n, ")),
        Just(("value_median", "field: n, ")),
        Just(("value_percentile", "field: n, percentile: 80, ")),
    ];
    let measured = (kind, rules, bound).prop_map(|((kind, field), rules, bound)| {
        format!("type: {kind}, rules: {rules}, condition: {{ {field}{bound} }}")
    });
    let temporal = prop_oneof![
        Just("type: temporal, rules: [a, b]"),
        Just("type: temporal, rules: [a, b, c], condition: { gte: 2 }"),
        Just("type: temporal, rules: [a, b, c], condition: { lt: 2 }"),
        Just("type: temporal, rules: [a, b, c], condition: a and (b or c)"),
        Just("type: temporal, condition: a and not (b or c)"),
        Just("type: temporal_ordered, rules: [a, b]"),
        Just("type: temporal_ordered, rules: [c, a, b]"),
        Just("type: temporal_ordered, rules: [a, b, c], condition: { gte: 2 }"),
    ]
    .prop_map(str::to_owned);
    (prop_oneof![measured, temporal], group, 1..40).prop_map(|(body, group, span)| {
        format!("{{ {body}, group-by: {group}, timespan: {span}s }}")
    })
}

/// Some correlations, and one that looks at them.
fn documents() -> impl Strategy<Value = String> {
    (prop::collection::vec((section(), any::<bool>()), 1..4), 0..4usize, 1..40).prop_map(
        |(sections, chain, span)| {
            let mut text = String::new();
            for (number, (section, _)) in sections.iter().enumerate() {
                text += &format!("---\ntitle: T\nname: x{number}\ncorrelation: {section}\n");
            }
            let generate = sections[0].1;
            text += &match chain {
                0 => format!("---\ntitle: T\ngenerate: {generate}\ncorrelation: {{ type: temporal_ordered, rules: [x0, c], group-by: [user], timespan: {span}s }}\n"),
                1 => format!("---\ntitle: T\ngenerate: {generate}\ncorrelation: {{ type: event_count, rules: [x0, b], group-by: [host], timespan: {span}s, condition: {{ gte: 2 }} }}\n"),
                2 => format!("---\ntitle: T\ngenerate: {generate}\ncorrelation: {{ type: temporal, rules: [x0, b], timespan: {span}s, condition: x0 and not b }}\n"),
                _ => String::new(),
            };
            text
        },
    )
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let kind = prop_oneof![
        Just("a"),
        Just("b"),
        Just("c"),
        Just("ab"),
        Just("bc"),
        Just("abc")
    ];
    let user = prop_oneof![4 => Just("\"ann\""), 2 => Just("\"bob\""), 1 => Just("null")];
    let host = prop_oneof![Just("\"h1\""), Just("\"h2\""), Just("\"H1\""), Just("3")];
    let number = prop_oneof![
        Just("1"),
        Just("2.5"),
        Just("-1"),
        Just("0"),
        Just("\"3\""),
        Just("\"none\""),
        Just("4")
    ];
    prop::collection::vec((0..120i64, kind, user, host, number), 0..60).prop_map(|drawn| {
        (0..)
            .zip(drawn)
            .map(|(index, (second, kind, user, host, number))| {
                let text = format!("{{\"user\": {user}, \"host\": {host}, \"n\": {number}}}");
                event(second, index, kind, serde_json::from_str(&text).unwrap())
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_the_plain_one(documents in documents(), events in events()) {
        let setup = setup(&documents);
        let found = matches(&setup, &items(&setup, &events), Bounds::default(), 5);
        // How far a count goes beyond what is asked for is not kept.
        let asked = |(number, time, until, group, measure, held): Told| {
            let one = &setup.correlations[number];
            let counts = matches!(one.kind, portreeve_sigma::CorrelationKind::EventCount | portreeve_sigma::CorrelationKind::ValueCount);
            let slides = one.condition.as_ref().is_some_and(portreeve_sigma::Threshold::only_rises);
            let measure = if counts && slides { String::new() } else { measure };
            (number, time, until, group, measure, held)
        };
        let found: Vec<Told> = told(&found).into_iter().map(asked).collect();
        let expected: Vec<Told> = slow_correlation::run(&setup.correlations, &events).into_iter().map(asked).collect();
        prop_assert_eq!(found, expected, "{}", documents);
    }

    #[test]
    fn neither_order_nor_threads_nor_a_stop_matter(
        documents in documents(),
        events in events(),
        order in prop::collection::vec(any::<u32>(), 60),
        piece in 1..20usize,
        threads in 1..9usize,
        stop in 0..60usize,
    ) {
        let setup = setup(&documents);
        let mut sorted = events.clone();
        sorted.sort_by_key(|event| (event.time, event.reference));
        let straight = matches(&setup, &items(&setup, &sorted), Bounds::default(), 1_000);

        // Shuffled, but no further than the lateness allows.
        let lateness = 30 * SECOND;
        let mut shuffled = sorted.clone();
        let mut weights = order.iter().copied();
        shuffled.sort_by_cached_key(|event| {
            event.time + i64::from(weights.next().unwrap_or(0)) % lateness
        });
        let bounds = Bounds { lateness, threads, ..Bounds::default() };
        let all = items(&setup, &shuffled);
        prop_assert_eq!(&matches(&setup, &all, bounds, piece), &straight);

        // Stopped, written out, and taken up by another number of threads.
        let (before, behind) = all.split_at(stop.min(all.len()));
        let mut found = Vec::new();
        let mut first = Correlator::new(setup.plan.clone(), bounds);
        first.fold(&together(before), &mut found);
        first.settle(&mut found);
        let saved = serde_json::to_string(&first.save()).unwrap();
        drop(first);
        let bounds = Bounds { threads: 9 - threads, ..bounds };
        let saved = serde_json::from_str(&saved).unwrap();
        let mut second = Correlator::restore(setup.plan.clone(), bounds, saved).unwrap();
        second.fold(&together(behind), &mut found);
        second.finish(&mut found);
        prop_assert_eq!(found, straight);
    }
}
