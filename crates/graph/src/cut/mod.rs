//! The cut: the cheapest changes of an estate that leave no attack path.

mod costs;
mod plan;

pub use costs::{ChangeKind, Costs};
pub use plan::{Change, Edit, PLAN_VERSION, Plan};
