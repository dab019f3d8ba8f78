//! That all ways of reading a record read the same: by its shape, by its tokens, byte by byte.

use std::borrow::Cow;

use proptest::prelude::*;

use crate::{Extractor, Fields, Record, SlotBuffer, Slots, Value};

const KEYS: &[&str] = &["a", "b", "a.b", "c", r"\u0061", "caf\u{e9}", r#"\""#, ""];
const PATHS: &[&str] = &[
    "a",
    "a.b",
    "a.b.c",
    "c",
    "b.a",
    "caf\u{e9}.a",
    "\"",
    "b.c.a",
];

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\n\t "), 1 => Just("\r\n")]
}

fn scalar() -> impl Strategy<Value = String> {
    let texts = "[a-c{}\\[\\]:, \u{e9}]{0,80}".prop_map(|text| format!("\"{text}\""));
    let escapes =
        r#"(\\\\|\\"|\\u00e9|\\ud83d\\ude00|\\n|x){0,40}"#.prop_map(|text| format!("\"{text}\""));
    let others = prop::sample::select(vec![
        "0", "-1.5e3", "true", "false", "null", "01", "tru", "1.", "nan", "-", "\"",
    ]);
    prop_oneof![4 => texts, 2 => escapes, 3 => others.prop_map(str::to_owned)]
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(5, 60, 5, |inner| {
        let member = (
            space(),
            prop::sample::select(KEYS),
            space(),
            inner.clone(),
            space(),
        );
        let members = prop::collection::vec(member, 0..5).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(s, key, t, value, u)| format!("{s}\"{key}\"{t}:{u}{value}{s}"))
                .collect();
            format!("{{{}}}", members.join(","))
        });
        let elements =
            prop::collection::vec((space(), inner, space()), 0..5).prop_map(|elements| {
                let elements: Vec<String> = elements
                    .into_iter()
                    .map(|(s, value, t)| format!("{s}{value}{t}"))
                    .collect();
                format!("[{}]", elements.join(","))
            });
        prop_oneof![3 => members, 1 => elements]
    })
}

/// A record of members with values of any kind.
fn record() -> impl Strategy<Value = String> {
    let member = (space(), prop::sample::select(KEYS), space(), value());
    prop::collection::vec(member, 0..6).prop_map(|members| {
        let members: Vec<String> = members
            .into_iter()
            .map(|(s, key, t, value)| format!("{s}\"{key}\":{t}{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

fn changed(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, any::<char>()), 0..3);
    let signs = prop::sample::select(vec!['{', '}', '[', ']', ',', ':', '"', '\\', ' ', '1']);
    (text, edits, signs).prop_map(|(text, edits, sign)| {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, kind, character) in edits {
            if characters.is_empty() {
                break;
            }
            let at = at.index(characters.len());
            match kind {
                0 => drop(characters.remove(at)),
                1 => characters.insert(at, sign),
                _ => characters[at] = character,
            }
        }
        characters.into_iter().collect()
    })
}

type Read = Result<Vec<Vec<Value<'static>>>, crate::ExtractError>;

fn owned(value: &Value<'_>) -> Value<'static> {
    // Where it is borrowed from does not matter.
    match value {
        Value::String(text) => Value::String(Cow::Owned(text.clone().into_owned())),
        Value::Number(text) => Value::String(Cow::Owned(format!("number {text}"))),
        Value::Array(text) => Value::String(Cow::Owned(format!("array {text}"))),
        Value::Object(text) => Value::String(Cow::Owned(format!("object {text}"))),
        Value::Bool(value) => Value::Bool(*value),
        Value::Null => Value::Null,
        Value::Unknown => Value::Unknown,
    }
}

fn read(fields: &Fields, slots: Result<Slots<'_>, crate::ExtractError>) -> Read {
    slots.map(|slots| {
        PATHS
            .iter()
            .filter_map(|path| fields.get(path))
            .map(|field| slots.values(field).iter().map(owned).collect())
            .collect()
    })
}

fn both(text: &str, buffers: &mut (SlotBuffer, SlotBuffer)) -> (Read, Read) {
    let mut fields = Fields::default();
    for path in PATHS {
        fields.intern(path);
    }
    let extractor = Extractor::new(&fields);
    let quick = read(&fields, extractor.extract(text.as_bytes(), &mut buffers.0));
    let plain = read(&fields, extractor.extract_plainly(text, &mut buffers.1));
    (quick, plain)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn both_walks_read_the_same(texts in prop::collection::vec(changed(value()), 1..4)) {
        // One buffer after the other, so that nothing of a record is left for the next.
        let mut buffers = Default::default();
        for text in texts {
            let (quick, plain) = both(&text, &mut buffers);
            prop_assert_eq!(quick, plain);
        }
    }

    #[test]
    fn what_was_learned_of_a_record_holds_for_those_that_differ_a_little(
        texts in record().prop_flat_map(|text| {
            prop::collection::vec(changed(Just(text)), 2..10)
        })
    ) {
        let mut fields = Fields::default();
        for path in PATHS {
            fields.intern(path);
        }
        // Two that share a buffer, and ask for different fields.
        let all = Extractor::new(&fields);
        let some = Extractor::of(&fields, &|field| field.0 % 2 == 0);
        let mut shared = SlotBuffer::new();
        for text in texts {
            for extractor in [&all, &some, &all] {
                let quick = read(&fields, extractor.extract(text.as_bytes(), &mut shared));
                let mut own = SlotBuffer::new();
                let plain = read(&fields, extractor.extract_plainly(&text, &mut own));
                prop_assert_eq!(quick, plain);
            }
        }
    }
}
