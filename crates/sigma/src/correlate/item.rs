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

/// What correlations look at: records that rules matched, each as one correlation sees it, packed one
/// behind the other. They own what they need of the records.
///
/// [`Plan::items`](super::Plan::items) adds to it, [`Correlator::fold`](super::Correlator::fold) takes
/// from it; neither allocates for a single record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items {
    bytes: Vec<u8>,
}

/// What is counted or measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One packed item. Only what decides where it goes is read until it is asked for its part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'b> {
    pub(crate) time: Moment,
    pub(crate) reference: Reference,
    head: &'b [u8; HEAD],
    /// All of its bytes.
    packed: &'b [u8],
}

/// What of an item does not depend on when it happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'b> {
    pub(crate) amount: Amount,
    /// The values of the group, each behind its length.
    pub(crate) key: &'b [u8],
    /// What to tell the correlations that refer to this one, where it holds with this record: parts,
    /// packed.
    pub(crate) carried: &'b [u8],
}

/// The order in which items of a correlation are folded. The rules of one record come last first, so
/// that one record is not two steps of a sequence.
pub(crate) type Order = (Moment, Reference, std::cmp::Reverse<u16>);

/// An item begins with its time and its reference; its part follows.
const PLACE: usize = 20;
/// A part begins with its size, hash, correlation, position, the length of its key and what the amount
/// is. The amount's number follows where it has one, then the key, then what is carried.
const HEAD: usize = 23;
const NUMBER: usize = 16;

const ONE: u8 = 0;
const VALUE: u8 = 1;
const QUANTITY: u8 = 2;
const UNREADABLE: u8 = 3;

impl Items {
    /// No item.
    pub fn new() -> Self {
        Self::default()
    }

    /// No item, with room for so many bytes of them.
    pub fn with_room(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// How many bytes they take.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Lets go of all, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds all of others.
    pub fn append(&mut self, others: &Items) {
        self.bytes.extend_from_slice(&others.bytes);
    }

    /// Changes where the records stand, for who learns of it only when items of other threads are in.
    pub fn refer(&mut self, change: impl Fn(Reference) -> Reference) {
        let mut at = 0;
        while let Some((place, part)) = self
            .bytes
            .get_mut(at..)
            .and_then(<[u8]>::split_first_chunk_mut::<PLACE>)
        {
            let Some(size) = size(part) else { return };
            set_place(place, place_of(place).0, change(place_of(place).1));
            at += PLACE + size;
        }
    }

    /// The items in their order; they end where the bytes make none, which only saved ones can.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (item, behind) = Item::first(rest)?;
            rest = behind;
            Some(item)
        })
    }

    /// Whether the bytes are items to their end.
    pub(crate) fn is_whole(&self) -> bool {
        let parts = self.iter().take_while(|item| item.part().is_some());
        parts.map(|item| item.size()).sum::<usize>() == self.bytes.len()
    }

    pub(crate) fn push(&mut self, item: &Item<'_>) {
        self.bytes.extend_from_slice(item.packed);
    }

    /// Adds an item of each of some packed parts.
    pub(crate) fn push_parts(&mut self, time: Moment, reference: Reference, mut parts: &[u8]) {
        while let Some((part, behind)) = size(parts).and_then(|size| parts.split_at_checked(size)) {
            self.add(time, reference, |bytes, place| {
                bytes.extend_from_slice(place);
                bytes.extend_from_slice(part);
            });
            parts = behind;
        }
    }

    /// Adds items of one record: `pack` adds to the bytes, each part behind the place that it is given.
    pub(crate) fn add(
        &mut self,
        time: Moment,
        reference: Reference,
        pack: impl FnOnce(&mut Vec<u8>, &[u8]),
    ) {
        let mut place = [0; PLACE];
        set_place(&mut place, time, reference);
        pack(&mut self.bytes, &place);
    }

    /// The item that begins at a byte.
    pub(crate) fn at(&self, byte: usize) -> Option<Item<'_>> {
        Some(Item::first(self.bytes.get(byte..)?)?.0)
    }
}

impl<'b> Item<'b> {
    fn first(bytes: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let (place, rest) = bytes.split_first_chunk::<PLACE>()?;
        let head = rest.first_chunk()?;
        let (packed, behind) = bytes.split_at_checked(PLACE + size(rest)?)?;
        let (time, reference) = place_of(place);
        let item = Self {
            time,
            reference,
            head,
            packed,
        };
        Some((item, behind))
    }

