//! Arbitrary text as a rule file: parse, tell, compile, match, correlate. Nothing may panic or
//! hang, the index may not lose a match that the rule on its own gives, and what correlations
//! remember is resumed as it was saved.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use portreeve_detect::behaviour::{Baseline, Behaviour, Bounds, Correlations, Item};
use portreeve_model::state::KeyedState;
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{Matcher, Scratch, Verdict, parse};

const RECORD: &[u8] = br#"{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/s","accountId":"111122223333","sessionContext":{"attributes":{"creationDate":"2026-07-24T03:12:44Z","mfaAuthenticated":"false"}}},"eventTime":"2026-07-24T03:15:00Z","eventSource":"s3.amazonaws.com","eventName":"PutObject","sourceIPAddress":"198.51.100.7","userAgent":"Boto3/1.34 \u00e9","errorCode":null,"requestParameters":{"bucketName":"web","key":"app.js","n":5,"policy":"{\"Action\":\"*\"}"},"resources":[{"ARN":"arn:aws:s3:::web","type":"AWS::S3::Bucket"},{"ARN":"arn:aws:s3:::web/app.js"}],"readOnly":false,"a":1,"b":[1,"x",[null]]}"#;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let parsed = parse("fuzz.yml", text);
    for diagnostic in &parsed.diagnostics {
        diagnostic.render(text, false);
    }
    for correlation in &parsed.correlations {
        correlation.definition();
        let mut settings = correlation.settings();
        settings.duration("within");
        settings.count("at-least");
        settings.texts("value");
        for diagnostic in settings.finish() {
            diagnostic.render(text, false);
        }
    }
    let (correlations, problems) = Correlations::new(
        parsed.correlations,
        &parsed.rules,
        &BTreeSet::new(),
        &mut Fields::default(),
    );
    for diagnostic in problems {
        diagnostic.render(text, false);
    }
    correlate(&correlations);
    let mut fields = Fields::default();
    let (matcher, _) = Matcher::new(&parsed.rules, &mut fields);
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let record = extractor
        .extract(RECORD, &mut buffer)
        .expect("the record is fixed");
    let mut hits = Vec::new();
    matcher.matches(&record, &mut Scratch::new(), &mut hits);
    for rule in 0..parsed.rules.len() {
        let alone = matcher.evaluate_one(rule, &record);
        let hit = hits.iter().find(|hit| hit.rule == rule);
        assert_eq!(hit.map_or(Verdict::No, |hit| hit.verdict), alone);
    }
});

/// Two entities that are active for weeks, whatever the correlations ask for; killed and resumed
/// half way.
fn correlate(correlations: &Correlations) {
    let new = || Behaviour::new(correlations, &Baseline::default(), Bounds { entities: 2 });
    let mut live = new();
    let mut resumed = None;
    let count = correlations.loaded().len() as u32;
    for record in 0..64u64 {
        let items: Vec<Item> = (0..count)
            .map(|correlation| Item {
                time: 1_780_000_000_000_000 + record as i64 * 40_000_000_000,
                record,
                correlation,
                leg: (record % 3) as u8,
                after: Item::ALWAYS,
                doubt: record % 17 == 0,
                key: 1 + record % 2,
                value: 1 + record % 5,
                extra: [1 + record % 3, 0],
                number: record as f64,
            })
            .collect();
        live.fold(&items);
        if let Some(resumed) = &mut resumed {
            let resumed: &mut Behaviour = resumed;
            resumed.fold(&items);
        } else if record == 32 {
            let saved = live.take_changes();
            let mut saved = saved
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)));
            live.take_fired();
            let mut second = new();
            second
                .restore(&mut saved)
                .expect("a state reads what it wrote");
            resumed = Some(second);
        }
    }
    live.finish();
    if let Some(mut resumed) = resumed {
        resumed.finish();
        assert_eq!(resumed.take_fired(), live.take_fired());
    }
}
