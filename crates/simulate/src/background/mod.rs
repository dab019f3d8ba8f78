//! What an organisation of sixty people does all day, as far as CloudTrail shows it.

mod human;
mod occasion;
mod pipeline;
mod scanner;
mod service;
mod workload;

pub(crate) use human::{session_token, sign_in, user_console, user_id};
pub(crate) use occasion::long_lived_key;
pub(crate) use pipeline::{invalidation, pipeline_client, push_layers};
pub(crate) use workload::{FUNCTIONS, NODE_ROLE, SERVICES, node_session};

use crate::delivery::Delivery;
use crate::stage::{Day, Stage};

/// One day of everything.
pub(crate) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    human::play(stage, day, out);
    pipeline::play(stage, day, out);
    workload::play(stage, day, out);
    service::play(stage, day, out);
    scanner::play(stage, day, out);
    occasion::play(stage, day, out);
}
