//! The activity archive: what the event log holds, as OCSF in Parquet, in folders as Amazon Security Lake lays
//! out those of a custom source (`ext/SOURCE/region=…/accountId=…/eventDay=…/`), so that whatever queries a
//! lake queries it.
//!
//! A file holds what one segment of the log has of one region, account and day, and is named by the segment.
//! Files come to be whole: written under another name, made durable, renamed, and then entered in the store
//! with all others of the segment. What is not entered is written again, over what there is. A segment that
//! still grows is written every hour and when the watch ends, so that a quiet estate does not wait for days.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portreeve_model::Activity;
use portreeve_record::{Extractor, Fields, SlotBuffer};
use portreeve_store::parquet::{ActivityFile, Archived, Class, ParquetError};
use portreeve_store::{Commit, Segment, Store, StoreError};
use portreeve_telemetry::{Reader, Source, Unwrapped, sources};
use serde::{Deserialize, Serialize};

use super::event_log::{Entry, EventLog, Segments};
use super::retention::Keep;

const SPACE: &str = "archive";

/// How long a segment that grows waits until it is written again.
const GROWING: Duration = Duration::from_secs(3600);

/// So many bytes of records are gathered over all files before the largest of them writes a row group.
const GATHERED: usize = 64 << 20;

/// No segment is parted into more files; what a log claims to be of still other places goes together.
const MOST_FILES: usize = 10_000;

/// Why nothing could be archived. It is tried again, and the event log lets nothing go meanwhile.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file or folder cannot be written.
    #[error("{}: {error}", path.display())]
    Unwritable {
        /// What cannot be written.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file cannot be made.
    #[error("cannot make Parquet: {0}")]
    Parquet(#[from] ParquetError),
    /// The store is of no use.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was written of a segment.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    /// How many records of the log.
    records: u64,
    /// How many of them could not be read back.
    lost: u64,
    /// The latest time of any, in microseconds since 1970.
    latest: Option<i64>,
    /// How many bytes all files take.
    bytes: u64,
    /// The files, below the archive's folder.
    files: Vec<String>,
}

/// Writes the archive.
pub struct Archive {
    folder: PathBuf,
    log: PathBuf,
    keep: Keep,
    store: Box<dyn Store>,
    written: BTreeMap<u64, Written>,
    grew: Option<Instant>,
    reached: Arc<AtomicU64>,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Archive")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Archive {
    /// The archive in a folder, of the event log in another. What the store says of it stays true.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn new(
        folder: PathBuf,
        log: PathBuf,
        keep: Keep,
        store: Box<dyn Store>,
    ) -> Result<Self, ArchiveError> {
        let mut written = BTreeMap::new();
        store.state(SPACE, &mut |key, value| {
            let number = key.try_into().map(u64::from_be_bytes);
            // What another version wrote is written again.
            if let (Ok(number), Ok(entry)) = (number, serde_json::from_slice(value)) {
                written.insert(number, entry);
            }
        })?;
        Ok(Self {
            folder,
            log,
            keep,
            store,
            written,
            grew: None,
            reached: Arc::default(),
        })
    }

    /// The last segment that is archived whole, and all before it.
    pub(crate) fn reached(&self) -> Arc<AtomicU64> {
        self.reached.clone()
    }

    /// How many records of the log are not in the archive since they could not be read back.
    pub(crate) fn lost(&self) -> u64 {
        self.written.values().map(|it| it.lost).sum()
    }

    /// Archives what is due; all there is where that is asked for.
    ///
    /// # Errors
    /// Where a file or the store cannot be written. What was entered before stays.
    pub fn write(&mut self, everything: bool) -> Result<(), ArchiveError> {
        let segments = self.store.segments()?;
        let growing = segments.last().map(|segment| segment.number);
        for segment in segments {
            let is_growing = growing == Some(segment.number);
            let has = |it: &Written| it.records >= segment.records;
            let is_due =
                !is_growing || everything || self.grew.is_none_or(|grew| grew.elapsed() >= GROWING);
            if is_due && !self.written.get(&segment.number).is_some_and(has) {
                self.write_segment(&segment)?;
            }
            if is_growing {
                self.grew = Some(self.grew.filter(|_| !is_due).unwrap_or_else(Instant::now));
            } else {
                self.reached.store(segment.number, Ordering::SeqCst);
            }
        }
        self.let_go()
    }

    fn write_segment(&mut self, segment: &Segment) -> Result<(), ArchiveError> {
        let readers = Readers::default();
        let mut rows = Rows::default();
        let mut result = Ok(());
        let log = Segments::read_only(&self.log, vec![segment.clone()]);
        let damage = log.replay(&mut |entry| {
            if result.is_ok() {
                result = readers.read(entry, &mut |source, activity, raw| {
                    rows.add(source, entry, activity, raw)
                });
            }
        });
        result?;
        let mut written = Written {
            records: segment.records,
            lost: damage.iter().map(|it| it.lost).sum(),
            latest: segment.latest,
            ..Written::default()
        };
        for (place, file) in rows.files {
            let bytes = file.finish()?;
            let name = format!("{place}/{:08}.zstd.parquet", segment.number);
            put(&self.folder.join(&name), &bytes)?;
            written.bytes += bytes.len() as u64;
            written.files.push(name);
        }
        let value = serde_json::to_vec(&written).unwrap_or_default();
        self.set_down(segment.number, Some(value))?;
        self.written.insert(segment.number, written);
        Ok(())
    }

    fn set_down(&mut self, number: u64, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        let state = vec![(SPACE.to_owned(), number.to_be_bytes().to_vec(), value)];
        let commit = Commit {
            state,
            ..Commit::default()
        };
        self.store.commit(&commit).map(drop)
    }

    /// Removes what is not kept any more: first the entry, so that no entry names what is not there.
    fn let_go(&mut self) -> Result<(), ArchiveError> {
        let all = self.written.iter().map(|(number, written)| Segment {
            number: *number,
            bytes: written.bytes,
            latest: written.latest,
            ..Segment::default()
        });
        let all: Vec<Segment> = all.collect();
        let latest = all.iter().filter_map(|it| it.latest).max();
        let now = latest.map(|latest| latest.min(Timestamp::now().as_microsecond()));
        for gone in self.keep.let_go(&all, now) {
            self.set_down(gone.number, None)?;
            let written = self.written.remove(&gone.number).unwrap_or_default();
            for name in &written.files {
                // Gone already, or in a folder that others still need.
                let mut path = self.folder.join(name);
                let _ = fs::remove_file(&path);
                while path.pop() && path != self.folder && fs::remove_dir(&path).is_ok() {}
            }
        }
        Ok(())
    }
}

