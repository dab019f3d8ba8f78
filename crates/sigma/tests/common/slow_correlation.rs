//! Correlations as plainly as can be: every window is walked through for every record. Written from
//! the specification and the documentation of `portreeve_sigma::correlate`, not from its code.

use std::collections::BTreeMap;

use portreeve_sigma::correlate::Reference;
use portreeve_sigma::{Correlation, CorrelationKind};
use serde_json::Value;

/// A record, when it happened, and the names of the rules that it matches.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) time: i64,
    pub(crate) reference: Reference,
    pub(crate) rules: Vec<&'static str>,
    pub(crate) record: Value,
}

/// What a correlation told: its number, when it began and last held, group, number, how often.
pub(crate) type Told = (usize, i64, i64, Vec<String>, String, u64);

#[derive(Clone, Debug)]
struct Seen<'e> {
    time: i64,
    position: usize,
    event: &'e Event,
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The correlations must stand behind those that they refer to.
pub(crate) fn run(correlations: &[Correlation], events: &[Event]) -> Vec<Told> {
    let mut told = Vec::new();
    // Where each correlation held: for those that refer to it.
    let mut held: BTreeMap<String, Vec<(i64, &Event)>> = BTreeMap::new();
    for (number, one) in correlations.iter().enumerate() {
        let span = one.timespan.unwrap() as i64 * 1_000_000;
        let mut seen: Vec<Seen<'_>> = Vec::new();
        for (position, rule) in one.rules.iter().enumerate() {
            for event in events
                .iter()
                .filter(|event| event.rules.contains(&rule.as_str()))
            {
                seen.push(Seen {
                    time: event.time,
                    position,
                    event,
                });
            }
            for (time, event) in held.get(rule.as_str()).into_iter().flatten() {
                seen.push(Seen {
                    time: *time,
                    position,
                    event,
                });
            }
        }
        seen.sort_by_key(|seen| {
            (
                seen.time,
                seen.event.reference,
                std::cmp::Reverse(seen.position),
            )
        });
        let mut groups: BTreeMap<Vec<String>, Vec<Seen<'_>>> = BTreeMap::new();
        for seen in seen {
            let key: Option<Vec<String>> = one
                .group_by
                .iter()
                .map(|field| text(&seen.event.record[field]))
                .collect();
            let measured = one.condition.iter().flat_map(|condition| &condition.fields);
            let has_all = measured
                .clone()
                .all(|field| text(&seen.event.record[field]).is_some());
            let needs_number = matches!(
                one.kind,
                CorrelationKind::ValueSum
                    | CorrelationKind::ValueAverage
                    | CorrelationKind::ValuePercentile
            );
            let is_number = measured.clone().all(|field| {
                text(&seen.event.record[field])
                    .unwrap_or_default()
                    .parse::<f64>()
                    .is_ok()
            });
            if let Some(key) = key
                && has_all
                && (!needs_number || is_number)
            {
                groups.entry(key).or_default().push(seen);
            }
        }
        let shows = !correlations.iter().any(|other| {
            !other.generate
                && other
                    .rules
                    .iter()
                    .any(|rule| Some(rule) == one.name.as_ref())
        });
        for (key, mut seen) in groups {
            if !matches!(
                one.kind,
                CorrelationKind::Temporal
                    | CorrelationKind::TemporalOrdered
                    | CorrelationKind::ValueCount
            ) {
                seen.dedup_by_key(|seen| (seen.time, seen.event.reference));
            }
            let holds = holds(one, &seen, span);
            if let Some(name) = &one.name {
                let of_one = held.entry(name.clone()).or_default();
                of_one.extend(holds.iter().map(|(time, event, _)| (*time, *event)));
            }
            if !shows {
                continue;
            }
            let mut open: Option<Told> = None;
            for (time, _, measure) in holds {
                match &mut open {
                    Some(told) if slides(one) && time <= told.2 + span => {
                        told.2 = time;
                        told.5 += 1;
                    }
                    open => {
                        told.extend(open.take());
                        *open = Some((number, time, time, key.clone(), format!("{measure:.6}"), 1));
                    }
                }
            }
            told.extend(open);
        }
    }
    told.sort();
    told
}

