//! Posture checks: what in an estate's configuration helps an intruder, before anyone has come.
//!
//! A [`Check`] is one file in `src/checks/`: what it asks, why, how it is mended, how it judges, and
//! inventories that it is tested by. It looks at the estate, and where policies decide it asks
//! authorisation or the graph. It says *pass*, *fail* or *unknown*: what the inventory does not
//! show is named ([`Posture::unknown`]), and never passes.
//!
//! What failed is put in the order in which it wants a look: first what lies on an attack path to a
//! crown jewel, with the shortest such path; then by severity and exposure.
//!
//! ```
//! use portreeve_graph::{Catalogue, Graph};
//! use portreeve_model::Estate;
//! use portreeve_posture::{Scene, Settings, check};
//!
//! let export = br#"{"Account": "111122223333", "PasswordPolicy": {"MinimumPasswordLength": 8}}"#;
//! let mut estate = Estate::default();
//! portreeve_estate::read("password-policy.json", export, &mut estate);
//! portreeve_estate::complete(&mut estate);
//! let graph = Graph::build(&estate, &Catalogue::default(), &[]);
//! let settings = Settings::default();
//! let as_of = "2026-03-01T00:00:00Z".parse().unwrap();
//!
//! let posture = check(&Scene::new(&estate, &graph, &settings, as_of));
//! assert!(posture.findings.iter().any(|finding| finding.check == "aws.password-length"));
//! ```

mod check;
mod checks;
mod grants;
mod guardrails;
mod policy;
mod ports;
mod report;
mod run;
mod scene;
mod settings;
mod suppress;
mod trails;
mod verdicts;

pub use check::{Check, Example, Limit, Verdict};
pub use report::{CheckCounts, Counts, Failure, Posture, SuppressionState, SuppressionUse, Unseen};
pub use run::{check, checks};
pub use scene::Scene;
pub use settings::{Settings, Suppression};
