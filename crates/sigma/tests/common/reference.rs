//! A Sigma matcher as plain and slow as can be, written from the specification and
//! `docs/sigma-choices.md`, with a parser of its own for rules, conditions, values and records. Fast
//! and clever code is held equal to it.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A record's JSON, with every value's text as it is written, and every key, also where it stands
/// twice.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(String, Vec<Json>),
    Map(String, Vec<(String, Json)>),
}

struct Entries(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Entries;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Entries, A::Error> {
                Ok(Entries(Vec::new()))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl Json {
    pub(crate) fn parse(text: &str) -> Json {
        let text = text.trim();
        match text.as_bytes()[0] {
            b'n' => Json::Null,
            b't' | b'f' => Json::Bool(text == "true"),
            b'"' => Json::Text(serde_json::from_str(text).unwrap()),
            b'[' => {
                let items: Vec<Box<RawValue>> = serde_json::from_str(text).unwrap();
                let items = items.iter().map(|item| Json::parse(item.get())).collect();
                Json::List(text.to_owned(), items)
            }
            b'{' => {
                let entries: Entries = serde_json::from_str(text).unwrap();
                let entries = entries.0.into_iter();
                let entries = entries
                    .map(|(key, value)| (key, Json::parse(value.get())))
                    .collect();
                Json::Map(text.to_owned(), entries)
            }
            _ => Json::Number(text.to_owned()),
        }
    }

    /// As a reader sees it: no white space between tokens, and strings as they are.
    fn plain(&self) -> String {
        match self {
            Json::Null => "null".to_owned(),
            Json::Bool(value) => value.to_string(),
            Json::Number(text) => text.clone(),
            Json::Text(text) => format!("\"{text}\""),
            Json::List(_, items) => {
                let items: Vec<String> = items.iter().map(Json::plain).collect();
                format!("[{}]", items.join(","))
            }
            Json::Map(_, entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{}", value.plain()))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }

    /// All values of a field: a path leads through arrays, and a key may hold dots.
    fn values<'j>(&'j self, path: &str, found: &mut Vec<&'j Json>) {
        match self {
            Json::Map(_, entries) => {
                for (key, value) in entries {
                    if key == path {
                        found.push(value);
                    }
                    if let Some(rest) = path.strip_prefix(&format!("{key}.")) {
                        value.values(rest, found);
                    }
                }
            }
            Json::List(_, items) => items.iter().for_each(|item| item.values(path, found)),
            _ => {}
        }
    }

    /// The value itself, or where it is an array its elements, through arrays in arrays.
    fn leaves<'j>(&'j self, found: &mut Vec<&'j Json>) {
        match self {
            Json::List(_, items) => items.iter().for_each(|item| item.leaves(found)),
            other => found.push(other),
        }
    }

    fn scalar(&self) -> Option<String> {
        match self {
            Json::Bool(value) => Some(value.to_string()),
            Json::Number(text) | Json::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// Every text that a pattern may match.
    fn texts(&self) -> Vec<String> {
        match self {
            Json::Map(raw, _) | Json::List(raw, _) => vec![raw.clone(), self.plain()],
            other => other.scalar().into_iter().collect(),
        }
    }
}

/// A scalar of a rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    /// A number, as written.
    Number(String),
    Text(String),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Scalar::Null => String::new(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Number(text) | Scalar::Text(text) => text.clone(),
        }
    }
}

/// A rule's YAML.
#[derive(Clone, Debug)]
pub(crate) enum Yaml {
    Scalar(Scalar),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

/// What a rule's `detection` says.
#[derive(Debug)]
pub(crate) struct Detection {
    parts: Vec<(String, Yaml)>,
    conditions: Vec<String>,
}

impl Detection {
    pub(crate) fn new(detection: &Yaml) -> Self {
        let Yaml::Map(entries) = detection else {
            panic!("a detection is a map");
        };
        let mut parts = Vec::new();
        let mut conditions = Vec::new();
        for (name, value) in entries {
            match (name.as_str(), value) {
                ("condition", Yaml::Scalar(text)) => conditions.push(text.text()),
                ("condition", Yaml::List(texts)) => {
                    for text in texts {
                        let Yaml::Scalar(text) = text else {
                            panic!("a condition is a string");
                        };
                        conditions.push(text.text());
                    }
                }
                ("timeframe", _) => {}
                _ => parts.push((name.clone(), value.clone())),
            }
        }
        Self { parts, conditions }
    }

    pub(crate) fn matches(&self, record: &Json) -> bool {
        self.conditions.iter().any(|condition| {
            let spaced = condition.replace('(', " ( ").replace(')', " ) ");
            let words: Vec<&str> = spaced.split_whitespace().collect();
            let mut at = 0;
            let holds = self.either(&words, &mut at, record);
            assert_eq!(at, words.len(), "{condition}");
            holds
        })
    }

    fn either(&self, words: &[&str], at: &mut usize, record: &Json) -> bool {
        let mut holds = self.both(words, at, record);
        while words
            .get(*at)
            .is_some_and(|word| word.eq_ignore_ascii_case("or"))
        {
            *at += 1;
            let other = self.both(words, at, record);
            holds = holds || other;
        }
        holds
    }

    fn both(&self, words: &[&str], at: &mut usize, record: &Json) -> bool {
        let mut holds = self.single(words, at, record);
        while words
            .get(*at)
            .is_some_and(|word| word.eq_ignore_ascii_case("and"))
        {
            *at += 1;
            let other = self.single(words, at, record);
            holds = holds && other;
        }
        holds
    }

    fn single(&self, words: &[&str], at: &mut usize, record: &Json) -> bool {
        let word = words[*at];
        *at += 1;
        if word.eq_ignore_ascii_case("not") {
            return !self.single(words, at, record);
        }
        if word == "(" {
            let holds = self.either(words, at, record);
            assert_eq!(words[*at], ")");
            *at += 1;
            return holds;
        }
        if words
            .get(*at)
            .is_some_and(|word| word.eq_ignore_ascii_case("of"))
        {
            let pattern = words[*at + 1];
            *at += 2;
            let meant: Vec<&Yaml> = self
                .parts
                .iter()
                .filter(|(name, _)| {
                    let hidden = name.starts_with('_');
                    if pattern.eq_ignore_ascii_case("them") {
                        !hidden
                    } else {
                        (!hidden || pattern.starts_with('_'))
                            && glob(
                                &pattern.chars().collect::<Vec<_>>(),
                                &name.chars().collect::<Vec<_>>(),
                            )
                    }
                })
                .map(|(_, part)| part)
                .collect();
            let count = meant.iter().filter(|part| selection(part, record)).count();
            return if word.eq_ignore_ascii_case("all") {
                count == meant.len()
            } else if word.eq_ignore_ascii_case("any") {
                count >= 1
            } else {
                count >= word.parse().unwrap()
            };
        }
        let (_, part) = self
            .parts
            .iter()
            .find(|(name, _)| name == word)
            .expect(word);
        selection(part, record)
    }
}

fn glob(pattern: &[char], name: &[char]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some('*'), _) => {
            glob(&pattern[1..], name) || (!name.is_empty() && glob(pattern, &name[1..]))
        }
        (Some(one), Some(other)) if one == other => glob(&pattern[1..], &name[1..]),
        _ => false,
    }
}

fn selection(part: &Yaml, record: &Json) -> bool {
    match part {
        Yaml::Map(entries) => entries.iter().all(|(key, value)| item(key, value, record)),
        Yaml::List(items) => items.iter().any(|one| match one {
            Yaml::Scalar(_) => item("", one, record),
            other => selection(other, record),
        }),
        Yaml::Scalar(_) => item("", part, record),
    }
}

fn item(key: &str, value: &Yaml, record: &Json) -> bool {
    let mut words = key.split('|').map(str::trim);
    let field = words.next().unwrap_or_default();
    let modifiers: Vec<&str> = words.collect();
    let has = |name: &str| modifiers.contains(&name);
    let values: Vec<&Scalar> = match value {
        Yaml::Scalar(scalar) => vec![scalar],
        Yaml::List(items) => items
            .iter()
            .map(|one| match one {
                Yaml::Scalar(scalar) => scalar,
                _ => panic!("a list of values holds values"),
            })
            .collect(),
        Yaml::Map(_) => panic!("a value is no map"),
    };
    let holds = |value: &&Scalar| one_value(field, &modifiers, value, record);
    let found = if has("all") {
        values.iter().all(holds)
    } else {
        values.iter().any(holds)
    };
    found != has("neq")
}

fn one_value(field: &str, modifiers: &[&str], value: &Scalar, record: &Json) -> bool {
    let has = |name: &str| modifiers.contains(&name);
    let cased = has("cased");
    if field.is_empty() {
        let mut place = modifiers.to_vec();
        if !["contains", "startswith", "endswith"]
            .iter()
            .any(|word| has(word))
        {
            place.push("contains");
        }
        return record
            .texts()
            .iter()
            .any(|text| text_matches(value, &place, text, cased));
    }
    let mut values = Vec::new();
    record.values(field, &mut values);
    if has("exists") {
        let wanted = value.text().eq_ignore_ascii_case("true");
        return values.is_empty() != wanted;
    }
    let mut leaves = Vec::new();
    values.iter().for_each(|value| value.leaves(&mut leaves));
    if has("fieldref") {
        let mut others = Vec::new();
        record.values(&value.text(), &mut others);
        let mut other_leaves = Vec::new();
        others
            .iter()
            .for_each(|other| other.leaves(&mut other_leaves));
        return leaves.iter().filter_map(|leaf| leaf.scalar()).any(|mine| {
            other_leaves
                .iter()
                .filter_map(|leaf| leaf.scalar())
                .any(|theirs| {
                    let (mine, theirs) = if cased {
                        (mine.clone(), theirs)
                    } else {
                        (lower(&mine), lower(&theirs))
                    };
                    let part = !theirs.is_empty();
                    if has("contains") {
                        part && mine.contains(&theirs)
                    } else if has("startswith") {
                        part && mine.starts_with(&theirs)
                    } else if has("endswith") {
                        part && mine.ends_with(&theirs)
                    } else {
                        mine == theirs
                    }
                })
        });
    }
    if *value == Scalar::Null {
        return values.is_empty() || leaves.iter().any(|leaf| matches!(leaf, Json::Null));
    }
    let comparisons = ["lt", "lte", "gt", "gte"];
    let dates = ["minute", "hour", "day", "week", "month", "year"];
    let comparison = comparisons.into_iter().find(|name| has(name));
    let date = dates.into_iter().find(|name| has(name));
    if comparison.is_some() || date.is_some() {
        let wanted = Decimal::parse(&value.text()).unwrap();
        return leaves.iter().filter_map(|leaf| leaf.scalar()).any(|text| {
            let number = match date {
                Some(part) => date_part(part, &text).map(|number| Decimal {
                    digits: number,
                    power: 0,
                }),
                None => Decimal::parse(&text),
            };
            number.is_some_and(|number| {
                let order = number.order(&wanted);
                match comparison {
                    Some("lt") => order.is_lt(),
                    Some("lte") => order.is_le(),
                    Some("gt") => order.is_gt(),
                    Some("gte") => order.is_ge(),
                    _ => order.is_eq(),
                }
            })
        });
    }
    if has("cidr") {
        return leaves
            .iter()
            .filter_map(|leaf| leaf.scalar())
            .any(|text| in_network(&value.text(), &text));
    }
    leaves.iter().any(|leaf| {
        // Two writings of one number are one value.
        if let (Json::Number(text), Scalar::Number(wanted)) = (leaf, value)
            && modifiers
                .iter()
                .all(|name| ["all", "neq", "cased", "expand"].contains(name))
            && let (Some(one), Some(other)) = (Decimal::parse(text), Decimal::parse_rule(wanted))
            && one.order(&other).is_eq()
        {
            return true;
        }
        leaf.texts()
            .iter()
            .any(|text| text_matches(value, modifiers, text, cased))
    })
}

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// A string of a rule, read: characters, wildcards, and what `windash` makes of dashes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sign {
    Is(char),
    Any,
    One,
    Dash,
}

const DASHES: [char; 5] = ['-', '/', '–', '—', '―'];

fn signs(text: &str) -> Vec<Sign> {
    let characters: Vec<char> = text.chars().collect();
    let mut signs = Vec::new();
    let mut at = 0;
    while let Some(character) = characters.get(at) {
        at += 1;
        signs.push(match character {
            '*' => Sign::Any,
            '?' => Sign::One,
            '\\' => match characters.get(at) {
                Some(next) if ['*', '?', '\\'].contains(next) => {
                    at += 1;
                    Sign::Is(*next)
                }
                _ => Sign::Is('\\'),
            },
            other => Sign::Is(*other),
        });
    }
    signs
}

fn text_matches(value: &Scalar, modifiers: &[&str], text: &str, cased: bool) -> bool {
    let has = |name: &str| modifiers.contains(&name);
    if has("re") {
        let mut flags = String::new();
        for flag in ["i", "m", "s"] {
            if has(flag) {
                flags.push_str(flag);
            }
        }
        let flags = if flags.is_empty() {
            flags
        } else {
            format!("(?{flags})")
        };
        let body = value.text();
        let pattern = if has("startswith") {
            format!("{flags}\\A(?:{body})")
        } else if has("endswith") {
            format!("{flags}(?:{body})\\z")
        } else {
            format!("{flags}{body}")
        };
        return regex_matches(pattern, text);
    }
    let mut variants = vec![match value {
        Scalar::Text(text) => signs(text),
        other => other.text().chars().map(Sign::Is).collect(),
    }];
    for modifier in modifiers {
        variants = variants
            .into_iter()
            .flat_map(|variant| changed(variant, modifier))
            .collect();
    }
    let text = if cased { text.to_owned() } else { lower(text) };
    let text: Vec<char> = text.chars().collect();
    variants.into_iter().any(|variant| {
        let mut wanted = Vec::new();
        if has("contains") || has("endswith") {
            wanted.push(Sign::Any);
        }
        for sign in variant {
            match sign {
                Sign::Is(character) if !cased => {
                    wanted.extend(character.to_lowercase().map(Sign::Is))
                }
                other => wanted.push(other),
            }
        }
        if has("contains") || has("startswith") {
            wanted.push(Sign::Any);
        }
        spells(&wanted, &text)
    })
}

/// Compiling costs more than matching, and the same few expressions are asked for again and again.
fn regex_matches(pattern: String, text: &str) -> bool {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, fancy_regex::Regex>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        let regex = known
            .entry(pattern)
            .or_insert_with_key(|pattern| fancy_regex::Regex::new(pattern).unwrap());
        regex.is_match(text).unwrap()
    })
}

