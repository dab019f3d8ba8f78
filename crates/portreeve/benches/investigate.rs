//! How fast `investigate` is, and how much memory it takes, on about a million CloudTrail records:
//! `cargo xtask bench`.
//!
//! The whole program is run, on one thread, once to warm up and three times counted; the median is
//! printed. Of a single file it is printed beside a limit measured in the same run: the time to find
//! the line ends of that file.
//!
//! Three loads: `../shared/bench/cloudtrail_gen.py`, where it is present, in which nearly every record
//! has a key, an address and a target of its own, and a hundredth gives an incident; and a simulated
//! organisation with its inventory and its networks, as CloudTrail delivers it and decompressed.
#![allow(clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RECORDS: &str = "1000000";
const RUNS: usize = 3;

fn main() {
    let loads = [generated(), Some(simulated()), Some(decompressed())];
    for (input, what) in loads.into_iter().flatten() {
        measure(&input, what);
    }
}

fn measure(input: &Path, what: &str) {
    println!("input: {what}, {:.0} MB on disk", megabytes(size(input)));
    let limit = line_ends(input);
    let mut runs: Vec<Run> = (0..=RUNS).map(|_| run(input)).skip(1).collect();
    runs.sort_by_key(|run| run.time);
    let median = &runs[RUNS / 2];
    let seconds = median.time.as_secs_f64();
    println!(
        "investigate, one thread: {:.2} s (from {:.2} to {:.2}), {} records, {:.0} records/s, {:.0} MB/s, peak memory {}",
        seconds,
        runs[0].time.as_secs_f64(),
        runs[RUNS - 1].time.as_secs_f64(),
        median.records,
        median.records as f64 / seconds,
        megabytes(median.bytes) / seconds,
        median
            .peak
            .map_or("not known on this system".to_owned(), |peak| format!(
                "{:.0} MB",
                megabytes(peak)
            )),
    );
    if let Some(limit) = limit {
        println!(
            "limit, finding line ends: {:.2} s; investigate takes {:.1} times as long",
            limit.as_secs_f64(),
            seconds / limit.as_secs_f64()
        );
    }
}

struct Run {
    time: Duration,
    records: u64,
    bytes: u64,
    peak: Option<u64>,
}

/// One run of the program, with its own count of records and decompressed bytes.
fn run(input: &Path) -> Run {
    let folder = target();
    let report = folder.join("benchmark-report.json");
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args([
            "investigate",
            "--threads",
            "1",
            "--format",
            "json",
            "--output",
        ])
        .arg(&report)
        .arg(input)
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut peak = None;
    let time = loop {
        peak = peak_memory(child.id()).or(peak);
        match child.try_wait().expect("the program can be waited for") {
            Some(status) => {
                assert!(status.success(), "investigate failed: {status}");
                break start.elapsed();
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let file = std::fs::File::open(&report).expect("there is a report");
    let report: serde_json::Value =
        serde_json::from_reader(BufReader::new(file)).expect("the report is JSON");
    let figure = |name: &str| {
        report["summary"][name]
            .as_u64()
            .expect("the summary has figures")
    };
    Run {
        time,
        records: figure("records"),
        bytes: figure("bytes"),
        peak,
    }
}

/// The most memory that a process has had, as Linux tells it.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn line_ends(input: &Path) -> Option<Duration> {
    if input.is_dir() {
        return None;
    }
    let start = Instant::now();
    let mut reader = BufReader::with_capacity(1 << 20, std::fs::File::open(input).ok()?);
    let mut lines = 0;
    loop {
        let block = reader.fill_buf().ok()?;
        if block.is_empty() {
            break;
        }
        lines += memchr::memchr_iter(b'\n', block).count();
        let length = block.len();
        reader.consume(length);
    }
    std::hint::black_box(lines);
    Some(start.elapsed())
}

fn generated() -> Option<(PathBuf, &'static str)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let generator = root.join("../shared/bench/cloudtrail_gen.py");
    if !generator.is_file() {
        println!("skipped: cloudtrail_gen.py is not present");
        return None;
    }
    let records = target().join("benchmark-cloudtrail.ndjson");
    if !records.is_file() {
        let status = Command::new("python3")
            .arg(&generator)
            .arg(RECORDS)
            .arg(&records)
            .arg(target().join("benchmark-labels.tsv"))
            .arg("7")
            .status()
            .expect("python3 runs the generator");
        assert!(status.success());
    }
    Some((records, "cloudtrail_gen.py 1000000, seed 7"))
}

/// With 25 times the ordinary background, which makes about a million records.
fn simulated() -> (PathBuf, &'static str) {
    let folder = target().join("benchmark-organisation");
    if !folder.is_dir() {
        let status = Command::new(env!("CARGO_BIN_EXE_portreeve"))
            .args(["simulate", "--seed", "5", "--scale", "25", "--max-records"])
            .args(["1200000", "--out"])
            .arg(&folder)
            .stderr(Stdio::null())
            .status()
            .expect("the simulator starts");
        assert!(status.success());
    }
    (
        folder,
        "a simulated organisation, as CloudTrail delivers it",
    )
}

fn decompressed() -> (PathBuf, &'static str) {
    let folder = target().join("benchmark-organisation-decompressed");
    if !folder.is_dir() {
        decompress(&simulated().0, &folder);
    }
    (folder, "the same, decompressed")
}

fn decompress(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder can be read") {
        let from = entry.expect("an entry").path();
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() {
            decompress(&from, &to);
        } else if from.extension().is_some_and(|end| end == "gz") {
            let compressed = std::fs::File::open(&from).expect("the file can be read");
            let mut to = std::fs::File::create(to.with_extension("")).expect("a file can be made");
            let mut plain = flate2::read::MultiGzDecoder::new(compressed);
            std::io::copy(&mut plain, &mut to).expect("it can be decompressed");
        } else {
            std::fs::copy(&from, &to).expect("the file can be copied");
        }
    }
}

/// A place for large files that is not committed and not searched by tests.
fn target() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_BIN_EXE_portreeve"));
    path.pop();
    path
}

fn size(path: &Path) -> u64 {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).expect("the folder can be read");
        entries
            .map(|entry| size(&entry.expect("an entry").path()))
            .sum()
    } else {
        path.metadata().map_or(0, |metadata| metadata.len())
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
