//! What the logs lack, as blind spots, with what that hides.

use portreeve_model::BlindSpot;

use super::needs;
use super::seen::{CLOUDTRAIL, Seen};
use crate::actor::LogNeed;
use crate::text::{counted, listed, minute, span};

/// How many accounts, regions, holes and steps are named.
const NAMED: usize = 5;
const NAMED_STEPS: usize = 3;

/// What is missing, most telling first.
pub(super) fn blind_spots(seen: &Seen<'_>) -> Vec<BlindSpot> {
    let Some(trail) = seen.trail else {
        return Vec::new();
    };
    let mut spots = Vec::new();
    let is_trail = |need: &LogNeed| need.source == CLOUDTRAIL;
    let is_data = |need: &LogNeed| is_trail(need) && need.kind.as_deref() == Some("Data");
    if !seen.has_kind("Data") {
        spots.push(BlindSpot {
            missing:
                "data events of CloudTrail (reads and writes of S3 objects, calls of functions)"
                    .to_owned(),
            consequence: format!(
                "whether objects in buckets were read or replaced cannot be told{}",
                hidden(seen, is_data)
            ),
            remedy:
                "aws cloudtrail put-event-selectors with DataResources for the buckets that matter"
                    .to_owned(),
        });
    }
    if seen.misses_reads() {
        spots.push(BlindSpot {
            missing: "events that only read (what is listed, described and read out)".to_owned(),
            consequence: format!(
                "whether the estate was looked through and secrets were read cannot be told, nor \
                 where sessions were used that only read{}",
                hidden(seen, |need| is_trail(need) && need.reads)
            ),
            remedy: "aws cloudtrail put-event-selectors with ReadWriteType All".to_owned(),
        });
    }
    accounts(seen, &mut spots);
    for gap in needs::buckets(seen) {
        let name = gap.account.map(|it| seen.account_name(&it));
        let of = name
            .map(|name| format!(" (account {name})"))
            .unwrap_or_default();
        spots.push(BlindSpot {
            missing: format!("data events of a web origin{of}: {}", gap.why),
            consequence: format!(
                "whether its content was read or replaced cannot be told{}",
                hidden(seen, is_data)
            ),
            remedy:
                "aws cloudtrail get-event-selectors --trail-name NAME; the bucket must be among \
                     the selected ones"
                    .to_owned(),
        });
    }
    for (service, what, remedy) in [
        (
            "sts",
            "events of STS",
            "a trail for all regions, the global endpoint's events included; look for filters on \
             the way of the logs",
        ),
        (
            "signin",
            "console sign-ins",
            "sign-ins are logged in the region of the sign-in page, often us-east-1: a trail for \
             all regions",
        ),
        (
            "sso",
            "events of Identity Center's portal",
            "the trail of the organization's management account, in Identity Center's home region",
        ),
    ] {
        if let Some(why) = seen.missing_service(service) {
            let needs_it =
                |need: &LogNeed| is_trail(need) && need.services.iter().any(|it| it == service);
            let consequence = match service {
                "sts" => {
                    "which session was minted from which, and where it was issued, cannot be told"
                }
                "signin" => {
                    "whether a console session began with a sign-in of its own cannot be told"
                }
                _ => {
                    "which portal session a role session came from, and from which network, cannot be told"
                }
            };
            spots.push(BlindSpot {
                missing: format!("{what}: {why}"),
                consequence: format!("{consequence}{}", hidden(seen, needs_it)),
                remedy: remedy.to_owned(),
            });
        }
    }
    global(seen, &mut spots);
    regions(seen, &mut spots);
    holes(seen, &mut spots);
    if trail.cells_omitted {
        spots.push(BlindSpot {
            missing: "coverage by account, region and hour: there are too many of them".to_owned(),
            consequence: "whether records are missing of some hour or region cannot be told"
                .to_owned(),
            remedy: "give the logs of fewer accounts, or of a shorter time, at once".to_owned(),
        });
    }
    spots
}

/// The steps of known ways for which a log is needed, in words; empty where there is none.
fn hidden(seen: &Seen<'_>, needed: impl Fn(&LogNeed) -> bool) -> String {
    let mut words = String::new();
    for profile in seen.surveyed.profiles {
        let steps: Vec<String> = profile
            .steps
            .iter()
            .filter(|step| step.logs.iter().any(&needed))
            .map(|step| format!("“{}”", step.title))
            .collect();
        if !steps.is_empty() {
            words.push_str(&format!(
                "; hidden of the known way of {}: {}",
                profile.title,
                listed(&steps, NAMED_STEPS)
            ));
        }
    }
    words
}

