//! How like an actor an incident is, and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_detect::{Symbol, matches_pattern};
use portreeve_graph::JewelKind;

use super::{Ended, Likeness, Measure, Profile, Resemblance, Sign};
use crate::case::Case;
use crate::facts::Facts;
use crate::names;
use crate::text::{clean, counted, listed, minute};
use crate::touched::Jewels;

/// Endings of objects that browsers load: what stands for a web origin where no inventory tells
/// which bucket is one.
const LOADED_BY_BROWSERS: &[&str] = &[
    ".js", ".mjs", ".cjs", ".html", ".htm", ".css", ".wasm", ".map", ".json",
];

/// How like each of the actors an incident is, the likest first.
pub(crate) fn likenesses(
    case: &Case<'_>,
    facts: &Facts<'_>,
    jewels: &Jewels<'_>,
    profiles: &[Profile],
) -> Vec<Likeness> {
    if profiles.is_empty() {
        return Vec::new();
    }
    let judge = Judge::new(case, facts, jewels);
    let mut found: Vec<Likeness> = profiles
        .iter()
        .map(|profile| judge.likeness(profile))
        .collect();
    found.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.actor.cmp(&b.actor)));
    found
}

/// Calls of one action that ended alike, on what is the same kind of jewel.
#[derive(Debug, Default)]
struct Calls {
    count: u64,
    first: Option<Timestamp>,
    targets: BTreeSet<Symbol>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CallKind<'a> {
    action: &'a str,
    done: bool,
    denied: bool,
    strange: bool,
    jewel: Option<JewelKind>,
}

/// Judges one incident by any number of profiles.
struct Judge<'c, 'a> {
    case: &'c Case<'a>,
    facts: &'c Facts<'a>,
    calls: BTreeMap<CallKind<'a>, Calls>,
}

impl<'c, 'a> Judge<'c, 'a> {
    fn new(case: &'c Case<'a>, facts: &'c Facts<'a>, jewels: &Jewels<'_>) -> Self {
        let mut calls = BTreeMap::<CallKind<'a>, Calls>::new();
        for row in case.deeds() {
            let jewel = row.targets().find_map(|target| jewel_of(jewels, target));
            let kind = CallKind {
                action: row.action(),
                done: row.succeeded(),
                denied: row.denied(),
                strange: case.survey.is_strange_row(row),
                jewel,
            };
            let known = calls.entry(kind).or_default();
            known.count += 1;
            known.first = known.first.or(row.time());
            known.targets.extend(row.target_symbols().next());
        }
        Self { case, facts, calls }
    }

    /// How like one actor it is. The score can be reckoned again from its parts.
    fn likeness(&self, profile: &Profile) -> Likeness {
        let resemblance = |id: &str, title: &str, points: u32, basis: &str, evidence: String| {
            let words = if evidence.is_empty() {
                title.to_owned()
            } else {
                format!("{title} ({evidence})")
            };
            Resemblance {
                id: id.to_owned(),
                words,
                points,
                basis: basis.to_owned(),
            }
        };
        let mut like: Vec<Resemblance> = profile
            .steps
            .iter()
            .filter_map(|step| {
                let evidence = step.shows.iter().find_map(|sign| self.evidence(sign))?;
                let (id, title, basis) = (&step.id, &step.title, &step.basis);
                Some(resemblance(id, title, step.weight, basis, evidence))
            })
            .collect();
        let habits = |list: &[super::Trait]| -> Vec<Resemblance> {
            list.iter()
                .filter_map(|habit| {
                    let evidence = self.evidence(&habit.sign)?;
                    let (id, title, basis) = (&habit.id, &habit.title, &habit.basis);
                    Some(resemblance(id, title, habit.weight, basis, evidence))
                })
                .collect()
        };
        like.extend(habits(&profile.traits));
        let mut unlike = habits(&profile.unlike);
        // Stable: what weighs the same stays in the order of the actor's way.
        like.sort_by_key(|it| std::cmp::Reverse(it.points));
        unlike.sort_by_key(|it| std::cmp::Reverse(it.points));
        let sum = |list: &[Resemblance]| list.iter().map(|it| it.points).sum::<u32>();
        Likeness {
            actor: profile.id.clone(),
            title: profile.title.clone(),
            score: sum(&like).saturating_sub(sum(&unlike)).min(100),
            like,
            unlike,
        }
    }

    /// What shows a sign in the incident, in words; `None` where nothing does.
    fn evidence(&self, sign: &Sign) -> Option<String> {
        let measured = match sign.measure {
            Some(measure) => Some(measure.evidence(self.case, self.facts)?),
            None => None,
        };
        if sign.actions.is_empty() {
            return measured;
        }
        let strange_only = sign.measure == Some(Measure::StrangeOnly);
        let mut actions = BTreeMap::<&str, u64>::new();
        let mut targets = BTreeSet::<Symbol>::new();
        let mut first: Option<Timestamp> = None;
        let mut refused = true;
        let matching = self.calls.iter().filter(|(kind, _)| {
            let ended = match sign.outcome {
                None => true,
                Some(Ended::Done) => kind.done,
                Some(Ended::Denied) => kind.denied,
            };
            ended
                && (!strange_only || kind.strange)
                && (sign.on.is_empty() || kind.jewel.is_some_and(|it| sign.on.contains(&it)))
                && sign
                    .actions
                    .iter()
                    .any(|pattern| matches_pattern(pattern, kind.action))
        });
        for (kind, calls) in matching {
            *actions.entry(kind.action).or_default() += calls.count;
            targets.extend(&calls.targets);
            first = match (first, calls.first) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            refused &= kind.denied;
        }
        let count = if sign.distinct {
            actions.len() as u64
        } else if sign.distinct_targets {
            targets.len() as u64
        } else {
            actions.values().sum()
        };
        if actions.is_empty() || count < sign.at_least {
            return None;
        }
        let mut ordered: Vec<(&str, u64)> = actions.into_iter().collect();
        ordered.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let words: Vec<String> = ordered
            .into_iter()
            .map(|(action, count)| match count {
                1 => clean(action),
                count => format!("{} ×{count}", clean(action)),
            })
            .collect();
        let mut evidence = listed(&words, 3);
        if sign.distinct_targets {
            evidence.push_str(&format!(" on {}", counted(count, "object")));
        }
        if refused {
            evidence.push_str(", refused");
        }
        if let Some(first) = first {
            evidence.push_str(&format!(", first {}", minute(first)));
        }
        Some(evidence)
    }
}

fn jewel_of(jewels: &Jewels<'_>, target: &str) -> Option<JewelKind> {
    if !jewels.is_empty() {
        return jewels.kind(target);
    }
    let (_, key) = names::object(target)?;
    let key = key.to_ascii_lowercase();
    LOADED_BY_BROWSERS
        .iter()
        .any(|ending| key.ends_with(ending))
        .then_some(JewelKind::WebOrigin)
}
