//! Posture checks in the Open Cybersecurity Schema Framework, one JSON object a line: what
//! `check --format ocsf` writes.
//!
//! Each failure is a Compliance Finding (class 2003, after schema 1.6.0,
//! `events/findings/compliance_finding.json` in `github.com/ocsf/ocsf-schema`) of status *Fail*; what
//! the inventory does not show is one of status *Warning*, which the schema keeps for checks without a
//! result. What OCSF has no attribute for is under `unmapped`.

use std::io;

use portreeve_model::Severity;
use portreeve_posture::{Failure, Posture, Unseen, checks};
use serde_json::{Map, Value, json};

use crate::{name, ocsf};

const COMPLIANCE_FINDING: u32 = 2003;
const WITHOUT_RESULT: (u32, &str) = (2, "Warning");
const FAIL: (u32, &str) = (3, "Fail");

/// Writes one line for each failure, and one for each thing that could not be judged.
pub fn write(posture: &Posture, out: &mut impl io::Write) -> io::Result<()> {
    for failure in &posture.findings {
        ocsf::write(out, &of_failure(failure, posture))?;
    }
    for unseen in &posture.unknown {
        ocsf::write(out, &of_unseen(unseen, posture))?;
    }
    Ok(())
}

fn of_failure(failure: &Failure, posture: &Posture) -> Value {
    let mut event = event(failure.severity, posture);
    let (status_id, status) = match failure.is_suppressed() {
        true => (3, "Suppressed"),
        false => (1, "New"),
    };
    let info = json!({
        "uid": failure.id,
        "title": failure.title,
        "desc": failure.why,
        "types": ["Posture"],
        "analytic": analytic(failure.check, failure.title),
    });
    let fields = [
        (
            "message",
            format!("{}: {}", failure.title, failure.reason).into(),
        ),
        ("status_id", status_id.into()),
        ("status", status.into()),
        ("finding_info", info),
        (
            "compliance",
            compliance(failure.check, FAIL, &failure.reason),
        ),
        (
            "resources",
            json!([ocsf::resource(
                failure.resource.as_str(),
                failure.account.as_deref()
            )]),
        ),
        (
            "remediation",
            json!({ "desc": failure.remedy, "references": failure.references }),
        ),
        (
            "unmapped",
            json!({
                "score": failure.score,
                "exposed": failure.exposed,
                "attack_path": failure.path,
                "suppressed_by": failure.suppressed_by,
            }),
        ),
    ];
    event.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(event)
}

fn of_unseen(unseen: &Unseen, posture: &Posture) -> Value {
    let mut event = event(Severity::Informational, posture);
    let title = checks().iter().find(|check| check.id == unseen.check);
    let title = title.map_or(unseen.check, |check| check.title);
    let info = json!({
        "uid": format!("{}@{}", unseen.check, unseen.missing),
        "title": format!("Not shown by the inventory: {title}"),
        "types": ["Posture"],
        "analytic": analytic(unseen.check, title),
    });
    let resources: Vec<Value> = unseen
        .resources
        .iter()
        .map(|id| ocsf::resource(id.as_str(), name::of(id.as_str()).account))
        .collect();
    let fields = [
        (
            "message",
            format!("Not shown by the inventory: {}", unseen.missing).into(),
        ),
        ("status_id", 1.into()),
        ("status", "New".into()),
        ("finding_info", info),
        (
            "compliance",
            compliance(unseen.check, WITHOUT_RESULT, &unseen.missing),
        ),
        ("resources", resources.into()),
    ];
    event.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(event)
}

fn event(severity: Severity, posture: &Posture) -> Map<String, Value> {
    let mut event = ocsf::event(
        COMPLIANCE_FINDING,
        "Compliance Finding",
        severity,
        ocsf::metadata(posture.version),
    );
    // A configuration has no time of its own: it is as it was on the day of the check.
    event.insert("time".into(), posture.as_of.as_millisecond().into());
    event
}

fn analytic(check: &str, title: &str) -> Value {
    json!({ "uid": check, "name": title, "type_id": 1, "type": "Rule" })
}

/// The standards that the check is of, with their sections as requirements.
fn compliance(id: &str, status: (u32, &str), detail: &str) -> Value {
    let check = checks().iter().find(|check| check.id == id);
    let mut standards = vec!["Portreeve posture checks".to_owned()];
    let mut requirements: Vec<String> = Vec::new();
    if let Some(check) = check {
        requirements.extend(check.posture.iter().map(|id| (*id).to_owned()));
        if !check.cis.is_empty() {
            standards.push("CIS AWS Foundations Benchmark v3.0.0".to_owned());
            requirements.extend(check.cis.iter().map(|section| format!("CIS {section}")));
        }
    }
    json!({
        "control": id,
        "standards": standards,
        "requirements": requirements,
        "status_id": status.0,
        "status": status.1,
        "status_details": [detail],
    })
}
