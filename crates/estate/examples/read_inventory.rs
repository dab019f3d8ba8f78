//! Reads inventory files and prints how much they hold and how long it took.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use portreeve_model::Estate;

fn main() -> std::io::Result<()> {
    let mut estate = Estate::default();
    let mut bytes = 0;
    let mut letters = 0;
    let mut seconds = 0.0;
    for file in std::env::args().skip(1) {
        let content = std::fs::read(&file)?;
        bytes += content.len();
        let start = Instant::now();
        letters += portreeve_estate::read(&file, &content, &mut estate).len();
        seconds += start.elapsed().as_secs_f64();
    }
    let start = Instant::now();
    portreeve_estate::complete(&mut estate);
    println!(
        "{bytes} bytes read in {seconds:.2} s, completed in {:.2} s: {} entities, {} relations, \
         {} blind spots, {letters} dead letters",
        start.elapsed().as_secs_f64(),
        estate.len(),
        estate.relations().len(),
        estate.blind_spots.len(),
    );
    Ok(())
}
