//! Any bytes as a world and a question: the evaluator and the deliberately naive one of the tests
//! answer alike.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/authz/tests/laws/ask.rs"]
mod ask;
#[path = "../../crates/authz/tests/laws/compare.rs"]
mod compare;
#[path = "../../crates/authz/tests/laws/naive.rs"]
mod naive;
#[path = "../../crates/authz/tests/laws/source.rs"]
mod source;
#[path = "../../crates/authz/tests/laws/world.rs"]
mod world;

fuzz_target!(|data: &[u8]| {
    if let Err(difference) = compare::compare(data) {
        panic!("{difference}");
    }
});
