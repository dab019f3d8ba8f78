//! What an answer rests on: which kinds of events would show a touch, and whether they were logged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_detect::ActivityRow;
use portreeve_model::{CoverageCell, Proof};

use super::kinds::{data_events, data_services, is_data_event};
use super::meant::{Meant, Resource};
use super::report::{Covered, KindCovered, Logged, ProvenSpan};
use super::{Question, Window};

/// What was seen of the kinds of calls, in one pass.
#[derive(Default)]
pub(super) struct Tally<'a> {
    /// Data events by account and service.
    data: BTreeMap<(&'a str, &'static str), u64>,
    /// Data events on the resource.
    data_on_it: u64,
    /// Calls of management that only read, by account.
    reads: BTreeMap<&'a str, u64>,
}

impl<'a> Tally<'a> {
    pub(super) fn add(&mut self, row: ActivityRow<'a>, meant: &Meant) {
        let account = row.account().unwrap_or_default();
        match is_data_event(row.action()) {
            Some(service) => {
                *self.data.entry((account, service)).or_default() += 1;
                if let Meant::Resource(resource) = meant
                    && row.targets().any(|target| {
                        resource.is_hit(target) || resource.bucket.as_deref() == Some(target)
                    })
                {
                    self.data_on_it += 1;
                }
            }
            None if row.read_only() == Some(true) => {
                *self.reads.entry(account).or_default() += 1;
            }
            None => {}
        }
    }

    fn data_in(&self, accounts: &[String], service: &str) -> u64 {
        self.data
            .iter()
            .filter(|((account, name), _)| *name == service && counts(accounts, account))
            .map(|(_, count)| count)
            .sum()
    }
}

fn counts(accounts: &[String], account: &str) -> bool {
    accounts.is_empty() || accounts.iter().any(|own| own == account)
}

/// Services that write their events to one region of a partition.
const GLOBAL: &[&str] = &["iam", "sts", "organizations", "cloudfront", "route53"];

/// Tells what an answer rests on.
pub(super) fn covered(
    question: &Question<'_>,
    meant: &Meant,
    accounts: Vec<String>,
    tally: &Tally<'_>,
    window: Window,
) -> Covered {
    let region = match meant {
        Meant::Resource(resource) => resource.region.clone(),
        Meant::Principal(_) => None,
    };
    let mut covered = Covered {
        kinds: match meant {
            Meant::Resource(resource) => of_resource(question, resource, &accounts, tally),
            Meant::Principal(_) => of_principal(question, &accounts, tally),
        },
        region,
        ..Covered::default()
    };
    let is_global = matches!(meant, Meant::Resource(it) if GLOBAL.contains(&it.service.as_str()));
    for coverage in &question.folded.coverage {
        covered.cells_omitted |= coverage.cells_omitted;
        covered.cells.extend(
            coverage
                .cells
                .iter()
                .filter(|cell| {
                    !cell.kind.is_empty()
                        && counts(&accounts, &cell.account)
                        && (is_global
                            || covered
                                .region
                                .as_ref()
                                .is_none_or(|own| *own == cell.region))
                })
                .cloned(),
        );
    }
    proof(question, &accounts, window, &mut covered);
    covered.accounts = accounts;
    covered.limits = limits(&covered, window);
    covered
}

