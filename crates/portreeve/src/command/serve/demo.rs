//! A simulated organisation whose logs are delivered before one's eyes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use portreeve_engine::Config;
use portreeve_simulate::{Plan, Sink, simulate};

use crate::Ending;
use crate::arguments::Serve;

/// How much of the time before the intrusion is there from the start: all but so many hours of the end.
const UNFOLDS: i64 = 11 * 24;

/// What the demo holds back, and when each file was delivered.
#[derive(Default)]
struct Held {
    estate: Vec<(String, Vec<u8>)>,
    logs: BTreeMap<(i64, String), Vec<u8>>,
}

impl Sink for Held {
    fn estate(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.estate.push((path.to_owned(), bytes.to_vec()));
        Ok(())
    }

    fn log(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.logs.insert(
            (delivered(path).unwrap_or_default(), path.to_owned()),
            bytes.to_vec(),
        );
        Ok(())
    }

    fn label(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

/// When a file was delivered, by its name as CloudTrail writes it: `…_20260303T0745Z_….json.gz`,
/// `…_20260303T081500Z.json.gz`.
fn delivered(path: &str) -> Option<i64> {
    let name = path.rsplit('/').next()?.split('.').next()?;
    let part = name.split('_').find(|part| {
        part.ends_with('Z') && part.as_bytes().get(8) == Some(&b'T') && part.is_ascii()
    })?;
    let (date, clock) = part.trim_end_matches('Z').split_once('T')?;
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        date.get(..4)?,
        date.get(4..6)?,
        date.get(6..8)?,
        clock.get(..2)?,
        clock.get(2..4)?,
        clock.get(4..6).unwrap_or("00")
    );
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

pub(super) fn run(options: &Serve) -> Result<Ending> {
    if options.speed <= 0.0 || !options.speed.is_finite() {
        eprintln!("portreeve: --speed is a number of hours above 0");
        return Ok(Ending::Usage);
    }
    let folder = tempfile::tempdir().context("cannot make a folder for the demo")?;
    let root = folder.path().join("halyard");
    let mut held = Held::default();
    eprintln!("portreeve: simulating an organisation and its logs …");
    let plan = Plan {
        seed: options.seed,
        max_records: 60_000,
        ..Plan::default()
    };
    simulate(&plan, &mut held)?;
    for (path, bytes) in &held.estate {
        put(&root, path, bytes)?;
    }
    let Some(end) = held.logs.keys().map(|(time, _)| *time).max() else {
        bail!("the simulation wrote no log");
    };
    // What was before the intrusion is history, and there from the start.
    let start = end - UNFOLDS * 3_600;
    let later = held.logs.split_off(&(start, String::new()));
    for ((_, path), bytes) in &held.logs {
        put(&root, path, bytes)?;
    }
    let (config, path) = Config::find(std::slice::from_ref(&root))?;
    let config = Config {
        simulated: true,
        ..config
    };
    let speed = options.speed;
    let to = root.clone();
    std::thread::Builder::new()
        .name("demo".to_owned())
        .spawn(move || deliver(&to, later, start, speed))?;
    let data = folder.path().join("data");
    super::watch(
        options,
        vec![root],
        config,
        path.into_iter().collect(),
        data,
    )
}

/// Delivers each file when its time has come: so many hours of the simulation in a second.
fn deliver(root: &Path, files: BTreeMap<(i64, String), Vec<u8>>, start: i64, speed: f64) {
    let begin = Instant::now();
    for ((time, path), bytes) in files {
        let due = Duration::from_secs_f64((time - start).max(0) as f64 / 3_600.0 / speed);
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        // The folder is gone when the demo has ended.
        if put(root, &path, &bytes).is_err() {
            return;
        }
    }
}

/// Writes a file so that it is there at once and whole.
fn put(root: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let path: PathBuf = root.join(path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_tell_when_they_were_delivered() {
        let path = "AWSLogs/o-1/1/CloudTrail/eu-west-1/2026/03/03/1_CloudTrail_eu-west-1_20260303T0745Z_abc.json.gz";
        let time: Timestamp = "2026-03-03T07:45:00Z".parse().unwrap();
        assert_eq!(delivered(path), Some(time.as_second()));
        let digest = "x/1_CloudTrail-Digest_eu-west-1_halyard_eu-west-1_20260303T081500Z.json.gz";
        assert!(delivered(digest).is_some());
        assert_eq!(delivered("estate/iam.json"), None);
    }
}