/// Whether a pattern spells a text, asked for every pair of their beginnings.
fn spells(signs: &[Sign], text: &[char]) -> bool {
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for sign in signs {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match sign {
                Sign::Any => row[at] || (at > 0 && next[at - 1]),
                Sign::One => at > 0 && row[at - 1],
                Sign::Dash => at > 0 && row[at - 1] && DASHES.contains(&text[at - 1]),
                Sign::Is(character) => at > 0 && row[at - 1] && text[at - 1] == *character,
            };
        }
        row = next;
    }
    row[text.len()]
}

/// What a modifier that changes strings makes of one.
fn changed(signs: Vec<Sign>, modifier: &str) -> Vec<Vec<Sign>> {
    let of_text = |text: String| text.chars().map(Sign::Is).collect::<Vec<_>>();
    match modifier {
        "windash" => {
            let is_word = |sign: Option<&Sign>| matches!(sign, Some(Sign::Is(character)) if character.is_alphanumeric() || *character == '_');
            let changed = (0..signs.len()).map(|at| {
                let before = at.checked_sub(1).and_then(|before| signs.get(before));
                let flag = matches!(signs[at], Sign::Is('-' | '/'))
                    && !is_word(before)
                    && is_word(signs.get(at + 1));
                if flag { Sign::Dash } else { signs[at] }
            });
            vec![changed.collect()]
        }
        "wide" | "utf16le" | "utf16be" | "utf16" => {
            let mut variants = dashes_written_out(&signs);
            for variant in &mut variants {
                let mut bytes = Vec::new();
                if modifier == "utf16" {
                    bytes.extend([Sign::Is('\u{ff}'), Sign::Is('\u{fe}')]);
                }
                for sign in variant.iter() {
                    let Sign::Is(character) = sign else {
                        bytes.push(*sign);
                        continue;
                    };
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        let [high, low] = [(*unit >> 8) as u8, *unit as u8];
                        let pair = if modifier == "utf16be" {
                            [high, low]
                        } else {
                            [low, high]
                        };
                        bytes.extend(pair.map(|byte| Sign::Is(char::from(byte))));
                    }
                }
                *variant = bytes;
            }
            variants
        }
        "base64" | "base64offset" => dashes_written_out(&signs)
            .into_iter()
            .flat_map(|variant| {
                let text: String = variant
                    .iter()
                    .map(|sign| match sign {
                        Sign::Is(character) => *character,
                        other => panic!("{other:?} in what is to be encoded"),
                    })
                    .collect();
                if modifier == "base64" {
                    vec![of_text(base64(&bytes_of(&text)))]
                } else {
                    (0..3)
                        .map(|shift| of_text(base64_inside(&bytes_of(&text), shift)))
                        .collect()
                }
            })
            .collect(),
        _ => vec![signs],
    }
}

