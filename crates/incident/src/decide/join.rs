//! Tells incidents that people say are one as one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use portreeve_graph::AttackPath;
use portreeve_graph::cut::LeastCost;
use portreeve_model::{Finding, Proof};

use super::ByPeople;
use crate::build;
use crate::containment::IncidentCut;
use crate::names;
use crate::report::{CredentialStory, Incident, TimelineEntry, TimelineRole, Touched};
use crate::text::listed;
use crate::touched::gravest_first;

/// How many ids a sentence names.
const NAMED: usize = 5;

/// One incident of several, under this id; none where there are none. The gravest gives score and headline,
/// the story is told in the order in which they began.
pub(super) fn join<'i>(
    mut members: Vec<Incident>,
    id: &str,
    by_people: ByPeople,
    finding: &impl Fn(&str) -> Option<&'i Finding>,
) -> Option<Incident> {
    build::order(&mut members);
    let mut one = members.first()?.clone();
    one.id = id.to_owned();
    one.narrative = narrative(&members, &by_people);
    one.by_people = Some(by_people);
    if members.len() == 1 {
        return Some(one);
    }
    one.severity = members.iter().map(|it| it.severity).max()?;
    one.first_sign = members.iter().filter_map(|it| it.first_sign).min();
    one.last_activity = members.iter().filter_map(|it| it.last_activity).max();
    one.principals = together(&members, |it| &it.principals);
    one.credentials = together(&members, |it| &it.credentials);
    one.credential_stories = credential_stories(&members);
    one.chains = together(&members, |it| &it.chains);
    one.techniques = sorted(&members, |it| &it.techniques);
    one.tactics = sorted(&members, |it| &it.tactics);
    one.timeline = timeline(&members);
    // Each finding is of one of them.
    one.findings = members
        .iter()
        .flat_map(|it| &it.findings)
        .cloned()
        .collect();
    one.findings.sort_by_cached_key(|id| {
        let time = finding(id).and_then(|it| it.time);
        (time.is_none(), time, id.clone())
    });
    one.touched = touched(&members, &one.timeline);
    one.paths = paths(&members);
    one.response = together(&members, |it| &it.response);
    one.cut = cut(&members);
    one.likeness = likeness(&members);
    // What still works after the earlier one is judged from there.
    one.containment = members
        .iter()
        .filter_map(|it| it.containment.clone())
        .min_by_key(|it| it.at);
    one.eviction = together(&members, |it| &it.eviction);
    one.muted = members.iter().map(|it| it.muted).sum();
    one.evidence_holes = together(&members, |it| &it.evidence_holes);
    one.proof = proof(&members, one.timeline.len() as u64);
    one.wallets = together(&members, |it| &it.wallets);
    Some(one)
}

fn narrative(members: &[Incident], by_people: &ByPeople) -> Vec<String> {
    let mut told = Vec::new();
    let ids = |ids: &[String]| listed(ids, NAMED);
    if !by_people.joined.is_empty() {
        told.push(format!(
            "People joined {} to this; the story of each follows in the order in which they began.",
            ids(&by_people.joined)
        ));
    }
    if !by_people.part_of.is_empty() {
        told.push(format!(
            "People took this out of {}.",
            ids(&by_people.part_of)
        ));
    }
    if !by_people.without.is_empty() {
        told.push(format!(
            "People took {} out of this; what findings do not give of the score is still that of the whole.",
            ids(&by_people.without)
        ));
    }
    let mut in_order: Vec<&Incident> = members.iter().collect();
    in_order.sort_by_key(|it| (it.first_sign.is_none(), it.first_sign, it.id.clone()));
    let mut seen = HashSet::new();
    for sentence in in_order.into_iter().flat_map(|it| &it.narrative) {
        if seen.insert(sentence) {
            told.push(sentence.clone());
        }
    }
    told
}

/// The items of all, those of the gravest first, each once.
fn together<T: Clone + PartialEq>(
    members: &[Incident],
    of: impl Fn(&Incident) -> &Vec<T>,
) -> Vec<T> {
    let mut all = Vec::new();
    for member in members {
        add(&mut all, of(member));
    }
    all
}

/// Adds what is not there yet.
fn add<T: Clone + PartialEq>(to: &mut Vec<T>, from: &[T]) {
    let known = to.len();
    for item in from {
        // What stands twice in one list means to.
        if !to[..known].contains(item) {
            to.push(item.clone());
        }
    }
}

fn sorted<T: Clone + Ord>(members: &[Incident], of: impl Fn(&Incident) -> &Vec<T>) -> Vec<T> {
    let items = members.iter().flat_map(|it| of(it).iter().cloned());
    items.collect::<BTreeSet<T>>().into_iter().collect()
}

/// What is known of a credential in any of them. Its uses are told by each from the same records.
fn credential_stories(members: &[Incident]) -> Vec<CredentialStory> {
    let mut all: Vec<CredentialStory> = Vec::new();
    for story in members.iter().flat_map(|it| &it.credential_stories) {
        let known = all.iter_mut().find(|it| it.credential == story.credential);
        let Some(known) = known else {
            all.push(story.clone());
            continue;
        };
        for used in &story.networks {
            let same = known
                .networks
                .iter_mut()
                .find(|it| (&it.address, &it.client) == (&used.address, &used.client));
            match same {
                Some(same) => same.suspect |= used.suspect,
                None => known.networks.push(used.clone()),
            }
        }
        known
            .networks
            .sort_by_key(|it| (it.first.is_none(), it.first));
    }
    all
}

