//! The watch under a steady load: how long a record takes from its arrival to the finding that it makes,
//! what memory does meanwhile, and how long a burst is felt.
//!
//! In the gate this is a few seconds of a small load. `cargo xtask soak watch` runs it at length:
//! `PORTREEVE_SOAK_RATE` records a second for `PORTREEVE_SOAK_MINUTES`, while `PORTREEVE_SOAK_HOLD` records
//! are held.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portreeve_engine::serve::{
    Board, DataFolder, Intake, Keep, Pace, Refusal, Segments, Watch, WatchRequest,
};
use portreeve_engine::{Config, Silent, built_in_correlations, built_in_rules};
use portreeve_simulate::{Intrusion, Plan, Sink, Written, simulate};
use portreeve_store::{Sqlite, Store};

/// The program's own allocator, or its memory would not be what is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often records are brought.
const TICK: Duration = Duration::from_millis(50);
/// How often one comes that is known to make a finding.
const PROBE: Duration = Duration::from_secs(1);
/// A burst is so many times the load.
const BURST: u64 = 10;

/// A record of the simulation, whose time and id are to be filled in.
struct Template {
    parts: [String; 3],
    time_comes_first: bool,
}

impl Template {
    fn new(record: &serde_json::Value) -> Option<Self> {
        let text = record.to_string();
        let place = |name: &str| {
            let value = format!("\"{name}\":\"{}\"", record[name].as_str()?);
            let at = text.find(&value)? + name.len() + 4;
            Some((at, at + record[name].as_str()?.len()))
        };
        let (time, id) = (place("eventTime")?, place("eventID")?);
        let time_comes_first = time.0 < id.0;
        let (one, two) = if time_comes_first {
            (time, id)
        } else {
            (id, time)
        };
        Some(Self {
            parts: [
                text[..one.0].to_owned(),
                text[one.1..two.0].to_owned(),
                text[two.1..].to_owned(),
            ],
            time_comes_first,
        })
    }

    fn write(&self, time: &str, id: u64, out: &mut String) {
        let id = format!("00000000-0000-4000-8000-{id:012x}");
        let (one, two) = match self.time_comes_first {
            true => (time, id.as_str()),
            false => (id.as_str(), time),
        };
        let [before, between, behind] = &self.parts;
        for part in [before, one, between, two, behind, "\n"] {
            out.push_str(part);
        }
    }
}

/// The inventory goes to a folder, records stay in memory.
struct Gathered<'g> {
    folder: &'g Path,
    templates: Vec<Template>,
}

impl Sink for Gathered<'_> {
    fn estate(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap())?;
        fs::write(path, bytes)
    }

    fn log(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        if path.contains("CloudTrail-Digest") {
            return Ok(());
        }
        let mut text = String::new();
        flate2::read::GzDecoder::new(bytes).read_to_string(&mut text)?;
        let document: serde_json::Value = serde_json::from_str(&text)?;
        let records = document["Records"].as_array().unwrap();
        self.templates
            .extend(records.iter().filter_map(Template::new));
        Ok(())
    }

    fn wallets(&mut self, _: Timestamp, _: &str, _: &Written) -> io::Result<()> {
        Ok(())
    }

    fn label(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

/// A key pair made by a user that is seen once: a finding of its own.
fn probe(number: u64, time: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.09","eventSource":"ec2.amazonaws.com","eventName":"CreateKeyPair","eventTime":"{time}","eventID":"00000000-0000-4000-9000-{number:012x}","awsRegion":"eu-central-1","sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.15.0","recipientAccountId":"111122223333","requestParameters":{{"keyName":"probe"}},"userIdentity":{{"type":"IAMUser","userName":"probe-{number}","principalId":"AIDA{number:012}","arn":"arn:aws:iam::111122223333:user/probe-{number}","accountId":"111122223333","accessKeyId":"AKIA{number:016}"}}}}"#
    ) + "\n"
}

/// What brings records, and how it goes.
struct Load {
    intake: Intake,
    board: Arc<Board>,
    templates: Vec<Template>,
    brought: u64,
    refused: u64,
    probes: u64,
    waiting: BTreeMap<u64, Instant>,
    took: Vec<(Instant, Duration)>,
    next_probe: Instant,
    revision: u64,
}

impl Load {
    /// Brings so many records as one piece; tries again where more waits than is taken in.
    fn bring(&mut self, records: u64) {
        let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut body = String::new();
        for number in self.brought..self.brought + records {
            let template = &self.templates[number as usize % self.templates.len()];
            template.write(&time, number, &mut body);
        }
        self.brought += records;
        let arrived = Instant::now();
        if arrived >= self.next_probe {
            self.next_probe = arrived + PROBE;
            body.push_str(&probe(self.probes, &time));
            self.waiting.insert(self.probes, arrived);
            self.probes += 1;
            self.brought += 1;
        }
        while let Err(refusal) = self.intake.offer("soak", body.as_bytes()) {
            assert_eq!(refusal, Refusal::Busy);
            self.refused += 1;
            std::thread::sleep(Duration::from_millis(5));
            self.look();
        }
    }

