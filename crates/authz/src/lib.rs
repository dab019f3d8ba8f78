//! "May P do A on R in context C?"
//!
//! This crate answers that question from policies alone: *allowed*, *denied* (by which layer and
//! statement), or *depends* on conditions that are not known, each marked with who decides it:
//! the caller, the surroundings, or the estate as it stands. It knows no graph, no file format of
//! inventories and no clock; the same question has the same answer always.
//!
//! What is not known never turns into yes or no: a condition key without a value, a statement
//! that cannot be read and a policy whose text is missing all make the answers that they could
//! change *depends*.
//!
//! [`aws`] evaluates AWS IAM; [`aws::index`] does so for many questions about one estate, and
//! [`aws::case`] for tests of policies. Other providers get modules of their own beside it, with the same
//! [`Answer`].
//!
//! ```
//! use portreeve_authz::Decision;
//! use portreeve_authz::aws::{
//!     Absent, AttachedPolicy, Caller, Context, Document, PrincipalPolicies, Request, Target,
//!     evaluate,
//! };
//!
//! let document = Document::parse(r#"{
//!     "Version": "2012-10-17",
//!     "Statement": [{
//!         "Sid": "Upload",
//!         "Effect": "Allow",
//!         "Action": "s3:PutObject",
//!         "Resource": "arn:aws:s3:::web-prod/*",
//!         "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
//!     }]
//! }"#)?;
//! let policies = PrincipalPolicies {
//!     identity: vec![AttachedPolicy::new("deploy", document)],
//!     ..PrincipalPolicies::default()
//! };
//! let anna = Caller::from_arn("arn:aws:iam::111122223333:user/anna").unwrap();
//!
//! let ask = |context: &Context| {
//!     let request = Request {
//!         principal: &anna,
//!         action: "s3:PutObject",
//!         target: Target::Exact("arn:aws:s3:::web-prod/app.js"),
//!         context,
//!     };
//!     evaluate(&request, &policies, None)
//! };
//!
//! let answer = ask(&Context::new(Absent::Unknown));
//! assert_eq!(answer.decision, Decision::Depends);
//! assert_eq!(answer.condition_keys(), ["aws:MultiFactorAuthPresent"]);
//! assert_eq!(answer.statement.unwrap().to_string(), "deploy#Upload");
//!
//! let answer = ask(&Context::new(Absent::Absent));
//! assert_eq!(answer.decision, Decision::Denied);
//! # Ok::<(), portreeve_authz::aws::PolicyError>(())
//! ```

mod answer;
pub mod aws;

pub use answer::{Answer, Atom, Decision, KeyClass, PolicyLayer, StatementRef};
