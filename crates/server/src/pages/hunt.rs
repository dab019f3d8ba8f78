//! A question to all that was kept.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use portreeve_engine::{Chosen, ContentFile, HuntRules, condition, moment, render_diagnostic};
use portreeve_view::html::Page;
use portreeve_view::html::live::{self, HuntPage, Section};
use portreeve_view::hunt::Hunt;
use serde::Deserialize;

use super::drawn;
use crate::access::Caller;
use crate::app::App;
use crate::archive::Question;
use crate::error::Refused;
use crate::extract::Query;

/// The longest rule, and the most fields.
const RULE: usize = 16_000;
const FIELDS: usize = 50;

/// What is asked, as it stands in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    rule: String,
    fields: String,
    since: String,
    until: String,
    before: Option<u64>,
}

pub(crate) async fn hunt(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let section = Some(Section::Hunt);
    drawn(app, caller, section, move |app, _, caller| {
        page(app, caller, &asked)
    })
    .await
}

fn page(app: &App, caller: &Caller, asked: &Asked) -> Result<Page, Refused> {
    let mut page = HuntPage {
        rule: &asked.rule,
        fields: &asked.fields,
        since: &asked.since,
        until: &asked.until,
        problem: None,
        found: None,
    };
    if asked.rule.trim().is_empty() && asked.fields.trim().is_empty() {
        return Ok(live::hunt(&page));
    }
    let question = match question(asked) {
        Ok(question) => question,
        Err(problem) => {
            page.problem = Some(&problem);
            return Ok(live::hunt(&page));
        }
    };
    let what = [&asked.fields, &asked.rule].map(|text| text.split_whitespace());
    let what: Vec<&str> = what.into_iter().flatten().take(40).collect();
    app.audit(&caller.name, "hunt", &what.join(" "))?;
    let answer = app.archive.hunt(app, question)?;
    let hunted = &answer.hunted;
    let hunt = Hunt {
        known: &hunted.known,
        tally: &hunted.tally,
        matches: &answer.matches,
        records: hunted.records,
        matched_records: hunted.matched_records,
        bytes: hunted.bytes,
        seconds: hunted.seconds,
        dead_letters: &hunted.dead_letters,
        dead_omitted: hunted.dead_omitted,
        notes: &hunted.notes,
        figures: &hunted.figures,
    };
    page.found = Some((&hunt, answer.searched));
    Ok(live::hunt(&page))
}

/// What is asked, or what is wrong with it, in words for whoever asked.
fn question(asked: &Asked) -> Result<Question, String> {
    if asked.rule.len() > RULE {
        return Err(format!("A rule has {RULE} bytes at most."));
    }
    let mut rules = match asked.rule.trim().is_empty() {
        true => HuntRules::default(),
        false => of_rule(&asked.rule)?,
    };
    let fields = of_fields(&asked.fields)?;
    match fields {
        None => {}
        Some(fields) if rules.rules.is_empty() => rules = fields,
        Some(_) => {
            return Err("Ask by a rule or by fields: a rule can hold the fields too.".to_owned());
        }
    }
    Ok(Question {
        rules,
        since: time("Since", &asked.since)?,
        until: time("Before", &asked.until)?,
        before: asked.before,
    })
}

fn of_rule(text: &str) -> Result<HuntRules, String> {
    let files = [ContentFile {
        name: "rule".to_owned(),
        text: text.to_owned(),
    }];
    let rules = HuntRules::parse(&files, &Chosen::default());
    if rules.rules.is_empty() {
        let told = rules.diagnostics.iter();
        let mut told: Vec<String> = told
            .map(|diagnostic| render_diagnostic(diagnostic, &files, false))
            .collect();
        told.extend(rules.notes);
        return Err(match told.is_empty() {
            true => "That holds no rule.".to_owned(),
            false => told.join("\n"),
        });
    }
    Ok(rules)
}

/// One rule of all the fields; none where there are none.
fn of_fields(text: &str) -> Result<Option<HuntRules>, String> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.len() > FIELDS {
        return Err(format!("{FIELDS} fields at most."));
    }
    let mut selections = String::new();
    let mut names = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let (field, value) = line.split_once('=').ok_or_else(|| {
            format!("“{line}” is no field with its value: write eventName=GetSecretValue")
        })?;
        let (field, value) = (field.trim(), value.trim());
        condition(field, value).map_err(|error| format!("“{line}”: {error}"))?;
        // Strings of JSON are strings of YAML.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        selections.push_str(&format!(
            "  f{number}:\n    {}: {}\n",
            quoted(field),
            quoted(value)
        ));
        names.push(format!("f{number}"));
    }
    if names.is_empty() {
        return Ok(None);
    }
    let text = format!(
        "title: {}\nlogsource: {{}}\nlevel: informational\ndetection:\n{selections}  condition: {}\n",
        serde_json::Value::from(lines.join(", ")),
        names.join(" and ")
    );
    of_rule(&text).map(Some)
}

/// A day, a time with its zone, or a time of day, which is UTC as all times of the page are.
fn time(what: &str, text: &str) -> Result<Option<Timestamp>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let in_utc = |text: &str| {
        let time = text.parse::<DateTime>().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let found = moment(text).ok().or_else(|| in_utc(text));
    found
        .map(Some)
        .ok_or_else(|| format!("{what}: “{text}” is no time; write 2026-04-07 or 2026-04-07T12:30"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn asked(rule: &str, fields: &str) -> Asked {
        Asked {
            rule: rule.to_owned(),
            fields: fields.to_owned(),
            ..Asked::default()
        }
    }

    #[test]
    fn fields_become_one_rule() {
        let rules = question(&asked("", "eventName=Get*\n\n a.b|contains = \"x: y\" "));
        let rules = rules.unwrap().rules.rules;
        assert_eq!(rules.len(), 1);
        let paths: BTreeSet<&str> = rules[0].field_paths().collect();
        assert_eq!(paths, BTreeSet::from(["eventName", "a.b"]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |rule: &str, fields: &str| question(&asked(rule, fields)).unwrap_err();
        assert!(wrong("", "eventName").contains("eventName=GetSecretValue"));
        assert!(wrong("", "a|nonsense=1").contains("nonsense"));
        assert!(wrong("title: x", "").contains("rule"));
        assert!(wrong(&"x".repeat(RULE + 1), "").contains("16000"));
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let second = |text: &str| time("Since", text).unwrap().map(|time| time.as_second());
        assert_eq!(second(" "), None);
        assert_eq!(second("1970-01-02"), Some(86_400));
        assert_eq!(second("1970-01-01T01:00"), Some(3_600));
        assert_eq!(second("1970-01-01T01:00:00+01:00"), Some(0));
        assert!(time("Since", "yesterday").is_err());
    }
}