    /// Looks which probes have become findings.
    fn look(&mut self) {
        let Some(shown) = self.board.shown().filter(|it| it.revision > self.revision) else {
            return;
        };
        self.revision = shown.revision;
        let now = Instant::now();
        for finding in &shown.report.findings {
            let number = finding
                .actor
                .rsplit_once("/probe-")
                .map(|(_, number)| number);
            if let Some(number) = number.and_then(|number| number.parse::<u64>().ok())
                && let Some(arrived) = self.waiting.remove(&number)
            {
                self.took.push((arrived, now - arrived));
            }
        }
    }

    /// Brings a load for a while, and calls back every so often.
    fn steadily(&mut self, rate: u64, time: Duration, mut each: impl FnMut(&Self)) {
        let (start, mut given) = (Instant::now(), 0);
        let mut told = start;
        while start.elapsed() < time {
            let due = (start.elapsed().as_secs_f64() * rate as f64) as u64;
            if due > given {
                self.bring(due - given);
                given = due;
            }
            let until = Instant::now() + TICK;
            while Instant::now() < until {
                self.look();
                std::thread::sleep(Duration::from_millis(5));
            }
            if told.elapsed() >= Duration::from_secs(10) {
                told = Instant::now();
                each(self);
            }
        }
    }

    /// How long those took that came in a stretch of time: median, of a hundred the 99th, longest.
    fn took(&self, from: Instant, until: Instant) -> [Duration; 3] {
        let of_time = self
            .took
            .iter()
            .filter(|(at, _)| (from..until).contains(at));
        let mut took: Vec<Duration> = of_time.map(|(_, took)| *took).collect();
        took.sort();
        let at = |share: usize| took.get((took.len() * share).div_ceil(100).saturating_sub(1));
        [50, 99, 100].map(|share| at(share).copied().unwrap_or_default())
    }
}

/// Seconds of processor time that this process has taken, what brings the load too; 0 where the system does
/// not tell.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the process, which may hold blanks, ends with the last bracket.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    // Linux counts a hundred of them a second on every machine that this runs on.
    ticks.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Memory of this process in megabytes; 0 where the system does not tell.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1_024
}

fn set(name: &str, usual: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(usual, |value| value.parse().expect("a whole number"))
}

