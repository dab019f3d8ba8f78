//! Takes parts out of incidents.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use portreeve_model::Finding;

use super::Part;
use crate::names;
use crate::report::{Incident, TimelineEntry, TimelineRole, Touched};
use crate::score;
use crate::text::{capital, clean, counted, minute};

/// How many kinds of findings a part's story tells.
const TOLD: usize = 12;

/// What is left of incidents, and what was taken out, by the parts' ids.
pub(super) struct Split<'d> {
    pub(super) rest: Vec<Incident>,
    pub(super) parts: BTreeMap<&'d str, Vec<Incident>>,
}

/// Takes the parts out of incidents that are one; none where that takes nothing, or leaves nothing.
pub(super) fn split<'i, 'd>(
    members: &[&'i Incident],
    parts: &BTreeMap<&'d Part, &'d str>,
    finding: &impl Fn(&str) -> Option<&'i Finding>,
) -> Option<Split<'d>> {
    let owners = Owners::new(members, parts);
    let mut split = Split {
        rest: Vec::new(),
        parts: BTreeMap::new(),
    };
    for member in members {
        let mut sides = BTreeMap::<Option<&str>, Vec<&Finding>>::new();
        // A finding that is told no more stays where it was.
        let known = member.findings.iter().filter_map(|id| finding(id));
        for found in known {
            sides
                .entry(owners.of_finding(found))
                .or_default()
                .push(found);
        }
        if sides.keys().all(Option::is_none) {
            split.rest.push((*member).clone());
            continue;
        }
        let rows = Rows::new(&sides, &owners);
        for (side, findings) in &sides {
            let one = Side {
                whole: member,
                side: *side,
                findings,
                rows: &rows,
            }
            .tell(&sides);
            match side {
                None => split.rest.push(one),
                Some(id) => split.parts.entry(id).or_default().push(one),
            }
        }
    }
    (!split.rest.is_empty() && !split.parts.is_empty()).then_some(split)
}

/// Which part what is found belongs to.
struct Owners<'d> {
    findings: HashMap<&'d str, &'d str>,
    credentials: HashMap<String, &'d str>,
}

impl<'d> Owners<'d> {
    fn new(members: &[&Incident], parts: &BTreeMap<&'d Part, &'d str>) -> Self {
        let mut owners = Self {
            findings: HashMap::new(),
            credentials: HashMap::new(),
        };
        for (part, id) in parts {
            match part {
                Part::Finding(finding) => drop(owners.findings.insert(finding, id)),
                Part::Credential(credential) => {
                    owners.credentials.insert(credential.clone(), id);
                }
            }
        }
        let parents: BTreeMap<&str, &str> = members
            .iter()
            .flat_map(|member| &member.credential_stories)
            .filter_map(|story| Some((story.credential.as_str(), story.parent.as_deref()?)))
            .collect();
        // The nearest forebear decides. Each step leads nearer to the root, or to one that was seen.
        for credential in parents.keys() {
            let mut seen = BTreeSet::from([*credential]);
            let mut forebear = *credential;
            let found = loop {
                if let Some(id) = owners.credentials.get(forebear) {
                    break Some(*id);
                }
                match parents.get(forebear) {
                    Some(parent) if seen.insert(parent) => forebear = parent,
                    _ => break None,
                }
            };
            if let Some(id) = found {
                owners.credentials.insert((*credential).to_owned(), id);
            }
        }
        owners
    }

    fn of_credential(&self, credential: Option<&str>) -> Option<&'d str> {
        self.credentials.get(credential?).copied()
    }

    fn of_finding(&self, finding: &Finding) -> Option<&'d str> {
        let named = self.findings.get(finding.id.as_str()).copied();
        named.or_else(|| self.of_credential(finding.credential.as_deref()))
    }
}

/// Which sides the records of a timeline are on: a record that shows findings of both is on both.
struct Rows<'s> {
    shown_by: HashMap<(&'s str, u64), BTreeSet<Option<&'s str>>>,
    of_finding: HashMap<&'s str, Option<&'s str>>,
    /// The sides that there are: each has a finding.
    sides: Vec<Option<&'s str>>,
    owners: &'s Owners<'s>,
}

