//! How things look: reports, paths and timelines as text, JSON, HTML and SVG.
//!
//! Everything here is a pure function from what was found to text or bytes. Nothing in this crate
//! reads a file, prints, knows the time, or decides what matters: that is done by the crates above.
//!
//! | module | what it makes |
//! |---|---|
//! | [`terminal`] | the report that a responder reads first, at 80 columns or fewer |
//! | [`html`] | the report as one page that needs no network |
//! | [`json`], [`ndjson`], [`ocsf`], [`stix`] | what machines read |
//! | [`sarif`], [`compliance`] | failures of posture checks for code hosts and SIEMs |
//! | [`applied`] | a plan as it is shown before its changes are made, and how they ended |
//! | [`collected`] | what a collection of inventory read, for the others to lay out |
//! | [`network`] | a graph or a part of one, for the next three |
//! | [`opengraph`], [`graphml`], [`dot`] | the graph for other tools |
//! | [`posture`] | posture checks, for the others to lay out |
//! | [`policy`] | answers of authorisation, for the others to lay out |
//! | [`difference`] | what a change opened and closed, for the others to lay out |
//! | [`keys`] | credentials and what they open, for the others to lay out |
//! | [`roads`] | ways and losses, for the others to lay out |
//! | [`verification`] | what digests prove, for the others to lay out |
//! | [`redact`] | the report with every name replaced, for handing on |
//! | [`svg`] | a picture of terminal output |
//! | [`text`] | cleaning, measuring and wrapping of text that an intruder may have written |
//!
//! ```
//! use portreeve_view::text;
//!
//! // A user agent is written by whoever makes the call: it must not steer the reader's terminal.
//! assert_eq!(text::clean("curl\u{1b}[2J"), "curl<U+001B>[2J");
//!
//! let rows = [vec!["s3:GetObject".to_owned(), "140".to_owned()]];
//! let options = portreeve_view::terminal::Options::default();
//! let table = portreeve_view::terminal::table(&["action", "calls"], &rows, &options);
//! assert!(table.contains("s3:GetObject  140"));
//! ```

pub mod applied;
mod backtest;
pub mod collected;
pub mod compliance;
pub mod cut;
pub mod difference;
pub mod dot;
mod fold;
pub mod graphml;
pub mod html;
pub mod hunt;
pub mod json;
pub mod keys;
mod lineage;
mod listing;
mod name;
pub mod ndjson;
pub mod network;
pub mod ocsf;
pub mod opengraph;
pub mod policy;
pub mod posture;
mod race;
pub mod redact;
pub mod roads;
pub mod sarif;
pub mod stix;
pub mod svg;
pub mod terminal;
pub mod text;
pub mod verification;
mod wallet;
