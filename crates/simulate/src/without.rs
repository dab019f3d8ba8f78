use std::fmt;
use std::str::FromStr;

use crate::call::Call;
use crate::organisation::{ACCOUNTS, Account, REGIONS};
use crate::session::Caller;

/// A kind of record, or a part of the inventory, that the organisation does not have: what was
/// never switched on, what is kept elsewhere, what was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Without {
    /// Reads and writes of objects.
    S3DataEvents,
    /// Management events that only read.
    ReadEvents,
    /// What Identity Center records: sign-ins to its portal, roles taken there.
    IdentityCenter,
    /// All records of one service, named as in `eventSource`.
    Service(String),
    /// All records of one account, by its id.
    Account(String),
    /// All records of one region.
    Region(String),
    /// All records of these days of the plan, counted from 0, both included.
    Days(u32, u32),
    /// One part of the inventory, or all of it.
    Inventory(Option<InventoryPart>),
    /// The table of networks.
    Networks,
    /// The settings.
    Settings,
    /// The wallet policy, the queues of Safes and the chain's blocks.
    Wallets,
}

/// A part of the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InventoryPart {
    /// Users, groups, roles and policies.
    Iam,
    /// Buckets, keys, functions and all other resources.
    Resources,
    /// Credential reports.
    Credentials,
    /// Accounts, units and guard rails.
    Organization,
    /// People and permission sets.
    IdentityCenter,
}

const PARTS: [(InventoryPart, &str); 5] = [
    (InventoryPart::Iam, "iam"),
    (InventoryPart::Resources, "resources"),
    (InventoryPart::Credentials, "credentials"),
    (InventoryPart::Organization, "organization"),
    (InventoryPart::IdentityCenter, "identity-center"),
];

impl InventoryPart {
    fn name(self) -> &'static str {
        PARTS
            .iter()
            .find(|(part, _)| *part == self)
            .map_or("", |(_, name)| name)
    }
}

/// A word that names nothing that could be left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' cannot be left out; there are: s3-data-events, read-events, identity-center, sts, \
     service=NAME, account=ID or NAME, region=NAME, days=FIRST..LAST, inventory, \
     inventory=iam|resources|credentials|organization|identity-center, networks, settings, wallets"
)]
pub struct WithoutError(String);

impl FromStr for Without {
    type Err = WithoutError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || WithoutError(text.to_owned());
        let (word, value) = match text.split_once('=') {
            Some((word, value)) => (word, Some(value)),
            None => (text, None),
        };
        match (word, value) {
            ("s3-data-events", None) => Ok(Self::S3DataEvents),
            ("read-events", None) => Ok(Self::ReadEvents),
            ("identity-center", None) => Ok(Self::IdentityCenter),
            ("sts", None) => Ok(Self::Service("sts".to_owned())),
            ("inventory", None) => Ok(Self::Inventory(None)),
            ("networks", None) => Ok(Self::Networks),
            ("settings", None) => Ok(Self::Settings),
            ("wallets", None) => Ok(Self::Wallets),
            ("service", Some(name)) => {
                let plain = |letter: char| {
                    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-'
                };
                let name = name.trim_end_matches(".amazonaws.com");
                if name.is_empty() || !name.chars().all(plain) {
                    return Err(unknown());
                }
                Ok(Self::Service(name.to_owned()))
            }
            ("account", Some(name)) => ACCOUNTS
                .iter()
                .find(|account| account.id == name || account.name == name)
                .map(|account| Self::Account(account.id.to_owned()))
                .ok_or_else(unknown),
            ("region", Some(name)) if REGIONS.contains(&name) => Ok(Self::Region(name.to_owned())),
            ("days", Some(range)) => {
                let (first, last) = range.split_once("..").unwrap_or((range, range));
                match (first.parse(), last.parse()) {
                    (Ok(first), Ok(last)) if first <= last => Ok(Self::Days(first, last)),
                    _ => Err(unknown()),
                }
            }
            ("inventory", Some(name)) => PARTS
                .iter()
                .find(|(_, known)| *known == name)
                .map(|(part, _)| Self::Inventory(Some(*part)))
                .ok_or_else(unknown),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Without {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3DataEvents => formatter.write_str("s3-data-events"),
            Self::ReadEvents => formatter.write_str("read-events"),
            Self::IdentityCenter => formatter.write_str("identity-center"),
            Self::Service(name) => write!(formatter, "service={name}"),
            Self::Account(id) => write!(formatter, "account={id}"),
            Self::Region(name) => write!(formatter, "region={name}"),
            Self::Days(first, last) => write!(formatter, "days={first}..{last}"),
            Self::Inventory(None) => formatter.write_str("inventory"),
            Self::Inventory(Some(part)) => write!(formatter, "inventory={}", part.name()),
            Self::Networks => formatter.write_str("networks"),
            Self::Settings => formatter.write_str("settings"),
            Self::Wallets => formatter.write_str("wallets"),
        }
    }
}

