//! The watch: follows logs as they arrive, and keeps incidents current.
//!
//! | part | job |
//! |---|---|
//! | `follow`, `stdin` and [`Intake`] | inputs to records, each with where it stands and a durable mark |
//! | [`EventLog`] | keeps every record, in order of arrival; [`Segments`] is its embedded form |
//! | [`Watch`] | records through both stages; what follows is committed with the marks |
//! | [`Board`] | what there is to see, for whoever shows it |
//!
//! This is the edge of the engine: only here it is known what time it is.

mod board;
mod changes;
mod event_log;
mod follow;
mod intake;
mod mark;
mod stdin;
mod watch;

pub use board::{Board, Figures, Health, LATENCIES, News, Shown, SourceState};
pub use event_log::{Damage, Entry, EventLog, Segments};
pub use intake::{Intake, Receipt, Refusal};
pub use watch::{DataFolder, DataFolderError, Pace, Stop, Watch, WatchError, WatchRequest};
