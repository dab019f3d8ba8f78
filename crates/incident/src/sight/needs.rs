//! Whether each log that shows a step is there.

use portreeve_graph::JewelKind;

use super::seen::{CLOUDTRAIL, Seen};
use super::{Gap, LogSight, LogState, StepSight};
use crate::actor::{LogNeed, ProfileStep};
use crate::names;

/// What the logs can show of a step.
pub(super) fn step(seen: &Seen<'_>, step: &ProfileStep) -> StepSight {
    let logs: Vec<LogSight> = step.logs.iter().map(|need| log(seen, need)).collect();
    StepSight {
        id: step.id.clone(),
        title: step.title.clone(),
        stage: step.stage,
        weight: step.weight,
        techniques: step.techniques.clone(),
        state: of_all(&logs),
        logs,
    }
}

/// What the logs that can be read come to together.
fn of_all(logs: &[LogSight]) -> LogState {
    let mut states = logs
        .iter()
        .map(|log| log.state)
        .filter(|state| *state != LogState::Unread);
    let Some(first) = states.next() else {
        return LogState::Unread;
    };
    if states.all(|state| state == first) {
        first
    } else {
        LogState::Partly
    }
}

fn log(seen: &Seen<'_>, need: &LogNeed) -> LogSight {
    let (state, gaps) = state(seen, need);
    LogSight {
        source: need.source.clone(),
        kind: need.kind.clone(),
        services: need.services.clone(),
        what: need.what.clone(),
        state,
        gaps,
    }
}

fn everywhere(why: &str) -> Vec<Gap> {
    vec![Gap {
        why: why.to_owned(),
        ..Gap::default()
    }]
}

fn state(seen: &Seen<'_>, need: &LogNeed) -> (LogState, Vec<Gap>) {
    if !seen.surveyed.readable.contains(&need.source.as_str()) {
        let why = "Portreeve does not read this log yet";
        return (LogState::Unread, everywhere(why));
    }
    let coverage = &seen.surveyed.folded.coverage;
    if !coverage
        .iter()
        .any(|it| it.source == need.source && it.records > 0)
    {
        return (
            LogState::Absent,
            everywhere("no record of this log was given"),
        );
    }
    if need.source != CLOUDTRAIL {
        return (LogState::There, Vec::new());
    }
    if let Some(kind) = need.kind.as_deref().filter(|kind| !seen.has_kind(kind)) {
        let why = format!("no event of the kind {kind} is in the logs");
        return (LogState::Absent, everywhere(&why));
    }
    if need.reads && seen.misses_reads() {
        let why = "no event that only reads is in the logs";
        return (LogState::Absent, everywhere(why));
    }
    let missing = need
        .services
        .iter()
        .find_map(|service| seen.missing_service(service));
    if let Some(why) = missing {
        return (LogState::Absent, everywhere(why));
    }
    let accounts = accounts(seen, need);
    let mut gaps: Vec<Gap> = Vec::new();
    for account in &accounts {
        if !seen.account_has(account, need.kind.as_deref()) {
            gaps.push(account_gap(seen, need, account));
        }
    }
    let absent = !accounts.is_empty() && gaps.len() == accounts.len();
    let there = accounts
        .iter()
        .filter(|account| seen.account_has(account, need.kind.as_deref()));
    for account in there {
        if need.global && seen.is_enough() && !seen.region_has(account, seen.global_region()) {
            gaps.push(Gap {
                account: Some(account.clone()),
                region: Some(seen.global_region().to_owned()),
                why: "global services write their events there, and no record is from there"
                    .to_owned(),
                ..Gap::default()
            });
        }
        // A hole of the whole source is told once.
        let own = seen
            .holes(account, need.kind.as_deref())
            .into_iter()
            .filter(|(_, hole)| !seen.is_silent(hole));
        gaps.extend(own.map(|(region, hole)| Gap {
            account: Some(account.clone()),
            region: (!region.is_empty()).then(|| region.to_owned()),
            from: Some(hole.from),
            until: Some(hole.until),
            why: "no record, although other days have some at these hours".to_owned(),
        }));
    }
    if need.everywhere {
        gaps.extend(regions(seen));
    }
    if need.jewel == Some(JewelKind::WebOrigin) && need.kind.as_deref() == Some("Data") {
        gaps.extend(buckets(seen));
    }
    gaps.extend(seen.holes("", None).into_iter().map(|(_, hole)| Gap {
        from: Some(hole.from),
        until: Some(hole.until),
        why: "no record of any account, although other days have some at these hours".to_owned(),
        ..Gap::default()
    }));
    if seen.trail.is_some_and(|trail| trail.cells_omitted) {
        gaps.extend(everywhere(
            "too many accounts, regions and hours to tell where records are missing",
        ));
    }
    gaps.sort();
    gaps.dedup();
    let state = match (absent, gaps.is_empty()) {
        (true, _) => LogState::Absent,
        (false, true) => LogState::There,
        (false, false) => LogState::Partly,
    };
    (state, gaps)
}

/// The accounts that must have the log: those of its crown jewels, or all that are known or seen.
fn accounts(seen: &Seen<'_>, need: &LogNeed) -> Vec<String> {
    let holders: std::collections::BTreeSet<String> = need
        .jewel
        .into_iter()
        .flat_map(|kind| seen.jewels(kind))
        .filter_map(|(_, account)| account.map(str::to_owned))
        .collect();
    if !holders.is_empty() {
        return holders.into_iter().collect();
    }
    let seen_accounts = seen.trail.into_iter().flat_map(|trail| &trail.accounts);
    // Of accounts that are only seen, nothing says that they must have data events.
    let mut accounts = if need.kind.as_deref() == Some("Data") && seen.accounts.is_empty() {
        Default::default()
    } else {
        seen.accounts.clone()
    };
    if accounts.is_empty() && need.kind.as_deref() != Some("Data") {
        accounts.extend(seen_accounts.cloned());
    }
    accounts.into_iter().collect()
}

fn account_gap(seen: &Seen<'_>, need: &LogNeed, account: &str) -> Gap {
    let why = match &need.kind {
        Some(kind) if seen.account_has(account, None) => {
            format!("no event of the kind {kind} of this account is in the logs")
        }
        _ => "no record of this account is in the logs".to_owned(),
    };
    Gap {
        account: Some(account.to_owned()),
        why,
        ..Gap::default()
    }
}

/// Regions in which the estate has resources, of accounts that have records, without a record.
pub(super) fn regions(seen: &Seen<'_>) -> Vec<Gap> {
    seen.resources
        .iter()
        .filter(|((account, region), _)| {
            seen.is_enough()
                && seen.account_has(account, None)
                && !seen.trail.is_some_and(|trail| trail.cells_omitted)
                && !seen.region_has(account, region)
        })
        .map(|((account, region), count)| Gap {
            account: Some(account.clone()),
            region: Some(region.clone()),
            why: format!(
                "the estate has {} there, and no record is from there",
                crate::text::counted(*count, "resource")
            ),
            ..Gap::default()
        })
        .collect()
}

/// Web origins on whose objects no call is recorded, though data events of others are.
pub(super) fn buckets(seen: &Seen<'_>) -> Vec<Gap> {
    if !seen.has_kind("Data") {
        return Vec::new();
    }
    seen.jewel_buckets(JewelKind::WebOrigin)
        .into_iter()
        .filter(|(bucket, _)| !seen.has_objects_of(bucket))
        .map(|(bucket, account)| Gap {
            account: account.map(str::to_owned),
            why: format!(
                "no call on an object of {} is in the logs",
                names::resource(bucket)
            ),
            ..Gap::default()
        })
        .collect()
}
