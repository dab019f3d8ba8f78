//! The watch: follows logs as they arrive, and keeps incidents current.
//!
//! | part | job |
//! |---|---|
//! | `follow`, `objects`, `stdin` and [`Intake`] | inputs to records, each with where it stands and a durable mark |
//! | [`EventLog`] | keeps every record, in order of arrival; [`Segments`] is its embedded form |
//! | [`Watch`] | records through both stages; what follows is committed with the marks |
//! | `hold`, `retention` | bound how many records stage two holds, and how much of the log is kept |
//! | [`Board`] | what there is to see, for whoever shows it |
//!
//! This is the edge of the engine: only here it is known what time it is.

mod board;
mod changes;
mod event_log;
mod folder;
mod follow;
mod hold;
mod intake;
mod mark;
mod objects;
mod retention;
mod settings;
mod source;
mod stdin;
mod watch;

pub use board::{Board, Figures, Health, LATENCIES, News, Shown, SourceState};
pub use event_log::{Damage, Entry, EventLog, Segments};
pub use folder::{DataFolder, DataFolderError};
pub use intake::{Intake, Receipt, Refusal};
pub use objects::{Notice, Object, Objects};
pub use retention::Keep;
pub use settings::{LogFormat, ServeSettings, SettingError};
pub use watch::{HOLD, Pace, Stop, Watch, WatchError, WatchRequest};
