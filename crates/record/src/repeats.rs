//! Records that come again: most of a log is the same call of the same caller, but for when it was made,
//! what it is called by, in which of the caller's sessions it was made, and which credential it minted. Such a
//! record is known by comparing its bytes, in a part of the time that reading it takes.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use memchr::memchr;
use memchr::memmem::Finder;
use smallvec::SmallVec;

use crate::places::Places;
use crate::{FieldId, Fields, Record, Value};

/// How many records are remembered; a power of two.
const PLACES: u32 = 1 << 11;
/// Longer records, in bytes, are too seldom the same.
const LONGEST: usize = 4096;

/// The fields that say which event a record is, when it was, in which session and what credential came of it,
/// and nothing else of what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// The event's id.
    pub event_id: FieldId,
    /// Its time.
    pub time: FieldId,
    /// The session of the caller, where its fields are of the occasion too.
    pub session: Option<SessionFields>,
    /// The credential that was minted, where its fields are of the occasion too.
    pub minted: Option<MintedFields>,
    /// Fields that nothing is read from.
    pub others: Vec<FieldId>,
}

/// The fields that tell one session of a caller from another. Both are of the occasion only where a record
/// says the first, as a text that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionFields {
    /// The id of the credential.
    pub credential: FieldId,
    /// When the session was created.
    pub created: FieldId,
}

/// The fields that tell one minted credential from another. Both are of the occasion only where a record says the
/// first, as a text that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MintedFields {
    /// The id of the credential.
    pub credential: FieldId,
    /// When it ends.
    pub expires: FieldId,
}

impl Occasion {
    /// All of the fields.
    pub fn fields(&self) -> impl Iterator<Item = FieldId> {
        let of_session = self.session.iter();
        let of_session = of_session.flat_map(|session| [session.credential, session.created]);
        let of_minted = self.minted.iter();
        let of_minted = of_minted.flat_map(|minted| [minted.credential, minted.expires]);
        [self.time, self.event_id]
            .into_iter()
            .chain(of_session)
            .chain(of_minted)
            .chain(self.others.iter().copied())
    }

    /// What is left of the occasion where some fields are looked at: `None` where its id or its time is. The
    /// session is left as it is; a minted credential is of it with both fields or with none.
    pub fn without(mut self, looked_at: &[FieldId], fields: &Fields) -> Option<Self> {
        let is_told = |own: FieldId| looked_at.iter().any(|field| tells(*field, own, fields));
        if is_told(self.event_id) || is_told(self.time) {
            return None;
        }
        self.others.retain(|field| !is_told(*field));
        let is_untold =
            |minted: &MintedFields| !is_told(minted.credential) && !is_told(minted.expires);
        self.minted = self.minted.filter(is_untold);
        Some(self)
    }
}

impl SessionFields {
    /// Whether a field says one of the two: it is one, or an object that holds one.
    pub fn are_told_by(&self, field: FieldId, fields: &Fields) -> bool {
        tells(field, self.credential, fields) || tells(field, self.created, fields)
    }
}

