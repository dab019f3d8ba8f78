//! Correlations over time: counts, measures and sequences of what rules matched.
//!
//! [`Plan`] is the correlations compiled over the rules that they refer to. It makes [`Items`] of
//! records that rules matched, on any thread. A [`Correlator`] folds items in order of event time
//! and tells [`Match`]es.
//!
//! ```
//! use std::sync::Arc;
//! use portreeve_record::{Extractor, Fields, SlotBuffer};
//! use portreeve_sigma::correlate::{Bounds, Correlator, Items, Plan, Reference};
//! use portreeve_sigma::parse;
//!
//! let parsed = parse("failures.yml", "
//! title: Three failures of one user within a minute
//! correlation:
//!     type: event_count
//!     rules: [failure]
//!     group-by: [user]
//!     timespan: 1m
//!     condition: { gte: 3 }
//! ---
//! title: A failure
//! name: failure
//! logsource: { product: example }
//! detection:
//!     selection: { outcome: failure }
//!     condition: selection
//! ");
//! let mut fields = Fields::default();
//! let (plan, problems) = Plan::new(&parsed.correlations, &parsed.rules, &mut fields);
//! assert!(problems.is_empty());
//! let plan = Arc::new(plan);
//! let extractor = Extractor::new(&fields);
//! let mut correlator = Correlator::new(plan.clone(), Bounds::default());
//! let (mut buffer, mut items, mut matches) = (SlotBuffer::new(), Items::new(), Vec::new());
//! for second in 0..3 {
//!     let record = extractor.extract(br#"{"user": "ann", "outcome": "failure"}"#, &mut buffer)?;
//!     let reference = Reference { source: 0, index: second };
//!     plan.items(0, &record, second as i64 * 1_000_000, reference, &mut items);
//! }
//! correlator.fold(&items, &mut matches);
//! correlator.finish(&mut matches);
//! assert_eq!(matches[0].records.len(), 3);
//! assert_eq!(matches[0].group[0].1, "ann");
//! # Ok::<(), portreeve_record::ExtractError>(())
//! ```
//!
//! # What a correlation says, exactly
//!
//! Records stand in order of time, then of their [`Reference`]. A group is the records that agree in
//! all fields of `group-by`; a record without one of them takes no part. A value of more than 1,024
//! bytes stands in a group as its beginning, its length and a hash of it.
//!
//! * A condition that more can only help (`gt`, `gte`, rules joined by `and` and `or`) is asked with
//!   each record, over the time span that ends with it, both ends included. It holds with that record
//!   or not.
//! * Any other condition (`lt`, `lte`, `eq`, `neq`, `not`) cannot be decided before the time span is
//!   over. The span begins with the first record of the group that is in no span yet, and is decided
//!   when it is over.
//! * `event_count` counts records; one that several of the rules match counts once. `value_count`
//!   counts different values, with regard to case. `value_sum` and `value_avg` add up exactly, in
//!   billionths. `value_percentile` and `value_median` are the nearest rank: always a value that was
//!   there.
//! * `temporal` counts which of its rules matched. `temporal_ordered` wants different records in
//!   their order.
//! * A correlation that others refer to feeds them each time that it holds, with the record that made
//!   it hold. A reader is told once: while a condition goes on holding, each time within a time span
//!   of the last, it is one [`Match`].
//!
//! # Why the order of input does not matter
//!
//! Items wait until the watermark, the latest time seen less the allowed lateness, has passed them,
//! and are then folded in order. Groups live in a fixed number of partitions by the hash of their
//! values; bounds are kept by partition, so that which groups are let go does not depend on threads.
//! Matches are told in the order in which they are over, which the watermark passes only once.
//!
//! Folding an item costs a look-up of its group and constant time, or the logarithm of what its
//! window holds where values are told apart or ranked; no window is walked through.

mod compile;
mod correlator;
mod feed;
mod item;
mod plan;
mod recency;
mod saved;
mod table;
mod waiting;
mod window;

pub use correlator::{Account, Bounds, Correlator, LetGo, Match};
pub use item::{Items, Reference};
pub use plan::Plan;
pub use saved::{RestoreError, Saved};
