//! JSON records of a source that is not known: when, who and what by the names that such fields
//! mostly have.

use portreeve_model::Timestamp;
use portreeve_record::{FieldId, Fields, Record, SplitOptions, Value};

/// Keys whose array holds records in what tools export.
const ENVELOPES: &[&str] = &[
    "Records",
    "records",
    "Events",
    "events",
    "value",
    "items",
    "data",
    "results",
    "logEvents",
    "hits.hits",
];

const TIMES: &[&str] = &[
    "eventTime",
    "@timestamp",
    "_source.@timestamp",
    "timestamp",
    "time",
    "Timestamp",
    "UtcTime",
    "Event.System.TimeCreated.#attributes.SystemTime",
    "Event.System.TimeCreated.SystemTime",
    "TimeCreated",
    "SystemTime",
    "published",
    "createdDateTime",
    "activityDateTime",
    "requestReceivedTimestamp",
    "protoPayload.timestamp",
    "event_time",
    "created_at",
    "ts",
];

const IDS: &[&str] = &[
    "eventID",
    "metadata.uid",
    "auditID",
    "insertId",
    "uuid",
    "_id",
    "id",
    "event_id",
    "EventRecordID",
    "Event.System.EventRecordID",
    "_document_id",
    "correlationId",
];

const ACTORS: &[&str] = &[
    "userIdentity.arn",
    "userIdentity.principalId",
    "actor.user.name",
    "actor.alternateId",
    "actor.email",
    "actor",
    "protoPayload.authenticationInfo.principalEmail",
    "user.username",
    "initiatedBy.user.userPrincipalName",
    "userPrincipalName",
    "identity.claims.upn",
    "caller",
    "SubjectUserName",
    "Event.EventData.SubjectUserName",
    "User",
    "user.name",
    "user",
    "username",
];

const ACTIONS: &[&str] = &[
    "eventName",
    "api.operation",
    "protoPayload.methodName",
    "eventType",
    "activityDisplayName",
    "operationName",
    "action",
    "verb",
    "event.action",
    "EventID",
    "Event.System.EventID",
];

/// Fields of records of any source.
#[derive(Debug)]
pub(super) struct Plain {
    times: Vec<FieldId>,
    ids: Vec<FieldId>,
    actors: Vec<FieldId>,
    actions: Vec<FieldId>,
}

impl Plain {
    pub(super) fn new(fields: &mut Fields) -> Self {
        let mut all = |paths: &[&str]| paths.iter().map(|path| fields.intern(path)).collect();
        Self {
            times: all(TIMES),
            ids: all(IDS),
            actors: all(ACTORS),
            actions: all(ACTIONS),
        }
    }

    pub(super) fn time_fields(&self) -> &[FieldId] {
        &self.times
    }

    pub(super) fn all_fields(&self) -> impl Iterator<Item = FieldId> {
        [&self.times, &self.ids, &self.actors, &self.actions]
            .into_iter()
            .flatten()
            .copied()
    }

    /// The first of these fields that is a time.
    pub(super) fn time(
        record: &dyn Record,
        fields: &[FieldId],
        last: &mut LastTime,
    ) -> Option<Timestamp> {
        let mut read = |field: &FieldId| last.read(record.values(*field).first()?);
        fields.iter().find_map(&mut read)
    }

    pub(super) fn event_id(&self, record: &dyn Record) -> Option<Box<str>> {
        first(record, &self.ids)
    }

    pub(super) fn actor(&self, record: &dyn Record) -> Option<Box<str>> {
        first(record, &self.actors)
    }

    pub(super) fn action(&self, record: &dyn Record) -> Option<Box<str>> {
        first(record, &self.actions)
    }
}

fn first(record: &dyn Record, fields: &[FieldId]) -> Option<Box<str>> {
    let text = |field: &FieldId| match record.values(*field).first()? {
        Value::String(text) if !text.is_empty() => Some(text.as_ref().into()),
        Value::Number(text) => Some((*text).into()),
        _ => None,
    };
    fields.iter().find_map(text)
}

/// The time that was read last. Records that follow one another mostly happened in the same second, and
/// comparing a text takes a fraction of reading it.
#[derive(Debug, Default)]
pub(super) struct LastTime {
    text: String,
    time: Option<Timestamp>,
}

impl LastTime {
    /// Longer texts are no times, and not worth keeping.
    const LONGEST: usize = 64;

    fn read(&mut self, value: &Value<'_>) -> Option<Timestamp> {
        let Value::String(text) = value else {
            return time(value);
        };
        if **text == *self.text {
            return self.time;
        }
        let read = time(value);
        if text.len() <= Self::LONGEST {
            self.text.clear();
            self.text.push_str(text);
            self.time = read;
        }
        read
    }
}

/// A time: RFC 3339, with a space for the `T` and without a zone too, which then is UTC; or a number of
/// seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by its size.
pub(super) fn time(value: &Value<'_>) -> Option<Timestamp> {
    match value {
        Value::String(text) => text_time(text.trim()),
        Value::Number(text) => number_time(text.parse().ok()?),
        _ => None,
    }
}

fn text_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
        let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        return Some(zoned.timestamp());
    }
    let all_digits = text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits {
        number_time(text.parse().ok()?)
    } else {
        None
    }
}

fn number_time(number: f64) -> Option<Timestamp> {
    // Seconds stay below 1e11 until the year 5138.
    let seconds = match number.abs() {
        size if size < 1e11 => number,
        size if size < 1e14 => number / 1e3,
        size if size < 1e17 => number / 1e6,
        _ => number / 1e9,
    };
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
}

