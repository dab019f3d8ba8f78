//! Documents of what processing pipelines are made of, and any text: reading one, or values of
//! placeholders, never panics, nor does changing rules by it, and what comes out can be matched.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_record::Fields;
use portreeve_sigma::{Matcher, Pipeline, parse, parse_placeholders};

mod common;
use common::{Grower, PIPELINE};

const RULES: &str = "
title: A rule
logsource: {product: aws, service: cloudtrail}
detection:
    selection: {eventName|startswith: [Put, Get], user: '%admins%', 'a.b|re': 'x+'}
    keywords: [one, '*two']
    condition: selection or not keywords
";

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    // JSON is YAML.
    let text = if kind % 4 == 0 {
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        Grower::new(bytes, PIPELINE).document().to_string()
    };
    let _ = parse_placeholders("fuzzed.yml", &text);
    match Pipeline::parse("fuzzed.yml", &text) {
        Err(diagnostic) => {
            diagnostic.render(&text, false);
        }
        Ok(pipeline) => {
            let mut rules = parse("rules.yml", RULES).rules;
            for diagnostic in pipeline.apply(&mut rules) {
                diagnostic.render(RULES, false);
            }
            let _ = Matcher::new(&rules, &mut Fields::default());
        }
    }
});
