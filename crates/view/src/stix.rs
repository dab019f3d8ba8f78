//! Incidents in STIX 2.1 (OASIS standard of 10 June 2021), for platforms that share intelligence: what
//! `--format stix` writes.
//!
//! An incident is a `grouping` of what was observed: an `incident` with its story; for each finding an
//! `observed-data` over the accounts and addresses of its records; for each technique an `attack-pattern`
//! that ATT&CK's id names, and a `sighting` of it; the addresses that findings were made on as one
//! `infrastructure`.
//!
//! The same report gives the same bytes: ids are UUIDs of version 5, those of observables in the namespace
//! that section 2.9 gives and over the properties that the standard names for each, the others in one of our
//! own, since that section keeps its namespace to observables.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

use jiff::Timestamp;
use portreeve_incident::{Incident, Report};
use portreeve_model::{Finding, Tactic, Technique};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::name;

/// Section 2.9: the namespace of observables.
const OBSERVABLES: Uuid = Uuid::from_u128(0x00abedb4_aa42_466c_9c01_fed23315a9b7);
/// That of all other objects that we write.
const OURS: Uuid = Uuid::from_u128(0x6f0a_9d5e_83c1_4b7e_9a44_5d2c_71e8_b306);

/// When the identity of this program was made, as far as STIX asks.
const IDENTITY_MADE: &str = "2026-01-01T00:00:00.000Z";

/// The largest count that STIX takes (sections 4.14 and 5.2).
const MOST: u64 = 999_999_999;

/// Writes one bundle of all incidents.
pub fn report(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let findings: BTreeMap<&str, &Finding> = report
        .findings
        .iter()
        .map(|finding| (finding.id.as_str(), finding))
        .collect();
    let mut bundle = Bundle::new();
    for incident in &report.incidents {
        let own = incident.findings.iter();
        let own: Vec<&Finding> = own
            .filter_map(|id| findings.get(id.as_str()).copied())
            .collect();
        bundle.incident(incident, &own);
    }
    serde_json::to_writer_pretty(&mut *out, &bundle.finish())?;
    out.write_all(b"\n")
}

fn id(kind: &str, namespace: Uuid, of: &str) -> String {
    format!("{kind}--{}", Uuid::new_v5(&namespace, of.as_bytes()))
}

/// Section 3.2: times of objects are told to the millisecond.
fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// From when to when; what has no time stands at the incident's.
#[derive(Clone, Copy)]
struct Span(Timestamp, Timestamp);

impl Span {
    fn new(first: Option<Timestamp>, last: Option<Timestamp>, otherwise: Timestamp) -> Self {
        let first = first.or(last).unwrap_or(otherwise);
        Self(first, last.unwrap_or(first).max(first))
    }
}

/// Objects by id: what several incidents share stands there once.
struct Bundle {
    objects: BTreeMap<String, Value>,
    identity: String,
}

impl Bundle {
    fn new() -> Self {
        let identity = id("identity", OURS, "portreeve");
        let object = json!({
            "type": "identity",
            "spec_version": "2.1",
            "id": identity,
            "created": IDENTITY_MADE,
            "modified": IDENTITY_MADE,
            "name": "Portreeve",
            "identity_class": "system",
        });
        Self {
            objects: BTreeMap::from([(identity.clone(), object)]),
            identity,
        }
    }

    fn finish(self) -> Value {
        let ids: Vec<&str> = self.objects.keys().map(String::as_str).collect();
        json!({
            "type": "bundle",
            "id": id("bundle", OURS, &ids.join("\n")),
            "objects": self.objects.into_values().collect::<Vec<Value>>(),
        })
    }

    /// Adds an object of a domain or of a relationship, named by what it is about.
    fn add(&mut self, kind: &str, about: &str, span: Span, properties: Value) -> String {
        let id = id(kind, OURS, &format!("{kind}\n{about}"));
        let mut object = json!({
            "type": kind,
            "spec_version": "2.1",
            "id": id,
            "created_by_ref": self.identity,
            "created": moment(span.0),
            "modified": moment(span.1),
        });
        if let (Value::Object(object), Value::Object(properties)) = (&mut object, properties) {
            object.extend(properties);
        }
        self.objects.insert(id.clone(), object);
        id
    }

