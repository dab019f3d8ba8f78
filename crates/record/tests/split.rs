//! How streams are split: framings, broken parts, sizes.

use std::io::{self, Read};

use portreeve_record::{Split, SplitOptions, Splitter, View};

/// Yields its bytes in pieces of one size, then an error if there is one.
struct Pieces<'a> {
    bytes: &'a [u8],
    size: usize,
    error: Option<io::Error>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.size.min(buffer.len()).min(self.bytes.len());
        if count == 0
            && let Some(error) = self.error.take()
        {
            return Err(error);
        }
        buffer[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}

fn options() -> SplitOptions {
    let envelopes = ["Records", "events", "hits.hits"]
        .map(str::to_owned)
        .to_vec();
    SplitOptions {
        envelopes,
        ..SplitOptions::default()
    }
}

fn drain<V: View>(mut splitter: Splitter<V>) -> (Vec<String>, Vec<(u64, String)>) {
    let mut records = Vec::new();
    let mut dead = Vec::new();
    while let Some(split) = splitter.next() {
        match split {
            Split::Record(record) => {
                assert_eq!(record.index, records.len() as u64);
                records.push(String::from_utf8(record.bytes.to_vec()).unwrap());
            }
            Split::Dead { offset, reason } => dead.push((offset, reason.into_owned())),
        }
    }
    (records, dead)
}

/// Splits in pieces of several sizes; all must agree.
fn split_with(text: &[u8], options: &SplitOptions) -> (Vec<String>, Vec<(u64, String)>) {
    let whole = drain(Splitter::new(text, options.clone()));
    for size in [1, 2, 3, 7, 64] {
        let pieces = Pieces {
            bytes: text,
            size,
            error: None,
        };
        let parts = drain(Splitter::new(pieces, options.clone()));
        assert_eq!(parts, whole, "in pieces of {size}");
    }
    whole
}

fn split(text: &str) -> (Vec<String>, Vec<(u64, String)>) {
    split_with(text.as_bytes(), &options())
}

#[track_caller]
fn assert_records(text: &str, expected: &[&str]) {
    let (records, dead) = split(text);
    assert_eq!(records, expected);
    assert_eq!(dead, [], "{text}");
}

#[track_caller]
fn assert_salvaged(text: &str, expected: &[&str], dead_offsets: &[u64]) {
    let (records, dead) = split(text);
    assert_eq!(records, expected, "{dead:?}");
    let offsets: Vec<u64> = dead.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, dead_offsets, "{dead:?}");
}

