//! Failures of posture checks in the Static Analysis Results Interchange Format: what
//! `check --format sarif` writes.
//!
//! Follows SARIF 2.1.0 (OASIS standard of 27 March 2020,
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html>): one run, a rule for
//! each check that ran (section 3.49), a result for each failure (3.27). A resource of a cloud is no
//! line of a file: it is a logical location (3.33), and the inventory files that were read are the
//! run's artifacts (3.24). What a check could not judge is a result of kind `open` (3.27.9), a failure
//! that the user accepts carries a suppression (3.35).

use std::io;

use portreeve_model::{InputKind, Severity};
use portreeve_posture::{Failure, Posture, Unseen, checks};
use serde_json::{Value, json};

use crate::name;
use crate::posture::listed_in;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the posture as one indented document with a newline at its end.
pub fn write(posture: &Posture, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(posture))?;
    out.write_all(b"\n")
}

fn document(posture: &Posture) -> Value {
    let failures = posture.findings.iter();
    let results: Vec<Value> = failures
        .map(|failure| result(failure, posture))
        .chain(posture.unknown.iter().map(|unseen| open(unseen, posture)))
        .collect();
    let artifacts: Vec<Value> = posture
        .inputs
        .iter()
        .filter(|input| input.kind == InputKind::Inventory)
        .map(|input| {
            let mut artifact = json!({
                "location": { "uri": uri(&input.file) },
                "length": input.bytes,
            });
            if !input.sha256.is_empty() {
                artifact["hashes"] = json!({ "sha-256": input.sha256 });
            }
            artifact
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Portreeve",
                "semanticVersion": posture.version,
                "rules": rules(posture),
            } },
            "columnKind": "unicodeCodePoints",
            "artifacts": artifacts,
            "results": results,
            "properties": { "asOf": posture.as_of.to_string() },
        }],
    })
}

/// A rule for each check that ran, in the order of `posture.checks`.
fn rules(posture: &Posture) -> Vec<Value> {
    let ran = posture.checks.iter();
    ran.filter_map(|own| {
        let check = checks().iter().find(|check| check.id == own.id)?;
        let listed = check.posture.iter().map(|id| (*id).to_owned());
        let listed = listed.chain(
            check
                .cis
                .iter()
                .map(|section| format!("CIS-AWS-3.0.0/{section}")),
        );
        let tags: Vec<String> = std::iter::once("security".to_owned())
            .chain(listed)
            .collect();
        let mut rule = json!({
            "id": check.id,
            "name": pascal(check.id),
            "shortDescription": { "text": check.title },
            "fullDescription": { "text": check.why },
            "help": { "text": help(check) },
            "defaultConfiguration": { "level": level(check.severity) },
            "properties": {
                "tags": tags,
                "precision": "high",
                "security-severity": security_severity(check.severity),
            },
        });
        if let Some(page) = check.references.first() {
            rule["helpUri"] = (*page).into();
        }
        Some(rule)
    })
    .collect()
}

fn help(check: &portreeve_posture::Check) -> String {
    let listed = listed_in(check.posture, check.cis);
    let listed = match listed.is_empty() {
        true => String::new(),
        false => format!(" Listed as {listed}."),
    };
    format!("{}{listed}", check.remedy)
}

/// `AwsRootMfa` of `aws.root-mfa`: the name of a rule is an identifier (3.49.7).
fn pascal(id: &str) -> String {
    let words = id.split(['.', '-']).map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect()
}

fn result(failure: &Failure, posture: &Posture) -> Value {
    let text = format!("{}: {}. {}", failure.title, failure.reason, failure.remedy);
    let mut result = json!({
        "ruleId": failure.check,
        "kind": "fail",
        "level": level(failure.severity),
        "message": { "text": text },
        "locations": [location(failure.resource.as_str())],
        "partialFingerprints": { "checkAndResource/v1": failure.id },
        "rank": rank(failure.score),
        "properties": {
            "severity": failure.severity.as_str(),
            "score": failure.score,
            "account": failure.account,
            "exposed": failure.exposed,
        },
    });
    if let Some(place) = place(failure.check, posture) {
        result["ruleIndex"] = place.into();
    }
    if let Some(path) = &failure.path {
        let start = json!({ "location": named(path.from.as_str(), "the path starts here") });
        let steps = path.steps.iter().map(|step| {
            let conditions = match step.conditions.is_empty() {
                true => String::new(),
                false => format!(" if {}", step.conditions.join(", ")),
            };
            let text = format!("{}{conditions}", step.title);
            json!({ "location": named(step.to.as_str(), &text) })
        });
        let locations: Vec<Value> = std::iter::once(start).chain(steps).collect();
        result["codeFlows"] = json!([{
            "message": { "text": "the shortest attack path to a crown jewel that it lies on" },
            "threadFlows": [{ "locations": locations }],
        }]);
    }
    let accepted = failure.suppressed_by.as_ref().and_then(|id| {
        let mut uses = posture.suppressions.iter();
        uses.find(|one| &one.id == id)
    });
    result["suppressions"] = match accepted {
        None => json!([]),
        Some(one) => json!([{
            "kind": "external",
            "status": "accepted",
            "justification": one.reason,
            "properties": {
                "id": one.id,
                "owner": one.owner,
                "ticket": one.ticket,
                "expires": one.expires.map(|time| time.to_string()),
            },
        }]),
    };
    result
}

/// What could not be judged. A result that is no failure has no level (3.27.10).
fn open(unseen: &Unseen, posture: &Posture) -> Value {
    let locations: Vec<Value> = unseen
        .resources
        .iter()
        .map(|id| location(id.as_str()))
        .collect();
    let mut result = json!({
        "ruleId": unseen.check,
        "kind": "open",
        "level": "none",
        "message": { "text": format!("Not shown by the inventory: {}", unseen.missing) },
        "locations": locations,
    });
    if let Some(place) = place(unseen.check, posture) {
        result["ruleIndex"] = place.into();
    }
    result
}

fn place(check: &str, posture: &Posture) -> Option<usize> {
    posture.checks.iter().position(|own| own.id == check)
}

fn location(id: &str) -> Value {
    let read = name::of(id);
    json!({ "logicalLocations": [{
        "name": read.name,
        "fullyQualifiedName": id,
        "kind": "resource",
    }] })
}

fn named(id: &str, message: &str) -> Value {
    let mut location = location(id);
    location["message"] = json!({ "text": message });
    location
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational => "note",
    }
}

/// As code hosts sort security results, 0 to 10, in text.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Informational => "0.1",
    }
}

/// 0 to 100 (3.27.25); the greatest score is 22.5.
fn rank(score: f64) -> f64 {
    (score / 22.5 * 100.0).clamp(0.0, 100.0)
}

/// A path as a URI reference: what RFC 3986 does not allow in a path is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_uris_have_the_form_that_the_standard_asks() {
        assert_eq!(pascal("aws.root-mfa"), "AwsRootMfa");
        assert_eq!(uri("in ventory/ä.json"), "in%20ventory/%C3%A4.json");
        assert_eq!(uri(r"C:\x.json"), "C%3A/x.json");
    }
}
