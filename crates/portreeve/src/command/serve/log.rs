//! What the watch says about itself, on standard error: lines for people, or one JSON object a line.

use std::sync::Arc;

use jiff::Timestamp;
use portreeve_engine::serve::{Board, Health, LogFormat};
use serde_json::{Map, Value};

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Writes what happens.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Log {
    format: LogFormat,
}

impl Log {
    pub(crate) fn new(format: LogFormat) -> Self {
        Self { format }
    }

    /// Says something: `event` names it for machines, `words` for people, `fields` are for machines alone.
    pub(crate) fn say(self, level: Level, event: &str, words: &str, fields: &[(&str, Value)]) {
        match self.format {
            LogFormat::Text => say!("portreeve: {words}"),
            LogFormat::Json => {
                say!("{}", line(Timestamp::now(), level, event, words, fields));
            }
        }
    }

    /// Says with each commit which incidents it changed.
    pub(crate) fn follow(self, board: &Arc<Board>) {
        if self.format == LogFormat::Text {
            return;
        }
        board.listen(move |news| {
            if news.incidents.is_empty() && news.merged.is_empty() {
                return;
            }
            let fields = [
                ("revision", Value::from(news.revision)),
                ("incidents", news.incidents.clone().into()),
                ("findings", news.findings.into()),
                ("records", news.records.into()),
            ];
            self.say(
                Level::Info,
                "incidents",
                "incidents are new or changed",
                &fields,
            );
        });
    }

    /// Says when the watch waits for something, and when it goes on.
    pub(crate) fn tell_health(self, before: &Health, now: &Health) {
        match (before, now) {
            (_, Health::Waiting(why)) => {
                let words = format!("takes nothing in: {why}");
                self.say(Level::Warning, "waiting", &words, &[]);
            }
            (_, Health::Failed(why)) => {
                self.say(Level::Error, "failed", &format!("failed: {why}"), &[]);
            }
            (Health::Waiting(_), Health::Watching) => {
                self.say(Level::Info, "watching", "takes records in again", &[]);
            }
            _ => {}
        }
    }
}

fn line(
    time: Timestamp,
    level: Level,
    event: &str,
    words: &str,
    fields: &[(&str, Value)],
) -> String {
    let mut line = Map::new();
    line.insert("time".to_owned(), time.to_string().into());
    line.insert("level".to_owned(), level.as_str().into());
    line.insert("event".to_owned(), event.into());
    line.insert("message".to_owned(), words.into());
    for (name, value) in fields {
        line.insert((*name).to_owned(), value.clone());
    }
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_object_whatever_it_says() {
        let time: Timestamp = "2026-03-03T07:44:00Z".parse().unwrap();
        let text = line(
            time,
            Level::Warning,
            "waiting",
            "a \"b\"\nc",
            &[("n", 7.into())],
        );
        assert!(!text.contains('\n'));
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["level"], "warning");
        assert_eq!(read["message"], "a \"b\"\nc");
        assert_eq!(read["n"], 7);
    }
}
