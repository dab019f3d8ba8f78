//! The fast matcher against a plain one: on random pairs of rules and records from a generator that
//! knows where engines disagree, and on the public rules over the public records.
//!
//! `PORTREEVE_PAIRS` sets how many random pairs there are, `PORTREEVE_SEED` where they begin.
//! `PORTREEVE_EVERY` says which of the public rules and records are looked at: every one with 1.

use std::path::{Path, PathBuf};

use common::reference::{Detection, Json};
use common::rule_yaml;
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{Matcher, Rule, Scratch, Verdict, parse};

mod common;

/// A small generator of numbers: what is drawn must be the same on every machine.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Fields that rules ask for: nested, with dots in a key, with a space, seldom there.
const FIELDS: [&str; 9] = [
    "a", "b", "c.d", "c.d.e", "a.b", "list", "list.k", "x y", "none",
];
/// Keys of records.
const KEYS: [&str; 9] = ["a", "b", "c", "d", "e", "k", "a.b", "list", "x y"];
/// Texts of records and, with their wildcards and backslashes, of rules.
const TEXTS: [&str; 40] = [
    "",
    "x",
    "X",
    "ab",
    "AB",
    "aXb",
    "a b",
    "true",
    "True",
    "false",
    "null",
    "5",
    "05",
    "5.0",
    "-1",
    "10.1.2.3",
    "10.1.2.3:80",
    "::ffff:10.1.2.3",
    "2001:db8::1",
    "-a",
    "/a",
    "cmd -a /b",
    "–a",
    "é",
    "É",
    "straße",
    "a*b",
    "a?b",
    r"a\b",
    r"\",
    r"a\\b",
    "*",
    "?",
    "2026-07-24T23:45:59Z",
    "2024-12-30",
    "YWI=",
    "xYWIx",
    "a\0b\0",
    "0x10",
    "line\nline",
];
const PATTERNS: [&str; 30] = [
    "*", "?", "a*", "*b", "*x*", "a?b", "??", "*?", "a*b*", r"a\*b", r"a\?b", r"a\\b", r"a\\*",
    r"\\", r"\*", r"a\b", "A*B", "*É", "é?", "stra*e", "**", "*a*b*", " ", "ab*", "*5", "0*",
    "*:*", "\"k\":*", "*-a*", "n?ll",
];
const NUMBERS: [&str; 14] = [
    "5",
    "5.0",
    "5e0",
    "-1",
    "0",
    "16",
    "1.5",
    "10",
    "2",
    "9007199254740993",
    "9007199254740992",
    "0.1",
    "45",
    "7",
];

fn quoted(text: impl AsRef<str>) -> String {
    serde_json::Value::from(text.as_ref()).to_string()
}

/// A record, with white space where it may stand.
fn record(draw: &mut Draw) -> String {
    object(draw, 0)
}

fn object(draw: &mut Draw, depth: usize) -> String {
    let count = draw.below(if depth == 0 { 8 } else { 4 });
    let entries: Vec<String> = (0..count)
        .map(|_| {
            let key = *draw.pick(&KEYS);
            let space = if draw.one_in(4) { " " } else { "" };
            format!("{}:{space}{}", quoted(key), value(draw, depth + 1))
        })
        .collect();
    let space = if draw.one_in(6) { " " } else { "" };
    format!("{{{space}{}{space}}}", entries.join(","))
}

