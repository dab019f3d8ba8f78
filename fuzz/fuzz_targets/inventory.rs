//! Documents of what inventory formats look for, and any bytes: reading them never panics, and what is
//! read can be read again beside itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_estate::{complete, read, recognise};
use portreeve_model::Estate;

mod common;
use common::{Grower, INVENTORY};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let mut estate = Estate::default();
    if kind % 4 == 0 {
        take(bytes, &mut estate);
    } else {
        let mut grower = Grower::new(bytes, INVENTORY);
        while !grower.is_over() {
            take(grower.document().to_string().as_bytes(), &mut estate);
        }
    }
    complete(&mut estate);
});

fn take(bytes: &[u8], estate: &mut Estate) {
    recognise(bytes);
    let letters = read("fuzzed", bytes, estate);
    assert!(letters.iter().all(|letter| !letter.reason.is_empty()));
}
