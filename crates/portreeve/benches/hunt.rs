//! How fast `hunt` is, and how much memory it takes, beside what the same machine can do at best:
//! `cargo bench -p portreeve --bench hunt`.
//!
//! The load is `../shared/bench/cloudtrail_gen.py` with a million records, and the public rules of
//! `../shared/rules`; without them nothing is measured. Each figure is the median of three runs, after
//! one to warm up, of the whole program, start and compiling of rules included. Measured beside, in the
//! same run: finding line ends, taking one field out of each record, checking each record whole, and
//! building a tree of each; and, beside two threads, two programs at once.
//!
//! A peer is run in between where `PORTREEVE_PEERS` names commands, separated by `;`, in which `RULES`
//! stands for the folder of the 56 rules, `CORRELATIONS` for the file of the three correlations, and `LOG` for
//! the log. rsigma's command, its library on one thread, and its command with the correlations:
//! ```text
//! cargo build --release --manifest-path peers/rsigma/Cargo.toml
//! PORTREEVE_PEERS='rsigma engine eval -r RULES -e @LOG;peers/rsigma/target/release/rsigma-library RULES LOG;\
//!     rsigma engine eval -r CORRELATIONS -e @LOG'
//! ```
//! A path to a peer is one from the folder in which `cargo bench` runs the benchmark, or an absolute one.
#![allow(clippy::print_stdout)]

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portreeve_record::{Extractor, Fields, SlotBuffer};

const RECORDS: &str = "1000000";
const RUNS: usize = 3;
/// A line as long as this has to go through little memory.
const LONG_LINE: u64 = 2 << 30;

/// Nearly every record feeds each of three correlations.
const CORRELATIONS: &str = "\
title: Any call
name: any_call
logsource: {product: aws}
detection:
  selection: {eventVersion: '1.09'}
  condition: selection
---
title: Calls of an account
correlation: {type: event_count, rules: [any_call], group-by: [recipientAccountId], timespan: 1h, condition: {gte: 100000}}
---
title: Different calls of an address
correlation: {type: value_count, rules: [any_call], group-by: [sourceIPAddress], timespan: 1h, condition: {field: eventName, gte: 1000}}
---
title: Calls of a principal
correlation: {type: event_count, rules: [any_call], group-by: [userIdentity.arn], timespan: 1h, condition: {gte: 100000}}
";

fn main() {
    let Some(load) = Load::find() else {
        return;
    };
    let size = load.log.metadata().expect("the log is there").len();
    println!(
        "input: cloudtrail_gen.py {RECORDS}, seed 7, {:.0} MB",
        mega(size)
    );
    limits(&load.log);
    let few = load.few.as_os_str();
    let one = hunt(few, &["--threads", "1"], &load.log);
    one.print("56 AWS rules, one thread", size, None);
    let peers = std::env::var("PORTREEVE_PEERS").unwrap_or_default();
    let (correlating, matching): (Vec<&str>, Vec<&str>) = peers
        .split(';')
        .partition(|peer| peer.contains("CORRELATIONS"));
    for peer in matching {
        run_peer(peer, &load, size, &one);
    }
    let cloud = hunt(load.cloud.as_os_str(), &["--threads", "1"], &load.log);
    cloud.print("297 cloud rules, one thread", size, Some(&one));
    let all = hunt(load.all.as_os_str(), &["--threads", "1"], &load.log);
    all.print("all public rules, one thread", size, Some(&one));
    let any = hunt(
        load.all.as_os_str(),
        &["--threads", "1", "--any-source"],
        &load.log,
    );
    any.print(
        "all public rules asked about every record, one thread",
        size,
        Some(&one),
    );
    two_threads(&load, size);
    let correlated = hunt(
        load.correlations.as_os_str(),
        &["--threads", "1"],
        &load.log,
    );
    correlated.print(
        "three correlations that nearly every record feeds, one thread",
        size,
        Some(&one),
    );
    for peer in correlating {
        run_peer(peer, &load, size, &correlated);
    }
    long_line(&load);
}

/// The log and the folders of rules.
struct Load {
    log: PathBuf,
    few: PathBuf,
    cloud: PathBuf,
    all: PathBuf,
    correlations: PathBuf,
}

impl Load {
    fn find() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let generator = root.join("../shared/bench/cloudtrail_gen.py");
        let rules = root.join("../shared/rules");
        if !generator.is_file() || !rules.join("aws56.txt").is_file() {
            println!("skipped: the generator and the public rules are not present");
            return None;
        }
        let log = match std::env::var_os("PORTREEVE_BENCH_LOG") {
            Some(log) => log.into(),
            None => generated(&generator),
        };
        let correlations = target().join("benchmark-correlations.yml");
        std::fs::write(&correlations, CORRELATIONS).expect("a file can be written");
        Some(Self {
            log,
            few: folder(&rules, "aws56.txt"),
            cloud: folder(&rules, "cloud297.txt"),
            all: rules.join("sigmahq"),
            correlations,
        })
    }
}

