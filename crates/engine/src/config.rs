use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnet::IpNet;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use portreeve_detect::Settings;
use portreeve_graph::DeclaredJewel;
use portreeve_model::Timestamp;
use serde::Deserialize;

/// What the user declares in `portreeve.toml`. Everything in it is optional.
///
/// ```toml
/// deploy_principals = ["arn:aws:iam::111122223333:role/gha-deploy"]
///
/// [accounts]
/// "111122223333" = "prod-web"
///
/// [networks]
/// "198.51.100.0/28" = "corporate"
///
/// [[jewels]]
/// id = "arn:aws:s3:::customer-data"
/// reason = "all customers' documents"
///
/// known_good = "2026-01-05..2026-02-01"
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
    /// The own accounts, with the names that people use.
    pub accounts: BTreeMap<String, String>,
    /// Known networks in CIDR notation with their class: `corporate`, `residential`, `vpn`,
    /// `hosting`, `pipeline`, or another word.
    pub networks: BTreeMap<IpNet, String>,
    /// Crown jewels beyond those found by themselves.
    pub jewels: Vec<DeclaredJewel>,
    /// Rules switched off.
    pub rules: RuleSettings,
    /// When the estate was surely clean: only then is learnt what is normal.
    pub known_good: Option<Period>,
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
    /// One end is neither a date nor a time.
    #[error("`{0}` is neither a date (2026-01-05) nor a time (2026-01-05T08:00:00Z)")]
    Moment(String),
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
        let from = moment(from.trim(), false)?;
        let to = moment(to.trim(), true)?;
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

fn moment(text: &str, at_end: bool) -> Result<Timestamp, PeriodError> {
    let odd = || PeriodError::Moment(text.to_owned());
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    // A time of day without a zone would be somebody's local time.
    if text.contains(['T', ' ']) {
        return Err(odd());
    }
    let date: Date = text.parse().map_err(|_| odd())?;
    let start = |date: Date| {
        date.to_zoned(TimeZone::UTC)
            .map(|day| day.timestamp())
            .map_err(|_| odd())
    };
    if at_end {
        let next = date.tomorrow().map_err(|_| odd())?;
        Ok(start(next)?
            .saturating_sub(1.microsecond())
            .unwrap_or(start(date)?))
    } else {
        start(date)
    }
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
        toml::from_str(text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            message: error.to_string(),
        })
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
        Settings {
            deploy_principals: self.deploy_principals.clone(),
            accounts: self.accounts.clone(),
            networks: self.networks.clone(),
        }
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
        assert!(!config.simulated);
    }
}
