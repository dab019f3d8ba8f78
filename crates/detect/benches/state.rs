//! What correlations cost: the memory of a million entities over 60 days, saving and resuming it,
//! and the time that a million activities take with all built-in correlations on.
//!
//! `cargo bench -p portreeve-detect --bench state [ENTITIES] [ROWS]`
#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::time::Instant;

use portreeve_detect::behaviour::{Baseline, Behaviour, Bounds, Correlations, Fired, Item};
use portreeve_detect::{Batch, Position, Settings, Snapshot, StageOne, StageTwo};
use portreeve_model::Estate;
use portreeve_model::state::KeyedState;
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{Correlation, Matcher, Rule};
use portreeve_telemetry::sources;

const DAYS: u64 = 60;
/// The run is killed and resumed behind this day.
const KILL: u64 = 45;
const DAY: i64 = 86_400_000_000;
const START: i64 = 1_772_409_600_000_000;

/// The correlations that a person's calls reach, and the one on keys.
const OF_PEOPLE: &[&str] = &[
    "person-at-two-networks-at-once",
    "person-on-new-network",
    "session-key-in-two-places",
    "system-changed-within-session",
    "discovery-spread",
    "dormant-key-woke",
];

fn main() {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    memory(numbers.first().copied().unwrap_or(1_000_000));
    cost(numbers.get(1).copied().unwrap_or(1_000_000));
}

fn content(folder: &str) -> (Vec<Rule>, Vec<Correlation>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    paths.sort();
    let (mut rules, mut correlations) = (Vec::new(), Vec::new());
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let parsed = portreeve_sigma::parse(&path.display().to_string(), &text);
        rules.extend(parsed.rules);
        correlations.extend(parsed.correlations);
    }
    (rules, correlations)
}

fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).max(1)
}

/// Everything of one day: each entity is active on about one day in four, with a call or two.
fn fold_day(behaviour: &mut Behaviour, count: u32, entities: u64, day: u64) {
    let mut items = Vec::new();
    for entity in 0..entities {
        let dice = mix(entity * 1_000 + day);
        if !dice.is_multiple_of(4) {
            continue;
        }
        for call in 0..1 + (dice >> 40 & 3) / 3 {
            // A handful of networks and operations each; now and then another.
            let value = if dice >> 8 & 63 == 0 {
                mix(dice ^ call)
            } else {
                mix(entity % 5_000 * 8 + (dice >> 16) % 3)
            };
            items.clear();
            items.extend((0..count).map(|correlation| Item {
                time: START
                    + day as i64 * DAY
                    + (entity * 2 + call) as i64 * DAY / (entities * 2) as i64,
                record: (day * entities + entity) * 2 + call,
                correlation,
                leg: 0,
                after: Item::ALWAYS,
                doubt: false,
                key: mix(entity),
                value,
                extra: [7, mix(entity)],
                number: 0.0,
            }));
            behaviour.fold(&items);
        }
    }
}

fn memory(entities: u64) {
    let (rules, mut all) = content("correlations");
    all.retain(|one| OF_PEOPLE.iter().any(|name| one.file.contains(name)));
    let (correlations, problems) =
        Correlations::new(all, &rules, &BTreeSet::new(), &mut Fields::default());
    assert!(problems.is_empty(), "{problems:?}");
    let count = correlations.loaded().len() as u32;
    let new = || Behaviour::new(&correlations, &Baseline::default(), Bounds::default());

    let start = Instant::now();
    let path = std::env::temp_dir().join(format!("portreeve-state-{}", std::process::id()));
    let mut live = new();
    let mut fired = 0;
    for day in 0..KILL {
        fold_day(&mut live, count, entities, day);
        fired += live.take_fired().len();
    }
    let saving = Instant::now();
    let (keys, bytes) = save(&mut live, &path);
    let saving = saving.elapsed();
    let mut expected: Vec<Fired> = Vec::new();
    let mut day_changes = 0u64;
    for day in KILL..DAYS {
        fold_day(&mut live, count, entities, day);
        expected.extend(live.take_fired());
        if day == KILL {
            live.changes(&mut |_| day_changes += 1);
        }
    }
    fired += expected.len();
    let peak = status("VmHWM:");
    println!(
        "{entities} entities, {DAYS} days, {count} correlations: {} remembered, {fired} fired, {:.1} s",
        live.entities(),
        start.elapsed().as_secs_f64()
    );
    println!("resident at most {peak} MB, the first save of everything included");
    println!(
        "saved on day {KILL}: {keys} keys, {} MB, {:.1} s; changed in the day after: {day_changes} keys",
        bytes >> 20,
        saving.as_secs_f64()
    );
    assert!(live.dropped().is_empty() || entities > 1_000_000);
    drop(live);

    let start = Instant::now();
    let mut resumed = new();
    resume(&mut resumed, &path);
    let reading = start.elapsed();
    let mut got = Vec::new();
    for day in KILL..DAYS {
        fold_day(&mut resumed, count, entities, day);
        got.extend(resumed.take_fired());
    }
    assert_eq!(got, expected, "the resumed run is the same run");
    println!(
        "reloaded in {:.1} s and resumed: the same {} findings",
        reading.as_secs_f64(),
        got.len()
    );
    std::fs::remove_file(path).expect("the file can be removed");
}

