//! What correlations cost: a million records of ten thousand users, each of which three correlations
//! look at, made into items and folded. Prints processor seconds a million records, and records a
//! second, of one thread.

#![allow(clippy::print_stdout, missing_docs)]

use std::sync::Arc;
use std::time::Instant;

use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::correlate::{Bounds, Correlator, Items, Plan, Reference};
use portreeve_sigma::parse;

const DOCUMENTS: &str = "
title: Any call
name: any
logsource: { product: x }
detection: { s: { name|exists: true }, condition: s }
---
{ title: Many, correlation: { type: event_count, rules: [any], group-by: [user], timespan: 1h, condition: { gte: 500 } } }
---
{ title: Wide, correlation: { type: value_count, rules: [any], group-by: [user], timespan: 1h, condition: { field: name, gte: 15 } } }
---
{ title: Large, correlation: { type: value_sum, rules: [any], group-by: [user, address], timespan: 1h, condition: { field: bytes, gt: 100000000 } } }
";

fn main() {
    let parsed = parse("bench.yml", DOCUMENTS);
    let mut fields = Fields::default();
    let (plan, problems) = Plan::new(&parsed.correlations, &parsed.rules, &mut fields);
    assert!(problems.is_empty() && !parsed.has_errors());
    let plan = Arc::new(plan);
    let extractor = Extractor::new(&fields);
    let records: Vec<String> = (0..100_000u64)
        .map(|number| {
            let user = number * 7_919 % 10_000;
            let name = number * 31 % 40;
            format!(
                "{{\"user\": \"arn:aws:iam::111122223333:user/some.one.{user}\", \"address\": \"10.0.{}.{}\", \"name\": \"Call{name}\", \"bytes\": {}}}",
                user % 250,
                number % 3,
                number % 5_000
            )
        })
        .collect();
    let mut buffer = SlotBuffer::new();
    let mut correlator = Correlator::new(plan.clone(), Bounds::default());
    let (mut items, mut matches) = (Items::new(), Vec::new());
    let (mut making, mut folding) = (0.0, 0.0);
    for round in 0..10u64 {
        for (chunk, part) in (0u64..).zip(records.chunks(4_096)) {
            let begun = Instant::now();
            for (at, text) in (0u64..).zip(part) {
                let index = round * 100_000 + chunk * 4_096 + at;
                let record = extractor
                    .extract(text.as_bytes(), &mut buffer)
                    .expect("the record is JSON");
                let time = index as i64 * 200_000;
                let reference = Reference { source: 0, index };
                plan.items(0, &record, time, reference, &mut items);
            }
            making += begun.elapsed().as_secs_f64();
            let begun = Instant::now();
            correlator.fold(&items, &mut matches);
            items.clear();
            folding += begun.elapsed().as_secs_f64();
        }
    }
    let begun = Instant::now();
    correlator.finish(&mut matches);
    folding += begun.elapsed().as_secs_f64();
    println!(
        "1,000,000 records, 3,000,000 items: read and made into items {making:.2} s, folded {folding:.2} s: {:.0} records a second; {} matches",
        1e6 / (making + folding),
        matches.len()
    );
}
