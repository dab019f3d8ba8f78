//! The records that were kept, as they arrived: one of them, or what a hunt finds in them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use portreeve_detect::hunt::{Known, Match};
use portreeve_engine::serve::{EventLog, Segments};
use portreeve_engine::{
    HuntError, HuntRequest, HuntRules, HuntSink, Hunted, Placeholders, Silent, hunt, record_named,
};
use portreeve_view::html::live::Searched;

use crate::app::App;
use crate::error::Refused;

/// How many records one hunt goes through at most, about: whole parts of the log are searched.
const RECORDS: u64 = 2_000_000;

/// How many matches are shown.
const MATCHES: usize = 100;

/// The event log, to be read.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    /// One hunt at a time: the watch goes on beside it.
    hunting: Mutex<()>,
}

/// What is asked of it.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) rules: HuntRules,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// Only parts of the log with a lesser number.
    pub(crate) before: Option<u64>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) hunted: Hunted,
    pub(crate) matches: Vec<Match>,
    pub(crate) searched: Searched,
}

struct Kept(Vec<Match>);

impl HuntSink for Kept {
    fn found(&mut self, found: &Match, _: &Known) -> std::io::Result<()> {
        if self.0.len() < MATCHES {
            self.0.push(found.clone());
        }
        Ok(())
    }
}

impl Archive {
    /// The event log in this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            hunting: Mutex::default(),
        }
    }

    /// One record, by what brought it and its number there.
    pub(crate) fn record(&self, app: &App, file: &str, index: u64) -> Result<Vec<u8>, Refused> {
        let segments = app.store(|store| store.segments())?;
        Segments::read_only(&self.folder, segments)
            .find(file, index)
            .ok_or_else(|| Refused::missing("record"))
    }

    /// One record, by the part of the log that holds it and its number there; with what that part is called.
    pub(crate) fn line(&self, segment: u64, index: u64) -> Result<(String, Vec<u8>), Refused> {
        let name = format!("{segment:08}.ndjson.zst");
        let path = self.folder.join(&name);
        let bytes = record_named(&format!("{}#{index}", path.display()))
            .map_err(|_| Refused::missing("record"))?;
        Ok((name, bytes))
    }

    /// Hunts through the latest records, on half of the machine at most.
    pub(crate) fn hunt(&self, app: &App, question: Question) -> Result<Answer, Refused> {
        let _alone = match self.hunting.try_lock() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                let words = "another hunt is running; it takes a few seconds";
                return Err(Refused::later(status, words, 5));
            }
        };
        let mut segments = app.store(|store| store.segments())?;
        segments.retain(|segment| question.before.is_none_or(|before| segment.number < before));
        let mut records = 0;
        let mut paths = Vec::new();
        let mut before = None;
        while let Some(segment) = segments.last() {
            if records > 0 && records + segment.records > RECORDS {
                before = Some(segment.number + 1);
                break;
            }
            records += segment.records;
            paths.push(
                self.folder
                    .join(format!("{:08}.ndjson.zst", segment.number)),
            );
            segments.pop();
        }
        if paths.is_empty() {
            return Err(Refused::missing("record: nothing was kept before that"));
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let request = HuntRequest {
            paths,
            rules: question.rules,
            placeholders: Placeholders::new(),
            any_source: false,
            since: question.since,
            until: question.until,
            wanted: Vec::new(),
            sample: 1,
            threads: threads.div_ceil(2),
            lateness: Duration::from_secs(24 * 3_600),
            measured: false,
            state: None,
            stop: Arc::default(),
        };
        let mut kept = Kept(Vec::new());
        let hunted = hunt(&request, &mut kept, &Silent).map_err(|error| match error {
            HuntError::NothingReadable(_) => Refused::missing("record: nothing was kept yet"),
            error @ (HuntError::Output(_) | HuntError::State(_)) => {
                Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
        })?;
        Ok(Answer {
            hunted,
            matches: kept.0,
            searched: Searched {
                older: segments.iter().map(|segment| segment.records).sum(),
                before,
            },
        })
    }
}
