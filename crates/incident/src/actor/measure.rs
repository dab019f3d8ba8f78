//! What is reckoned from a whole incident, where no single call shows it.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use foldhash::fast::FixedState;
use jiff::Timestamp;
use portreeve_detect::{ActivityRow, ActorId, RowId, Symbol};
use portreeve_model::{CredentialKind, MintMethod, OriginKind};

use crate::case::Case;
use crate::credentials;
use crate::facts::Facts;
use crate::lifetime;
use crate::names;
use crate::text::{clean, counted, listed, span};

/// How many refusals of one long-lived key are a wall.
const WALL: u64 = 10;

/// On how many days what was done must lie for its hours, and its patience, to say something.
const FEW_DAYS: usize = 3;

/// How many of the owner's calls must be known for his hours to be.
const OWNER_CALLS: usize = 20;

/// One in so many of the owner's calls makes an hour of the day one of his.
const USUAL: usize = 50;

/// A person who works around the clock has no hours to keep.
const LONGEST_WORKDAY: usize = 14;

/// How long a patient intruder stays at least, and how many calls he makes on the middle day.
const PATIENT_SECONDS: i64 = 5 * 86_400;
const PATIENT_CALLS: usize = 60;

/// How many calls, of how many kinds, within how long are haste.
const HASTE_SECONDS: i64 = 300;
const HASTE_CALLS: usize = 100;
const HASTE_KINDS: usize = 40;

/// Classes of networks that hide who calls.
const HIDING: &[&str] = &["vpn", "hosting", "tor", "proxy", "anonymous", "anonymizer"];

/// Parts of user agents that name a distribution made for attacks.
const ATTACK_DISTRIBUTIONS: &[(&str, &str)] = &[
    ("distrib#kali", "Kali Linux"),
    ("kali-amd64", "Kali Linux"),
    ("kali-arm64", "Kali Linux"),
    ("+kali", "Kali Linux"),
    ("parrot", "Parrot OS"),
    ("blackarch", "BlackArch"),
    ("pentoo", "Pentoo"),
];

/// Something that is reckoned from a whole incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Narrows actions to those from addresses that are strange to the actor.
    StrangeOnly,
    /// One session or key was used from two networks.
    TwoNetworks,
    /// Many calls with one long-lived key were refused.
    KeyRefused,
    /// A pipeline's session was used from another address than it was issued to.
    PipelineMoved,
    /// An object was written more than once.
    ContentPutBack,
    /// The work came through a network that hides who works.
    HiddenEgress,
    /// The client names a distribution made for attacks.
    AttackDistribution,
    /// Most was done in hours of the day in which the owner works.
    VictimHours,
    /// Most was done in hours in which the owner does not work.
    OtherHours,
    /// Several credentials of one actor were used in turn, day after day.
    RenewedCredentials,
    /// Few calls a day over many days.
    Patience,
    /// Very many different calls within minutes.
    Haste,
}

impl Measure {
    /// All of them.
    pub const ALL: [Measure; 12] = [
        Measure::StrangeOnly,
        Measure::TwoNetworks,
        Measure::KeyRefused,
        Measure::PipelineMoved,
        Measure::ContentPutBack,
        Measure::HiddenEgress,
        Measure::AttackDistribution,
        Measure::VictimHours,
        Measure::OtherHours,
        Measure::RenewedCredentials,
        Measure::Patience,
        Measure::Haste,
    ];

    /// The name in profiles.
    pub fn as_str(self) -> &'static str {
        match self {
            Measure::StrangeOnly => "strange-only",
            Measure::TwoNetworks => "two-networks",
            Measure::KeyRefused => "key-refused",
            Measure::PipelineMoved => "pipeline-moved",
            Measure::ContentPutBack => "content-put-back",
            Measure::HiddenEgress => "hidden-egress",
            Measure::AttackDistribution => "attack-distribution",
            Measure::VictimHours => "victim-hours",
            Measure::OtherHours => "other-hours",
            Measure::RenewedCredentials => "renewed-credentials",
            Measure::Patience => "patience",
            Measure::Haste => "haste",
        }
    }

    /// The measure with this name.
    pub fn named(name: &str) -> Option<Self> {
        Measure::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// Whether it says nothing without actions that it narrows.
    pub fn only_narrows(self) -> bool {
        self == Measure::StrangeOnly
    }

    /// What shows it in an incident; `None` where it does not hold, or cannot be told.
    pub(super) fn evidence(self, case: &Case<'_>, facts: &Facts<'_>) -> Option<String> {
        let strange = case.group.is_strange();
        match self {
            Measure::StrangeOnly => strange.then(String::new),
            Measure::TwoNetworks if strange => two_networks(case),
            Measure::KeyRefused => key_refused(case),
            Measure::PipelineMoved => pipeline_moved(case),
            Measure::ContentPutBack => put_back(facts),
            Measure::HiddenEgress if strange => hidden_egress(case),
            Measure::AttackDistribution => attack_distribution(case),
            Measure::VictimHours if strange => hours(case, true),
            Measure::OtherHours if strange => hours(case, false),
            Measure::RenewedCredentials if strange => renewed(case),
            Measure::Patience => patience(case),
            Measure::Haste => haste(case),
            _ => None,
        }
    }
}

