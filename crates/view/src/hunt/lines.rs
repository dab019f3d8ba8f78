//! A match a line.

use std::io;

use portreeve_detect::hunt::{Known, Match, Place};
use serde_json::{Map, Value, json};

/// A match as JSON: DESIGN's form of `hunt --format ndjson`.
pub(super) fn value(found: &Match, known: &Known) -> Value {
    let mut line = Map::new();
    if let Some(head) = known.head(found) {
        let rule = json!({
            "id": head.id, "title": head.title, "level": head.level, "file": head.file,
        });
        line.insert("rule".into(), rule);
        if head.correlation {
            let records = found.records.iter().map(|place| record(place, known));
            line.insert("records".into(), records.collect());
            let group = found.group.iter();
            let group: Map<String, Value> = group
                .map(|(field, value)| (field.to_string(), value.clone().into()))
                .collect();
            line.insert("group".into(), group.into());
            line.insert("number".into(), found.number.into());
        } else if let Some(place) = found.records.first() {
            line.insert("record".into(), record(place, known));
        }
    }
    line.insert(
        "time".into(),
        found.time.map(|time| time.to_string()).into(),
    );
    line.insert("actor".into(), found.actor.as_deref().into());
    line.insert("action".into(), found.action.as_deref().into());
    line.into()
}

fn record(place: &Place, known: &Known) -> Value {
    json!({
        "file": known.file(place),
        "index": place.index,
        "offset": place.offset,
        "event_id": place.event_id,
    })
}

/// Writes a match as one line of JSON.
pub fn ndjson(found: &Match, known: &Known, out: &mut impl io::Write) -> io::Result<()> {
    crate::ocsf::write(out, &value(found, known))
}

/// Matches as a table of comma-separated values.
#[derive(Clone, Copy, Debug)]
pub struct Table;

impl Table {
    /// Writes the line of heads.
    pub fn head(out: &mut impl io::Write) -> io::Result<()> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record([
            "time", "level", "rule", "rule_id", "actor", "action", "file", "index", "offset",
            "event_id", "records",
        ])?;
        out.flush()
    }

    /// Writes one match; of a correlation its first record.
    pub fn row(found: &Match, known: &Known, out: &mut impl io::Write) -> io::Result<()> {
        let Some(head) = known.head(found) else {
            return Ok(());
        };
        let place = found.records.first();
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let text = |text: Option<&str>| guarded(text.unwrap_or_default());
        let mut out = csv::Writer::from_writer(out);
        out.write_record([
            found.time.map(|time| time.to_string()).unwrap_or_default(),
            head.level.to_string(),
            text(Some(&head.title)),
            text(head.id.as_deref()),
            text(found.actor.as_deref()),
            text(found.action.as_deref()),
            text(place.map(|place| known.file(place))),
            number(place.map(|place| place.index)).unwrap_or_default(),
            number(place.map(|place| place.offset)).unwrap_or_default(),
            text(place.and_then(|place| place.event_id.as_deref())),
            found.records.len().to_string(),
        ])?;
        out.flush()
    }
}

/// A spreadsheet must not take what an intruder wrote for a formula.
fn guarded(text: &str) -> String {
    match text.as_bytes().first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use portreeve_detect::hunt::Head;
    use portreeve_model::Severity;

    use super::*;

    fn known() -> Known {
        Known {
            heads: vec![Head {
                id: Some("an-id".to_owned()),
                title: "A rule, with a comma".to_owned(),
                level: Severity::High,
                file: "rule.yml".into(),
                author: None,
                techniques: Vec::new(),
                correlation: false,
            }],
            files: vec!["log.json".into()],
        }
    }

    fn found() -> Match {
        Match {
            head: 0,
            records: vec![Place {
                file: 0,
                index: 7,
                offset: 900,
                event_id: Some("event".into()),
            }],
            time: "2026-03-03T07:44:00Z".parse().ok(),
            actor: Some("=1+1".into()),
            action: None,
            group: Vec::new(),
            number: None,
        }
    }

    #[test]
    fn a_line_has_what_the_design_says() {
        let mut line = Vec::new();
        ndjson(&found(), &known(), &mut line).unwrap();
        let line: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(
            line,
            json!({
                "rule": {"id": "an-id", "title": "A rule, with a comma", "level": "high", "file": "rule.yml"},
                "record": {"file": "log.json", "index": 7, "offset": 900, "event_id": "event"},
                "time": "2026-03-03T07:44:00Z", "actor": "=1+1", "action": null,
            })
        );
    }

    #[test]
    fn cells_are_quoted_and_hold_no_formula() {
        let mut text = Vec::new();
        Table::head(&mut text).unwrap();
        Table::row(&found(), &known(), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text.lines().nth(1).unwrap(),
            "2026-03-03T07:44:00Z,high,\"A rule, with a comma\",an-id,'=1+1,,log.json,7,900,event,1"
        );
    }
}
