//! Records of one log are of a few shapes: between the texts and numbers that differ stand the same
//! keys, quotes and brackets again and again. What stands there is learned once, as an automaton, and
//! of further records only compared.
//!
//! A state stands where a text or a number begins, or behind a bracket that opens; a transition is the
//! literal JSON from there, or from behind that value, to the next such place. A state holds all that
//! the walk byte by byte knows at that place: what containers are open, and what wanted paths stand
//! where in them. As the same bytes in the same place are read in the same way, whatever leads from
//! the first state to the end is JSON, and gives the fields that the walk gives. The laws in `laws.rs`
//! hold both equal.
//!
//! Which literal came before is part of a state, too. It would not have to be, but it tells what key
//! comes next, so that most states have one transition.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use smallvec::SmallVec;
use wide::u8x16;

use crate::extract::{Extractor, NO_FIELD, NodeId, Visitor, container_value, string_value};
use crate::{Slots, Value, scan, stops};

/// What so many extractors have learned is kept.
const MOST_EXTRACTORS: usize = 4;

/// Once what was learned takes about so many bytes, it is forgotten, and learning begins anew.
const MOST_BYTES: usize = 8 << 20;
/// A literal is no longer than this.
const LONGEST: usize = 1 << 12;
/// Where more literals lead on from a state, the others are left to the walk.
const MOST_TRANSITIONS: usize = 256;
/// A transition that was found behind so many others comes forward.
const FAR: usize = 8;

/// What learning a record costs, in records read by their shape.
const PRICE: u32 = 16;
/// No more than this is saved for learning. As much is there at first.
const SAVED: u32 = 512 * PRICE;

/// Of so many records it is counted how many were of a known shape.
const TRIED: u16 = 1_024;
/// Where fewer than one of so many were, trying costs more than it spares.
const SELDOM: u16 = 4;
/// Then so many are walked before it is tried again.
const RESTING: u16 = 16_384;

/// The number of a state: where the first of its transitions stands, which stays there.
type StateId = u32;
/// Before a record.
const FIRST: StateId = 0;
/// The record ends.
const END: StateId = StateId::MAX;
/// Where no transition stands.
const NOWHERE: u32 = u32::MAX;

/// How many bytes of a literal are compared at once.
const HEAD: usize = 32;

type Head = [u8x16; 2];

/// What is read at a state before its transitions are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Awaits {
    Nothing,
    /// The inside of a string, the value of this field or of none.
    Text(u32),
    Number(u32),
}

/// What else is looked at where bytes begin as a literal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// Nothing: the literal has no more.
    Head,
    /// The rest of the literal.
    Rest,
    /// That, and that a number follows: the literal does not itself tell where it ends.
    Number,
    /// That, and that the record ends.
    TheEnd,
    /// The transition stands for one that is not learned yet, and is never taken.
    Never,
}

/// One line of the processor's memory is all that is looked at where a transition is taken.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Transition {
    /// The first bytes of the literal, and a one for each that it has.
    head: Head,
    mask: u32,
    /// Another transition of the same state.
    next: u32,
    to: StateId,
    /// What is read at that state.
    awaits: Awaits,
    /// Where the bytes behind the head begin in [`Shapes::bytes`].
    rest: u32,
    /// Where its steps begin in [`Shapes::steps`], and how many there are.
    steps: u32,
    step_count: u8,
    check: Check,
    length: u16,
}

const _: () = assert!(size_of::<Transition>() == 64);

/// What a literal gives to fields; by the place in it.
#[derive(Clone, Copy, Debug)]
struct Step {
    offset: u32,
    kind: StepKind,
}

#[derive(Clone, Copy, Debug)]
enum StepKind {
    /// A container begins that is the value of a field.
    Open,
    /// The last such one ends.
    Close {
        field: u32,
        object: bool,
    },
    Null(u32),
    Bool(u32, bool),
}

/// What containers are open, as a number; see [`Shapes::stacks`].
type StackId = u32;

/// What the extractors have learned that read with one buffer, the last one at the end.
#[derive(Debug, Default)]
pub(crate) struct Learned(Vec<Shapes>);

