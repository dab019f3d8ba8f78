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
//!
//! # How it works
//!
//! [`parse`] reads a file into [`Rule`]s and [`Diagnostic`]s; a document that cannot be used does
//! not take the others along. [`Matcher::new`] compiles all rules together: predicates that rules
//! share are asked once a record, and rules that demand one of certain values of a field are
//! reached through a hash of these values, so that a record is tested only against rules that it
//! can match; rules of keywords are reached through one search for all of them. Verdicts are three-valued ([`Verdict`]): a field whose value is
//! [`Value::Unknown`](portreeve_record::Value::Unknown) makes a rule answer `Unknown` where the
//! field could still change the answer, and [`Matcher::evaluate_one`] asks again once it is known.
//!
//! # Choices where the specification is silent
//!
//! Each with its reason; the full list is `docs/sigma-choices.md` in the repository.
//!
//! * **Null** matches a field that is absent or `null`, and neither an empty string nor an empty
//!   list: logs leave out what has no value, and rules ask for that with `null`.
//! * **An array** matches when one of its elements does: a field with several values is what it is
//!   to search tools. An empty one has nothing to match, and exists.
//! * **An object** is matched by its JSON text, first as written, then without white space between
//!   tokens and with the escapes of its strings undone: public rules quote policies, which are
//!   strings inside of objects, and formatting must not decide.
//! * **Text and other types.** A string of a rule is compared with the text of a number or boolean
//!   (`'true'` matches `true`); a number of a rule also by value (`5` matches `5.0`), exactly: an
//!   account number must not be rounded.
//! * **Scalars** are typed by the core schema of YAML 1.2, to which the specification points: `No`
//!   is a string.
//! * **Case** is ignored as Unicode maps single characters; regular expressions are cased.
//! * **`neq`** is the exact negation of the field without it, so that it agrees with `not` in the
//!   condition; an absent field is different.
//! * **`re`** is found anywhere in the value, as in the tools that rules are tested with. One that
//!   needs look-around runs with a bound on its steps; where that bites the answer is `Unknown`,
//!   for neither of the others would be true.
//! * **`windash`** changes dashes and slashes that begin a word: the others begin no flag.
//! * **`fieldref`** compares text; an absent, null or (as a part) empty field matches nothing, for
//!   an empty text is a part of every text.
//! * **Time modifiers** take a part of an ISO 8601 text as it is written and may stand with a
//!   comparison.
//! * **Keywords** are found anywhere in the record's text, keys included: "the full log message".
//! * **`1 of` a pattern that means no identifier** is an error: such a rule is a slip.
//! * **Placeholders** without values make a rule be refused, as the specification demands.
//! * **A rule without a level** counts as medium: an omission must not hide it.

mod collection;
mod condition;
mod convert;
pub mod correlate;
mod correlation;
mod date;
mod detection;
mod diagnostic;
mod explain;
mod expression;
mod filter;
mod index;
mod json;
mod keywords;
mod lint;
mod look;
mod matcher;
mod memo;
mod modifier;
mod number;
mod parse;
mod pattern;
mod pipeline;
mod predicate;
mod regular;
mod rule;
mod sample;
mod settings;
mod test;
mod text;
mod verdict;
mod yaml;

pub use convert::{Converted, convert};
pub use correlation::{Bound, Correlation, CorrelationKind, RuleCondition, Threshold};
pub use diagnostic::{Diagnostic, DiagnosticKind, DiagnosticSeverity, Located};
pub use explain::{Explained, explain};
pub use filter::{Filter, Filtered, apply_filters};
pub use index::WayTo;
pub use lint::{FieldKnowledge, lint};
pub use look::Look;
pub use matcher::{Hit, Matcher, Scratch};
pub use parse::{Parsed, parse};
pub use pipeline::{Pipeline, parse_placeholders};
pub use rule::{LogSource, Rule, Status, UnknownStatus};
pub use sample::Sample;
pub use settings::SettingsReader;
pub use verdict::Verdict;
