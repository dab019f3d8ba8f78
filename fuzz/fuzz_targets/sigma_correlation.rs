//! Any items in any order, folded by correlations of every type: nothing may panic, and neither the
//! pieces in which items come, nor threads, nor a stop may change what is told. Bounds are small, so
//! that groups are let go.

#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::correlate::{Bounds, Correlator, Items, Plan, Reference};
use portreeve_sigma::parse;

const DOCUMENTS: &str = "
title: A
name: a
logsource: { product: x }
detection: { s: { kind: a }, condition: s }
---
title: B
name: b
logsource: { product: x }
detection: { s: { kind: b }, condition: s }
---
{ title: T, name: count, correlation: { type: event_count, rules: [a, b], group-by: [user], timespan: 1m, condition: { gte: 3 } } }
---
{ title: T, correlation: { type: event_count, rules: [a], timespan: 20s, condition: { eq: 2 } } }
---
{ title: T, correlation: { type: value_count, rules: [a], group-by: [user], timespan: 1m, condition: { field: n, gt: 2 } } }
---
{ title: T, correlation: { type: value_sum, rules: [a, b], group-by: [user], timespan: 1m, condition: { field: n, gte: 9 } } }
---
{ title: T, correlation: { type: value_avg, rules: [b], group-by: [user], timespan: 1m, condition: { field: n, lt: 4 } } }
---
{ title: T, correlation: { type: value_percentile, rules: [a], group-by: [user], timespan: 2m, condition: { field: n, percentile: 90, gte: 5 } } }
---
{ title: T, name: none, correlation: { type: temporal, rules: [a, b], group-by: [user], timespan: 30s, condition: a and not b } }
---
{ title: T, correlation: { type: temporal_ordered, rules: [count, b, a], group-by: [user], timespan: 5m } }
---
{ title: T, correlation: { type: event_count, rules: [none, count], timespan: 5m, condition: { gte: 2 } } }
";

struct Setup {
    plan: Arc<Plan>,
    extractor: Extractor,
}

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let parsed = parse("fuzz.yml", DOCUMENTS);
        let mut fields = Fields::default();
        let (plan, problems) = Plan::new(&parsed.correlations, &parsed.rules, &mut fields);
        assert!(!parsed.has_errors() && problems.is_empty());
        Setup {
            plan: Arc::new(plan),
            extractor: Extractor::new(&fields),
        }
    })
}

const LATENESS: i64 = 300_000_000;

fuzz_target!(|data: &[u8]| {
    let Setup { plan, extractor } = setup();
    let mut buffer = SlotBuffer::new();
    let mut items: Vec<Items> = Vec::new();
    let mut now = 0i64;
    for (index, step) in (0u64..).zip(data.chunks_exact(3)) {
        // Times go on, and back no further than is allowed.
        now += i64::from(step[0]) * 500_000;
        let time = now - i64::from(step[1] >> 3) * 4_000_000;
        let user = step[2] >> 5;
        let number = step[2] & 15;
        let text = format!("{{\"user\": \"u{user}\", \"n\": {number}}}");
        let record = extractor
            .extract(text.as_bytes(), &mut buffer)
            .expect("the record is JSON");
        let reference = Reference { source: 0, index };
        for rule in 0..2 {
            if step[1] >> rule & 1 == 1 {
                let mut one = Items::new();
                plan.items(rule, &record, time, reference, &mut one);
                items.push(one);
            }
        }
    }
    let bounds = Bounds {
        lateness: LATENESS,
        groups: 64,
        entries: 512,
        threads: 1,
    };
    let mut straight = Vec::new();
    let mut whole = Correlator::new(plan.clone(), bounds);
    let mut all = Items::new();
    items.iter().for_each(|one| all.append(one));
    whole.fold(&all, &mut straight);
    whole.finish(&mut straight);
    assert_eq!(whole.account().late, 0);

    let mut pieces = Vec::new();
    let mut correlator = Correlator::new(
        plan.clone(),
        Bounds {
            threads: 2,
            ..bounds
        },
    );
    let middle = items.len() / 2;
    for (number, item) in items.into_iter().enumerate() {
        if number == middle {
            let saved = serde_json::to_string(&correlator.save()).expect("state can be written");
            let saved = serde_json::from_str(&saved).expect("a state reads what it wrote");
            correlator = Correlator::restore(plan.clone(), bounds, saved).expect("the same rules");
        }
        correlator.fold(&item, &mut pieces);
        if number % 7 == 0 {
            correlator.settle(&mut pieces);
        }
    }
    correlator.finish(&mut pieces);
    assert_eq!(pieces, straight);
    assert_eq!(correlator.account(), whole.account());
});
