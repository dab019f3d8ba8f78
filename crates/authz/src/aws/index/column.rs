//! One action: the classes of principals that answers about it fall into.

use super::super::arn::ArnPattern;
use super::super::keys::{Keys, Known};
use super::super::request::CallerKind;
use super::super::statement::Action;
use super::builder::{Class, Index};
use super::policies::{PolicyId, Speech};
use super::side::Side;
use super::{Map, PrincipalId, ResourceId, id};

/// A question without a class yet.
pub(super) const NONE: u32 = u32::MAX;

/// Principals about whom an action has the same answers, but for what the resource's side says of
/// each.
pub(super) struct Slot {
    /// The patterns without variables of its statements, sorted.
    pub(super) patterns: Box<[u32]>,
    /// Those with variables.
    pub(super) open_patterns: Box<[ArnPattern]>,
    /// One of its principals: keys that its patterns refer to are the same for all.
    pub(super) representative: PrincipalId,
    pub(super) members: Vec<PrincipalId>,
    pub(super) has_boundary: bool,
    /// Whether its own policies may allow something.
    pub(super) allows: bool,
    /// Whether they may do so beside their patterns.
    pub(super) everywhere: bool,
}

/// What decides an answer about one action.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) slot: u32,
    pub(super) side: u32,
    /// How the resource's side names the principal.
    pub(super) signature: u32,
    /// Which of the slot's patterns cover the resource.
    pub(super) mask: u128,
}

pub(super) struct Column {
    pub(super) slot_of: Vec<u32>,
    pub(super) slots: Vec<Slot>,
    pub(super) side_of: Vec<u32>,
    pub(super) sides: Vec<Side>,
    pub(super) side_ids: Map<Box<[u8]>, u32>,
    pub(super) speeches: Speeches,
    /// Resources whose own side speaks of the action, sorted.
    pub(super) speaking: Vec<ResourceId>,
    /// The classes that may allow beside their patterns, or by patterns with variables.
    pub(super) open_slots: Vec<u32>,
    /// By pattern the classes that may allow by it.
    pub(super) slots_of: Map<u32, Vec<u32>>,
    pub(super) answers: Map<Key, u32>,
}

/// What the policies that speak of an action say of it.
pub(super) type Speeches = Map<u32, Speech>;

/// Writes a key's value so that equal bytes mean equal values.
pub(super) fn put_value(out: &mut Vec<u8>, value: &Known<'_>) {
    match value {
        Known::Absent => out.push(0),
        Known::Unknown => out.push(1),
        Known::One(value) => {
            out.push(2);
            put_text(out, value);
        }
        Known::Many(values) => {
            out.push(3);
            out.extend(id(values.len()).to_le_bytes());
            values.iter().for_each(|value| put_text(out, value));
        }
    }
}

/// Writes a text with its length before it.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend(id(text.len()).to_le_bytes());
    out.extend(text.bytes());
}

/// Writes what `write` counts and writes, the count before it.
pub(super) fn put_counted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> u32) {
    let place = out.len();
    out.extend([0; 4]);
    let count = write(out).to_le_bytes();
    if let Some(slot) = out.get_mut(place..place + count.len()) {
        slot.copy_from_slice(&count);
    }
}

pub(super) fn put_policy(out: &mut Vec<u8>, policy: PolicyId) {
    out.extend(policy.name.to_le_bytes());
    out.extend(policy.document.to_le_bytes());
}

/// What the policies of a class say of an action, taken together.
#[derive(Default)]
struct ClassSpeech {
    bytes: Vec<u8>,
    patterns: Vec<u32>,
    open_patterns: Vec<(u32, u32, u32)>,
    caller_keys: Vec<u32>,
    names: bool,
    allows: bool,
    everywhere: bool,
}

impl ClassSpeech {
    /// Forgets the class before, and keeps the room.
    fn clear(&mut self) {
        self.bytes.clear();
        self.patterns.clear();
        self.open_patterns.clear();
        self.caller_keys.clear();
        (self.names, self.allows, self.everywhere) = (false, false, false);
    }

