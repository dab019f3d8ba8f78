//! Arbitrary text as a rule file: parse, tell, compile, match. Nothing may panic or hang, and the
//! index may not lose a match that the rule on its own gives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{Matcher, Scratch, Verdict, parse};

const RECORD: &[u8] = br#"{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/s","accountId":"111122223333","sessionContext":{"attributes":{"creationDate":"2026-07-24T03:12:44Z","mfaAuthenticated":"false"}}},"eventTime":"2026-07-24T03:15:00Z","eventSource":"s3.amazonaws.com","eventName":"PutObject","sourceIPAddress":"198.51.100.7","userAgent":"Boto3/1.34 \u00e9","errorCode":null,"requestParameters":{"bucketName":"web","key":"app.js","n":5,"policy":"{\"Action\":\"*\"}"},"resources":[{"ARN":"arn:aws:s3:::web","type":"AWS::S3::Bucket"},{"ARN":"arn:aws:s3:::web/app.js"}],"readOnly":false,"a":1,"b":[1,"x",[null]]}"#;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
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
    let mut fields = Fields::default();
    let (matcher, _) = Matcher::new(&parsed.rules, &mut fields);
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let record = extractor.extract(RECORD, &mut buffer).expect("the record is fixed");
    let mut hits = Vec::new();
    matcher.matches(&record, &mut Scratch::new(), &mut hits);
    for rule in 0..parsed.rules.len() {
        let alone = matcher.evaluate_one(rule, &record);
        let hit = hits.iter().find(|hit| hit.rule == rule);
        assert_eq!(hit.map_or(Verdict::No, |hit| hit.verdict), alone);
    }
});