fn save(behaviour: &mut Behaviour, path: &Path) -> (usize, u64) {
    let mut file = BufWriter::new(std::fs::File::create(path).expect("the file can be made"));
    let (mut keys, mut bytes) = (0, 0);
    behaviour.changes(&mut |(key, value)| {
        let value = value.unwrap_or_default();
        for part in [&key, &value] {
            let length = part.len() as u32;
            file.write_all(&length.to_le_bytes())
                .expect("the file can be written");
            file.write_all(part).expect("the file can be written");
            bytes += part.len() as u64;
        }
        keys += 1;
    });
    file.flush().expect("the file can be written");
    (keys, bytes)
}

fn resume(behaviour: &mut Behaviour, path: &Path) {
    let mut file = BufReader::new(std::fs::File::open(path).expect("the file can be opened"));
    let mut part = move || -> Option<Vec<u8>> {
        let mut length = [0; 4];
        file.read_exact(&mut length).ok()?;
        let mut part = vec![0; u32::from_le_bytes(length) as usize];
        file.read_exact(&mut part).ok()?;
        Some(part)
    };
    let mut items = std::iter::from_fn(|| Some((part()?, part()?)));
    behaviour
        .restore(&mut items)
        .expect("a state reads what it wrote");
}

fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes >> 10)
}

fn record(number: u64) -> String {
    let dice = mix(number);
    let person = dice % 60;
    let (second, minute, hour) = (number % 60, number / 60 % 60, number / 3_600 % 24);
    let day = number / 86_400 % 28 + 1;
    let network = if dice >> 8 & 1_023 == 0 {
        dice >> 20 & 255
    } else {
        100 + person % 4
    };
    let services = [
        ("s3", "GetBucketPolicy"),
        ("ec2", "DescribeInstances"),
        ("secretsmanager", "GetSecretValue"),
        ("lambda", "ListFunctions20150331"),
    ];
    let (service, name) = services[(dice >> 32) as usize % services.len()];
    format!(
        r#"{{"eventVersion":"1.11","eventID":"00000000-0000-4000-8000-{number:012x}","eventTime":"2026-02-{day:02}T{hour:02}:{minute:02}:{second:02}Z","eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","readOnly":true,"eventType":"AwsApiCall","recipientAccountId":"111122223333","sourceIPAddress":"192.0.{network}.7","userAgent":"aws-cli/2.15.0 os/macos#23.5.0","requestParameters":{{"secretId":"s{}"}},"userIdentity":{{"type":"AssumedRole","accountId":"111122223333","accessKeyId":"ASIA{person:04}{day:02}EXAMPLE","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0a1b/dev{person}","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_0a1b"}}}}}}}}"#,
        dice % 7
    )
}

/// The time of stage two with and without correlations: nearly all of the activities are those of
/// people, which most correlations look at.
fn cost(rows: u64) {
    let (parts, correlations) = content("correlations");
    for with in [false, true] {
        let mut rules = content("rules/aws").0;
        if with {
            rules.extend(parts.iter().cloned());
        }
        let mut fields = Fields::default();
        let readers: Vec<_> = sources()
            .iter()
            .map(|source| source.prepare(&mut fields))
            .collect();
        let (mut matcher, _) = Matcher::new(&rules, &mut fields);
        let wanted = if with {
            correlations.clone()
        } else {
            Vec::new()
        };
        let (ready, problems) = Correlations::new(wanted, &rules, &BTreeSet::new(), &mut fields);
        assert!(problems.is_empty(), "{problems:?}");
        matcher.leave_out(|rule| ready.is_merged(rule));
        let snapshot = Snapshot::new(&Estate::default(), Settings::default(), []);
        let extractor = Extractor::new(&fields);
        let mut stage =
            StageOne::new(&rules, &matcher, &fields, &snapshot, &[]).for_correlations(&ready);
        let mut batch = Batch::default();
        let file = batch.add_file("bench".into());
        let mut buffer = SlotBuffer::new();
        let start = Instant::now();
        for index in 0..rows {
            let text = record(index);
            let mut slots = extractor
                .extract(text.as_bytes(), &mut buffer)
                .expect("the record can be read");
            let row = {
                let activity = readers[0].activity(&slots);
                let at = Position {
                    file,
                    index,
                    offset: 0,
                };
                stage.fold(&activity, "Management", at, &mut batch)
            };
            stage.set_derived(&mut slots);
            stage.observe(&slots, row, &mut batch);
        }
        let one = start.elapsed();
        let start = Instant::now();
        let mut two = StageTwo::default().with_correlations(ready, None);
        two.accept(batch);
        let folded = two.finish(&rules, &matcher, &fields, &snapshot, &[]);
        println!(
            "{rows} activities, {} correlations: stage one {:.2} s, stage two {:.2} s, {} findings",
            if with { correlations.len() } else { 0 },
            one.as_secs_f64(),
            start.elapsed().as_secs_f64(),
            folded.findings.len()
        );
    }
}
