//! What people decided of incidents, applied to what is shown. What joining and parting mean is
//! `portreeve-incident`'s.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_engine::serve::Shown;
use portreeve_incident::Incident;
use portreeve_incident::decide::{Decided, Decision, Part, decide};
use portreeve_model::Finding;
use portreeve_store::{Decision as Stored, DecisionKind, StoreError};

/// All decisions, and what comes of those that stand.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    all: Vec<Stored>,
    /// Those that stand, as they are now: the place of each in `all`, and incidents by their ids of now.
    standing: Vec<(usize, Decision)>,
    /// Parts that are no more, each with what it was a part of.
    undone: BTreeMap<String, String>,
    pub(crate) decided: Decided,
}

/// What incidents and findings are looked up in.
pub(crate) trait Found {
    fn derived(&self, id: &str) -> Option<&Incident>;
    fn found(&self, id: &str) -> Option<&Finding>;
}

impl Decisions {
    /// What people decided, in the store's order. Incidents that went into others are named by `now`.
    pub(crate) fn new(
        all: Vec<Stored>,
        now: impl Fn(&str) -> Result<String, StoreError>,
    ) -> Result<Self, StoreError> {
        let mut standing = Vec::new();
        for (place, one) in all.iter().enumerate() {
            if one.undone.is_none()
                && let Some(decision) = as_of_now(one, &now)?
            {
                standing.push((place, decision));
            }
        }
        let undone = all.iter().filter(|it| it.undone.is_some());
        let undone = undone.filter_map(|it| {
            let part: Part = it.what.parse().ok()?;
            Some((part.id(&it.incident), it.incident.clone()))
        });
        Ok(Self {
            undone: undone.collect(),
            all,
            standing,
            decided: Decided::default(),
        })
    }

    pub(crate) fn apply(&mut self, found: &impl Found) {
        let standing: Vec<Decision> = self.standing.iter().map(|(_, it)| it.clone()).collect();
        self.decided = decide(|id| found.derived(id), |id| found.found(id), &standing);
    }

    /// Whether one more would do anything.
    pub(crate) fn would(
        &self,
        one: &Stored,
        found: &impl Found,
        now: impl Fn(&str) -> Result<String, StoreError>,
    ) -> Result<bool, StoreError> {
        let Some(one) = as_of_now(one, &now)? else {
            return Ok(false);
        };
        let mut all: Vec<Decision> = self.standing.iter().map(|(_, it)| it.clone()).collect();
        all.push(one);
        let decided = decide(|id| found.derived(id), |id| found.found(id), &all);
        Ok(decided.holds.last().copied().unwrap_or_default())
    }

    /// The same decision, where it stands already.
    pub(crate) fn known(&self, one: &Stored) -> Option<u64> {
        let same = |it: &&Stored| {
            (it.kind, &it.incident, &it.what) == (one.kind, &one.incident, &one.what)
                || (it.kind == DecisionKind::Join
                    && one.kind == DecisionKind::Join
                    && (&it.incident, &it.what) == (&one.what, &one.incident))
        };
        let mut standing = self.all.iter().filter(|it| it.undone.is_none());
        standing.find(same).map(|it| it.number)
    }

    /// What an id is shown as; a part whose taking out was undone leads to what it was a part of.
    pub(crate) fn now<'d>(&'d self, id: &'d str) -> &'d str {
        if let Some(now) = self.decided.now.get(id) {
            return now;
        }
        match self.undone.get(id) {
            Some(of) if !self.decided.made.contains_key(id) => {
                self.decided.now.get(of).map_or(of, String::as_str)
            }
            _ => id,
        }
    }

    /// The incidents that an incident that was derived is shown as: itself, or what it was joined to, and the
    /// parts that were taken out of it.
    pub(crate) fn shown_as<'d>(&'d self, id: &'d str) -> BTreeSet<&'d str> {
        let is_part = |it: &&Incident| {
            let by_people = it.by_people.iter();
            by_people.flat_map(|by| &by.part_of).any(|of| of == id)
        };
        let parts = self.decided.made.values().filter(is_part);
        parts
            .map(|it| it.id.as_str())
            .chain([self.now(id)])
            .collect()
    }

