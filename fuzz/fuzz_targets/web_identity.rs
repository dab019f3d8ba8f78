//! Any text as the subject of a web identity: reading it never panics, and what is read names
//! something.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_detect::Subject;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Some(subject) = Subject::parse(text) {
        assert!(subject.name().ends_with(subject.kind));
        assert_eq!(Subject::parse(text), Some(subject));
    }
});