fn value(draw: &mut Draw, depth: usize) -> String {
    match draw.below(if depth < 4 { 12 } else { 8 }) {
        0 => "null".to_owned(),
        1 => draw.pick(&["true", "false"]).to_string(),
        2 => draw.pick(&NUMBERS).to_string(),
        8 | 9 => object(draw, depth),
        10 | 11 => {
            let items: Vec<String> = (0..draw.below(4)).map(|_| value(draw, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        _ => {
            let text = quoted(draw.pick(&TEXTS));
            // An escape that need not be one.
            if draw.one_in(12) {
                text.replace('a', "\\u0061")
            } else {
                text
            }
        }
    }
}

/// A detection as JSON, which is YAML.
fn detection(draw: &mut Draw) -> String {
    let names = ["selection", "selection_b", "filter", "_hidden"];
    let count = 1 + draw.below(4);
    let parts: Vec<String> = names[..count]
        .iter()
        .map(|name| format!("{}: {}", quoted(name), selection(draw)))
        .collect();
    let conditions: &[&str] = match count {
        1 => &["selection", "not selection", "1 of them", "all of sel*"],
        2 => &[
            "selection and selection_b",
            "selection or not selection_b",
            "1 of selection*",
            "all of them",
            "not (selection or selection_b)",
            "not selection and selection_b",
        ],
        3 => &[
            "selection and not filter",
            "1 of selection* and not filter",
            "2 of them",
            "(selection or selection_b) and filter",
            "selection or selection_b and not filter",
            "not 1 of them",
        ],
        _ => &[
            "selection and not _hidden",
            "1 of them and not 1 of _*",
            "3 of them or _hidden",
            "all of sel* or filter",
        ],
    };
    format!(
        "{{{}, \"condition\": {}}}",
        parts.join(", "),
        quoted(draw.pick(conditions))
    )
}

fn selection(draw: &mut Draw) -> String {
    match draw.below(8) {
        0 => {
            let words: Vec<String> = (0..1 + draw.below(3)).map(|_| scalar(draw, true)).collect();
            format!("[{}]", words.join(", "))
        }
        1 => format!("[{}, {}]", map(draw), map(draw)),
        2 if draw.one_in(3) => format!(
            "{{\"|all\": [{}, {}]}}",
            scalar(draw, true),
            scalar(draw, true)
        ),
        _ => map(draw),
    }
}

fn map(draw: &mut Draw) -> String {
    let mut keys: Vec<String> = Vec::new();
    let mut entries = Vec::new();
    for _ in 0..1 + draw.below(3) {
        let (key, value) = item(draw);
        if !keys.contains(&key) {
            entries.push(format!("{}: {value}", quoted(&key)));
            keys.push(key);
        }
    }
    format!("{{{}}}", entries.join(", "))
}

/// A scalar that is a value of its own; keywords are never null.
fn scalar(draw: &mut Draw, is_keyword: bool) -> String {
    match draw.below(12) {
        0 if !is_keyword => "null".to_owned(),
        1 => draw.pick(&["true", "false"]).to_string(),
        2 | 3 => draw.pick(&NUMBERS).to_string(),
        4..=6 => quoted(draw.pick(&PATTERNS)),
        _ => quoted(draw.pick(&TEXTS)),
    }
}

fn several(draw: &mut Draw, mut one: impl FnMut(&mut Draw) -> String) -> String {
    if draw.one_in(2) {
        return one(draw);
    }
    let values: Vec<String> = (0..1 + draw.below(3)).map(|_| one(draw)).collect();
    format!("[{}]", values.join(", "))
}

fn item(draw: &mut Draw) -> (String, String) {
    let field = *draw.pick(&FIELDS);
    let place = *draw.pick(&["", "|contains", "|startswith", "|endswith"]);
    let cased = if draw.one_in(5) { "|cased" } else { "" };
    let negated = if draw.one_in(8) { "|neq" } else { "" };
    let end = format!("{cased}{negated}");
    match draw.below(16) {
        0 => (
            format!("{field}|exists"),
            draw.pick(&["true", "false"]).to_string(),
        ),
        1 => {
            let flags = *draw.pick(&["", "|i", "|s", "|m", "|i|s"]);
            let value = several(draw, |draw| {
                quoted(draw.pick(&[
                    "^a", "b$", "a.b", "[0-9]+", "(x|ab)", "^$", "^line$", "a(?=X)", r"\d", "e.l",
                    "null", "^true$",
                ]))
            });
            (format!("{field}|re{flags}{negated}"), value)
        }
        2 => {
            let value = several(draw, |draw| {
                quoted(draw.pick(&[
                    "10.0.0.0/8",
                    "10.1.2.3",
                    "10.1.2.0/31",
                    "2001:db8::/32",
                    "::/0",
                    "0.0.0.0/0",
                ]))
            });
            (format!("{field}|cidr{negated}"), value)
        }
        3 => {
            let comparison = *draw.pick(&["lt", "lte", "gt", "gte"]);
            (
                format!("{field}|{comparison}{negated}"),
                several(draw, |draw| draw.pick(&NUMBERS).to_string()),
            )
        }
        4 => {
            let (part, number) = *draw.pick(&[
                ("year", "2026"),
                ("month", "7"),
                ("day", "24"),
                ("week", "30"),
                ("week", "1"),
                ("hour", "23"),
                ("minute", "45"),
            ]);
            let comparison = *draw.pick(&["", "", "|gte", "|lt"]);
            (
                format!("{field}|{part}{comparison}{negated}"),
                number.to_owned(),
            )
        }
        5 => (
            format!("{field}|fieldref{place}{end}"),
            quoted(draw.pick(&FIELDS)),
        ),
        6 => {
            let value = several(draw, |draw| {
                quoted(draw.pick(&["-a", "/a", "*-a*", "cmd -a", "a-b", " -a /b"]))
            });
            (format!("{field}|windash{place}{end}"), value)
        }
        7 => {
            let encoding = *draw.pick(&[
                "base64",
                "base64offset",
                "wide",
                "utf16",
                "utf16be|base64",
                "wide|base64offset",
                "windash|base64",
            ]);
            let value = several(draw, |draw| {
                quoted(draw.pick(&["ab", "x", "a", "abc", "-a", "é"]))
            });
            (format!("{field}|{encoding}|contains{end}"), value)
        }
        8 => {
            let values: Vec<String> = (0..2).map(|_| scalar(draw, true)).collect();
            (
                format!("{field}{place}|all{end}"),
                format!("[{}]", values.join(", ")),
            )
        }
        9..=11 => {
            let value = several(draw, |draw| scalar(draw, true));
            (format!("{field}{place}{end}"), value)
        }
        _ => {
            let value = several(draw, |draw| scalar(draw, false));
            (format!("{field}{end}"), value)
        }
    }
}

/// Compares all rules on all records, and gives how many matches there were.
fn compare(rules: &[Rule], plain: &[Detection], records: &[String]) -> usize {
    let mut fields = Fields::default();
    let (matcher, problems) = Matcher::new(rules, &mut fields);
    assert!(
        problems
            .iter()
            .all(|one| one.severity != portreeve_sigma::DiagnosticSeverity::Error),
        "{problems:?}"
    );
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let (mut scratch, mut hits) = (Scratch::learning(), Vec::new());
    let mut found = 0;
    for text in records {
        let record = extractor
            .extract(text.as_bytes(), &mut buffer)
            .expect("the record can be read");
        matcher.matches(&record, &mut scratch, &mut hits);
        let json = Json::parse(text);
        let mut next = hits.iter().peekable();
        for (number, detection) in plain.iter().enumerate() {
            let hit = next.next_if(|hit| hit.rule == number);
            assert!(
                hit.is_none_or(|hit| hit.verdict == Verdict::Yes),
                "nothing here is undecided"
            );
            assert_eq!(
                hit.is_some(),
                detection.matches(&json),
                "left the fast one, right the plain one\n{}:{}\n{detection:?}\n{text}",
                rules[number].file,
                rules[number].line,
            );
        }
        found += hits.len();
    }
    found
}

fn of_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn random_pairs_agree() {
    const RULES: usize = 100;
    const RECORDS: usize = 100;
    let pairs = of_environment("PORTREEVE_PAIRS", 100_000);
    let mut draw = Draw(of_environment("PORTREEVE_SEED", 7));
    let (mut asked, mut matched, mut refused) = (0, 0, 0);
    while asked < pairs {
        let (mut rules, mut plain) = (Vec::new(), Vec::new());
        while rules.len() < RULES {
            let text = format!(
                "{{title: T, logsource: {{product: x}}, detection: {}}}",
                detection(&mut draw)
            );
            let parsed = parse(&text, &text);
            let Some(rule) = parsed.rules.into_iter().next() else {
                refused += 1;
                continue;
            };
            let document = rule_yaml::documents(&text).remove(0);
            plain.push(Detection::new(
                rule_yaml::get(&document, "detection").unwrap(),
            ));
            rules.push(rule);
        }
        let records: Vec<String> = (0..RECORDS).map(|_| record(&mut draw)).collect();
        matched += compare(&rules, &plain, &records);
        asked += (RULES * RECORDS) as u64;
    }
    // The generator is of use only where both answers are frequent and few rules are refused.
    let share = matched as f64 / asked as f64;
    assert!((0.05..0.95).contains(&share), "{share} of the pairs match");
    assert!(
        refused * RULES < asked as usize,
        "{refused} rules are refused"
    );
}

fn walk(folder: &Path, endings: &[&str], files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, endings, files);
        } else if path
            .extension()
            .is_some_and(|ending| endings.iter().any(|one| ending == *one))
        {
            files.push(path);
        }
    }
}

