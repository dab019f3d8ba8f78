//! Laws of splitting and extracting, on generated records.

use std::io::{self, Read};

use portreeve_record::{
    Extractor, Fields, Record, SlotBuffer, Split, SplitOptions, Splitter, Value, View,
};
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

fn any_json() -> impl Strategy<Value = Json> {
    let text = prop_oneof![
        "[a-c]{0,3}",
        ".{0,12}",
        Just("}{\"Records\":[\\\n".to_owned()),
        "[ -~]{60,70}",
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        text.prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(key(), inner, 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]",
        "[a-c]",
        "[a-cé\"\\\\]{0,2}",
        Just("events".to_owned())
    ]
}

fn any_record() -> impl Strategy<Value = Json> {
    // Top-level keys that are no envelope's.
    prop::collection::btree_map("[a-e]{1,2}", any_json(), 0..5)
        .prop_map(|members| Json::Object(members.into_iter().collect()))
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    Lines,
    CrLf,
    Concatenated,
    Spaced,
    Pretty,
    Array,
    PrettyArray,
    Envelope,
    Envelopes,
    Prefixed,
}

const FRAMINGS: [Framing; 10] = [
    Framing::Lines,
    Framing::CrLf,
    Framing::Concatenated,
    Framing::Spaced,
    Framing::Pretty,
    Framing::Array,
    Framing::PrettyArray,
    Framing::Envelope,
    Framing::Envelopes,
    Framing::Prefixed,
];

fn frame(records: &[Json], framing: Framing) -> String {
    let texts: Vec<String> = records.iter().map(Json::to_string).collect();
    let pretty: Vec<String> = records
        .iter()
        .map(|record| serde_json::to_string_pretty(record).unwrap())
        .collect();
    match framing {
        Framing::Lines => texts.join("\n"),
        Framing::CrLf => texts.join("\r\n") + "\r\n",
        Framing::Concatenated => texts.concat(),
        Framing::Spaced => texts.join(" \t  "),
        Framing::Pretty => pretty.join("\n"),
        Framing::Array => format!("[{}]", texts.join(",")),
        Framing::PrettyArray => serde_json::to_string_pretty(records).unwrap(),
        Framing::Envelope => {
            format!(
                "{{\"a\":[1,{{\"Records\":2}}],\"Records\":[{}],\"b\":3}}",
                texts.join(", ")
            )
        }
        Framing::Envelopes => texts
            .iter()
            .map(|text| format!("{{\"Records\":[{text}]}}\n"))
            .collect(),
        Framing::Prefixed => texts
            .iter()
            .map(|text| format!("2026-03-03T07:44:00.000Z {text}\n"))
            .collect(),
    }
}

struct Pieces<'a>(&'a [u8], Vec<usize>, usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.1[self.2 % self.1.len()];
        self.2 += 1;
        let count = size.min(buffer.len()).min(self.0.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

type Drained = (Vec<Vec<u8>>, Vec<(u64, String)>);

fn options() -> SplitOptions {
    let envelopes = ["Records", "hits.hits"].map(str::to_owned).to_vec();
    SplitOptions {
        envelopes,
        ..Default::default()
    }
}

fn drain(reader: impl Read) -> Drained {
    let mut splitter = Splitter::new(reader, options());
    let (mut records, mut dead) = (Vec::new(), Vec::new());
    while let Some(split) = splitter.next() {
        match split {
            Split::Record(record) => records.push(record.bytes.to_vec()),
            Split::Dead { offset, reason } => dead.push((offset, reason.into_owned())),
        }
    }
    (records, dead)
}

/// The same, with the ends of records taken from where the next seems to begin.
fn drain_likely<V: View>(mut splitter: Splitter<V>) -> Drained {
    let extractor = Extractor::new(&Fields::default());
    let mut buffer = SlotBuffer::new();
    let (mut records, mut dead) = (Vec::new(), Vec::new());
    while let Some(split) = splitter.next_likely() {
        match split {
            Split::Record(record)
                if record.likely && extractor.extract(record.bytes, &mut buffer).is_err() =>
            {
                splitter.reread();
            }
            Split::Record(record) => {
                assert_eq!(record.index, records.len() as u64);
                records.push(record.bytes.to_vec());
            }
            Split::Dead { offset, reason } => dead.push((offset, reason.into_owned())),
        }
    }
    (records, dead)
}

/// The values at a path by walking a tree: through arrays, and by keys that hold dots.
fn walk<'j>(json: &'j Json, path: &str, found: &mut Vec<&'j Json>) {
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                if name == path {
                    found.push(value);
                } else if !name.is_empty()
                    && let Some(rest) = path.strip_prefix(name.as_str())
                    && let Some(rest) = rest.strip_prefix('.')
                {
                    walk(value, rest, found);
                }
            }
        }
        Json::Array(elements) => {
            for element in elements {
                walk(element, path, found);
            }
        }
        _ => {}
    }
}