fn two_networks(case: &Case<'_>) -> Option<String> {
    let closest = case
        .held
        .iter()
        .filter_map(|credential| credentials::overlap(case, *credential))
        .map(|overlap| overlap.seconds)
        .min()?;
    Some(format!("used from two networks within {}", span(closest)))
}

fn key_refused(case: &Case<'_>) -> Option<String> {
    let mut refused = BTreeMap::<&str, u64>::new();
    for row in case.deeds().filter(|row| row.denied()) {
        if lifetime::kind(case.folded, row.credential_symbol()) == CredentialKind::AccessKey {
            *refused
                .entry(row.credential().unwrap_or_default())
                .or_default() += 1;
        }
    }
    let (key, count) = refused
        .into_iter()
        .max_by_key(|(key, count)| (*count, std::cmp::Reverse(*key)))?;
    (count >= WALL).then(|| format!("{count} calls with {} refused", clean(key)))
}

fn pipeline_moved(case: &Case<'_>) -> Option<String> {
    let moved = |row: &ActivityRow<'_>| {
        let link = case.folded.lineage.mint(row.credential_symbol())?;
        let issue = case.folded.activities.get(link.row?);
        let is_elsewhere = link.method == MintMethod::AssumeRoleWithWebIdentity
            && issue.origin() == OriginKind::Public
            && row.origin() == OriginKind::Public
            && issue.address_symbol() != row.address_symbol();
        is_elsewhere.then(|| {
            format!(
                "issued to {}, used from {}",
                clean(issue.address().unwrap_or_default()),
                clean(row.address().unwrap_or_default())
            )
        })
    };
    case.deeds().find_map(|row| moved(&row))
}

fn put_back(facts: &Facts<'_>) -> Option<String> {
    let (object, first, last) = facts
        .rewritten()
        .into_iter()
        .max_by_key(|(object, a, b)| (b.as_second() - a.as_second(), std::cmp::Reverse(*object)))?;
    Some(format!(
        "{} was written again {} later",
        names::resource(object),
        span(last.as_second() - first.as_second())
    ))
}

fn hidden_egress(case: &Case<'_>) -> Option<String> {
    let mut found = BTreeMap::<String, u64>::new();
    for row in case.deeds().filter(|row| case.survey.is_strange_row(*row)) {
        let address = row.address().unwrap_or_default();
        let class = case.class(address);
        if HIDING.contains(&class) {
            *found
                .entry(format!("{} ({})", clean(address), clean(class)))
                .or_default() += 1;
        }
    }
    let mut found: Vec<(String, u64)> = found.into_iter().collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let places: Vec<String> = found.into_iter().map(|(place, _)| place).collect();
    (!places.is_empty()).then(|| format!("from {}", listed(&places, 3)))
}

fn attack_distribution(case: &Case<'_>) -> Option<String> {
    let mut seen = HashSet::<Symbol, FixedState>::default();
    case.deeds()
        .filter(|row| seen.insert(row.client_symbol()))
        .find_map(|row| {
            let client = row.client()?.to_ascii_lowercase();
            let (_, name) = ATTACK_DISTRIBUTIONS
                .iter()
                .find(|(part, _)| client.contains(part))?;
            Some(format!("the client names {name}"))
        })
}

fn day(time: Timestamp) -> i64 {
    time.as_second().div_euclid(86_400)
}

fn hour_of_day(time: Timestamp) -> usize {
    (time.as_second().rem_euclid(86_400) / 3_600) as usize
}

