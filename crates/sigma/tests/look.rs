//! A first look never hides a match, and a sample changes no verdict.

mod common;

use common::rule;
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{Hit, Look, Matcher, Rule, Sample, Scratch};
use proptest::prelude::*;

fn predicate() -> impl Strategy<Value = String> {
    let field = prop::sample::select(vec![
        "a",
        "b",
        "c.d",
        "c",
        "e",
        "portreeve.a",
        "portreeve.b",
    ]);
    let value = prop::sample::select(vec!["x", "y", "'5'", "5", "true", "null", "'x*'", "'*y'"]);
    let modifier = prop::sample::select(vec![
        "",
        "",
        "",
        "|contains",
        "|cased",
        "|exists",
        "|fieldref",
    ]);
    (field, modifier, value).prop_map(|(field, modifier, value)| match modifier {
        "|exists" => format!("{field}|exists: true"),
        "|fieldref" => format!("{field}|fieldref: b"),
        "|contains" | "|cased" => format!("{field}{modifier}: 'x'"),
        _ => format!("{field}: {value}"),
    })
}

fn detection() -> impl Strategy<Value = String> {
    let condition = prop::sample::select(vec![
        "one",
        "one and two",
        "one or two",
        "one and not two",
        "not one",
        "(one or two) and not three",
        "2 of them",
        "words or one",
    ]);
    let parts = (predicate(), predicate(), predicate(), predicate());
    (parts, condition).prop_map(|((one, more, two, three), condition)| {
        let one = if one.split(':').next() == more.split(':').next() {
            format!("one:\n    {one}\n")
        } else {
            format!("one:\n    {one}\n    {more}\n")
        };
        format!("{one}two:\n    {two}\nthree:\n    {three}\nwords: ['xx']\ncondition: {condition}")
    })
}

fn record() -> impl Strategy<Value = String> {
    let value = || {
        prop::sample::select(vec![
            r#""x""#,
            r#""Y""#,
            r#""xx""#,
            "5",
            "5.0",
            "true",
            "null",
            r#"["x",5]"#,
            r#"{"d":"x"}"#,
            r#"[{"d":"y"}]"#,
            r#"{"d":["x",null]}"#,
        ])
    };
    let member = (
        prop::sample::select(vec!["a", "b", "c", "e", "f", "portreeve"]),
        prop_oneof![value(), Just(r#"{"a":"x","b":["Y",5]}"#)],
    );
    prop::collection::vec(member, 0..5).prop_map(|members| {
        let members: Vec<String> = members
            .iter()
            .map(|(key, value)| format!("\"{key}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

fn hits(matcher: &Matcher, extractor: &Extractor, record: &str) -> Vec<Hit> {
    let mut buffer = SlotBuffer::new();
    let slots = extractor.extract(record.as_bytes(), &mut buffer).unwrap();
    let mut hits = Vec::new();
    matcher.matches(&slots, &mut Scratch::new(), &mut hits);
    hits
}

fn learn(matcher: &mut Matcher, extractor: &Extractor, records: &[String]) -> Look {
    let mut buffers: Vec<SlotBuffer> = records.iter().map(|_| SlotBuffer::new()).collect();
    let records: Vec<_> = records
        .iter()
        .zip(&mut buffers)
        .map(|(record, buffer)| extractor.extract(record.as_bytes(), buffer).unwrap())
        .collect();
    let mut sample = Sample::default();
    for record in &records {
        sample.add(matcher, record);
    }
    matcher.tune(&sample);
    let mut look = matcher.look();
    matcher.widen(&mut look, &records, &mut Scratch::new());
    look
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_first_look_hides_nothing(
        detections in prop::collection::vec(detection(), 1..8),
        known in prop::collection::vec(record(), 0..6),
        records in prop::collection::vec(record(), 1..12),
    ) {
        let rules: Vec<Rule> = detections.iter().map(|detection| rule(detection)).collect();
        let mut fields = Fields::default();
        let (mut matcher, _) = Matcher::new(&rules, &mut fields);
        let whole = Extractor::new(&fields);
        let before: Vec<_> = records.iter().map(|record| hits(&matcher, &whole, record)).collect();
        let bare = matcher.look();
        for tuned in [false, true] {
            let look = if tuned { learn(&mut matcher, &whole, &known) } else { bare.clone() };
            let first = Extractor::of(&fields, &|field| look.sees(field));
            let (mut buffer, mut scratch) = (SlotBuffer::new(), Scratch::new());
            for (record, before) in records.iter().zip(&before) {
                prop_assert_eq!(&hits(&matcher, &whole, record), before);
                let seen = first.extract(record.as_bytes(), &mut buffer).unwrap();
                let may = matcher.may_match(&seen, &look, &mut scratch);
                prop_assert!(may || before.is_empty(), "{} hides {:?}", record, before);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn memory_that_learns_says_the_same(
        detections in prop::collection::vec(detection(), 1..8),
        early in prop::collection::vec(record(), 1..6),
        late in prop::collection::vec(record(), 1..12),
    ) {
        let rules: Vec<Rule> = detections.iter().map(|detection| rule(detection)).collect();
        let mut fields = Fields::default();
        let (matcher, _) = Matcher::new(&rules, &mut fields);
        let whole = Extractor::new(&fields);
        let (mut learning, mut buffer, mut found) = (Scratch::learning(), SlotBuffer::new(), Vec::new());
        // Enough of the early ones that by the late ones all is learnt.
        for record in early.iter().cycle().take(5_000).chain(&late) {
            let slots = whole.extract(record.as_bytes(), &mut buffer).unwrap();
            matcher.matches(&slots, &mut learning, &mut found);
            prop_assert_eq!(&found, &hits(&matcher, &whole, record), "{}", record);
        }
    }
}

#[test]
fn what_is_seldom_there_leads_to_a_rule() {
    let detection = "s:\n    source: s3\n    name: Get\ncondition: s";
    let rules = [rule(detection)];
    let mut fields = Fields::default();
    let (mut matcher, _) = Matcher::new(&rules, &mut fields);
    let whole = Extractor::new(&fields);
    let field = |path: &str| fields.get(path).unwrap();
    for (common, seldom) in [("source", "name"), ("name", "source")] {
        let records: Vec<String> = (0..20)
            .map(|_| match common {
                "source" => r#"{"source":"s3","name":"Put"}"#.to_owned(),
                _ => r#"{"source":"sts","name":"Get"}"#.to_owned(),
            })
            .collect();
        let look = learn(&mut matcher, &whole, &records);
        assert!(look.sees(field(seldom)) && !look.sees(field(common)));
        let way = matcher.way_to(0);
        assert_eq!(way.values.len(), 1);
        assert_eq!(way.values[0].0, field(seldom));
        let first = Extractor::of(&fields, &|field| look.sees(field));
        let (mut buffer, mut scratch) = (SlotBuffer::new(), Scratch::new());
        let seen = first.extract(records[0].as_bytes(), &mut buffer).unwrap();
        assert!(!matcher.may_match(&seen, &look, &mut scratch));
    }
}
