//! The addresses of the fictional organisation, of those who work with it, and of its intruder.
//! All of them are of the ranges set aside for documentation (RFC 5737, RFC 3849).

use crate::dice::Dice;

/// The offices' way out.
pub(crate) const OFFICE: &str = "198.51.100.10";
/// The way out of the clusters and instances of the production accounts.
pub(crate) const CLUSTER: [&str; 3] = ["198.51.100.65", "198.51.100.66", "198.51.100.67"];
/// The virtual desktops that contractors work from.
pub(crate) const CONTRACTOR_DESKTOP: &str = "192.0.2.84";
/// The posture vendor's scanners.
pub(crate) const SCANNER: [&str; 2] = ["192.0.2.113", "192.0.2.114"];
/// The announced penetration test.
pub(crate) const PENETRATION_TEST: &str = "192.0.2.121";
/// Identity Center itself, as seen in `AssumeRoleWithSAML`.
pub(crate) const IDENTITY_CENTER: [&str; 3] = ["203.0.113.241", "203.0.113.242", "203.0.113.243"];

/// What `portreeve.toml` declares: range, class, and whose it is.
pub(crate) const DECLARED: &[(&str, &str, &str)] = &[
    ("198.51.100.10/32", "corporate", "the offices' way out"),
    (
        "198.51.100.64/28",
        "corporate",
        "NAT gateways of the production clusters",
    ),
    ("198.51.100.200/29", "pipeline", "runners of the code host"),
    (
        "203.0.113.0/25",
        "residential",
        "homes of people who work from there",
    ),
    (
        "2001:db8:70::/48",
        "residential",
        "telephones used as modems",
    ),
    ("192.0.2.32/27", "vpn", "exits of consumer VPN providers"),
    (
        "192.0.2.80/28",
        "hosting",
        "rented servers, the contractors' desktops among them",
    ),
    ("192.0.2.112/28", "hosting", "security vendors"),
];

/// A runner's address.
pub(crate) fn runner(dice: &mut Dice) -> String {
    format!("198.51.100.{}", 200 + dice.below(8))
}

/// The home of the person with this number.
pub(crate) fn home(person: usize) -> String {
    format!("203.0.113.{}", 20 + person)
}

/// The telephone of the person with this number.
pub(crate) fn telephone(person: usize) -> String {
    format!("2001:db8:70:{:x}::{:x}", 0x100 + person, 0x20 + person)
}

/// The VPN exit that a traveller uses: stable for each.
pub(crate) fn traveller(person: usize) -> String {
    format!("192.0.2.{}", 33 + person % 6)
}

/// The intruder's VPN exits and rented server.
pub(crate) fn intruder(dice: &mut Dice) -> (Vec<String>, String) {
    let mut exits: Vec<u64> = (40..60).collect();
    dice.shuffle(&mut exits);
    let exits = exits
        .into_iter()
        .take(4)
        .map(|octet| format!("192.0.2.{octet}"))
        .collect();
    (exits, format!("192.0.2.{}", 88 + dice.below(8)))
}