/// Compares the hours of the day of what was done with those of the owner's own work, actor by
/// actor, and sums over them.
fn hours(case: &Case<'_>, within: bool) -> Option<String> {
    let (mut inside, mut all) = (0usize, 0usize);
    let mut days = BTreeSet::new();
    for actor in &case.group.strange_actors {
        let Some(usual) = usual_hours(case, *actor) else {
            continue;
        };
        let times = case
            .deeds()
            .filter(|row| case.survey.actors.actor_of(row.id()) == Some(*actor))
            .filter_map(|row| row.time());
        for time in times {
            all += 1;
            inside += usize::from(usual.contains(&hour_of_day(time)));
            days.insert(day(time));
        }
    }
    if days.len() < FEW_DAYS || all < 2 * FEW_DAYS {
        return None;
    }
    let holds = if within {
        inside * 5 >= all * 4
    } else {
        inside * 2 < all
    };
    holds.then(|| format!("{inside} of {all} calls in hours of the day in which the owner works"))
}

/// The hours of the day, in UTC, in which an actor works apart from the incident; `None` where too
/// little is known, or where there is no hour without.
fn usual_hours(case: &Case<'_>, actor: ActorId) -> Option<BTreeSet<usize>> {
    let mut counts = [0usize; 24];
    let mut days = BTreeSet::new();
    let rows = case
        .survey
        .actors
        .of_actor(actor)
        .iter()
        .flat_map(|persona| case.survey.actors.rows_of(*persona));
    for row in rows {
        let own = |row: RowId| !case.is_deed(row);
        if let Some(time) = case.folded.activities.get(*row).time()
            && own(*row)
        {
            counts[hour_of_day(time)] += 1;
            days.insert(day(time));
        }
    }
    let total: usize = counts.iter().sum();
    if total < OWNER_CALLS || days.len() < FEW_DAYS {
        return None;
    }
    let usual: BTreeSet<usize> = (0..24)
        .filter(|hour| counts[*hour] * USUAL >= total)
        .collect();
    (usual.len() <= LONGEST_WORKDAY).then_some(usual)
}

fn renewed(case: &Case<'_>) -> Option<String> {
    let mut of_actor = BTreeMap::<ActorId, (BTreeSet<Symbol>, BTreeSet<i64>)>::new();
    for row in case.deeds().filter(|row| case.survey.is_strange_row(*row)) {
        let credential = row.credential_symbol();
        let (Some(actor), Some(time)) = (case.survey.actors.actor_of(row.id()), row.time()) else {
            continue;
        };
        if credential.is_some() && !case.made.contains(&credential) {
            let (credentials, days) = of_actor.entry(actor).or_default();
            credentials.insert(credential);
            days.insert(day(time));
        }
    }
    let (credentials, days) = of_actor
        .into_values()
        .map(|(credentials, days)| (credentials.len(), days.len()))
        .filter(|(credentials, days)| *credentials >= FEW_DAYS && *days >= FEW_DAYS)
        .max()?;
    Some(format!(
        "{} of one actor on {}",
        counted(credentials as u64, "credential"),
        counted(days as u64, "day")
    ))
}

fn patience(case: &Case<'_>) -> Option<String> {
    let mut days = BTreeMap::<i64, usize>::new();
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    for time in case.deeds().filter_map(|row| row.time()) {
        *days.entry(day(time)).or_default() += 1;
        first = first.min(time.as_second());
        last = last.max(time.as_second());
    }
    let mut counts: Vec<usize> = days.into_values().collect();
    counts.sort_unstable();
    let middle = *counts.get(counts.len() / 2)?;
    let patient = counts.len() >= FEW_DAYS
        && last.saturating_sub(first) >= PATIENT_SECONDS
        && middle <= PATIENT_CALLS;
    patient.then(|| {
        format!(
            "seen on {} over {}, {} on the middle one",
            counted(counts.len() as u64, "day"),
            span(last - first),
            counted(middle as u64, "call")
        )
    })
}

fn haste(case: &Case<'_>) -> Option<String> {
    let mut window = VecDeque::<(i64, Symbol)>::new();
    let mut kinds = BTreeMap::<Symbol, usize>::new();
    for row in case.deeds() {
        let Some(time) = row.time().map(|time| time.as_second()) else {
            continue;
        };
        window.push_back((time, row.action_symbol()));
        *kinds.entry(row.action_symbol()).or_default() += 1;
        while let Some((first, action)) = window.front().copied() {
            if time - first <= HASTE_SECONDS {
                break;
            }
            window.pop_front();
            if let Some(count) = kinds.get_mut(&action) {
                *count -= 1;
                if *count == 0 {
                    kinds.remove(&action);
                }
            }
        }
        if window.len() >= HASTE_CALLS && kinds.len() >= HASTE_KINDS {
            return Some(format!(
                "{} of {} within {}",
                counted(window.len() as u64, "call"),
                counted(kinds.len() as u64, "kind"),
                span(HASTE_SECONDS)
            ));
        }
    }
    None
}
