//! Prints the figures of one simulation: `cargo run -p portreeve-simulate --example figures [SEED] [INTRUSION] [RECORDS] [DIR]`.
#![allow(clippy::print_stdout)]

use portreeve_simulate::{MemorySink, Plan, simulate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut plan = Plan::default();
    if let Some(seed) = arguments.next() {
        plan.seed = seed.parse()?;
    }
    if let Some(name) = arguments.next() {
        plan.intrusion = name.parse()?;
    }
    if let Some(records) = arguments.next() {
        plan.max_records = records.parse()?;
    }
    let mut sink = MemorySink::default();
    let started = std::time::Instant::now();
    let summary = simulate(&plan, &mut sink)?;
    println!(
        "{summary:#?}\n{:.2} s, {} files",
        started.elapsed().as_secs_f64(),
        sink.files.len()
    );
    if let Some(folder) = arguments.next() {
        for (path, bytes) in &sink.files {
            let path = std::path::Path::new(&folder).join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
            std::fs::write(path, bytes)?;
        }
        std::fs::write(
            std::path::Path::new(&folder).join("labels.ndjson"),
            sink.labels.join("\n") + "\n",
        )?;
    }
    Ok(())
}