    /// Adds an observable, named by the one property that it is told by.
    fn observe(&mut self, kind: &str, property: &str, value: &str) -> String {
        // RFC 8785 of one property of text is what is written here.
        let canonical = json!({ property: value }).to_string();
        let id = id(kind, OBSERVABLES, &canonical);
        let object = json!({ "type": kind, "spec_version": "2.1", "id": id, property: value });
        self.objects.insert(id.clone(), object);
        id
    }

    /// An address; nothing where a service of the cloud stands in its place.
    fn address(&mut self, text: &str) -> Option<String> {
        let kind = match text.parse().ok()? {
            IpAddr::V4(_) => "ipv4-addr",
            IpAddr::V6(_) => "ipv6-addr",
        };
        Some(self.observe(kind, "value", text))
    }

    fn incident(&mut self, incident: &Incident, findings: &[&Finding]) {
        let span = Span::new(
            incident.first_sign,
            incident.last_activity,
            Timestamp::UNIX_EPOCH,
        );
        let labels = [
            format!("severity:{}", incident.severity.as_str()),
            format!("score:{}", incident.score),
        ];
        let story = incident.narrative.join("\n");
        let told = self.add(
            "incident",
            &incident.id,
            span,
            json!({ "name": incident.headline, "description": story, "labels": labels }),
        );
        let mut refs = BTreeSet::from([told]);
        let mut from = BTreeMap::<(&str, u64), &str>::new();
        for entry in &incident.timeline {
            if let Some(address) = &entry.address {
                from.insert((&entry.file, entry.index), address);
            }
        }
        let mut seen = BTreeMap::<&Technique, Seen>::new();
        for finding in findings {
            let (observed, parts) = self.finding(finding, &from, span.0);
            refs.extend(parts);
            for technique in &finding.techniques {
                seen.entry(technique).or_default().add(finding, &observed);
            }
            refs.insert(observed);
        }
        for technique in &incident.techniques {
            let pattern = self.pattern(technique);
            let sighting = seen.get(technique).map(|seen| {
                let span = Span::new(seen.first, seen.last, span.0);
                let about = format!("{}\n{technique}", incident.id);
                self.add(
                    "sighting",
                    &about,
                    span,
                    seen.properties(&pattern, &self.identity, span),
                )
            });
            refs.extend(sighting);
            refs.insert(pattern);
        }
        refs.extend(self.infrastructure(incident, span));
        self.add(
            "grouping",
            &incident.id,
            span,
            json!({
                "name": incident.headline,
                "description": story,
                "context": "suspicious-activity",
                "labels": labels,
                "object_refs": refs,
            }),
        );
    }

    /// The observed data of a finding, and what it is over.
    fn finding(
        &mut self,
        finding: &Finding,
        from: &BTreeMap<(&str, u64), &str>,
        otherwise: Timestamp,
    ) -> (String, BTreeSet<String>) {
        let account = self.observe("user-account", "user_id", &finding.actor);
        let mut parts = BTreeSet::from([account]);
        for evidence in &finding.evidence {
            let address = from.get(&(&*evidence.file, evidence.index));
            parts.extend(address.and_then(|address| self.address(address)));
        }
        let span = Span::new(finding.time, finding.last_time, otherwise);
        let observed = self.add(
            "observed-data",
            &finding.id,
            span,
            json!({
                "first_observed": moment(span.0),
                "last_observed": moment(span.1),
                "number_observed": finding.evidence_total.clamp(1, MOST),
                "object_refs": parts,
                "external_references": [{
                    "source_name": "portreeve",
                    "external_id": finding.rule,
                    "description": finding.title,
                }],
            }),
        );
        (observed, parts)
    }