fn generated(generator: &Path) -> PathBuf {
    let log = target().join("benchmark-cloudtrail.ndjson");
    if !log.is_file() {
        let status = Command::new("python3")
            .arg(generator)
            .arg(RECORDS)
            .arg(&log)
            .arg(target().join("benchmark-labels.tsv"))
            .arg("7")
            .status()
            .expect("python3 runs the generator");
        assert!(status.success());
    }
    log
}

/// A folder of the rules that a list names.
fn folder(rules: &Path, list: &str) -> PathBuf {
    let folder = target().join(format!("benchmark-{list}"));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let names = std::fs::read_to_string(rules.join(list)).expect("the list can be read");
    for name in names.lines() {
        let file = Path::new(name).file_name().expect("the list names files");
        std::fs::copy(rules.join("sigmahq").join(name), folder.join(file))
            .expect("a rule can be copied");
    }
    folder
}

/// What reading alone costs, on one thread.
fn limits(log: &Path) {
    let measure = |what: &str, take: &mut dyn FnMut(&[u8]) -> usize| {
        let start = Instant::now();
        let mut bytes = 0u64;
        let mut count = 0;
        let mut file = std::fs::File::open(log).expect("the log can be read");
        let mut block = Vec::new();
        loop {
            let read = (&mut file)
                .take(4 << 20)
                .read_to_end(&mut block)
                .expect("the log can be read");
            let end = memchr::memrchr(b'\n', &block).map_or(0, |end| end + 1);
            count += take(&block[..end]);
            bytes += read as u64;
            block.drain(..end);
            if read == 0 {
                break;
            }
        }
        std::hint::black_box(count);
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "limit, {what}: {seconds:.2} s, {:.0} MB/s",
            mega(bytes) / seconds
        );
    };
    measure("finding line ends", &mut |block| {
        memchr::memchr_iter(b'\n', block).count()
    });
    let finder = memchr::memmem::Finder::new("\"eventName\":\"");
    measure("one field of each record", &mut |block| {
        finder
            .find_iter(block)
            .filter(|at| memchr::memchr(b'"', &block[at + 13..]).is_some())
            .count()
    });
    let extractor = Extractor::new(&Fields::default());
    let mut buffer = SlotBuffer::new();
    measure("checking each record whole", &mut |block| {
        lines(block)
            .filter(|line| extractor.extract(line, &mut buffer).is_ok())
            .count()
    });
    measure("a tree of each record", &mut |block| {
        lines(block)
            .filter(|line| serde_json::from_slice::<serde_json::Value>(line).is_ok())
            .count()
    });
}

fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
}

struct Run {
    wall: Duration,
    /// On all processors; not known everywhere.
    processor: Option<Duration>,
    peak: Option<u64>,
    records: u64,
    matches: u64,
}

impl Run {
    fn print(&self, what: &str, size: u64, than: Option<&Run>) {
        let seconds = self.wall.as_secs_f64();
        let processor = self.processor.map_or(String::new(), |time| {
            format!(
                ", {:.2} s of processor ({:.0} MB/s)",
                time.as_secs_f64(),
                mega(size) / time.as_secs_f64()
            )
        });
        let peak = self.peak.map_or(String::new(), |peak| {
            format!(", peak memory {:.0} MB", mega(peak))
        });
        let ratio = than.map_or(String::new(), |than| {
            format!(
                ", {:.2} times as long as 56 rules on one thread",
                seconds / than.wall.as_secs_f64()
            )
        });
        println!(
            "hunt, {what}: {seconds:.2} s, {:.0} MB/s, {:.0} records/s{processor}{peak}, {} matches{ratio}",
            mega(size) / seconds,
            self.records as f64 / seconds,
            self.matches,
        );
    }
}

fn hunt(rules: &OsStr, arguments: &[&str], log: &Path) -> Run {
    let runs = (0..=RUNS).map(|_| hunt_once(rules, arguments, log, "benchmark-hunt.txt"));
    median(runs.skip(1).collect())
}

/// The one in the middle, by time.
fn median(mut runs: Vec<Run>) -> Run {
    runs.sort_by_key(|run| run.wall);
    runs.swap_remove(runs.len() / 2)
}

/// One run, with a report of that name.
fn hunt_once(rules: &OsStr, arguments: &[&str], log: &Path, report: &str) -> Run {
    let report = target().join(report);
    let mut command = Command::new(env!("CARGO_BIN_EXE_portreeve"));
    command
        .args(["hunt", "--format", "table", "--all", "-r"])
        .arg(rules)
        .args(arguments);
    command
        .arg("--output")
        .arg(&report)
        .arg(log)
        .stderr(Stdio::null());
    let (wall, processor, peak) = watched(&mut command);
    let text = std::fs::read_to_string(&report).expect("there is a report");
    let (matches, records) = figures(&text);
    Run {
        wall,
        processor,
        peak,
        records,
        matches,
    }
}

