//! How long a graph takes, and how right it is, on the export of a generated account with planted
//! paths and decoys.
//!
//! `cargo bench -p portreeve-graph --bench gaad -- EXPORT.json LABELS.ndjson`
//!
//! Labels are lines of `{"source", "target", "technique", "reachable", "why"}`; the target `ADMIN`
//! means any administrator.
#![allow(clippy::print_stdout)]

use std::time::Instant;
use std::{env, fs};

use portreeve_graph::{Catalogue, Graph};
use portreeve_model::Estate;
use serde_json::Value;

fn main() {
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let [export, labels] = arguments.as_slice() else {
        println!("skipped: name an export and its labels");
        return;
    };
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
    let (catalogue, _) = Catalogue::parse(named);

    let bytes = fs::read(export).expect("the export");
    let started = Instant::now();
    let mut estate = Estate::default();
    portreeve_estate::read(export, &bytes, &mut estate);
    portreeve_estate::complete(&mut estate);
    estate.finish();
    println!("estate: {:.2} s", started.elapsed().as_secs_f64());

    let started = Instant::now();
    let graph = Graph::build(&estate, &catalogue, &[]);
    let (nodes, edges) = graph.size();
    println!(
        "graph: {:.2} s, {nodes} nodes, {edges} edges, {} jewels, {} doors",
        started.elapsed().as_secs_f64(),
        graph.jewels().len(),
        graph.doors().len()
    );

    let (mut found, mut missed, mut refused, mut wrong) = (0, 0, 0, 0);
    let started = Instant::now();
    let labels = fs::read_to_string(labels).expect("the labels");
    for line in labels.lines() {
        let label: Value = serde_json::from_str(line).expect("a label");
        let text = |key: &str| label[key].as_str().unwrap_or_default();
        let path = match text("target") {
            "ADMIN" => graph.path_to_administrator(text("source")),
            target => graph.path(text("source"), target),
        };
        match (label["reachable"] == true, path) {
            (true, Some(path)) => {
                found += 1;
                if text("why").contains("MFA") {
                    println!("  {} needs {:?}", text("source"), path.conditions);
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
        "paths: {:.2} s, {found} found, {missed} missed, {refused} rightly not there, {wrong} false",
        started.elapsed().as_secs_f64()
    );
    let started = Instant::now();
    let mut asked = 0;
    for line in labels.lines().take(200) {
        let label: Value = serde_json::from_str(line).expect("a label");
        graph.blast_radius(label["source"].as_str().unwrap_or_default());
        asked += 1;
    }
    println!(
        "blast: {:.2} ms each",
        started.elapsed().as_secs_f64() * 1e3 / f64::from(asked.max(1))
    );
}
