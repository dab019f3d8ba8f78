//! The addresses of the fictional organisation, of those who work with it, and of its intruder.
//! All of them are of the ranges set aside for documentation (RFC 5737, RFC 3849).

use std::fmt::Write;

use crate::dice::Dice;

/// The offices' way out.
pub(crate) const OFFICE: &str = "198.51.100.10";
/// The way out of the clusters and instances of the production accounts.
pub(crate) const CLUSTER: [&str; 3] = ["198.51.100.65", "198.51.100.66", "198.51.100.67"];
/// The virtual desktops that contractors work from.
pub(crate) const CONTRACTOR_DESKTOP: &str = "192.0.2.84";
/// The server from which the partner uploads.
pub(crate) const PARTNER: &str = "192.0.2.82";
/// The posture vendor's scanners.
pub(crate) const SCANNER: [&str; 2] = ["192.0.2.113", "192.0.2.114"];
/// The announced penetration test.
pub(crate) const PENETRATION_TEST: &str = "192.0.2.121";
/// The identity provider, when it writes people into Identity Center.
pub(crate) const IDENTITY_PROVIDER: &str = "192.0.2.129";
/// Identity Center itself, as seen in `AssumeRoleWithSAML`.
pub(crate) const IDENTITY_CENTER: [&str; 3] = ["203.0.113.241", "203.0.113.242", "203.0.113.243"];
/// Where the provider runs the shells that its console opens.
pub(crate) const CONSOLE_SHELL: [&str; 2] = ["203.0.113.248", "203.0.113.249"];

/// What `portreeve.toml` declares, as a company would: what is its own, and whom it has let in.
/// Range, class, and whose it is.
pub(crate) const DECLARED: &[(&str, &str, &str)] = &[
    ("198.51.100.10/32", "corporate", "the offices' way out"),
    (
        "198.51.100.64/28",
        "corporate",
        "NAT gateways of the production clusters",
    ),
    ("198.51.100.200/29", "pipeline", "runners of the code host"),
    ("192.0.2.112/29", "vendor", "the posture vendor's scanners"),
    ("192.0.2.120/29", "vendor", "the announced penetration test"),
    ("192.0.2.128/29", "vendor", "the identity provider"),
];

/// The table of networks as a lookup of addresses would give it: range, number and name of the
/// autonomous system, country. Numbers are those for private use (RFC 6996), names are made up. As
/// in every such table some ranges are missing: a few homes.
const KNOWN: &[(&str, u32, &str, &str)] = &[
    (
        "192.0.2.32/29",
        4_200_000_101,
        "Example Travel VPN Ltd",
        "GB",
    ),
    (
        "192.0.2.40/29",
        4_200_000_102,
        "Example Anonymous VPN AB",
        "SE",
    ),
    (
        "192.0.2.48/29",
        4_200_000_103,
        "Example VPN Exits and Hosting SRL",
        "RO",
    ),
    (
        "192.0.2.56/29",
        4_200_000_104,
        "Example Privacy Network Inc.",
        "PA",
    ),
    (
        "192.0.2.80/29",
        4_200_000_111,
        "Example Desktop Hosting B.V.",
        "NL",
    ),
    (
        "192.0.2.88/29",
        4_200_000_112,
        "Example Rented Servers LLC",
        "US",
    ),
    (
        "192.0.2.112/29",
        4_200_000_113,
        "Example Posture Security Inc.",
        "US",
    ),
    (
        "192.0.2.120/29",
        4_200_000_114,
        "Example Penetration Testing GmbH",
        "DE",
    ),
    (
        "192.0.2.128/29",
        4_200_000_117,
        "Example Identity Provider Inc.",
        "US",
    ),
    (
        "192.0.2.160/28",
        4_200_000_115,
        "Example Cloud Hosting Ltd",
        "IE",
    ),
    (
        "192.0.2.176/28",
        4_200_000_116,
        "Example Virtual Servers Ltd",
        "IE",
    ),
    (
        "198.51.100.0/28",
        64_512,
        "Example Business Fibre Ltd",
        "IE",
    ),
    (
        "198.51.100.64/28",
        64_520,
        "Example Cloud Provider Inc.",
        "IE",
    ),
    ("198.51.100.200/29", 64_521, "Example Code Host Inc.", "US"),
    ("203.0.113.16/28", 64_530, "Example Broadband Ltd", "IE"),
    ("203.0.113.32/28", 64_531, "Example Cable Telecom plc", "IE"),
    ("203.0.113.48/29", 64_530, "Example Broadband Ltd", "IE"),
    ("203.0.113.64/28", 64_531, "Example Cable Telecom plc", "IE"),
    (
        "203.0.113.240/28",
        64_520,
        "Example Cloud Provider Inc.",
        "IE",
    ),
    (
        "2001:db8:70::/48",
        64_540,
        "Example Mobile Communications Ltd",
        "IE",
    ),
];

