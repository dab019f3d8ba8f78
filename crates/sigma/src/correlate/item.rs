use serde::{Deserialize, Serialize};

/// A moment of event time: microseconds since the epoch.
pub(crate) type Moment = i64;

/// Where a record stands in the input. Records of the same time are in the order of their
/// references.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Reference {
    /// The number of the file or stream.
    pub source: u32,
    /// The number of the record in it.
    pub index: u64,
}

/// A record that a rule matched, as one correlation looks at it. It owns what it needs of the
/// record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub(crate) time: Moment,
    pub(crate) reference: Reference,
    pub(crate) part: Part,
}

/// What of an item does not depend on when it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) correlation: u32,
    /// Which of the correlation's rules matched.
    pub(crate) position: u16,
    pub(crate) amount: Amount,
    /// The hash of `key`.
    pub(crate) hash: u64,
    /// The values of the group, each behind its length.
    pub(crate) key: Box<[u8]>,
    /// What to tell the correlations that refer to this one, where it holds with this record.
    pub(crate) carried: Box<[Part]>,
}

/// What is counted or measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Amount {
    /// The record itself.
    One,
    /// A value, by its hash.
    Value(u128),
    /// A number, in billionths.
    Number(i128),
    /// A value that is no number where one is needed.
    Unreadable,
}

impl Item {
    /// Where the record stands.
    pub fn reference(&self) -> Reference {
        self.reference
    }

    /// Says where the record stands, for who learns of it only when items of other threads are in.
    pub fn set_reference(&mut self, reference: Reference) {
        self.reference = reference;
    }

    /// When the record happened, in microseconds since the epoch.
    pub fn time(&self) -> i64 {
        self.time
    }

    /// The order in which items of a correlation are folded. The rules of one record come last
    /// first, so that one record is not two steps of a sequence.
    pub(crate) fn order(&self) -> (Moment, Reference, std::cmp::Reverse<u16>) {
        (
            self.time,
            self.reference,
            std::cmp::Reverse(self.part.position),
        )
    }
}

/// Adds a value to a key, behind its length, so that no two lists of values share a key.
pub(crate) fn push_value(key: &mut Vec<u8>, value: &str) {
    key.extend_from_slice(&(value.len() as u32).to_le_bytes());
    key.extend_from_slice(value.as_bytes());
}

/// The values of a key.
pub(crate) fn values(mut key: &[u8]) -> Vec<String> {
    let mut values = Vec::new();
    while let Some((length, rest)) = key.split_first_chunk::<4>() {
        let length = (u32::from_le_bytes(*length) as usize).min(rest.len());
        let (value, behind) = rest.split_at(length);
        values.push(String::from_utf8_lossy(value).into_owned());
        key = behind;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_give_their_values_back() {
        for list in [vec![], vec![""], vec!["a", "bc"], vec!["", "é", ""]] {
            let mut key = Vec::new();
            list.iter().for_each(|value| push_value(&mut key, value));
            assert_eq!(values(&key), list);
        }
        assert_eq!(values(&[255, 255, 255, 255, b'a']), ["a"]);
    }
}