/// Writes a file so that it is there whole or not at all.
fn put(path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    let partial = path.with_extension("partial");
    let write = || {
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder)?;
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&partial);
        ArchiveError::Unwritable {
            path: path.to_owned(),
            error,
        }
    })
}

/// How records of each source are read.
struct Readers(Vec<(&'static dyn Source, Box<dyn Reader>, Extractor)>);

impl Default for Readers {
    fn default() -> Self {
        let readers = sources().iter().map(|source| {
            let mut fields = Fields::default();
            let reader = source.prepare(&mut fields);
            (*source, reader, Extractor::new(&fields))
        });
        Self(readers.collect())
    }
}

/// Takes an activity, with its source and the record that tells it.
type Take<'t> = dyn FnMut(&dyn Source, &Activity<'_>, &[u8]) -> Result<(), ArchiveError> + 't;

impl Readers {
    /// Hands over what a record tells: one activity, or those of the records inside it. What cannot be read was
    /// told when it arrived, and of a source that this version does not know there is nothing to tell.
    fn read(&self, entry: Entry<'_>, take: &mut Take<'_>) -> Result<(), ArchiveError> {
        let mut readers = self.0.iter();
        let Some((source, reader, extractor)) = readers.find(|it| it.0.id() == entry.source) else {
            return Ok(());
        };
        let mut buffer = SlotBuffer::new();
        let Ok(slots) = extractor.extract(entry.bytes, &mut buffer) else {
            return Ok(());
        };
        let unwrapped = match reader.is_native(&slots) {
            true => Unwrapped::Native,
            false => reader.unwrap(entry.bytes),
        };
        match unwrapped {
            Unwrapped::Native => take(*source, &reader.activity(&slots), entry.bytes),
            // What is inside is the source's own, and is unwrapped no further.
            Unwrapped::Inner { records, .. } => records.iter().try_for_each(|record| {
                let mut buffer = SlotBuffer::new();
                match extractor.extract(record, &mut buffer) {
                    Ok(slots) => take(*source, &reader.activity(&slots), record),
                    Err(_) => Ok(()),
                }
            }),
            _ => Ok(()),
        }
    }
}

/// The rows of one segment, by the folder that they go to.
#[derive(Default)]
struct Rows {
    files: BTreeMap<String, ActivityFile<Vec<u8>>>,
    gathered: usize,
}

impl Rows {
    fn add(
        &mut self,
        source: &dyn Source,
        entry: Entry<'_>,
        activity: &Activity<'_>,
        raw: &[u8],
    ) -> Result<(), ArchiveError> {
        let mut place = place(activity);
        if self.files.len() >= MOST_FILES && !self.files.contains_key(&place) {
            place = format!("ext/{}/others", safe(Some(source.id())));
        }
        let file = match self.files.entry(place) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(ActivityFile::new(Vec::new())?)
            }
        };
        let class = source.ocsf(activity);
        file.add(&Archived {
            activity,
            class: Class {
                class_uid: class.class_uid,
                activity_id: class.activity_id,
                activity_name: class.activity_name,
            },
            product: source.title(),
            file: entry.file,
            index: entry.index,
            offset: entry.offset,
            raw,
        });
        self.gathered += raw.len();
        if self.gathered >= GATHERED
            && let Some(largest) = self.files.values_mut().max_by_key(|it| it.gathered())
        {
            self.gathered -= largest.gathered();
            largest.flush()?;
        }
        Ok(())
    }
}