fn same(value: &Value<'_>, json: &Json) -> bool {
    match (value, json) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(a), Json::Bool(b)) => a == b,
        (Value::Number(a), Json::Number(b)) => *a == b.to_string(),
        (Value::String(a), Json::String(b)) => a == b,
        (Value::Array(a), Json::Array(b)) => {
            let elements: Vec<Value<'_>> = value.elements().collect();
            serde_json::from_str::<Json>(a).ok().as_ref() == Some(json)
                && elements.len() == b.len()
                && elements.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Json::Object(_)) => {
            serde_json::from_str::<Json>(a).ok().as_ref() == Some(json)
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn records_come_back_from_every_framing(
        records in prop::collection::vec(any_record(), 0..6),
        sizes in prop::collection::vec(1usize..40, 1..4),
    ) {
        for framing in FRAMINGS {
            let text = frame(&records, framing);
            let whole = drain(text.as_bytes());
            prop_assert_eq!(&whole.1, &vec![], "{:?}: {}", framing, text);
            let back: Vec<Json> =
                whole.0.iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect();
            prop_assert_eq!(&back, &records, "{:?}: {}", framing, text);
            let parts = drain(Pieces(text.as_bytes(), sizes.clone(), 0));
            prop_assert_eq!(&parts, &whole, "{:?}: {}", framing, text);
            let likely = drain_likely(Splitter::new(Pieces(text.as_bytes(), sizes.clone(), 0), options()));
            prop_assert_eq!(&likely, &whole, "{:?}: {}", framing, text);
            let uncopied = drain_likely(Splitter::whole(text.as_bytes(), options()));
            prop_assert_eq!(uncopied, whole, "{:?}: {}", framing, text);
        }
    }

    #[test]
    fn the_size_of_pieces_does_not_show_on_broken_input(
        records in prop::collection::vec(any_record(), 1..5),
        framing in prop::sample::select(&FRAMINGS[..]),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..4),
        sizes in prop::collection::vec(1usize..40, 1..4),
    ) {
        let mut bytes = frame(&records, framing).into_bytes();
        for (at, byte, kind) in cuts {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                _ => bytes.truncate(at),
            }
        }
        let whole = drain(&bytes[..]);
        let parts = drain(Pieces(&bytes, sizes.clone(), 0));
        prop_assert_eq!(&parts, &whole, "{}", String::from_utf8_lossy(&bytes));
        for likely in [
            drain_likely(Splitter::whole(&bytes, options())),
            drain_likely(Splitter::new(&bytes[..], options())),
            drain_likely(Splitter::new(Pieces(&bytes, sizes, 0), options())),
        ] {
            prop_assert_eq!(&likely, &whole, "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn a_broken_line_between_good_ones_hides_none(
        before in any_record(),
        after in any_record(),
        broken in any_record(),
        cut in any::<prop::sample::Index>(),
    ) {
        let broken = broken.to_string();
        let mut cut = cut.index(broken.len());
        while !broken.is_char_boundary(cut) { cut -= 1; }
        let text = format!("{before}\n{}\n{after}\n{after}\n", &broken[..cut]);
        let (records, _) = drain(text.as_bytes());
        let good = |record: &Json| records.iter().filter(|bytes| {
            serde_json::from_slice::<Json>(bytes).is_ok_and(|json| json == *record)
        }).count();
        prop_assert!(good(&before) >= 1, "{}", text);
        prop_assert!(good(&after) >= 2, "{}", text);
    }

    #[test]
    fn extraction_agrees_with_a_walk_of_the_tree(
        record in any_record(),
        paths in prop::collection::btree_set("[a-c]{1,2}(\\.[a-c]){0,3}|events|b\\.events", 1..10),
        pretty in any::<bool>(),
    ) {
        let text = if pretty { serde_json::to_string_pretty(&record).unwrap() } else { record.to_string() };
        let mut fields = Fields::default();
        let ids: Vec<_> = paths.iter().map(|path| fields.intern(path)).collect();
        let extractor = Extractor::new(&fields);
        let mut buffer = SlotBuffer::new();
        // Twice: what an earlier record left in the buffer must not show.
        extractor.extract(br#"{"a":{"a":[1,2],"b":3},"b":[{"a":1},{"a":2}]}"#, &mut buffer).unwrap();
        let slots = extractor.extract(text.as_bytes(), &mut buffer).unwrap();
        for (path, id) in paths.iter().zip(ids) {
            let mut expected = Vec::new();
            walk(&record, path, &mut expected);
            let values = slots.values(id);
            prop_assert_eq!(values.len(), expected.len(), "{} in {}", path, text);
            for json in expected {
                prop_assert!(values.iter().any(|value| same(value, json)), "{} in {}", path, text);
            }
        }
    }

    #[test]
    fn the_extractor_takes_what_serde_json_takes(
        record in any_record(),
        at in any::<prop::sample::Index>(),
        byte in prop::sample::select(&b"{}[]\",:\\ntu0-.eE \n\x01x"[..]),
        remove in any::<bool>(),
    ) {
        let mut bytes = record.to_string().into_bytes();
        let at = at.index(bytes.len());
        if remove { bytes.remove(at); } else { bytes[at] = byte; }
        let mut fields = Fields::default();
        fields.intern("a");
        let extractor = Extractor::new(&fields);
        let mut buffer = SlotBuffer::new();
        let own = extractor.extract(&bytes, &mut buffer).is_ok();
        let theirs = serde_json::from_slice::<Json>(&bytes).is_ok_and(|json| json.is_object());
        // A surrogate without its partner is taken here and not there; a number beyond a double too.
        let text = String::from_utf8_lossy(&bytes);
        if own != theirs {
            prop_assert!(own && (text.contains("\\u") || text.contains(['e', 'E'])), "{}", text);
        }
    }
}