impl Learned {
    /// What an extractor has learned.
    #[inline]
    pub(crate) fn of(&mut self, extractor: u64) -> &mut Shapes {
        let all = &mut self.0;
        match all.iter().rposition(|shapes| shapes.extractor == extractor) {
            Some(place) => all[place..].rotate_left(1),
            None => {
                if all.len() == MOST_EXTRACTORS {
                    all.remove(0);
                }
                all.push(Shapes::new(extractor));
            }
        }
        let last = all.len() - 1;
        &mut all[last]
    }
}

/// What one extractor has learned. Memory that is kept from record to record.
#[derive(Debug)]
pub(crate) struct Shapes {
    /// What learned it.
    extractor: u64,
    /// Those of all states; those of one are linked.
    transitions: Vec<Transition>,
    steps: Vec<Step>,
    /// What literals have behind their heads.
    bytes: Vec<u8>,
    /// The containers that are open, each by those around it.
    stacks: HashMap<(StackId, bool, NodeId, u32), StackId, FixedState>,
    /// States by what is open, what they await, and the literal before them.
    known: HashMap<(StackId, Awaits, u64), StateId, FixedState>,
    /// About how many bytes all of that takes.
    size: usize,
    saved: u32,
    tried: u16,
    read: u16,
    resting: u16,
}

impl Shapes {
    fn new(extractor: u64) -> Self {
        Self {
            extractor,
            transitions: vec![Transition::NONE],
            steps: Vec::new(),
            bytes: Vec::new(),
            stacks: HashMap::default(),
            known: HashMap::default(),
            size: 0,
            saved: SAVED,
            tried: 0,
            read: 0,
            resting: 0,
        }
    }

    /// Whether to try, by how many of the last records were of a known shape.
    #[inline]
    pub(crate) fn pays(&mut self) -> bool {
        if self.resting > 0 {
            self.resting -= 1;
            return false;
        }
        if self.tried == TRIED {
            if self.read < TRIED / SELDOM {
                // What was learned was of no use.
                *self = Self::new(self.extractor);
                self.resting = RESTING;
                return false;
            }
            self.tried = 0;
            self.read = 0;
        }
        self.tried += 1;
        true
    }

