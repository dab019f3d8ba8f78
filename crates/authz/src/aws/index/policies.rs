//! Policies, each kept once for its content, and what of a caller each statement hangs on.

use std::sync::Arc;

use super::super::document::Document;
use super::super::pattern::Tri;
use super::super::principal::PrincipalEntry;
use super::super::request::AttachedPolicy;
use super::super::statement::{Action, Effect, Part, Statement};
use super::patterns::PatternTable;
use super::{Map, id};

/// A policy: its name, since answers carry it, and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PolicyId {
    pub(super) name: u32,
    pub(super) document: u32,
}

/// What of a caller, and which patterns of resources, a statement hangs on.
pub(super) struct StatementNote {
    /// Keys whose values follow from the caller itself.
    pub(super) caller_keys: Box<[u32]>,
    /// Whether it names principals other than everyone.
    pub(super) names: bool,
    /// Its patterns of resources without variables, save those that cover everything.
    pub(super) patterns: Box<[u32]>,
    /// The places of its patterns with variables.
    pub(super) open_patterns: Box<[u32]>,
    /// Whether it speaks of resources beside its patterns.
    pub(super) everywhere: bool,
}

/// What the statements of a policy that may speak of an action hang on, taken together.
#[derive(Clone, Debug, Default)]
pub(super) struct Speech {
    /// Whether there are any.
    pub(super) speaks: bool,
    /// Whether any may allow.
    pub(super) allows: bool,
    /// Whether any that may allow does so beside its patterns.
    pub(super) everywhere: bool,
    /// The places of those that name principals.
    pub(super) naming: Vec<u32>,
    pub(super) caller_keys: Vec<u32>,
    pub(super) patterns: Vec<u32>,
    /// Place of the statement, place of the pattern in it.
    pub(super) open_patterns: Vec<(u32, u32)>,
}

#[derive(Default)]
pub(super) struct PolicyTable {
    documents: Vec<Arc<Document>>,
    notes: Vec<Vec<StatementNote>>,
    by_fingerprint: Map<u64, Vec<u32>>,
    names: Map<Box<str>, u32>,
    keys: Vec<Box<str>>,
    key_ids: Map<Box<str>, u32>,
    pub(super) patterns: PatternTable,
    /// The policies that name actions of each service.
    of_service: Map<Box<str>, Vec<u32>>,
    /// The policies that may cover actions of any service.
    of_any_service: Vec<u32>,
}

impl PolicyTable {
    /// Keeps a policy, and makes it share its content with those of the same.
    pub(super) fn intern(&mut self, policy: &mut AttachedPolicy) -> PolicyId {
        let document = self.document(&policy.document);
        if let Some(kept) = self.documents.get(document as usize) {
            policy.document = kept.clone();
        }
        let next = id(self.names.len());
        let name = match self.names.get(policy.name.as_str()) {
            Some(name) => *name,
            None => *self
                .names
                .entry(policy.name.as_str().into())
                .or_insert(next),
        };
        PolicyId { name, document }
    }

    fn document(&mut self, document: &Arc<Document>) -> u32 {
        let same = |kept: &&u32| {
            self.documents
                .get(**kept as usize)
                .is_some_and(|kept| Arc::ptr_eq(kept, document) || kept.says_the_same(document))
        };
        let bucket = self.by_fingerprint.get(&document.fingerprint());
        if let Some(known) = bucket.and_then(|bucket| bucket.iter().find(same)) {
            return *known;
        }
        let new = id(self.documents.len());
        self.by_fingerprint
            .entry(document.fingerprint())
            .or_default()
            .push(new);
        self.documents.push(document.clone());
        let (services, any) = document.services();
        for service in services {
            match self.of_service.get_mut(service) {
                Some(list) => list.push(new),
                None => {
                    self.of_service.insert(service.into(), vec![new]);
                }
            }
        }
        if any {
            self.of_any_service.push(new);
        }
        let notes = document
            .statements()
            .iter()
            .map(|statement| self.note(statement))
            .collect();
        self.notes.push(notes);
        new
    }

