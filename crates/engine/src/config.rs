use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnet::IpNet;
use portreeve_detect::{DeclaredNetwork, Exception, NetworkDetail, Settings, Vendor};
use portreeve_graph::DeclaredJewel;
use portreeve_graph::cut::Costs;
use portreeve_model::Timestamp;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::checks::{self, CheckEntries, SuppressionEntry};
use crate::exceptions::{self, ExceptionEntry};
use crate::moment::{self, MomentError, moment};
use crate::serve::ServeSettings;

/// What the user declares in `portreeve.toml`. Everything in it is optional.
///
/// ```toml
/// deploy_principals = ["arn:aws:iam::111122223333:role/gha-deploy"]
/// canaries = ["AKIAEXAMPLEPLANTED01"]
///
/// [accounts]
/// "111122223333" = "prod-web"
///
/// [networks]
/// "198.51.100.0/28" = { class = "corporate", name = "office Berlin" }
/// "192.0.2.40/29" = "vpn"
///
/// [[vendors]]
/// name = "Watcher"
/// networks = ["203.0.113.64/28"]
/// principals = ["arn:aws:iam::*:role/watcher-*"]
///
/// [[jewels]]
/// id = "arn:aws:s3:::customer-data"
/// reason = "all customers' documents"
///
/// known_good = "2026-01-05..2026-02-01"
///
/// [cut.costs]
/// detach = 2
///
/// [rules]
/// disabled = ["4f6f9e0c-…"]
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether the data beside it came from the simulator. Reports say so.
    pub simulated: bool,
    /// Principals that may write web origins and push images: ids, `*` matches any characters.
    pub deploy_principals: Vec<String>,
    /// What was planted for intruders to find: ids of credentials, principals and resources that
    /// nobody has a use for; `*` matches any characters.
    pub canaries: Vec<String>,
    /// The own accounts, with the names that people use.
    pub accounts: BTreeMap<String, String>,
    /// Known networks, in CIDR notation or by AS number, with their class: `corporate`,
    /// `residential`, `vpn`, `hosting`, `pipeline`, or another word.
    pub networks: BTreeMap<NetworkKey, NetworkValue>,
    /// Vendors whose calls from their networks are expected.
    pub vendors: Vec<DeclaredVendor>,
    /// Files with data of networks: MaxMind databases, or CSV. Relative to the configuration.
    pub network_data: Vec<PathBuf>,
    /// Where `portreeve networks update` has put data of networks; used behind all others.
    #[serde(skip)]
    pub network_folder: Option<PathBuf>,
    /// Files with the public keys that CloudTrail's digests are verified with: what `aws cloudtrail
    /// list-public-keys` prints, PEM or DER. Relative to the configuration.
    pub digest_keys: Vec<PathBuf>,
    /// Crown jewels beyond those found by themselves.
    pub jewels: Vec<DeclaredJewel>,
    /// How `cut` weighs changes.
    pub cut: CutSettings,
    /// Rules switched off.
    pub rules: RuleSettings,
    /// When the estate was surely clean: only then is learnt what is normal.
    pub known_good: Option<Period>,
    /// Findings that are expected: they neither page nor score.
    #[serde(rename = "exceptions")]
    pub exception_entries: Vec<ExceptionEntry>,
    /// What those mean.
    #[serde(skip)]
    pub exceptions: Vec<Exception>,
    /// How posture checks are tuned.
    pub checks: CheckEntries,
    /// Failures of posture checks that are accepted.
    #[serde(rename = "suppressions")]
    pub suppression_entries: Vec<SuppressionEntry>,
    /// What those mean.
    #[serde(skip)]
    pub posture: portreeve_posture::Settings,
    /// How `serve` watches.
    pub serve: ServeSettings,
    /// When the user says that the intruder was shut out (`--contained-at`).
    #[serde(skip)]
    pub contained_at: Option<Timestamp>,
}

/// How `cut` weighs changes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CutSettings {
    /// What each kind of change costs, where it is not what is built in.
    pub costs: Costs,
}

/// A time from a moment to another, both included. Written `A..B`, each a date or a time with its
/// zone; a date at the end means the end of that day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Period(pub (Timestamp, Timestamp));

/// A text that is no period.
#[derive(Debug, thiserror::Error)]
pub enum PeriodError {
    /// It has another form.
    #[error("`{0}` is no period: write A..B, as 2026-01-05..2026-02-01")]
    Form(String),
    /// One end is neither a day nor a time.
    #[error(transparent)]
    Moment(#[from] MomentError),
    /// It ends before it begins.
    #[error("the period {0} ends before it begins")]
    Order(String),
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let (from, to) = text
            .split_once("..")
            .ok_or_else(|| PeriodError::Form(text.to_owned()))?;
        let from = moment(from)?;
        let to = moment::end(to)?;
        if from > to {
            return Err(PeriodError::Order(text.to_owned()));
        }
        Ok(Self((from, to)))
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} to {}", self.0.0, self.0.1)
    }
}