    /// Fills the slots of a record of a known shape; of another one `false`, and some slots may be filled.
    pub(crate) fn read<'r>(&mut self, text: &'r str, slots: &mut Slots<'r>) -> bool {
        let mut far = None;
        let is_known = self.follow(text, slots, &mut far).is_some();
        if is_known {
            self.read += 1;
            self.saved = (self.saved + 1).min(SAVED);
        }
        // Of many, those that come often shall stand in front.
        if let Some((state, place)) = far {
            self.bring_forward(state, place);
        }
        is_known
    }

    /// Where the transitions of a state stand.
    fn ways(&self, state: StateId) -> impl Iterator<Item = usize> {
        let is_there = |number: &usize| *number < self.transitions.len();
        std::iter::successors(Some(state as usize).filter(is_there), move |number| {
            Some(self.transitions.get(*number)?.next as usize).filter(is_there)
        })
    }

    /// Lets a transition of a state and the one at half its place change places.
    #[cold]
    fn bring_forward(&mut self, state: StateId, place: usize) {
        let mut ways = self.ways(state);
        let (Some(front), Some(back)) = (ways.nth(place / 2), ways.nth(place - place / 2 - 1))
        else {
            return;
        };
        drop(ways);
        self.transitions.swap(front, back);
        let next = self.transitions[front].next;
        self.transitions[front].next = std::mem::replace(&mut self.transitions[back].next, next);
    }

    /// `None` where no transition leads on. Tells of one that was found far behind.
    fn follow<'r>(
        &self,
        text: &'r str,
        slots: &mut Slots<'r>,
        far: &mut Option<(StateId, usize)>,
    ) -> Option<()> {
        let bytes = text.as_bytes();
        let mut starts: SmallVec<[usize; 8]> = SmallVec::new();
        let mut at = 0;
        let (mut state, mut awaits) = (FIRST, Awaits::Nothing);
        loop {
            match awaits {
                Awaits::Nothing => {}
                Awaits::Text(field) => {
                    let start = at;
                    at = stops::next(bytes, at);
                    let is_escaped = bytes.get(at) == Some(&b'\\');
                    if is_escaped {
                        at = scan::string(bytes, at).ok()?.after - 1;
                    }
                    if field != NO_FIELD {
                        slots.push(field, string_value(text.get(start..at)?, is_escaped));
                    }
                }
                Awaits::Number(field) => {
                    let start = at;
                    at = scan::scalar(bytes, at).ok()?;
                    if field != NO_FIELD {
                        slots.push(field, Value::Number(text.get(start..at)?));
                    }
                }
            }
            let head = head(bytes, at);
            let mut place = 0;
            let mut number = state;
            let transition = loop {
                let transition = self.transitions.get(number as usize)?;
                if transition.begins(head)
                    && (transition.check == Check::Head || self.is_taken(transition, bytes, at))
                {
                    break transition;
                }
                number = transition.next;
                place += 1;
            };
            if place >= FAR {
                tell(far, state, place);
            }
            if transition.step_count > 0 {
                let first = transition.steps as usize;
                for step in self
                    .steps
                    .get(first..first + usize::from(transition.step_count))?
                {
                    let at = at + step.offset as usize;
                    match step.kind {
                        StepKind::Open => starts.push(at),
                        StepKind::Close { field, object } => {
                            let raw = text.get(starts.pop()?..at)?;
                            slots.push(field, container_value(raw, object));
                        }
                        StepKind::Null(field) => slots.push(field, Value::Null),
                        StepKind::Bool(field, truth) => slots.push(field, Value::Bool(truth)),
                    }
                }
            }
            state = transition.to;
            if state == END {
                return Some(());
            }
            awaits = transition.awaits;
            at += usize::from(transition.length);
        }
    }

    /// Whether a transition is the one to take at a position, where the bytes begin as its literal does.
    #[inline(never)]
    fn is_taken(&self, transition: &Transition, bytes: &[u8], at: usize) -> bool {
        let after = at + usize::from(transition.length);
        bytes
            .get(at..after)
            .is_some_and(|own| self.ends(transition, own))
            && match transition.check {
                Check::Head | Check::Rest => true,
                Check::Number => matches!(bytes.get(after), Some(b'-' | b'0'..=b'9')),
                Check::TheEnd => after == bytes.len(),
                Check::Never => false,
            }
    }

    /// Whether bytes that begin as the literal does, and are as long, are it.
    fn ends(&self, transition: &Transition, bytes: &[u8]) -> bool {
        let rest = bytes.get(HEAD..).unwrap_or_default();
        let begin = transition.rest as usize;
        self.bytes.get(begin..begin + rest.len()) == Some(rest)
    }

    /// Learns the shape of a record that was read without a flaw.
    pub(crate) fn learn(&mut self, extractor: &Extractor, text: &str) {
        if self.saved < PRICE {
            return;
        }
        if self.size >= MOST_BYTES {
            *self = Self::new(self.extractor);
        }
        self.saved -= PRICE;
        let mut learner = Learner {
            shapes: self,
            bytes: text.as_bytes(),
            state: Some(FIRST),
            begin: 0,
            steps: Vec::new(),
            stack: SmallVec::new(),
        };
        if extractor.walk(text, &mut learner).is_ok() {
            learner.arrive(text.len(), None);
        }
    }

    /// The number of the containers that are open once one more is.
    fn stacked(&mut self, key: (StackId, bool, NodeId, u32)) -> StackId {
        let next = self.stacks.len() as StackId + 1;
        *self.stacks.entry(key).or_insert_with(|| {
            self.size += 2 * size_of_val(&key);
            next
        })
    }

    /// Where a literal leads from a state. `None` where no more can be learned.
    fn transition(
        &mut self,
        from: StateId,
        literal: &[u8],
        check: Check,
        steps: &[Step],
        to: Option<(StackId, Awaits)>,
    ) -> Option<StateId> {
        let own = head(literal, 0);
        let mut last = NOWHERE as usize;
        let mut count = 0;
        for number in self.ways(from) {
            let known = &self.transitions[number];
            if known.check == check
                && usize::from(known.length) == literal.len()
                && known.begins(own)
                && self.ends(known, literal)
            {
                return Some(known.to);
            }
            last = number;
            count += 1;
        }
        let is_full = self.size >= MOST_BYTES || count >= MOST_TRANSITIONS;
        if is_full || literal.len() > LONGEST {
            return None;
        }
        let step_count = u8::try_from(steps.len()).ok()?;
        self.size += 2 * size_of::<Transition>() + literal.len() + size_of_val(steps);
        let (to, awaits) = match to {
            None => (END, Awaits::Nothing),
            Some((stack, awaits)) => {
                let key = (stack, awaits, FixedState::default().hash_one(literal));
                let next = self.transitions.len() as StateId;
                let state = *self.known.entry(key).or_insert(next);
                if state == next {
                    self.transitions.push(Transition::NONE);
                }
                (state, awaits)
            }
        };
        let rest = self.bytes.len() as u32;
        self.bytes
            .extend_from_slice(literal.get(HEAD..).unwrap_or_default());
        let first_step = self.steps.len() as u32;
        self.steps.extend_from_slice(steps);
        let transition = Transition {
            head: own,
            mask: match literal.len() {
                long if long >= HEAD => u32::MAX,
                short => (1 << short) - 1,
            },
            next: NOWHERE,
            to,
            awaits,
            rest,
            steps: first_step,
            step_count,
            check,
            length: literal.len() as u16,
        };
        let next = self.transitions.len() as u32;
        let last = self.transitions.get_mut(last)?;
        if last.check == Check::Never {
            *last = transition;
        } else {
            last.next = next;
            self.transitions.push(transition);
        }
        Some(to)
    }
}

