use std::net::IpAddr;

use foldhash::fast::FixedState;
use std::collections::HashMap;

use super::ranges::{Builder, Range, Ranges};
use super::{DataOrigin, NetworkDataError};

/// What the compact form begins with; the last but one byte is its version.
pub(super) const MAGIC: &[u8; 20] = b"PORTREEVE-NETWORKS\x01\n";

/// A table of ranges with what it says of each, texts kept once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeTable {
    pub(super) origin: DataOrigin,
    pub(super) ranges: Ranges,
    entries: Vec<Entry>,
    texts: Texts,
}

/// What is said of a range: 0 for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Entry {
    asn: u32,
    organisation: u32,
    country: u32,
    class: u32,
    name: u32,
}

/// What a source of data says of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told<'t> {
    pub(super) asn: Option<u32>,
    pub(super) organisation: Option<&'t str>,
    pub(super) country: Option<&'t str>,
    pub(super) class: Option<&'t str>,
    pub(super) name: Option<&'t str>,
}

/// Texts in one block; number 0 is the empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Texts {
    block: String,
    ends: Vec<u32>,
}

impl Texts {
    fn get(&self, number: u32) -> Option<&str> {
        let at = (number as usize).checked_sub(1)?;
        let start = match at {
            0 => 0,
            _ => *self.ends.get(at - 1)? as usize,
        };
        self.block.get(start..*self.ends.get(at)? as usize)
    }
}

impl RangeTable {
    /// Where the table comes from.
    pub fn origin(&self) -> &DataOrigin {
        &self.origin
    }

    /// How many ranges it has.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether any range tells an AS number.
    pub(super) fn tells_asn(&self) -> bool {
        self.entries.iter().any(|entry| entry.asn != 0)
    }

    /// Whether any range tells a country.
    pub(super) fn tells_country(&self) -> bool {
        self.entries.iter().any(|entry| entry.country != 0)
    }

