//! Why a plan was not carried out.

use std::path::PathBuf;

use portreeve_graph::cut::PLAN_VERSION;

use crate::client::CallError;
use crate::run::CollectError;

/// Why a plan was not carried out, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The plan's form is not known.
    #[error("the plan is of version {0}; this program knows version {PLAN_VERSION}")]
    Version(u32),
    /// Changes that only a person can make.
    #[error("these changes cannot be made by this program, so none was made: {}\n`portreeve cut` tells what to type for them; take them out of the plan once they are made", list(.0))]
    ByHand(Vec<(String, String)>),
    /// What is there is not what the plan expects.
    #[error("the estate is not as the plan expects, so nothing more was changed: {}\ncollect the inventory again and make a new plan", list(.0))]
    Differs(Vec<(String, String)>),
    /// A change cannot be made in an account that is not the user's own.
    #[error(
        "{0} is not the account of the credentials: give --role, the name of a role to assume there"
    )]
    OtherAccount(String),
    /// The journal is of another plan.
    #[error("{} is the journal of another plan: give another with --journal, or undo it first", path.display())]
    OtherPlan {
        /// The journal.
        path: PathBuf,
    },
    /// The journal cannot be read or written.
    #[error("{}: {source}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of the journal is not understood.
    #[error("{}, line {line}: {reason}", path.display())]
    Unreadable {
        /// The journal.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A call failed.
    #[error(
        "change {id}: {source}\nwhat was done stands in the journal: run again to go on, or undo"
    )]
    Call {
        /// The change.
        id: String,
        /// Why.
        source: CallError,
    },
    /// A change was made and did not show.
    #[error(
        "change {id} was asked for and does not show after a minute: look at it, then run again to go on, or undo"
    )]
    NotSeen {
        /// The change.
        id: String,
    },
    /// The credentials do not work.
    #[error(transparent)]
    Credentials(#[from] CollectError),
}

fn list(entries: &[(String, String)]) -> String {
    let lines = entries.iter().map(|(id, why)| format!("\n  {id}: {why}"));
    lines.collect()
}
