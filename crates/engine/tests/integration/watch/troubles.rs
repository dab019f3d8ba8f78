//! What goes wrong outside the watch: each passes, and leaves no trace in what is found.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use portreeve_engine::serve::{Notice, Object, Objects};

use super::house::House;

/// A bucket in memory, which is gone for as long as is said.
struct Shelf {
    objects: BTreeMap<String, Vec<u8>>,
    is_gone: Arc<AtomicBool>,
    /// How many objects were read.
    read: Arc<AtomicU64>,
    /// After so many it is gone by itself.
    breaks_after: u64,
}

impl Shelf {
    fn new(logs: &BTreeMap<String, Vec<u8>>, breaks_after: u64) -> Self {
        Self {
            objects: logs.clone(),
            is_gone: Arc::default(),
            read: Arc::default(),
            breaks_after,
        }
    }

    fn reach(&self) -> Result<(), String> {
        match self.is_gone.load(Ordering::SeqCst) {
            true => Err("no such bucket".to_owned()),
            false => Ok(()),
        }
    }
}

impl Objects for Shelf {
    fn name(&self) -> &str {
        "s3://trail"
    }

    fn list(&mut self, after: Option<&str>) -> Result<Vec<Object>, String> {
        self.reach()?;
        let behind = |key: &str| after.is_none_or(|after| key > after);
        Ok(self
            .objects
            .iter()
            .filter(|(key, _)| behind(key))
            .take(10)
            .map(|(key, bytes)| Object {
                key: key.clone(),
                size: bytes.len() as u64,
                tag: "1".to_owned(),
            })
            .collect())
    }

    fn read(&mut self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.reach()?;
        if self.read.fetch_add(1, Ordering::SeqCst) + 1 == self.breaks_after {
            self.is_gone.store(true, Ordering::SeqCst);
        }
        Ok(self.objects.get(key).cloned())
    }

    fn notices(&mut self) -> Result<Option<Vec<Notice>>, String> {
        Ok(None)
    }

    fn done(&mut self, _: &Notice) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn a_bucket_that_is_gone_is_waited_for_and_read_on() {
    let house = House::simulated();
    let logs = house.take_logs_away();
    let undisturbed = house.watch_bucket(Box::new(Shelf::new(&logs, u64::MAX)));
    undisturbed.wait_for(|house| house.records_in_log() == house.records());
    undisturbed.stop();
    let expected = house.stored();
    assert!(!expected.findings.is_empty());

    let house = House::simulated();
    house.take_logs_away();
    let shelf = Shelf::new(&logs, logs.len() as u64 / 2);
    let (is_gone, read) = (shelf.is_gone.clone(), shelf.read.clone());
    let watching = house.watch_bucket(Box::new(shelf));
    watching.wait(|board| !board.figures().troubles.is_empty());
    assert!(is_gone.load(Ordering::SeqCst));
    assert!(!watching.board().figures().caught_up, "more is to come");
    is_gone.store(false, Ordering::SeqCst);
    watching.wait_for(|house| house.records_in_log() == house.records());
    watching.wait(|board| board.figures().troubles.is_empty());
    watching.stop();
    assert_eq!(house.stored(), expected);
    assert_eq!(
        read.load(Ordering::SeqCst),
        logs.len() as u64,
        "each object once"
    );
}

#[test]
fn what_comes_ten_hours_late_makes_the_same() {
    let house = House::simulated();
    let mut lines: Vec<(Timestamp, String)> = house
        .take_logs_as_lines()
        .into_iter()
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(&line).unwrap();
            let time = record["eventTime"].as_str().unwrap();
            (time.parse().unwrap(), line)
        })
        .collect();
    lines.sort();
    // Of the last day, two hours that end ten hours before its end.
    let last = lines.last().unwrap().0;
    let until = last - SignedDuration::from_hours(10);
    let from = until - SignedDuration::from_hours(2);
    let (late, in_time): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .partition(|(time, _)| (from..until).contains(time));
    assert!(!late.is_empty() && !in_time.is_empty());
    let text = |lines: &[(Timestamp, String)]| -> String {
        lines.iter().map(|(_, line)| format!("{line}\n")).collect()
    };
    house.put("more/in-time.ndjson", text(&in_time).as_bytes());
    house.catch_up();
    assert_eq!(house.records_in_log(), in_time.len() as u64);
    house.put("more/late.ndjson", text(&late).as_bytes());
    house.catch_up();
    assert_eq!(house.stored(), house.investigated());
}
