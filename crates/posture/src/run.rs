//! Runs all checks, and puts what failed in the order in which it wants a look.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_graph::AttackPath;
use portreeve_model::{EntityId, EntityKind, PrincipalKind, Severity};

use crate::check::{Check, Verdict};
use crate::checks::CHECKS;
use crate::report::{CheckCounts, Counts, Failure, Posture, Unseen};
use crate::scene::Scene;
use crate::suppress::suppress;
use crate::verdicts::{Judged, Judgement, Verdicts};

/// All checks, by file name.
pub fn checks() -> &'static [&'static Check] {
    CHECKS
}

/// Judges an estate by every check that is not switched off.
///
/// Takes time in proportion to the estate for most checks; those that ask who may do something ask
/// each principal about each crown jewel. Paths are found by two walks over the graph.
pub fn check(scene: &Scene<'_>) -> Posture {
    let mut judgements = Vec::new();
    let ran: Vec<&'static Check> = CHECKS
        .iter()
        .copied()
        .filter(|check| !scene.settings.disabled.contains(check.id))
        .collect();
    for check in &ran {
        judge(scene, check, &mut judgements);
    }
    let mut findings = failures(scene, &judgements);
    let suppressions = suppress(&mut findings, &scene.settings.suppressions, scene.as_of);
    let checks = counted(&ran, &judgements, &findings);
    let mut summary = Counts::default();
    for check in &checks {
        summary.passed += check.counts.passed;
        summary.failed += check.counts.failed;
        summary.suppressed += check.counts.suppressed;
        summary.unknown += check.counts.unknown;
    }
    Posture {
        version: env!("CARGO_PKG_VERSION"),
        as_of: scene.as_of,
        findings,
        checks,
        unknown: unseen(&judgements),
        suppressions,
        jewels: scene.graph.jewels(),
        blind_spots: scene.estate.blind_spots.clone(),
        inputs: Vec::new(),
        summary,
    }
}

/// What one check says. Where none of the formats that it needs was read for an account, and
/// nothing of that account was judged, the account is unknown.
pub(crate) fn judge(scene: &Scene<'_>, check: &'static Check, list: &mut Vec<Judgement>) {
    let mut verdicts = Verdicts {
        check,
        list,
        accounts: BTreeSet::new(),
    };
    (check.judge)(scene, &mut verdicts);
    if check.needs.is_empty() {
        return;
    }
    let commands: Vec<&str> = portreeve_estate::formats()
        .filter(|format| check.needs.contains(&format.id()))
        .map(|format| format.command())
        .collect();
    let missing = format!("not in the inventory: {}", commands.join("; or "));
    let mut any = false;
    for account in scene.accounts() {
        any = true;
        let read = check
            .needs
            .iter()
            .any(|format| scene.was_read(account, format));
        let judged = account
            .account
            .as_ref()
            .is_some_and(|account| verdicts.accounts.contains(account));
        if !read && !judged {
            verdicts.of(account, Judged::unknown(missing.clone()));
        }
    }
    let judged = verdicts
        .list
        .iter()
        .any(|judgement| judgement.check == check);
    if !any && !judged {
        verdicts.at(&"*".into(), None, Judged::unknown(missing));
    }
}

/// From where an intruder begins: whoever comes in from outside, and people with their sessions.
/// Users of whom nothing tells what they are count as people.
fn starts(scene: &Scene<'_>) -> Vec<EntityId> {
    let doors = scene.graph.doors().iter().map(|door| door.id.clone());
    let people = scene.estate.entities().filter(|entity| {
        let kind = scene.principal_kind(&entity.id);
        match entity.kind {
            EntityKind::Person => true,
            EntityKind::User => {
                matches!(kind, PrincipalKind::Human | PrincipalKind::Unknown)
            }
            _ => false,
        }
    });
    let all: BTreeSet<EntityId> = doors
        .chain(people.map(|entity| entity.id.clone()))
        .collect();
    all.into_iter().collect()
}