    pub(crate) fn order(&self) -> Order {
        (
            self.time,
            self.reference,
            std::cmp::Reverse(self.position()),
        )
    }

    /// The hash of its group's key.
    pub(crate) fn hash(&self) -> u64 {
        u64::from_le_bytes(taken(self.head, 4))
    }

    pub(crate) fn correlation(&self) -> u32 {
        u32::from_le_bytes(taken(self.head, 12))
    }

    /// Which of the correlation's rules matched.
    pub(crate) fn position(&self) -> u16 {
        u16::from_le_bytes(taken(self.head, 16))
    }

    /// The rest of it; `None` only of bytes that are none, as saved ones may be.
    pub(crate) fn part(&self) -> Option<Part<'b>> {
        let rest = self.packed.get(PLACE + HEAD..)?;
        Part::new(self.head, rest)
    }

    /// How many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.packed.len()
    }
}

impl<'b> Part<'b> {
    fn new(head: &[u8; HEAD], mut rest: &'b [u8]) -> Option<Self> {
        let kind = head[22];
        let mut number = 0;
        if kind != ONE {
            let (room, behind) = rest.split_first_chunk::<NUMBER>()?;
            number = u128::from_le_bytes(*room);
            rest = behind;
        }
        let amount = match kind {
            ONE => Amount::One,
            VALUE => Amount::Value(number),
            QUANTITY => Amount::Number(number as i128),
            _ => Amount::Unreadable,
        };
        let (key, carried) = rest.split_at_checked(u32::from_le_bytes(taken(head, 18)) as usize)?;
        Some(Self {
            amount,
            key,
            carried,
        })
    }
}

/// Bytes of an array from a place on.
fn taken<const FROM: usize, const COUNT: usize>(bytes: &[u8; FROM], at: usize) -> [u8; COUNT] {
    let mut taken = [0; COUNT];
    taken.copy_from_slice(&bytes[at..at + COUNT]);
    taken
}

fn place_of(place: &[u8; PLACE]) -> (Moment, Reference) {
    let reference = Reference {
        source: u32::from_le_bytes(taken(place, 16)),
        index: u64::from_le_bytes(taken(place, 8)),
    };
    (i64::from_le_bytes(taken(place, 0)), reference)
}

fn set_place(place: &mut [u8; PLACE], time: Moment, reference: Reference) {
    place[..8].copy_from_slice(&time.to_le_bytes());
    place[8..16].copy_from_slice(&reference.index.to_le_bytes());
    place[16..].copy_from_slice(&reference.source.to_le_bytes());
}

/// The size of the part that bytes begin with.
fn size(part: &[u8]) -> Option<usize> {
    let size = u32::from_le_bytes(*part.first_chunk()?) as usize;
    (size >= HEAD).then_some(size)
}

/// A part that is being packed behind other bytes.
pub(crate) struct Packing {
    start: usize,
    key: usize,
}

impl Packing {
    /// Begins a part, with room for a number where its amount will have one; the key is added next.
    pub(crate) fn begin(bytes: &mut Vec<u8>, has_number: bool) -> Self {
        let start = bytes.len();
        bytes.extend_from_slice(&[0; HEAD]);
        if has_number {
            bytes.extend_from_slice(&[0; NUMBER]);
        }
        Self {
            start,
            key: bytes.len(),
        }
    }

    /// The key, up to where it ends.
    pub(crate) fn key<'b>(&self, bytes: &'b [u8], end: usize) -> &'b [u8] {
        bytes.get(self.key..end).unwrap_or_default()
    }

    /// Fills in what stands before the key, when all behind it is there. False where the part is too
    /// large.
    pub(crate) fn finish(
        &self,
        bytes: &mut [u8],
        key_end: usize,
        hash: u64,
        correlation: u32,
    ) -> bool {
        let Ok(size) = u32::try_from(bytes.len() - self.start) else {
            return false;
        };
        if let Some(head) = bytes.get_mut(self.start..self.start + HEAD) {
            head[..4].copy_from_slice(&size.to_le_bytes());
            head[4..12].copy_from_slice(&hash.to_le_bytes());
            head[12..16].copy_from_slice(&correlation.to_le_bytes());
            head[18..22].copy_from_slice(&((key_end - self.key) as u32).to_le_bytes());
        }
        true
    }

    /// Sets what differs between the parts of one record.
    pub(crate) fn set(&self, bytes: &mut [u8], position: u16, amount: Amount) {
        let (kind, number) = match amount {
            Amount::One => (ONE, None),
            Amount::Value(value) => (VALUE, Some(value)),
            Amount::Number(number) => (QUANTITY, Some(number as u128)),
            Amount::Unreadable => (UNREADABLE, Some(0)),
        };
        if let Some(head) = bytes.get_mut(self.start..self.key) {
            head[16..18].copy_from_slice(&position.to_le_bytes());
            head[22] = kind;
            if let (Some(number), Some(room)) = (number, head.get_mut(HEAD..)) {
                room.copy_from_slice(&number.to_le_bytes());
            }
        }
    }

    /// The same part again, so many bytes behind itself.
    pub(crate) fn moved(&self, by: usize) -> Self {
        Self {
            start: self.start + by,
            key: self.key + by,
        }
    }
}