#[test]
fn a_steady_load_is_found_in_time_and_in_bounded_memory() {
    let is_short = std::env::var("PORTREEVE_SOAK_MINUTES").is_err();
    let rate = set("PORTREEVE_SOAK_RATE", 400);
    let hold = set("PORTREEVE_SOAK_HOLD", 1_000) as usize;
    let time = match is_short {
        true => Duration::from_secs(8),
        false => Duration::from_secs(60 * set("PORTREEVE_SOAK_MINUTES", 1)),
    };
    let folder = tempfile::tempdir().unwrap();
    let inventory = folder.path().join("inventory");
    let mut gathered = Gathered {
        folder: &inventory,
        templates: Vec::new(),
    };
    let plan = Plan {
        days: if is_short { 1 } else { 14 },
        max_records: if is_short { 1_000 } else { 200_000 },
        intrusion: Intrusion::None,
        ..Plan::default()
    };
    simulate(&plan, &mut gathered).unwrap();
    let data = DataFolder::take(folder.path().join("data")).unwrap();
    let store = Sqlite::open(&data.database()).unwrap();
    let log = Segments::open(&data.log(), store.segments().unwrap()).unwrap();
    let mut rules = built_in_rules();
    rules.extend(built_in_correlations());
    let board = Arc::<Board>::default();
    let templates = gathered.templates;
    let request = WatchRequest {
        paths: vec![inventory],
        config: Config::default(),
        skip: Vec::new(),
        rules,
        signs: Vec::new(),
        pace: Pace::default(),
        hold,
        keep: Keep::default(),
    };
    let watch = Watch::begin(
        request,
        Box::new(store),
        Box::new(log),
        board.clone(),
        &Silent,
    )
    .unwrap();
    let (intake, stop) = (watch.intake(), watch.stopper());
    let running = std::thread::spawn(move || watch.run());
    let mut load = Load {
        intake,
        board: board.clone(),
        templates,
        brought: 0,
        refused: 0,
        probes: 0,
        waiting: BTreeMap::new(),
        took: Vec::new(),
        next_probe: Instant::now(),
        revision: 0,
    };

    println!("{rate} records a second for {time:?}, {hold} held");
    let mut memories = Vec::new();
    let mut minutes = vec![memory()];
    let begin = Instant::now();
    let processor_before = processor();
    load.steadily(rate, time, |load| {
        let (figures, memory) = (board.figures(), memory());
        memories.push(memory);
        let minute = (begin.elapsed().as_secs() / 60) as usize;
        minutes.resize(minutes.len().max(minute + 1), 0);
        minutes[minute] = minutes[minute].max(memory);
        let [median, most, _] = load.took(Instant::now() - Duration::from_secs(10), Instant::now());
        println!(
            "{:>5} s  {:>10} records  {memory:>5} MB  {:>8} held  fold {:.3} s  late {}  to a finding: \
             median {median:?}, 99 % {most:?}",
            begin.elapsed().as_secs(),
            figures.records,
            figures.rows,
            figures.last_fold_seconds,
            figures.late,
        );
    });
    let steady = Instant::now();
    let brought = load.brought;
    let processor = processor() - processor_before;
    let figures = board.figures();
    let within = |bound: Option<u64>| bound.map_or("none".to_owned(), |it| format!("{it} ms"));
    let steady_shares = [
        figures.judged_of(500),
        figures.judged_of(990),
        figures.latency_of(500),
        figures.latency_of(990),
    ]
    .map(within);
    let steady_folds = (figures.folds, figures.fold_seconds);

    // A burst: as fast as it is taken in.
    let burst = Duration::from_secs(if is_short { 1 } else { 10 });
    load.steadily(rate * BURST, burst, |_| ());
    let burst_ended = Instant::now();
    let usual = load.took(begin, steady)[1].max(Duration::from_secs(1));
    // Recovered when what arrives is found again as fast as before.
    let recovered = loop {
        let from = Instant::now();
        load.steadily(rate, Duration::from_secs(2), |_| ());
        let found = load.took(from, Instant::now());
        let oldest = load.waiting.values().next();
        let is_fast = oldest.is_none_or(|arrived| arrived.elapsed() < usual * 2);
        if is_fast && found[2] <= usual * 2 && found[2] > Duration::ZERO {
            break from - burst_ended;
        }
        assert!(
            burst_ended.elapsed() < Duration::from_secs(300),
            "not recovered: {:?}",
            board.figures()
        );
    };
    let wait = Instant::now();
    while !load.waiting.is_empty() || board.figures().records < load.brought {
        assert!(
            wait.elapsed() < Duration::from_secs(300),
            "{:?}",
            board.figures()
        );
        load.look();
        std::thread::sleep(Duration::from_millis(20));
    }
    stop.stop();
    running.join().unwrap().unwrap();

    let [median, most, longest] = load.took(begin, steady);
    let figures = board.figures();
    println!("most memory in each minute, MB: {minutes:?}");
    println!(
        "from arrival to finding, {} probes: median {median:?}, 99 % {most:?}, longest {longest:?}",
        load.probes
    );
    let [judged, judged_most, all, all_most] = steady_shares;
    println!(
        "from arrival to the commit that keeps a record: half within {judged}, 99 % within {judged_most}; \
         until all that follows was stored, correlations and incidents too: {all}, {all_most}"
    );
    println!(
        "steady: {brought} records in {:?}, {:.1} microseconds of processor time each with what brings them; \
         {} folds, {:.3} s each",
        steady - begin,
        processor * 1e6 / brought as f64,
        steady_folds.0,
        steady_folds.1 / steady_folds.0.max(1) as f64,
    );
    println!(
        "burst of {BURST} times for {burst:?}: {} records, recovered after {recovered:?}; told to wait {} times",
        load.brought - brought,
        load.refused
    );
    println!(
        "{} records held, {} late; memory {} MB",
        figures.rows,
        figures.late,
        memory()
    );
    assert_eq!(figures.records, load.brought, "every record, and each once");
    assert!(figures.sealed_until.is_some(), "the bound was reached");
    assert!(
        load.took.len() as u64 == load.probes,
        "every probe made a finding"
    );
    assert!(
        is_short || most < Duration::from_secs(1),
        "99 of 100 are to be found within a second: {most:?}"
    );
    // Flat: no more at the end than after a third of the time, but for what findings take.
    if let [.., last] = memories.as_slice()
        && memories.len() >= 9
    {
        let third = memories[memories.len() / 3];
        let is_flat = *last <= third + third / 5;
        println!("memory after a third {third} MB, in the end {last} MB: flat {is_flat}");
        assert!(is_flat, "memory grew from {third} to {last} MB");
    }
}