/// The folder that an activity goes to.
fn place(activity: &Activity<'_>) -> String {
    let day = activity.time.map_or_else(
        || "unknown".to_owned(),
        |time| time.strftime("%Y%m%d").to_string(),
    );
    format!(
        "ext/{}/region={}/accountId={}/eventDay={day}",
        safe(Some(activity.source)),
        safe(activity.region.as_deref()),
        safe(activity.account.as_deref()),
    )
}

/// A name for a folder: what a record says may be anything.
fn safe(name: Option<&str>) -> &str {
    let fits = |name: &&str| {
        (1..=64).contains(&name.len())
            && !name.starts_with('.')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    name.filter(fits).unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use portreeve_store::Sqlite;
    use portreeve_store::parquet::raw_records;

    use super::*;

    fn record(index: u64, day: u64, region: &str) -> String {
        format!(
            r#"{{"eventVersion":"1.09","eventID":"e{index}","eventSource":"s3.amazonaws.com",
              "eventName":"GetObject","eventTime":"2026-03-{day:02}T07:44:00Z","awsRegion":"{region}",
              "recipientAccountId":"111122223333","userIdentity":{{"type":"Root",
              "arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}}}}"#
        )
    }

    struct Estate {
        folder: tempfile::TempDir,
        store: Sqlite,
        log: Segments,
        index: u64,
    }

    impl Estate {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Sqlite::open(&folder.path().join("db")).unwrap();
            let log = Segments::open(&folder.path().join("log"), Vec::new()).unwrap();
            Self {
                folder,
                store,
                log,
                index: 0,
            }
        }

        fn archive(&self, keep: Keep) -> Archive {
            let store = Sqlite::open(&self.folder.path().join("db")).unwrap();
            let below = |name| self.folder.path().join(name);
            Archive::new(below("lake"), below("log"), keep, Box::new(store)).unwrap()
        }

        fn take_in(&mut self, records: &[String]) {
            for record in records {
                self.log
                    .append(Entry {
                        source: "aws.cloudtrail",
                        file: &"a.json".into(),
                        index: self.index,
                        offset: self.index * 400,
                        bytes: record.as_bytes(),
                    })
                    .unwrap();
                self.index += 1;
            }
            let latest = records.iter().filter_map(|it| {
                let day = it.split("2026-03-").nth(1)?.get(..2)?;
                let time = format!("2026-03-{day}T07:44:00Z").parse::<Timestamp>();
                Some(time.ok()?.as_microsecond())
            });
            let segments = self.log.seal(latest.max()).unwrap();
            self.store
                .commit(&Commit {
                    segments,
                    ..Commit::default()
                })
                .unwrap();
        }

        /// Begins another segment.
        fn end_segment(&mut self) {
            let mut segments = self.store.segments().unwrap();
            segments.last_mut().unwrap().records = 200_000;
            self.store
                .commit(&Commit {
                    segments: segments.clone(),
                    ..Commit::default()
                })
                .unwrap();
            self.log = Segments::open(&self.folder.path().join("log"), segments).unwrap();
        }

        /// The files of the archive, with how many records each holds.
        fn files(&self) -> Vec<(String, usize)> {
            let lake = self.folder.path().join("lake");
            let mut all: Vec<(String, usize)> = walkdir::WalkDir::new(&lake)
                .into_iter()
                .filter_map(|entry| entry.ok().filter(|entry| entry.file_type().is_file()))
                .map(|entry| {
                    let bytes = fs::read(entry.path()).unwrap();
                    let records = raw_records(bytes.into()).unwrap();
                    let name = entry.path().strip_prefix(&lake).unwrap();
                    let count = records.map(Result::unwrap).count();
                    (name.display().to_string(), count)
                })
                .collect();
            all.sort();
            all
        }
    }

    fn name(region: &str, day: u64, number: u64) -> String {
        format!(
            "ext/aws.cloudtrail/region={region}/accountId=111122223333/eventDay=202603{day:02}/{number:08}.zstd.parquet"
        )
    }

    #[test]
    fn each_place_and_day_has_a_file_of_each_segment() {
        let mut estate = Estate::new();
        let mut archive = estate.archive(Keep::default());
        archive.write(true).unwrap();
        assert_eq!(estate.files(), []);
        estate.take_in(&[
            record(0, 3, "eu-west-1"),
            record(1, 4, "eu-west-1"),
            record(2, 4, "us-east-1"),
            record(3, 4, "us-east-1"),
            record(4, 4, "../../etc"),
            "{\"unreadable".to_owned(),
        ]);
        archive.write(true).unwrap();
        let first = [
            (name("eu-west-1", 3, 1), 1),
            (name("eu-west-1", 4, 1), 1),
            (name("unknown", 4, 1), 1),
            (name("us-east-1", 4, 1), 2),
        ];
        assert_eq!(estate.files(), first);
        // What grew is written again, whole; only when that is due or asked for.
        estate.take_in(&[record(5, 3, "eu-west-1")]);
        archive.write(false).unwrap();
        assert_eq!(estate.files(), first);
        archive.write(true).unwrap();
        assert_eq!(estate.files()[0], (name("eu-west-1", 3, 1), 2));
        assert_eq!(archive.reached().load(Ordering::SeqCst), 0);
        // Another archive of the same store knows what is there.
        let again = estate.archive(Keep::default());
        assert_eq!(again.written[&1].records, 7);
        assert_eq!(again.written[&1].files.len(), 4);
    }

    #[test]
    fn a_segment_that_ended_is_archived_at_once_and_counts() {
        let mut estate = Estate::new();
        let mut archive = estate.archive(Keep::default());
        estate.take_in(&[record(0, 3, "eu-west-1")]);
        archive.write(false).unwrap();
        estate.take_in(&[record(1, 3, "eu-west-1")]);
        estate.end_segment();
        estate.take_in(&[record(2, 3, "eu-west-1")]);
        archive.write(false).unwrap();
        assert_eq!(estate.files()[0], (name("eu-west-1", 3, 1), 2));
        assert_eq!(archive.reached().load(Ordering::SeqCst), 1);
        // The first segment says that it holds more than there is: that is told.
        assert_eq!(archive.lost(), 199_998);
    }

    #[test]
    fn what_is_too_old_goes_with_its_folders_and_the_last_stays() {
        let mut estate = Estate::new();
        for day in [1, 2, 20] {
            estate.take_in(&[record(day, day, "eu-west-1")]);
            if day < 20 {
                estate.end_segment();
            }
        }
        let keep = Keep {
            days: Some(10),
            gigabytes: None,
        };
        let mut archive = estate.archive(keep);
        archive.write(true).unwrap();
        assert_eq!(estate.files(), [(name("eu-west-1", 20, 3), 1)]);
        let region = "lake/ext/aws.cloudtrail/region=eu-west-1/accountId=111122223333";
        let days = fs::read_dir(estate.folder.path().join(region)).unwrap();
        assert_eq!(days.count(), 1);
        assert_eq!(estate.archive(keep).written.len(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_told_and_written_later() {
        let mut estate = Estate::new();
        estate.take_in(&[record(0, 3, "eu-west-1")]);
        let lake = estate.folder.path().join("lake");
        fs::write(&lake, "a file").unwrap();
        let mut archive = estate.archive(Keep::default());
        let error = archive.write(true).unwrap_err().to_string();
        assert!(error.contains("00000001.zstd.parquet"), "{error}");
        fs::remove_file(&lake).unwrap();
        archive.write(true).unwrap();
        assert_eq!(estate.files(), [(name("eu-west-1", 3, 1), 1)]);
    }
}