    pub(super) fn find(&self, address: IpAddr) -> Option<Told<'_>> {
        let entry = self.entries.get(self.ranges.find(address)? as usize)?;
        Some(Told {
            asn: (entry.asn != 0).then_some(entry.asn),
            organisation: self.texts.get(entry.organisation),
            country: self.texts.get(entry.country),
            class: self.texts.get(entry.class),
            name: self.texts.get(entry.name),
        })
    }

    /// The compact form: what is read in a few milliseconds where the CSV takes a second.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let number = |bytes: &mut Vec<u8>, value: usize| {
            bytes.extend_from_slice(&(value as u32).to_le_bytes());
        };
        for text in self.origin.texts() {
            number(&mut bytes, text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
        for count in [
            self.texts.ends.len(),
            self.texts.block.len(),
            self.entries.len(),
            self.ranges.four.len(),
            self.ranges.six.len(),
        ] {
            number(&mut bytes, count);
        }
        for end in &self.texts.ends {
            bytes.extend_from_slice(&end.to_le_bytes());
        }
        bytes.extend_from_slice(self.texts.block.as_bytes());
        for entry in &self.entries {
            for value in entry.values() {
                bytes.extend_from_slice(&value.to_le_bytes());
            }
        }
        for range in &self.ranges.four {
            bytes.extend_from_slice(&range.first.to_le_bytes());
            bytes.extend_from_slice(&range.last.to_le_bytes());
            bytes.extend_from_slice(&range.value.to_le_bytes());
        }
        for range in &self.ranges.six {
            bytes.extend_from_slice(&range.first.to_le_bytes());
            bytes.extend_from_slice(&range.last.to_le_bytes());
            bytes.extend_from_slice(&range.value.to_le_bytes());
        }
        bytes
    }

    /// Reads the compact form. Bytes that are damaged are refused, never misread: every number in
    /// them is held against what it counts or points to.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, NetworkDataError> {
        let broken = NetworkDataError::BrokenTable;
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(broken("its beginning"))?;
        let mut origin = DataOrigin::default();
        for text in origin.texts_mut() {
            let length = take_number(&mut rest).ok_or(broken("its origin"))?;
            let taken = take(&mut rest, length as usize, 1).ok_or(broken("its origin"))?;
            *text = text_of(taken).ok_or(broken("its origin"))?.to_owned();
        }
        let mut count = || take_number(&mut rest).ok_or(broken("its counts"));
        let (texts, block, entries, four, six) = (count()?, count()?, count()?, count()?, count()?);
        let ends: Vec<u32> = chunks(&mut rest, texts)
            .ok_or(broken("its texts"))?
            .map(u32::from_le_bytes)
            .collect();
        let block = take(&mut rest, block as usize, 1)
            .and_then(text_of)
            .ok_or(broken("its texts"))?
            .to_owned();
        let in_order =
            ends.is_sorted() && ends.last().is_none_or(|end| *end as usize <= block.len());
        if !in_order || !ends.iter().all(|end| block.is_char_boundary(*end as usize)) {
            return Err(broken("its texts"));
        }
        let entries: Vec<Entry> = chunks(&mut rest, entries)
            .ok_or(broken("its entries"))?
            .map(Entry::from_bytes)
            .collect();
        let known = |entry: &Entry| entry.values()[1..].iter().all(|text| *text <= texts);
        if !entries.iter().all(known) {
            return Err(broken("its entries"));
        }
        let ranges = Ranges {
            four: chunks(&mut rest, four)
                .ok_or(broken("its ranges"))?
                .map(|chunk: [u8; 12]| Range {
                    first: u32::from_le_bytes(part(&chunk, 0)),
                    last: u32::from_le_bytes(part(&chunk, 4)),
                    value: u32::from_le_bytes(part(&chunk, 8)),
                })
                .collect(),
            six: chunks(&mut rest, six)
                .ok_or(broken("its ranges"))?
                .map(|chunk: [u8; 36]| Range {
                    first: u128::from_le_bytes(part(&chunk, 0)),
                    last: u128::from_le_bytes(part(&chunk, 16)),
                    value: u32::from_le_bytes(part(&chunk, 32)),
                })
                .collect(),
        };
        if !(apart(&ranges.four, entries.len()) && apart(&ranges.six, entries.len())) {
            return Err(broken("the order of its ranges"));
        }
        if !rest.is_empty() {
            return Err(broken("its end"));
        }
        Ok(Self {
            origin,
            ranges,
            entries,
            texts: Texts { block, ends },
        })
    }
}

impl Entry {
    fn values(&self) -> [u32; 5] {
        [
            self.asn,
            self.organisation,
            self.country,
            self.class,
            self.name,
        ]
    }

    fn from_bytes(bytes: [u8; 20]) -> Self {
        let value = |at| u32::from_le_bytes(part(&bytes, at));
        Self {
            asn: value(0),
            organisation: value(4),
            country: value(8),
            class: value(12),
            name: value(16),
        }
    }
}

fn apart<A: Copy + Ord>(ranges: &[Range<A>], entries: usize) -> bool {
    ranges
        .iter()
        .all(|range| range.first <= range.last && (range.value as usize) < entries)
        && ranges.windows(2).all(|pair| pair[0].last < pair[1].first)
}

fn take<'b>(rest: &mut &'b [u8], count: usize, size: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(count.checked_mul(size)?)?;
    *rest = left;
    Some(taken)
}

fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let taken = take(rest, 4, 1)?;
    Some(u32::from_le_bytes(taken.try_into().ok()?))
}

fn chunks<'b, const N: usize>(
    rest: &mut &'b [u8],
    count: u32,
) -> Option<impl Iterator<Item = [u8; N]> + use<'b, N>> {
    let taken = take(rest, count as usize, N)?;
    Some(taken.as_chunks::<N>().0.iter().copied())
}

