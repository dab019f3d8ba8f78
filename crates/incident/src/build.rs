use std::collections::{BTreeMap, BTreeSet};

use portreeve_detect::{ActivityRow, Folded, Networks, RowId, Settings, stable_id};
use portreeve_graph::{AttackPath, Jewel};

use crate::actor::{self, Profile};
use crate::case::Case;
use crate::eviction::{self, Aftermath};
use crate::facts::Facts;
use crate::join::{self, Group};
use crate::reach::{self, Reach};
use crate::report::{Incident, TimelineEntry};
use crate::survey::{Survey, is_grave};
use crate::touched::{self, Jewels};
use crate::weigh::{self, Rarity};
use crate::{chains, containment, credentials, response, score, story};

/// What incidents are made from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The folded run.
    pub folded: &'a Folded,
    /// The attack graph; without it incidents tell neither jewels nor paths.
    pub reach: Option<&'a dyn Reach>,
    /// What is known of networks.
    pub networks: &'a Networks,
    /// What the user declares.
    pub settings: &'a Settings,
    /// What is known of actors, to tell how like them an incident is.
    pub profiles: &'a [Profile],
}

/// The incidents of a run, gravest first.
pub fn incidents(context: &Context<'_>) -> Vec<Incident> {
    let networks = context.networks;
    let survey = Survey::new(context.folded, networks);
    let jewels = context
        .reach
        .map(|reach| reach.jewels())
        .unwrap_or_default();
    let groups = join::groups(context.folded, &survey);
    let rarity = if groups.iter().any(|group| group.is_strange() || group.named) {
        Rarity::new(context.folded, survey.actors)
    } else {
        Rarity::default()
    };
    let aftermath = if groups.is_empty() {
        Aftermath::default()
    } else {
        Aftermath::new(context.folded)
    };
    let surroundings = Surroundings {
        context,
        aftermath: &aftermath,
        jewels: &jewels,
        rarity: &rarity,
    };
    let case = |group| Case::new(context.folded, &survey, networks, context.settings, group);
    let cases = absorb(groups.into_iter().map(case).collect(), case);
    let mut incidents: Vec<Incident> = cases
        .iter()
        .map(|case| incident(case, &surroundings))
        .collect();
    order(&mut incidents);
    incidents
}

/// Puts the gravest first.
pub(crate) fn order(incidents: &mut [Incident]) {
    incidents.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then(b.score.cmp(&a.score))
            .then(a.first_sign.cmp(&b.first_sign))
            .then_with(|| a.id.cmp(&b.id))
    });
}

/// Gives what was found on machines that run what an intruder wrote to that intruder's incident: each
/// finding whose every row is a deed of such a machine. Of a group that loses findings nothing stays
/// where what is left is weak.
fn absorb<'a>(cases: Vec<Case<'a>>, remake: impl Fn(Group) -> Case<'a>) -> Vec<Case<'a>> {
    let mut owner = BTreeMap::<RowId, usize>::new();
    for (number, case) in cases.iter().enumerate() {
        for row in &case.runners.unusual {
            owner.entry(*row).or_insert(number);
        }
    }
    if owner.is_empty() {
        return cases;
    }
    let mut taken = vec![Vec::new(); cases.len()];
    let mut kept = Vec::with_capacity(cases.len());
    for (number, case) in cases.iter().enumerate() {
        let mut own = Vec::new();
        for finding in &case.group.findings {
            let mut owners = case.survey.rows_of_finding[*finding]
                .iter()
                .map(|row| owner.get(row).copied());
            let first = owners.next().flatten().filter(|by| *by != number);
            match first {
                // An intruder's own findings stay with him.
                Some(by) if case.runners.unusual.is_empty() && owners.all(|it| it == Some(by)) => {
                    taken[by].push(*finding);
                }
                _ => own.push(*finding),
            }
        }
        kept.push(own);
    }
    cases
        .into_iter()
        .zip(kept)
        .zip(taken)
        .filter_map(|((case, mut findings), more)| {
            if findings.len() == case.group.findings.len() && more.is_empty() {
                return Some(case);
            }
            let found = |number: &usize| &case.folded.findings[*number];
            if !findings.iter().any(|number| is_grave(found(number))) {
                return None;
            }
            findings.extend(more);
            findings.sort_unstable();
            Some(remake(Group {
                findings,
                ..case.group
            }))
        })
        .collect()
}

/// What all incidents of a run are told against.
struct Surroundings<'s> {
    context: &'s Context<'s>,
    jewels: &'s [Jewel],
    rarity: &'s Rarity,
    aftermath: &'s Aftermath,
}

