//! What exceptions did, what they would have hidden, and which ones verdicts suggest.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use portreeve_detect::Exception;
use portreeve_model::{Finding, FindingSource, Severity};
use serde::{Deserialize, Serialize};

use crate::report::{ExceptionState, ExceptionUse, Incident, Report};

/// How long a suggested exception holds after the incident's last activity.
const SUGGESTED_DAYS: i64 = 90;

/// From more addresses than this a suggestion does not narrow by address.
const FEW_ADDRESSES: usize = 6;

/// What each exception did. `muted` are their counts; `last` the time of the last record.
pub fn uses(
    exceptions: &[Exception],
    muted: &[u64],
    findings: &[Finding],
    incidents: &[Incident],
    last: Option<Timestamp>,
) -> Vec<ExceptionUse> {
    let muted_by: BTreeMap<&str, &str> = findings
        .iter()
        .filter_map(|finding| Some((finding.id.as_str(), finding.muted_by.as_deref()?)))
        .collect();
    exceptions
        .iter()
        .enumerate()
        .map(|(place, exception)| {
            let muted = muted.get(place).copied().unwrap_or_default();
            let is_in = |incident: &&Incident| {
                incident
                    .findings
                    .iter()
                    .any(|id| muted_by.get(id.as_str()) == Some(&exception.id.as_str()))
            };
            ExceptionUse {
                id: exception.id.clone(),
                state: state(exception, muted, last),
                muted,
                incidents: incidents
                    .iter()
                    .filter(is_in)
                    .map(|incident| incident.id.clone())
                    .collect(),
                scope: scope(exception),
                from: exception.from,
                expires: exception.expires,
                owner: exception.owner.clone(),
                reason: exception.reason.clone(),
                ticket: exception.ticket.clone(),
            }
        })
        .collect()
}

fn state(exception: &Exception, muted: u64, at: Option<Timestamp>) -> ExceptionState {
    match at {
        Some(at) if exception.expires <= at => ExceptionState::Expired,
        Some(at) if exception.from.is_some_and(|from| from > at) => ExceptionState::Upcoming,
        _ if muted > 0 => ExceptionState::Active,
        _ => ExceptionState::Unused,
    }
}

fn scope(exception: &Exception) -> Vec<String> {
    let networks: Vec<String> = exception.networks.iter().map(ToString::to_string).collect();
    [
        ("rule", &exception.rules),
        ("actor", &exception.actors),
        ("principal", &exception.principals),
        ("network", &networks),
        ("target", &exception.targets),
        ("account", &exception.accounts),
    ]
    .into_iter()
    .filter(|(_, entries)| !entries.is_empty())
    .map(|(name, entries)| format!("{name}={}", entries.join(",")))
    .collect()
}

/// An exception as if its names were the intruder's: whoever is stolen from, whatever is touched,
/// whenever. What it says of rules and networks stays. It answers whether an exception for one
/// person would hide an intrusion that begins with that person.
pub fn transposed(exception: &Exception) -> Exception {
    Exception {
        actors: Vec::new(),
        principals: Vec::new(),
        targets: Vec::new(),
        accounts: Vec::new(),
        from: None,
        expires: Timestamp::MAX,
        ..exception.clone()
    }
}

/// An incident that an exception would have hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// The incident.
    pub incident: String,
    /// Its severity without the exception.
    pub before: Severity,
    /// Its severity with it.
    pub after: Severity,
}

/// The incidents of high or above that are below high with an exception, or gone.
pub fn hidden(without: &[Incident], with: &[Incident]) -> Vec<Hidden> {
    let after: BTreeMap<&str, Severity> = with
        .iter()
        .map(|incident| (incident.id.as_str(), incident.severity))
        .collect();
    without
        .iter()
        .filter(|incident| incident.severity >= Severity::High)
        .filter_map(|incident| {
            let after = after.get(incident.id.as_str()).copied().unwrap_or_default();
            (after < Severity::High).then(|| Hidden {
                incident: incident.id.clone(),
                before: incident.severity,
                after,
            })
        })
        .collect()
}

/// What people said of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The incident's id.
    pub incident: String,
    /// What it was.
    pub verdict: Judgement,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who answers for an exception that comes of it.
    #[serde(default)]
    pub owner: String,
    /// Where it was decided.
    #[serde(default)]
    pub ticket: String,
}

/// What an incident was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// An intrusion.
    True,
    /// What was seen happened, and was meant to.
    Expected,
    /// What was seen means nothing.
    False,
}