impl Transition {
    /// What stands at a state that has no transition yet; it is never taken.
    const NONE: Self = Self {
        head: [u8x16::ZERO; 2],
        mask: u32::MAX,
        next: NOWHERE,
        to: END,
        awaits: Awaits::Nothing,
        rest: 0,
        steps: 0,
        step_count: 0,
        check: Check::Never,
        length: 0,
    };

    /// Whether bytes that begin with `head` begin as the literal does.
    #[inline(always)]
    fn begins(&self, head: Head) -> bool {
        !same(head, self.head) & self.mask == 0
    }
}

/// Tells of a transition that was found far behind. Seldom, so that it is kept out of the way.
#[cold]
#[inline(never)]
fn tell(far: &mut Option<(StateId, usize)>, state: StateId, place: usize) {
    *far = Some((state, place));
}

/// The bytes from a position on, zeros behind the end. No literal holds a zero.
#[inline(always)]
fn head(bytes: &[u8], at: usize) -> Head {
    let of = |head: &[u8; HEAD]| {
        let (first, second) = head.split_at(HEAD / 2);
        [first, second].map(u8x16::from)
    };
    match bytes.get(at..at + HEAD).and_then(<[u8]>::first_chunk) {
        Some(head) => of(head),
        None => of(&last(bytes.get(at..).unwrap_or_default())),
    }
}

#[cold]
#[inline(never)]
fn last(rest: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..rest.len()].copy_from_slice(rest);
    head
}

/// A one for each byte in which both are the same.
#[inline(always)]
fn same(one: Head, other: Head) -> u32 {
    let [low, high] =
        [0, 1].map(|half: usize| one[half].simd_eq(other[half]).to_bitmask() & 0xFFFF);
    low | high << (HEAD / 2)
}

/// Follows the walk over one record.
struct Learner<'s, 'r> {
    shapes: &'s mut Shapes,
    bytes: &'r [u8],
    /// Where the last literal led; `None` once no more can be learned.
    state: Option<StateId>,
    /// Where the literal begins that is being read, and what it does.
    begin: usize,
    steps: Vec<Step>,
    stack: SmallVec<[StackId; 16]>,
}

impl Learner<'_, '_> {
    fn step(&mut self, position: usize, kind: StepKind) {
        self.steps.push(Step {
            offset: (position - self.begin) as u32,
            kind,
        });
    }

    fn stack(&self) -> StackId {
        self.stack.last().copied().unwrap_or(0)
    }

    /// The literal ends before a position, where something is awaited or the record ends.
    fn arrive(&mut self, position: usize, awaits: Option<Awaits>) {
        let literal = self.bytes.get(self.begin..position).unwrap_or_default();
        let check = match awaits {
            None => Check::TheEnd,
            Some(Awaits::Number(_)) => Check::Number,
            Some(_) if literal.len() > HEAD => Check::Rest,
            Some(_) => Check::Head,
        };
        let to = awaits.map(|awaits| (self.stack(), awaits));
        self.state = self.state.and_then(|from| {
            self.shapes
                .transition(from, literal, check, &self.steps, to)
        });
        self.steps.clear();
        self.begin = position;
    }
}