fn dashes_written_out(signs: &[Sign]) -> Vec<Vec<Sign>> {
    let mut variants: Vec<Vec<Sign>> = vec![Vec::new()];
    for sign in signs {
        let choices: Vec<Sign> = match sign {
            Sign::Dash => DASHES.into_iter().map(Sign::Is).collect(),
            other => vec![*other],
        };
        variants = variants
            .iter()
            .flat_map(|variant| {
                choices
                    .iter()
                    .map(|choice| variant.iter().copied().chain([*choice]).collect())
            })
            .collect();
    }
    variants
}

/// The bytes of a text: where `wide` and its like went before, every character is one.
fn bytes_of(text: &str) -> Vec<u8> {
    let is_wide = text
        .chars()
        .any(|character| character == '\0' || character == '\u{ff}');
    if is_wide {
        text.chars().map(|character| character as u8).collect()
    } else {
        text.as_bytes().to_vec()
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn bit(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at / 8)
        .map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1))
}

fn six(bytes: &[u8], at: usize) -> char {
    let value = (0..6).fold(0, |value, step| value << 1 | bit(bytes, at * 6 + step));
    char::from(ALPHABET[value])
}

fn base64(bytes: &[u8]) -> String {
    let length = (bytes.len() * 8).div_ceil(6);
    let mut text: String = (0..length).map(|at| six(bytes, at)).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// The characters all of whose bits come from the bytes, where `shift` others stand before them.
fn base64_inside(bytes: &[u8], shift: usize) -> String {
    let mut shifted = vec![0; shift];
    shifted.extend(bytes);
    let (first, last) = (shift * 8, shifted.len() * 8);
    (first.div_ceil(6)..last / 6)
        .map(|at| six(&shifted, at))
        .collect()
}

/// A number as digits and a power of ten, exactly.
#[derive(Clone, Debug)]
struct Decimal {
    digits: i128,
    power: i32,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unsigned = whole.strip_prefix(['+', '-']).unwrap_or(whole);
        let digits = format!("{unsigned}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let sign = if whole.starts_with('-') { -1 } else { 1 };
        let mut number = Decimal {
            digits: sign * digits.parse::<i128>().ok()?,
            power: exponent - fraction.len() as i32,
        };
        while number.digits != 0 && number.digits % 10 == 0 {
            number.digits /= 10;
            number.power += 1;
        }
        if number.digits == 0 {
            number.power = 0;
        }
        Some(number)
    }

    /// A number of a rule may be written with another base.
    fn parse_rule(text: &str) -> Option<Self> {
        let of_base = |digits: &str, base| {
            i128::from_str_radix(digits, base)
                .ok()
                .and_then(|number| Self::parse(&number.to_string()))
        };
        if let Some(digits) = text.strip_prefix("0x") {
            return of_base(digits, 16);
        }
        if let Some(digits) = text.strip_prefix("0o") {
            return of_base(digits, 8);
        }
        Self::parse(text)
    }

    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let least = self.power.min(other.power);
        let scaled = |number: &Self| number.digits * 10i128.pow((number.power - least) as u32);
        scaled(self).cmp(&scaled(other))
    }
}

