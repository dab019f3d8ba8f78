//! What rules of security groups and network access lists open.

use portreeve_graph::ports::{self, Ports};
use portreeve_model::Entity;
use serde_json::Value;

use crate::scene::{items, json, text};

/// From anywhere, in both versions of the protocol.
const ANYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// Ports that administer machines: SSH and RDP.
pub(crate) const ADMINISTRATION: [i64; 2] = [22, 3389];

/// The ranges of ports that a security group opens to anyone. Nothing where its rules are not known.
pub(crate) fn open_to_anyone(group: &Entity) -> Option<Vec<Ports>> {
    match text(group, "IpPermissions")? {
        "none" => Some(Vec::new()),
        rules => ports::open_to_anyone(rules),
    }
}

/// The first rule of a network access list, by number, that speaks of a port from anywhere: whether
/// it lets traffic in. An entry for fewer addresses does not decide for all.
pub(crate) fn lets_in(list: &Entity, port: i64) -> Option<bool> {
    let entries = json(list, "Entries")?;
    let mut ingress: Vec<&Value> = items(&entries)
        .iter()
        .filter(|entry| entry.get("Egress").and_then(Value::as_bool) == Some(false))
        .collect();
    ingress.sort_by_key(|entry| entry.get("RuleNumber").and_then(Value::as_i64));
    // Each version of the protocol has rules of its own.
    let decided = |name: &str, all: &str| {
        let rule = ingress.iter().find(|entry| {
            let range = entry.get(name).and_then(Value::as_str);
            range == Some(all) && speaks_of(entry, port)
        });
        rule.is_some_and(|rule| rule.get("RuleAction").and_then(Value::as_str) == Some("allow"))
    };
    Some(decided("CidrBlock", ANYWHERE[0]) || decided("Ipv6CidrBlock", ANYWHERE[1]))
}

fn speaks_of(entry: &Value, port: i64) -> bool {
    let protocol = entry.get("Protocol").and_then(Value::as_str);
    if protocol == Some("-1") {
        return true;
    }
    let range = entry.get("PortRange");
    let number = |name: &str| {
        range
            .and_then(|range| range.get(name))
            .and_then(Value::as_i64)
    };
    let within = number("From")
        .zip(number("To"))
        .is_none_or(|(from, to)| (from..=to).contains(&port));
    matches!(protocol, Some("6" | "17")) && within
}
