//! Matching the records of one piece: what a thread does.

use std::io::{Cursor, Read};
use std::sync::Arc;
use std::time::Instant;

use portreeve_detect::hunt::{Match, Place};
use portreeve_model::Timestamp;
use portreeve_record::{SlotBuffer, Slots, Split, SplitOptions, Splitter};
use portreeve_sigma::correlate::{Items, Reference};
use portreeve_sigma::{Hit, Scratch, Verdict};
use portreeve_telemetry::{Container, Reader, Recognition, Unwrapped};

use super::HuntRequest;
use super::commit::Outcome;
use super::kind::{Figures, Kind, Kinds};
use super::packed;
use super::plain::LastTime;
use crate::reader::Counted;

/// So much is read of a stream that is not cut, to see what its records are like.
const BEGIN: u64 = 1 << 20;

/// What came of a stream that is not cut is handed over after so many bytes.
const PORTION: u64 = 8 << 20;

/// Where a piece stands.
pub(super) struct Part {
    pub(super) file: u32,
    pub(super) name: Arc<str>,
    pub(super) recognition: Option<Recognition>,
    pub(super) split: SplitOptions,
    /// Its first byte in the decompressed stream.
    pub(super) offset: u64,
}

/// One thread's memory.
pub(super) struct Scanner<'k> {
    request: &'k HuntRequest,
    kinds: &'k Kinds<'k>,
    first: SlotBuffer,
    asked: SlotBuffer,
    judge: Judge<'k>,
    /// How many bytes of items the last piece gave: the next mostly gives about as many.
    items: usize,
}

/// What asks the rules about a record that was read.
struct Judge<'k> {
    request: &'k HuntRequest,
    scratch: Scratch,
    hits: Vec<Hit>,
    last_time: LastTime,
    figures: Figures,
}

impl<'k> Scanner<'k> {
    pub(super) fn new(request: &'k HuntRequest, kinds: &'k Kinds<'k>) -> Self {
        Self {
            request,
            kinds,
            first: SlotBuffer::new(),
            asked: SlotBuffer::new(),
            judge: Judge {
                request,
                scratch: Scratch::new(),
                hits: Vec::new(),
                last_time: LastTime::default(),
                figures: Figures::new(),
            },
            items: 0,
        }
    }

    /// What was measured.
    pub(super) fn into_figures(self) -> Figures {
        self.judge.figures
    }

    /// Scans a piece of whole records.
    pub(super) fn piece(&mut self, part: &Part, bytes: &[u8]) -> Outcome {
        let kind = self.kinds.of(part, bytes);
        let mut outcome = Outcome::default();
        outcome.items = Items::with_room(self.items + self.items / 8);
        let mut splitter = Splitter::whole(bytes, part.split.clone());
        while let Some(split) = splitter.next_likely() {
            if !self.take(kind, part, split, 0, &mut outcome) {
                splitter.reread();
            }
        }
        outcome.bytes = bytes.len() as u64;
        self.items = outcome.items.len();
        outcome
    }

    /// Scans what is left of a stream behind the first records of it, and hands over what came of it
    /// portion by portion, as long as `take` says yes. Whether it came to the end.
    pub(super) fn rest(
        &mut self,
        part: &Part,
        skip: u64,
        stream: &mut dyn Read,
        take: &mut dyn FnMut(Outcome) -> bool,
    ) -> bool {
        let mut begin = Vec::new();
        // What goes wrong here goes wrong again below, where it is told.
        let failure = stream.take(BEGIN).read_to_end(&mut begin).err();
        let kind = self.kinds.of(part, &begin);
        let failing = super::piece::Failing(failure);
        let mut stream = Cursor::new(begin).chain(failing).chain(stream);
        let mut portion = Portion {
            records: skip,
            ..Portion::default()
        };
        let is_table = part
            .recognition
            .is_some_and(|known| known.container == Container::Csv);
        if is_table {
            let mut counted = Counted {
                stream: &mut stream,
                bytes: 0,
            };
            if let Some(mut rows) = kind
                .source
                .and_then(|source| source.rows(Box::new(&mut counted)))
            {
                let mut left = skip;
                while left > 0
                    && let Some(split) = rows.next()
                {
                    left -= u64::from(matches!(split, Split::Record(_)));
                    portion.bytes = begins(&split);
                }
                while let Some(split) = rows.next() {
                    let at = begins(&split);
                    let is_record = matches!(split, Split::Record(_));
                    self.take(kind, part, split, portion.records, &mut portion.outcome);
                    if is_record && portion.is_full(at) && !take(portion.next(at)) {
                        return false;
                    }
                }
            }
            let bytes = counted.bytes;
            take(portion.next(bytes));
            return true;
        }
        let mut splitter = Splitter::new(&mut stream, part.split.clone());
        let mut left = skip;
        while left > 0
            && let Some(split) = splitter.next()
        {
            left -= u64::from(matches!(split, Split::Record(_)));
            portion.bytes = begins(&split);
        }
        while let Some(split) = splitter.next_likely() {
            let at = begins(&split);
            // Where it can be stopped is told by the number of records before.
            let is_record = matches!(split, Split::Record(_));
            if !self.take(kind, part, split, portion.records, &mut portion.outcome) {
                splitter.reread();
            } else if is_record && portion.is_full(at) && !take(portion.next(at)) {
                return false;
            }
        }
        let bytes = splitter.bytes_read();
        take(portion.next(bytes));
        true
    }

