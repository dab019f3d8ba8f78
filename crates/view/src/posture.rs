//! What posture checks found, as reports show it.

use portreeve_graph::{AttackPath, JewelKind};
use portreeve_model::Severity;
use portreeve_posture::{Check, Failure, Posture};
use serde::Serialize;
use std::collections::BTreeMap;

/// Failures that lie on the same attack path.
pub(crate) struct OnPath<'a> {
    pub(crate) path: &'a AttackPath,
    pub(crate) failures: Vec<&'a Failure>,
}

/// Failures of one check that lie on no path.
pub(crate) struct OfCheck<'a> {
    pub(crate) first: &'a Failure,
    pub(crate) failures: Vec<&'a Failure>,
}

/// Those that are not suppressed and lie on a path, by path, in their order.
pub(crate) fn by_path(posture: &Posture) -> Vec<OnPath<'_>> {
    let mut groups: Vec<OnPath<'_>> = Vec::new();
    let mut places: BTreeMap<Vec<(&str, &str)>, usize> = BTreeMap::new();
    for failure in posture.findings.iter().filter(|one| !one.is_suppressed()) {
        let Some(path) = &failure.path else { continue };
        let steps = path.steps.iter();
        let key: Vec<(&str, &str)> = std::iter::once(("", path.from.as_str()))
            .chain(steps.map(|step| (step.via.as_str(), step.to.as_str())))
            .collect();
        let place = *places.entry(key).or_insert_with(|| {
            groups.push(OnPath {
                path,
                failures: Vec::new(),
            });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.failures.push(failure);
        }
    }
    groups
}

/// Those that are not suppressed and lie on none, by check, in their order.
pub(crate) fn by_check(posture: &Posture) -> Vec<OfCheck<'_>> {
    let mut groups: Vec<OfCheck<'_>> = Vec::new();
    let mut places: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    let open = posture.findings.iter();
    for failure in open.filter(|one| !one.is_suppressed() && one.path.is_none()) {
        let key = (failure.check, failure.severity);
        let place = *places.entry(key).or_insert_with(|| {
            groups.push(OfCheck {
                first: failure,
                failures: Vec::new(),
            });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.failures.push(failure);
        }
    }
    groups
}

/// The kinds of the crown jewels, by id.
pub(crate) fn kinds(posture: &Posture) -> BTreeMap<&str, JewelKind> {
    let jewels = posture.jewels.iter();
    jewels
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect()
}

/// Where a check is listed: `A07, CIS 2.1.2`.
pub(crate) fn listed_in(posture: &[&str], cis: &[&str]) -> String {
    let own = posture.iter().map(|id| (*id).to_owned());
    let cis = cis.iter().map(|section| format!("CIS {section}"));
    own.chain(cis).collect::<Vec<_>>().join(", ")
}

/// A check, described for machines.
#[derive(Clone, Debug, Serialize)]
pub struct Described {
    id: &'static str,
    title: &'static str,
    why: &'static str,
    remedy: &'static str,
    severity: Severity,
    posture: &'static [&'static str],
    cis: &'static [&'static str],
    references: &'static [&'static str],
    needs: &'static [&'static str],
    limits: Vec<DescribedLimit>,
}

#[derive(Clone, Debug, Serialize)]
struct DescribedLimit {
    name: &'static str,
    default: i64,
    meaning: &'static str,
}

/// What `check --list --format json` writes.
pub fn described(checks: &[&Check]) -> Vec<Described> {
    let all = checks.iter().map(|check| Described {
        id: check.id,
        title: check.title,
        why: check.why,
        remedy: check.remedy,
        severity: check.severity,
        posture: check.posture,
        cis: check.cis,
        references: check.references,
        needs: check.needs,
        limits: check
            .limits
            .iter()
            .map(|limit| DescribedLimit {
                name: limit.name,
                default: limit.default,
                meaning: limit.meaning,
            })
            .collect(),
    });
    all.collect()
}