impl<'s> Rows<'s> {
    fn new(sides: &BTreeMap<Option<&'s str>, Vec<&'s Finding>>, owners: &'s Owners<'s>) -> Self {
        let mut rows = Self {
            shown_by: HashMap::new(),
            of_finding: HashMap::new(),
            sides: sides.keys().copied().collect(),
            owners,
        };
        for (side, findings) in sides {
            for found in findings {
                rows.of_finding.insert(&found.id, *side);
                for evidence in &found.evidence {
                    let record = (&*evidence.file, evidence.index);
                    rows.shown_by.entry(record).or_default().insert(*side);
                }
            }
        }
        rows
    }

    /// The side of what was done with a credential. What is of a part that has no finding here stays.
    fn of_credential(&self, credential: Option<&str>) -> Option<&'s str> {
        let owner = self.owners.of_credential(credential);
        let first = self.sides.first().copied().flatten();
        match self.sides.contains(&owner) {
            true => owner,
            false => first,
        }
    }

    fn is_on(&self, entry: &TimelineEntry, side: Option<&str>) -> bool {
        let told = entry.finding.as_deref();
        let told = told.and_then(|id| self.of_finding.get(id).copied());
        let shown = self.shown_by.get(&(&*entry.file, entry.index));
        if shown.is_none() && told.is_none() {
            return self.of_credential(entry.credential.as_deref()) == side;
        }
        told == Some(side) || shown.is_some_and(|sides| sides.contains(&side))
    }
}

/// One side of an incident: what is left of it, or a part.
struct Side<'s> {
    whole: &'s Incident,
    side: Option<&'s str>,
    findings: &'s [&'s Finding],
    rows: &'s Rows<'s>,
}

