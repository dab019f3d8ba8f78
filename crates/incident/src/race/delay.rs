//! How late records come.

use std::collections::BTreeMap;

use portreeve_detect::Folded;
use portreeve_evidence::delivery;
use serde::{Deserialize, Serialize};

/// CloudTrail user guide, "How CloudTrail works": log files come within about five minutes of a call
/// on average, which is not guaranteed.
const TYPICAL: u64 = 300;

/// CloudTrail's FAQ names fifteen minutes as the time within which they come as a rule.
const LATE: u64 = 900;

/// How many records are measured of one account; the first ones by time are as good as any.
const SAMPLES: usize = 200_000;

/// A name of a file tells the minute of its delivery: at the latest it was at the minute's end.
const MINUTE: i64 = 60;

/// How late records of an account come, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    /// How many records it was measured of; 0 where it is the documented delay.
    pub records: u64,
    /// Half of them came within this.
    pub median: u64,
    /// Nine of ten came within this.
    pub late: u64,
}

impl Delay {
    /// What is documented, where nothing could be measured.
    pub const DOCUMENTED: Self = Self {
        records: 0,
        median: TYPICAL,
        late: LATE,
    };
}

/// The delays of all accounts, by the names of files as trails deliver them: those tell when a file was
/// delivered. Copies by other names, and exports, tell nothing.
pub fn delays(folded: &Folded) -> BTreeMap<String, Delay> {
    let mut files = Vec::new();
    for file in folded.activities.files() {
        files.push(delivery(file).map(|(.., time)| time));
    }
    let mut samples = BTreeMap::<&str, Vec<u64>>::new();
    for row in folded.activities.iter() {
        let delivered = files.get(row.position().file as usize).copied().flatten();
        let (Some(time), Some(delivered)) = (row.time(), delivered) else {
            continue;
        };
        let own = samples
            .entry(row.account().unwrap_or_default())
            .or_default();
        if own.len() < SAMPLES {
            let late = delivered.as_second() + MINUTE - time.as_second();
            own.push(u64::try_from(late).unwrap_or(0));
        }
    }
    samples
        .into_iter()
        .map(|(account, mut own)| {
            own.sort_unstable();
            let at = |percent: usize| {
                own.get((own.len() * percent / 100).min(own.len() - 1))
                    .copied()
                    .unwrap_or_default()
            };
            let delay = Delay {
                records: own.len() as u64,
                median: at(50),
                late: at(90),
            };
            (account.to_owned(), delay)
        })
        .collect()
}
