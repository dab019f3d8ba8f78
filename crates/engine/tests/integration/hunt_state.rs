//! A hunt that is stopped anywhere and resumed gives the output of one that was not stopped.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portreeve_detect::hunt::{Known, Match};
use portreeve_engine::{
    Chosen, ContentFile, HuntError, HuntRequest, HuntRules, HuntSink, HuntState, Hunted,
    Placeholders, Silent, hunt,
};
use proptest::prelude::*;

const RULES: &str = "\
title: Something was deleted
logsource: {product: test}
detection: {s: {action|startswith: Delete}, condition: s}
---
title: Anything
name: anything
logsource: {product: test}
detection: {s: {action|exists: true}, condition: s}
---
title: Reading
name: reading
logsource: {product: test}
detection: {s: {action: Read}, condition: s}
---
title: Many calls of a user
correlation: {type: event_count, rules: [anything], group-by: [user], timespan: 5m, condition: {gte: 20}}
---
title: Many actions of a user
correlation: {type: value_count, rules: [anything], group-by: [user], timespan: 10m, condition: {field: action, gte: 4}}
---
title: Reading again and again
name: again
correlation: {type: temporal_ordered, rules: [reading, anything], group-by: [user, host], timespan: 1m}
---
title: Much of that
correlation: {type: event_count, rules: [again], group-by: [host], timespan: 1h, condition: {gte: 30}}
";

fn rules() -> HuntRules {
    let file = ContentFile {
        name: "rules.yml".into(),
        text: RULES.into(),
    };
    let rules = HuntRules::parse(&[file], &Chosen::default());
    assert!(rules.diagnostics.is_empty(), "{:?}", rules.diagnostics);
    rules
}

/// Writes what was found down, and asks the hunt to stop after so many matches.
struct Lines {
    lines: Vec<String>,
    stop: Arc<AtomicBool>,
    after: usize,
}

