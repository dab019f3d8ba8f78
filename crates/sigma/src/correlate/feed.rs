//! What a record tells a correlation: its group, and what is counted or measured of it.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use portreeve_record::{FieldId, Record, Value};
use smallvec::SmallVec;

use super::item::{Amount, Packing, push_value};
use super::window::UNIT;
use crate::number::Number;
use crate::test::scalar_text;

/// How many values of one field of one record are told apart.
const MAX_VALUES: usize = 64;
/// A group's value of more bytes is kept as its beginning and a hash: it waits with each of its records.
const LONGEST_VALUE: usize = 1_024;
/// How much is kept of the beginning.
const BEGINNING: usize = 200;

/// What a rule, or a correlation, tells one that refers to it.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    pub(super) correlation: u32,
    pub(super) positions: SmallVec<[u16; 1]>,
    pub(super) group: Vec<FieldId>,
    pub(super) measured: Vec<FieldId>,
    pub(super) numeric: bool,
    pub(super) carried: Vec<Feed>,
}

impl Feed {
    /// Packs the parts of a record behind `bytes`, each from its place on; nothing where the record has
    /// no part in it.
    pub(super) fn pack<R: Record + ?Sized>(&self, record: &R, bytes: &mut Vec<u8>, place: &[u8]) {
        let start = bytes.len();
        if self.pack_all(record, bytes, place).is_none() {
            bytes.truncate(start);
        }
    }

    fn pack_all<R: Record + ?Sized>(
        &self,
        record: &R,
        bytes: &mut Vec<u8>,
        place: &[u8],
    ) -> Option<()> {
        let start = bytes.len();
        bytes.extend_from_slice(place);
        let packing = Packing::begin(bytes, !self.measured.is_empty());
        for field in &self.group {
            push_text(bytes, record.values(*field))?;
        }
        let key_end = bytes.len();
        let hash = group_hash(packing.key(bytes, key_end));
        let amounts = self.amounts(record);
        for feed in &self.carried {
            feed.pack(record, bytes, &[]);
        }
        if !packing.finish(bytes, key_end, hash, self.correlation) {
            return None;
        }
        // The parts differ in two things only.
        let end = bytes.len();
        let mut moved = 0;
        for amount in &amounts {
            for position in &self.positions {
                if moved > 0 {
                    bytes.extend_from_within(start..end);
                }
                packing.moved(moved).set(bytes, *position, *amount);
                moved += end - start;
            }
        }
        (moved > 0).then_some(())
    }

    /// What is counted or measured of a record.
    fn amounts<R: Record + ?Sized>(&self, record: &R) -> SmallVec<[Amount; 1]> {
        let mut amounts: SmallVec<[Amount; 1]> = SmallVec::new();
        match self.measured.as_slice() {
            [] => amounts.push(Amount::One),
            [field] if self.numeric => texts(record.values(*field), &mut |text| {
                amounts.push(number(text));
                false
            }),
            [field] => texts(record.values(*field), &mut |text| {
                amounts.push(Amount::Value(digest(text.as_bytes())));
                amounts.len() < MAX_VALUES
            }),
            several => {
                let mut value = Vec::new();
                for field in several {
                    let before = value.len();
                    texts(record.values(*field), &mut |text| {
                        push_value(&mut value, text);
                        false
                    });
                    if value.len() == before {
                        return SmallVec::new();
                    }
                }
                amounts.push(Amount::Value(digest(&value)));
            }
        }
        amounts
    }
}

/// Adds the first text of some values to a key; `None` where there is none.
fn push_text(key: &mut Vec<u8>, values: &[Value<'_>]) -> Option<()> {
    // Nearly always.
    if let [Value::String(text)] = values
        && text.len() <= LONGEST_VALUE
    {
        push_value(key, text);
        return Some(());
    }
    let mut found = None;
    texts(values, &mut |text| {
        match shortened(text) {
            None => push_value(key, text),
            Some(short) => push_value(key, &short),
        }
        found = Some(());
        false
    });
    found
}

/// Calls `found` with the text of each value that is there, until it says no more.
fn texts(values: &[Value<'_>], found: &mut dyn FnMut(&str) -> bool) {
    // Nearly always.
    if let [Value::String(text)] = values {
        found(text);
        return;
    }
    fn walk(value: &Value<'_>, depth: usize, found: &mut dyn FnMut(&str) -> bool) -> bool {
        match value {
            Value::Unknown | Value::Null => true,
            Value::Array(_) if depth < 4 => value
                .elements()
                .all(|element| walk(&element, depth + 1, found)),
            Value::Array(text) | Value::Object(text) => found(text),
            other => scalar_text(other).is_none_or(&mut *found),
        }
    }
    let _ = values.iter().all(|value| walk(value, 0, found));
}

/// What stands for a value that is too long to be kept; no other value is shortened to the same.
fn shortened(text: &str) -> Option<String> {
    if text.len() <= LONGEST_VALUE {
        return None;
    }
    let mut ends = text.char_indices().map(|(at, _)| at);
    let beginning = &text[..ends.find(|at| *at >= BEGINNING)?];
    let hash = digest(text.as_bytes());
    Some(format!("{beginning}… ({} bytes, {hash:032x})", text.len()))
}

fn number(text: &str) -> Amount {
    /// Larger numbers would leave no room to add many of them up.
    const LARGEST: i128 = 1_000_000_000_000_000_000;
    match Number::parse(text) {
        Some(Number::Integer(integer)) if integer.abs() <= LARGEST => {
            Amount::Number(integer * UNIT)
        }
        Some(Number::Fraction(value)) if value.abs() <= LARGEST as f64 => {
            let whole = value.trunc();
            let rest = ((value - whole) * UNIT as f64).round();
            Amount::Number(whole as i128 * UNIT + rest as i128)
        }
        _ => Amount::Unreadable,
    }
}

/// The hash by which groups are found. Keys are compared whole where it agrees.
pub(crate) fn group_hash(key: &[u8]) -> u64 {
    let mut hasher = foldhash::fast::FixedState::with_seed(0).build_hasher();
    hasher.write(key);
    hasher.finish()
}

/// 128 bits, so that different values share one by no chance that matters.
pub(super) fn digest(bytes: &[u8]) -> u128 {
    let half = |seed| {
        let mut hasher = FixedState::with_seed(seed).build_hasher();
        hasher.write(bytes);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_shortened_and_told_apart() {
        assert_eq!(shortened(&"é".repeat(LONGEST_VALUE / 2)), None);
        let long = |last: char| format!("x{}{last}", "é".repeat(100_000));
        let short = |last: char| shortened(&long(last)).unwrap();
        assert!(short('a').starts_with("xé") && short('a').len() < 300);
        assert_eq!(short('a'), short('a'));
        assert_ne!(short('a'), short('b'));
    }
}
