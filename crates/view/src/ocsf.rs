//! Findings and incidents in the Open Cybersecurity Schema Framework, one JSON object a line:
//! what `--format ocsf` writes.
//!
//! Each finding is a Detection Finding (class 2004), each incident an Incident Finding (class
//! 2005), after schema 1.6.0 (`events/findings` in `github.com/ocsf/ocsf-schema`). Incidents come
//! first, gravest first; then findings in order of time.
//!
//! What OCSF has no attribute for is under `unmapped`, as the schema asks.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use jiff::Timestamp;
use portreeve_incident::{Incident, Report};
use portreeve_model::{Evidence, Finding, FindingSource, Severity, Tactic, Technique};
use serde_json::{Map, Value, json};

use crate::name;

const SCHEMA_VERSION: &str = "1.6.0";
const FINDINGS_CATEGORY: u32 = 2;
const DETECTION_FINDING: u32 = 2004;
const INCIDENT_FINDING: u32 = 2005;
/// `activity_id` of both classes: the finding is reported for the first time.
const CREATE: u32 = 1;

/// Writes one line for each incident and each finding.
pub fn report(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let context = Context::new(report);
    for incident in &report.incidents {
        write(out, &context.incident(incident))?;
    }
    for finding in &report.findings {
        write(out, &context.finding(finding))?;
    }
    Ok(())
}

pub(crate) fn write(out: &mut impl io::Write, line: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

struct Context<'a> {
    report: &'a Report,
    jewels: BTreeSet<&'a str>,
    findings: BTreeMap<&'a str, &'a Finding>,
    /// Stands in for the time of a finding that has none; OCSF requires one.
    latest: i64,
}

/// What is told of one incident: the Incident Finding, then the Detection Findings that it is made of.
pub fn of_incident(report: &Report, incident: &Incident) -> Vec<Value> {
    let context = Context::new(report);
    let own = incident.findings.iter();
    let findings = own.filter_map(|id| context.findings.get(id.as_str()));
    std::iter::once(context.incident(incident))
        .chain(findings.map(|finding| context.finding(finding)))
        .collect()
}

impl<'a> Context<'a> {
    fn new(report: &'a Report) -> Self {
        let jewels = report.jewels.iter();
        let findings = report.findings.iter();
        Self {
            report,
            jewels: jewels.map(|jewel| jewel.id.as_str()).collect(),
            findings: findings
                .map(|finding| (finding.id.as_str(), finding))
                .collect(),
            latest: latest(report),
        }
    }
}

impl Context<'_> {
    fn finding(&self, finding: &Finding) -> Value {
        let mut event = self.event(DETECTION_FINDING, "Detection Finding", finding.severity);
        self.times(&mut event, finding.time, finding.last_time.or(finding.time));
        event.insert("message".into(), finding.title.clone().into());
        event.insert(
            "is_alert".into(),
            (finding.severity >= Severity::Medium && !finding.is_muted()).into(),
        );
        let (status_id, status) = if finding.is_muted() {
            (3, "Suppressed")
        } else {
            (1, "New")
        };
        event.insert("status_id".into(), status_id.into());
        event.insert("status".into(), status.into());
        event.insert("finding_info".into(), self.finding_info(finding));
        let evidences: Vec<Value> = finding
            .evidence
            .iter()
            .map(|evidence| self.evidence(finding, evidence))
            .collect();
        event.insert("evidences".into(), evidences.into());
        let resources: Vec<Value> = finding.targets.iter().map(|id| self.resource(id)).collect();
        event.insert("resources".into(), resources.into());
        event.insert(
            "unmapped".into(),
            json!({
                "evidence_total": finding.evidence_total,
                "rule_author": finding.rule_author,
                "details": finding.details,
                "muted_by": finding.muted_by,
                "time_unknown": finding.time.is_none(),
            }),
        );
        Value::Object(event)
    }

    fn incident(&self, incident: &Incident) -> Value {
        let mut event = self.event(INCIDENT_FINDING, "Incident Finding", incident.severity);
        self.times(&mut event, incident.first_sign, incident.last_activity);
        event.insert("message".into(), incident.headline.clone().into());
        event.insert("desc".into(), incident.narrative.join(" ").into());
        event.insert("status_id".into(), 1.into());
        event.insert("status".into(), "New".into());
        // The schema asks for an assignee or a group; nobody has taken the incident yet.
        event.insert("assignee_group".into(), json!({ "name": "unassigned" }));
        event.insert(
            "is_suspected_breach".into(),
            (incident.severity >= Severity::High).into(),
        );
        event.insert(
            "attacks".into(),
            attacks(&incident.tactics, &incident.techniques),
        );
        let known = incident
            .findings
            .iter()
            .filter_map(|id| self.findings.get(id.as_str()));
        let list: Vec<Value> = known.map(|finding| self.finding_info(finding)).collect();
        event.insert("finding_info_list".into(), list.into());
        event.insert(
            "unmapped".into(),
            json!({
                "uid": incident.id,
                "score": incident.score,
                "score_parts": incident.score_parts,
                "principals": incident.principals,
                "credentials": incident.credentials,
                "touched": incident.touched,
                "paths": incident.paths,
                "response": incident.response,
                "time_unknown": incident.first_sign.is_none(),
            }),
        );
        Value::Object(event)
    }

    fn event(&self, class: u32, class_name: &str, severity: Severity) -> Map<String, Value> {
        let mut metadata = metadata(&self.report.version);
        if class == INCIDENT_FINDING {
            metadata["profiles"] = json!(["incident"]);
        }
        if self.report.simulated {
            metadata["labels"] = json!(["simulated"]);
        }
        event(class, class_name, severity, metadata)
    }

    fn times(
        &self,
        event: &mut Map<String, Value>,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
    ) {
        let time = first.map_or(self.latest, Timestamp::as_millisecond);
        event.insert("time".into(), time.into());
        if let Some(first) = first {
            event.insert("start_time".into(), first.as_millisecond().into());
        }
        if let Some(last) = last {
            event.insert("end_time".into(), last.as_millisecond().into());
        }
    }

    fn finding_info(&self, finding: &Finding) -> Value {
        let mut info = json!({
            "uid": finding.id,
            "title": finding.title,
            "types": [type_of(finding.source)],
            "analytic": { "uid": finding.rule, "name": finding.title, "type_id": 1, "type": "Rule" },
            "attacks": attacks(&finding.tactics, &finding.techniques),
            "related_events_count": finding.evidence_total,
        });
        if let Some(time) = finding.time {
            info["first_seen_time"] = time.as_millisecond().into();
        }
        if let Some(time) = finding.last_time.or(finding.time) {
            info["last_seen_time"] = time.as_millisecond().into();
        }
        info
    }

    fn evidence(&self, finding: &Finding, evidence: &Evidence) -> Value {
        let (service, operation) = evidence
            .action
            .split_once(':')
            .unwrap_or(("", &evidence.action));
        let mut user = json!({ "uid": finding.actor, "name": name::short(&finding.actor) });
        if finding.actor.is_empty() {
            user = json!({ "name": "unknown" });
        }
        if let Some(credential) = &finding.credential {
            user["credential_uid"] = credential.as_str().into();
        }
        let mut entry = json!({
            "actor": { "user": user },
            "api": { "operation": operation },
            "data": {
                "file": evidence.file,
                "index": evidence.index,
                "offset": evidence.offset,
                "event_id": evidence.event_id,
                "time": evidence.time.map(Timestamp::as_millisecond),
            },
        });
        if !service.is_empty() {
            entry["api"]["service"] = json!({ "name": service });
        }
        if let Some(id) = &evidence.event_id {
            entry["uid"] = id.as_str().into();
        }
        entry
    }

    fn resource(&self, id: &str) -> Value {
        let mut resource = resource(id, name::of(id).account);
        if self.jewels.contains(id) {
            resource["criticality"] = "crown jewel".into();
        }
        resource
    }
}