    /// Takes in a record, numbered from the `first` one of what comes out; `false` where what seemed to
    /// be a record has to be read again.
    fn take(
        &mut self,
        kind: &Kind,
        part: &Part,
        split: Split<'_>,
        first: u64,
        outcome: &mut Outcome,
    ) -> bool {
        let record = match split {
            Split::Dead { offset, reason } => {
                outcome.bury(&part.name, part.offset + offset, reason);
                return true;
            }
            Split::Record(record) => record,
        };
        let offset = part.offset + record.offset;
        let index = record.index.saturating_sub(first);
        if self.request.sample > 1 && !is_chosen(offset, self.request.sample) {
            outcome.numbered = index + 1;
            return true;
        }
        let place = Place {
            file: part.file,
            index,
            offset,
            event_id: None,
        };
        let (extractor, buffer) = match kind.look {
            Some(_) => (&kind.first, &mut self.first),
            None => (&kind.asked, &mut self.asked),
        };
        let seen = match extractor.extract(record.bytes, buffer) {
            Ok(seen) => seen,
            Err(_) if record.likely => return false,
            Err(error) => {
                outcome.numbered = index + 1;
                outcome.bury(&part.name, offset + error.offset as u64, error.to_string());
                return true;
            }
        };
        outcome.numbered = index + 1;
        if let Some(reader) = &kind.reader
            && !reader.is_native(&seen)
        {
            drop(seen);
            self.take_wrapped(kind, &**reader, part, &place, record.bytes, outcome);
            return true;
        }
        outcome.records += 1;
        match &kind.look {
            None => self.judge.ask(kind, &place, 0, &seen, outcome),
            Some(look) => {
                let scratch = &mut self.judge.scratch;
                let is_open = kind.matcher.may_match(&seen, look, scratch);
                drop(seen);
                if is_open {
                    self.look_closely(kind, &place, 0, record.bytes, outcome);
                }
            }
        }
        true
    }

    /// A record that has something around it: whatever is inside stands at the same place.
    fn take_wrapped(
        &mut self,
        kind: &Kind,
        reader: &dyn Reader,
        part: &Part,
        place: &Place,
        bytes: &[u8],
        outcome: &mut Outcome,
    ) {
        match reader.unwrap(bytes) {
            Unwrapped::Ignored(_) => {}
            Unwrapped::Native => outcome.bury(
                &part.name,
                place.offset,
                "a record that says neither what happened nor where",
            ),
            Unwrapped::Foreign(reason) => outcome.bury(&part.name, place.offset, reason),
            Unwrapped::Broken(reason) => outcome.bury(&part.name, place.offset, reason),
            Unwrapped::Inner { records, dead } => {
                for reason in dead {
                    outcome.bury(&part.name, place.offset, reason);
                }
                for (number, inner) in (0u64..).zip(records) {
                    outcome.records += 1;
                    self.look_closely(kind, place, number, &inner, outcome);
                }
            }
        }
    }

    /// Reads all that is asked of a record, the `inner` one at a place, and asks.
    fn look_closely(
        &mut self,
        kind: &Kind,
        place: &Place,
        inner: u64,
        bytes: &[u8],
        outcome: &mut Outcome,
    ) {
        if let Ok(record) = kind.asked.extract(bytes, &mut self.asked) {
            self.judge.ask(kind, place, inner, &record, outcome);
        }
    }
}