    /// What a class says.
    fn ask(&mut self, class: &Class, speeches: &Speeches) {
        self.clear();
        self.bytes.extend_from_slice(&class.frame);
        let mut layer = |tag, policies: &[PolicyId]| {
            self.layer(tag, policies, speeches);
        };
        layer(b'i', &class.set.identity);
        layer(b'b', &class.set.boundary);
        layer(b's', &class.set.session);
        layer(b'e', &class.set.endpoint);
        for level in &class.set.scps {
            layer(b'o', level);
        }
        self.caller_keys.sort_unstable();
        self.caller_keys.dedup();
    }

    /// Adds one layer: its policies that speak, and whether there are any at all.
    fn layer(&mut self, tag: u8, policies: &[PolicyId], speeches: &Speeches) {
        self.bytes.push(tag);
        self.bytes.push(u8::from(policies.is_empty()));
        let mut bytes = std::mem::take(&mut self.bytes);
        put_counted(&mut bytes, |bytes| {
            self.layer_into(bytes, tag, policies, speeches)
        });
        self.bytes = bytes;
    }

    fn layer_into(
        &mut self,
        bytes: &mut Vec<u8>,
        tag: u8,
        policies: &[PolicyId],
        speeches: &Speeches,
    ) -> u32 {
        let mut count = 0;
        for policy in policies {
            let Some(speech) = speeches.get(&policy.document) else {
                continue;
            };
            count += 1;
            put_policy(bytes, *policy);
            self.patterns.extend_from_slice(&speech.patterns);
            self.caller_keys.extend_from_slice(&speech.caller_keys);
            let open = speech.open_patterns.iter();
            self.open_patterns
                .extend(open.map(|(place, pattern)| (policy.document, *place, *pattern)));
            self.names |= !speech.naming.is_empty();
            if tag == b'i' {
                self.allows |= speech.allows;
                self.everywhere |= speech.everywhere;
            }
        }
        count
    }
}

impl Column {
    /// Sorts the principals into classes. Time: the policies that may speak of the action, the
    /// classes that have one of them, and the principals of those classes whose statements refer
    /// to who the caller is; a few steps for each other class and principal.
    pub(super) fn new(index: &Index, action: &Action<'_>) -> Self {
        let speeches = index.table.speeches(action);
        let mut touched = vec![false; index.classes.len()];
        for document in speeches.keys() {
            let classes = index.classes_of.get(*document as usize);
            for class in classes.into_iter().flatten() {
                if let Some(touched) = touched.get_mut(*class as usize) {
                    *touched = true;
                }
            }
        }
        let mut sorting = Sorting {
            index,
            speeches: &speeches,
            slot_of: vec![NONE; index.principals.len()],
            slots: Vec::new(),
            slot_ids: Map::default(),
            said: ClassSpeech::default(),
        };
        // Classes none of whose own policies speak differ in their shape at most.
        let mut slot_of_shape: Map<u32, u32> = Map::default();
        for (class, touched) in index.classes.iter().zip(&touched) {
            match slot_of_shape.get(&class.shape) {
                Some(slot) if !touched => sorting.put(class, *slot),
                _ => {
                    let shared = sorting.sort(class);
                    if !touched && let Some(slot) = shared {
                        slot_of_shape.insert(class.shape, slot);
                    }
                }
            }
        }
        let Sorting { slot_of, slots, .. } = sorting;
        let mut open_slots = Vec::new();
        let mut slots_of: Map<u32, Vec<u32>> = Map::default();
        for (place, slot) in (0_u32..).zip(&slots).filter(|(_, slot)| slot.allows) {
            if slot.everywhere || !slot.open_patterns.is_empty() {
                open_slots.push(place);
                continue;
            }
            for pattern in &slot.patterns {
                slots_of.entry(*pattern).or_default().push(place);
            }
        }
        let mut column = Self {
            slot_of,
            slots,
            side_of: vec![NONE; index.resources.len()],
            sides: Vec::new(),
            side_ids: Map::default(),
            speeches,
            speaking: Vec::new(),
            open_slots,
            slots_of,
            answers: Map::default(),
        };
        let allowing = column.speeches.iter().filter(|(_, speech)| speech.allows);
        let mut speaking: Vec<ResourceId> = allowing
            .filter_map(|(document, _)| index.resources_by.get(*document as usize))
            .flatten()
            // Where a policy was not seen it may say anything.
            .chain(&index.unseen)
            .copied()
            .collect();
        speaking.sort_unstable();
        speaking.dedup();
        column.speaking = speaking;
        column
    }
}