fn slides(one: &Correlation) -> bool {
    match (&one.rule_condition, &one.condition) {
        (Some(condition), _) => condition.only_rises(),
        (None, Some(condition)) => {
            condition.only_rises() || one.kind == CorrelationKind::TemporalOrdered
        }
        (None, None) => true,
    }
}

/// Where the condition holds, and with what number.
fn holds<'e>(one: &Correlation, seen: &[Seen<'e>], span: i64) -> Vec<(i64, &'e Event, f64)> {
    let mut holds = Vec::new();
    if slides(one) {
        for (at, last) in seen.iter().enumerate() {
            let window: Vec<&Seen<'_>> = seen[..=at]
                .iter()
                .filter(|seen| seen.time >= last.time - span)
                .collect();
            if let Some(number) = measure(one, &window) {
                holds.push((last.time, last.event, number));
            }
        }
        return holds;
    }
    let mut rest = seen;
    while let Some(first) = rest.first() {
        let end = first.time + span;
        let length = rest.iter().take_while(|seen| seen.time <= end).count();
        let (window, behind) = rest.split_at(length);
        let window: Vec<&Seen<'_>> = window.iter().collect();
        if let Some(number) = measure(one, &window) {
            holds.push((end, window[window.len() - 1].event, number));
        }
        rest = behind;
    }
    holds
}

/// The number of a window, where it meets the condition.
fn measure(one: &Correlation, window: &[&Seen<'_>]) -> Option<f64> {
    let rules = one.rules.len();
    let condition = one.condition.as_ref();
    let numbers = || -> Vec<f64> {
        let field = &condition.unwrap().fields[0];
        window
            .iter()
            .map(|seen| text(&seen.event.record[field]).unwrap().parse().unwrap())
            .collect()
    };
    let number = match one.kind {
        // Of what only has to be reached, no more is counted than the condition asks for.
        CorrelationKind::EventCount => window.len() as f64,
        CorrelationKind::ValueCount => {
            let fields = &condition.unwrap().fields;
            let mut values: Vec<Vec<String>> = window
                .iter()
                .map(|seen| {
                    fields
                        .iter()
                        .map(|field| text(&seen.event.record[field]).unwrap())
                        .collect()
                })
                .collect();
            values.sort();
            values.dedup();
            values.len() as f64
        }
        CorrelationKind::ValueSum => numbers().iter().sum(),
        CorrelationKind::ValueAverage => numbers().iter().sum::<f64>() / window.len() as f64,
        CorrelationKind::ValuePercentile => {
            let mut numbers = numbers();
            numbers.sort_by(f64::total_cmp);
            let percentile = condition.unwrap().percentile.unwrap();
            let rank = (percentile * numbers.len() as f64 / 100.0).ceil() as usize;
            numbers[rank.max(1) - 1]
        }
        CorrelationKind::Temporal => {
            let is_there = |rule: usize| window.iter().any(|seen| seen.position == rule);
            let there = (0..rules).filter(|rule| is_there(*rule)).count() as f64;
            let holds = match (&one.rule_condition, condition) {
                (Some(expression), _) => expression.holds(&is_there),
                (None, Some(condition)) => condition.holds(there),
                (None, None) => there == rules as f64,
            };
            return holds.then_some(there);
        }
        CorrelationKind::TemporalOrdered => {
            let least = condition.map_or(rules, |condition| {
                (1..=rules)
                    .find(|number| condition.holds(*number as f64))
                    .unwrap()
            });
            return sequence(window, least).then_some(least as f64);
        }
        CorrelationKind::Extension(_) => return None,
    };
    condition.unwrap().holds(number).then_some(number)
}

/// Whether so many rules match different records in order, the last of which ends the window.
fn sequence(window: &[&Seen<'_>], least: usize) -> bool {
    fn ends_with(window: &[&Seen<'_>], last: usize, length: usize) -> bool {
        length <= 1
            || (0..last).any(|before| {
                let earlier = (window[before].time, window[before].event.reference)
                    < (window[last].time, window[last].event.reference);
                earlier
                    && window[before].position < window[last].position
                    && ends_with(window, before, length - 1)
            })
    }
    ends_with(window, window.len() - 1, least)
}