/// Some bytes of a piece whose size is known.
fn part<const N: usize, const M: usize>(chunk: &[u8; N], at: usize) -> [u8; M] {
    let mut part = [0; M];
    part.copy_from_slice(&chunk[at..at + M]);
    part
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Makes a table.
#[derive(Debug, Default)]
pub(super) struct TableBuilder {
    ranges: Builder,
    entries: Vec<Entry>,
    known_entries: HashMap<Entry, u32, FixedState>,
    texts: Texts,
    known_texts: HashMap<String, u32, FixedState>,
}

/// How long a text may be; an organisation's name takes a tenth of it.
const LONGEST_TEXT: usize = 512;

impl TableBuilder {
    /// Adds a range; `false` where its two ends are none.
    pub(super) fn add(&mut self, first: IpAddr, last: IpAddr, told: &Told<'_>) -> bool {
        let entry = Entry {
            asn: told.asn.unwrap_or_default(),
            organisation: self.text(told.organisation),
            country: self.text(told.country),
            class: self.text(told.class),
            name: self.text(told.name),
        };
        let next = self.entries.len() as u32;
        let number = *self.known_entries.entry(entry).or_insert(next);
        if number == next {
            self.entries.push(entry);
        }
        self.ranges.add(first, last, number)
    }

    fn text(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return 0;
        };
        let text = &text[..text.len().min(text_end(text))];
        if let Some(known) = self.known_texts.get(text) {
            return *known;
        }
        self.texts.block.push_str(text);
        self.texts.ends.push(self.texts.block.len() as u32);
        let number = self.texts.ends.len() as u32;
        self.known_texts.insert(text.to_owned(), number);
        number
    }

    pub(super) fn build(self, origin: DataOrigin) -> RangeTable {
        RangeTable {
            origin,
            ranges: self.ranges.build(),
            entries: self.entries,
            texts: self.texts,
        }
    }
}

/// Where a text is cut, between characters.
fn text_end(text: &str) -> usize {
    (0..=LONGEST_TEXT.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table() -> RangeTable {
        let mut builder = TableBuilder::default();
        let told = Told {
            asn: Some(64500),
            organisation: Some("Beispiel für Netze"),
            country: Some("DE"),
            ..Told::default()
        };
        let address = |text: &str| text.parse().unwrap();
        assert!(builder.add(address("192.0.2.0"), address("192.0.2.127"), &told));
        assert!(builder.add(address("2001:db8::"), address("2001:db8::ffff"), &told));
        let other = Told {
            class: Some("vpn"),
            name: Some("exit"),
            ..Told::default()
        };
        assert!(builder.add(address("198.51.100.0"), address("198.51.100.255"), &other));
        builder.build(DataOrigin {
            name: "example".to_owned(),
            date: "2026-06-17".to_owned(),
            ..DataOrigin::default()
        })
    }

    #[test]
    fn the_compact_form_is_read_as_it_was_written() {
        let table = table();
        let read = RangeTable::from_bytes(&table.to_bytes()).unwrap();
        assert_eq!(read, table);
        let told = read.find("192.0.2.1".parse().unwrap()).unwrap();
        assert_eq!(told.organisation, Some("Beispiel für Netze"));
        assert_eq!(read.find("192.0.2.128".parse().unwrap()), None);
        let told = read.find("198.51.100.9".parse().unwrap()).unwrap();
        assert_eq!((told.class, told.asn), (Some("vpn"), None));
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let mut builder = TableBuilder::default();
        let long = "ä".repeat(LONGEST_TEXT);
        let told = Told {
            organisation: Some(&long),
            ..Told::default()
        };
        let address: IpAddr = "192.0.2.0".parse().unwrap();
        builder.add(address, address, &told);
        let table = builder.build(DataOrigin::default());
        let kept = table.find(address).unwrap().organisation.unwrap();
        assert_eq!(kept.len(), LONGEST_TEXT);
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_refused_or_read_without_panic(
            at in 0_usize..400,
            value in any::<u8>(),
            cut in 0_usize..400,
        ) {
            let mut bytes = table().to_bytes();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            if let Ok(read) = RangeTable::from_bytes(&bytes) {
                for address in ["192.0.2.1", "198.51.100.1", "2001:db8::1", "0.0.0.0"] {
                    read.find(address.parse().unwrap());
                }
                prop_assert_eq!(read.to_bytes(), bytes.clone());
            }
            if cut < bytes.len() {
                prop_assert!(RangeTable::from_bytes(&bytes[..cut]).is_err());
            }
        }
    }
}
