//! What the watch shows to whoever looks: the latest report, how it is getting on, and word of what is new.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use portreeve_graph::{Catalogue, Difference, Graph};
use portreeve_incident::{Report, Totals};
use portreeve_model::{Estate, Finding};
use serde::Serialize;

/// Everything that is known as of one commit.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The number of the commit.
    pub revision: u64,
    /// When it was written, by the clock of the machine.
    pub written: Timestamp,
    /// What was found; the same as an investigation of the same records would say, and findings of records
    /// that are not folded yet, where a rule needed no other record.
    pub report: Report,
    /// What the report's findings add up to.
    pub totals: Totals,
    /// What the inventory says.
    pub estate: Arc<Estate>,
    /// Who can reach what.
    pub graph: Arc<Graph>,
    /// The steps that the graph knows.
    pub catalogue: Arc<Catalogue>,
    /// How often inventory was read: pictures of the estate hold for one number.
    pub inventory: u64,
    /// What the last change of the inventory did, and when it was read.
    pub inventory_change: Option<Arc<(Timestamp, Difference)>>,
    /// Where records come from.
    pub sources: Vec<SourceState>,
}

/// How one input of one log source is getting on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceState {
    /// The log source: `aws.cloudtrail`.
    pub source: String,
    /// `files` for those that are followed, else who brings the records.
    pub input: String,
    /// Records since the watch began.
    pub records: u64,
    /// When the last of them arrived.
    pub last_arrival: Option<Timestamp>,
    /// The latest time of any of them.
    pub last_event: Option<Timestamp>,
    /// How late records usually come, in seconds: the median of the latest pieces.
    pub usual_delay: Option<i64>,
}

/// How the watch is getting on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It reads inventory and what was taken in before.
    #[default]
    Starting,
    /// It watches.
    Watching,
    /// It takes nothing in until something passes: why.
    Waiting(String),
    /// It has ended: why.
    Failed(String),
    /// It was told to end.
    Ended,
}

impl Health {
    /// Whether it takes records in.
    pub fn is_ready(&self) -> bool {
        *self == Health::Watching
    }
}

/// Upper bounds, in milliseconds, of how long records took from arrival to commit.
pub const LATENCIES: [u64; 12] = [
    50,
    100,
    200,
    300,
    500,
    750,
    1_000,
    2_000,
    5_000,
    10_000,
    60_000,
    u64::MAX,
];

/// The watch in figures, since it began.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Records taken in.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Records that stage two holds.
    pub rows: u64,
    /// Records that came later than the moment before which records were sealed: no correlation saw them.
    pub late: u64,
    /// The moment before which records are sealed; `None` as long as all are held.
    pub sealed_until: Option<Timestamp>,
    /// Parts that could not be read, all in the store.
    pub dead_letters: u64,
    /// How often everything was folded, and how long that took.
    pub folds: u64,
    /// Seconds for that in all.
    pub fold_seconds: f64,
    /// Seconds for the last time.
    pub last_fold_seconds: f64,
    /// Seconds that commits took in all.
    pub commit_seconds: f64,
    /// Records by how long they took from arrival to the commit with all that follows; see [`LATENCIES`].
    pub latency: [u64; LATENCIES.len()],
    /// Records by how long they took from arrival to the commit that keeps them, with the findings that need
    /// no other record; see [`LATENCIES`].
    pub judged: [u64; LATENCIES.len()],
    /// The number of the last piece that was taken in, and of the last that is folded.
    pub(crate) taken: u64,
    pub(crate) folded: u64,
    /// The latest event time of any record.
    pub watermark: Option<Timestamp>,
    /// Whether all is read that there is.
    pub caught_up: bool,
    /// Inputs that are not to be had at the moment, and why; they are waited for.
    pub troubles: BTreeMap<String, String>,
    /// Damage of the event log that was met at the start.
    pub damage: Vec<String>,
}

impl Figures {
    pub(crate) fn took(&mut self, latency: Duration, records: u64) {
        count(&mut self.latency, latency, records);
    }

    pub(crate) fn were_judged(&mut self, latency: Duration, records: u64) {
        count(&mut self.judged, latency, records);
    }

    /// The bound, in milliseconds, that so many in a thousand records stayed below until all that follows was
    /// stored; `None` before any came.
    pub fn latency_of(&self, in_a_thousand: u64) -> Option<u64> {
        share_of(&self.latency, in_a_thousand)
    }

    /// The same until they were kept, with the findings that need no other record.
    pub fn judged_of(&self, in_a_thousand: u64) -> Option<u64> {
        share_of(&self.judged, in_a_thousand)
    }
}

