//! Answers of authorisation, as reports show them.

use portreeve_authz::aws::case::CaseDecision;
use portreeve_authz::{Atom, KeyClass, PolicyLayer, StatementRef};
use serde::Serialize;

/// One test case of a policy, as it went.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TestedCase<'a> {
    /// What the case is called.
    pub id: &'a str,
    /// What it came to.
    pub decision: CaseDecision,
    /// The layer that the decision rests on.
    pub layer: Option<PolicyLayer>,
    /// The statement that it rests on.
    pub statement: Option<&'a StatementRef>,
    /// What it hangs on.
    pub depends_on: &'a [Atom],
    /// What was expected; none where the case only asks.
    pub expected: Option<CaseDecision>,
    /// Whether the decision is the one expected; true where none is.
    pub pass: bool,
    /// Why the case is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// Who asks.
    pub principal: &'a str,
    /// To do what.
    pub action: &'a str,
    /// On what.
    pub resource: &'a str,
    /// The file that the case stands in.
    pub file: &'a str,
    /// Its line, from 1.
    pub line: u64,
}

/// A line that is no case.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct UnreadLine<'a> {
    /// The file.
    pub file: &'a str,
    /// The line, from 1.
    pub line: u64,
    /// Why.
    pub reason: &'a str,
}

/// All cases of a run.
#[derive(Clone, Copy, Debug)]
pub struct PolicyTests<'a> {
    /// The cases, in order of files and lines.
    pub cases: &'a [TestedCase<'a>],
    /// Lines that are no case.
    pub unread: &'a [UnreadLine<'a>],
    /// How long it took.
    pub seconds: f64,
}

/// The run in numbers.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Counts {
    pub(crate) cases: usize,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) unread: usize,
    pub(crate) seconds: f64,
}

impl PolicyTests<'_> {
    pub(crate) fn counts(&self) -> Counts {
        let passed = self.cases.iter().filter(|case| case.pass).count();
        Counts {
            cases: self.cases.len(),
            passed,
            failed: self.cases.len() - passed,
            unread: self.unread.len(),
            seconds: self.seconds,
        }
    }
}

/// The name of a decision in reports.
pub(crate) fn decision(decision: CaseDecision) -> &'static str {
    match decision {
        CaseDecision::Allowed => "allowed",
        CaseDecision::Denied => "denied",
        CaseDecision::Depends => "depends",
        CaseDecision::Invalid => "invalid",
    }
}

/// A layer in words.
pub(crate) fn layer(layer: PolicyLayer) -> &'static str {
    match layer {
        PolicyLayer::Scp => "service control policies",
        PolicyLayer::Rcp => "resource control policies",
        PolicyLayer::Resource => "the resource's policy",
        PolicyLayer::Trust => "the role's trust policy",
        PolicyLayer::Identity => "the principal's policies",
        PolicyLayer::Boundary => "the permissions boundary",
        PolicyLayer::Session => "the session policies",
        PolicyLayer::Endpoint => "the VPC endpoint's policy",
        other => other.as_str(),
    }
}

/// What a decision rests on, in words.
pub(crate) fn ground(
    decision: CaseDecision,
    on: Option<PolicyLayer>,
    statement: Option<&StatementRef>,
) -> String {
    let on = on.map_or("any policy", layer);
    let verb = match decision {
        CaseDecision::Allowed => "allowed by",
        CaseDecision::Denied => "denied by",
        CaseDecision::Depends => "allowed, if at all, by",
        CaseDecision::Invalid => "refused by",
    };
    match statement {
        Some(statement) => format!("{verb} {statement}, in {on}"),
        None if decision == CaseDecision::Denied => format!("nothing in {on} allows it"),
        None => format!("{verb} {on}"),
    }
}

/// One thing that an answer hangs on, in words: `if aws:SourceIp IpAddress 192.0.2.0/24 (the
/// surroundings decide)`.
pub(crate) fn atom(atom: &Atom) -> String {
    let values = atom.values.join(", ");
    let word = if atom.must_hold { "if" } else { "unless" };
    let who = match atom.class {
        KeyClass::Settable => "the caller decides",
        KeyClass::Surroundings => "the surroundings decide",
        KeyClass::Fixed => "the estate decides",
        KeyClass::Unseen => return format!("hangs on {}: {values}", atom.key),
    };
    format!("{word} {} {} {values} ({who})", atom.key, atom.operator)
}
