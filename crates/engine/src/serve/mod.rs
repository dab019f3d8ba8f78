//! The watch: follows logs as they arrive, and keeps incidents current.
//!
//! | part | job |
//! |---|---|
//! | `follow`, `objects`, `stdin` and [`Intake`] | inputs to records, each with where it stands and a durable mark |
//! | `signs` | what those tell beside records, and whether to stop |
//! | [`EventLog`] | keeps every record, in order of arrival; [`Segments`] is its embedded form |
//! | [`Watch`], `taking` | stage one: records to the log and to batches, committed with the marks and the findings that need no other record |
//! | `handover`, `queue` | batches in order of the log, from stage one to stage two |
//! | `fold` | stage two: what follows from all records that are held, committed as soon as it is folded |
//! | `ledger` | the store, as both write to it |
//! | `pruning` | which marks of files that are gone are kept |
//! | `hold`, `retention` | bound how many records stage two holds, and how much of the log is kept |
//! | `archive`, `archiving` | what the log holds, as OCSF in Parquet; with the feature `parquet` |
//! | [`Board`] | what there is to see, for whoever shows it |
//!
//! This is the edge of the engine: only here it is known what time it is.

#[cfg(feature = "parquet")]
mod archive;
#[cfg(feature = "parquet")]
mod archiving;
mod board;
mod changes;
mod event_log;
mod fold;
mod folder;
mod follow;
mod handover;
mod hold;
mod intake;
mod ledger;
mod mark;
mod objects;
mod pruning;
mod queue;
mod read;
mod request;
mod retention;
mod settings;
mod signs;
mod source;
mod stdin;
mod taking;
mod watch;

#[cfg(feature = "parquet")]
pub use archive::{Archive, ArchiveError};
pub use board::{Board, Figures, Health, LATENCIES, News, Shown, SourceState};
pub use event_log::{Damage, Entry, EventLog, Segments};
pub use folder::{DataFolder, DataFolderError, below};
pub use intake::{Intake, Receipt, Refusal};
pub use objects::{Notice, Object, Objects};
pub use request::{HOLD, Pace, Stop, WatchError, WatchRequest};
pub use retention::Keep;
pub use settings::{LogFormat, ServeSettings, SettingError};
pub use watch::Watch;