/// Accounts that the estate or the settings list, and that no record is of.
fn accounts(seen: &Seen<'_>, spots: &mut Vec<BlindSpot>) {
    let missing: Vec<String> = seen
        .accounts
        .iter()
        .filter(|account| !seen.account_has(account, None))
        .map(|account| seen.account_name(account))
        .collect();
    if missing.is_empty() || !seen.is_enough() {
        return;
    }
    spots.push(BlindSpot {
        missing: format!(
            "logs of {}: {}",
            counted(missing.len() as u64, "account"),
            listed(&missing, NAMED)
        ),
        consequence: "nothing that happened there is seen: neither what an intruder did in them, \
                      nor sessions of their roles taken from other accounts"
            .to_owned(),
        remedy: "a trail of the organization logs all accounts; give the folders of these too"
            .to_owned(),
    });
}

/// Accounts with records, none of them from the region in which global services write.
fn global(seen: &Seen<'_>, spots: &mut Vec<BlindSpot>) {
    let Some(trail) = seen.trail else { return };
    if !seen.is_enough() || trail.cells_omitted || trail.regions.is_empty() {
        return;
    }
    let region = seen.global_region();
    let missing: Vec<String> = trail
        .accounts
        .iter()
        .filter(|account| !seen.region_has(account, region))
        .map(|account| seen.account_name(account))
        .collect();
    if missing.is_empty() {
        return;
    }
    spots.push(BlindSpot {
        missing: format!(
            "events of {region} in {}: {}",
            counted(missing.len() as u64, "account"),
            listed(&missing, NAMED)
        ),
        consequence: format!(
            "the global services (IAM, CloudFront, Organizations, Route 53, the global endpoint of \
             STS) write all their events there: changes of people, keys, trusts and distributions \
             are not seen{}",
            hidden(seen, |need| need.source == CLOUDTRAIL && need.global)
        ),
        remedy: "a trail for all regions that includes global service events".to_owned(),
    });
}

/// Regions in which the estate has resources, and that no record is from.
fn regions(seen: &Seen<'_>, spots: &mut Vec<BlindSpot>) {
    let gaps = needs::regions(seen);
    let global = seen.global_region();
    let named: Vec<String> = gaps
        .iter()
        .filter_map(|gap| Some((gap.account.as_deref()?, gap.region.as_deref()?)))
        .filter(|(_, region)| *region != global)
        .map(|(account, region)| format!("{region} of {}", seen.account_name(account)))
        .collect();
    if named.is_empty() {
        return;
    }
    spots.push(BlindSpot {
        missing: format!(
            "events of {} in which the estate has resources: {}",
            counted(named.len() as u64, "region"),
            listed(&named, NAMED)
        ),
        consequence: "what was done to these resources is not seen".to_owned(),
        remedy: "a trail for all regions".to_owned(),
    });
}

/// Hours without records, of everything and of single accounts.
fn holes(seen: &Seen<'_>, spots: &mut Vec<BlindSpot>) {
    let whole = seen.holes("", None);
    let words = |holes: &[(&str, portreeve_model::Hole)]| -> Vec<String> {
        holes
            .iter()
            .map(|(_, hole)| {
                let seconds = hole.until.as_second() - hole.from.as_second();
                format!("{} for {}", minute(hole.from), span(seconds))
            })
            .collect()
    };
    let remedy = "look whether the trail was stopped, or files were lost on the way: aws cloudtrail \
                  validate-logs";
    let consequence =
        "what happened in between is not seen, and “first seen” after it may be wrong";
    if !whole.is_empty() {
        spots.push(BlindSpot {
            missing: format!("all records from {}", listed(&words(&whole), NAMED)),
            consequence: consequence.to_owned(),
            remedy: remedy.to_owned(),
        });
    }
    let accounts = seen.trail.into_iter().flat_map(|trail| &trail.accounts);
    for account in accounts {
        let own: Vec<_> = seen
            .holes(account, None)
            .into_iter()
            .filter(|(_, hole)| !seen.is_silent(hole))
            .collect();
        if !own.is_empty() {
            spots.push(BlindSpot {
                missing: format!(
                    "records of account {} from {}",
                    seen.account_name(account),
                    listed(&words(&own), NAMED)
                ),
                consequence: consequence.to_owned(),
                remedy: remedy.to_owned(),
            });
        }
    }
}
