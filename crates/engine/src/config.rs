use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use jiff::Timestamp;
use portreeve_detect::{Exception, Settings};
use portreeve_graph::DeclaredJewel;
use serde::Deserialize;

use crate::exceptions::{self, ExceptionEntry};

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
    /// Findings that are expected: they neither page nor score.
    #[serde(rename = "exceptions")]
    pub exception_entries: Vec<ExceptionEntry>,
    /// What those mean.
    #[serde(skip)]
    pub exceptions: Vec<Exception>,
    /// When the user says that the intruder was shut out (`--contained-at`).
    #[serde(skip)]
    pub contained_at: Option<Timestamp>,
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
        config.exceptions = exceptions::read(&config.exception_entries, path)?;
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
        Settings {
            deploy_principals: self.deploy_principals.clone(),
            accounts: self.accounts.clone(),
            networks: self.networks.clone(),
            exceptions: self.exceptions.clone(),
            contained_at: self.contained_at,
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