impl Side<'_> {
    fn is_rest(&self) -> bool {
        self.side.is_none()
    }

    fn tell(&self, sides: &BTreeMap<Option<&str>, Vec<&Finding>>) -> Incident {
        let whole = self.whole;
        let timeline = self.timeline();
        let others: Vec<&TimelineEntry> = whole
            .timeline
            .iter()
            .filter(|entry| !self.rows.is_on(entry, self.side))
            .collect();
        let own = Words::of(timeline.iter());
        let foreign = Words::of(others.iter().copied()).without(&own);
        let own = own.without(&Words::of(others.iter().copied()));
        // What is left is told as it was but for what speaks of the parts; of a part, only what speaks of it.
        let keeps = |texts: &[&str]| match self.is_rest() {
            true => !foreign.are_in(texts),
            false => own.are_in(texts),
        };
        let deeds = || timeline.iter().filter(|it| it.role != TimelineRole::Quiet);
        let actors: BTreeSet<&str> = deeds().map(|it| it.actor.as_str()).collect();
        let other_actors: BTreeSet<&str> = others.iter().map(|it| it.actor.as_str()).collect();
        let walks = |from: &str| {
            let is_of = |actors: &BTreeSet<&str>| {
                let mut actors = actors.iter();
                actors.any(|it| {
                    it.strip_prefix(from)
                        .is_some_and(|more| more.is_empty() || more.starts_with('/'))
                })
            };
            is_of(&actors) || (self.is_rest() && !is_of(&other_actors))
        };
        let holds = |credential: &str| {
            let owner = self.rows.of_credential(Some(credential));
            let used = deeds().any(|it| it.credential.as_deref() == Some(credential));
            owner == self.side || used
        };
        let (score, score_parts) = self.score(sides);
        let mut proof = BTreeMap::new();
        if !whole.proof.is_empty() {
            // Which records are proven is not told of each: all are, or the least is taken for all.
            let least = whole.proof.keys().next_back().copied();
            proof.extend(least.map(|least| (least, timeline.len() as u64)));
        }
        let told = self.headline();
        Incident {
            id: whole.id.clone(),
            severity: score::severity(self.findings.iter().copied(), score),
            score,
            score_parts,
            headline: match keeps(&[&whole.headline]) && self.is_rest() {
                true => whole.headline.clone(),
                false => told,
            },
            narrative: match self.is_rest() {
                true => {
                    let sentences = whole.narrative.iter();
                    sentences.filter(|it| keeps(&[it])).cloned().collect()
                }
                false => self.narrative(),
            },
            first_sign: self.findings.iter().filter_map(|it| it.time).min(),
            last_activity: deeds().filter_map(|it| it.time).max(),
            principals: in_order(&whole.principals, |it| actors.contains(it)),
            credentials: in_order(&whole.credentials, holds),
            credential_stories: kept(&whole.credential_stories, |it| holds(&it.credential)),
            chains: kept(&whole.chains, |chain| {
                chain.credentials.iter().any(|it| holds(&it.credential))
            }),
            techniques: self.sorted(|it| &it.techniques),
            tactics: self.sorted(|it| &it.tactics),
            findings: self.ids(sides),
            touched: touched(&whole.touched, &timeline),
            paths: kept(&whole.paths, |path| walks(path.from.as_str())),
            response: kept(&whole.response, |step| {
                let command = step.command.as_deref().unwrap_or_default();
                keeps(&[&step.title, command])
            }),
            // It cuts more than it needs to; what it cuts of a part is not known.
            cut: whole.cut.clone().filter(|_| self.is_rest()),
            likeness: match self.is_rest() {
                true => whole.likeness.clone(),
                false => Vec::new(),
            },
            containment: whole.containment.clone(),
            eviction: kept(&whole.eviction, |it| {
                keeps(&[&it.id, &it.why]) || (self.is_rest() && holds(&it.id))
            }),
            muted: self.findings.iter().filter(|it| it.is_muted()).count() as u64,
            evidence_holes: whole.evidence_holes.clone(),
            proof,
            wallets: match self.is_rest() {
                true => whole.wallets.clone(),
                false => Vec::new(),
            },
            by_people: whole.by_people.clone(),
            timeline,
        }
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        let own = self.whole.timeline.iter();
        own.filter(|entry| self.rows.is_on(entry, self.side))
            .map(|entry| {
                let is_own = |id: &&String| {
                    self.rows.of_finding.get(id.as_str()).copied() == Some(self.side)
                };
                let finding = entry.finding.as_ref().filter(is_own).cloned();
                // Another finding that the record shows is told in its place.
                let finding = finding.or_else(|| {
                    entry.finding.as_ref()?;
                    let shows = |it: &&&Finding| {
                        let mut records = it.evidence.iter();
                        records.any(|one| one.file == entry.file && one.index == entry.index)
                    };
                    let gravest = self.findings.iter().filter(shows);
                    let gravest = gravest.max_by_key(|it| (it.severity, std::cmp::Reverse(&it.id)));
                    gravest.map(|it| it.id.clone())
                });
                TimelineEntry {
                    finding,
                    ..entry.clone()
                }
            })
            .collect()
    }

    /// The ids of its findings, in their order; those that are told no more stay with what is left.
    fn ids(&self, sides: &BTreeMap<Option<&str>, Vec<&Finding>>) -> Vec<String> {
        let known = |id: &&String| self.rows.of_finding.get(id.as_str()).copied();
        debug_assert!(sides.contains_key(&self.side));
        let ids = self.whole.findings.iter();
        ids.filter(|id| known(id).unwrap_or(None) == self.side)
            .cloned()
            .collect()
    }

    /// What findings give is reckoned anew on each side; what else the whole scored stays with what is left.
    fn score(
        &self,
        sides: &BTreeMap<Option<&str>, Vec<&Finding>>,
    ) -> (u32, Vec<crate::report::ScorePart>) {
        let mut parts = score::of_findings(self.findings.iter().copied());
        if self.is_rest() && !parts.is_empty() {
            let all = sides.values().flatten().copied();
            let of_all = score::of_findings(all);
            let others = self.whole.score_parts.iter();
            parts.extend(others.filter(|part| !of_all.contains(part)).cloned());
        }
        (
            parts.iter().map(|it| it.points).sum::<u32>().min(100),
            parts,
        )
    }

    fn sorted<T: Ord + Clone>(&self, of: impl Fn(&Finding) -> &Vec<T>) -> Vec<T> {
        let items = self.findings.iter().flat_map(|it| of(it).iter().cloned());
        items.collect::<BTreeSet<T>>().into_iter().collect()
    }

    fn headline(&self) -> String {
        let gravest = self
            .findings
            .iter()
            .max_by_key(|it| (it.severity, std::cmp::Reverse((it.time, &it.id))));
        let Some(gravest) = gravest else {
            return "Findings without records".to_owned();
        };
        let since = self.findings.iter().filter_map(|it| it.time).min();
        let since = since.map(|time| format!(" since {}", minute(time)));
        let who = names::resource(&gravest.actor);
        format!(
            "{}: {}{}",
            capital(&who),
            clean(&gravest.title),
            since.unwrap_or_default()
        )
    }

    /// Each kind of finding once, in order of time.
    fn narrative(&self) -> Vec<String> {
        let mut kinds = Vec::<(&str, &Finding, u64)>::new();
        for found in self.findings {
            match kinds.iter_mut().find(|(title, ..)| *title == found.title) {
                Some((_, _, count)) => *count += 1,
                None => kinds.push((&found.title, found, 1)),
            }
        }
        let mut told: Vec<String> = kinds
            .iter()
            .take(TOLD)
            .map(|(title, first, count)| {
                let time = first.time.map(|time| format!("{}: ", minute(time)));
                let often = match count {
                    1 => String::new(),
                    count => format!(", {}", counted(*count, "finding")),
                };
                let who = names::resource(&first.actor);
                format!(
                    "{}{}, by {who}{often}.",
                    time.unwrap_or_default(),
                    clean(title)
                )
            })
            .collect();
        if let Some(more) = kinds.len().checked_sub(TOLD).filter(|more| *more > 0) {
            told.push(format!("{} more.", counted(more as u64, "kind")));
        }
        told
    }
}