impl Judge<'_> {
    /// Asks all rules that a record can match, the `inner` one at a place.
    fn ask(
        &mut self,
        kind: &Kind,
        place: &Place,
        inner: u64,
        record: &Slots<'_>,
        outcome: &mut Outcome,
    ) {
        if self.request.measured {
            measure(
                kind,
                record,
                &mut self.scratch,
                &mut self.hits,
                &mut self.figures,
            );
        } else {
            kind.matcher
                .matches(record, &mut self.scratch, &mut self.hits);
        }
        self.hits.retain(|hit| hit.verdict == Verdict::Yes);
        if self.hits.is_empty() {
            return;
        }
        let time = kind.time(record, &mut self.last_time);
        let in_time = |time: Timestamp| {
            self.request.since.is_none_or(|since| time >= since)
                && self.request.until.is_none_or(|until| time < until)
        };
        let bounded = self.request.since.is_some() || self.request.until.is_some();
        let wanted = (!bounded || time.is_some_and(in_time))
            && (0..self.request.wanted.len())
                .all(|one| kind.wanted.evaluate_one(one, record) == Verdict::Yes);
        if !wanted {
            return;
        }
        outcome.matched += 1;
        for hit in &self.hits {
            let rule = kind.number(hit.rule) as usize;
            if kind.plan.feeds(rule)
                && let Some(time) = time
            {
                let reference = Reference {
                    source: place.file,
                    // Each record inside of another is one of its own to correlations.
                    index: packed::new(place.index, place.offset + inner),
                };
                let time = time.as_microsecond();
                let items = &mut outcome.items;
                kind.plan.items(rule, record, time, reference, items);
            }
        }
        tell(kind, place, time, record, &self.hits, outcome);
    }
}

/// Adds the matches of a record, with what is told of it.
fn tell(
    kind: &Kind,
    place: &Place,
    time: Option<Timestamp>,
    record: &Slots<'_>,
    hits: &[Hit],
    outcome: &mut Outcome,
) {
    let mut hits = hits
        .iter()
        .map(|hit| kind.number(hit.rule))
        .filter(|rule| kind.plan.shows_rule(*rule as usize))
        .peekable();
    if hits.peek().is_none() {
        return;
    }
    let (event_id, actor, action) = told(kind, record);
    for rule in hits {
        outcome.matches.push(Match {
            head: rule,
            records: vec![Place {
                event_id: event_id.clone(),
                ..place.clone()
            }],
            time,
            actor: actor.clone(),
            action: action.clone(),
            group: Vec::new(),
            number: None,
        });
    }
}

type Text = Option<Box<str>>;

/// The id of a record, who did it, and what.
fn told(kind: &Kind, record: &Slots<'_>) -> (Text, Text, Text) {
    match &kind.reader {
        Some(reader) => {
            let brief = reader.brief(record);
            let filled = |text: &str| (!text.is_empty()).then(|| text.into());
            (
                brief.event_id.as_deref().and_then(filled),
                filled(&brief.principal),
                filled(&brief.operation),
            )
        }
        None => (
            kind.plain.event_id(record),
            kind.plain.actor(record),
            kind.plain.action(record),
        ),
    }
}

/// Asks each rule by itself, with the time that it takes.
fn measure(
    kind: &Kind,
    record: &Slots<'_>,
    scratch: &mut Scratch,
    hits: &mut Vec<Hit>,
    figures: &mut Figures,
) {
    hits.clear();
    for rule in kind.matcher.led_to(record, scratch) {
        let start = Instant::now();
        let verdict = kind.matcher.evaluate_one(rule, record);
        let time = start.elapsed().as_nanos() as u64;
        let figure = figures.entry(kind.number(rule)).or_default();
        let matched = u64::from(verdict == Verdict::Yes);
        *figure = (figure.0 + 1, figure.1 + matched, figure.2 + time);
        if verdict != Verdict::No {
            hits.push(Hit { rule, verdict });
        }
    }
    hits.sort_unstable();
}

/// Whether a record is of the sample: by where it stands, so that every run chooses the same.
fn is_chosen(offset: u64, one_of: u64) -> bool {
    // The finisher of SplitMix64, which scatters neighbours.
    let mut hash = offset.wrapping_add(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (hash ^ (hash >> 31)).is_multiple_of(one_of)
}

/// What came of a stream that is not cut since it was handed over last.
#[derive(Default)]
struct Portion {
    outcome: Outcome,
    /// Records and bytes that were handed over before.
    records: u64,
    bytes: u64,
}

impl Portion {
    fn is_full(&self, at: u64) -> bool {
        at - self.bytes.min(at) > PORTION || self.outcome.matches.len() > 4_096
    }

    /// Takes it, up to a place in the stream.
    fn next(&mut self, at: u64) -> Outcome {
        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.bytes = at.saturating_sub(self.bytes);
        self.bytes = at;
        self.records += outcome.numbered;
        outcome
    }
}

fn begins(split: &Split<'_>) -> u64 {
    match split {
        Split::Record(record) => record.offset,
        Split::Dead { offset, .. } => *offset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_about_the_size_that_was_asked_for() {
        let chosen = (0..100_000)
            .filter(|number| is_chosen(number * 1_400, 10))
            .count();
        assert!((9_000..11_000).contains(&chosen), "{chosen}");
        assert!((0..100).all(|offset| is_chosen(offset, 1)));
    }
}