impl<'r> Visitor<'r> for Learner<'_, 'r> {
    fn open(&mut self, position: usize, node: NodeId, object: bool, field: u32) {
        if field != NO_FIELD {
            self.step(position, StepKind::Open);
        }
        let key = (self.stack(), object, node, field);
        let id = match self.state {
            Some(_) => self.shapes.stacked(key),
            None => 0,
        };
        self.stack.push(id);
        self.arrive(position + 1, Some(Awaits::Nothing));
    }

    fn close(&mut self, _: &'r str, after: usize, object: bool, field: u32) {
        if field != NO_FIELD {
            self.step(after, StepKind::Close { field, object });
        }
        self.stack.pop();
    }

    fn string(&mut self, raw: &'r str, start: usize, _: bool, field: u32) {
        self.arrive(start, Some(Awaits::Text(field)));
        self.begin = start + raw.len();
    }

    fn scalar(&mut self, raw: &'r str, start: usize, field: u32) {
        let constant = match raw {
            "null" => StepKind::Null(field),
            "true" => StepKind::Bool(field, true),
            "false" => StepKind::Bool(field, false),
            number => {
                self.arrive(start, Some(Awaits::Number(field)));
                self.begin = start + number.len();
                return;
            }
        };
        if field != NO_FIELD {
            self.step(start, constant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FieldId, Fields, Record, SlotBuffer};

    const PATHS: [&str; 5] = ["a", "a.b", "n", "c", "c.d"];

    fn extractor() -> (Extractor, usize) {
        let mut fields = Fields::default();
        for path in PATHS {
            fields.intern(path);
        }
        (Extractor::new(&fields), PATHS.len())
    }

    /// Learns one record after the other, and tells which were of a known shape.
    fn known(shapes: &mut Shapes, texts: &[String]) -> Vec<bool> {
        let (extractor, fields) = extractor();
        let mut buffer = SlotBuffer::new();
        let mut read = |text: &String| {
            let mut slots = Slots::empty(text, fields, &mut buffer);
            let is_known = shapes.pays() && shapes.read(text, &mut slots);
            if !is_known {
                shapes.learn(&extractor, text);
            }
            is_known
        };
        texts.iter().map(&mut read).collect()
    }

    fn shapes() -> Shapes {
        Shapes::new(1)
    }

    #[test]
    fn values_may_differ_and_keys_may_not() {
        let texts = [
            r#"{"a":{"b":"x"},"n":1,"z":["p"],"c":null}"#,
            r#"{"a":{"b":"longer than a literal, \"quoted\" and \u00e9"},"n":-2.5e3,"z":[""],"c":null}"#,
            r#"{"a":{"b":"x"},"n":1,"z":["p","q"],"c":null}"#,
            r#"{"a":{"b":"x"},"n":1,"z":["p","q","r"],"c":null}"#,
            r#"{"a":{"b":"x"},"n":1,"z":["p","q","r","s","t"],"c":null}"#,
            r#"{"a":{"b":"x"},"n":1,"z":["p"],"c":true}"#,
            r#"{"a":{"b":"x"},"n":"1","z":["p"],"c":true}"#,
            r#"{"a":{"d":"x"},"n":1,"z":["p"],"c":null}"#,
            r#"{"a":{"b":"x"},"n":01,"z":["p"],"c":null}"#,
            r#"{"a":{"b":"x"},"n":1,"z":["p"],"c":null}}"#,
            r#"{"a":{"b":"x"},"n":1,"z":["p"],"c":null"#,
            "{\"a\":{\"b\":\"\n\"},\"n\":1,\"z\":[\"p\"],\"c\":null}",
        ]
        .map(str::to_owned);
        let expected = [
            false, true, false, false, true, false, false, false, false, false, false, false,
        ];
        assert_eq!(known(&mut shapes(), &texts), expected);
    }

    #[test]
    fn of_a_known_record_no_part_is_known() {
        let text = r#"{"a":{"b":"x"},"a key that is longer than the head of a literal":1,"n":"y"}"#;
        let mut shapes = shapes();
        known(&mut shapes, &[text.to_owned()]);
        let mut buffer = SlotBuffer::new();
        for end in 0..=text.len() {
            let mut slots = Slots::empty(&text[..end], PATHS.len(), &mut buffer);
            assert_eq!(shapes.read(&text[..end], &mut slots), end == text.len());
        }
    }

    #[test]
    fn fields_are_filled_as_the_record_has_them() {
        let text = r#"{"c":[{"d":false},{"d":"y"}],"a":{"b":null},"n":7}"#;
        let mut shapes = shapes();
        assert_eq!(known(&mut shapes, &[text.to_owned()]), [false]);
        let mut buffer = SlotBuffer::new();
        let mut slots = Slots::empty(text, PATHS.len(), &mut buffer);
        assert!(shapes.read(text, &mut slots));
        slots.gather();
        let expected: [&[Value<'_>]; 5] = [
            &[Value::Object(r#"{"b":null}"#)],
            &[Value::Null],
            &[Value::Number("7")],
            &[Value::Array(r#"[{"d":false},{"d":"y"}]"#)],
            &[Value::Bool(false), Value::String("y".into())],
        ];
        for (field, values) in (0..).map(FieldId).zip(expected) {
            assert_eq!(slots.values(field), values);
        }
    }

    #[test]
    fn of_many_ways_on_those_that_come_often_stand_in_front() {
        let texts: Vec<String> = (0..100).map(|n| format!(r#"{{"k{n}":"x"}}"#)).collect();
        let mut shapes = shapes();
        assert!(known(&mut shapes, &texts).iter().all(|known| !known));
        assert!(known(&mut shapes, &texts).iter().all(|known| *known));
        let often = vec![texts[99].clone(); 10];
        assert!(known(&mut shapes, &often).iter().all(|known| *known));
        let place = |shapes: &Shapes| {
            let behind_bracket = shapes.transitions[FIRST as usize].to;
            shapes.ways(behind_bracket).position(|number| {
                let known = &shapes.transitions[number];
                let (head, bytes) = (head(texts[99].as_bytes(), 1), texts[99].as_bytes());
                known.begins(head) && shapes.is_taken(known, bytes, 1)
            })
        };
        assert!(place(&shapes).unwrap() < FAR);
    }

    #[test]
    fn records_of_ever_new_shapes_cost_no_more_than_is_saved_and_are_left_alone_for_a_while() {
        let texts: Vec<String> = (0..20_000).map(|n| format!(r#"{{"k{n}":"x"}}"#)).collect();
        let mut shapes = shapes();
        known(&mut shapes, &texts[..usize::from(TRIED)]);
        let learned = (SAVED / PRICE) as usize;
        assert!(
            shapes.transitions.len() <= 2 * learned + 2,
            "{}",
            shapes.transitions.len()
        );
        assert!(!shapes.pays());
        let tried = (0..20_000).filter(|_| shapes.pays()).count();
        assert!(tried > 0 && tried < 20_000 / 4, "{tried}");
    }

    #[test]
    fn what_takes_too_much_is_forgotten() {
        let texts: Vec<String> = (0..10)
            .map(|n| {
                let keys: Vec<String> = (0..20_000)
                    .map(|key| format!(r#""k{n} {key}":"x""#))
                    .collect();
                format!("{{{}}}", keys.join(","))
            })
            .collect();
        let mut shapes = shapes();
        let mut largest = 0;
        for text in &texts {
            assert_eq!(known(&mut shapes, std::slice::from_ref(text)), [false]);
            largest = largest.max(shapes.size);
        }
        assert!(
            (MOST_BYTES..MOST_BYTES + 1_000).contains(&largest),
            "{largest}"
        );
        assert!(shapes.size < MOST_BYTES);
        assert_eq!(known(&mut shapes, &texts[9..]), [true]);
    }

    #[test]
    fn a_buffer_keeps_what_its_last_extractors_learned() {
        let mut learned = Learned::default();
        for extractor in 1..=MOST_EXTRACTORS as u64 {
            learned.of(extractor).saved = 0;
        }
        learned.of(1);
        learned.of(100);
        assert_eq!(learned.of(1).saved, 0);
        assert_eq!(learned.of(2).saved, SAVED);
    }
}