/// Rules of every so many files, with what the plain matcher reads of them; those with placeholders or derived
/// fields alone are left out.
fn rules_of(folder: &Path, step: u64) -> (Vec<Rule>, Vec<Detection>) {
    let mut files = Vec::new();
    walk(folder, &["yml"], &mut files);
    let (mut rules, mut plain) = (Vec::new(), Vec::new());
    for path in files.into_iter().step_by(step.max(1) as usize) {
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = parse(&path.display().to_string(), &text);
        let details: Vec<_> = rule_yaml::documents(&text)
            .into_iter()
            .filter(|document| rule_yaml::get(document, "detection").is_some())
            .collect();
        assert_eq!(details.len(), parsed.rules.len(), "{}", path.display());
        if text.contains("|expand") {
            continue;
        }
        for (rule, document) in parsed.rules.into_iter().zip(details) {
            plain.push(Detection::new(
                rule_yaml::get(&document, "detection").unwrap(),
            ));
            rules.push(rule);
        }
    }
    (rules, plain)
}

/// Every object in the data that looks like a record of a log, as it is written.
fn records_of(data: &Path) -> Vec<String> {
    fn look(json: &Json, records: &mut Vec<String>) {
        match json {
            Json::Map(raw, entries) => {
                let is_record = |key: &str| {
                    [
                        "eventName",
                        "eventTime",
                        "timestamp",
                        "protoPayload",
                        "verb",
                    ]
                    .contains(&key)
                };
                if entries.iter().any(|(key, _)| is_record(key)) {
                    records.push(raw.clone());
                } else {
                    entries.iter().for_each(|(_, value)| look(value, records));
                }
            }
            Json::List(_, items) => items.iter().for_each(|item| look(item, records)),
            _ => {}
        }
    }
    let mut files = Vec::new();
    walk(data, &["ndjson", "jsonl", "json"], &mut files);
    let mut records = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut whole = serde_json::Deserializer::from_str(&text)
            .into_iter::<Box<serde_json::value::RawValue>>();
        while let Some(Ok(value)) = whole.next() {
            look(&Json::parse(value.get()), &mut records);
        }
    }
    records
}