    /// What was decided of an incident that is shown, the first first: each with whether it does anything now.
    pub(crate) fn of<'d>(&'d self, incident: &Incident) -> Vec<(&'d Stored, bool)> {
        let mut ids = BTreeSet::from([incident.id.as_str()]);
        if let Some(by) = &incident.by_people {
            let ids_of = [&by.joined, &by.without, &by.part_of];
            ids.extend(ids_of.into_iter().flatten().map(String::as_str));
        }
        let is_of = |id: &str| ids.contains(id) || ids.contains(self.now(id));
        let told = self.all.iter().enumerate().filter_map(|(place, it)| {
            let part = it.what.parse().map(|part: Part| part.id(&it.incident));
            let other = match it.kind {
                DecisionKind::Join => it.what.clone(),
                DecisionKind::Part => part.unwrap_or_default(),
            };
            let standing = self.standing.iter().position(|(at, _)| *at == place);
            let named = standing.is_some_and(|at| match &self.standing[at].1 {
                Decision::Join(one, other) => is_of(one) || is_of(other),
                Decision::Part { id, of, .. } => is_of(id) || is_of(of),
            });
            let holds = standing.is_some_and(|at| self.decided.holds.get(at) == Some(&true));
            (named || is_of(&it.incident) || is_of(&other)).then_some((it, holds))
        });
        told.collect()
    }
}

fn as_of_now(
    one: &Stored,
    now: &impl Fn(&str) -> Result<String, StoreError>,
) -> Result<Option<Decision>, StoreError> {
    let of = now(&one.incident)?;
    Ok(match one.kind {
        DecisionKind::Join => Some(Decision::Join(of, now(&one.what)?)),
        DecisionKind::Part => one.what.parse().ok().map(|part: Part| Decision::Part {
            id: part.id(&one.incident),
            of,
            part,
        }),
    })
}

/// Whether anything is shown otherwise than it was derived.
pub(crate) fn is_plain(decided: &Decided) -> bool {
    decided.made.is_empty() && decided.replaced.is_empty()
}

/// All incidents that are shown, gravest first.
pub(crate) fn shown<'v>(
    shown: &'v Shown,
    decided: &'v Decided,
    rank: impl Fn(&Incident) -> (u128, String),
) -> Vec<&'v Incident> {
    let derived = shown.report.incidents.iter();
    if is_plain(decided) {
        return derived.collect();
    }
    let kept = derived.filter(|it| !decided.replaced.contains(&it.id));
    let mut all: Vec<&Incident> = kept.chain(decided.made.values()).collect();
    all.sort_by_cached_key(|it| rank(it));
    all
}

#[cfg(test)]
mod tests {
    use portreeve_incident::decide::ByPeople;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_incident_is_shown_as_what_it_was_joined_to_and_as_its_parts() {
        let part: Incident = serde_json::from_value(json!({
            "id": "part", "severity": "high", "score": 80, "headline": "", "score_parts": [],
            "narrative": [], "first_sign": null, "last_activity": null, "principals": [],
            "credentials": [], "credential_stories": [], "techniques": [], "tactics": [],
            "findings": [], "timeline": [], "touched": [], "paths": [], "response": [],
            "by_people": ByPeople { part_of: vec!["b".to_owned()], ..ByPeople::default() }
        }))
        .unwrap();
        let decided = Decided {
            made: BTreeMap::from([("part".to_owned(), part)]),
            now: BTreeMap::from([("b".to_owned(), "a".to_owned())]),
            ..Decided::default()
        };
        let decisions = Decisions {
            decided,
            ..Decisions::default()
        };
        assert_eq!(decisions.shown_as("a"), BTreeSet::from(["a"]));
        assert_eq!(decisions.shown_as("b"), BTreeSet::from(["a", "part"]));
    }
}
