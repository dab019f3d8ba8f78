//! Any bytes: data of networks are read or refused, and asking them ends without panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_detect::{NetworkData, Networks, Settings};

fuzz_target!(|data: &[u8]| {
    NetworkData::recognise(data, data);
    // Half of the inputs are made to look like the forms that begin with a mark.
    let marked = match data.split_first() {
        Some((0..=63, rest)) => [b"PORTREEVE-NETWORKS\x01\n", rest].concat(),
        Some((64..=127, rest)) => [rest, b"\xab\xcd\xefMaxMind.com", rest].concat(),
        _ => data.to_vec(),
    };
    if let Ok((read, _)) = NetworkData::read("fuzz", marked) {
        let networks = Networks::new(&Settings::default(), vec![read]);
        for address in [
            "0.0.0.0",
            "192.0.2.1",
            "255.255.255.255",
            "::1",
            "2001:db8::1",
        ] {
            assert!(networks.of(address).name().is_some());
        }
    }
});
