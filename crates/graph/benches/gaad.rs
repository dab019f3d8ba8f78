//! How long a graph takes, how large it is and how right, on exports of generated accounts with
//! planted paths and decoys.
//!
//! `cargo bench -p portreeve-graph --bench gaad -- EXPORT.json LABELS.ndjson [EXPORT LABELS …]`
//!
//! Labels are lines of `{"source", "target", "technique", "reachable", "why"}`; the target `ADMIN`
//! means any administrator. Of several exports the growth is shown. The pairs for which a shortest
//! path is made are those of a principal and a crown jewel that it reaches.
#![allow(clippy::print_stdout)]

use std::time::Instant;
use std::{env, fs};

use portreeve_graph::{Catalogue, Graph, Inputs};
use portreeve_model::{EntityId, Estate};
use serde_json::Value;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many queries of each kind are timed.
const SAMPLE: usize = 200;

/// What one export comes to.
struct Figures {
    principals: usize,
    read: f64,
    build: f64,
    reach: f64,
    pairs: usize,
    blast: Spread,
    paths: Spread,
    peak: Option<f64>,
}

fn main() {
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let pairs = arguments.chunks_exact(2);
    if pairs.len() == 0 || !pairs.remainder().is_empty() {
        println!("skipped: name exports, each with its labels");
        return;
    }
    let catalogue = catalogue();
    let figures: Vec<Figures> = pairs
        .map(|pair| measure(&pair[0], &pair[1], &catalogue))
        .collect();
    if figures.len() > 1 {
        println!("\ngrowth");
        println!(
            "{:>10} {:>8} {:>8} {:>8} {:>16} {:>8} {:>12} {:>12} {:>10}",
            "principals",
            "read s",
            "build s",
            "reach s",
            "us a principal",
            "pairs",
            "blast max ms",
            "paths max ms",
            "peak MB"
        );
        for one in &figures {
            let all = one.read + one.build + one.reach;
            println!(
                "{:>10} {:>8.3} {:>8.3} {:>8.3} {:>16.1} {:>8} {:>12.2} {:>12.2} {:>10}",
                one.principals,
                one.read,
                one.build,
                one.reach,
                all * 1e6 / one.principals as f64,
                one.pairs,
                one.blast.most,
                one.paths.most,
                megabytes(one.peak),
            );
        }
    }
}

fn measure(export: &str, labels: &str, catalogue: &Catalogue) -> Figures {
    println!("\n{export}");
    let bytes = fs::read(export).expect("the export");
    let started_cpu = cpu();
    let started = Instant::now();
    let mut estate = Estate::default();
    portreeve_estate::read(export, &bytes, &mut estate);
    portreeve_estate::complete(&mut estate);
    estate.finish();
    let read = started.elapsed().as_secs_f64();
    let size = bytes.len();
    drop(bytes);
    let principals: Vec<String> = estate
        .entities()
        .filter(|entity| entity.id.as_str().starts_with("arn:aws:iam:"))
        .filter(|entity| entity.kind.is_principal() && !entity.inferred)
        .map(|entity| entity.id.to_string())
        .collect();
    println!(
        "estate: {read:.3} s for {:.1} MB, {} principals",
        size as f64 / 1e6,
        principals.len()
    );

    let started = Instant::now();
    let graph = Graph::build(&estate, catalogue, &[]);
    let build = started.elapsed().as_secs_f64();
    let (nodes, edges) = graph.size();
    println!(
        "graph: {build:.3} s, {nodes} nodes, {edges} edges, {} jewels, {} doors",
        graph.jewels().len(),
        graph.doors().len()
    );
    drop(estate);

    let started = Instant::now();
    let mut pairs = 0;
    let mut steps = 0;
    for jewel in graph.jewels() {
        let paths = graph.reachers(jewel.id.as_str());
        pairs += paths.len();
        steps += paths.iter().map(|path| path.steps.len()).sum::<usize>();
    }
    let reach = started.elapsed().as_secs_f64();
    println!(
        "reach of every jewel, with one shortest path for each pair of a principal and a jewel: \
         {reach:.3} s, {pairs} pairs, {steps} steps"
    );
    println!("graph, reach and paths: {:.3} s", build + reach);

    let labels = fs::read_to_string(labels).expect("the labels");
    right(&graph, &labels);

    let stride = (principals.len() / SAMPLE).max(1);
    let planted = labels.lines().filter_map(|line| {
        let label: Value = serde_json::from_str(line).ok()?;
        (label["reachable"] == true).then(|| label["source"].as_str().map(str::to_owned))?
    });
    let sample: Vec<String> = principals
        .iter()
        .step_by(stride)
        .cloned()
        .chain(planted)
        .collect();
    let blast = spread(&sample, |name| {
        let radius = graph.blast_radius(name);
        radius.principals.len() + radius.resources.len()
    });
    println!("blast: {blast}");
    let hops = spread(&sample, |name| graph.reached_from(name).len());
    println!("blast by hop: {hops}");
    let lost = spread(&sample, |name| {
        graph.blast(&[EntityId::from(name)]).reached().count()
    });
    println!("blast by hop, with the ways to the jewels: {lost}");
    let paths = spread(&sample, |name| graph.paths_to_jewels(name).len());
    println!("paths from: {paths}");
    let targets: Vec<String> = graph.jewels().iter().map(|j| j.id.to_string()).collect();
    let back = spread(&targets, |name| graph.reachers(name).len());
    println!("paths to a jewel: {back}");
    let resources: Vec<String> = graph
        .entities()
        .filter(|id| id.as_str().starts_with("arn:aws:s3:::"))
        .map(ToString::to_string)
        .collect();
    let stride = (resources.len() / SAMPLE).max(1);
    let resources: Vec<String> = resources.into_iter().step_by(stride).collect();
    let back = spread(&resources, |name| graph.reachers(name).len());
    println!("paths to a bucket: {back}");

    save_and_load(&graph, catalogue, resources.first());
    let cpu = cpu() - started_cpu;
    let peak = peak();
    println!(
        "peak memory: {} MB; {cpu:.1} s of CPU in all",
        megabytes(peak)
    );
    Figures {
        principals: principals.len(),
        read,
        build,
        reach,
        pairs,
        blast,
        paths,
        peak,
    }
}

