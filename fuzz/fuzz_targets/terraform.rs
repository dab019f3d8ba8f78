//! Any bytes as a Terraform state or plan: reading them never panics, and a plan laid over what it
//! starts from changes only what it says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_estate::{Plan, complete, read};
use portreeve_model::Estate;

fuzz_target!(|data: &[u8]| {
    let mut estate = Estate::default();
    let _ = read("fuzzed", data, &mut estate);
    complete(&mut estate);
    if let Some((plan, _)) = Plan::read("fuzzed", data, Some("111122223333")) {
        let mut before = plan.before().clone();
        let revision = plan.revision(&before);
        before.revise(&revision);
        complete(&mut before);
    }
});
