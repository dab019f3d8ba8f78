//! Any bytes as a file of the activity archive, and a whole file with any of its bytes changed: read or
//! refused, in bounded memory, never a panic.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portreeve_model::{Activity, Actor, Origin, Outcome};
use portreeve_store::parquet::{ActivityFile, Archived, Class, raw_records};

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut file = ActivityFile::new(Vec::new()).expect("a file");
    for index in 0..30 {
        let activity = Activity {
            source: "aws.cloudtrail",
            event_id: None,
            time: None,
            service: "s3".into(),
            operation: "GetObject".into(),
            read_only: None,
            account: None,
            region: None,
            actor: Actor::default(),
            credential: None,
            targets: Default::default(),
            origin: Origin::default(),
            client: None,
            outcome: Outcome::Success,
            minted: None,
            policy_change: None,
            effects: Vec::new(),
            revoked: None,
        };
        file.add(&Archived {
            activity: &activity,
            class: Class {
                class_uid: 6003,
                activity_id: 2,
                activity_name: "Read",
            },
            product: "AWS CloudTrail",
            file: "a.json",
            index,
            offset: index,
            raw: format!("{{\"n\":{index}}}").as_bytes(),
        });
        if index % 10 == 9 {
            file.flush().expect("written");
        }
    }
    file.finish().expect("written")
});

fuzz_target!(|data: &[u8]| {
    let bytes = match data.split_first() {
        Some((0, changes)) => {
            let mut bytes = WHOLE.clone();
            for change in changes.chunks_exact(3) {
                let place = usize::from(u16::from_le_bytes([change[0], change[1]]));
                // From the end: there stands what says where all else does.
                let place = bytes.len() - 1 - place % bytes.len();
                bytes[place] ^= change[2];
            }
            bytes
        }
        _ => data.to_vec(),
    };
    if let Ok(records) = raw_records(bytes.into()) {
        // A damaged page may promise rows without end.
        let _ = records.take(10_000).take_while(Result::is_ok).count();
    }
});
