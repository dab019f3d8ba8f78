use serde::{Deserialize, Serialize};

use super::Step;
use crate::correlate::compile::{Compiled, Measure};
use crate::correlate::item::{Moment, Reference};
use crate::expression::Expression;

/// How far each sequence came: for each of its steps the chain of records that leads up to it and
/// began last, for that one has the most time left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ordered {
    chains: Vec<Vec<Option<Chain>>>,
    /// When the complete chain that the last record completed began; none where it completed none.
    completed: Option<Moment>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Chain {
    began: Moment,
    ended: Moment,
    records: Vec<Reference>,
}

impl Ordered {
    pub(crate) fn new(sequences: &[Vec<u16>]) -> Self {
        Self {
            chains: sequences
                .iter()
                .map(|sequence| vec![None; sequence.len()])
                .collect(),
            completed: None,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.chains.iter_mut().for_each(|chains| chains.fill(None));
        self.completed = None;
    }

    pub(crate) fn add(&mut self, step: Step, compiled: &Compiled) {
        let Measure::Ordered(sequences) = &compiled.measure else {
            return;
        };
        self.completed = None;
        for (chains, sequence) in self.chains.iter_mut().zip(sequences) {
            // A rule stands once in a sequence, or as often as the correlation names it, each time
            // by a position of its own.
            let Some(at) = sequence
                .iter()
                .position(|position| *position == step.position)
            else {
                continue;
            };
            let mut chain = match at.checked_sub(1) {
                None => Chain {
                    began: step.time,
                    ended: step.time,
                    records: Vec::new(),
                },
                Some(before) => match chains.get(before).cloned().flatten() {
                    Some(chain) => chain,
                    None => continue,
                },
            };
            chain.ended = step.time;
            chain.records.push(step.reference);
            if at + 1 == sequence.len() {
                self.completed = self.completed.max(Some(chain.began));
            }
            if let Some(slot) = chains.get_mut(at) {
                *slot = Some(chain);
            }
        }
    }

    /// The complete chain that ended last.
    fn complete(&self, earliest: Moment) -> Option<&Chain> {
        self.chains
            .iter()
            .filter_map(|chains| chains.last()?.as_ref())
            .filter(|chain| chain.began >= earliest)
            .max_by_key(|chain| (chain.ended, chain.began))
    }

    pub(crate) fn measure(&self, earliest: Moment) -> (f64, bool) {
        let complete = self.complete(earliest);
        let number = complete.map_or(0, |chain| chain.records.len());
        let holds = self.completed.is_some_and(|began| began >= earliest);
        (number as f64, holds)
    }

    pub(crate) fn records(&self, earliest: Moment) -> Vec<Reference> {
        self.complete(earliest)
            .map(|chain| chain.records.clone())
            .unwrap_or_default()
    }
}

/// The most sequences that a condition may stand for.
const MAX_SEQUENCES: usize = 64;

/// The sequences of which one must be complete for a condition over positions to hold, each in the
/// order of the rules; `None` where there are too many, or where the condition also asks for what
/// must not be there.
pub(crate) fn sequences(condition: &Expression<usize>) -> Option<Vec<Vec<u16>>> {
    let mut sets = alternatives(condition)?;
    sets.sort();
    sets.dedup();
    // One that holds another whole adds nothing.
    let shortest: Vec<Vec<u16>> = sets
        .iter()
        .filter(|set| {
            !sets.iter().any(|other| {
                other.len() < set.len() && other.iter().all(|position| set.contains(position))
            })
        })
        .cloned()
        .collect();
    Some(shortest)
}

fn alternatives(condition: &Expression<usize>) -> Option<Vec<Vec<u16>>> {
    let bounded = |sets: Vec<Vec<u16>>| (sets.len() <= MAX_SEQUENCES).then_some(sets);
    match condition {
        Expression::Leaf(position) => Some(vec![vec![u16::try_from(*position).ok()?]]),
        Expression::Not(_) => None,
        Expression::Any(parts) => {
            let mut sets = Vec::new();
            for part in parts {
                sets.append(&mut alternatives(part)?);
                sets = bounded(sets)?;
            }
            Some(sets)
        }
        Expression::All(parts) => {
            let mut sets = vec![Vec::new()];
            for part in parts {
                sets = bounded(both(&sets, &alternatives(part)?))?;
            }
            Some(sets)
        }
        Expression::AtLeast(count, parts) => {
            // By how many of the parts so far are taken.
            let mut taken: Vec<Vec<Vec<u16>>> = vec![vec![Vec::new()]];
            taken.resize(count + 1, Vec::new());
            for part in parts {
                let part = alternatives(part)?;
                for number in (0..*count).rev() {
                    let more = both(taken.get(number)?, &part);
                    let slot = taken.get_mut(number + 1)?;
                    slot.extend(more);
                    if slot.len() > MAX_SEQUENCES {
                        return None;
                    }
                }
            }
            taken.pop()
        }
    }
}

/// Each of the first together with each of the second.
fn both(first: &[Vec<u16>], second: &[Vec<u16>]) -> Vec<Vec<u16>> {
    first
        .iter()
        .take(MAX_SEQUENCES + 1)
        .flat_map(|one| {
            second.iter().take(MAX_SEQUENCES + 1).map(|other| {
                let mut set: Vec<u16> = one.iter().chain(other).copied().collect();
                set.sort_unstable();
                set.dedup();
                set
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(position: usize) -> Expression<usize> {
        Expression::Leaf(position)
    }

    #[test]
    fn conditions_become_sequences_in_the_order_of_the_rules() {
        let all = Expression::All(vec![leaf(2), leaf(0), leaf(1)]);
        assert_eq!(sequences(&all).unwrap(), [[0, 1, 2]]);
        let mixed = Expression::All(vec![Expression::Any(vec![leaf(1), leaf(0)]), leaf(2)]);
        assert_eq!(sequences(&mixed).unwrap(), [[0, 2], [1, 2]]);
        let absorbed = Expression::Any(vec![leaf(0), Expression::All(vec![leaf(0), leaf(1)])]);
        assert_eq!(sequences(&absorbed).unwrap(), [[0]]);
        let two = Expression::AtLeast(2, vec![leaf(0), leaf(1), leaf(2)]);
        assert_eq!(sequences(&two).unwrap(), [[0, 1], [0, 2], [1, 2]]);
        assert!(sequences(&Expression::Not(Box::new(leaf(0)))).is_none());
        let many = Expression::AtLeast(10, (0..40).map(leaf).collect());
        assert!(sequences(&many).is_none());
    }
}
