//! When the archive is written: beside the watch, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::archive::Archive;
use super::request::WatchError;
use super::signs::Signs;

/// Between two looks whether anything is to be archived.
const PACE: Duration = Duration::from_secs(2);

/// What the trouble of it is told under.
const NAME: &str = "archive";

/// Whether the log is archived.
#[derive(Default)]
pub(super) enum Archiving {
    /// Nobody asked for it.
    #[default]
    No,
    /// It begins with the watch.
    Asked(Archive),
    /// It goes on.
    Goes {
        reached: Arc<AtomicU64>,
        is_last: Arc<AtomicBool>,
        thread: JoinHandle<()>,
    },
}

impl Archiving {
    /// Begins, where it is asked for.
    pub(super) fn begin(&mut self, signs: &Arc<Signs>) -> Result<(), WatchError> {
        let mut archive = match std::mem::take(self) {
            Self::Asked(archive) => archive,
            other => {
                *self = other;
                return Ok(());
            }
        };
        let (reached, is_last) = (archive.reached(), Arc::<AtomicBool>::default());
        let (signs, ends) = (signs.clone(), is_last.clone());
        let work = move || {
            loop {
                // Read before: what is committed until then is archived.
                let everything = ends.load(Ordering::SeqCst);
                let trouble = match archive.write(everything) {
                    Err(error) => Some(error.to_string()),
                    Ok(()) => Some(archive.lost()).filter(|lost| *lost > 0).map(|lost| {
                        format!("{lost} records of the event log could not be read back")
                    }),
                };
                signs.set_trouble(NAME, trouble);
                if everything {
                    return;
                }
                std::thread::park_timeout(PACE);
            }
        };
        let spawned = std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(work);
        *self = Self::Goes {
            reached,
            is_last,
            thread: spawned.map_err(WatchError::Thread)?,
        };
        Ok(())
    }

    /// Whether a segment is archived, or need not be.
    pub(super) fn has(&self, segment: u64) -> bool {
        match self {
            Self::No => true,
            Self::Asked(_) => false,
            Self::Goes { reached, .. } => segment <= reached.load(Ordering::SeqCst),
        }
    }

    /// Archives what is left, and ends.
    pub(super) fn end(&mut self) {
        if let Self::Goes {
            is_last, thread, ..
        } = std::mem::take(self)
        {
            is_last.store(true, Ordering::SeqCst);
            thread.thread().unpark();
            // What broke down in it was a fault of its own: the event log still holds everything.
            let _ = thread.join();
        }
    }
}