impl HuntSink for Lines {
    fn found(&mut self, found: &Match, known: &Known) -> std::io::Result<()> {
        let title = known.head(found).map(|head| &head.title);
        let places: Vec<_> = found
            .records
            .iter()
            .map(|place| (known.file(place), place.index, place.offset))
            .collect();
        self.lines.push(format!(
            "{title:?} {places:?} {:?} {:?} {:?}",
            found.time, found.group, found.number
        ));
        if self.lines.len() == self.after {
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn run(
    paths: &[PathBuf],
    threads: usize,
    state: Option<HuntState>,
    after: usize,
) -> (Vec<String>, Hunted) {
    let stop = Arc::new(AtomicBool::new(false));
    let request = HuntRequest {
        paths: paths.to_vec(),
        rules: rules(),
        placeholders: Placeholders::new(),
        any_source: false,
        since: None,
        until: None,
        wanted: Vec::new(),
        sample: 1,
        threads,
        lateness: Duration::from_secs(3600),
        measured: false,
        state,
        stop: stop.clone(),
    };
    let mut sink = Lines {
        lines: Vec::new(),
        stop,
        after,
    };
    match hunt(&request, &mut sink, &Silent) {
        Ok(hunted) => (sink.lines, hunted),
        Err(error @ (HuntError::NothingReadable(_) | HuntError::State(_))) => panic!("{error}"),
        Err(HuntError::Output(error)) => panic!("{error}"),
    }
}

/// The state as another process would find it.
fn through_a_file(state: &HuntState, folder: &Path) -> HuntState {
    let path = folder.join("state");
    state.write(&path).unwrap();
    HuntState::read(&path).unwrap().unwrap()
}

/// Records in order of time but for a little, of a few hundred bytes up to some thousand.
fn records(count: usize, seed: u64, jitter: u64) -> Vec<String> {
    let mut state = seed;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..count)
        .map(|number| {
            let second = number as u64 * 2 + next(jitter + 1);
            let action = ["Read", "List", "Write", "DeleteThing", "Get"][next(5) as usize];
            format!(
                r#"{{"timestamp":"2026-03-03T{:02}:{:02}:{:02}Z","user":"u{}","host":"h{}","action":"{action}","id":"{number}","rest":"{}"}}"#,
                second / 3600 % 24,
                second / 60 % 60,
                second % 60,
                next(4),
                next(3),
                "x".repeat(next(4_000) as usize),
            )
        })
        .collect()
}

/// How a file holds its records.
#[derive(Clone, Copy, Debug)]
enum Form {
    Lines,
    Gzip,
    Array,
}

fn write(path: &Path, records: &[String], form: Form) {
    let text = match form {
        Form::Array => format!("[{}]", records.join(",")),
        _ => records.join("\n") + "\n",
    };
    match form {
        Form::Gzip => {
            let file = std::fs::File::create(path).unwrap();
            let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap();
        }
        _ => std::fs::write(path, text).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) })]

    #[test]
    fn stopped_and_resumed_is_as_not_stopped(
        forms in prop::collection::vec(
            (prop::sample::select(vec![Form::Lines, Form::Gzip, Form::Array]), 1..4_000usize), 1..4),
        stops in prop::collection::vec(1..3_000usize, 1..5),
        seed: u64,
        broken in any::<prop::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for (number, (form, count)) in forms.iter().enumerate() {
            let path = folder.path().join(format!("log{number}"));
            let mut records = records(*count, seed ^ number as u64, 300);
            if let Form::Lines = form {
                // What cannot be read is told once.
                let at = broken.index(records.len());
                records.insert(at, "{\"action\": broken".into());
            }
            write(&path, &records, *form);
            paths.push(path);
        }
        let (straight, whole) = run(&paths, 1, None, usize::MAX);
        for threads in [1, 2, 8] {
            let mut told = Vec::new();
            let (mut seen, mut dead) = (0, 0);
            let mut state = HuntState::default();
            let mut stops = stops.iter().copied();
            loop {
                let after = stops.next().unwrap_or(usize::MAX);
                let (lines, hunted) = run(&paths, threads, Some(state), after);
                told.extend(lines);
                seen += hunted.records;
                dead += hunted.dead_letters.len();
                state = through_a_file(&hunted.state.unwrap(), folder.path());
                if !hunted.stopped {
                    break;
                }
            }
            prop_assert_eq!(seen, whole.records);
            prop_assert_eq!(dead, whole.dead_letters.len());
            prop_assert!(told == straight, "{} threads tell otherwise", threads);
            // There is nothing new.
            let (lines, hunted) = run(&paths, threads, Some(state), usize::MAX);
            prop_assert!(lines.is_empty() && hunted.records == 0);
        }
    }

    #[test]
    fn a_log_that_grows_is_read_on_from_any_byte(
        count in 1..600usize,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        seed: u64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.json");
        let text = records(count, seed, 0).join("\n") + "\n";
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        // With less than a first object no file is told to be a log.
        ends.retain(|end| *end > 2);
        ends.sort_unstable();
        ends.push(text.len());
        std::fs::write(&path, &text).unwrap();
        let paths = [path.clone()];
        let (straight, _) = run(&paths, 1, None, usize::MAX);
        for threads in [1, 2, 8] {
            let mut state = HuntState::default();
            let (mut told, mut seen) = (Vec::new(), 0);
            for end in &ends {
                std::fs::write(&path, &text.as_bytes()[..*end]).unwrap();
                let (lines, hunted) = run(&paths, threads, Some(state), usize::MAX);
                prop_assert!(hunted.dead_letters.is_empty());
                told.extend(lines);
                seen += hunted.records;
                state = through_a_file(&hunted.state.unwrap(), folder.path());
            }
            prop_assert_eq!(seen, count as u64);
            // Correlations are told as soon as they hold, and once.
            let mut expected = straight.clone();
            expected.sort();
            told.sort();
            prop_assert_eq!(&told, &expected);
        }
    }
}

#[test]
fn files_that_come_later_continue_correlations() {
    let folder = tempfile::tempdir().unwrap();
    let all = records(200, 5, 0);
    let [first, second] =
        ["2026-03-03a.json", "2026-03-03b.json"].map(|name| folder.path().join(name));
    write(&first, &all[..100], Form::Lines);
    let paths = [folder.path().to_owned()];
    let (mut told, hunted) = run(&paths, 2, Some(HuntState::default()), usize::MAX);
    let state = hunted.state.unwrap();
    write(&second, &all[100..], Form::Gzip);
    let (more, hunted) = run(&paths, 2, Some(state), usize::MAX);
    assert_eq!(hunted.records, 100);
    told.extend(more);
    let (mut straight, _) = run(&paths, 1, None, usize::MAX);
    told.sort();
    straight.sort();
    assert_eq!(told, straight);
}

#[test]
fn a_file_that_became_another_is_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.json");
    write(&path, &records(30, 1, 0), Form::Lines);
    let paths = [path.clone()];
    let (_, hunted) = run(&paths, 1, Some(HuntState::default()), usize::MAX);
    write(&path, &records(40, 2, 0), Form::Lines);
    let (_, hunted) = run(&paths, 1, hunted.state, usize::MAX);
    assert_eq!(hunted.records, 40);
    assert!(
        hunted
            .notes
            .iter()
            .any(|note| note.contains("another file")),
        "{:?}",
        hunted.notes
    );
}
