//! The graph asked as its users ask it: small estates whose answers are known, laws over generated ones,
//! and the labelled estates that others published.
//!
//! All in one test program, so that what runs on one thread has others beside it.
//! `cargo test -p portreeve-graph --test integration cut::` runs those of one file.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod ask;
mod catalogue;
mod changes;
mod common;
mod compositions;
mod cut;
mod cut_generated;
mod cut_labs;
mod doors;
mod estates;
mod generated;
mod grants;
mod keys;
mod laws;
mod pathfinding_labs;
mod roads;
mod saved;
mod size;
mod wallets;