fn kept<T: Clone>(items: &[T], keep: impl Fn(&T) -> bool) -> Vec<T> {
    items.iter().filter(|it| keep(it)).cloned().collect()
}

fn in_order(items: &[String], keep: impl Fn(&str) -> bool) -> Vec<String> {
    kept(items, |it| keep(it))
}

/// What only one side's records name: credentials, who acted, addresses, what was acted on.
struct Words(HashSet<String>);

impl Words {
    fn of<'e>(entries: impl Iterator<Item = &'e TimelineEntry>) -> Self {
        let mut words = HashSet::new();
        for entry in entries.filter(|entry| entry.role != TimelineRole::Quiet) {
            words.extend(entry.credential.clone());
            words.extend(entry.address.clone());
            words.insert(names::resource(&entry.actor));
            words.extend(entry.targets.iter().map(|target| names::resource(target)));
        }
        // Short words are in many others.
        words.retain(|word| word.len() > 3);
        Self(words)
    }

    fn without(mut self, others: &Self) -> Self {
        self.0.retain(|word| !others.0.contains(word));
        self
    }

    fn are_in(&self, texts: &[&str]) -> bool {
        self.0
            .iter()
            .any(|word| texts.iter().any(|text| text.contains(word.as_str())))
    }
}

/// Of what was touched that which these records touch, counted anew.
fn touched(whole: &[Touched], timeline: &[TimelineEntry]) -> Vec<Touched> {
    let deeds = || timeline.iter().filter(|it| it.role != TimelineRole::Quiet);
    let listed: HashSet<&str> = whole.iter().map(|it| it.resource.as_str()).collect();
    let kept = whole.iter().filter_map(|known| {
        let resource = known.resource.as_str();
        let is_in = |target: &&String| {
            let bucket = names::object(target).map(|(bucket, _)| bucket);
            target.as_str() == resource
                || (bucket == Some(resource) && !listed.contains(target.as_str()))
        };
        let on: Vec<&TimelineEntry> = deeds()
            .filter(|it| it.targets.iter().any(|target| is_in(&target)))
            .collect();
        let actions: HashSet<&str> = on.iter().map(|it| it.action.as_str()).collect();
        let mut counted: Vec<(String, u64)> = known
            .actions
            .iter()
            .filter(|(action, _)| actions.contains(action.as_str()))
            .map(|(action, most)| {
                let calls = on.iter().filter(|it| it.action == *action).count() as u64;
                (action.clone(), calls.min(*most))
            })
            .collect();
        counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let succeeded = on.iter().any(|it| it.outcome == "success");
        let objects: HashSet<&String> = match known.objects {
            0 => HashSet::new(),
            _ => on
                .iter()
                .flat_map(|it| &it.targets)
                .filter(|target| target.as_str() != resource && is_in(target))
                .collect(),
        };
        (!counted.is_empty()).then(|| Touched {
            resource: known.resource.clone(),
            objects: objects.len() as u64,
            actions: counted,
            written: known.written && succeeded,
            succeeded,
            jewel: known.jewel.clone(),
        })
    });
    kept.collect()
}
