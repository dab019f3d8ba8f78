//! The report with every name replaced, for handing it on.
//!
//! Account numbers, names in ARNs, user, role and session names, addresses, key ids, bucket names,
//! object keys, organization ids, e-mail addresses and file names become pseudonyms, each the same
//! everywhere in one report: `principal-2` in a headline is `principal-2` in a command. What is left as it
//! is: times, counts, actions, techniques, regions, event ids and the hashes of inputs, so that
//! whoever holds the logs can still find each record; rule ids, titles and authors; services'
//! names; and names that are words of AWS's own vocabulary, as `root` or `admin`.
//!
//! The words of a name that appear on their own in free text written by a person (a note that
//! calls the role `web-deploy` "the web role") cannot be known and stay.

mod learn;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use portreeve_incident::Report;

use walk::Field;

/// The report with every name replaced.
pub fn report(report: &Report) -> Report {
    let mut copy = report.clone();
    let mut redactor = Redactor::default();
    walk::strings(&mut copy, &mut |field, text| redactor.learn(field, text));
    redactor.prepare();
    walk::strings(&mut copy, &mut |field, text| {
        *text = redactor.replace(text, matches!(field, Field::Fixed));
    });
    copy
}

/// Pseudonyms, and the names that they stand for.
#[derive(Default)]
pub struct Redactor {
    pseudonyms: BTreeMap<String, String>,
    numbers: BTreeMap<&'static str, u64>,
    matcher: Option<AhoCorasick>,
    /// The name of each of the matcher's patterns, by its number.
    names: Vec<String>,
}

impl Redactor {
    /// Learns the names of a report, so that [`Redactor::text`] can replace them in text about it.
    pub fn of(report: &Report) -> Self {
        let mut copy = report.clone();
        let mut redactor = Self::default();
        walk::strings(&mut copy, &mut |field, text| redactor.learn(field, text));
        redactor.prepare();
        redactor
    }

    /// Replaces every known name, in any case of letters.
    pub fn text(&self, text: &str) -> String {
        self.replace(text, false)
    }

    /// With `words_only`, names are replaced only where no letter or digit touches them, so that
    /// actions and rule ids stay what they are.
    fn replace(&self, text: &str, words_only: bool) -> String {
        let Some(matcher) = &self.matcher else {
            return text.to_owned();
        };
        let mut replaced = String::with_capacity(text.len());
        let mut done = 0;
        let mut from = 0;
        while let Some(found) = matcher.find(aho_corasick::Input::new(text).range(from..)) {
            let name = self
                .names
                .get(found.pattern().as_usize())
                .map_or("", String::as_str);
            if (words_only || needs_to_stand_alone(name))
                && !stands_alone(text, found.start(), found.end())
            {
                let next = text[found.start()..]
                    .chars()
                    .next()
                    .map_or(1, char::len_utf8);
                from = found.start() + next;
                continue;
            }
            let exact = self.pseudonyms.get(&text[found.range()]);
            replaced.push_str(&text[done..found.start()]);
            replaced.push_str(
                exact
                    .or_else(|| self.pseudonyms.get(name))
                    .map_or("", String::as_str),
            );
            done = found.end();
            from = found.end();
        }
        replaced.push_str(&text[done..]);
        replaced
    }

    fn learn(&mut self, field: Field, text: &str) {
        match field {
            Field::Text => learn::text(self, text),
            Field::Statement => {
                let policy = text.split('#').next().unwrap_or(text);
                if !policy.starts_with("arn:") {
                    learn::name(self, "policy", policy);
                }
                learn::text(self, text);
            }
            Field::Address if learn::is_service(text) => {}
            Field::Address => {
                learn::name(self, "address", text);
                learn::text(self, text);
            }
            Field::Network if text == "unknown" => {}
            Field::Network => learn::name(self, "network", text),
            Field::Person if text.starts_with("arn:") => learn::text(self, text),
            Field::Person => learn::name(self, "person", text),
            Field::File => learn::file(self, text),
            Field::Trail => learn::name(self, "trail", text),
            Field::Fixed => {}
        }
    }

    /// Gives a name its pseudonym, if it has none yet.
    fn add(&mut self, kind: &'static str, name: &str, shape: impl Fn(u64) -> String) {
        if self.pseudonyms.contains_key(name) {
            return;
        }
        let number = self.numbers.entry(kind).or_default();
        *number += 1;
        self.pseudonyms.insert(name.to_owned(), shape(*number));
    }

    fn prepare(&mut self) {
        self.names = self.pseudonyms.keys().cloned().collect();
        // Building fails only beyond the matcher's limits (2³¹ states); nothing would be shown then.
        self.matcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(&self.names)
            .ok();
        if self.matcher.is_none() {
            self.pseudonyms.clear();
        }
    }
}

/// Whether a name may only be replaced where no letter or digit touches it: a short plain word is
/// part of too many other words.
fn needs_to_stand_alone(name: &str) -> bool {
    name.len() < 5 || (name.len() <= 8 && name.bytes().all(|byte| byte.is_ascii_lowercase()))
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

/// Replaces a shared text only where it changes.
fn shared(text: &mut Arc<str>, visit: &mut dyn FnMut(&mut String)) {
    let mut owned = text.to_string();
    visit(&mut owned);
    if owned.as_str() != &**text {
        *text = owned.into();
    }
}