fn incident(case: &Case<'_>, surroundings: &Surroundings<'_>) -> Incident {
    let (reach, jewels) = (surroundings.context.reach, surroundings.jewels);
    let touched = touched::touched(case, jewels);
    let reaching = reaching_principals(case);
    let (paths, omitted_paths): (Vec<AttackPath>, usize) = reach
        .map(|reach| reach::paths(reach, jewels, &reaching))
        .unwrap_or_default();
    let credential_stories = credentials::stories(case);
    let facts = Facts::new(case);
    let profiles = surroundings.context.profiles;
    let likeness = actor::likenesses(case, &facts, &Jewels::new(jewels), profiles);
    let weighed = weigh::parts(case, &touched, reach, surroundings.rarity, &likeness);
    let (score, score_parts) = score::score(case, &facts, &touched, &paths, weighed);
    let severity = score::severity(case.findings(), score);
    let chains = chains::chains(case);
    let (contained, evicted) = eviction::eviction(case, surroundings.aftermath);
    let story = story::story(case, &facts, &chains, &touched, &paths, omitted_paths);
    Incident {
        id: id(case),
        severity,
        score,
        score_parts,
        headline: story.headline,
        narrative: story.narrative,
        first_sign: case.findings().filter_map(|finding| finding.time).min(),
        last_activity: case.deeds().filter_map(|row| row.time()).max(),
        principals: principals(case),
        credentials: case
            .held
            .iter()
            .map(|credential| case.text(*credential).to_owned())
            .collect(),
        credential_stories,
        chains,
        techniques: sorted(
            case.findings()
                .flat_map(|finding| finding.techniques.iter().cloned()),
        ),
        tactics: sorted(
            case.findings()
                .flat_map(|finding| finding.tactics.iter().copied()),
        ),
        findings: case.findings().map(|finding| finding.id.clone()).collect(),
        timeline: timeline(case),
        response: response::steps(case, &facts, jewels),
        cut: containment::cut(case, severity, &reaching, reach, jewels),
        likeness,
        containment: contained,
        eviction: evicted,
        muted: case.findings().filter(|finding| finding.is_muted()).count() as u64,
        evidence_holes: Vec::new(),
        proof: BTreeMap::new(),
        wallets: Vec::new(),
        by_people: None,
        touched,
        paths,
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}

/// From the root credential of the first finding's lineage and that finding.
fn id(case: &Case<'_>) -> String {
    let Some(first) = case.findings().next() else {
        return String::new();
    };
    let root = first
        .credential
        .as_deref()
        .and_then(|credential| case.folded.activities.strings().find(credential))
        .map(|credential| case.text(case.folded.lineage.root(credential)));
    stable_id(&["incident", root.unwrap_or(&first.actor), &first.id])
}

/// Whom the intruder acted as, in order of first sight.
fn principals(case: &Case<'_>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    case.deeds()
        .filter(|row| !row.principal().is_empty())
        .filter(|row| seen.insert((row.principal_symbol(), row.session_symbol())))
        .map(|row| row.actor())
        .collect()
}

/// The principals of all credentials that the intruder held.
fn reaching_principals(case: &Case<'_>) -> Vec<String> {
    let mut principals: BTreeSet<&str> = case.deeds().map(|row| row.principal()).collect();
    for credential in &case.made {
        if let Some(link) = case.folded.lineage.mint(*credential) {
            principals.insert(case.text(link.principal));
        }
    }
    principals.remove("");
    principals.into_iter().map(str::to_owned).collect()
}

/// `success`, or the source's error code.
pub(crate) fn outcome(row: ActivityRow<'_>) -> &str {
    match row.error_code() {
        _ if row.succeeded() => "success",
        Some(code) if !code.is_empty() => code,
        _ if row.denied() => "denied",
        _ => "failed",
    }
}

fn timeline(case: &Case<'_>) -> Vec<TimelineEntry> {
    case.rows
        .iter()
        .map(|case_row| {
            let row = case.folded.activities.get(case_row.row);
            let position = row.position();
            TimelineEntry {
                time: row.time(),
                action: row.action().to_owned(),
                outcome: outcome(row).to_owned(),
                actor: row.actor(),
                credential: row.credential().map(str::to_owned),
                targets: row.targets().map(str::to_owned).collect(),
                address: row.address().map(str::to_owned),
                event_id: row.event_id(),
                file: row.file().clone(),
                index: position.index,
                offset: position.offset,
                finding: case_row
                    .finding
                    .map(|number| case.folded.findings[number].id.clone()),
                role: case_row.role,
            }
        })
        .collect()
}
