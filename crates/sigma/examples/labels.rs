//! Runs rules over NDJSON records and checks a list of the matches that must come out.
//!
//! `labels RULES RECORDS LABELS`: RULES is a folder of rule files, LABELS holds lines of a record's
//! number from 0, a tab, and the name of the rule file that must match it.

#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_sigma::{Matcher, Scratch, parse};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, records, labels] = arguments.as_slice() else {
        return Err("labels RULES RECORDS LABELS".into());
    };
    let mut rules = Vec::new();
    let mut names = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yml") {
                let text = std::fs::read_to_string(&path)?;
                let parsed = parse(&path.display().to_string(), &text);
                for diagnostic in &parsed.diagnostics {
                    println!("{}", diagnostic.render(&text, false));
                }
                let name = path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                names.extend(parsed.rules.iter().map(|_| name.clone()));
                rules.extend(parsed.rules);
            }
        }
    }
    let mut fields = Fields::default();
    let start = Instant::now();
    let (matcher, diagnostics) = Matcher::new(&rules, &mut fields);
    println!(
        "{} rules, {} tested on each record, {} fields, compiled in {:?}",
        rules.len(),
        matcher.always_tested(),
        fields.paths().len(),
        start.elapsed()
    );
    for diagnostic in &diagnostics {
        println!("{diagnostic}");
    }

    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let (mut scratch, mut hits) = (Scratch::new(), Vec::new());
    let text = std::fs::read(records)?;
    let mut found: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut matching = std::time::Duration::ZERO;
    let start = Instant::now();
    let mut total = 0usize;
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        total += 1;
        let slots = extractor.extract(line, &mut buffer)?;
        let before = Instant::now();
        matcher.matches(&slots, &mut scratch, &mut hits);
        matching += before.elapsed();
        for hit in &hits {
            if let Some(name) = names.get(hit.rule) {
                found.entry(number).or_default().insert(name);
                *counts.entry(name).or_default() += 1;
            }
        }
    }
    let elapsed = start.elapsed();
    println!(
        "{total} records in {elapsed:?}: {:.0} MB/s, {:.0} ns a record in the matcher",
        text.len() as f64 / 1e6 / elapsed.as_secs_f64(),
        matching.as_nanos() as f64 / total.max(1) as f64
    );
    let (mut expected, mut missed) = (0, 0);
    for line in std::fs::read_to_string(labels)?.lines() {
        let (number, name) = line.split_once('\t').ok_or("a label without a tab")?;
        expected += 1;
        if !found
            .get(&number.parse()?)
            .is_some_and(|names| names.contains(name))
        {
            missed += 1;
            println!("missed: record {number}, rule {name}");
        }
    }
    println!(
        "{} of {expected} labelled records matched by the rule named",
        expected - missed
    );
    for (name, count) in counts {
        println!("{count:8} {name}");
    }
    Ok(())
}
