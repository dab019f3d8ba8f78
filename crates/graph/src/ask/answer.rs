use portreeve_authz::{Answer, Atom, PolicyLayer, StatementRef};
use portreeve_model::EntityId;
use serde::Serialize;
use thiserror::Error;

/// Why a question cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AskError {
    /// It is no one that is known, and no ARN of a principal.
    #[error("`{0}` is nobody that the inventory knows, and no ARN of a principal")]
    UnknownPrincipal(String),
    /// It is known, and cannot ask.
    #[error("`{id}` is no principal{}", instead_of(.instead))]
    NotAPrincipal {
        /// What was named.
        id: EntityId,
        /// The principals that may be meant.
        instead: Vec<EntityId>,
    },
    /// Several have this name.
    #[error("`{name}` may mean any of {}; give the whole id", list(.meant))]
    Ambiguous {
        /// What was named.
        name: String,
        /// What it may mean.
        meant: Vec<EntityId>,
    },
    /// The action is not of the form `service:Name`.
    #[error("`{0}` is no action such as `s3:GetObject`")]
    BadAction(String),
    /// The resource is no ARN.
    #[error("`{0}` is nothing that the inventory knows, no ARN, and not `*`")]
    BadResource(String),
}

fn instead_of(instead: &[EntityId]) -> String {
    match instead {
        [] => String::new(),
        some => format!("; ask about {}", list(some)),
    }
}

/// The first few of some ids.
fn list(ids: &[EntityId]) -> String {
    let first: Vec<&str> = ids.iter().take(5).map(EntityId::as_str).collect();
    match ids.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The answer to a question, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Who asks.
    pub principal: EntityId,
    /// To do what.
    pub action: String,
    /// On what.
    pub resource: EntityId,
    /// What it comes to.
    #[serde(flatten)]
    pub answer: Answer,
    /// What each layer says by itself, in the order in which they are asked.
    pub layers: Vec<LayerVerdict>,
    /// What the reader should know of how the answer came about.
    pub notes: Vec<String>,
}

/// What one layer says by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerVerdict {
    /// The layer.
    pub layer: PolicyLayer,
    /// What its policies are attached to.
    pub at: EntityId,
    /// What it says.
    pub result: LayerResult,
    /// The statement that says so, where there is one.
    pub statement: Option<StatementRef>,
    /// What it hangs on.
    pub depends_on: Vec<Atom>,
}

/// What a layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerResult {
    /// It allows the request.
    Allow,
    /// A statement of it denies.
    Deny,
    /// It does not speak of the request.
    None,
    /// It allows or denies by what is not known.
    Depends,
}

impl LayerResult {
    /// The lower-case name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            LayerResult::Allow => "allow",
            LayerResult::Deny => "deny",
            LayerResult::None => "none",
            LayerResult::Depends => "depends",
        }
    }
}

/// One who may do what was asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Who.
    pub principal: EntityId,
    /// Whether it is no principal of the estate: another account, anyone, a service.
    pub outside: bool,
    /// Allowed, or depends.
    #[serde(flatten)]
    pub answer: Answer,
    /// What each layer says by itself, in the order in which they are asked.
    pub layers: Vec<LayerVerdict>,
}

/// Who may do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holders {
    /// To do what.
    pub action: String,
    /// On what.
    pub resource: EntityId,
    /// Who is allowed to, by id.
    pub allowed: Vec<Holder>,
    /// For whom it depends, by id.
    pub depends: Vec<Holder>,
    /// How many were asked about and may not.
    pub denied: usize,
    /// What the reader should know of how the answer came about.
    pub notes: Vec<String>,
}