/// What `[networks]` is keyed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum NetworkKey {
    /// A range of addresses; a single address is one, too.
    Range(IpNet),
    /// An autonomous system by its number: `AS64500`.
    AutonomousSystem(u32),
}

impl TryFrom<String> for NetworkKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = text
            .strip_prefix("AS")
            .and_then(|digits| digits.parse().ok());
        match (parse_range(&text), number) {
            (Some(range), _) => Ok(NetworkKey::Range(range)),
            (None, Some(number)) => Ok(NetworkKey::AutonomousSystem(number)),
            (None, None) => Err(format!(
                "`{text}` is neither a network (`198.51.100.0/28`, `2001:db8::/48`) nor the \
                 number of an autonomous system (`AS64500`)"
            )),
        }
    }
}

/// A range in CIDR notation, or a single address.
fn parse_range(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// What is said of a network: its class, or a table that says more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkValue(pub DeclaredNetwork);

impl<'de> Deserialize<'de> for NetworkValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            class: String,
            name: Option<String>,
            own: Option<bool>,
        }

        /// Told apart by hand, so that a mistyped name in the table is told as such.
        struct WordOrTable;

        impl<'de> Visitor<'de> for WordOrTable {
            type Value = DeclaredNetwork;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a class, or a table with `class`, `name` and `own`")
            }

            fn visit_str<E: de::Error>(self, class: &str) -> Result<Self::Value, E> {
                Ok(DeclaredNetwork {
                    class: class.to_owned(),
                    ..DeclaredNetwork::default()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let Table { class, name, own } =
                    Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(DeclaredNetwork { class, name, own })
            }
        }

        deserializer.deserialize_any(WordOrTable).map(Self)
    }
}

/// A vendor with access to the estate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredVendor {
    /// Its name.
    pub name: String,
    /// From where it calls, in CIDR notation.
    #[serde(deserialize_with = "ranges")]
    pub networks: Vec<IpNet>,
    /// The principals that it uses: ids, `*` matches any characters.
    #[serde(default)]
    pub principals: Vec<String>,
}

fn ranges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    // Without a network nothing could be expected of the vendor, whatever its roles.
    if texts.is_empty() {
        return Err(de::Error::custom("a vendor needs at least one network"));
    }
    texts
        .iter()
        .map(|text| {
            parse_range(text).ok_or_else(|| de::Error::custom(format!("`{text}` is no network")))
        })
        .collect()
}

/// Which rules run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleSettings {
    /// Ids or file names of rules that are switched off.
    pub disabled: Vec<String>,
}

/// The name under which a configuration is looked for.
pub const CONFIG_FILE: &str = "portreeve.toml";

/// A configuration that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: cannot read the configuration: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a configuration.
    #[error("{}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
}