/// Whether a field tells another: it is that one, or an object that holds it.
fn tells(field: FieldId, other: FieldId, fields: &Fields) -> bool {
    let rest = fields.path(other).strip_prefix(fields.path(field));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Records that were read before, each with what `T` tells of it, to know those by that are the same but
/// for their [`Occasion`]. Memory that is kept from record to record, some megabytes at most; one for each
/// thread, and for records of one [`Extractor`](crate::Extractor).
///
/// Why it is sound: a record that was read is parted at the texts of the occasion's fields, each of which is
/// the whole of a JSON string without escapes. Another one that has the same bytes around them, and within
/// them as many bytes that are neither quotes, backslashes, control characters nor beyond ASCII, has the same
/// tokens at the same places. So it is valid where the first was, and has the same fields with the same
/// values, but for these and for the objects that they stand in.
#[derive(Debug)]
pub struct Repeats<T> {
    session: Option<SessionFields>,
    minted: Option<MintedFields>,
    /// The fields whose values differ from record to record, in the order in which all stood last.
    parts: Vec<Part>,
    /// By [`form`] which parts the last record lacked, a bit each: their keys may stand there for something else.
    lacked: Vec<u16>,
    known: Places<Known<T>>,
    luck: Luck,
}

/// How often a record is known, so that little time is lost on logs of which nothing comes again.
#[derive(Debug, Default)]
struct Luck {
    sought: u32,
    found: u32,
    /// So many records are not looked for.
    passed: u32,
}

/// After so many records it is looked whether it is worth while.
const TRIAL: u32 = 1 << 10;
/// If not, so many are passed over.
const PASSED: u32 = 8 * TRIAL;
/// It is where one in so many is known.
const WORTH: u32 = 16;

impl Luck {
    fn tries(&mut self) -> bool {
        if self.passed > 0 {
            self.passed -= 1;
            return false;
        }
        if self.sought == TRIAL {
            if self.found < TRIAL / WORTH {
                self.passed = PASSED;
            }
            (self.sought, self.found) = (0, 0);
        }
        self.sought += 1;
        true
    }
}

/// For how many lengths of records it is remembered where a key stood last; a power of two.
const LENGTHS: usize = 1 << 9;

#[derive(Debug)]
struct Part {
    field: FieldId,
    /// Finds the key, the last of its path, in quotes.
    key: Finder<'static>,
    /// Where it stood last in as many bytes, by their number. Records that are as long as one another mostly
    /// are of one form, so that a look there spares the search.
    stood: Vec<u32>,
    /// Its bit in [`Repeats::lacked`].
    bit: u16,
}

#[derive(Debug)]
struct Known<T> {
    text: Vec<u8>,
    /// In the order of the text.
    holes: SmallVec<[Hole; 7]>,
    told: Option<T>,
}

/// Where in the text the value of a field stands.
#[derive(Clone, Copy, Debug)]
struct Hole {
    field: FieldId,
    start: usize,
    end: usize,
}

/// Where a record belongs among those that are remembered.
#[derive(Clone, Copy, Debug)]
pub struct Sought(Option<u64>);

/// A record that is the same as one before, but for its occasion.
#[derive(Debug)]
pub struct Repeat<'k, 'r, T> {
    /// What was told of the one before.
    pub told: &'k T,
    record: &'r [u8],
    before: &'k [u8],
    holes: &'k [Hole],
}

impl<'r, T> Repeat<'_, 'r, T> {
    /// The text of a field of the occasion; `None` where it is no text, so that the one before has it
    /// too, or lacks it.
    pub fn text(&self, field: FieldId) -> Option<&'r str> {
        let hole = self.hole(field)?;
        std::str::from_utf8(self.record.get(hole.start..hole.end)?).ok()
    }

    /// The same, where it is not the text that the one before has.
    pub fn new_text(&self, field: FieldId) -> Option<&'r str> {
        let hole = self.hole(field)?;
        let is_new = self.record.get(hole.start..hole.end) != self.before.get(hole.start..hole.end);
        is_new.then(|| self.text(field)).flatten()
    }

    fn hole(&self, field: FieldId) -> Option<&Hole> {
        self.holes.iter().find(|hole| hole.field == field)
    }
}

impl<T> Repeats<T> {
    /// Nothing is remembered yet.
    pub fn new(occasion: &Occasion, fields: &Fields) -> Self {
        let part = |(number, field): (u32, FieldId)| {
            let path = fields.path(field);
            let key = path.rsplit_once('.').map_or(path, |(_, key)| key);
            Part {
                field,
                key: Finder::new(&format!("\"{key}\"")).into_owned(),
                stood: vec![0; LENGTHS],
                // One beyond them is always looked for.
                bit: 1u16.checked_shl(number).unwrap_or_default(),
            }
        };
        Self {
            session: occasion.session,
            minted: occasion.minted,
            parts: (0..).zip(occasion.fields()).map(part).collect(),
            lacked: vec![0; FORMS],
            known: Places::new(PLACES),
            luck: Luck::default(),
        }
    }

    /// Forgets all records.
    pub fn clear(&mut self) {
        self.known.iter_mut().for_each(Known::forget);
    }