/// Adds a value to a key, behind its length, so that no two lists of values share a key.
pub(crate) fn push_value(key: &mut Vec<u8>, value: &str) {
    // Seven bits a byte, the lowest first.
    let mut length = value.len();
    while length >= 0x80 {
        key.push(length as u8 | 0x80);
        length >>= 7;
    }
    key.push(length as u8);
    key.extend_from_slice(value.as_bytes());
}

/// The values of a key.
pub(crate) fn values(mut key: &[u8]) -> Vec<String> {
    let mut values = Vec::new();
    while !key.is_empty() {
        let mut length = 0usize;
        let mut shift = 0;
        while let Some((byte, rest)) = key.split_first() {
            key = rest;
            length |= usize::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (value, behind) = key.split_at(length.min(key.len()));
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
        let long = "x".repeat(70_000);
        for list in [
            vec![],
            vec![""],
            vec!["a", "bc"],
            vec!["", "é", ""],
            vec![&long, "y", &long[..200]],
        ] {
            let mut key = Vec::new();
            list.iter().for_each(|value| push_value(&mut key, value));
            assert_eq!(values(&key), list);
        }
        assert_eq!(values(&[255, 255, 255, 255, 15, b'a']), ["a"]);
        assert_eq!(values(&[255; 20]), [""]);
    }

    fn pack(items: &mut Items, time: Moment, amount: Amount, key: &[u8], carried: &[u8]) {
        let reference = Reference {
            source: 3,
            index: time as u64,
        };
        items.add(time, reference, |bytes, place| {
            bytes.extend_from_slice(place);
            let packing = Packing::begin(bytes, amount != Amount::One);
            bytes.extend_from_slice(key);
            let end = bytes.len();
            bytes.extend_from_slice(carried);
            assert!(packing.finish(bytes, end, 77, 5));
            packing.set(bytes, 9, amount);
        });
    }

    #[test]
    fn items_come_out_as_they_went_in() {
        let amounts = [
            Amount::One,
            Amount::Value(u128::MAX - 3),
            Amount::Number(-5),
            Amount::Unreadable,
        ];
        let mut items = Items::new();
        for (time, amount) in (-2..).zip(amounts) {
            pack(&mut items, time, amount, b"key", b"carried");
        }
        items.refer(|reference| Reference {
            index: reference.index.wrapping_add(10),
            ..reference
        });
        let read: Vec<_> = items.iter().collect();
        assert_eq!(read.len(), amounts.len());
        for ((time, amount), item) in (-2..).zip(amounts).zip(read) {
            assert_eq!(item.time, time);
            assert_eq!(item.reference.source, 3);
            assert_eq!(item.reference.index, (time + 10) as u64);
            assert_eq!((item.correlation(), item.position()), (5, 9));
            let part = item.part().unwrap();
            assert_eq!(part.amount, amount);
            assert_eq!((item.hash(), part.key), (77, &b"key"[..]));
            assert_eq!(part.carried, b"carried");
        }
    }

    #[test]
    fn broken_items_end_the_list() {
        let mut items = Items::new();
        pack(&mut items, 1, Amount::Value(1), b"key", b"");
        for length in 0..items.bytes.len() {
            let cut = Items {
                bytes: items.bytes[..length].to_vec(),
            };
            assert_eq!(cut.iter().count(), 0);
        }
        for byte in 0..items.bytes.len() {
            let mut changed = items.clone();
            changed.bytes[byte] ^= 0xFF;
            assert!(changed.iter().count() <= 1);
        }
    }
}
