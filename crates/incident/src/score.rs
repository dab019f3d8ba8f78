//! How grave an incident is, in parts that a reader can check.

use std::collections::BTreeSet;

use portreeve_graph::AttackPath;
use portreeve_model::{Finding, FindingSource, Severity, Tactic};

use crate::behaviour::Behaviour;
use crate::case::Case;
use crate::credentials;
use crate::facts::Facts;
use crate::report::{ScorePart, Touched};
use crate::survey::is_grave;
use crate::text::counted;

/// Points for the gravest finding.
fn points(severity: Severity) -> u32 {
    match severity {
        Severity::Informational => 0,
        Severity::Low => 5,
        Severity::Medium => 15,
        Severity::High => 35,
        Severity::Critical => 50,
    }
}

/// What findings give by themselves; those that an exception mutes give nothing.
pub(crate) fn of_findings<'f>(
    findings: impl Iterator<Item = &'f Finding> + Clone,
) -> Vec<ScorePart> {
    let loud = || findings.clone().filter(|it| !it.is_muted());
    let mut parts = Vec::new();
    let mut add = |points: u32, reason: String| {
        if points > 0 {
            parts.push(ScorePart { reason, points });
        }
    };
    let gravest = loud().map(|it| it.severity).max().unwrap_or_default();
    add(points(gravest), format!("gravest finding is {gravest}"));

    let rules: BTreeSet<&str> = loud()
        .filter(|it| is_grave(it))
        .map(|it| it.rule.as_str())
        .collect();
    let more_rules = rules.len().saturating_sub(1) as u32;
    add(
        (more_rules * 2).min(10),
        format!(
            "{} of medium or above besides",
            counted(more_rules.into(), "rule")
        ),
    );

    let tactics: BTreeSet<Tactic> = loud().flat_map(|it| it.tactics.iter().copied()).collect();
    let more_tactics = tactics.len().saturating_sub(1) as u32;
    add(
        (more_tactics * 3).min(18),
        format!("{} tactics", tactics.len()),
    );
    parts
}

/// The score, at most 100, and its parts.
pub(crate) fn score(
    case: &Case<'_>,
    facts: &Facts<'_>,
    touched: &[Touched],
    paths: &[AttackPath],
    weighed: Vec<ScorePart>,
) -> (u32, Vec<ScorePart>) {
    if case.loud().next().is_none() {
        // All of it is expected.
        return (0, Vec::new());
    }
    let mut parts = of_findings(case.loud());
    let mut add = |points: u32, reason: String| {
        if points > 0 {
            parts.push(ScorePart { reason, points });
        }
    };
    let strange = case.group.is_strange();
    if strange
        && case
            .held
            .iter()
            .any(|it| credentials::overlap(case, *it).is_some())
    {
        add(15, "one session or key used from two networks".into());
    }
    if strange && case.group.strange_actors.len() > 1 {
        add(
            5,
            format!(
                "{} actors' credentials in the same hands",
                case.group.strange_actors.len()
            ),
        );
    }
    let jewel = |used: bool| {
        touched
            .iter()
            .filter(|it| it.succeeded && is_used(it) == used)
            .find_map(|it| it.jewel.as_deref())
    };
    // Whoever deploys writes web origins and images all day; in strange hands it is the disaster.
    let (used, seen) = if strange || case.group.named {
        (15, 8)
    } else {
        (8, 4)
    };
    match (jewel(true), jewel(false)) {
        (Some(kind), _) => add(
            used,
            format!("crown jewel written, used or read out: {kind}"),
        ),
        (None, Some(kind)) => add(seen, format!("crown jewel looked at: {kind}")),
        (None, None) => {}
    }
    if facts.count(Behaviour::Persists) > 0 {
        add(6, "something made that outlives the session".into());
    }
    if facts.count(Behaviour::ImpairsLogging) > 0 {
        add(10, "logging or detection impaired".into());
    }
    let open = paths
        .iter()
        .filter(|path| path.conditions.is_empty())
        .count() as u32;
    if strange || case.group.named {
        add(
            (open * 2).min(8),
            format!("{} within open reach", counted(open.into(), "crown jewel")),
        );
    }
    parts.extend(weighed);
    (
        parts.iter().map(|part| part.points).sum::<u32>().min(100),
        parts,
    )
}

/// Whether a resource was written, or gave away what it guards.
fn is_used(touched: &Touched) -> bool {
    let guarded = [
        "kms:Sign",
        "kms:Decrypt",
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
    ];
    touched.written
        || touched
            .actions
            .iter()
            .any(|(action, _)| guarded.iter().any(|it| action.starts_with(it)))
}

/// The severity that a score of these findings gives, kept within one step of the gravest finding's and not
/// below that of a sign that the user named.
pub(crate) fn severity<'f>(
    findings: impl Iterator<Item = &'f Finding> + Clone,
    score: u32,
) -> Severity {
    let by_score = match score {
        70.. => Severity::Critical,
        45.. => Severity::High,
        25.. => Severity::Medium,
        5.. => Severity::Low,
        _ => Severity::Informational,
    };
    let step = |severity: Severity, by: isize| {
        let place = (severity as isize + by).clamp(0, Severity::ALL.len() as isize - 1);
        Severity::ALL[place as usize]
    };
    let loud = findings.clone().filter(|it| !it.is_muted());
    let Some(gravest) = loud.map(|it| it.severity).max() else {
        return Severity::Informational;
    };
    let named = findings
        .filter(|finding| finding.source == FindingSource::Sign)
        .map(|finding| finding.severity)
        .max()
        .unwrap_or_default();
    by_score
        .clamp(step(gravest, -1), step(gravest, 1))
        .max(named)
}