/// `networks.csv`: the table of networks.
pub(crate) fn table() -> String {
    let mut text = String::from("network,asn,organisation,country\n");
    for (range, number, organisation, country) in KNOWN {
        let _ = writeln!(text, "{range},{number},{organisation},{country}");
    }
    text
}

/// A runner's address.
pub(crate) fn runner(dice: &mut Dice) -> String {
    format!("198.51.100.{}", 200 + dice.below(8))
}

/// The home of the person with this number.
pub(crate) fn home(person: usize) -> String {
    format!("203.0.113.{}", 20 + person)
}

/// The telephone of the person with this number: the carrier gives it another address each day.
pub(crate) fn telephone(person: usize, day: u64) -> String {
    format!(
        "2001:db8:70:{:x}::{:x}",
        0x100 + person,
        0x20 + day % 0x1000
    )
}

/// The VPN exit that a traveller uses: another each day, of one provider.
pub(crate) fn traveller(person: usize, day: u64) -> String {
    format!("192.0.2.{}", 33 + (person as u64 + day) % 6)
}

/// The intruder's exits and rented server: of VPN providers abroad, or both of providers in the
/// organisation's own country.
pub(crate) fn intruder(dice: &mut Dice, at_home: bool) -> (Vec<String>, String) {
    // The draws are the same for both, so that all else that is drawn after them is.
    let mut places: Vec<u64> = (0..20).collect();
    dice.shuffle(&mut places);
    let (first, divisor, server) = if at_home { (161, 2, 177) } else { (40, 1, 88) };
    let mut exits: Vec<String> = Vec::new();
    for place in places {
        let exit = format!("192.0.2.{}", first + place / divisor);
        if exits.len() < 4 && !exits.contains(&exit) {
            exits.push(exit);
        }
    }
    (exits, format!("192.0.2.{}", server + dice.below(8)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Seeds;

    #[test]
    fn the_intruder_has_four_exits_and_a_server_in_the_table() {
        for seed in 0..50 {
            for at_home in [false, true] {
                let mut dice = Seeds(seed).stream("intruder", 0);
                let (mut exits, server) = intruder(&mut dice, at_home);
                exits.sort();
                exits.dedup();
                assert_eq!(exits.len(), 4);
                for address in exits.iter().chain([&server]) {
                    let last: u32 = address.rsplit('.').next().unwrap().parse().unwrap();
                    let range = KNOWN.iter().find(|(range, ..)| {
                        let (network, length) = range.split_once('/').unwrap();
                        network.strip_prefix("192.0.2.").is_some_and(|first| {
                            let first: u32 = first.parse().unwrap();
                            let size = 1u32 << (32 - length.parse::<u32>().unwrap());
                            (first..first + size).contains(&last)
                        })
                    });
                    let (.., country) = range.unwrap_or_else(|| panic!("{address} is in no range"));
                    assert_eq!(*country == "IE", at_home, "{address}");
                }
            }
        }
    }
}