/// A resource with the account that owns it.
pub(crate) fn resource(id: &str, account: Option<&str>) -> Value {
    let read = name::of(id);
    let mut resource = json!({ "uid": id, "name": read.name, "type": read.kind.title() });
    if let Some(account) = account {
        resource["owner"] = json!({ "account": { "uid": account } });
    }
    resource
}

/// What wrote an event.
pub(crate) fn metadata(version: &str) -> Value {
    json!({
        "version": SCHEMA_VERSION,
        "product": {
            "name": "Portreeve",
            "vendor_name": "Portreeve",
            "version": version,
        },
    })
}

/// What every event of the findings category has, but for its time.
pub(crate) fn event(
    class: u32,
    class_name: &str,
    severity: Severity,
    metadata: Value,
) -> Map<String, Value> {
    let fields = [
        ("activity_id", CREATE.into()),
        ("activity_name", "Create".into()),
        ("category_uid", FINDINGS_CATEGORY.into()),
        ("category_name", "Findings".into()),
        ("class_uid", class.into()),
        ("class_name", class_name.into()),
        ("type_uid", (class * 100 + CREATE).into()),
        ("type_name", format!("{class_name}: Create").into()),
        ("severity_id", severity.ocsf_id().into()),
        ("severity", caption(severity).into()),
        ("metadata", metadata),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// One entry a technique, each with the tactics seen; one entry a tactic where no technique is
/// known. OCSF wants at least a tactic, technique or sub-technique in each.
fn attacks(tactics: &[Tactic], techniques: &[Technique]) -> Value {
    let tactic = |tactic: &Tactic| json!({ "name": tactic.title() });
    if techniques.is_empty() {
        return tactics
            .iter()
            .map(|one| json!({ "tactic": tactic(one) }))
            .collect();
    }
    let tactics: Vec<Value> = tactics.iter().map(tactic).collect();
    techniques
        .iter()
        .map(|technique| {
            let id = technique.as_str();
            let mut attack = match id.split_once('.') {
                Some((parent, _)) => {
                    json!({ "technique": { "uid": parent }, "sub_technique": { "uid": id } })
                }
                None => json!({ "technique": { "uid": id } }),
            };
            if !tactics.is_empty() {
                attack["tactics"] = tactics.clone().into();
            }
            attack
        })
        .collect()
}

fn type_of(source: FindingSource) -> &'static str {
    match source {
        FindingSource::Detection => "Detection",
        FindingSource::Sign => "Sign given by the user",
        FindingSource::Posture => "Posture",
    }
}

pub(crate) fn caption(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

/// The last moment that the report knows of, in milliseconds; 0 where it knows none.
fn latest(report: &Report) -> i64 {
    let covered = report.coverage.iter().filter_map(|coverage| coverage.last);
    let found = report
        .findings
        .iter()
        .filter_map(|finding| finding.last_time.or(finding.time));
    covered
        .chain(found)
        .max()
        .map_or(0, Timestamp::as_millisecond)
}