    /// Where a record belongs. Only a guess of where its occasion stands goes into this.
    pub fn seek(&mut self, record: &[u8]) -> Sought {
        if record.len() > LONGEST || !self.luck.tries() {
            return Sought(None);
        }
        let mut hasher = FixedState::default().build_hasher();
        hasher.write_usize(record.len());
        let mut rest = record;
        let lacked = self.lacked.get(form(record)).copied().unwrap_or_default();
        let there = |part: &&mut Part| lacked & part.bit == 0;
        for part in self.parts.iter_mut().filter(there) {
            let Some((before, after)) = part.around(rest) else {
                continue;
            };
            hasher.write(before);
            rest = after;
        }
        hasher.write(rest);
        Sought(Some(hasher.finish()))
    }

    /// The record that this one repeats, if it is remembered.
    pub fn find<'k, 'r>(
        &'k mut self,
        sought: Sought,
        record: &'r [u8],
    ) -> Option<Repeat<'k, 'r, T>> {
        let hash = sought.0?;
        let known = self.known.find(hash)?;
        if known.text.len() != record.len() {
            return None;
        }
        let told = known.told.as_ref()?;
        let mut from = 0;
        for hole in &known.holes {
            let same = known.text.get(from..hole.start)? == record.get(from..hole.start)?;
            if !same || !is_plain(record.get(hole.start..hole.end)?) {
                return None;
            }
            from = hole.end;
        }
        if known.text.get(from..)? != record.get(from..)? {
            return None;
        }
        self.luck.found += 1;
        Some(Repeat {
            told,
            record,
            before: &known.text,
            holes: &known.holes,
        })
    }

    /// Remembers a record that was read whole, by where it belongs, with what is told of it. `any_session`:
    /// whether that holds of its caller's other sessions too.
    pub fn remember(&mut self, sought: Sought, record: &impl Record, told: T, any_session: bool) {
        let Some(hash) = sought.0 else {
            return;
        };
        let Some(known) = self.known.take(hash, |known| known.told.is_none()) else {
            return;
        };
        known.forget();
        let text = record.text();
        for part in &self.parts {
            match Hole::of(part.field, record, text) {
                Ok(hole) => known.holes.extend(hole),
                Err(SeveralValues) => return,
            }
        }
        if let Some(session) = self.session {
            known.settle(session.credential, session.created, any_session);
        }
        if let Some(minted) = self.minted {
            known.settle(minted.credential, minted.expires, true);
        }
        let holes = &known.holes;
        let is_lacked = |part: &&Part| holes.iter().all(|hole| hole.field != part.field);
        let lacked = self.parts.iter().filter(is_lacked);
        if let Some(known) = self.lacked.get_mut(form(text.as_bytes())) {
            *known = lacked.fold(0, |bits, part| bits | part.bit);
        }
        if !known.holes.is_sorted_by_key(|hole| hole.start) {
            known.holes.sort_unstable_by_key(|hole| hole.start);
            in_order_of(&known.holes, &mut self.parts);
        }
        known.text.extend_from_slice(text.as_bytes());
        known.told = Some(told);
    }
}

/// Brings the parts that a record has into the order in which they stand there. They take one another's places:
/// one that it lacks keeps its own, or records of two forms in turn would each spoil the order for the other.
fn in_order_of(holes: &[Hole], parts: &mut [Part]) {
    let is_there = |part: &Part| holes.iter().any(|hole| hole.field == part.field);
    let places: SmallVec<[usize; 7]> = (0..parts.len())
        .filter(|place| is_there(&parts[*place]))
        .collect();
    for (place, hole) in places.into_iter().zip(holes) {
        if let Some(at) = parts.iter().position(|part| part.field == hole.field) {
            parts.swap(place, at);
        }
    }
}

/// How many forms of records are told apart; a power of two.
const FORMS: usize = 1 << 11;

/// Which form a record seems to have: by its length, and by some bytes near its beginning, where most sources say
/// what kind of event or caller it is of.
fn form(record: &[u8]) -> usize {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write_usize(record.len());
    hasher.write(record.get(40..56).unwrap_or_default());
    hasher.finish() as usize % FORMS
}

