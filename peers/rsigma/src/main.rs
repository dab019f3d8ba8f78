//! The library of rsigma over a log, on one thread: `rsigma-library RULES LOG`.
//!
//! Its command spreads work over threads and writes what it finds; this does what its documentation shows
//! as the quick start, and no more: a line is parsed, borrowed as an event, and evaluated. The benchmark
//! `hunt` runs both, where `PORTREEVE_PEERS` names them.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use rsigma_parser::parse_sigma_directory;

/// The same that `portreeve` has, so that allocators are not what is compared.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rules, log] = arguments.as_slice() else {
        return Err("usage: rsigma-library RULES LOG".into());
    };
    let mut engine = Engine::new();
    engine.add_collection(&parse_sigma_directory(Path::new(rules))?)?;
    let mut lines = BufReader::with_capacity(1 << 20, File::open(log)?);
    let (mut line, mut records, mut matches) = (Vec::new(), 0u64, 0u64);
    while lines.read_until(b'\n', &mut line)? > 0 {
        let record: serde_json::Value = serde_json::from_slice(&line)?;
        matches += engine.evaluate(&JsonEvent::borrow(&record)).len() as u64;
        records += 1;
        line.clear();
    }
    println!(
        "{} rules, {records} records, {matches} matches",
        engine.rule_count()
    );
    Ok(())
}
