use portreeve_record::{
    Extractor, FieldId, Fields, Record, SlotBuffer, Split, SplitOptions, Splitter, Value,
};
use serde_json::Map;

use super::table;
use super::wanted::{Native, text};
use crate::Unwrapped;

/// Where exports put the record, most telling first: as text or as an object.
const WRAPPERS: &[&str] = &[
    "_raw",            // Splunk
    "CloudTrailEvent", // lookup-events
    "event.original",  // Elastic
    "eventJson",       // CloudTrail Lake
    "detail",          // EventBridge
    "_source",         // OpenSearch, Elasticsearch
    "result",          // Splunk, one result a line
    "message",         // CloudWatch Logs, Logstash
    "@message",        // CloudWatch Logs Insights
    "Message",         // SNS
    "Body",            // SQS
    "body",            // SQS to Lambda
    "event",           // Splunk's collector
    "eventData",       // CloudTrail Lake channels
    "log",             // container logs
    "record",
    "raw",
    "rawData",
    "raw_event",
    "data",
];

/// Wrappers in wrappers are opened this deep.
const DEEPEST: u8 = 6;

const DIGEST: &str = "a digest file of CloudTrail: hashes of log files, no records";

/// Takes wrappings off records. Has its own fields, so that the fields of wrappings do not weigh
/// on the extraction of native records.
#[derive(Debug)]
pub(super) struct Unwrapper {
    extractor: Extractor,
    native: Native,
    wrappers: Vec<FieldId>,
    row_name: FieldId,
    row_marks: [FieldId; 4],
    digest_start: FieldId,
    digest_files: FieldId,
}

/// What was found in one piece.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Native,
    Opened,
    Ignored(&'static str),
    Foreign,
    Broken(String),
}

#[derive(Debug, Default)]
struct Found {
    records: Vec<Vec<u8>>,
    dead: Vec<String>,
    /// The wrapping that held the first record.
    format: Option<&'static str>,
}

impl Unwrapper {
    pub(super) fn new() -> Self {
        let mut fields = Fields::default();
        let native = Native::new(&mut fields);
        let wrappers = WRAPPERS.iter().map(|path| fields.intern(path)).collect();
        let row_name = fields.intern("eventname");
        let row_marks = ["eventsource", "useridentity", "eventid", "eventversion"]
            .map(|path| fields.intern(path));
        let digest_start = fields.intern("digestStartTime");
        let digest_files = fields.intern("logFiles");
        let extractor = Extractor::new(&fields);
        Self {
            extractor,
            native,
            wrappers,
            row_name,
            row_marks,
            digest_start,
            digest_files,
        }
    }

    pub(super) fn unwrap(&self, record: &[u8]) -> Unwrapped {
        let mut found = Found::default();
        match self.open(record, DEEPEST, &mut found) {
            Verdict::Native => Unwrapped::Native,
            Verdict::Opened => Unwrapped::Inner {
                records: found.records,
                dead: found.dead,
            },
            Verdict::Ignored(what) => Unwrapped::Ignored(what),
            Verdict::Foreign => Unwrapped::Foreign("no CloudTrail record in it"),
            Verdict::Broken(reason) => Unwrapped::Broken(reason),
        }
    }

