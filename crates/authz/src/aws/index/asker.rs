use std::sync::Arc;

use super::super::evaluate::evaluate;
use super::super::request::{Caller, Request, Target};
use super::super::statement::Action;
use super::builder::{Index, Resource};
use super::column::{Column, Key, NONE, Slot};
use super::side::covers;
use super::{ActionId, Map, PrincipalId, ResourceId, id};
use crate::{Answer, Atom, KeyClass, PolicyLayer};

/// Two bits a pattern.
const PATTERNS_IN_MASK: usize = 64;

/// Asks an [`Index`], and keeps what it learns.
///
/// Memory grows with the number of classes that were asked about, not with the questions.
pub struct Asker<'i> {
    index: &'i Index,
    columns: Vec<Option<Box<Column>>>,
    answers: Vec<Arc<Answer>>,
    answer_ids: Map<Arc<Answer>, u32>,
    signatures: Map<Box<[u8]>, u32>,
    /// Masks of classes with more patterns than bits.
    masks: Map<Box<[u8]>, u32>,
    buffer: Vec<u8>,
    evaluated: usize,
    unknown: Answer,
}

impl<'i> Asker<'i> {
    pub(super) fn new(index: &'i Index) -> Self {
        Self {
            index,
            columns: (0..index.actions.len()).map(|_| None).collect(),
            answers: Vec::new(),
            answer_ids: Map::default(),
            signatures: Map::default(),
            masks: Map::default(),
            buffer: Vec::new(),
            evaluated: 0,
            unknown: no_such_id(),
        }
    }

    /// May the principal do the action on the resource? The answer of
    /// [`evaluate`](super::super::evaluate). For an id that the index does not hold it
    /// depends, on what is not seen.
    ///
    /// Time: a look-up and the class's patterns; at the first question of its classes an
    /// evaluation; at the first question about an action the sorting of all principals.
    pub fn may(
        &mut self,
        principal: PrincipalId,
        action: ActionId,
        resource: ResourceId,
    ) -> &Answer {
        match self.answer(principal, action, resource) {
            Some(found) => self
                .answers
                .get(found as usize)
                .map_or(&self.unknown, |answer| answer),
            None => &self.unknown,
        }
    }

    /// Who can do the action on the resource, certainly or under conditions, in order. Time: the
    /// classes whose patterns cover the resource or that have none; where the resource's side
    /// allows, all classes, and each principal where it names some.
    pub fn who_can(&mut self, action: ActionId, resource: ResourceId) -> Vec<PrincipalId> {
        let mut found = Vec::new();
        let Some(mut column) = self.take(action) else {
            return found;
        };
        let by_class = self.side_of(&mut column, resource).is_some_and(|side| {
            column
                .sides
                .get(side as usize)
                .is_some_and(|side| !side.asks_who())
        });
        for slot in self.candidate_slots(&column, action, resource) {
            let slot = slot as usize;
            let members = column.slots.get(slot).map_or(0, |slot| slot.members.len());
            let asked = if by_class { members.min(1) } else { members };
            for member in 0..asked {
                let Some(principal) = column
                    .slots
                    .get(slot)
                    .and_then(|slot| slot.members.get(member).copied())
                else {
                    continue;
                };
                let answer = self.answer_in(&mut column, principal, action, resource);
                if !self.is_possible(answer) {
                    continue;
                }
                match column.slots.get(slot) {
                    Some(slot) if by_class => found.extend_from_slice(&slot.members),
                    _ => found.push(principal),
                }
            }
        }
        self.put_back(action, column);
        found.sort_unstable();
        found
    }

    /// What the principal can do, certainly or under conditions: pairs of action and resource, in
    /// order. Time: for each action the resources that its policies' patterns cover, and those
    /// whose own side speaks of the action.
    pub fn what_can(&mut self, principal: PrincipalId) -> Vec<(ActionId, ResourceId)> {
        let mut found = Vec::new();
        for action in (0..id(self.index.actions.len())).map(ActionId) {
            let Some(mut column) = self.take(action) else {
                continue;
            };
            for resource in self.candidates(&column, principal, action) {
                let answer = self.answer_in(&mut column, principal, action, resource);
                if self.is_possible(answer) {
                    found.push((action, resource));
                }
            }
            self.put_back(action, column);
        }
        found
    }