impl Without {
    /// Whether a record is of this kind. `day` counts from the first day of the plan.
    pub(crate) fn hides(&self, account: Account, caller: &Caller, call: &Call, day: i64) -> bool {
        match self {
            Self::S3DataEvents => call.service == "s3" && call.is_data(),
            Self::ReadEvents => !call.is_data() && call.reads(),
            Self::IdentityCenter => {
                matches!(
                    call.service.as_str(),
                    "sso" | "sso-oauth" | "sso-directory" | "identitystore" | "identitystore-scim"
                ) || caller.identity.portal
            }
            Self::Service(name) => call.service == *name,
            Self::Account(id) => account.id == id,
            Self::Region(name) => call.region == name,
            Self::Days(first, last) => (i64::from(*first)..=i64::from(*last)).contains(&day),
            Self::Inventory(_) | Self::Networks | Self::Settings | Self::Wallets => false,
        }
    }

    /// Whether a file beside the logs is of this kind.
    pub(crate) fn hides_file(&self, path: &str) -> bool {
        match self {
            Self::Inventory(None) => path.starts_with("estate/"),
            Self::Inventory(Some(part)) => path
                .strip_prefix("estate/")
                .is_some_and(|name| name.starts_with(part.name())),
            Self::Networks => path == "networks.csv",
            Self::Settings => path == "portreeve.toml",
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_written() {
        for text in [
            "s3-data-events",
            "read-events",
            "identity-center",
            "service=kms",
            "account=444455556666",
            "region=us-east-1",
            "days=3..5",
            "inventory",
            "inventory=identity-center",
            "networks",
            "settings",
            "wallets",
        ] {
            let without: Without = text.parse().unwrap();
            assert_eq!(without.to_string(), text);
        }
        assert_eq!("sts".parse(), Ok(Without::Service("sts".to_owned())));
        assert_eq!("days=4".parse(), Ok(Without::Days(4, 4)));
        assert_eq!(
            "account=prod-sign".parse(),
            Ok(Without::Account("444455556666".to_owned()))
        );
        for text in [
            "",
            "logs",
            "account=000000000000",
            "region=eu-nowhere-1",
            "days=5..3",
            "service=",
            "service=S3",
            "inventory=all",
            "inventory=",
        ] {
            assert!(text.parse::<Without>().is_err(), "{text}");
        }
    }

    #[test]
    fn files_are_told_by_their_part() {
        let hides = |text: &str, path: &str| text.parse::<Without>().unwrap().hides_file(path);
        assert!(hides("inventory=iam", "estate/iam-111122223333.json"));
        assert!(!hides("inventory=iam", "estate/identity-center.json"));
        assert!(hides("inventory", "estate/credentials-111122223333.csv"));
        assert!(!hides("inventory", "networks.csv"));
        assert!(hides("networks", "networks.csv"));
    }
}