fn count(counts: &mut [u64; LATENCIES.len()], latency: Duration, records: u64) {
    let millis = latency.as_millis() as u64;
    let place = LATENCIES.partition_point(|bound| *bound < millis);
    if let Some(count) = counts.get_mut(place) {
        *count += records;
    }
}

fn share_of(counts: &[u64; LATENCIES.len()], in_a_thousand: u64) -> Option<u64> {
    let total: u64 = counts.iter().sum();
    let wanted = (total * in_a_thousand).div_ceil(1_000);
    let mut seen = 0;
    for (bound, count) in LATENCIES.iter().zip(counts) {
        seen += count;
        if total > 0 && seen >= wanted {
            return Some(*bound);
        }
    }
    None
}

/// What a commit brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct News {
    /// The number of the commit.
    pub revision: u64,
    /// Incidents that are new or changed.
    pub incidents: Vec<String>,
    /// Incidents that went into others: former id to id now.
    pub merged: BTreeMap<String, String>,
    /// How many findings are new or changed.
    pub findings: u64,
    /// How many records came with it.
    pub records: u64,
}

type Listener = Box<dyn Fn(&News) + Send>;

/// Where the watch puts up what it has; shared with whoever shows it.
#[derive(Default)]
pub struct Board {
    shown: RwLock<Option<Arc<Shown>>>,
    health: Mutex<Health>,
    figures: Mutex<Figures>,
    listeners: Mutex<Vec<Listener>>,
    /// Findings that were told at once, by the piece of the log that made them, until that is folded.
    at_once: Mutex<Vec<(u64, Finding)>>,
}

impl std::fmt::Debug for Board {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Board")
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}

/// Adds findings that are not shown yet, each in its place.
fn join<'f>(shown: &mut Shown, findings: impl Iterator<Item = &'f Finding>) {
    for finding in findings {
        let key = |it: &Finding| (it.time.is_none(), it.time);
        let all = &mut shown.report.findings;
        let place = all.partition_point(|it| {
            key(it)
                .cmp(&key(finding))
                .then_with(|| it.id.cmp(&finding.id))
                .is_lt()
        });
        if all.get(place).is_none_or(|it| it.id != finding.id) {
            all.insert(place, finding.clone());
            shown.totals.add(finding);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    /// What is known; `None` until everything that was taken in before is read.
    pub fn shown(&self) -> Option<Arc<Shown>> {
        self.shown
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How the watch is getting on.
    pub fn health(&self) -> Health {
        locked(&self.health).clone()
    }

    /// The watch in figures.
    pub fn figures(&self) -> Figures {
        locked(&self.figures).clone()
    }

    /// Has a function called with each commit. It must not wait for anything.
    pub fn listen(&self, listener: impl Fn(&News) + Send + 'static) {
        locked(&self.listeners).push(Box::new(listener));
    }

    /// Puts up what is known once everything up to a piece of the log is folded. Findings of later pieces
    /// that were told at once stay.
    pub fn show(&self, mut shown: Shown, folded: u64) {
        let mut at_once = locked(&self.at_once);
        at_once.retain(|(piece, _)| *piece > folded);
        join(&mut shown, at_once.iter().map(|(_, finding)| finding));
        let mut board = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = &*board {
            shown.revision = shown.revision.max(before.revision);
        }
        *board = Some(Arc::new(shown));
    }

    /// Adds findings of a piece of the log, which is not folded yet.
    pub(crate) fn show_at_once(&self, piece: u64, findings: Vec<Finding>, revision: u64) {
        let mut at_once = locked(&self.at_once);
        let mut board = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = &mut *board {
            // Copied only where someone looks at it at this moment.
            let shown = Arc::make_mut(shown);
            join(shown, findings.iter());
            shown.revision = shown.revision.max(revision);
            shown.written = Timestamp::now();
        }
        at_once.extend(findings.into_iter().map(|finding| (piece, finding)));
    }

    pub(crate) fn tell(&self, news: &News) {
        for listener in locked(&self.listeners).iter() {
            listener(news);
        }
    }

    pub(crate) fn set_health(&self, health: Health) {
        *locked(&self.health) = health;
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Figures)) {
        change(&mut locked(&self.figures));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_told_by_their_bounds() {
        let mut figures = Figures::default();
        assert_eq!(figures.latency_of(500), None);
        figures.took(Duration::from_millis(40), 980);
        figures.took(Duration::from_millis(400), 15);
        figures.took(Duration::from_secs(3), 5);
        assert_eq!(figures.latency_of(500), Some(50));
        assert_eq!(figures.latency_of(990), Some(500));
        assert_eq!(figures.latency_of(1_000), Some(5_000));
    }
}
