//! What of a report is not stored yet.

use std::collections::HashMap;
use std::hash::BuildHasher;

use portreeve_incident::{Incident, Report};
use portreeve_model::Finding;
use portreeve_store::{Commit, Store, StoreError, Value};

/// What the store holds, by hashes; without one what was told at once.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    findings: HashMap<String, Option<u64>>,
    incidents: HashMap<String, StoredIncident>,
    hasher: std::hash::RandomState,
}

#[derive(Clone, Debug)]
struct StoredIncident {
    hash: u64,
    findings: Vec<String>,
}

impl Stored {
    /// Reads what the store holds.
    pub(crate) fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut stored = Self::default();
        let hasher = stored.hasher.clone();
        store.each_finding(&mut |id, body| {
            let hash = hasher.hash_one(body);
            stored.findings.insert(id.to_owned(), Some(hash));
        })?;
        store.each_incident(&mut |id, body| {
            // One that another version wrote may not be readable; it is written anew all the same.
            let findings = serde_json::from_slice::<Incident>(body).map(|it| it.findings);
            let incident = StoredIncident {
                hash: hasher.hash_one(body),
                findings: findings.unwrap_or_default(),
            };
            stored.incidents.insert(id.to_owned(), incident);
        })?;
        Ok(stored)
    }

    /// The store holds a finding as it was told at once: whatever the next report says of it is written.
    pub(crate) fn told(&mut self, id: String) {
        self.findings.insert(id, None);
    }

    /// What has to be written so that the store holds this report. To be confirmed once it was.
    pub(crate) fn changes(&self, report: &Report) -> (Commit, Self) {
        let mut commit = Commit::default();
        let mut next = Self {
            hasher: self.hasher.clone(),
            ..Self::default()
        };
        for finding in &report.findings {
            let body = serde_json::to_vec(finding).unwrap_or_default();
            let hash = self.hasher.hash_one(body.as_slice());
            if self.findings.get(&finding.id) != Some(&Some(hash)) {
                let value = value_of_finding(finding, body);
                commit.findings.push((finding.id.clone(), Some(value)));
            }
            next.findings.insert(finding.id.clone(), Some(hash));
        }
        for incident in &report.incidents {
            let body = serde_json::to_vec(incident).unwrap_or_default();
            let hash = self.hasher.hash_one(body.as_slice());
            let known = self.incidents.get(&incident.id);
            if known.map(|known| known.hash) != Some(hash) {
                let value = Value {
                    body,
                    rank: i64::from(incident.score),
                    time: incident.last_activity.map(|time| time.as_microsecond()),
                };
                commit.incidents.push((incident.id.clone(), Some(value)));
            }
            let findings = incident.findings.clone();
            next.incidents
                .insert(incident.id.clone(), StoredIncident { hash, findings });
        }
        self.gone(report, &next, &mut commit);
        (commit, next)
    }

    /// What is no longer found; an incident whose findings are another's now went into that one.
    fn gone(&self, report: &Report, next: &Self, commit: &mut Commit) {
        let mut gone: Vec<&String> = self
            .findings
            .keys()
            .filter(|id| !next.findings.contains_key(*id))
            .collect();
        gone.sort();
        commit
            .findings
            .extend(gone.into_iter().map(|id| (id.clone(), None)));
        let mut gone: Vec<(&String, &StoredIncident)> = self
            .incidents
            .iter()
            .filter(|(id, _)| !next.incidents.contains_key(*id))
            .collect();
        if gone.is_empty() {
            return;
        }
        gone.sort_by_key(|(id, _)| *id);
        let homes: HashMap<&str, &str> = report
            .incidents
            .iter()
            .flat_map(|incident| {
                let ids = incident.findings.iter();
                ids.map(|id| (id.as_str(), incident.id.as_str()))
            })
            .collect();
        for (id, incident) in gone {
            commit.incidents.push((id.clone(), None));
            let home = incident
                .findings
                .iter()
                .find_map(|finding| homes.get(finding.as_str()));
            if let Some(home) = home {
                commit.aliases.push((id.clone(), (*home).to_owned()));
            }
        }
    }
}

pub(crate) fn value_of_finding(finding: &Finding, body: Vec<u8>) -> Value {
    Value {
        body,
        rank: finding.severity as i64,
        time: finding.time.map(|time| time.as_microsecond()),
    }
}
