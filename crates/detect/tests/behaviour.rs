//! The laws of the state of correlations: it is saved by change, resumed to the same output, and
//! the order of input within the lateness bound does not show.

use std::collections::BTreeSet;

use portreeve_detect::behaviour::{
    Baseline, Behaviour, Bounds, Correlations, EXTENSIONS, Fired, Item, ROW_FIELDS,
};
use portreeve_model::Timestamp;
use portreeve_model::state::suite::{Fed, Subject, hold};
use portreeve_model::state::{Change, Dropped, KeyedState, StateError};
use portreeve_record::Fields;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// One correlation of each type, of short spans so that random items meet them.
const DOCUMENTS: &str = "
title: a
name: a
logsource: {product: aws}
detection: {s: {f: a}, condition: s}
---
title: b
name: b
logsource: {product: aws}
detection: {s: {f: b}, condition: s}
---
title: count
id: count
name: count
correlation: {type: event_count, rules: [a], group-by: [g], timespan: 2h, condition: {gte: 3}}
---
title: few
id: few
correlation: {type: event_count, rules: [a], group-by: [g], timespan: 2h, condition: {lte: 2}}
---
title: values
id: values
correlation: {type: value_count, rules: [a], group-by: [g], timespan: 2h, condition: {field: v, gte: 3}}
---
title: sum
id: sum
correlation: {type: value_sum, rules: [a], group-by: [g], timespan: 2h, condition: {field: n, gte: 7}}
---
title: average
id: average
correlation: {type: value_avg, rules: [a], group-by: [g], timespan: 2h, condition: {field: n, lt: 3}}
---
title: percentile
id: percentile
correlation: {type: value_percentile, rules: [a], group-by: [g], timespan: 2h, condition: {field: n, percentile: 90, gte: 5}}
---
title: together
id: together
correlation: {type: temporal, rules: [a, b], group-by: [g], timespan: 1h}
---
title: chained
id: chained
correlation: {type: temporal_ordered, rules: [count, b], group-by: [g], timespan: 3h}
---
title: first
id: first
correlation: {type: portreeve.first_seen, rules: [a], group-by: [g], value: v, remember: 5d, warm-up: 1d, peers: p, peers-at-least: 2}
---
title: spread
id: spread
correlation: {type: portreeve.first_seen, rules: [a], group-by: [g], value: v, remember: 3d, warm-up: 1d, at-least: 2, timespan: 1d}
---
title: rate
id: rate
correlation: {type: portreeve.rate, rules: [a], group-by: [g], timespan: 1h, factor: 1.1, floor: 2, history: 5d, warm-up: 1d, peers: p, measure: distinct, value: v}
---
title: both
id: both
correlation: {type: portreeve.concurrent_use, rules: [a], group-by: [g], value: v, differ: p, within: 12h, timespan: 1d, switches: 1, new: 3d, remember: 5d, warm-up: 1d}
---
title: woke
id: woke
correlation: {type: portreeve.dormant, rules: [a], group-by: [g], value: v, idle: 8h, unseen: true}
---
title: flip
id: flip
correlation: {type: portreeve.flip_flop, off: a, on: b, group-by: [g], timespan: 6h}
---
title: back
id: back
correlation: {type: portreeve.returns, rules: [a], group-by: [g], value: v, by: p, timespan: 8h}
---
title: alive
id: alive
correlation: {type: portreeve.revoked_alive, revoked: a, alive: b, group-by: [g], grace: 10m, timespan: 1d}
---
title: stages
id: stages
correlation: {type: portreeve.stages, group-by: [g], at-least: 2, strength: 1, half-life: 1d, timespan: 3d}
";

fn correlations() -> Correlations {
    let parsed = portreeve_sigma::parse("all.yml", DOCUMENTS);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let (correlations, problems) = Correlations::new(
        parsed.correlations,
        &parsed.rules,
        &BTreeSet::new(),
        &mut Fields::default(),
    );
    assert!(problems.is_empty(), "{problems:?}");
    correlations
}

/// Which correlations an item of each rule is for, with the leg, as the documents say.
fn items(correlations: &Correlations, step: &Step, record: u64) -> Vec<Item> {
    let mut items = Vec::new();
    for (number, one) in (0u32..).zip(correlations.loaded()) {
        let legs: &[(char, u8)] = match one.title.as_str() {
            "together" | "flip" | "alive" => &[('a', 0), ('b', 1)],
            "chained" => &[('c', 0), ('b', 1)],
            _ => &[('a', 0)],
        };
        let count = correlations
            .loaded()
            .position(|one| one.title == "count")
            .unwrap() as u32;
        for (rule, leg) in legs {
            let after = if *rule == 'c' { count } else { Item::ALWAYS };
            let wanted = if *rule == 'c' { 'a' } else { *rule };
            if wanted != step.rule {
                continue;
            }
            items.push(Item {
                time: step.minute * 60_000_000,
                record,
                correlation: number,
                leg: *leg,
                after,
                doubt: step.doubt,
                key: 1_000_003 * (1 + step.group),
                value: 7 + step.value,
                extra: [99 + step.peer, 0],
                number: step.value as f64,
            });
        }
    }
    items
}

