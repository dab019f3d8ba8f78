//! What the project ships, and the watch, over records of the project and of others.
//!
//! All in one test program, so that what runs on one thread has others beside it.
//! `cargo test -p portreeve-engine --test integration watch::` runs those of one file. `soak.rs` stands by
//! itself: it measures the memory of its process.
#![allow(clippy::print_stdout)]

mod actors;
mod correlations;
mod detections;
mod hunt_state;
mod labelled;
mod panther;
mod rules;
mod stratus;
mod traildiscover;
mod watch;
