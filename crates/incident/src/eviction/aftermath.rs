use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;
use portreeve_detect::{Folded, PersonaId, Revocation, RevocationKind, RowId, Symbol};

use super::kinds::KINDS;
use crate::behaviour::without_version;
use crate::names::Principal;

/// The calls of a run that take away, replace or use what can be left behind, by what they are on.
/// Made once, so that no incident looks through all records.
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    by_target: HashMap<Symbol, Vec<RowId>, FixedState>,
    /// Calls that take something away and name nothing.
    nameless: Vec<RowId>,
    /// Places in the run's revocations, by the credential.
    revoked: HashMap<Symbol, Vec<usize>, FixedState>,
    /// Places of those that refuse a principal's sessions.
    refusals: Vec<usize>,
    /// Users and roles by account and name, whatever their path, with their personas.
    personas: HashMap<String, Vec<PersonaId>, FixedState>,
}

impl Aftermath {
    pub(crate) fn new(folded: &Folded) -> Self {
        let wanted: HashSet<&str> = KINDS
            .iter()
            .flat_map(|kind| {
                [
                    kind.undone_by,
                    kind.perhaps_undone_by,
                    kind.replaced_by,
                    kind.fired_by,
                ]
            })
            .flatten()
            .copied()
            .collect();
        let mut aftermath = Self::default();
        // What an action's text says is looked up once.
        let mut known = HashMap::<Symbol, bool, FixedState>::default();
        for row in folded.activities.iter() {
            let is_wanted = *known
                .entry(row.action_symbol())
                .or_insert_with(|| wanted.contains(without_version(row.action())));
            if !is_wanted || !row.succeeded() || row.time().is_none() {
                continue;
            }
            let mut any = false;
            for target in row.target_symbols() {
                any = true;
                aftermath
                    .by_target
                    .entry(target)
                    .or_default()
                    .push(row.id());
            }
            if !any {
                aftermath.nameless.push(row.id());
            }
        }
        for (place, revocation) in folded.revocations.iter().enumerate() {
            match revocation.kind {
                RevocationKind::SessionsBefore(_) => aftermath.refusals.push(place),
                RevocationKind::Revoked | RevocationKind::Restored => aftermath
                    .revoked
                    .entry(revocation.subject)
                    .or_default()
                    .push(place),
            }
        }
        let mut names = HashMap::<Symbol, Option<String>, FixedState>::default();
        for (persona, who) in (0..).zip(folded.actors.personas()) {
            let name = names.entry(who.principal).or_insert_with(|| {
                let id = folded.activities.strings().get(who.principal)?;
                without_path(id)
            });
            if let Some(name) = name {
                match aftermath.personas.get_mut(name) {
                    Some(known) => known.push(persona),
                    None => {
                        aftermath.personas.insert(name.clone(), vec![persona]);
                    }
                }
            }
        }
        aftermath
    }

    /// The personas of a user or role, of which a record may not tell the path.
    pub(super) fn personas_of(&self, id: &str) -> &[PersonaId] {
        without_path(id)
            .and_then(|name| self.personas.get(&name))
            .map_or(&[], Vec::as_slice)
    }

    /// The revocations that can be of a credential, its own before those of its principal.
    pub(super) fn revocations<'s>(
        &'s self,
        folded: &'s Folded,
        credential: Symbol,
    ) -> impl Iterator<Item = &'s Revocation> {
        let own = self.revoked.get(&credential).into_iter().flatten();
        own.chain(&self.refusals)
            .filter_map(|place| folded.revocations.get(*place))
    }

    /// The calls on a thing, in order of time: those that name all of its targets, or, where it
    /// has none, those that name nothing.
    pub(super) fn rows<'s>(&'s self, targets: &[Symbol]) -> &'s [RowId] {
        match targets.first() {
            None => &self.nameless,
            Some(first) => self.by_target.get(first).map_or(&[], Vec::as_slice),
        }
    }
}

/// A user or role by kind, account and name; `None` for others.
pub(super) fn without_path(id: &str) -> Option<String> {
    match Principal::parse(id) {
        Principal::Role { account, name } => Some(format!("role:{account}:{name}")),
        Principal::User { account, name } => Some(format!("user:{account}:{name}")),
        _ => None,
    }
}