    fn note(&mut self, statement: &Statement) -> StatementNote {
        let mut caller_keys: Vec<u32> = statement
            .keys()
            .filter(|key| is_of_caller(key))
            .map(|key| {
                if let Some(known) = self.key_ids.get(key) {
                    return *known;
                }
                let new = id(self.keys.len());
                self.keys.push(key.into());
                self.key_ids.insert(key.into(), new);
                new
            })
            .collect();
        caller_keys.sort_unstable();
        caller_keys.dedup();
        let names = match &statement.principal {
            Part::Read(element) => {
                element.negated || *element.entries != [PrincipalEntry::Everyone]
            }
            Part::Absent | Part::Unreadable => false,
        };
        let (mut patterns, mut open_patterns, mut everywhere) = (Vec::new(), Vec::new(), false);
        for (place, pattern) in (0_u32..).zip(statement.resource_patterns()) {
            if pattern.variables().next().is_some() {
                open_patterns.push(place);
            } else if matches!(pattern, super::super::arn::ArnPattern::Everything) {
                everywhere = true;
            } else {
                patterns.push(self.patterns.intern(pattern));
            }
        }
        everywhere |= match &statement.resources {
            Part::Read(element) => element.negated,
            Part::Absent | Part::Unreadable => true,
        };
        StatementNote {
            caller_keys: caller_keys.into(),
            names,
            patterns: patterns.into(),
            open_patterns: open_patterns.into(),
            everywhere,
        }
    }

    pub(super) fn document_of(&self, document: u32) -> Option<&Document> {
        self.documents.get(document as usize).map(|kept| &**kept)
    }

    pub(super) fn key(&self, key: u32) -> &str {
        self.keys.get(key as usize).map_or("", |key| key)
    }

    pub(super) fn document_count(&self) -> usize {
        self.documents.len()
    }

    /// What each policy that speaks of an action says of it. Time: the policies that name actions
    /// of its service or of any.
    pub(super) fn speeches(&self, action: &Action<'_>) -> Map<u32, Speech> {
        let named = self.of_service.get(action.service);
        let named = named.map_or(&[][..], Vec::as_slice).iter();
        let mut speeches = Map::default();
        for document in named.chain(&self.of_any_service) {
            let speech = self.speech(*document, action);
            if speech.speaks {
                speeches.insert(*document, speech);
            }
        }
        speeches
    }

    /// What a policy hangs on where an action is asked about.
    fn speech(&self, document: u32, action: &Action<'_>) -> Speech {
        let mut speech = Speech::default();
        let notes = self.notes.get(document as usize);
        let (Some(kept), Some(notes)) = (self.document_of(document), notes) else {
            return speech;
        };
        for place in kept.candidate_places(action.service) {
            let (Some(statement), Some(note)) = (kept.statements().get(place), notes.get(place))
            else {
                continue;
            };
            if statement.covers_action(action) == Tri::No {
                continue;
            }
            speech.speaks = true;
            if note.names {
                speech.naming.push(id(place));
            }
            speech.caller_keys.extend_from_slice(&note.caller_keys);
            speech.patterns.extend_from_slice(&note.patterns);
            let open = note.open_patterns.iter();
            speech
                .open_patterns
                .extend(open.map(|pattern| (id(place), *pattern)));
            if statement.may_have(Effect::Allow) {
                speech.allows = true;
                speech.everywhere |= note.everywhere;
            }
        }
        speech
    }
}

/// Keys whose values follow from who the caller is. Those that follow from its kind and account
/// are left out: classes are of one kind and one account.
fn is_of_caller(key: &str) -> bool {
    matches!(
        key,
        "aws:principalarn" | "aws:username" | "aws:principalservicename"
    ) || key.starts_with("aws:principaltag/")
}