fn failures(scene: &Scene<'_>, judgements: &[Judgement]) -> Vec<Failure> {
    let failed: Vec<&Judgement> = judgements
        .iter()
        .filter(|judgement| judgement.judged.verdict == Verdict::Fail)
        .collect();
    let asked: BTreeSet<&EntityId> = failed
        .iter()
        .flat_map(|judgement| std::iter::once(&judgement.entity).chain(&judgement.judged.related))
        .collect();
    let paths = if asked.is_empty() {
        BTreeMap::new()
    } else {
        scene.graph.through(&starts(scene), asked)
    };
    let outside: BTreeSet<&str> = scene
        .graph
        .doors()
        .iter()
        .map(|door| door.id.as_str())
        .collect();
    let open: BTreeSet<&str> = scene
        .graph
        .doors()
        .iter()
        .filter(|door| door.conditions.is_empty())
        .map(|door| door.to.as_str())
        .collect();
    let mut found: Vec<Failure> = failed
        .into_iter()
        .map(|judgement| {
            let check = judgement.check;
            // The way on which the thing itself lies, else the shortest of what it bears on.
            let related = judgement.judged.related.iter();
            let path: Option<AttackPath> = paths
                .get(&judgement.entity)
                .or_else(|| {
                    related
                        .filter_map(|id| paths.get(id))
                        .min_by_key(|path| (path.conditions.len(), path.steps.len()))
                })
                .cloned();
            let severity = judgement.judged.severity.unwrap_or(check.severity);
            let exposed = open.contains(judgement.entity.as_str())
                || path
                    .as_ref()
                    .is_some_and(|path| outside.contains(path.from.as_str()));
            Failure {
                id: format!("{}@{}", check.id, judgement.entity),
                check: check.id,
                title: check.title,
                reason: judgement.judged.reason.clone(),
                severity,
                resource: judgement.entity.clone(),
                account: judgement.account.clone(),
                why: check.why,
                remedy: check.remedy,
                posture: check.posture,
                cis: check.cis,
                references: check.references,
                score: score(severity, exposed, path.is_some()),
                exposed,
                path,
                suppressed_by: None,
            }
        })
        .collect();
    found.sort_by(|one, other| {
        let steps = |failure: &Failure| failure.path.as_ref().map(|path| path.steps.len());
        (one.path.is_none().cmp(&other.path.is_none()))
            .then_with(|| other.score.total_cmp(&one.score))
            .then_with(|| steps(one).cmp(&steps(other)))
            .then_with(|| one.id.cmp(&other.id))
    });
    found.dedup_by(|one, other| one.id == other.id);
    found
}

/// Severity (1 to 10), half as much again where it is open to the outside, and where it lies on a
/// path to a crown jewel.
fn score(severity: Severity, exposed: bool, on_path: bool) -> f64 {
    let base = match severity {
        Severity::Informational => 1.0,
        Severity::Low => 2.0,
        Severity::Medium => 4.0,
        Severity::High => 7.0,
        Severity::Critical => 10.0,
    };
    let half_more = |holds: bool| if holds { 1.5 } else { 1.0 };
    base * half_more(exposed) * half_more(on_path)
}

/// What each check said, in numbers.
fn counted(
    ran: &[&'static Check],
    judgements: &[Judgement],
    findings: &[Failure],
) -> Vec<CheckCounts> {
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    for judgement in judgements {
        let counts = counts.entry(judgement.check.id).or_default();
        match judgement.judged.verdict {
            Verdict::Pass => counts.passed += 1,
            Verdict::Unknown => counts.unknown += 1,
            // Counted below, since some are suppressed.
            Verdict::Fail => {}
        }
    }
    for finding in findings {
        let counts = counts.entry(finding.check).or_default();
        match finding.is_suppressed() {
            true => counts.suppressed += 1,
            false => counts.failed += 1,
        }
    }
    let counted = ran.iter().map(|check| CheckCounts {
        id: check.id,
        title: check.title,
        severity: check.severity,
        posture: check.posture,
        cis: check.cis,
        counts: counts.get(check.id).copied().unwrap_or_default(),
    });
    counted.collect()
}

fn unseen(judgements: &[Judgement]) -> Vec<Unseen> {
    let mut found: BTreeMap<(&'static str, &str), BTreeSet<&EntityId>> = BTreeMap::new();
    for judgement in judgements {
        if judgement.judged.verdict == Verdict::Unknown {
            let key = (judgement.check.id, judgement.judged.reason.as_str());
            found.entry(key).or_default().insert(&judgement.entity);
        }
    }
    found
        .into_iter()
        .map(|((check, missing), resources)| Unseen {
            check,
            missing: missing.to_owned(),
            resources: resources.into_iter().cloned().collect(),
        })
        .collect()
}