/// All records in order of time, each once: with a finding where any tells one on it.
fn timeline(members: &[Incident]) -> Vec<TimelineEntry> {
    let mut all: Vec<&TimelineEntry> = members.iter().flat_map(|it| &it.timeline).collect();
    let place = |it: &TimelineEntry| {
        (
            it.time.is_none(),
            it.time,
            it.event_id.clone(),
            it.file.clone(),
            it.index,
        )
    };
    // Stable: what the gravest says of a record goes before what the others do.
    all.sort_by_cached_key(|it| (place(it), it.role, it.finding.is_none()));
    all.dedup_by(|later, first| later.file == first.file && later.index == first.index);
    all.into_iter().cloned().collect()
}

/// What any of them touched; calls and objects are counted together.
fn touched(members: &[Incident], timeline: &[TimelineEntry]) -> Vec<Touched> {
    let mut all: Vec<Touched> = Vec::new();
    let mut shared = HashSet::<&str>::new();
    for one in members.iter().flat_map(|it| &it.touched) {
        let Some(known) = all.iter_mut().find(|it| it.resource == one.resource) else {
            all.push(one.clone());
            continue;
        };
        shared.insert(&one.resource);
        for (action, count) in &one.actions {
            match known.actions.iter_mut().find(|(it, _)| it == action) {
                Some((_, known)) => *known += count,
                None => known.actions.push((action.clone(), *count)),
            }
        }
        known
            .actions
            .sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        known.objects = known.objects.max(one.objects);
        known.written |= one.written;
        known.succeeded |= one.succeeded;
        known.jewel = known.jewel.take().or_else(|| one.jewel.clone());
    }
    // Objects that several touched are counted once.
    let listed: HashSet<String> = all.iter().map(|it| it.resource.clone()).collect();
    for known in &mut all {
        if known.objects > 0 && shared.contains(known.resource.as_str()) {
            let objects: HashSet<&String> = timeline
                .iter()
                .filter(|it| it.role != TimelineRole::Quiet)
                .flat_map(|it| &it.targets)
                .filter(|it| names::object(it).is_some_and(|(bucket, _)| bucket == known.resource))
                .filter(|it| !listed.contains(it.as_str()))
                .collect();
            known.objects = known.objects.max(objects.len() as u64);
        }
    }
    gravest_first(&mut all);
    all
}

/// The shortest path to each jewel; of equally short ones that with fewer conditions, then the gravest's.
fn paths(members: &[Incident]) -> Vec<AttackPath> {
    let mut all: Vec<AttackPath> = Vec::new();
    for path in members.iter().flat_map(|it| &it.paths) {
        let cost = |path: &AttackPath| (path.steps.len(), path.conditions.len());
        match all.iter_mut().find(|it| it.to == path.to) {
            Some(known) if cost(path) < cost(known) => *known = path.clone(),
            Some(_) => {}
            None => all.push(path.clone()),
        }
    }
    all
}

/// The changes of all: each set cuts what its own incident holds, and no change gives any power, so that
/// together they cut all of it. Fewer may do.
fn cut(members: &[Incident]) -> Option<IncidentCut> {
    let mut cuts = members.iter().filter_map(|it| it.cut.as_ref());
    let mut one = cuts.next()?.clone();
    for other in cuts {
        if one.changes != other.changes {
            one.minimal = false;
            one.least_cost = LeastCost::Bound;
            one.cost = one.cost.saturating_add(other.cost);
        }
        add(&mut one.changes, &other.changes);
        add(&mut one.refused, &other.refused);
        add(&mut one.reach, &other.reach);
        one.proven &= other.proven;
        one.bound = one.bound.max(other.bound);
        one.candidates = one.candidates.max(other.candidates);
        one.left = one.left.saturating_add(other.left);
        one.replayed = one.replayed.max(other.replayed);
        let from: BTreeSet<_> = one.from.iter().chain(&other.from).cloned().collect();
        one.from = from.into_iter().collect();
        for session in &other.sessions {
            if !one
                .sessions
                .iter()
                .any(|it| it.credential == session.credential)
            {
                one.sessions.push(session.clone());
            }
        }
        one.sessions.sort_by(|a, b| {
            let later = b.ends.cmp(&a.ends);
            later.then_with(|| a.credential.cmp(&b.credential))
        });
    }
    Some(one)
}

/// How like each actor the likest of them is.
fn likeness(members: &[Incident]) -> Vec<crate::actor::Likeness> {
    let mut all: Vec<crate::actor::Likeness> = Vec::new();
    for one in members.iter().flat_map(|it| &it.likeness) {
        match all.iter_mut().find(|it| it.actor == one.actor) {
            Some(known) if one.score > known.score => *known = one.clone(),
            Some(_) => {}
            None => all.push(one.clone()),
        }
    }
    all.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.actor.cmp(&b.actor)));
    all
}

/// How many records are in files of which kind. Records that several tell are of the better kind.
fn proof(members: &[Incident], records: u64) -> BTreeMap<Proof, u64> {
    let mut all = BTreeMap::<Proof, u64>::new();
    for (proof, count) in members.iter().flat_map(|it| &it.proof) {
        *all.entry(*proof).or_default() += count;
    }
    let mut twice = all.values().sum::<u64>().saturating_sub(records);
    for count in all.values_mut() {
        let fewer = twice.min(*count);
        *count -= fewer;
        twice -= fewer;
    }
    all.retain(|_, count| *count > 0);
    all
}