/// Principals being sorted into classes.
struct Sorting<'i> {
    index: &'i Index,
    speeches: &'i Speeches,
    slot_of: Vec<u32>,
    slots: Vec<Slot>,
    slot_ids: Map<Box<[u8]>, u32>,
    said: ClassSpeech,
}

impl Sorting<'_> {
    /// Puts all principals of a class into one slot.
    fn put(&mut self, class: &Class, slot: u32) {
        for principal in &class.members {
            if let Some(place) = self.slot_of.get_mut(principal.index()) {
                *place = slot;
            }
        }
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            slot.members.extend_from_slice(&class.members);
        }
    }

    /// Sorts the principals of a class; tells the slot where it is one for all, whoever they are.
    fn sort(&mut self, class: &Class) -> Option<u32> {
        self.said.ask(class, self.speeches);
        if self.said.caller_keys.is_empty() && !self.said.names {
            let slot = self.slot(class, *class.members.first()?);
            self.put(class, slot);
            return Some(slot);
        }
        let of_class = self.said.bytes.len();
        for principal in &class.members {
            self.said.bytes.truncate(of_class);
            put_caller(self.index, *principal, &mut self.said);
            let slot = self.slot(class, *principal);
            if let Some(place) = self.slot_of.get_mut(principal.index()) {
                *place = slot;
            }
            if let Some(slot) = self.slots.get_mut(slot as usize) {
                slot.members.push(*principal);
            }
        }
        None
    }

    /// The slot of what was said, made where there is none.
    fn slot(&mut self, class: &Class, representative: PrincipalId) -> u32 {
        if let Some(known) = self.slot_ids.get(self.said.bytes.as_slice()) {
            return *known;
        }
        let new = id(self.slots.len());
        self.slot_ids.insert(self.said.bytes.as_slice().into(), new);
        let slot = slot(self.index, class, representative, &mut self.said);
        self.slots.push(slot);
        new
    }
}

/// Adds what of one caller the statements refer to.
fn put_caller(index: &Index, principal: PrincipalId, said: &mut ClassSpeech) {
    let out = &mut said.bytes;
    let Some(caller) = index.caller(principal) else {
        return;
    };
    let keys = Keys::new(&index.context, caller, None);
    for key in &said.caller_keys {
        put_value(out, &keys.get(index.table.key(*key)));
    }
    if said.names {
        for text in [Some(&caller.arn), caller.issuer.as_ref()] {
            put_text(out, text.map_or("", |text| text));
        }
    }
}

fn slot(index: &Index, class: &Class, representative: PrincipalId, said: &mut ClassSpeech) -> Slot {
    said.patterns.sort_unstable();
    said.patterns.dedup();
    let pattern = |(document, place, pattern): &(u32, u32, u32)| {
        let statement = index
            .table
            .document_of(*document)?
            .statements()
            .get(*place as usize)?;
        statement
            .resource_patterns()
            .get(*pattern as usize)
            .cloned()
    };
    let is_root = index
        .caller(representative)
        .is_some_and(|caller| caller.kind == CallerKind::Root);
    Slot {
        patterns: said.patterns.as_slice().into(),
        open_patterns: said.open_patterns.iter().filter_map(pattern).collect(),
        representative,
        members: Vec::new(),
        has_boundary: !class.set.boundary.is_empty(),
        allows: said.allows || is_root,
        everywhere: said.everywhere || is_root,
    }
}