/// Whether the accounts have management events at all, of a region and a service.
fn management(
    question: &Question<'_>,
    accounts: &[String],
    resource: Option<&Resource>,
    tally: &Tally<'_>,
) -> (Logged, String) {
    let cells: Vec<&CoverageCell> = question
        .folded
        .coverage
        .iter()
        .flat_map(|coverage| &coverage.cells)
        .filter(|cell| cell.kind == "Management" && counts(accounts, &cell.account))
        .collect();
    let place = match accounts {
        [] => "any account".to_owned(),
        [one] => format!("account {one}"),
        many => format!("accounts {}", many.join(", ")),
    };
    if cells.is_empty() && question.folded.coverage.iter().all(|it| it.cells_omitted) {
        return (
            Logged::Unsure,
            "there are too many accounts and regions to tell them one by one".to_owned(),
        );
    }
    if cells.is_empty() {
        return (
            Logged::No,
            format!("no management event of {place} is there"),
        );
    }
    let region = resource.and_then(|it| it.region.as_deref());
    if let Some(region) = region
        && !cells.iter().any(|cell| cell.region == region)
    {
        return (
            Logged::No,
            format!("no management event of {place} in {region} is there"),
        );
    }
    if tally
        .reads
        .iter()
        .all(|(account, _)| !counts(accounts, account))
    {
        return (
            Logged::Unsure,
            format!("no call of {place} that only reads is there: the trail may log writes alone"),
        );
    }
    if let Some(resource) = resource {
        let service = resource.service.as_str();
        let calls: u64 = question
            .folded
            .coverage
            .iter()
            .flat_map(|coverage| &coverage.services)
            .filter(|(account, _)| counts(accounts, account))
            .filter_map(|(_, services)| services.get(service))
            .sum();
        if calls == 0 {
            return (
                Logged::Unsure,
                match service {
                    "kms" => format!(
                        "no call of KMS is there of {place}: a trail may leave out its events"
                    ),
                    "rds-data" => format!(
                        "no call of the RDS Data API is there of {place}: a trail may leave out its events"
                    ),
                    _ => format!(
                        "no call of {service} is there of {place}: it was not used, or its events are missing"
                    ),
                },
            );
        }
        return (
            Logged::Yes,
            format!("{calls} calls of {service} in {place} are there"),
        );
    }
    let records: u64 = cells.iter().map(|cell| cell.records).sum();
    (Logged::Yes, format!("{records} of {place} are there"))
}

fn of_resource(
    question: &Question<'_>,
    resource: &Resource,
    accounts: &[String],
    tally: &Tally<'_>,
) -> Vec<KindCovered> {
    let data = data_events(&resource.service, &resource.part);
    let (logged, why) = management(question, accounts, Some(resource), tally);
    let mut kinds = vec![KindCovered {
        kind: "Management".to_owned(),
        service: resource.service.clone(),
        shows: match data {
            Some(_) => "changes of the resource and of its settings".to_owned(),
            None => "use and changes of the resource".to_owned(),
        },
        logged,
        why,
    }];
    if let Some((service, what)) = data {
        let near = tally.data_in(accounts, service);
        let (logged, why) = match (tally.data_on_it, near) {
            (0, 0) => (
                Logged::No,
                format!("no data event of {service} is there of its account"),
            ),
            (0, near) => (
                Logged::Unsure,
                format!(
                    "{near} data events of {service} on others are there, none on this one: the \
                     trail's selectors may leave it out"
                ),
            ),
            (own, _) => (Logged::Yes, format!("{own} data events on it are there")),
        };
        kinds.push(KindCovered {
            kind: "Data".to_owned(),
            service: service.to_owned(),
            shows: format!("reads and writes of its {what}"),
            logged,
            why,
        });
    }
    kinds
}

fn of_principal(
    question: &Question<'_>,
    accounts: &[String],
    tally: &Tally<'_>,
) -> Vec<KindCovered> {
    let (logged, why) = management(question, accounts, None, tally);
    let mut kinds = vec![KindCovered {
        kind: "Management".to_owned(),
        service: String::new(),
        shows: "calls that manage, and those of services without data events".to_owned(),
        logged,
        why,
    }];
    for (service, what) in data_services() {
        // Services that the estate does not use are no limit that anybody could mend.
        let is_known = question
            .folded
            .coverage
            .iter()
            .flat_map(|coverage| coverage.services.values())
            .any(|services| services.contains_key(service));
        let count = tally.data_in(accounts, service);
        if !is_known && count == 0 && service != "s3" {
            continue;
        }
        kinds.push(KindCovered {
            kind: "Data".to_owned(),
            service: service.to_owned(),
            shows: format!("reads and writes of {what}"),
            logged: if count > 0 { Logged::Unsure } else { Logged::No },
            why: match count {
                0 => format!("no data event of {service} is there of these accounts"),
                count => format!(
                    "{count} are there; the trail's selectors say of which resources, and are not known"
                ),
            },
        });
    }
    kinds
}