/// Whether bytes can stand in a JSON string for nothing but themselves.
fn is_plain(bytes: &[u8]) -> bool {
    // All are looked at, so that many are at a time.
    bytes.iter().fold(true, |plain, byte| {
        plain & matches!(*byte, b' '..=b'~') & (*byte != b'"') & (*byte != b'\\')
    })
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            holes: SmallVec::new(),
            told: None,
        }
    }
}

impl<T> Known<T> {
    fn forget(&mut self) {
        self.told = None;
        self.text.clear();
        self.holes.clear();
    }

    /// Where no credential is said, or `any` other one would not do, it is a part of what has to be the same,
    /// and so is its time.
    fn settle(&mut self, credential: FieldId, time: FieldId, any: bool) {
        let is_said = |hole: &Hole| hole.field == credential && hole.end > hole.start;
        if !any || !self.holes.iter().any(is_said) {
            self.holes
                .retain(|hole| hole.field != credential && hole.field != time);
        }
    }
}

impl Part {
    /// What stands before the text that follows the key, and what behind it.
    fn around<'r>(&mut self, record: &'r [u8]) -> Option<(&'r [u8], &'r [u8])> {
        let needle = self.key.needle();
        let stood = self.stood.get_mut(record.len() % LENGTHS)?;
        let is_there = |bytes: &[u8]| bytes.starts_with(needle);
        if !record.get(*stood as usize..).is_some_and(is_there) {
            *stood = self.key.find(record)? as u32;
        }
        let key = *stood as usize + needle.len();
        let colon = memchr(b'"', record.get(key..)?)?;
        let (before, rest) = record.split_at_checked(key + colon + 1)?;
        if record.get(key..key + colon)?.trim_ascii() != b":" {
            return None;
        }
        let close = memchr(b'"', rest)?;
        Some((before, rest.get(close..)?))
    }
}

/// A key that stands twice may be read either way.
struct SeveralValues;