    /// The form in which a record is held: `None` where it is not CloudTrail's, an empty text
    /// where it is native.
    pub(super) fn format(&self, record: &[u8]) -> Option<&'static str> {
        let mut found = Found::default();
        match self.open(record, DEEPEST, &mut found) {
            Verdict::Native => Some(""),
            Verdict::Opened if !found.records.is_empty() => {
                Some(found.format.unwrap_or("records as text"))
            }
            Verdict::Ignored(_) => Some("digest"),
            _ => None,
        }
    }

    fn open(&self, piece: &[u8], levels: u8, found: &mut Found) -> Verdict {
        let piece = piece.trim_ascii();
        let Some(deeper) = levels.checked_sub(1) else {
            return Verdict::Broken("wrapped too often".into());
        };
        match piece.first() {
            Some(b'"') => match serde_json::from_slice::<String>(piece) {
                Ok(inner) => self.open_text(&inner, "JSON text", deeper, found),
                Err(error) => Verdict::Broken(error.to_string()),
            },
            Some(b'[') => self.open_array(piece, deeper, found),
            _ => self.open_object(piece, levels, found),
        }
    }

    fn open_object(&self, piece: &[u8], levels: u8, found: &mut Found) -> Verdict {
        let mut buffer = SlotBuffer::new();
        let slots = match self.extractor.extract(piece, &mut buffer) {
            Ok(slots) => slots,
            Err(error) => return Verdict::Broken(error.to_string()),
        };
        let has = |field| !slots.values(field).is_empty();
        if self.native.holds(&slots) {
            if levels == DEEPEST {
                return Verdict::Native;
            }
            found.records.push(piece.to_vec());
            return Verdict::Opened;
        }
        if has(self.digest_start) && has(self.digest_files) {
            return Verdict::Ignored(DIGEST);
        }
        if text(&slots, self.row_name).is_some() && self.row_marks.iter().any(|mark| has(*mark)) {
            return match serde_json::from_slice::<Map<String, serde_json::Value>>(piece) {
                Ok(row) => self.open_row(row, levels, found),
                Err(error) => Verdict::Broken(error.to_string()),
            };
        }
        let mut last = Verdict::Foreign;
        for (wrapper, field) in WRAPPERS.iter().zip(&self.wrappers) {
            for value in slots.values(*field) {
                let verdict = match value {
                    Value::String(inner) => self.open_text(inner, wrapper, levels - 1, found),
                    Value::Object(inner) => self.open(inner.as_bytes(), levels - 1, found),
                    Value::Array(inner) => self.open_text(inner, wrapper, levels - 1, found),
                    _ => continue,
                };
                match verdict {
                    Verdict::Opened => {
                        found.format = Some(format_of(wrapper));
                        return Verdict::Opened;
                    }
                    Verdict::Foreign => {}
                    other => last = other,
                }
            }
        }
        last
    }

    /// Text that may hold records: one or more, in any framing.
    fn open_text(&self, inner: &str, wrapper: &str, levels: u8, found: &mut Found) -> Verdict {
        let trimmed = inner.trim_start();
        if !trimmed.contains('{') {
            return Verdict::Foreign;
        }
        let claims = trimmed.starts_with(['{', '[']) || wrapper == "CloudTrailEvent";
        let records = found.records.len();
        let mut splitter = Splitter::new(trimmed.as_bytes(), split_options());
        let mut dead = Vec::new();
        let mut ignored = None;
        while let Some(split) = splitter.next() {
            match split {
                Split::Record(record) => match self.open(record.bytes, levels, found) {
                    Verdict::Broken(reason) => dead.push(reason),
                    Verdict::Ignored(what) => ignored = Some(what),
                    Verdict::Native | Verdict::Opened | Verdict::Foreign => {}
                },
                Split::Dead { reason, .. } => dead.push(reason.into_owned()),
            }
        }
        if found.records.len() > records {
            found.dead.extend(
                dead.into_iter()
                    .map(|reason| format!("in {wrapper}: {reason}")),
            );
            return Verdict::Opened;
        }
        match (dead.into_iter().next(), ignored) {
            (Some(reason), _) if claims => Verdict::Broken(format!("in {wrapper}: {reason}")),
            (_, Some(what)) => Verdict::Ignored(what),
            _ => Verdict::Foreign,
        }
    }

    /// An array that stands for one row (`[{"eventName":"…"},{"eventTime":"…"}]`, or
    /// `[{"field":"@message","value":"…"}]`), or that holds records.
    fn open_array(&self, piece: &[u8], levels: u8, found: &mut Found) -> Verdict {
        let cells: Vec<Map<String, serde_json::Value>> = match serde_json::from_slice(piece) {
            Ok(cells) => cells,
            // Not an array of objects alone.
            Err(_) => {
                return match std::str::from_utf8(piece) {
                    Ok(inner) => self.open_text(inner, "array", levels, found),
                    Err(error) => Verdict::Broken(error.to_string()),
                };
            }
        };
        let mut row = Map::new();
        for mut cell in cells {
            if let (Some(field), Some(value)) = (
                cell.get("field")
                    .and_then(|field| field.as_str())
                    .map(str::to_owned),
                cell.remove("value"),
            ) {
                row.insert(field, value);
            } else if cell.len() == 1 {
                row.extend(cell);
            } else {
                return match std::str::from_utf8(piece) {
                    Ok(inner) => self.open_text(inner, "array", levels, found),
                    Err(error) => Verdict::Broken(error.to_string()),
                };
            }
        }
        self.open_row(row, levels, found)
    }

    /// A row of a table: its columns are CloudTrail's fields in any case, or one of them holds the
    /// whole record.
    pub(super) fn open_cells(
        &self,
        row: Map<String, serde_json::Value>,
    ) -> (Vec<Vec<u8>>, Vec<String>, Option<String>) {
        let mut found = Found::default();
        let reason = match self.open_row(row, DEEPEST - 1, &mut found) {
            Verdict::Opened | Verdict::Native => None,
            Verdict::Ignored(what) => Some(what.to_owned()),
            Verdict::Foreign => Some("a row without a CloudTrail record".to_owned()),
            Verdict::Broken(reason) => Some(reason),
        };
        (found.records, found.dead, reason)
    }

    fn open_row(
        &self,
        row: Map<String, serde_json::Value>,
        levels: u8,
        found: &mut Found,
    ) -> Verdict {
        let Some(deeper) = levels.checked_sub(1) else {
            return Verdict::Broken("wrapped too often".into());
        };
        for (name, value) in &row {
            if table::holds_record(name)
                && let Some(inner) = value.as_str()
                && self.open_text(inner, name, deeper, found) == Verdict::Opened
            {
                found.format = Some("rows");
                return Verdict::Opened;
            }
        }
        match table::canonical(row) {
            Some(record) => {
                found.records.push(record);
                found.format = Some("rows");
                Verdict::Opened
            }
            None => Verdict::Foreign,
        }
    }
}

fn split_options() -> SplitOptions {
    SplitOptions {
        envelopes: super::ENVELOPES
            .iter()
            .map(|key| (*key).to_owned())
            .collect(),
        ..SplitOptions::default()
    }
}

/// What people call a wrapping.
fn format_of(wrapper: &str) -> &'static str {
    match wrapper {
        "CloudTrailEvent" => "lookup-events",
        "detail" => "eventbridge",
        "message" | "@message" => "cloudwatch logs",
        "eventJson" | "eventData" => "cloudtrail lake",
        _ => "siem export",
    }
}