#[derive(Clone, Debug)]
struct Step {
    minute: i64,
    rule: char,
    group: u64,
    value: u64,
    peer: u64,
    doubt: bool,
}

/// Steps over some weeks, in order of time.
fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (
        1i64..240,
        prop_oneof![3 => Just('a'), 1 => Just('b')],
        0u64..4,
        0u64..6,
        0u64..2,
        prop::bool::weighted(0.05),
    );
    prop::collection::vec(step, 1..most).prop_map(|steps| {
        let mut minute = 29_000_000;
        steps
            .into_iter()
            .map(|(gap, rule, group, value, peer, doubt)| {
                minute += gap;
                Step {
                    minute,
                    rule,
                    group,
                    value,
                    peer,
                    doubt,
                }
            })
            .collect()
    })
}

struct Whole {
    correlations: Correlations,
    bounds: Bounds,
    baseline: Baseline,
    /// Whether records wait behind a watermark.
    waits: bool,
}

struct Live {
    behaviour: Behaviour,
    waits: bool,
}

/// A record's items with the watermark behind it.
type Input = (Vec<Item>, i64);

impl Subject for Whole {
    type Input = Input;
    type Output = Fired;

    fn make(&self) -> Box<dyn Fed<Input, Fired>> {
        Box::new(Live {
            behaviour: Behaviour::new(&self.correlations, &self.baseline, self.bounds),
            waits: self.waits,
        })
    }
}

impl Fed<Input, Fired> for Live {
    fn feed(&mut self, (items, watermark): &Input) -> Vec<Fired> {
        if self.waits {
            self.behaviour.offer(items);
            self.behaviour
                .advance(Timestamp::from_microsecond(*watermark).unwrap());
        } else {
            self.behaviour.fold(items);
        }
        self.behaviour.take_fired()
    }

    fn end(&mut self) -> Vec<Fired> {
        self.behaviour.finish();
        self.behaviour.take_fired()
    }
}

impl KeyedState for Live {
    fn changes(&mut self, take: &mut dyn FnMut(Change)) {
        self.behaviour.changes(take);
    }

    fn restore(
        &mut self,
        items: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<(), StateError> {
        self.behaviour.restore(items)
    }

    fn advance(&mut self, watermark: Timestamp) {
        self.behaviour.advance(watermark);
    }

    fn dropped(&mut self) -> Vec<Dropped> {
        self.behaviour.dropped()
    }
}

fn inputs(correlations: &Correlations, steps: &[Step]) -> Vec<Input> {
    (0..)
        .zip(steps)
        .map(|(record, step)| {
            (
                items(correlations, step, record),
                step.minute * 60_000_000 - 3_600_000_000,
            )
        })
        .collect()
}

fn known_good(steps: &[Step]) -> Baseline {
    let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
    let (first, last) = (steps[0].minute, steps[steps.len() - 1].minute);
    let third = (last - first) / 3;
    Baseline {
        known_good: Some((at(first + third), at(last - third))),
        holes: vec![(at(first), at(first + third / 2))],
    }
}

/// How many random histories each law is held to: a few, or as many as are asked for.
fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES");
    ProptestConfig::with_cases(
        asked
            .ok()
            .and_then(|cases| cases.parse().ok())
            .unwrap_or(48),
    )
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_run_that_is_killed_and_resumed_is_the_same_run(
        steps in steps(120),
        kills in prop::collection::vec(0usize..120, 3),
        waits in any::<bool>(),
        declared in any::<bool>(),
        tight in any::<bool>(),
    ) {
        let correlations = correlations();
        let inputs = inputs(&correlations, &steps);
        let subject = Whole {
            correlations,
            // So few that entities are let go.
            bounds: Bounds { entities: if tight { 2 } else { 1_000 } },
            baseline: if declared { known_good(&steps) } else { Baseline::default() },
            waits,
        };
        hold(&subject, &inputs, &kills);
    }

