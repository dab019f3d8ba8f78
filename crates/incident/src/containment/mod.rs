//! A cut as a responder needs it: what to type to make each change and to take it back, and what
//! would have been refused that was used.

mod commands;
mod replay;
mod terraform;

use portreeve_graph::cut::{Change, Plan};
use serde::{Deserialize, Serialize};

pub use replay::{Calls, Refusal, Refused, Replayed, replay};

/// What a person types for one change of a plan, to review first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// The change's id in its plan.
    pub change: String,
    /// Commands of the AWS CLI that make the change; none where there is no single one.
    pub command: Option<String>,
    /// Commands that take it back.
    pub undo: Option<String>,
    /// Terraform that makes the change.
    pub terraform: Option<String>,
    /// What to know before.
    pub caveat: Option<String>,
}

/// What to type for each change of a plan, in its order.
pub fn typed(plan: &Plan) -> Vec<Typed> {
    let changes = plan
        .changes
        .iter()
        .zip(plan.inverse().changes.into_iter().rev());
    let typed = |(change, back): (&Change, Change)| {
        let make = commands::of(&change.edit);
        Typed {
            change: change.id.clone(),
            undo: commands::of(&back.edit).command,
            terraform: terraform::of(change),
            command: make.command,
            caveat: make.caveat,
        }
    };
    changes.map(typed).collect()
}