#[test]
fn lines_arrays_envelopes_and_documents_give_the_same_records() {
    let records = [r#"{"a":1}"#, r#"{"b":{"c":[1,"x}{"]}}"#, r#"{"d":"é\"\\"}"#];
    assert_records(&records.join("\n"), &records);
    assert_records(&(records.join("\r\n") + "\r\n"), &records);
    assert_records(&format!("\u{feff}{}\n\n\n", records.join("\n\n")), &records);
    assert_records(&records.concat(), &records);
    assert_records(&records.join("   "), &records);
    assert_records(&records.join(",\n"), &records);
    assert_records(&format!("[{}]", records.join(",")), &records);
    assert_records(&format!("[\n  {}\n]\n", records.join(",\n  ")), &records);
    assert_records(
        &format!(r#"{{"Records":[{}]}}"#, records.join(",")),
        &records,
    );
    assert_records(
        &format!(
            r#"{{"x":{{"Records":[0]}},"Records" : [ {} ] , "y":[1]}}"#,
            records.join(" , ")
        ),
        &records,
    );
    assert_records(
        &format!(
            r#"{{"took":3,"hits":{{"total":{{"value":3}},"hits":[{}]}}}}"#,
            records.join(",")
        ),
        &records,
    );
}

#[test]
fn envelopes_may_follow_one_another() {
    let envelope = |from: usize| {
        format!(
            r#"{{"Records":[{{"n":{from}}},{{"n":{}}}],"events":[{{"e":0}}]}}"#,
            from + 1
        )
    };
    let expected = [
        r#"{"n":0}"#,
        r#"{"n":1}"#,
        r#"{"e":0}"#,
        r#"{"n":5}"#,
        r#"{"n":6}"#,
        r#"{"e":0}"#,
    ];
    assert_records(&(envelope(0) + "\n" + &envelope(5) + "\n"), &expected);
    assert_records(&(envelope(0) + &envelope(5)), &expected);
    assert_records(&format!("[{},{}]", envelope(0), envelope(5)), &expected);
    assert_records(r#"{"Records":[]}"#, &[]);
}

#[test]
fn records_that_only_mention_an_envelope_stay_whole() {
    for record in [
        r#"{"name":"Records","x":["Records"]}"#,
        r#"{"requestParameters":{"Records":[{"a":1}]}}"#,
        r#"{"Records":{"a":1}}"#,
        r#"{"hits":[{"a":1}]}"#,
        r#"{"hits":{"hits":3}}"#,
    ] {
        assert_records(&format!("{record}\n{record}\n"), &[record, record]);
    }
}

#[test]
fn pretty_printed_documents_are_records() {
    let one = "{\n  \"a\": {\n    \"b\": [\n      1\n    ]\n  }\n}";
    let two = "{ \"a\": {\"b\": 1}\n, \"c\": 2 }";
    assert_records(&format!("{one}\n{two}\n{one}"), &[one, two, one]);
}

#[test]
fn text_before_the_object_is_left_out() {
    assert_records(
        "2026-03-03T07:44:00.000Z {\"a\":1}\n2026-03-03T07:45:00.000Z {\"a\":{\"b\":2}}\n",
        &[r#"{"a":1}"#, r#"{"a":{"b":2}}"#],
    );
    assert_records("[host] <13> {\"a\":1}\n", &[r#"{"a":1}"#]);
    assert_salvaged(
        "no record here\n{\"a\":1}\nnor {here}\n",
        &[r#"{"a":1}"#],
        &[0, 23],
    );
}

#[test]
fn strings_and_arrays_in_an_array_are_records() {
    assert_records(
        r#"["{\"a\":1}",[{"b":1}],{"c":1}]"#,
        &[r#""{\"a\":1}""#, r#"[{"b":1}]"#, r#"{"c":1}"#],
    );
    assert_salvaged(
        r#"[{"a":1},2,null,{"b":1}]"#,
        &[r#"{"a":1}"#, r#"{"b":1}"#],
        &[9, 11],
    );
}

#[test]
fn a_broken_line_costs_only_itself() {
    for broken in [
        r#"{"a":"#,
        r#"{"a":"cut"#,
        r#"{"a":1,"#,
        r#"{"a":{"b":1}"#,
        r#"{"a":[}"#,
        r#"{"a" 1}"#,
        r#"{"a":01x}"#,
        r#"{"a":"\q"}"#,
    ] {
        let text = format!("{{\"n\":1}}\n{broken}\n{{\"n\":2}}\n{{\"n\":3}}\n");
        let (records, dead) = split(&text);
        // A line that ends in a closing brace is left to the extractor to refuse.
        let records: Vec<_> = records
            .iter()
            .filter(|record| record.as_str() != broken)
            .collect();
        assert_eq!(
            records,
            [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#],
            "{broken}: {dead:?}"
        );
        assert!(dead.len() <= 1, "{broken}: {dead:?}");
    }
}

#[test]
fn a_broken_element_costs_only_itself() {
    for broken in [
        r#"{"n":"#,
        r#"{"n":tru}"#,
        r#"{"n":1"#,
        r#"{"n":[1}"#,
        "{\"n\":\"x\ny\"}",
    ] {
        let text = format!(r#"{{"Records":[{{"n":1}},{broken},{{"n":2}},{{"n":3}}]}}"#);
        assert_salvaged(&text, &[r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#], &[20]);
    }
    // The first one, and one with objects inside.
    assert_salvaged(
        r#"{"Records":[{"n":1,,"r":[{"x":1},{"x":2}]},{"n":2}]}"#,
        &[r#"{"n":2}"#],
        &[12],
    );
    // Another document behind a break.
    assert_salvaged(
        "{\"Records\":[{\"n\":1},{\"n\":]}\n{\"Records\":[{\"n\":2}]}\n",
        &[r#"{"n":1}"#, r#"{"n":2}"#],
        &[20],
    );
}

#[test]
fn a_broken_document_on_a_shared_line_costs_only_itself() {
    assert_salvaged(
        r#"{"n":1}{"n":}{"n":2}{"n":3}"#,
        &[r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#],
        &[7],
    );
}

#[test]
fn cut_off_streams_are_told() {
    assert_salvaged(r#"{"Records":[{"n":1},{"n":2"#, &[r#"{"n":1}"#], &[20]);
    assert_salvaged(r#"{"Records":[{"n":1},"#, &[r#"{"n":1}"#], &[20]);
    assert_salvaged("{\"n\":1}\n{\"n\":", &[r#"{"n":1}"#], &[8]);
    assert_salvaged(r#"{"n":1},{"n":2}]}"#, &[r#"{"n":1}"#, r#"{"n":2}"#], &[]);
    assert_salvaged("", &[], &[]);
    assert_salvaged(" \n\n ", &[], &[]);
}

#[test]
fn a_read_error_comes_last_and_once() {
    for text in [
        "{\"n\":1}\n{\"n\":2}\n",
        "{\"n\":1}\n{\"n\":2}\n{\"n\":",
        "[{\"n\":1},{\"n\":2},",
    ] {
        for size in [1, 5, 1000] {
            let error = Some(io::Error::other("the gzip stream is cut off"));
            let (records, dead) = drain(Splitter::new(
                Pieces {
                    bytes: text.as_bytes(),
                    size,
                    error,
                },
                options(),
            ));
            assert_eq!(records, [r#"{"n":1}"#, r#"{"n":2}"#]);
            assert_eq!(dead.len(), 1, "{dead:?}");
            assert!(dead[0].1.contains("gzip stream is cut off"));
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_cost_one_record() {
    let text = b"{\"n\":1}\n{\"n\":\"\xff\xfe\"}\n{\"n\":2}\n";
    let (records, dead) = split_with(text, &options());
    assert_eq!(records, [r#"{"n":1}"#, r#"{"n":2}"#]);
    assert_eq!(dead, [(8, "byte 6 of the record is not UTF-8".to_owned())]);
    let (records, dead) = split_with(b"[{\"n\":1},{\"n\":\"\xff\"},{\"n\":2}]", &options());
    assert_eq!((records.len(), dead.len()), (2, 1));
    // No text at all.
    let noise: Vec<u8> = (0..=255u8).cycle().take(100_000).collect();
    let (_, dead) = split_with(&noise, &options());
    assert!(!dead.is_empty());
}

#[test]
fn records_over_the_limit_are_dead_and_the_rest_is_read() {
    let small = SplitOptions {
        max_record: 100,
        ..options()
    };
    let long = "x".repeat(500);
    for text in [
        format!("{{\"n\":1}}\n{{\"n\":\"{long}\"}}\n{{\"n\":2}}\n"),
        format!("[{{\"n\":1}},{{\"n\":\"{long}\"}},{{\"n\":2}}]"),
        format!("{{\"Records\":[{{\"n\":1}},{{\"n\":\"{long}\"}},{{\"n\":2}}]}}"),
        format!("{{\"header\":\"{long}\",\"Records\":[{{\"n\":1}},{{\"{long}\":2}},{{\"n\":2}}]}}"),
    ] {
        let (records, dead) = split_with(text.as_bytes(), &small);
        assert_eq!(records, [r#"{"n":1}"#, r#"{"n":2}"#], "{dead:?}");
        assert_eq!(dead.len(), 1, "{dead:?}");
        assert!(dead[0].1.contains("more than 100 bytes"), "{dead:?}");
    }
}

#[test]
fn nesting_without_end_is_dead_and_the_rest_is_read() {
    let deep =
        |open: &str, close: &str, count: usize| open.repeat(count) + "1" + &close.repeat(count);
    for count in [200, 100_000] {
        for deep in [
            deep(r#"{"a":"#, "}", count),
            format!("{{\"a\":{}}}", deep("[", "]", count)),
        ] {
            let (records, dead) = drain(Splitter::new(
                format!("[{{\"n\":1}},{deep},{{\"n\":2}}]").as_bytes(),
                options(),
            ));
            assert_eq!(records, [r#"{"n":1}"#, r#"{"n":2}"#], "{dead:?}");
            assert_eq!(dead, [(9, "a record nested too deep".to_owned())]);
        }
        let never_closed = format!("{{\"n\":1}}\n{}\n{{\"n\":2}}\n", r#"{"a":"#.repeat(count));
        let (records, dead) = drain(Splitter::new(never_closed.as_bytes(), options()));
        assert_eq!(records, [r#"{"n":1}"#, r#"{"n":2}"#]);
        assert_eq!(dead.len(), 1);
    }
    let within = deep(r#"{"a":"#, "}", 128);
    assert_records(&within, &[&within]);
}

/// Repeats a piece without holding it in memory.
struct Giant {
    start: &'static [u8],
    piece: &'static [u8],
    repeat: usize,
    end: &'static [u8],
}

impl Giant {
    fn reader(&self) -> impl Read {
        let middle = io::repeat(0).take((self.repeat * self.piece.len()) as u64);
        self.start
            .chain(Cycle {
                piece: self.piece,
                at: 0,
                inner: middle,
            })
            .chain(self.end)
    }
}

struct Cycle<R> {
    piece: &'static [u8],
    at: usize,
    inner: R,
}

impl<R: Read> Read for Cycle<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for byte in &mut buffer[..count] {
            *byte = self.piece[self.at];
            self.at = (self.at + 1) % self.piece.len();
        }
        Ok(count)
    }
}

#[test]
fn a_giant_string_is_skipped() {
    let giant = Giant {
        start: b"{\"n\":1}\n{\"n\":\"",
        piece: b"a longer \\\"string\\\" than fits ",
        repeat: 2_000_000,
        end: b"\"}\n{\"n\":2}\n",
    };
    let mut splitter = Splitter::new(giant.reader(), options());
    let mut records = 0;
    let mut dead = Vec::new();
    while let Some(split) = splitter.next() {
        match split {
            Split::Record(_) => records += 1,
            Split::Dead { offset, .. } => dead.push(offset),
        }
    }
    assert_eq!((records, dead), (2, vec![8]));
    assert!(splitter.bytes_read() > 50_000_000);
}

#[test]
fn a_giant_line_of_records_is_split_as_it_streams() {
    let giant = Giant {
        start: b"{\"Records\":[{\"n\":1}",
        piece: b",{\"n\":1,\"text\":\"and some more of it\"}",
        repeat: 500_000,
        end: b"]}",
    };
    let (mut records, mut dead) = (0u64, 0u64);
    let mut splitter = Splitter::new(giant.reader(), options());
    while let Some(split) = splitter.next() {
        match split {
            Split::Record(_) => records += 1,
            Split::Dead { .. } => dead += 1,
        }
    }
    assert_eq!((records, dead), (500_001, 0));
}

#[test]
fn offsets_point_at_the_records() {
    let text = "\u{feff}{\"Records\": [ {\"n\":1} ,\n{\"n\":22}]}\n{\"n\":3}\nx {\"n\":4}\n";
    let mut splitter = Splitter::new(text.as_bytes(), options());
    let mut count = 0;
    while let Some(Split::Record(record)) = splitter.next() {
        let at = record.offset as usize;
        assert_eq!(&text.as_bytes()[at..at + record.bytes.len()], record.bytes);
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
fn what_is_looked_back_on_does_not_depend_on_the_size_of_reads() {
    // Found by fuzzing: too deep, then a string broken by a line end in front of a brace.
    let options = SplitOptions {
        max_depth: 4,
        ..options()
    };
    let (records, dead) = split_with(b"[[[[[[[[{\"[\n{\n\r\t\x03\n{\n\r{", &options);
    assert_eq!(records, [""; 0]);
    assert!(!dead.is_empty());
}

#[test]
fn a_broken_record_over_the_limit_is_passed_over_alike() {
    // Found by fuzzing: an element that is too large and broken, with what looks like records in it.
    let options = SplitOptions {
        max_record: 64,
        ..options()
    };
    let text = format!("[[\"{}{{,,{{\"\",{{\"\"{{,,{{\"\",1", "7".repeat(65));
    let (records, dead) = split_with(text.as_bytes(), &options);
    assert_eq!(records, [""; 0]);
    assert!(!dead.is_empty());
}

#[test]
fn a_line_with_much_space_behind_it_is_read_alike() {
    // Found by fuzzing: where the window ended behind that space, the line seemed to be the last one.
    let options = SplitOptions {
        max_record: 64,
        ..options()
    };
    let text = format!(
        "{{\"\":1}}\n{{\"\":2}} x {{ }}{}\n}}\n{{\"\":3}}\n",
        "\r".repeat(70)
    );
    let (records, dead) = split_with(text.as_bytes(), &options);
    assert_eq!(records, [r#"{"":1}"#, r#"{"":2}"#, "{ }", r#"{"":3}"#]);
    assert!(dead.is_empty(), "{dead:?}");
}

#[test]
fn a_number_without_end_is_passed_over() {
    let options = SplitOptions {
        max_record: 1 << 20,
        ..options()
    };
    let mut text = b"{\"a\":1}\n{\"a\":".to_vec();
    text.resize(text.len() + (20 << 20), b'7');
    text.extend_from_slice(b"}\n{\"a\":2}\n");
    let (records, dead) = drain(Splitter::new(&text[..], options));
    assert_eq!(records, [r#"{"a":1}"#, r#"{"a":2}"#]);
    assert_eq!(dead.len(), 1, "{dead:?}");
}
