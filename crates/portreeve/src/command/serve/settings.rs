//! What the watch is told by options, the environment and `portreeve.toml`, in this order.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use portreeve_engine::serve::{HOLD, Keep, LogFormat, Pace, ServeSettings};
use portreeve_model::Severity;
use portreeve_server::Listen;
use portreeve_server::notify::{Notify, Target};

use crate::arguments::{LogForm, Serve};

/// Everything that is set.
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    pub(crate) pace: Pace,
    pub(crate) hold: usize,
    pub(crate) keep: Keep,
    /// Where activities are archived, and how much of them is kept.
    #[cfg_attr(not(feature = "parquet"), allow(dead_code))]
    pub(crate) archive: Option<(PathBuf, Keep)>,
    /// Whom to tell of incidents.
    #[cfg_attr(not(feature = "notify"), allow(dead_code))]
    pub(crate) notify: Notify,
    pub(crate) log_format: LogFormat,
    /// The queue that tells of a bucket's new objects.
    #[cfg_attr(not(feature = "aws"), allow(dead_code))]
    pub(crate) queue: Option<String>,
    /// How often buckets are listed.
    #[cfg_attr(not(feature = "aws"), allow(dead_code))]
    pub(crate) bucket_every: Duration,
}

impl Settings {
    pub(crate) fn new(options: &Serve, file: &ServeSettings) -> Result<Self> {
        let own = ServeSettings {
            listen: options.listen,
            behind_proxy: options.behind_proxy.then_some(true),
            poll: options.poll,
            gather: options.gather,
            settle: options.settle,
            inventory_every: options.inventory_every,
            hold: options.hold,
            keep_days: options.keep_days,
            keep_gigabytes: options.keep_gigabytes,
            archive: options.archive.clone(),
            archive_days: options.archive_days,
            archive_gigabytes: options.archive_gigabytes,
            notify: (!options.notify.is_empty()).then(|| options.notify.clone()),
            notify_from: options.notify_from,
            page: options.page.clone(),
            queue: options.queue.clone(),
            bucket_every: options.bucket_every,
            log_format: options.log_format.map(|format| match format {
                LogForm::Text => LogFormat::Text,
                LogForm::Json => LogFormat::Json,
            }),
        };
        let environment =
            ServeSettings::of_environment(std::env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            }))?;
        let all = own.or(environment).or(file.clone());
        let millis = |name, value: Option<u64>, usual, range| {
            within(name, value.unwrap_or(usual), range).map(Duration::from_millis)
        };
        let seconds = |name, value: Option<u64>, usual, range| {
            within(name, value.unwrap_or(usual), range).map(Duration::from_secs)
        };
        let mut targets = Vec::new();
        for text in all.notify.unwrap_or_default() {
            // The text may hold a secret, and is not repeated.
            let target: Target = text.parse().context("notify")?;
            targets.push(target);
        }
        if !targets.is_empty() && cfg!(not(feature = "notify")) {
            bail!("this build has no client for HTTP; `full` builds have, and tell of incidents");
        }
        if all.archive.is_some() && cfg!(not(feature = "parquet")) {
            bail!("this build writes no Parquet; `full` builds do, and archive activities");
        }
        if all.archive.is_none() && (all.archive_days, all.archive_gigabytes) != (None, None) {
            bail!(
                "how much of the archive is kept is said without `archive`, the folder that it is in"
            );
        }
        let archived = Keep {
            days: all.archive_days,
            gigabytes: all.archive_gigabytes,
        };
        let loopback = SocketAddr::from(([127, 0, 0, 1], 7373));
        Ok(Self {
            listen: Listen {
                address: all.listen.unwrap_or(loopback),
                behind_proxy: all.behind_proxy.unwrap_or(false),
            },
            pace: Pace {
                poll: millis("poll", all.poll, 500, 10..=600_000)?,
                fold: millis("gather", all.gather, 200, 1..=600_000)?,
                settle: seconds("settle", all.settle, 60, 1..=86_400)?,
                inventory: seconds("inventory-every", all.inventory_every, 60, 1..=86_400)?,
            },
            hold: within("hold", all.hold.unwrap_or(HOLD) as u64, 1_000..=100_000_000)? as usize,
            keep: Keep {
                days: all.keep_days,
                gigabytes: all.keep_gigabytes,
            },
            archive: all.archive.map(|folder| (folder, archived)),
            notify: Notify {
                targets,
                at_least: all.notify_from.unwrap_or(Severity::High),
                page: all.page.map(|page| page.trim_end_matches('/').to_owned()),
            },
            log_format: all.log_format.unwrap_or_default(),
            queue: all.queue,
            bucket_every: seconds("bucket-every", all.bucket_every, 30, 1..=86_400)?,
        })
    }
}

fn within(name: &str, value: u64, range: RangeInclusive<u64>) -> Result<u64> {
    if !range.contains(&value) {
        bail!(
            "{name} is {value}; expected a number from {} to {}",
            range.start(),
            range.end()
        );
    }
    Ok(value)
}