/// How the records of a source that is not known are found, by what a stream begins with: in the array
/// of the first key of its first object that is known to hold records. A stream of records that have such
/// a key themselves, one after the other, has none.
pub(super) fn split_options(begin: &[u8]) -> SplitOptions {
    let follows = memchr::memchr_iter(b'\n', begin).any(|newline| {
        let (before, behind) = begin.split_at(newline);
        before.trim_ascii_end().last() == Some(&b'}')
            && behind.trim_ascii_start().first() == Some(&b'{')
    });
    let envelope = if follows { None } else { envelope(begin) };
    SplitOptions {
        envelopes: envelope.into_iter().map(str::to_owned).collect(),
        ..SplitOptions::default()
    }
}

/// The path of the first array of objects, if it is one that tools write records to.
fn envelope(begin: &[u8]) -> Option<&'static str> {
    let mut keys: Vec<&[u8]> = Vec::new();
    let mut last: &[u8] = b"";
    let mut at = 0;
    while let Some(byte) = begin.get(at) {
        match byte {
            b'"' => {
                let rest = begin.get(at + 1..)?;
                let mut end = 0;
                while *rest.get(end)? != b'"' {
                    end += if rest.get(end) == Some(&b'\\') { 2 } else { 1 };
                }
                last = rest.get(..end)?;
                at += end + 1;
            }
            b'{' => keys.push(last),
            b'}' => drop(keys.pop()),
            b'[' => {
                let inside = begin.get(at + 1..)?.trim_ascii_start().first();
                // The object at the top has no key.
                let path: Vec<&[u8]> = keys.iter().skip(1).copied().chain([last]).collect();
                let path = path.join(&b'.');
                let known = ENVELOPES.iter().find(|known| known.as_bytes() == path);
                if let (Some(known), Some(b'{' | b']')) = (known, inside) {
                    return Some(known);
                }
                keys.push(b"[");
            }
            b']' => drop(keys.pop()),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Whether a file may hold JSON records: it begins with an object or an array, or a line has one.
pub(super) fn holds_json(head: &[u8]) -> bool {
    let head = head
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(head)
        .trim_ascii_start();
    let begins = |text: &[u8]| {
        let rest = text.get(1..).unwrap_or_default().trim_ascii_start().first();
        match text.first() {
            Some(b'{') => matches!(rest, Some(b'"' | b'}')),
            Some(b'[') => matches!(rest, Some(b'{' | b']' | b'[')),
            _ => false,
        }
    };
    begins(head)
        || head.split(|byte| *byte == b'\n').take(20).any(|line| {
            memchr::memchr(b'{', line).is_some_and(|at| begins(line.get(at..).unwrap_or_default()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_was_read_last_is_the_one_that_is_read() {
        let mut last = LastTime::default();
        let long = format!("2026-03-03T07:00:00Z{}", " ".repeat(100));
        let texts = [
            "2026-03-03T07:00:00Z",
            "2026-03-03T07:00:00Z",
            "2026-03-03T07:00:01Z",
            "soon",
            "soon",
            "",
            &long,
            "2026-03-03T07:00:00Z",
        ];
        for text in texts {
            let value = Value::String(text.into());
            assert_eq!(last.read(&value), time(&value), "{text}");
        }
        assert_eq!(
            last.read(&Value::Number("1772521200")),
            time(&Value::Number("1772521200"))
        );
    }

    #[test]
    fn times_are_read_in_the_forms_that_logs_have() {
        let expected: Timestamp = "2026-03-03T07:44:00Z".parse().unwrap();
        for text in [
            "2026-03-03T07:44:00Z",
            "2026-03-03T08:44:00+01:00",
            "2026-03-03 07:44:00",
            "2026-03-03T07:44:00.000",
            "1772523840",
        ] {
            assert_eq!(time(&Value::String(text.into())), Some(expected), "{text}");
        }
        for number in [
            "1772523840",
            "1772523840000",
            "1772523840000000",
            "1.77252384e9",
        ] {
            assert_eq!(time(&Value::Number(number)), Some(expected), "{number}");
        }
        assert_eq!(time(&Value::String("yesterday".into())), None);
        assert_eq!(time(&Value::String("5".into())), None);
    }

    #[test]
    fn envelopes_are_told_by_the_first_object() {
        let of = |text: &str| split_options(text.as_bytes()).envelopes;
        assert_eq!(of("{\"value\": [ {\"a\":1}, "), ["value"]);
        assert_eq!(
            of("{\"n\":[1],\"hits\":{\"total\":2,\"hits\":[{"),
            ["hits.hits"]
        );
        assert_eq!(of("{\"a\":{\"items\":[{}]}}"), Vec::<String>::new());
        // Records that have such a key.
        assert_eq!(of("{\"items\":[{}]}\n{\"items\":[]}"), Vec::<String>::new());
        assert_eq!(of("[{\"items\":[{}]}]"), Vec::<String>::new());
    }

    #[test]
    fn json_is_told_from_other_text() {
        for head in [
            "{\"a\":1}",
            " [ {\"a\":1}]",
            "\u{feff}{}",
            "Mar 3 host app: {\"a\":1}\n",
        ] {
            assert!(holds_json(head.as_bytes()), "{head}");
        }
        for head in [
            "",
            "title: x",
            "a,b\n1,2",
            "function() { return 1 }",
            "[section]\n",
        ] {
            assert!(!holds_json(head.as_bytes()), "{head}");
        }
    }
}