fn in_network(network: &str, address: &str) -> bool {
    let bits = |text: &str| -> Option<(u128, u32)> {
        match text.parse::<std::net::IpAddr>().ok()?.to_canonical() {
            std::net::IpAddr::V4(four) => Some((u128::from(u32::from(four)), 32)),
            std::net::IpAddr::V6(six) => Some((u128::from(six), 128)),
        }
    };
    let (start, length) = network.split_once('/').unwrap_or((network, ""));
    let (Some((start, width)), Some((address, other))) = (bits(start), bits(address)) else {
        return false;
    };
    let length: u32 = length.parse().unwrap_or(width);
    let shift = width - length;
    width == other && (shift == 128 || start >> shift == address >> shift)
}

fn date_part(part: &str, text: &str) -> Option<i128> {
    let number = |from: usize, to: usize| -> Option<i128> {
        let digits = text.get(from..to)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let leap = |year: i128| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year: i128, month: i128| match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let separators = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    if !separators || !(1..=12).contains(&month) || day < 1 || day > length(year, month) {
        return None;
    }
    match part {
        "year" => Some(year),
        "month" => Some(month),
        "day" => Some(day),
        "week" => {
            // The week is the one that its Thursday is in, counted from the first of January.
            let days = |year: i128| {
                (1..year)
                    .map(|year| 365 + i128::from(leap(year)))
                    .sum::<i128>()
            };
            let today =
                days(year) + (1..month).map(|month| length(year, month)).sum::<i128>() + day - 1;
            // The first of January of the year one was a Monday.
            let thursday = today - today % 7 + 3;
            let of_year = (year - 1..=year + 1)
                .rev()
                .find(|year| days(*year) <= thursday)?;
            Some((thursday - days(of_year)) / 7 + 1)
        }
        _ => {
            let time = matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' '))
                && text.as_bytes().get(13) == Some(&b':');
            let (hour, minute) = (number(11, 13)?, number(14, 16)?);
            (time && hour < 24 && minute < 60).then_some(if part == "hour" { hour } else { minute })
        }
    }
}