    /// How many questions were evaluated, rather than looked up.
    pub fn evaluated(&self) -> usize {
        self.evaluated
    }

    /// Into how many classes the principals fall where an action is asked about; 0 before it is.
    pub fn class_count(&self, action: ActionId) -> usize {
        let column = self.columns.get(action.index()).and_then(Option::as_ref);
        column.map_or(0, |column| column.slots.len())
    }

    /// The classes of which some principal might do the action on the resource.
    fn candidate_slots(&self, column: &Column, action: ActionId, resource: ResourceId) -> Vec<u32> {
        let spoken_for = column.speaking.binary_search(&resource).is_ok();
        if spoken_for || self.needs_none(action) {
            return (0..id(column.slots.len())).collect();
        }
        let about = self.index.resources.get(resource.index());
        if about.is_some_and(|resource| resource.broad) {
            let slots = (0_u32..).zip(&column.slots);
            let allowing = slots.filter(|(_, slot)| slot.allows);
            return allowing.map(|(place, _)| place).collect();
        }
        let mut slots = column.open_slots.clone();
        for pattern in about.map_or(&[][..], |resource| &resource.covering) {
            if let Some(more) = column.slots_of.get(pattern) {
                slots.extend_from_slice(more);
            }
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// Whether it is an action that some need no permission for.
    fn needs_none(&self, action: ActionId) -> bool {
        self.index
            .action_name(action)
            .is_some_and(|action| matches!(action, "sts:getcalleridentity" | "sts:getsessiontoken"))
    }

    /// The resources on which the principal might do an action, sorted.
    fn candidates(
        &self,
        column: &Column,
        principal: PrincipalId,
        action: ActionId,
    ) -> Vec<ResourceId> {
        let all = || {
            (0..id(self.index.resources.len()))
                .map(ResourceId)
                .collect()
        };
        let slot = column
            .slot_of
            .get(principal.index())
            .and_then(|slot| column.slots.get(*slot as usize));
        let Some(slot) = slot else {
            return Vec::new();
        };
        let open = slot.everywhere || !slot.open_patterns.is_empty();
        if self.needs_none(action) || (slot.allows && open) {
            return all();
        }
        let mut candidates = column.speaking.clone();
        if slot.allows {
            candidates.extend_from_slice(&self.index.broad);
            for pattern in &slot.patterns {
                if let Some(resources) = self.index.resources_of.get(*pattern as usize) {
                    candidates.extend_from_slice(resources);
                }
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    fn is_possible(&self, answer: Option<u32>) -> bool {
        answer
            .and_then(|answer| self.answers.get(answer as usize))
            .is_some_and(|answer| answer.is_possible())
    }

    /// The column of an action, made where it is not yet.
    fn take(&mut self, action: ActionId) -> Option<Box<Column>> {
        let column = self.columns.get_mut(action.index())?.take();
        match column {
            Some(column) => Some(column),
            None => {
                let name = self.index.actions.get(action.index())?;
                Some(Box::new(Column::new(self.index, &Action::new(name))))
            }
        }
    }

    fn put_back(&mut self, action: ActionId, column: Box<Column>) {
        if let Some(place) = self.columns.get_mut(action.index()) {
            *place = Some(column);
        }
    }

    fn answer(
        &mut self,
        principal: PrincipalId,
        action: ActionId,
        resource: ResourceId,
    ) -> Option<u32> {
        let mut column = self.take(action)?;
        let answer = self.answer_in(&mut column, principal, action, resource);
        self.put_back(action, column);
        answer
    }

    fn side_of(&self, column: &mut Column, resource: ResourceId) -> Option<u32> {
        let known = *column.side_of.get(resource.index())?;
        if known != NONE {
            return Some(known);
        }
        let about = self.index.resources.get(resource.index())?;
        Some(column.side(resource, about))
    }

    fn answer_in(
        &mut self,
        column: &mut Column,
        principal: PrincipalId,
        action: ActionId,
        resource: ResourceId,
    ) -> Option<u32> {
        let index = self.index;
        let asked = index.resources.get(resource.index())?;
        let asker = index.principals.get(principal.index())?;
        let slot_id = *column.slot_of.get(principal.index())?;
        let side_id = self.side_of(column, resource)?;
        let slot = column.slots.get(slot_id as usize)?;
        let side = column.sides.get(side_id as usize)?;
        let signature = if side.asks_who() {
            self.buffer.clear();
            let out = &mut self.buffer;
            side.signature(out, index, asked, &asker.caller, slot.has_boundary);
            intern(&mut self.signatures, &self.buffer)
        } else {
            0
        };
        let key = Key {
            slot: slot_id,
            side: side_id,
            signature,
            mask: self.mask(slot, asked),
        };
        if let Some(known) = column.answers.get(&key) {
            return Some(*known);
        }
        let answer = self.evaluate(&asker.caller, asker.class, action, asked)?;
        column.answers.insert(key, answer);
        Some(answer)
    }

    /// Which of a slot's patterns cover a resource.
    fn mask(&mut self, slot: &Slot, resource: &Resource) -> u128 {
        let none = slot.patterns.is_empty() && slot.open_patterns.is_empty();
        if none || resource.broad {
            return 0;
        }
        let wide = slot.patterns.len() + slot.open_patterns.len() > PATTERNS_IN_MASK;
        let mut mask = 0_u128;
        self.buffer.clear();
        let mut hit = |place: usize, how: u8| {
            if wide {
                self.buffer.extend(id(place).to_le_bytes());
                self.buffer.push(how);
            } else {
                mask |= u128::from(how) << (2 * place);
            }
        };
        // The shorter list is gone through, the longer searched.
        if slot.patterns.len() <= resource.covering.len() {
            for (place, pattern) in slot.patterns.iter().enumerate() {
                if resource.covering.binary_search(pattern).is_ok() {
                    hit(place, 2);
                }
            }
        } else {
            for pattern in &resource.covering {
                if let Ok(place) = slot.patterns.binary_search(pattern) {
                    hit(place, 2);
                }
            }
        }
        if !slot.open_patterns.is_empty()
            && let Some(caller) = self.index.caller(slot.representative)
        {
            for (place, pattern) in slot.open_patterns.iter().enumerate() {
                let how = covers(pattern, self.index, resource, caller);
                if how > 0 {
                    hit(slot.patterns.len() + place, how);
                }
            }
        }
        if wide {
            return u128::from(intern(&mut self.masks, &self.buffer));
        }
        mask
    }

    fn evaluate(
        &mut self,
        caller: &Caller,
        class: u32,
        action: ActionId,
        resource: &Resource,
    ) -> Option<u32> {
        let index = self.index;
        let request = Request {
            principal: caller,
            action: index.actions.get(action.index())?,
            target: if resource.broad {
                Target::Within(&resource.arn)
            } else {
                Target::Exact(&resource.arn)
            },
            context: resource.context.as_ref().unwrap_or(&index.context),
        };
        let policies = &index.classes.get(class as usize)?.policies;
        let answer = evaluate(&request, policies, Some(&resource.policies));
        self.evaluated += 1;
        let answer = Arc::new(answer);
        let next = id(self.answers.len());
        let known = *self.answer_ids.entry(answer.clone()).or_insert(next);
        if known == next {
            self.answers.push(answer);
        }
        Some(known)
    }
}

/// The answer about what the index does not hold.
fn no_such_id() -> Answer {
    let reason = vec!["the index holds no such principal, action or resource".to_owned()];
    let atom = Atom::new(
        PolicyLayer::Identity,
        "Unseen",
        "index",
        reason,
        KeyClass::Unseen,
        true,
    );
    Answer::depends(None, None, vec![atom])
}

/// The number of a text of bytes, from 1.
fn intern(known: &mut Map<Box<[u8]>, u32>, bytes: &[u8]) -> u32 {
    if let Some(found) = known.get(bytes) {
        return *found;
    }
    let next = id(known.len() + 1);
    known.insert(bytes.into(), next);
    next
}
