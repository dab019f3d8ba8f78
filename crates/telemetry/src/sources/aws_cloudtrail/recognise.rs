use std::sync::LazyLock;

use portreeve_record::{Split, SplitOptions, Splitter};

use super::rows;
use super::unwrap::Unwrapper;
use crate::{Container, Recognition, Rows};

/// How many records are looked at.
const SAMPLE: usize = 16;

/// What stands before the first record, and what such a file is called.
const ENVELOPES: &[(&[u8], &str)] = &[
    (b"\"Records\"", "records"),
    (b"\"QueryResultRows\"", "cloudtrail lake"),
    (b"\"logEvents\"", "cloudwatch logs subscription"),
    (b"\"hits\"", "search hits"),
    (b"\"events\"", "filter-log-events"),
    (b"\"Events\"", "lookup-events"),
    (b"\"results\"", "search results"),
];

/// Names that stand in every full record, for a first record that is longer than the sample.
const MARKS: &[&[u8]] = &[
    b"\"eventVersion\"",
    b"\"eventSource\"",
    b"\"eventName\"",
    b"\"userIdentity\"",
];

/// The same for a digest: one of a busy hour is longer than the sample.
const DIGEST_MARKS: &[&[u8]] = &[b"\"awsAccountId\"", b"\"digestStartTime\""];

/// Made once: of a thousand small files each is recognised.
static UNWRAPPER: LazyLock<Unwrapper> = LazyLock::new(Unwrapper::new);

pub(super) fn recognise(head: &[u8]) -> Option<Recognition> {
    let found = |format, container| {
        Some(Recognition {
            source: super::ID,
            format,
            container,
        })
    };
    if let Some((_, whole)) = rows::head_line(head)
        && first_row_reads(head, whole)
    {
        return found("rows of a table", Container::Csv);
    }
    let options = SplitOptions {
        envelopes: super::ENVELOPES
            .iter()
            .map(|key| (*key).to_owned())
            .collect(),
        ..SplitOptions::default()
    };
    let mut splitter = Splitter::whole(head, options);
    let mut records = 0;
    while records < SAMPLE
        && let Some(split) = splitter.next()
    {
        let Split::Record(record) = split else {
            continue;
        };
        records += 1;
        let before = head
            .get(..record.offset as usize)
            .unwrap_or_default()
            .trim_ascii();
        match UNWRAPPER.format(record.bytes) {
            None => {}
            Some("digest") => return found("digest", Container::Ignored),
            Some(wrapping) => return found(format(before, wrapping), Container::Json),
        }
    }
    // Full keys of a record that is cut off, in whatever framing.
    let holds = |mark: &[u8]| head.windows(mark.len()).any(|window| window == mark);
    if records == 0 && DIGEST_MARKS.iter().all(|mark| holds(mark)) {
        return found("digest", Container::Ignored);
    }
    if records == 0 && MARKS.iter().all(|mark| holds(mark)) && holds(b".amazonaws.com") {
        return found(format(head, ""), Container::Json);
    }
    None
}

fn format(before: &[u8], wrapping: &'static str) -> &'static str {
    let envelope = ENVELOPES.iter().find(|(key, _)| {
        before
            .get(..before.len().min(4096))
            .is_some_and(|start| start.windows(key.len()).any(|window| window == *key))
    });
    match (envelope, wrapping) {
        (Some((_, "search results" | "search hits")), wrapping) if !wrapping.is_empty() => wrapping,
        (Some((_, format)), _) => format,
        (None, "") => match before.first() {
            None => "ndjson",
            Some(b'[') => "array",
            Some(b'{') => "records",
            Some(_) => "cloudwatch logs export",
        },
        (None, wrapping) => wrapping,
    }
}

/// Whether a row under a fitting head line reads as a record. A head line that names CloudTrail's
/// own columns suffices where no row is there yet.
fn first_row_reads(head: &[u8], whole: bool) -> bool {
    let mut rows = rows::CsvRows::new(Box::new(head));
    let mut seen = 0;
    while seen < SAMPLE
        && let Some(split) = rows.next()
    {
        seen += 1;
        if let Split::Record(_) = split {
            return true;
        }
    }
    !whole && seen == 0
}