    #[test]
    fn order_within_the_bound_does_not_show(
        steps in steps(150),
        jitter in prop::collection::vec(0i64..3_600_000_000, 150),
    ) {
        let correlations = correlations();
        let inputs = inputs(&correlations, &steps);
        let mut plain = Behaviour::new(&correlations, &Baseline::default(), Bounds::default());
        for (items, _) in &inputs {
            plain.fold(items);
        }
        plain.finish();

        // Each record comes up to an hour late, and the watermark is an hour behind the clock.
        let mut late: Vec<(i64, &Input)> = inputs
            .iter()
            .zip(jitter)
            .filter(|((items, _), _)| !items.is_empty())
            .map(|(input, jitter)| (input.0[0].time + jitter, input))
            .collect();
        late.sort_by_key(|(arrival, _)| *arrival);
        let mut behaviour = Behaviour::new(&correlations, &Baseline::default(), Bounds::default());
        for (arrival, (items, _)) in late {
            behaviour.advance(Timestamp::from_microsecond(arrival - 3_600_000_000).unwrap());
            behaviour.offer(items);
        }
        behaviour.finish();
        prop_assert_eq!(behaviour.late(), 0);
        prop_assert_eq!(plain.take_fired(), behaviour.take_fired());
        prop_assert_eq!(
            plain.unknown().collect::<Vec<_>>(),
            behaviour.unknown().collect::<Vec<_>>()
        );
    }

    #[test]
    fn nothing_that_is_restored_panics(
        key in prop::collection::vec(any::<u8>(), 0..24),
        value in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let correlations = correlations();
        let mut behaviour = Behaviour::new(&correlations, &Baseline::default(), Bounds::default());
        let _ = behaviour.restore(&mut std::iter::once((key, value)));
        behaviour.advance(Timestamp::from_second(1_800_000_000).unwrap());
        behaviour.finish();
    }
}

/// A group that was let go for want of room comes back before the window that was forgotten would
/// have ended: that end decides nothing, in a run that was resumed or not.
#[test]
fn a_forgotten_window_does_not_end_the_next_one() {
    let history: Vec<Step> = [
        (0, 0),
        (10, 1),
        (20, 2),
        (100, 0),
        (130, 2),
        (150, 0),
        (400, 3),
    ]
    .map(|(minute, group)| Step {
        minute: 29_000_000 + minute,
        rule: 'a',
        group,
        value: 0,
        peer: 0,
        doubt: false,
    })
    .into();
    let correlations = correlations();
    let inputs = inputs(&correlations, &history);
    let few = correlations.loaded().position(|one| one.title == "few");
    let bounds = Bounds { entities: 2 };
    let mut behaviour = Behaviour::new(&correlations, &Baseline::default(), bounds);
    for (items, _) in &inputs {
        behaviour.fold(items);
    }
    let of_first_group: Vec<(i64, Vec<u64>)> = behaviour
        .take_fired()
        .into_iter()
        .filter(|one| Some(one.correlation as usize) == few && one.key == 1_000_003)
        .map(|one| ((one.time - 1) / 60_000_000 - 29_000_000, one.records))
        .collect();
    assert_eq!(of_first_group, [(220, vec![3, 5])]);

    let kills: Vec<usize> = (0..=inputs.len()).collect();
    let subject = Whole {
        correlations,
        bounds,
        baseline: Baseline::default(),
        waits: false,
    };
    hold(&subject, &inputs, &kills);
}

/// Every type fires on some random history: the laws above are no empty words for any.
#[test]
fn every_type_fires_on_a_long_history() {
    let correlations = correlations();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut fired = BTreeSet::new();
    for _ in 0..20 {
        let steps = steps(300).new_tree(&mut runner).unwrap().current();
        let mut behaviour = Behaviour::new(&correlations, &Baseline::default(), Bounds::default());
        for (items, _) in inputs(&correlations, &steps) {
            behaviour.fold(&items);
        }
        behaviour.finish();
        for one in behaviour.take_fired() {
            let title = &correlations.get(one.correlation).unwrap().title;
            assert!(!one.records.is_empty() && one.records.len() <= 100);
            fired.insert(title.clone());
        }
    }
    let all: BTreeSet<String> = correlations.loaded().map(|one| one.title.clone()).collect();
    assert_eq!(fired, all);
}

#[test]
fn a_record_behind_the_watermark_is_counted_and_left_out() {
    let correlations = correlations();
    let mut behaviour = Behaviour::new(&correlations, &Baseline::default(), Bounds::default());
    let step = Step {
        minute: 29_000_000,
        rule: 'a',
        group: 0,
        value: 0,
        peer: 0,
        doubt: false,
    };
    behaviour.advance(Timestamp::from_second(29_000_001 * 60).unwrap());
    behaviour.offer(&items(&correlations, &step, 0));
    assert_eq!(behaviour.late(), 1);
    assert_eq!(behaviour.entities(), 0);
}

