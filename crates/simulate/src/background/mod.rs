//! What an organisation of sixty people does all day, as far as CloudTrail shows it.

mod commands;
mod human;
mod joining;
mod load_test;
mod occasion;
mod own_user;
mod pipeline;
mod place;
mod portal;
mod reset;
mod scanner;
mod service;
mod shell;
mod workload;

pub(crate) use load_test::{ARCHIVE, ARCHIVE_BUCKET, LOAD_TEST_USER, launch, load_test_user};
pub(crate) use occasion::long_lived_key;
pub(crate) use own_user::{user_console, user_id};
pub(crate) use pipeline::{invalidation, layer, pipeline_client, push_layers};
pub(crate) use portal::{Way, session_token, sign_in};
pub(crate) use reset::{administrator, administrators};
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
    joining::play(stage, day, out);
    reset::play(stage, day, out);
    load_test::play(stage, day, out);
}
