//! The ordinary days hold what makes detection hard.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use common::{Simulation, run, small, text};
use portreeve_simulate::Plan;
use serde_json::Value;

/// A good part of the usual volume, over as many weeks as the reset of a second factor needs.
fn weeks() -> &'static Simulation {
    static RUN: OnceLock<Simulation> = OnceLock::new();
    RUN.get_or_init(|| {
        run(&Plan {
            days: 42,
            max_records: 150_000,
            ..small(6, "none")
        })
    })
}

fn person(record: &Value) -> &str {
    text(&record["userIdentity"]["onBehalfOf"], "userId")
}

fn key(record: &Value) -> &str {
    text(&record["userIdentity"], "accessKeyId")
}

fn day(record: &Value) -> &str {
    &text(record, "eventTime")[..10]
}

/// The addresses from which each person's command-line keys were used.
fn addresses_of_keys() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut addresses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for record in &weeks().records {
        if !person(record).is_empty() && text(record, "userAgent").contains("aws-cli") {
            addresses
                .entry(key(record))
                .or_default()
                .insert(text(record, "sourceIPAddress"));
        }
    }
    addresses
}

#[test]
fn people_have_two_addresses_of_their_own_at_once() {
    let pairs: Vec<_> = addresses_of_keys()
        .into_iter()
        .filter(|(key, addresses)| !key.is_empty() && addresses.len() > 1)
        .collect();
    let telephone = |addresses: &BTreeSet<&str>| {
        addresses
            .iter()
            .any(|address| address.starts_with("2001:db8:70:"))
    };
    let tunnel = |addresses: &BTreeSet<&str>| {
        addresses.contains("198.51.100.10")
            && addresses
                .iter()
                .any(|address| address.starts_with("203.0.113."))
    };
    assert!(pairs.iter().any(|(_, addresses)| telephone(addresses)));
    assert!(pairs.iter().any(|(_, addresses)| tunnel(addresses)));
}

#[test]
fn three_travel_on_one_brand_and_contractors_sit_in_a_hosting_range() {
    let mut travellers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut contractors = BTreeSet::new();
    for record in &weeks().records {
        let address = text(record, "sourceIPAddress");
        if let Some(last) = address.strip_prefix("192.0.2.")
            && !person(record).is_empty()
        {
            let last: u8 = last.parse().expect("a number");
            match last {
                32..=39 => {
                    travellers
                        .entry(person(record))
                        .or_default()
                        .insert(address);
                }
                84 => {
                    contractors.insert(person(record));
                }
                _ => panic!("{address}"),
            }
        }
    }
    assert_eq!(travellers.len(), 3);
    assert!(travellers.values().any(|exits| exits.len() > 2));
    assert_eq!(contractors.len(), 2);
}

#[test]
fn systems_inside_systems_share_the_address() {
    let mut systems: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for record in &weeks().records {
        let agent = text(record, "userAgent");
        if person(record).is_empty() || !agent.contains("aws-cli") || agent.contains("CloudShell") {
            continue;
        }
        let system = agent
            .split("os/")
            .nth(1)
            .and_then(|rest| rest.split('#').next())
            .unwrap_or_default();
        systems
            .entry((key(record), text(record, "sourceIPAddress")))
            .or_default()
            .insert(system);
    }
    let both = |other: &str| {
        systems
            .values()
            .any(|seen| seen.contains("linux") && seen.contains(other))
    };
    assert!(both("macos"), "a container on a laptop");
    assert!(both("windows"), "Linux inside Windows");
}

#[test]
fn a_lost_telephone_is_reset_by_two_administrators() {
    let run = weeks();
    let one = |name: &str| -> &Value {
        let mut found = run.records.iter().filter(|record| {
            text(record, "eventName") == name && record["sessionCredentialFromConsole"] == "true"
        });
        let first = found.next().unwrap_or_else(|| panic!("{name}"));
        assert!(found.all(|other| text(other, "eventID") == text(first, "eventID")));
        first
    };
    let (off, on) = (one("DeactivateMFADevice"), one("EnableMFADevice"));
    assert_eq!(
        off["requestParameters"]["serialNumber"],
        on["requestParameters"]["serialNumber"]
    );
    assert_ne!(
        text(&off["userIdentity"], "arn"),
        text(&on["userIdentity"], "arn")
    );
    assert!(text(off, "eventTime") < text(on, "eventTime"));
    assert_eq!(day(off), day(on));
}