#[test]
fn a_correlation_that_was_changed_starts_anew() {
    let parsed = |text: &str| {
        let parsed = portreeve_sigma::parse("all.yml", text);
        let (correlations, _) = Correlations::new(
            parsed.correlations,
            &parsed.rules,
            &BTreeSet::new(),
            &mut Fields::default(),
        );
        correlations
    };
    let before = parsed(DOCUMENTS);
    let mut behaviour = Behaviour::new(&before, &Baseline::default(), Bounds::default());
    let step = Step {
        minute: 29_000_000,
        rule: 'a',
        group: 0,
        value: 0,
        peer: 0,
        doubt: false,
    };
    behaviour.fold(&items(&before, &step, 0));
    let known = behaviour.entities();
    let saved: Vec<(Vec<u8>, Vec<u8>)> = behaviour
        .take_changes()
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    let after = parsed(&DOCUMENTS.replace("idle: 8h", "idle: 9h"));
    let mut changed = Behaviour::new(&after, &Baseline::default(), Bounds::default());
    changed.restore(&mut saved.into_iter()).unwrap();
    assert_eq!(changed.entities(), known - 1);
}

#[test]
fn the_guide_lists_every_type_and_every_field() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/correlations.md");
    let guide = std::fs::read_to_string(path).unwrap();
    for extension in EXTENSIONS {
        assert!(
            guide.contains(&format!("### `{}`", extension.name)),
            "{}",
            extension.name
        );
    }
    for (field, _, meaning) in ROW_FIELDS {
        assert!(
            guide.contains(&format!("| `{field}` | {meaning} |")),
            "{field}"
        );
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let rules =
        "title: a\nname: a\nlogsource: {product: aws}\ndetection: {s: {f: a}, condition: s}\n---\n";
    for (section, words) in [
        (
            "{type: portreeve.unheard_of, rules: [a]}",
            "there is no type",
        ),
        (
            "{type: event_count, rules: [z], timespan: 1h, condition: {gte: 1}}",
            "there is no rule `z`",
        ),
        (
            "{type: event_count, rules: [me], timespan: 1h, condition: {gte: 1}}",
            "refers to itself",
        ),
        (
            "{type: event_count, rules: [a], timespan: 1h, condition: {gte: 20000}}",
            "is not kept",
        ),
        (
            "{type: temporal, rules: [a], timespan: 1h, condition: {gte: 2}}",
            "more than the 1 rules",
        ),
        (
            "{type: portreeve.first_seen, rules: [a]}",
            "needs a `value`",
        ),
        (
            "{type: portreeve.first_seen, rules: [a], value: v, at-least: 2}",
            "need a `timespan`",
        ),
        (
            "{type: portreeve.first_seen, rules: [a], value: v, peers-at-least: 2}",
            "nobody to compare",
        ),
        (
            "{type: portreeve.first_seen, rules: [a], value: v, rember: 3d}",
            "knows no such setting",
        ),
        (
            "{type: portreeve.concurrent_use, rules: [a], value: v, timespan: 1h}",
            "needs a `within`",
        ),
        (
            "{type: portreeve.rate, rules: [a], timespan: 1h, measure: mean}",
            "count, distinct or sum",
        ),
        (
            "{type: portreeve.dormant, rules: [a], idle: 5d, remember: 4d}",
            "cannot be seen to wake",
        ),
        (
            "{type: portreeve.flip_flop, rules: [a], timespan: 1h}",
            "needs `off` and `on`",
        ),
        (
            "{type: portreeve.revoked_alive, rules: [a], timespan: 1h}",
            "needs `revoked` and `alive`",
        ),
        (
            "{type: portreeve.stages, rules: [a], timespan: 1h}",
            "takes no `rules`",
        ),
    ] {
        let text = format!("{rules}title: me\nname: me\ncorrelation: {section}\n");
        let parsed = portreeve_sigma::parse("c.yml", &text);
        assert!(
            parsed.diagnostics.is_empty(),
            "{section}: {:?}",
            parsed.diagnostics
        );
        let (correlations, problems) = Correlations::new(
            parsed.correlations,
            &parsed.rules,
            &BTreeSet::new(),
            &mut Fields::default(),
        );
        assert!(correlations.is_empty(), "{section}");
        assert!(
            problems.iter().any(|one| one.message.contains(words)),
            "{section}: {problems:?}"
        );
    }
}
