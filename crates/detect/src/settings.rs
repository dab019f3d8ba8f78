use std::collections::BTreeMap;

use ipnet::IpNet;
use jiff::Timestamp;

use portreeve_model::{Outcome, Severity};

use crate::exceptions::Exception;

/// What the user declares about their estate, from `portreeve.toml`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Principals that may write web origins and push images: ids, `*` matches any characters.
    pub deploy_principals: Vec<String>,
    /// What was planted for intruders to find: ids of credentials, principals and resources that
    /// nobody has a use for; `*` matches any characters.
    pub canaries: Vec<String>,
    /// The own accounts, with the names that people use.
    pub accounts: BTreeMap<String, String>,
    /// Known networks with their class: `corporate`, `residential`, `vpn`, `hosting`, `pipeline`,
    /// or a word of the user's.
    pub networks: BTreeMap<IpNet, String>,
    /// More of some of these networks.
    pub network_details: BTreeMap<IpNet, NetworkDetail>,
    /// Known networks by the number of their autonomous system.
    pub autonomous_systems: BTreeMap<u32, DeclaredNetwork>,
    /// Vendors whose calls from their networks are expected.
    pub vendors: Vec<Vendor>,
    /// Findings that are expected.
    pub exceptions: Vec<Exception>,
    /// When the user says that the intruder was shut out.
    pub contained_at: Option<Timestamp>,
}

/// What more the user says of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkDetail {
    /// What people call it: `office Berlin`.
    pub name: Option<String>,
    /// Whether it is a way out of the own organisation's; without it its class tells.
    pub own: Option<bool>,
}

/// A network that the user declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredNetwork {
    /// Its class.
    pub class: String,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it is a way out of the own organisation's; without it its class tells.
    pub own: Option<bool>,
}

/// A vendor with access to the estate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vendor {
    /// Its name.
    pub name: String,
    /// From where it calls.
    pub networks: Vec<IpNet>,
    /// The principals that it uses: ids, `*` matches any characters. Without any, all of them are
    /// expected from there.
    pub principals: Vec<String>,
}

impl Settings {
    /// The class of the narrowest declared network that holds an address.
    pub fn network_class(&self, address: &str) -> Option<&str> {
        if self.networks.is_empty() {
            return None;
        }
        let address = address.parse::<std::net::IpAddr>().ok()?;
        self.networks
            .iter()
            .filter(|(range, _)| range.contains(&address))
            .max_by_key(|(range, _)| range.prefix_len())
            .map(|(_, class)| class.as_str())
    }
}

/// Whether a text matches a pattern in which `*` stands for any characters.
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(position) => rest = &rest[position + part.len()..],
            None => return false,
        }
    }
    true
}

/// The word rules see for an outcome.
pub(crate) fn outcome_word(outcome: &Outcome<'_>) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Denied(_) => "denied",
        Outcome::Failed(_) => "failed",
    }
}

/// A sign that the user starts from: what hangs on it is told even where no rule fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// What to look for.
    pub kind: SignKind,
    /// Where it comes from: `--from`, or the file that lists it.
    pub origin: String,
    /// How much a match matters.
    pub severity: Severity,
}

/// What a sign names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignKind {
    /// A credential by its id.
    Key(String),
    /// Addresses.
    Network(IpNet),
    /// A person or workload: user name, user ARN, or session name.
    User(String),
    /// A role: ARN or name.
    Role(String),
    /// A part of a user agent.
    Client(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        assert!(matches_pattern(
            "arn:*:role/gha-*",
            "arn:aws:iam::1:role/gha-deploy"
        ));
        assert!(matches_pattern("*", ""));
        assert!(!matches_pattern("gha", "gha-deploy"));
        assert!(!matches_pattern("*deploy", "deploy-x"));
        assert!(matches_pattern("a*b*c", "a-b-b-c"));
        assert!(!matches_pattern("a*a", "a"));
    }

    #[test]
    fn the_narrowest_network_names_the_class() {
        let networks = [
            ("198.51.100.0/24", "corporate"),
            ("198.51.100.200/29", "pipeline"),
        ]
        .map(|(range, class)| (range.parse().unwrap(), class.to_owned()));
        let settings = Settings {
            networks: networks.into(),
            ..Settings::default()
        };
        assert_eq!(settings.network_class("198.51.100.201"), Some("pipeline"));
        assert_eq!(settings.network_class("198.51.100.1"), Some("corporate"));
        assert_eq!(settings.network_class("s3.amazonaws.com"), None);
    }
}