/// What a second thread gains, beside what a second program gains, which shares nothing with the first: more
/// the processors do not give. One after the other in each round, for what else goes on changes by the minute.
fn two_threads(load: &Load, size: u64) {
    let run = |threads: &str, report: &str| {
        hunt_once(
            load.few.as_os_str(),
            &["--threads", threads],
            &load.log,
            report,
        )
    };
    let mut rounds: [Vec<Run>; 3] = Default::default();
    for round in 0..=RUNS {
        let [first, second, third] = &mut rounds;
        let one = run("1", "benchmark-hunt.txt");
        let two = run("2", "benchmark-hunt.txt");
        let both = std::thread::scope(|scope| {
            let reports = ["benchmark-hunt.txt", "benchmark-hunt-2.txt"];
            let programs = reports.map(|report| scope.spawn(move || run("1", report)));
            let runs = programs.map(|program| program.join().expect("the program ends"));
            runs.into_iter()
                .max_by_key(|run| run.wall)
                .expect("two ran")
        });
        if round > 0 {
            first.push(one);
            second.push(two);
            third.push(both);
        }
    }
    let [one, two, both] = rounds.map(median);
    two.print("56 AWS rules, two threads", size, Some(&one));
    let gain = |times: f64, run: &Run| times * one.wall.as_secs_f64() / run.wall.as_secs_f64();
    println!(
        "two threads are {:.2} times as fast as one; two programs at once, {:.2} s, do {:.2} times the work of one",
        gain(1.0, &two),
        both.wall.as_secs_f64(),
        gain(2.0, &both),
    );
}

/// Matches and records that a report tells of.
fn figures(report: &str) -> (u64, u64) {
    let number = |word: &str| {
        let line = report.lines().find(|line| line.contains(word))?;
        let before = line.split(word).next()?.split_whitespace().next_back()?;
        before.replace(',', "").parse().ok()
    };
    (
        number(" match").unwrap_or(0),
        number(" records, ").unwrap_or(0),
    )
}

/// Runs a command to its end, and looks at it as it goes.
fn watched(command: &mut Command) -> (Duration, Option<Duration>, Option<u64>) {
    let start = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let (mut processor, mut peak) = (None, None);
    loop {
        processor = processor_time(child.id()).or(processor);
        peak = peak_memory(child.id()).or(peak);
        if let Some(status) = child.try_wait().expect("the program can be waited for") {
            assert!(status.success(), "{command:?} failed: {status}");
            return (start.elapsed(), processor, peak);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a process has had of the processors, as Linux tells it, in hundredths of a second.
fn processor_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Duration::from_millis((user + system) * 10)).filter(|time| !time.is_zero())
}

fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn run_peer(peer: &str, load: &Load, size: u64, ours: &Run) {
    let words: Vec<String> = peer
        .split_whitespace()
        .map(|word| {
            word.replace("CORRELATIONS", &load.correlations.to_string_lossy())
                .replace("RULES", &load.few.to_string_lossy())
                .replace("LOG", &load.log.to_string_lossy())
        })
        .collect();
    let Some((program, arguments)) = words.split_first() else {
        return;
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let (wall, processor, peak) = watched(&mut command);
    let seconds = wall.as_secs_f64();
    println!(
        "peer, {peer}: {seconds:.2} s, {:.0} MB/s{}{}; hunt is {:.1} times as fast",
        mega(size) / seconds,
        processor.map_or(String::new(), |time| format!(
            ", {:.2} s of processor",
            time.as_secs_f64()
        )),
        peak.map_or(String::new(), |peak| format!(
            ", peak memory {:.0} MB",
            mega(peak)
        )),
        seconds / ours.wall.as_secs_f64(),
    );
}

/// A single line of two gibibytes on standard input: one array of records.
fn long_line(load: &Load) {
    let mut sample = Vec::new();
    let file = std::fs::File::open(&load.log).expect("the log can be read");
    file.take(8 << 20)
        .read_to_end(&mut sample)
        .expect("the log can be read");
    let records: Vec<&[u8]> = lines(&sample).collect();
    let records = &records[..records.len() - 1];
    let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args(["hunt", "--threads", "1", "-", "-r"])
        .arg(&load.few)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let start = Instant::now();
    let mut input = child.stdin.take().expect("it has an input");
    let mut written = 0;
    let mut peak = None;
    let mut put = |bytes: &[u8]| {
        written += bytes.len() as u64;
        input.write_all(bytes).expect("the program reads");
        written
    };
    put(b"{\"Records\":[");
    'writing: loop {
        for record in records {
            if put(record) > LONG_LINE {
                break 'writing;
            }
            put(b",");
        }
        peak = peak_memory(child.id()).or(peak);
    }
    put(b"]}");
    drop(input);
    assert!(child.wait().expect("it ends").success());
    println!(
        "hunt, one line of {:.0} MB on standard input: {:.0} MB/s, peak memory {:.0} MB",
        mega(written),
        mega(written) / start.elapsed().as_secs_f64(),
        mega(peak.unwrap_or_default()),
    );
}

/// A place for large files that is not committed and not searched by tests.
fn target() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_BIN_EXE_portreeve"));
    path.pop();
    path
}

fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
