//! A simulated organisation whose logs are delivered before one's eyes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use portreeve_engine::Config;
use portreeve_simulate::{Plan, Sink, Written, simulate};

use crate::Ending;
use crate::arguments::Serve;

/// How much of the time before the intrusion is there from the start: all but so many hours of the end.
const UNFOLDS: i64 = 11 * 24;

/// What the demo holds back, and when each file was delivered.
#[derive(Default)]
struct Held {
    estate: Vec<(String, Vec<u8>)>,
    logs: BTreeMap<(i64, String), Vec<u8>>,
    /// What is told of wallets, in the order in which it was written.
    wallets: Vec<Part>,
}

/// A file, or a part of one, and when it is there.
struct Part {
    at: i64,
    path: String,
    written: Written,
}

impl Held {
    /// All but the estate, in order of time. Of one moment, what was written first comes first.
    fn parts(self) -> Vec<Part> {
        let logs = self.logs.into_iter().map(|((at, path), bytes)| Part {
            at,
            path,
            written: Written::Whole(bytes),
        });
        let mut parts: Vec<Part> = self.wallets.into_iter().chain(logs).collect();
        parts.sort_by_key(|part| part.at);
        parts
    }
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

    fn wallets(&mut self, at: Timestamp, path: &str, written: &Written) -> io::Result<()> {
        self.wallets.push(Part {
            at: at.as_second(),
            path: path.to_owned(),
            written: written.clone(),
        });
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
        say!("portreeve: --speed is a number of hours above 0");
        return Ok(Ending::Usage);
    }
    let folder = tempfile::tempdir().context("cannot make a folder for the demo")?;
    let root = folder.path().join("halyard");
    let mut held = Held::default();
    say!("portreeve: simulating an organisation and its logs …");
    let plan = Plan {
        seed: options.seed,
        max_records: 60_000,
        ..Plan::default()
    };
    simulate(&plan, &mut held)?;
    let incoming = folder.path().join("incoming");
    let place = Place {
        root: root.clone(),
        incoming,
    };
    for (path, bytes) in std::mem::take(&mut held.estate) {
        place.put(&path, &Written::Whole(bytes))?;
    }
    let Some(end) = held.logs.keys().map(|(time, _)| *time).max() else {
        bail!("the simulation wrote no log");
    };
    // What was before the intrusion is history, and there from the start.
    let start = end - UNFOLDS * 3_600;
    let mut parts = held.parts();
    let later = parts.split_off(parts.partition_point(|part| part.at < start));
    for part in &parts {
        place.put(&part.path, &part.written)?;
    }
    let (config, path) = Config::find(std::slice::from_ref(&root))?;
    let config = Config {
        simulated: true,
        ..config
    };
    let speed = options.speed;
    std::thread::Builder::new()
        .name("demo".to_owned())
        .spawn(move || deliver(&place, &later, start, speed))?;
    let data = folder.path().join("data");
    super::watch(
        options,
        vec![root],
        config,
        path.into_iter().collect(),
        data,
    )
}

/// Delivers each part when its time has come: so many hours of the simulation in a second.
fn deliver(place: &Place, parts: &[Part], start: i64, speed: f64) {
    let begin = Instant::now();
    for part in parts {
        let due = Duration::from_secs_f64((part.at - start).max(0) as f64 / 3_600.0 / speed);
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        // The folder is gone when the demo has ended.
        if place.put(&part.path, &part.written).is_err() {
            return;
        }
    }
}

/// Where files are delivered.
struct Place {
    root: PathBuf,
    /// Where a file is written before it is moved to its place.
    incoming: PathBuf,
}

impl Place {
    /// Writes a file so that it is there at once and whole, or adds to one.
    fn put(&self, path: &str, written: &Written) -> Result<()> {
        let path: PathBuf = self.root.join(path);
        let cannot = || format!("cannot write {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        match written {
            Written::Whole(bytes) => {
                std::fs::write(&self.incoming, bytes).with_context(cannot)?;
                std::fs::rename(&self.incoming, &path).with_context(cannot)
            }
            Written::Added(bytes) => File::options()
                .create(true)
                .append(true)
                .open(&path)
                .and_then(|mut file| file.write_all(bytes))
                .with_context(cannot),
        }
    }
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