impl Config {
    /// Reads a configuration.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in config
            .network_data
            .iter_mut()
            .chain(&mut config.digest_keys)
        {
            *file = folder.join(&*file);
        }
        config.exceptions = exceptions::read(&config.exception_entries, path)?;
        config.posture = checks::read(&config.checks, &config.suppression_entries, path)?;
        let own = config.accounts.keys().cloned();
        config.posture.trusted_accounts.extend(own);
        Ok(config)
    }

    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    /// What detection needs of it.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings {
            deploy_principals: self.deploy_principals.clone(),
            canaries: self.canaries.clone(),
            accounts: self.accounts.clone(),
            vendors: self
                .vendors
                .iter()
                .map(|vendor| Vendor {
                    name: vendor.name.clone(),
                    networks: vendor.networks.clone(),
                    principals: vendor.principals.clone(),
                })
                .collect(),
            exceptions: self.exceptions.clone(),
            contained_at: self.contained_at,
            ..Settings::default()
        };
        for (key, NetworkValue(network)) in &self.networks {
            match key {
                NetworkKey::Range(range) => {
                    settings.networks.insert(*range, network.class.clone());
                    let detail = NetworkDetail {
                        name: network.name.clone(),
                        own: network.own,
                    };
                    settings.network_details.insert(*range, detail);
                }
                NetworkKey::AutonomousSystem(number) => {
                    settings.autonomous_systems.insert(*number, network.clone());
                }
            }
        }
        settings
    }

    /// Looks for a `portreeve.toml` in the given folders, in their order, then in the current one;
    /// without any, everything is at its default.
    pub fn find(folders: &[PathBuf]) -> Result<(Self, Option<PathBuf>), ConfigError> {
        let here = PathBuf::from(".");
        for folder in folders.iter().chain([&here]) {
            let path = folder.join(CONFIG_FILE);
            if path.is_file() {
                return Ok((Self::read(&path)?, Some(path)));
            }
        }
        Ok((Self::default(), None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_told_with_its_line() {
        let error = Config::parse(
            Path::new("portreeve.toml"),
            "simulated = true\nnetwork = 1\n",
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("line 2") && error.contains("network"),
            "{error}"
        );
    }

    #[test]
    fn periods_are_dates_or_times() {
        let period = |text: &str| text.parse::<Period>();
        let Period((from, to)) = period("2026-01-05..2026-02-01").unwrap();
        assert_eq!(from.to_string(), "2026-01-05T00:00:00Z");
        assert_eq!(to.to_string(), "2026-02-01T23:59:59.999999Z");
        let Period((from, _)) = period("2026-01-05T08:00:00+01:00 .. 2026-02-01").unwrap();
        assert_eq!(from.to_string(), "2026-01-05T07:00:00Z");
        for text in [
            "2026-01-05",
            "2026-02-01..2026-01-05",
            "yesterday..today",
            "2026-01-05T08:00:00..2026-02-01",
            "..",
        ] {
            assert!(period(text).is_err(), "{text}");
        }
        let config = Config::parse(
            Path::new("portreeve.toml"),
            "known_good = \"2026-01-05..2026-02-01\"",
        )
        .unwrap();
        assert!(config.known_good.is_some());
        let wrong = Config::parse(Path::new("portreeve.toml"), "known_good = \"May\"");
        assert!(wrong.unwrap_err().to_string().contains("no period"));
    }

    #[test]
    fn the_example_of_the_guide_is_read() {
        let config = Config::parse(
            Path::new("portreeve.toml"),
            "deploy_principals = [\"arn:aws:iam::1:role/gha-*\"]\n\
             canaries = [\"AKIAEXAMPLEPLANTED01\"]\n\
             [accounts]\n\"111122223333\" = \"prod\"\n\
             [networks]\n\"198.51.100.0/28\" = \"corporate\"\n\
             [[jewels]]\nid = \"arn:aws:s3:::data\"\n[rules]\ndisabled = [\"x\"]\n",
        )
        .unwrap();
        assert_eq!(
            config.settings().network_class("198.51.100.3"),
            Some("corporate")
        );
        assert_eq!(config.jewels[0].id, "arn:aws:s3:::data");
        assert_eq!(config.settings().canaries, ["AKIAEXAMPLEPLANTED01"]);
        assert!(!config.simulated);
    }

    #[test]
    fn networks_may_have_names_and_vendors_their_own() {
        let config = Config::parse(
            Path::new("settings/portreeve.toml"),
            "network_data = [\"asn.mmdb\"]\ndigest_keys = [\"keys.json\"]\n\
             [networks]\n\"198.51.100.0/28\" = { class = \"corporate\", name = \"office Berlin\" }\n\
             \"192.0.2.7\" = \"vpn\"\n\"AS64500\" = { class = \"gateway\", own = true }\n\
             [[vendors]]\nname = \"Watcher\"\nnetworks = [\"203.0.113.0/28\"]\n",
        )
        .unwrap();
        assert_eq!(config.network_data, [Path::new("settings/asn.mmdb")]);
        assert_eq!(config.digest_keys, [Path::new("settings/keys.json")]);
        let networks = portreeve_detect::Networks::new(&config.settings(), Vec::new());
        let office = networks.of("198.51.100.3");
        assert_eq!(office.name().as_deref(), Some("office Berlin"));
        assert!(office.own);
        assert_eq!(networks.of("192.0.2.7").class, Some("vpn"));
        assert_eq!(
            networks.of("203.0.113.3").name().as_deref(),
            Some("Watcher")
        );
        assert_eq!(
            config.settings().autonomous_systems[&64_500].own,
            Some(true)
        );
    }

    #[test]
    fn what_is_wrong_with_a_network_is_told_with_its_line() {
        for (text, wanted) in [
            (
                "[networks]\n\"office\" = \"corporate\"\n",
                "`office` is neither",
            ),
            (
                "[networks]\n\"192.0.2.0/24\" = { klass = \"x\" }\n",
                "klass",
            ),
            ("[networks]\n\"192.0.2.0/24\" = 7\n", "a class, or a table"),
            ("x = 1\n[[vendors]]\n", "missing field `name`"),
            (
                "\n[[vendors]]\nname = \"W\"\nnetworks = []\n",
                "at least one network",
            ),
            (
                "\n[[vendors]]\nname = \"W\"\nnetworks = [\"x\"]\n",
                "`x` is no network",
            ),
        ] {
            let error = Config::parse(Path::new("portreeve.toml"), text)
                .unwrap_err()
                .to_string();
            assert!(error.contains(wanted) && error.contains("line"), "{error}");
        }
    }
}
