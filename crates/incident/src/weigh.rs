//! What weighs in an incident beside its findings: whether late acts follow early signs, how rare
//! they are among all who were seen, how near they come to a crown jewel, and whose way they are
//! like. Only where a credential seems to be in other hands: ordinary work may be rare, and near
//! a jewel, every day.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use portreeve_detect::{ActivityRow, Folded, Symbol};
use portreeve_model::{Finding, Tactic};

use crate::actor::Likeness;
use crate::behaviour;
use crate::case::Case;
use crate::names;
use crate::reach::Reach;
use crate::report::{ScorePart, Touched};
use crate::text::{clean, counted, span};
use portreeve_detect::{ActorId, Actors};

/// From how many actors on that did something it is common.
const COMMON: usize = 8;

/// Among fewer actors nothing can be called rare.
const FEWEST_ACTORS: usize = 10;

/// How many touched resources are looked up in the graph.
const LOOKED_UP: usize = 40;

/// The points of likeness that give one point of the score; and how many there must be, since a
/// few are anybody's.
const LIKENESS_A_POINT: u32 = 12;
const LEAST_LIKENESS: u32 = 40;

/// Who else changed things in the same way, as far as that is few.
#[derive(Debug, Default)]
pub(crate) struct Rarity {
    actors: usize,
    /// Actors by action and by what was acted on, objects by their bucket; at most [`COMMON`] of
    /// them, so that memory is bounded by the number of kinds of changes.
    changed_by: HashMap<(Symbol, Symbol), Vec<ActorId>, FixedState>,
}

impl Rarity {
    pub(crate) fn new(folded: &Folded, actors: &Actors) -> Self {
        let mut rarity = Self {
            actors: actors.len(),
            ..Self::default()
        };
        if rarity.actors < FEWEST_ACTORS {
            return rarity;
        }
        for row in folded.activities.iter() {
            let Some(actor) = actors.actor_of(row.id()) else {
                continue;
            };
            if !row.succeeded() || !behaviour::writes(row) {
                continue;
            }
            let known = rarity.changed_by.entry(key(row)).or_default();
            if known.len() < COMMON && !known.contains(&actor) {
                known.push(actor);
            }
        }
        rarity
    }

    /// How many others did what a row did; `None` where that cannot be called rare.
    fn others(&self, row: ActivityRow<'_>, own: &BTreeSet<ActorId>) -> Option<usize> {
        let known = self.changed_by.get(&key(row))?;
        let others = known.iter().filter(|actor| !own.contains(actor)).count();
        (known.len() < COMMON).then_some(others)
    }
}

/// An action and what it was done to: of several targets the one that is no object, so that each
/// new file of a deployment is not something new.
fn key(row: ActivityRow<'_>) -> (Symbol, Symbol) {
    let target = row
        .target_symbols()
        .zip(row.targets())
        .find(|(_, id)| names::object(id).is_none())
        .map_or(Symbol::NONE, |(symbol, _)| symbol);
    (row.action_symbol(), target)
}

/// The parts of the score that this adds.
pub(crate) fn parts(
    case: &Case<'_>,
    touched: &[Touched],
    reach: Option<&dyn Reach>,
    rarity: &Rarity,
    likenesses: &[Likeness],
) -> Vec<ScorePart> {
    if !(case.group.is_strange() || case.group.named) {
        return Vec::new();
    }
    [
        stage(case),
        rare(case, rarity),
        reach.and_then(|reach| near(touched, reach)),
        like(likenesses),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a finding is of the harm rather than of what leads up to it.
fn is_late(finding: &Finding) -> bool {
    finding.tactics.iter().any(|tactic| {
        matches!(
            tactic,
            Tactic::LateralMovement | Tactic::Collection | Tactic::Exfiltration | Tactic::Impact
        )
    })
}

fn stage(case: &Case<'_>) -> Option<ScorePart> {
    let early = case
        .loud()
        .filter(|finding| !finding.tactics.is_empty() && !is_late(finding))
        .find_map(|finding| finding.time)?;
    let late = case
        .loud()
        .filter(|finding| is_late(finding))
        .filter_map(|finding| finding.time)
        .find(|time| *time > early)?;
    Some(ScorePart {
        reason: format!(
            "early signs followed by late ones, {} after the first",
            span(late.as_second() - early.as_second())
        ),
        points: 4,
    })
}

fn rare(case: &Case<'_>, rarity: &Rarity) -> Option<ScorePart> {
    let own: BTreeSet<ActorId> = case
        .deeds()
        .filter_map(|row| case.survey.actors.actor_of(row.id()))
        .collect();
    let (others, row) = case
        .deeds()
        .filter(|row| row.succeeded() && behaviour::writes(*row))
        .filter_map(|row| Some((rarity.others(row, &own)?, row)))
        .min_by_key(|(others, row)| (*others, row.action(), row.targets().next()))?;
    let on = row
        .targets()
        .find(|id| names::object(id).is_none())
        .map(|id| format!(" on {}", names::resource(id)))
        .unwrap_or_default();
    let what = format!("{}{on}", clean(row.action()));
    let (points, whom) = match others {
        0 => (4, "nobody else in these logs did".to_owned()),
        1 | 2 => (
            2,
            format!("{} in these logs did", counted(others as u64, "other")),
        ),
        _ => return None,
    };
    Some(ScorePart {
        reason: format!("rare: {what}, which {whom}"),
        points,
    })
}

/// The way from what was touched to the nearest crown jewel; a touched jewel has a part of its own.
fn near(touched: &[Touched], reach: &dyn Reach) -> Option<ScorePart> {
    let own = |it: &&Touched| it.succeeded && it.jewel.is_none();
    if touched.iter().any(|it| it.succeeded && it.jewel.is_some()) {
        return None;
    }
    let (steps, resource, jewel) = touched
        .iter()
        .filter(own)
        .take(LOOKED_UP)
        .filter_map(|it| Some((it, reach.resolve(&it.resource)?)))
        .flat_map(|(it, node)| {
            reach
                .paths_to_jewels(&node)
                .into_iter()
                .filter(|path| path.conditions.is_empty() && !path.steps.is_empty())
                .map(move |path| (path.steps.len(), it.resource.as_str(), path.to))
        })
        .min()?;
    let points = match steps {
        1 => 4,
        2 => 2,
        3 => 1,
        _ => return None,
    };
    Some(ScorePart {
        reason: format!(
            "{} was touched, {} from crown jewel {}",
            names::resource(resource),
            counted(steps as u64, "step"),
            names::resource(jewel.as_str())
        ),
        points,
    })
}

fn like(likenesses: &[Likeness]) -> Option<ScorePart> {
    let likest = likenesses.first()?;
    let points = likest.score / LIKENESS_A_POINT;
    (likest.score >= LEAST_LIKENESS).then(|| ScorePart {
        reason: format!("like {}: {} of 100", likest.title, likest.score),
        points,
    })
}
