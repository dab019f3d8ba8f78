//! How to watch, as `portreeve.toml` and the environment say.

use std::net::SocketAddr;
use std::path::PathBuf;

use portreeve_model::Severity;
use serde::Deserialize;

/// What the names of variables begin with that stand for a setting: `PORTREEVE_SERVE_HOLD`.
const PREFIX: &str = "PORTREEVE_SERVE_";

/// The form of what the watch says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

macro_rules! settings {
    ($($(#[$meta:meta])* $name:ident: $type:ty,)*) => {
        /// The section `[serve]` of `portreeve.toml`. What is not said there stays as it is built in.
        ///
        /// ```toml
        /// [serve]
        /// listen = "0.0.0.0:7373"
        /// behind_proxy = true
        /// hold = 2000000
        /// keep_days = 90
        /// notify = ["slack=https://hooks.example/…"]
        /// ```
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct ServeSettings {
            $($(#[$meta])* pub $name: Option<$type>,)*
        }

        impl ServeSettings {
            /// What is said here, else what is said there.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)* }
            }

            const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];
        }
    };
}

settings! {
    /// Where the page and the API are.
    listen: SocketAddr,
    /// Whether a proxy that speaks TLS stands before it.
    behind_proxy: bool,
    /// Milliseconds between two looks at the folders.
    poll: u64,
    /// Milliseconds that what arrives is gathered before it is folded, at least.
    gather: u64,
    /// Seconds that the unfinished end of a file is waited for.
    settle: u64,
    /// Seconds between two looks whether inventory has changed.
    inventory_every: u64,
    /// The queue that tells of a bucket's new objects.
    queue: String,
    /// Seconds between two listings of a bucket.
    bucket_every: u64,
    /// How many records are held whole.
    hold: usize,
    /// For how many days records stay in the event log, by their own time.
    keep_days: u32,
    /// How many gigabytes the event log may take, compressed.
    keep_gigabytes: u32,
    /// The folder in which activities are archived, as OCSF in Parquet.
    archive: PathBuf,
    /// For how many days activities stay in the archive, by their own time.
    archive_days: u32,
    /// How many gigabytes the archive may take.
    archive_gigabytes: u32,
    /// Who is told of incidents: `slack=URL`, `ocsf=URL`.
    notify: Vec<String>,
    /// From which severity on others are told.
    notify_from: Severity,
    /// What the page is called by others, for links in what they are told.
    page: String,
    /// The form of what the watch says about itself.
    log_format: LogFormat,
}

/// A variable that stands for no setting, or has no value that fits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{variable}: {reason}")]
pub struct SettingError {
    /// The variable.
    pub variable: String,
    /// What is wrong.
    pub reason: String,
}

impl ServeSettings {
    /// What variables of the environment say. Values are written as in the file; texts may go without quotes,
    /// and lists may be parted by commas.
    ///
    /// # Errors
    /// Where a variable with the prefix stands for nothing, or its value does not fit.
    pub fn of_environment(
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingError> {
        let mut all = Self::default();
        for (variable, value) in variables {
            let Some(name) = variable.strip_prefix(PREFIX) else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            let fail = |reason: String| SettingError {
                variable: variable.clone(),
                reason,
            };
            if !Self::NAMES.contains(&name.as_str()) {
                return Err(fail(format!(
                    "there is no such setting; there are {}",
                    Self::NAMES.join(", ")
                )));
            }
            let list = || {
                let items = value.split(',').map(|item| toml::Value::from(item.trim()));
                toml::Value::Array(items.collect())
            };
            let written = format!("x = {value}").parse::<toml::Table>().ok();
            let written = written.and_then(|mut table| table.remove("x"));
            let forms = [
                written,
                Some(toml::Value::from(value.as_str())),
                Some(list()),
            ];
            let mut reason = String::new();
            let fits = forms.into_iter().flatten().find_map(|form| {
                let table = toml::Table::from_iter([(name.clone(), form)]);
                match table.try_into::<Self>() {
                    Ok(one) => Some(one),
                    Err(error) => {
                        if reason.is_empty() {
                            reason = error.message().to_owned();
                        }
                        None
                    }
                }
            });
            all = fits.ok_or_else(|| fail(reason))?.or(all);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<ServeSettings, SettingError> {
        let variables = variables.iter();
        let owned = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ServeSettings::of_environment(owned)
    }

    #[test]
    fn the_environment_comes_before_the_file() {
        let file: ServeSettings =
            toml::from_str("hold = 5000\npoll = 100\nlog_format = \"json\"").unwrap();
        let own = of(&[
            ("PORTREEVE_SERVE_HOLD", "7000"),
            ("PORTREEVE_SERVE_LISTEN", "127.0.0.1:9"),
            ("PORTREEVE_SERVE_NOTIFY", "slack=https://a, ocsf=https://b"),
            ("PORTREEVE_SERVE_NOTIFY_FROM", "critical"),
            ("PORTREEVE_DATA_DIR", "elsewhere"),
        ]);
        let all = own.unwrap().or(file);
        assert_eq!((all.hold, all.poll), (Some(7_000), Some(100)));
        assert_eq!(all.listen, Some("127.0.0.1:9".parse().unwrap()));
        assert_eq!(all.log_format, Some(LogFormat::Json));
        assert_eq!(all.notify_from, Some(Severity::Critical));
        assert_eq!(all.notify.unwrap(), ["slack=https://a", "ocsf=https://b"]);
    }

    #[test]
    fn what_stands_for_nothing_is_told() {
        let error = of(&[("PORTREEVE_SERVE_HOLDS", "1")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no such setting") && error.contains("hold"),
            "{error}"
        );
        let error = of(&[("PORTREEVE_SERVE_POLL", "often")]).unwrap_err();
        assert_eq!(error.variable, "PORTREEVE_SERVE_POLL");
        assert!(toml::from_str::<ServeSettings>("holds = 1").is_err());
    }
}