/// How many planted paths are found, and how many decoys are not.
fn right(graph: &Graph, labels: &str) {
    let (mut found, mut missed, mut refused, mut wrong) = (0, 0, 0, 0);
    let (mut asks_for_mfa, mut should_ask) = (0, 0);
    for line in labels.lines() {
        let label: Value = serde_json::from_str(line).expect("a label");
        let text = |key: &str| label[key].as_str().unwrap_or_default();
        let path = match text("target") {
            "ADMIN" => graph.path_to_administrator(text("source")),
            target => graph.path(text("source"), target),
        };
        let mfa = text("why").contains("MFA");
        should_ask += usize::from(mfa);
        match (label["reachable"] == true, path) {
            (true, Some(path)) => {
                found += 1;
                let asks = path
                    .conditions
                    .iter()
                    .any(|key| key.contains("MultiFactor"));
                asks_for_mfa += usize::from(mfa && asks);
                if !mfa && !path.conditions.is_empty() {
                    println!("  conditional {line}: {:?}", path.conditions);
                }
            }
            (true, None) => {
                missed += 1;
                println!("  missed {line}");
            }
            (false, None) => refused += 1,
            (false, Some(path)) => {
                wrong += 1;
                let via: Vec<&str> = path.steps.iter().map(|step| step.via.as_str()).collect();
                println!("  false {line} by {via:?} under {:?}", path.conditions);
            }
        }
    }
    println!(
        "planted: {found} found, {missed} missed, {asks_for_mfa} of {should_ask} said to need MFA; \
         decoys: {refused} refused, {wrong} reported"
    );
}

/// `asked` is the first that the loaded graph is asked about.
fn save_and_load(graph: &Graph, catalogue: &Catalogue, asked: Option<&String>) {
    let inputs = Inputs::of(catalogue, &[], std::iter::empty());
    let started = Instant::now();
    let mut saved = Vec::new();
    graph.save(&inputs, &mut saved).expect("it can be saved");
    let save = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let loaded = Graph::load(&inputs, saved.as_slice()).expect("it can be loaded");
    let load = started.elapsed().as_secs_f64();
    println!(
        "saved: {:.1} MB in {save:.3} s, loaded in {load:.3} s{}",
        saved.len() as f64 / 1e6,
        if loaded.size() == graph.size() {
            ""
        } else {
            ", and it is another"
        }
    );
    if let Some(name) = asked {
        let started = Instant::now();
        let found = loaded.reachers(name).len();
        println!(
            "the first question to the loaded graph: {:.2} ms for the paths to {name}; {found} found",
            started.elapsed().as_secs_f64() * 1e3
        );
    }
}

fn catalogue() -> Catalogue {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../escalations/aws");
    let files: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the catalogue")
        .map(|entry| entry.expect("a file").path())
        .map(|path| {
            let text = fs::read_to_string(&path).expect("readable");
            (path.to_string_lossy().into_owned(), text)
        })
        .collect();
    let named = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    Catalogue::parse(named).0
}

/// Times of many queries, in milliseconds.
struct Spread {
    count: usize,
    half: f64,
    most: f64,
    slowest: String,
    found: usize,
}

impl std::fmt::Display for Spread {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} asked, {:.2} ms half of them, {:.2} ms at most ({}); at most {} found",
            self.count, self.half, self.most, self.slowest, self.found
        )
    }
}

fn spread(names: &[String], ask: impl Fn(&str) -> usize) -> Spread {
    let mut times = Vec::new();
    let mut found = 0;
    for name in names {
        let started = Instant::now();
        found = found.max(ask(name));
        times.push((started.elapsed().as_secs_f64() * 1e3, name));
    }
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    Spread {
        count: times.len(),
        half: times.get(times.len() / 2).map_or(0.0, |time| time.0),
        most: times.last().map_or(0.0, |time| time.0),
        slowest: times.last().map_or(String::new(), |time| time.1.clone()),
        found,
    }
}

/// The most memory that the process has had so far, in MB.
fn peak() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

fn megabytes(peak: Option<f64>) -> String {
    peak.map_or("not measured".to_owned(), |peak| format!("{peak:.0}"))
}

/// Seconds of CPU that the process has used in its own code, on all threads; 0 where that is not
/// told.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().nth(11);
    // The kernel counts in hundredths of a second.
    ticks
        .and_then(|t| t.parse::<f64>().ok())
        .unwrap_or_default()
        / 100.0
}