#[test]
fn the_projects_rules_agree_over_the_data() {
    let Some(data) = common::shared("data") else {
        return;
    };
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let records = records_of(&data);
    assert!(records.len() > 1_500, "{} records", records.len());
    let records = every(records, 7);
    let (mut rules, mut plain) = rules_of(&project.join("rules"), 1);
    let (more, more_plain) = rules_of(&project.join("correlations"), 1);
    rules.extend(more);
    plain.extend(more_plain);
    assert!(rules.len() > 200, "{} rules", rules.len());
    let found = compare(&rules, &plain, &records);
    assert!(found > 100, "{found} matches");
}

/// Every so many of the records.
fn every(records: Vec<String>, otherwise: u64) -> Vec<String> {
    let step = of_environment("PORTREEVE_EVERY", otherwise).max(1) as usize;
    records.into_iter().step_by(step).collect()
}

#[test]
fn the_public_rules_agree_over_the_data() {
    let (Some(data), Some(folder)) = (common::shared("data"), common::shared("rules/sigmahq"))
    else {
        return;
    };
    let records = records_of(&data);
    let (rules, plain) = rules_of(&folder, of_environment("PORTREEVE_EVERY", 9));
    compare(&rules, &plain, &every(records.clone(), 101));
    let (cloud, plain) = rules_of(&folder.join("rules/cloud"), 1);
    assert!(cloud.len() > 200, "{} rules", cloud.len());
    assert!(compare(&cloud, &plain, &every(records, 15)) > 10);
}