#[test]
fn a_roll_back_puts_an_older_page_in_place() {
    let mut pages = BTreeMap::new();
    for record in &weeks().records {
        if text(record, "eventName") == "PutObject"
            && record["requestParameters"]["key"] == "index.html"
        {
            let bytes = record["additionalEventData"]["bytesTransferredIn"]
                .as_i64()
                .expect("a size");
            pages.insert((text(record, "eventTime"), key(record)), bytes);
        }
    }
    let mut objects: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &weeks().records {
        if text(record, "eventName") == "PutObject" && key(record).starts_with("ASIA") {
            *objects.entry(key(record)).or_default() += 1;
        }
    }
    // A roll-back replaces the page alone, by one of an earlier working day.
    let mut backs = 0;
    for ((time, session), bytes) in &pages {
        if objects[session] <= 2 {
            backs += 1;
            assert!(
                pages
                    .iter()
                    .any(|((before, _), size)| before < time && size == bytes),
                "{time}"
            );
        }
    }
    assert!(backs >= 2, "{backs}");
}

#[test]
fn both_kinds_of_sessions_of_users_are_there() {
    let mut console = false;
    let mut line = false;
    for record in &weeks().records {
        let identity = &record["userIdentity"];
        let second_factor = identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "true";
        if text(identity, "type") == "IAMUser" && second_factor {
            if record["sessionCredentialFromConsole"] == "true" {
                console = true;
            } else if key(record).starts_with("ASIA") {
                line = true;
            }
        }
    }
    assert!(console && line);
}

#[test]
fn what_was_put_under_a_tag_is_what_instances_pull() {
    let simulation = run(&small(2, "main"));
    let put = simulation.steps()["S22"][0].clone();
    let manifest = put["requestParameters"]["imageManifest"].to_string();
    let pulls: Vec<_> = simulation
        .records
        .iter()
        .filter(|record| text(record, "eventName") == "GetDownloadUrlForLayer")
        .filter(|record| {
            manifest.contains(text(&record["requestParameters"], "layerDigest"))
                && text(record, "eventTime") > text(&put, "eventTime")
        })
        .collect();
    assert!(!pulls.is_empty());
    // The instance that pulled it is the one whose role then reads the secrets, and the pull itself
    // is nobody's attack.
    let reader = text(&simulation.steps()["S27"][0]["userIdentity"], "arn").to_owned();
    let labelled: BTreeSet<String> = simulation
        .labels()
        .iter()
        .map(|label| text(label, "event_id").to_owned())
        .collect();
    for pull in pulls {
        assert_eq!(text(&pull["userIdentity"], "arn"), reader);
        assert!(!labelled.contains(text(pull, "eventID")));
    }
}

#[test]
fn the_settings_name_no_network_of_the_intruder_and_the_table_names_all() {
    let simulation = run(&small(4, "main"));
    let file = |name: &str| String::from_utf8(simulation.sink.files[name].clone()).expect("text");
    let settings: toml::Table = file("portreeve.toml").parse().expect("TOML");
    let declared: Vec<&String> = settings["networks"]
        .as_table()
        .expect("a table")
        .keys()
        .collect();
    let table = file("networks.csv");
    assert!(table.starts_with("network,asn,organisation,country\n"));
    let mut ranges = Vec::new();
    for line in table.lines().skip(1) {
        let parts: Vec<_> = line.split(',').collect();
        let [range, number, organisation, country] = parts[..] else {
            panic!("{line}");
        };
        let number: u32 = number.parse().expect("a number");
        assert!(
            (64_512..=65_534).contains(&number) || number >= 4_200_000_000,
            "{line}"
        );
        assert!(
            organisation.starts_with("Example ") && country.len() == 2,
            "{line}"
        );
        ranges.push(range);
    }
    let holds = |range: &str, address: &str| -> bool {
        let (network, length) = range.split_once('/').expect("a range");
        let number = |text: &str| -> Option<u32> {
            let address: std::net::Ipv4Addr = text.parse().ok()?;
            Some(address.into())
        };
        match (number(network), number(address)) {
            (Some(network), Some(address)) => {
                let bits = 32 - length.parse::<u32>().expect("a length");
                network >> bits == address >> bits
            }
            _ => false,
        }
    };
    for record in simulation.steps().values().flatten() {
        let address = text(record, "sourceIPAddress");
        if address.starts_with("192.0.2.") {
            assert!(
                !declared.iter().any(|range| holds(range, address)),
                "{address}"
            );
            assert!(
                ranges.iter().any(|range| holds(range, address)),
                "{address}"
            );
        }
    }
    // Some homes are in no table.
    assert!(!ranges.iter().any(|range| holds(range, "203.0.113.57")));
}