impl Hole {
    /// Where a field's value stands, if it is a text that stands in the record as it is. Any other value is a
    /// part of what has to be the same.
    fn of(field: FieldId, record: &impl Record, text: &str) -> Result<Option<Self>, SeveralValues> {
        let value = match record.values(field) {
            [] => return Ok(None),
            [value] => value,
            _ => return Err(SeveralValues),
        };
        let Value::String(std::borrow::Cow::Borrowed(value)) = value else {
            return Ok(None);
        };
        let start = (value.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
        let hole = start.map(|start| Self {
            field,
            start,
            end: start + value.len(),
        });
        Ok(hole.filter(|hole| text.get(hole.start..hole.end) == Some(*value)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Extractor, SlotBuffer};

    const PATHS: &[&str] = &[
        "id", "time", "more", "a", "a.id", "b", "key", "made", "m", "m.key", "m.end",
    ];

    struct Ground {
        fields: Fields,
        occasion: Occasion,
        extractor: Extractor,
    }

    impl Ground {
        fn new() -> Self {
            let mut fields = Fields::default();
            for path in PATHS {
                fields.intern(path);
            }
            let field = |path| fields.get(path).unwrap();
            let occasion = Occasion {
                event_id: field("id"),
                time: field("time"),
                session: Some(SessionFields {
                    credential: field("key"),
                    created: field("made"),
                }),
                minted: Some(MintedFields {
                    credential: field("m.key"),
                    expires: field("m.end"),
                }),
                others: vec![field("more"), field("a.id")],
            };
            Self {
                extractor: Extractor::new(&fields),
                occasion,
                fields,
            }
        }

        /// Whether a record is known; else it is remembered.
        fn take(&self, repeats: &mut Repeats<()>, text: &str) -> bool {
            let sought = repeats.seek(text.as_bytes());
            let is_known = repeats.find(sought, text.as_bytes()).is_some();
            if !is_known {
                let mut buffer = SlotBuffer::new();
                let slots = self.extractor.extract(text.as_bytes(), &mut buffer);
                repeats.remember(sought, &slots.unwrap(), (), true);
            }
            is_known
        }

        /// All values, those of the occasion apart, but for what an object that holds one says.
        fn read(&self, record: &[u8]) -> Option<(Vec<String>, Vec<Option<String>>)> {
            let mut buffer = SlotBuffer::new();
            let slots = self.extractor.extract(record, &mut buffer).ok()?;
            let mut all = (Vec::new(), Vec::new());
            for field in PATHS.iter().map(|path| self.fields.get(path).unwrap()) {
                let mut own = self.occasion.fields();
                if own.any(|own| own == field) {
                    all.1.push(slots.string(field).map(str::to_owned));
                } else if !["a", "m"].contains(&self.fields.path(field)) {
                    all.0.push(format!("{:?}", slots.values(field)));
                }
            }
            Some(all)
        }
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => "[a-c]{0,2}".prop_map(|text| format!("\"{text}\"")),
            1 => prop::sample::select(vec!["null", "1", "\"\\n\"", "\"\u{e9}\"", "\"\"\"", "\"\\\""])
                .prop_map(str::to_owned),
            1 => "[a-c]{0,2}".prop_map(|text| format!("{{\"id\":\"{text}\"}}")),
            1 => "[a-c]{0,2}".prop_map(|text| format!("[{{\"id\":\"{text}\"}},2]")),
            3 => ("[a-c]{0,2}", "[a-c]{0,2}")
                .prop_map(|(key, end)| format!("{{\"key\":\"{key}\",\"end\":\"{end}\"}}")),
        ]
    }

    fn record() -> impl Strategy<Value = String> {
        let keys = vec![
            "id", "time", "more", "a", "b", "key", "made", "m", "i\\u0064",
        ];
        let key = prop::sample::select(keys);
        let colon = prop_oneof![8 => Just(":"), 1 => Just(" : ")];
        prop::collection::vec((key, colon, value()), 0..5).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, colon, value)| format!("\"{key}\"{colon}{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        })
    }

    /// A record, and others that differ from it in a byte.
    fn alike() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let edit = (
            any::<prop::sample::Index>(),
            prop::sample::select(b"abc\"\\{},:\n\xe9".to_vec()),
        );
        (record(), prop::collection::vec(edit, 1..12)).prop_map(|(record, edits)| {
            let record = record.into_bytes();
            let mut all = vec![record.clone()];
            for (at, byte) in edits {
                let mut other = record.clone();
                let at = at.index(other.len());
                other[at] = byte;
                all.push(other);
            }
            all
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_repeats_is_read_the_same_but_for_its_occasion(
            groups in prop::collection::vec(alike(), 1..4)
        ) {
            let ground = Ground::new();
            let mut repeats = Repeats::new(&ground.occasion, &ground.fields);
            for record in groups.iter().flatten() {
                let sought = repeats.seek(record);
                let plain = ground.read(record);
                if let Some(repeat) = repeats.find(sought, record) {
                    let first: &Vec<u8> = repeat.told;
                    let (of_first, own) = (ground.read(first).unwrap(), plain.clone());
                    prop_assert!(own.is_some(), "what repeats a valid record is valid");
                    let own = own.unwrap();
                    prop_assert_eq!(&own.0, &of_first.0);
                    let paths = [
                        "id", "time", "more", "a.id", "key", "made", "m.key", "m.end",
                    ];
                    let field = |path| ground.fields.get(path).unwrap();
                    for (path, (own, of_first)) in paths.iter().zip(own.1.iter().zip(&of_first.1)) {
                        let told = repeat.text(field(path));
                        prop_assert_eq!(told.or(of_first.as_deref()), own.as_deref());
                        let is_new = repeat.new_text(field(path)).is_some();
                        prop_assert_eq!(is_new, own != of_first);
                    }
                    if own.1[4].as_deref().is_none_or(str::is_empty) || first.contains(&b'c') {
                        prop_assert_eq!(&own.1[4..6], &of_first.1[4..6], "of this session alone");
                    }
                    if of_first.1[6].as_deref().is_none_or(str::is_empty) {
                        prop_assert_eq!(&own.1[6..], &of_first.1[6..], "nothing minted");
                    }
                }
                let mut buffer = SlotBuffer::new();
                if let Ok(slots) = ground.extractor.extract(record, &mut buffer) {
                    let any_session = !record.contains(&b'c');
                    repeats.remember(sought, &slots, record.clone(), any_session);
                }
            }
        }
    }

    #[test]
    fn a_record_is_known_whatever_its_occasion() {
        let ground = Ground::new();
        let mut repeats = Repeats::new(&ground.occasion, &ground.fields);
        let known = r#"{"b":2,"id": "x", "time": "12","more":"c"}"#;
        // By the first of its kind the order of its keys is learnt.
        for (number, text) in [r#"{"a":1,"time":"12","id":"x"}"#, known, known]
            .iter()
            .enumerate()
        {
            let mut buffer = SlotBuffer::new();
            let sought = repeats.seek(text.as_bytes());
            let slots = ground.extractor.extract(text.as_bytes(), &mut buffer);
            repeats.remember(sought, &slots.unwrap(), number, true);
        }
        let told = |repeats: &mut Repeats<usize>, text: &str| {
            let sought = repeats.seek(text.as_bytes());
            let repeat = repeats.find(sought, text.as_bytes())?;
            let text = |field| repeat.text(field).unwrap_or_default().to_owned();
            let Occasion { event_id, time, .. } = ground.occasion;
            Some((*repeat.told, text(event_id), text(time)))
        };
        assert_eq!(
            told(
                &mut repeats,
                r#"{"b":2,"id": "y", "time": "34","more":"d"}"#
            ),
            Some((2, "y".to_owned(), "34".to_owned()))
        );
        for other in [
            r#"{"b":3,"id": "y", "time": "34","more":"c"}"#,
            r#"{"b":2,"id": "\", "time": "34","more":"c"}"#,
            r#"{"b":2,"id": "yy", "time": "34","more":"c"}"#,
            r#"{"b":2,"id": "y", "time": "34","more":3.5}"#,
        ] {
            assert_eq!(told(&mut repeats, other), None, "{other}");
        }
        repeats.clear();
        assert_eq!(told(&mut repeats, known), None);
    }

    #[test]
    fn a_key_that_stands_for_something_else_is_told_from_it() {
        let ground = Ground::new();
        let mut repeats = Repeats::new(&ground.occasion, &ground.fields);
        let mut known = 0;
        for number in 10..30 {
            // By the first form it is learnt that its key stands before its time.
            let first = format!(r#"{{"key":"{number}","time":"{number}","id":"x"}}"#);
            let other = format!(r#"{{"time":"{number}","m":{{"key":"{number}"}},"id":"x"}}"#);
            ground.take(&mut repeats, &first);
            known += usize::from(ground.take(&mut repeats, &other));
        }
        assert!(known >= 17, "{known}");
    }

    #[test]
    fn records_of_different_forms_in_turn_are_known() {
        let ground = Ground::new();
        let mut repeats = Repeats::new(&ground.occasion, &ground.fields);
        let mut known = 0;
        for number in 10..30 {
            for text in [
                format!(r#"{{"key":"{number}","time":"{number}","id":"x"}}"#),
                format!(r#"{{"time":"{number}","more":"{number}","id":"x"}}"#),
            ] {
                known += usize::from(ground.take(&mut repeats, &text));
            }
        }
        assert!(known >= 34, "{known}");
    }

    #[test]
    fn where_nothing_comes_again_little_is_looked_for() {
        let ground = Ground::new();
        let mut repeats = Repeats::new(&ground.occasion, &ground.fields);
        let mut sought = 0;
        let mut take = |repeats: &mut Repeats<()>, text: &str| {
            let place = repeats.seek(text.as_bytes());
            sought += usize::from(place.0.is_some());
            if repeats.find(place, text.as_bytes()).is_some() {
                return true;
            }
            let mut buffer = SlotBuffer::new();
            let slots = ground.extractor.extract(text.as_bytes(), &mut buffer);
            repeats.remember(place, &slots.unwrap(), (), true);
            false
        };
        for number in 0..20_000 {
            assert!(!take(
                &mut repeats,
                &format!(r#"{{"time":"1","a":{number}}}"#)
            ));
        }
        let known = (0..20_000).filter(|_| take(&mut repeats, r#"{"time":"2","a":1}"#));
        assert!(known.count() > 20_000 - PASSED as usize - 2);
        assert!(sought < 20_000 + 20_000 / 5, "{sought}");
    }
}
