//! Log sources: how each is recognised, how its records are found in whatever they are wrapped
//! in, and what each record says as an [`Activity`](portreeve_model::Activity).
//!
//! A source is one file in `src/sources/`, with a `pub(crate) static SOURCE` that implements
//! [`Source`]; nothing else names it. Sources judge nothing.
//!
//! The way of a file: [`recognise`] its head; split it by [`Source::split_options`] (or read its
//! rows by [`Source::rows`]); extract each record once; where [`Reader::is_native`] says no,
//! [`Reader::unwrap`] it and extract what is inside; ask for the [`Reader::activity`].
//!
//! ```
//! use portreeve_record::{Extractor, Fields, SlotBuffer, Split, Splitter};
//! use portreeve_telemetry::{recognise, source};
//!
//! let file = br#"{"Records":[{"eventVersion":"1.09","eventSource":"sts.amazonaws.com",
//!   "eventName":"GetCallerIdentity","eventTime":"2026-03-03T07:44:00Z","userIdentity":
//!   {"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}}]}"#;
//! let recognition = recognise(file).unwrap();
//! assert_eq!((recognition.source, recognition.format), ("aws.cloudtrail", "records"));
//!
//! let source = source(recognition.source).unwrap();
//! let mut fields = Fields::default();
//! let reader = source.prepare(&mut fields);
//! let extractor = Extractor::new(&fields);
//! let mut splitter = Splitter::new(&file[..], source.split_options());
//! let Some(Split::Record(record)) = splitter.next() else { panic!() };
//! let mut buffer = SlotBuffer::new();
//! let slots = extractor.extract(record.bytes, &mut buffer).unwrap();
//! assert!(reader.is_native(&slots));
//! let activity = reader.activity(&slots);
//! assert_eq!(activity.service, "sts");
//! assert_eq!(activity.operation, "GetCallerIdentity");
//! assert_eq!(activity.actor.principal, "arn:aws:iam::111122223333:root");
//! ```

mod permissions;
mod registry;
mod source;

pub use permissions::{SILENT, Silence, is_data_event, permissions};
pub use registry::{recognise, source, sources};
pub use source::{
    Brief, Container, LogSource, OcsfClass, Reader, Recognition, Rows, Source, Unwrapped,
};
