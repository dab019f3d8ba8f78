//! Any text: reading a user agent ends without panic and makes nothing up.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_detect::{Client, client_family};

fuzz_target!(|text: &str| {
    let client = Client::parse(text);
    for part in [
        client.version,
        client.system_version,
        client.architecture,
        client.command,
    ] {
        assert!(part.is_none_or(|part| text.contains(part)));
    }
    assert!(client.described().len() <= text.len() + 64);
    assert!(client_family(text).len() <= text.len());
});
