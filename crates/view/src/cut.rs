//! A cut as reports show it.

use std::collections::BTreeMap;

use portreeve_graph::Jewel;
use portreeve_graph::cut::{Change, Cut, LeastCost, PLAN_VERSION};
use portreeve_incident::containment::{Refused, Replayed, Typed};
use portreeve_model::BlindSpot;
use serde::Serialize;

use crate::text;

/// What `cut` writes.
#[derive(Clone, Copy, Debug)]
pub struct CutAnswer<'a> {
    /// The cut.
    pub cut: &'a Cut,
    /// What to type for each change, in the order of the plan.
    pub typed: &'a [Typed],
    /// What the past says of it, where it was asked.
    pub history: Option<&'a Replayed>,
    /// What is known of the intruder's requests, in the user's words.
    pub given: &'a [String],
    /// The estate's crown jewels.
    pub jewels: &'a [Jewel],
    /// What could not be seen.
    pub blind_spots: &'a [BlindSpot],
}

impl<'a> CutAnswer<'a> {
    /// Each change with what to type for it.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&'a Change, &'a Typed)> {
        self.cut.plan.changes.iter().zip(self.typed)
    }

    /// The answer in a line.
    pub(crate) fn title(&self) -> String {
        let cut = self.cut;
        let changes = text::counted(cut.plan.changes.len() as u64, "change", "changes");
        let verb = if cut.plan.changes.len() == 1 {
            "leaves"
        } else {
            "leave"
        };
        match (cut.before.len(), cut.left.len()) {
            (0, _) => "There is no path to cut".to_owned(),
            (_, 0) => format!("{changes} {verb} no path"),
            (_, left) => format!(
                "{} cannot be cut by any change that is known",
                text::counted(left as u64, "path", "paths")
            ),
        }
    }

    /// What is proven of the cut, a sentence each.
    pub(crate) fn proofs(&self) -> Vec<String> {
        let cut = self.cut;
        if cut.before.is_empty() {
            return vec!["That holds for what is known of the estate.".to_owned()];
        }
        let mut proofs = Vec::new();
        if cut.proven {
            proofs.push(
                "The graph was built again with the changes made, and has no path.".to_owned(),
            );
        }
        if cut.plan.changes.is_empty() {
            return proofs;
        }
        if cut.minimal {
            proofs.push("Each change is needed: without it a path is back.".to_owned());
        }
        let candidates = text::counted(
            cut.candidates as u64,
            "candidate change",
            "candidate changes",
        );
        proofs.push(match cut.least_cost {
            LeastCost::Proven => format!("No other set of the {candidates} costs less."),
            LeastCost::Bound => format!(
                "Of {candidates} another set may cost less, though no less than {}; least cost is \
                 proven up to {}.",
                cut.bound, cut.exact_up_to
            ),
        });
        proofs
    }

    /// The history in a sentence.
    pub(crate) fn past(&self) -> Option<String> {
        let history = self.history?;
        let days = match (history.first, history.last) {
            (Some(first), Some(last)) => {
                format!(", {} to {}", text::minute(first), text::minute(last))
            }
            _ => String::new(),
        };
        let refused: u64 = history.refused.iter().map(|refused| refused.calls).sum();
        let unexplained = match history.unexplained {
            0 => String::new(),
            some => format!(
                " Of {} the inventory does not tell why they were allowed.",
                text::count(some)
            ),
        };
        Some(format!(
            "Of {}{days}, {} could be concerned and {} would have been refused.{unexplained}",
            text::counted(
                history.calls,
                "call that was allowed",
                "calls that were allowed"
            ),
            text::count(history.asked),
            text::count(refused),
        ))
    }
}

impl Serialize for CutAnswer<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Reviewed<'a> {
            #[serde(flatten)]
            change: &'a Change,
            command: Option<&'a str>,
            undo: Option<&'a str>,
            terraform: Option<&'a str>,
            caveat: Option<&'a str>,
        }
        #[derive(Serialize)]
        struct History<'a> {
            calls: u64,
            asked: u64,
            unexplained: u64,
            silent: &'a [String],
        }
        /// With `version` and `changes` it is a plan by itself.
        #[derive(Serialize)]
        struct Document<'a> {
            version: u32,
            from: &'a [portreeve_model::EntityId],
            to: &'a [portreeve_model::EntityId],
            given: &'a [String],
            proven: bool,
            minimal: bool,
            least_cost: LeastCost,
            cost: u64,
            bound: u64,
            candidates: usize,
            exact_up_to: usize,
            changes: Vec<Reviewed<'a>>,
            refused: &'a [Refused],
            history: Option<History<'a>>,
            paths: &'a [portreeve_graph::AttackPath],
            breaks: Vec<BTreeMap<&'static str, &'a str>>,
            left: &'a [portreeve_graph::AttackPath],
            blind_spots: &'a [BlindSpot],
        }
        let cut = self.cut;
        Document {
            version: PLAN_VERSION,
            from: &cut.from,
            to: &cut.to,
            given: self.given,
            proven: cut.proven,
            minimal: cut.minimal,
            least_cost: cut.least_cost,
            cost: cut.cost,
            bound: cut.bound,
            candidates: cut.candidates,
            exact_up_to: cut.exact_up_to,
            changes: self
                .changes()
                .map(|(change, typed)| Reviewed {
                    change,
                    command: typed.command.as_deref(),
                    undo: typed.undo.as_deref(),
                    terraform: typed.terraform.as_deref(),
                    caveat: typed.caveat.as_deref(),
                })
                .collect(),
            refused: self.history.map_or(&[], |history| &history.refused),
            history: self.history.map(|history| History {
                calls: history.calls,
                asked: history.asked,
                unexplained: history.unexplained,
                silent: &history.silent,
            }),
            paths: &cut.before,
            breaks: cut
                .breaks
                .iter()
                .map(|broken| {
                    BTreeMap::from([
                        ("from", broken.from.as_str()),
                        ("to", broken.to.as_str()),
                        ("via", broken.via.as_str()),
                    ])
                })
                .collect(),
            left: &cut.left,
            blind_spots: self.blind_spots,
        }
        .serialize(serializer)
    }
}
