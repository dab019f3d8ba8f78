//! What the given files leave unseen.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{BlindSpot, EntityKind, Estate};

use super::links::{account_name, of_kind};
use super::policies::Unseen;
use crate::format::Wanted;
use crate::formats::FORMATS;

/// More names than these are only counted.
const NAMED: usize = 5;

/// Adds a blind spot for every format that is missing, and for what the given ones leave open.
pub(super) fn name(estate: &mut Estate, unseen: &Unseen, unmatched: &BTreeSet<String>) {
    let mut spots = Vec::new();
    let accounts: BTreeSet<String> = of_kind(estate, EntityKind::Account)
        .filter(|account| !account.inferred)
        .filter_map(|account| account.account.clone())
        .collect();
    let read = |account: &str, format: &str| {
        let entity = estate.get(&crate::arn::account(account));
        let mark = format!("Inventory:{format}");
        entity.is_some_and(|entity| entity.attributes.contains_key(&mark))
    };
    for format in FORMATS {
        let missing = match format.wanted {
            Wanted::Optional => continue,
            Wanted::Once => {
                if accounts.iter().any(|account| read(account, format.id)) {
                    continue;
                }
                format.title.to_owned()
            }
            Wanted::EachAccount if accounts.is_empty() => format.title.to_owned(),
            Wanted::EachAccount => {
                let without: Vec<_> = accounts
                    .iter()
                    .filter(|account| !read(account, format.id))
                    .map(|account| account_name(estate, account))
                    .collect();
                if without.is_empty() {
                    continue;
                }
                format!("{} of account {}", format.title, listed(&without))
            }
        };
        spots.push(BlindSpot {
            missing,
            consequence: format!("not seen: {}", format.without),
            remedy: format.command.to_owned(),
        });
    }
    refused(estate, &mut spots);
    resource_policies(estate, &mut spots);
    profiles(estate, &mut spots);
    if !unseen.missing.is_empty() {
        let names: Vec<_> = unseen.missing.iter().cloned().collect();
        spots.push(BlindSpot {
            missing: format!("documents of attached policies: {}", listed(&names)),
            consequence: "what they allow or forbid is not known: what hangs on them is told as \
                          depending"
                .to_owned(),
            remedy: "aws iam get-account-authorization-details (its `Policies` hold them); for \
                     organization policies aws organizations describe-policy --policy-id ID"
                .to_owned(),
        });
    }
    if !unseen.approximate.is_empty() {
        let names: Vec<_> = unseen.approximate.iter().cloned().collect();
        spots.push(BlindSpot {
            missing: format!("documents of AWS-managed policies: {}", listed(&names)),
            consequence: "a condensed form of them is used, which may allow a little more or less"
                .to_owned(),
            remedy: "aws iam get-account-authorization-details (its `Policies` hold them)"
                .to_owned(),
        });
    }
    if !unmatched.is_empty() {
        let names: Vec<_> = unmatched.iter().cloned().collect();
        spots.push(BlindSpot {
            missing: format!("roles of assigned permission sets: {}", listed(&names)),
            consequence: "where the people of these assignments get to is not seen".to_owned(),
            remedy: "aws iam get-account-authorization-details in these accounts".to_owned(),
        });
    }
    estate.blind_spots.extend(spots);
}

/// Kinds that have a policy of their own, and how it is exported.
const POLICY_KINDS: &[(EntityKind, &str, &str)] = &[
    (
        EntityKind::Bucket,
        "buckets",
        "aws s3api get-bucket-policy --bucket NAME",
    ),
    (
        EntityKind::Key,
        "KMS keys",
        "aws kms get-key-policy --key-id ID --policy-name default",
    ),
    (
        EntityKind::Secret,
        "secrets",
        "aws secretsmanager get-resource-policy --secret-id ARN",
    ),
    (
        EntityKind::Queue,
        "queues",
        "aws sqs get-queue-attributes --attribute-names All --queue-url URL",
    ),
    (
        EntityKind::Topic,
        "topics",
        "aws sns get-topic-attributes --topic-arn ARN",
    ),
    (
        EntityKind::Function,
        "functions",
        "aws lambda get-policy --function-name NAME",
    ),
    (
        EntityKind::ImageRepository,
        "image repositories",
        "aws ecr get-repository-policy --repository-name NAME",
    ),
];

/// Calls that a collection was refused: one blind spot an action, whatever the accounts and regions.
fn refused(estate: &Estate, spots: &mut Vec<BlindSpot>) {
    let mut places: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for account in of_kind(estate, EntityKind::Account) {
        for (attribute, code) in &account.attributes {
            let Some(of) = attribute.strip_prefix("Unseen:") else {
                continue;
            };
            let (action, region) = of.rsplit_once(':').unwrap_or((of, ""));
            let number = account.account.as_deref().unwrap_or_default();
            let name = account_name(estate, number);
            places
                .entry((action, code))
                .or_default()
                .push(match region {
                    "" => name,
                    region => format!("{name} in {region}"),
                });
        }
    }
    for ((action, code), places) in places {
        spots.push(BlindSpot {
            missing: format!(
                "answers to {action} ({code}) of account {}",
                listed(&places)
            ),
            consequence: "what this call tells of is not seen, or only in part".to_owned(),
            remedy:
                "allow it (`portreeve collect aws --policy` prints what is needed) and collect \
                     again: only what is missing is read"
                    .to_owned(),
        });
    }
}

/// Resources that were listed without their policies.
fn resource_policies(estate: &Estate, spots: &mut Vec<BlindSpot>) {
    let mut without: BTreeMap<EntityKind, Vec<String>> = BTreeMap::new();
    for entity in estate.entities() {
        let has_one = POLICY_KINDS.iter().any(|(kind, ..)| *kind == entity.kind);
        if has_one && !entity.inferred && !entity.attributes.contains_key("Policy") {
            let names = without.entry(entity.kind).or_default();
            names.push(entity.id.short_name().to_owned());
        }
    }
    for (kind, plural, command) in POLICY_KINDS {
        if let Some(names) = without.get(kind) {
            spots.push(BlindSpot {
                missing: format!("resource policies of {plural}: {}", listed(names)),
                consequence:
                    "whom their own policies let in, from this account or another, is not \
                              seen"
                        .to_owned(),
                remedy: (*command).to_owned(),
            });
        }
    }
}

/// Instances whose profile no file resolves to a role.
fn profiles(estate: &Estate, spots: &mut Vec<BlindSpot>) {
    let resolved: BTreeSet<_> = estate
        .relations()
        .iter()
        .filter_map(|relation| match relation {
            portreeve_model::Relation::RunsAs { workload, .. } => Some(workload.as_str()),
            _ => None,
        })
        .collect();
    let open: Vec<_> = estate
        .entities()
        .filter(|entity| entity.attributes.contains_key("IamInstanceProfile"))
        .filter(|entity| !resolved.contains(entity.id.as_str()))
        .map(|entity| entity.id.short_name().to_owned())
        .collect();
    if !open.is_empty() {
        spots.push(BlindSpot {
            missing: format!("roles of the instance profiles of {}", listed(&open)),
            consequence: "whom these act as is not seen".to_owned(),
            remedy: "aws iam list-instance-profiles".to_owned(),
        });
    }
}

/// The first names, and how many more there are.
pub(crate) fn listed(names: &[String]) -> String {
    let shown = names.get(..NAMED).unwrap_or(names).join(", ");
    match names.len().checked_sub(NAMED).filter(|more| *more > 0) {
        Some(more) => format!("{shown} and {more} more"),
        None => shown,
    }
}
