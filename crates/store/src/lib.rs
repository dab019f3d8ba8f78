//! Keeps what the watch has found, and what people wrote beside it.
//!
//! A [`Commit`] is one transaction: findings, incidents, keyed state, offsets of inputs, pieces of the
//! event log and dead letters come to be together or not at all. A record counts as taken in when the
//! commit that holds its offset is written, so a process that is killed at any instant begins again where
//! the last commit ended.
//!
//! What people add (notes, owner, state of an incident, what is one and what is not of it, tokens, the
//! audit log) lies in tables of its own,
//! which no commit writes: what is derived can be derived anew without losing a word of theirs.
//!
//! The store decides nothing and reads nothing: values are bytes to it.
//!
//! ```
//! use portreeve_store::{Commit, Sqlite, Store, Value};
//!
//! let folder = tempfile::tempdir()?;
//! let mut store = Sqlite::open(&folder.path().join("portreeve.db"))?;
//! let revision = store.commit(&Commit {
//!     findings: vec![("f1".to_owned(), Some(Value::from(br#"{"id":"f1"}"#.as_slice())))],
//!     offsets: vec![("logs/a.json".to_owned(), Some(b"4096".to_vec()))],
//!     ..Commit::default()
//! })?;
//! assert_eq!(revision, 1);
//! assert_eq!(store.finding("f1")?.unwrap(), br#"{"id":"f1"}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
#[cfg(feature = "parquet")]
pub mod parquet;
mod people;
mod schema;
mod sqlite;

use std::path::Path;

use jiff::Timestamp;
use portreeve_model::DeadLetter;

pub use error::StoreError;
pub use people::{AuditEntry, Care, Decision, DecisionKind, Note, Role, State, StoredToken};
pub use sqlite::Sqlite;

/// A finding or an incident as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// The document, mostly JSON.
    pub body: Vec<u8>,
    /// What lists are ordered by, highest first: a score or a severity.
    pub rank: i64,
    /// When, in microseconds since 1970, for those who know no more than the store.
    pub time: Option<i64>,
}

impl From<&[u8]> for Value {
    fn from(body: &[u8]) -> Self {
        Self {
            body: body.to_vec(),
            ..Self::default()
        }
    }
}

/// A piece of the event log: how far a file of it is valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Its number; numbers rise.
    pub number: u64,
    /// How many bytes of the records' file are valid.
    pub bytes: u64,
    /// How many bytes of the positions' file are valid.
    pub positions: u64,
    /// How many records it holds.
    pub records: u64,
    /// The time of its latest record, in microseconds since 1970.
    pub latest: Option<i64>,
}

/// One change of the keyed state: the space, the key in it, and its new value or none.
pub type StateChange = (String, Vec<u8>, Option<Vec<u8>>);

/// What is written in one transaction. In each list the last entry of a key counts, and an entry without a
/// value removes what was stored.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Findings by id.
    pub findings: Vec<(String, Option<Value>)>,
    /// Incidents by id.
    pub incidents: Vec<(String, Option<Value>)>,
    /// Incidents that went into others: former id, id now. What people wrote to the former is found by
    /// both.
    pub aliases: Vec<(String, String)>,
    /// Keyed state.
    pub state: Vec<StateChange>,
    /// How far each input was read.
    pub offsets: Vec<(String, Option<Vec<u8>>)>,
    /// The event log's pieces that grew or began.
    pub segments: Vec<Segment>,
    /// Pieces that are no longer of the log.
    pub dropped_segments: Vec<u64>,
    /// What could not be read. One of the same place and reason is kept once.
    pub dead_letters: Vec<DeadLetter>,
}

/// Where the watch keeps what it must not forget.
pub trait Store: Send {
    /// Writes all of a commit, or nothing, and gives the number of the commit. When it returns the commit
    /// is on disk.
    ///
    /// # Errors
    /// Nothing was written then, and the same commit may be tried again.
    fn commit(&mut self, commit: &Commit) -> Result<u64, StoreError>;

    /// The number of the last commit; 0 before the first.
    fn revision(&self) -> Result<u64, StoreError>;

    /// Hands over all findings, in order of id.
    fn each_finding(&self, take: &mut dyn FnMut(&str, &[u8])) -> Result<(), StoreError>;

    /// Hands over all incidents, in order of id.
    fn each_incident(&self, take: &mut dyn FnMut(&str, &[u8])) -> Result<(), StoreError>;

    /// One finding.
    fn finding(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// One incident, by its id or an alias.
    fn incident(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// What an incident is called now: the id itself, or that of the incident that it went into.
    fn incident_id(&self, id: &str) -> Result<String, StoreError>;

    /// The keyed state of one space, in order of key.
    fn state(&self, space: &str, take: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError>;

    /// How far each input was read, in order of name.
    fn offsets(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// The pieces of the event log, in order of number.
    fn segments(&self) -> Result<Vec<Segment>, StoreError>;

    /// The first dead letters in order of file, offset and reason; and how many there are.
    fn dead_letters(&self, limit: usize) -> Result<(Vec<DeadLetter>, u64), StoreError>;

    /// Adds a note to an incident.
    fn add_note(&mut self, incident: &str, note: &Note) -> Result<(), StoreError>;

    /// An incident's notes, the oldest first, those of its aliases too.
    fn notes(&self, incident: &str) -> Result<Vec<Note>, StoreError>;

    /// Says whose an incident is and how it stands.
    fn set_care(&mut self, incident: &str, care: &Care) -> Result<(), StoreError>;

    /// Whose each incident is and how it stands, by the id that it has now, of those that anyone cared for.
    fn cares(&self) -> Result<Vec<(String, Care)>, StoreError>;

    /// Adds what someone decided, and gives its number.
    fn add_decision(&mut self, decision: &Decision) -> Result<u64, StoreError>;

    /// Undoes a decision; whether it stood until then.
    fn undo_decision(
        &mut self,
        number: u64,
        who: &str,
        time: Timestamp,
    ) -> Result<bool, StoreError>;

    /// All decisions, those that were undone too, in order of number.
    fn decisions(&self) -> Result<Vec<Decision>, StoreError>;

    /// How each incident stood when a target was told of it last, in order of id.
    fn told(&self, target: &str) -> Result<Vec<(String, String)>, StoreError>;

    /// Sets down how an incident stood when a target was told of it.
    fn set_told(&mut self, target: &str, incident: &str, state: &str) -> Result<(), StoreError>;

    /// Writes to the audit log.
    fn audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// The latest entries of the audit log, the latest first.
    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// Keeps a token's hash. One of the same name is replaced.
    fn add_token(&mut self, token: &StoredToken) -> Result<(), StoreError>;

    /// Forgets a token; whether there was one.
    fn remove_token(&mut self, name: &str) -> Result<bool, StoreError>;

    /// All tokens, in order of name.
    fn tokens(&self) -> Result<Vec<StoredToken>, StoreError>;

    /// Writes a copy of everything, as of one moment, to a new file, while others go on writing.
    fn backup(&self, to: &Path) -> Result<(), StoreError>;

    /// Reads everything and says what is damaged; empty where nothing is. Takes as long as reading the
    /// whole store.
    fn check(&self) -> Result<Vec<String>, StoreError>;
}

/// Microseconds since 1970, as times are stored.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}
