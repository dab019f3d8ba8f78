//! What the extractor finds, and what it refuses.

use portreeve_record::{Extractor, FieldId, Fields, Record, SlotBuffer, Value};

fn with<T>(record: &str, paths: &[&str], test: impl FnOnce(&dyn Record, &[FieldId]) -> T) -> T {
    let mut fields = Fields::default();
    let ids: Vec<FieldId> = paths.iter().map(|path| fields.intern(path)).collect();
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let slots = extractor.extract(record.as_bytes(), &mut buffer).unwrap();
    test(&slots, &ids)
}

fn refused(record: &[u8]) -> (usize, String) {
    let mut fields = Fields::default();
    fields.intern("wanted");
    let mut buffer = SlotBuffer::new();
    let error = Extractor::new(&fields)
        .extract(record, &mut buffer)
        .unwrap_err();
    (error.offset, error.reason.to_owned())
}

#[test]
fn every_kind_of_value_is_found() {
    let record = r#" {"s":"te\u00e9xt\n","n":-1.50e3,"t":true,"f":false,"z":null,
        "a":[1,"two",{"three":3}],"o":{"x": 1},"e":"","nested":{"deep":{"er":"here"}}} "#;
    let paths = [
        "s",
        "n",
        "t",
        "f",
        "z",
        "a",
        "o",
        "e",
        "nested.deep.er",
        "absent",
        "nested.deep",
    ];
    with(record, &paths, |slots, ids| {
        let one = |at: usize| {
            let values = slots.values(ids[at]);
            assert_eq!(values.len(), 1, "{}", paths[at]);
            values[0].clone()
        };
        assert_eq!(one(0), Value::String("teéxt\n".into()));
        assert_eq!(one(1), Value::Number("-1.50e3"));
        assert_eq!(one(2), Value::Bool(true));
        assert_eq!(one(3), Value::Bool(false));
        assert_eq!(one(4), Value::Null);
        assert_eq!(one(5), Value::Array(r#"[1,"two",{"three":3}]"#));
        assert_eq!(one(6), Value::Object(r#"{"x": 1}"#));
        assert_eq!(one(7), Value::String("".into()));
        assert_eq!(one(8), Value::String("here".into()));
        assert!(slots.values(ids[9]).is_empty());
        assert_eq!(one(10), Value::Object(r#"{"er":"here"}"#));
        assert_eq!(slots.text(), record);
        let elements: Vec<Value<'_>> = one(5).elements().collect();
        assert_eq!(
            elements,
            [
                Value::Number("1"),
                Value::String("two".into()),
                Value::Object(r#"{"three":3}"#)
            ]
        );
    });
}

#[test]
fn paths_lead_through_arrays() {
    let record = r#"{"r":[{"a":"1","b":"x"},{"a":"2","b":"y"},[{"a":"3"}],{"b":"z"},4],"z":0}"#;
    with(record, &["r.b", "r.a", "z", "r"], |slots, ids| {
        let texts = |id| {
            slots
                .values(id)
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
        };
        assert_eq!(texts(ids[0]), ["x", "y", "z"]);
        assert_eq!(texts(ids[1]), ["1", "2", "3"]);
        assert_eq!(slots.values(ids[2]), [Value::Number("0")]);
        assert!(matches!(slots.values(ids[3]), [Value::Array(_)]));
    });
}

#[test]
fn dotted_escaped_and_repeated_keys_answer() {
    let record = r#"{"a.b":"dots","a":{"b":"levels"},"k\u0065y":"escaped","key":"again",
        "x.y":{"z":1},"x":{"y.z":2}}"#;
    with(record, &["a.b", "key", "x.y.z"], |slots, ids| {
        let texts = |id| {
            slots
                .values(id)
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
        };
        assert_eq!(texts(ids[0]), ["dots", "levels"]);
        assert_eq!(texts(ids[1]), ["escaped", "again"]);
        assert_eq!(slots.values(ids[2]).len(), 2);
    });
}

#[test]
fn derived_fields_are_not_looked_for() {
    let record = r#"{"portreeve":{"actor":{"kind":"human"}},"portreeve.actor.kind":"human"}"#;
    with(record, &["portreeve.actor.kind"], |slots, ids| {
        assert!(slots.values(ids[0]).is_empty());
    });
}

#[test]
fn odd_paths_do_no_harm() {
    with(
        r#"{"":{"":1},"a":{"":2},".":3}"#,
        &["", ".", "..", "a.", ".a", "a..b"],
        |slots, ids| {
            for id in ids {
                let _ = slots.values(*id);
            }
        },
    );
}

#[test]
fn broken_records_are_refused_with_their_place() {
    for (record, offset) in [
        (&b""[..], 0),
        (b"[]", 0),
        (b"\"text\"", 0),
        (b"{", 1),
        (b"{\"a\":1", 6),
        (b"{\"a\":1,}", 7),
        (b"{\"a\":1}x", 7),
        (b"{\"a\":1}{\"b\":2}", 7),
        (b"{\"a\" 1}", 5),
        (b"{\"a\":[1,]}", 8),
        (b"{\"a\":[1}", 7),
        (b"{\"a\":{\"b\":[{\"c\":tru}]}}", 16),
        (b"{\"a\":\"\\ud8zz\"}", 10),
        (b"{\"a\":\"\n\"}", 6),
        (b"{\"a\":\"\xff\"}", 6),
        (b"{\"a\":01}", 6),
        (b"{'a':1}", 1),
    ] {
        let (at, reason) = refused(record);
        assert_eq!(at, offset, "{}: {reason}", String::from_utf8_lossy(record));
    }
}

#[test]
fn nesting_without_end_is_refused() {
    for open in ["{\"wanted\":", "[", "{\"a\":["] {
        let record = "{\"x\":".to_owned() + &open.repeat(100_000);
        assert_eq!(refused(record.as_bytes()).1, "nested too deep");
    }
    let deepest = "{\"a\":".repeat(127) + "{}" + &"}".repeat(127);
    with(&deepest, &["a.a.a"], |slots, ids| {
        assert_eq!(slots.values(ids[0]).len(), 1)
    });
}

#[test]
fn long_keys_are_told_apart() {
    let long = "k".repeat(100);
    let record = format!(r#"{{"{long}":1,"{long}x":2}}"#);
    with(&record, &[&long], |slots, ids| {
        assert_eq!(slots.values(ids[0]), [Value::Number("1")]);
    });
}