/// Holes of evidence, and what is proven, of the accounts.
fn proof(question: &Question<'_>, accounts: &[String], window: Window, covered: &mut Covered) {
    let Some(verification) = question.verification else {
        return;
    };
    let names: Vec<&str> = accounts.iter().map(String::as_str).collect();
    covered.evidence_holes = verification
        .holes_in(&names, window.0, window.1)
        .filter(|hole| {
            let own = covered.region.as_deref();
            own.is_none_or(|own| own == hole.region || hole.region.is_empty())
        })
        .cloned()
        .collect();
    for log in &verification.logs {
        if counts(accounts, &log.account) {
            *covered.files.entry(log.proof).or_default() += 1;
        }
    }
    for chain in &verification.chains {
        if counts(accounts, &chain.place.account) {
            covered
                .proven
                .extend(chain.proven.iter().map(|span| ProvenSpan {
                    account: chain.place.account.clone(),
                    region: chain.place.region.clone(),
                    trail: chain.place.trail.clone(),
                    span: *span,
                }));
        }
    }
    covered.proven.sort();
}

/// How many holes are told in sentences.
const SENTENCES: usize = 5;

/// All limits in sentences, the gravest first.
fn limits(covered: &Covered, window: Window) -> Vec<String> {
    let mut limits = Vec::new();
    for kind in &covered.kinds {
        let verb = match kind.logged {
            Logged::Yes => continue,
            Logged::Unsure => "may not have been logged",
            Logged::No => "were not logged",
        };
        let name = match (kind.kind.as_str(), kind.service.as_str()) {
            ("Data", service) => format!("data events of {service}"),
            _ => "management events".to_owned(),
        };
        limits.push(format!("{name} ({}) {verb}: {}", kind.shows, kind.why));
    }
    let time = |time: Option<Timestamp>| {
        time.map_or("an unknown time".to_owned(), |time| time.to_string())
    };
    for hole in covered.evidence_holes.iter().take(SENTENCES) {
        limits.push(format!(
            "{} {} ({} {}, events from {} to {}): {}",
            hole.kind.title(),
            hole.name(),
            hole.account,
            hole.region,
            time(hole.from),
            time(hole.until),
            hole.reason
        ));
    }
    let holes: Vec<_> = covered
        .cells
        .iter()
        .flat_map(|cell| cell.holes.iter().map(move |hole| (cell, hole)))
        .filter(|(_, hole)| {
            window.0.is_none_or(|from| hole.until >= from)
                && window.1.is_none_or(|until| hole.from <= until)
        })
        .collect();
    for (cell, hole) in holes.iter().take(SENTENCES) {
        limits.push(format!(
            "no {} event of {} in {} from {} to {}, although other days have some at these hours",
            cell.kind.to_lowercase(),
            cell.account,
            cell.region,
            hole.from,
            hole.until
        ));
    }
    let more = covered.evidence_holes.len().saturating_sub(SENTENCES)
        + holes.len().saturating_sub(SENTENCES);
    if more > 0 {
        limits.push(format!("{more} more holes are listed in JSON"));
    }
    let open: BTreeSet<&str> = covered
        .files
        .iter()
        .filter(|(proof, count)| **proof != Proof::Proven && **count > 0)
        .map(|(proof, _)| proof.as_str())
        .collect();
    if !open.is_empty() {
        let open: Vec<&str> = open.into_iter().collect();
        limits.push(format!(
            "not every log file is proven to be as delivered: some are {}",
            open.join(", ")
        ));
    } else if covered.files.is_empty() {
        limits.push(
            "nothing proves that the log files are as they were delivered: no digests were verified"
                .to_owned(),
        );
    }
    limits
}
