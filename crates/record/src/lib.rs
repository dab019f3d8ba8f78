//! Bytes to records: splits logs into records of any length, and fills in one lazy pass the
//! fields that rules and activities together ask for.
//!
//! This crate knows JSON and nothing of any log source.
//!
//! ```
//! use portreeve_record::{Extractor, Fields, Record, SlotBuffer, Split, SplitOptions, Splitter};
//!
//! let mut fields = Fields::default();
//! let name = fields.intern("eventName");
//! let arn = fields.intern("resources.ARN");
//! let extractor = Extractor::new(&fields);
//!
//! let log = br#"{"eventName":"GetObject","resources":[{"ARN":"a"},{"ARN":"b"}]}
//! {"eventName":"PutObject"}
//! "#;
//! let mut splitter = Splitter::new(&log[..], SplitOptions::default());
//! let mut buffer = SlotBuffer::new();
//! let mut names = Vec::new();
//! let mut arns = 0;
//! while let Some(split) = splitter.next() {
//!     let Split::Record(record) = split else { continue };
//!     let slots = extractor.extract(record.bytes, &mut buffer)?;
//!     names.extend(slots.string(name).map(str::to_owned));
//!     arns += slots.values(arn).len();
//! }
//! assert_eq!(names, ["GetObject", "PutObject"]);
//! assert_eq!(arns, 2);
//! # Ok::<(), portreeve_record::ExtractError>(())
//! ```

mod buffer;
mod envelope;
mod extract;
mod field;
#[cfg(test)]
mod laws;
mod machine;
mod places;
mod quick;
mod repeats;
mod scan;
mod shapes;
mod slots;
mod split;
mod stops;
mod tokens;

pub use buffer::{View, Window};
pub use extract::{Elements, ExtractError, Extractor, MAX_DEPTH};
pub use field::{FieldId, Fields, Record, Value};
pub use repeats::{MintedFields, Occasion, Repeat, Repeats, SessionFields, Sought};
pub use slots::{SlotBuffer, Slots};
pub use split::{RawRecord, Split, SplitOptions, Splitter};
