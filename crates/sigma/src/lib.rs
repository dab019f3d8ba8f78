//! Sigma rules: parse, compile all of them into one matcher, match records.
//!
//! This crate reads [Sigma 2.1](https://github.com/SigmaHQ/sigma-specification) rules and knows
//! nothing of clouds: it matches whatever implements [`portreeve_record::Record`].
//!
//! ```
//! use portreeve_record::{Extractor, Fields, SlotBuffer};
//! use portreeve_sigma::{Matcher, Scratch, Verdict, parse};
//!
//! let parsed = parse("root.yml", "
//! title: Root was used
//! logsource: { product: aws, service: cloudtrail }
//! detection:
//!     selection:
//!         userIdentity.type: Root
//!     filter:
//!         eventType: AwsServiceEvent
//!     condition: selection and not filter
//! level: high
//! ");
//! assert!(parsed.diagnostics.is_empty());
//!
//! let mut fields = Fields::default();
//! let (matcher, problems) = Matcher::new(&parsed.rules, &mut fields);
//! assert!(problems.is_empty());
//!
//! let extractor = Extractor::new(&fields);
//! let mut buffer = SlotBuffer::new();
//! let record = br#"{"userIdentity": {"type": "Root"}, "eventType": "AwsApiCall"}"#;
//! let record = extractor.extract(record, &mut buffer)?;
//!
//! let (mut scratch, mut hits) = (Scratch::new(), Vec::new());
//! matcher.matches(&record, &mut scratch, &mut hits);
//! assert_eq!(hits[0].rule, 0);
//! assert_eq!(hits[0].verdict, Verdict::Yes);
//! # Ok::<(), portreeve_record::ExtractError>(())
//! ```

mod condition;
mod date;
mod detection;
mod diagnostic;
mod expression;
mod index;
mod json;
mod matcher;
mod modifier;
mod number;
mod parse;
mod pattern;
mod predicate;
mod rule;
mod test;
mod text;
mod verdict;
mod yaml;

pub use diagnostic::{Diagnostic, DiagnosticKind, DiagnosticSeverity};
pub use matcher::{Hit, Matcher, Scratch};
pub use parse::{Parsed, parse};
pub use rule::{LogSource, Rule, Status, UnknownStatus};
pub use verdict::Verdict;