/// Exceptions that verdicts suggest, and why others are not. Nothing is ever applied. Each is as
/// narrow as what was seen: one rule, one actor, and the accounts and addresses it was seen in,
/// up to 90 days after the incident. What a true incident shares is not suggested, nor anything
/// critical: that is to be looked at each time.
pub fn suggestions(report: &Report, verdicts: &[Verdict]) -> (Vec<Exception>, Vec<String>) {
    let mut notes = Vec::new();
    let findings: BTreeMap<&str, &Finding> = report
        .findings
        .iter()
        .map(|finding| (finding.id.as_str(), finding))
        .collect();
    let incidents: BTreeMap<&str, &Incident> = report
        .incidents
        .iter()
        .map(|incident| (incident.id.as_str(), incident))
        .collect();
    let of = |incident: &&Incident| -> Vec<&Finding> {
        incident
            .findings
            .iter()
            .filter_map(|id| findings.get(id.as_str()).copied())
            .filter(|finding| finding.source != FindingSource::Sign && !finding.is_muted())
            .collect()
    };
    let mut true_ones = BTreeSet::new();
    for verdict in verdicts.iter().filter(|it| it.verdict == Judgement::True) {
        if let Some(incident) = incidents.get(verdict.incident.as_str()) {
            let keys = of(incident).into_iter();
            true_ones.extend(keys.map(|finding| (finding.rule.as_str(), finding.actor.as_str())));
        }
    }
    let mut suggested = Vec::new();
    for verdict in verdicts {
        let Some(incident) = incidents.get(verdict.incident.as_str()) else {
            notes.push(format!(
                "no incident of this report is called {}",
                verdict.incident
            ));
            continue;
        };
        if verdict.verdict == Judgement::True {
            continue;
        }
        let mut groups = BTreeMap::<(&str, &str), Vec<&Finding>>::new();
        for finding in of(incident) {
            let key = (finding.rule.as_str(), finding.actor.as_str());
            if finding.severity == Severity::Critical {
                notes.push(format!(
                    "not suggested for {}: {} is critical, and is to be looked at each time",
                    incident.id, finding.title
                ));
            } else if true_ones.contains(&key) {
                notes.push(format!(
                    "not suggested for {}: {} by {} is in a true incident too",
                    incident.id, finding.title, finding.actor
                ));
            } else {
                groups.entry(key).or_default().push(finding);
            }
        }
        let made = groups.into_iter().filter_map(|((rule, actor), group)| {
            suggestion(incident, verdict, rule, actor, &group)
        });
        suggested.extend(made);
    }
    notes.sort();
    notes.dedup();
    (suggested, notes)
}

fn suggestion(
    incident: &Incident,
    verdict: &Verdict,
    rule: &str,
    actor: &str,
    findings: &[&Finding],
) -> Option<Exception> {
    let last = findings
        .iter()
        .filter_map(|finding| finding.last_time.or(finding.time))
        .max()?;
    let evidence: BTreeSet<&str> = findings
        .iter()
        .flat_map(|finding| &finding.evidence)
        .filter_map(|evidence| evidence.event_id.as_deref())
        .collect();
    let mut addresses = BTreeSet::new();
    let mut all_known = true;
    for entry in &incident.timeline {
        if !entry
            .event_id
            .as_deref()
            .is_some_and(|id| evidence.contains(id))
        {
            continue;
        }
        match entry
            .address
            .as_deref()
            .and_then(|address| address.parse::<std::net::IpAddr>().ok())
        {
            Some(address) => {
                addresses.insert(ipnet::IpNet::from(address));
            }
            None => all_known = false,
        }
    }
    let is_narrow = all_known && addresses.len() <= FEW_ADDRESSES;
    Some(Exception {
        id: portreeve_detect::stable_id(&["suggested", &incident.id, rule, actor]),
        rules: vec![rule.to_owned()],
        actors: vec![actor.to_owned()],
        principals: Vec::new(),
        networks: if is_narrow {
            addresses.into_iter().collect()
        } else {
            Vec::new()
        },
        targets: Vec::new(),
        accounts: Vec::new(),
        from: None,
        expires: last
            .checked_add(SignedDuration::from_hours(24 * SUGGESTED_DAYS))
            .ok()?,
        owner: verdict.owner.clone(),
        reason: verdict.reason.clone(),
        ticket: verdict.ticket.clone(),
    })
}