    fn pattern(&mut self, technique: &Technique) -> String {
        let made: Timestamp = IDENTITY_MADE.parse().unwrap_or_default();
        let id = technique.v19();
        let phases: Vec<Value> = technique
            .tactics()
            .iter()
            .map(
                |tactic| json!({ "kill_chain_name": "mitre-attack", "phase_name": phase(*tactic) }),
            )
            .collect();
        let mut properties = json!({
            "name": technique.title().unwrap_or_else(|| id.to_owned()),
            "external_references": [{
                "source_name": "mitre-attack",
                "external_id": id,
                "url": format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/")),
            }],
        });
        // A list that is there has something in it (section 2.10).
        if let (false, Value::Object(properties)) = (phases.is_empty(), &mut properties) {
            properties.insert("kill_chain_phases".to_owned(), phases.into());
        }
        self.add("attack-pattern", id, Span(made, made), properties)
    }

    /// The addresses that findings were made on, and that they are of the intruder.
    fn infrastructure(&mut self, incident: &Incident, span: Span) -> Vec<String> {
        let uses = incident
            .credential_stories
            .iter()
            .flat_map(|it| &it.networks);
        let suspect: BTreeSet<&str> = uses
            .filter(|it| it.suspect)
            .map(|it| it.address.as_str())
            .collect();
        let addresses: Vec<String> = suspect
            .into_iter()
            .filter_map(|address| self.address(address))
            .collect();
        if addresses.is_empty() {
            return Vec::new();
        }
        let infrastructure = self.add(
            "infrastructure",
            &incident.id,
            span,
            json!({
                "name": format!("Where the intruder came from: {}", name::short(&incident.id)),
                "infrastructure_types": ["unknown"],
                "first_seen": moment(span.0),
                "last_seen": moment(span.1),
            }),
        );
        let mut refs = vec![infrastructure.clone()];
        for address in addresses {
            let about = format!("{infrastructure}\n{address}");
            let relation = json!({
                "relationship_type": "consists-of",
                "source_ref": infrastructure,
                "target_ref": address,
            });
            refs.push(self.add("relationship", &about, span, relation));
            refs.push(address);
        }
        refs
    }
}

/// As ATT&CK's own data call a tactic.
fn phase(tactic: Tactic) -> String {
    tactic.title().to_lowercase().replace(' ', "-")
}

/// What of an incident shows one technique.
#[derive(Default)]
struct Seen {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    records: u64,
    observed: BTreeSet<String>,
}

impl Seen {
    fn add(&mut self, finding: &Finding, observed: &str) {
        let first = [self.first, finding.time].into_iter().flatten().min();
        let last = [self.last, finding.last_time.or(finding.time)];
        self.first = first;
        self.last = last.into_iter().flatten().max();
        self.records = self.records.saturating_add(finding.evidence_total);
        self.observed.insert(observed.to_owned());
    }

    fn properties(&self, pattern: &str, identity: &str, span: Span) -> Value {
        json!({
            "sighting_of_ref": pattern,
            "first_seen": moment(span.0),
            "last_seen": moment(span.1),
            "count": self.records.min(MOST),
            "observed_data_refs": self.observed,
            "where_sighted_refs": [identity],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observables_have_the_ids_that_the_standard_gives_them() {
        // The value that other producers come to for the address of the standard's own examples.
        let mut bundle = Bundle::new();
        let found = bundle.address("198.51.100.3").unwrap();
        assert_eq!(found, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
        assert_eq!(bundle.address("198.51.100.3"), Some(found));
        assert!(
            bundle
                .address("2001:db8::1")
                .unwrap()
                .starts_with("ipv6-addr--")
        );
        assert_eq!(bundle.address("secretsmanager.amazonaws.com"), None);
    }

    #[test]
    fn times_are_told_to_the_millisecond_and_in_order() {
        let time: Timestamp = "2026-03-03T07:44:00.123456Z".parse().unwrap();
        assert_eq!(moment(time), "2026-03-03T07:44:00.123Z");
        let before = time - std::time::Duration::from_secs(1);
        let Span(first, last) = Span::new(Some(time), Some(before), Timestamp::UNIX_EPOCH);
        assert!(first <= last);
        let Span(first, last) = Span::new(None, None, time);
        assert_eq!((first, last), (time, time));
    }
}
