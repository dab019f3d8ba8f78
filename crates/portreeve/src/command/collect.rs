//! Reads live accounts into inventory files.

use std::collections::BTreeMap;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use portreeve_cloud::{Access, Accounts, Collection, Options, Part, Progress};
use portreeve_view::collected::{Collected, RefusedCall, SurfaceRead};
use portreeve_view::{html, json, terminal};

use super::can::usage;
use crate::Ending;
use crate::arguments::AnswerFormat;
use crate::arguments::collect::{Collect, CollectAws, CollectFrom};
use crate::output;

pub(crate) fn run(options: &Collect) -> Result<Ending> {
    match &options.from {
        CollectFrom::Aws(options) => aws(options),
    }
}

fn aws(options: &CollectAws) -> Result<Ending> {
    let Some(out) = options.out.clone().filter(|_| !options.policy) else {
        let policy = portreeve_cloud::policy(&options.role);
        return output::answer(&options.place, false, |_, mut out| {
            Ok(json::answer(&policy, &mut out)?)
        })
        .map(|()| Ending::Clean);
    };
    let accounts = match (options.organization, options.accounts.as_slice()) {
        (true, _) => Accounts::Organization,
        (false, []) => Accounts::Own,
        (false, listed) => Accounts::Listed(listed.to_vec()),
    };
    let wanted = Options {
        access: Access {
            profile: options.profile.clone(),
            region: None,
        },
        out: out.clone(),
        accounts,
        role: options.role.trim_start_matches('/').to_owned(),
        external_id: options.external_id.clone(),
        regions: options.regions.clone(),
        only: options.only.clone(),
        at_once: usize::from(options.at_once),
        again: options.again,
    };
    let bar = Bar::default();
    let collection = portreeve_cloud::collect(&wanted, &bar);
    bar.0.finish_and_clear();
    let collection = match collection {
        Err(error @ portreeve_cloud::CollectError::Unknown { .. }) => {
            return Ok(usage(&error.to_string()));
        }
        other => other?,
    };
    let collected = told(&collection, &out.display().to_string());
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            AnswerFormat::Terminal => {
                out.write_all(terminal::collected(&collected, layout).as_bytes())?;
            }
            AnswerFormat::Json => json::answer(&collected, &mut out)?,
            AnswerFormat::Html => out.write_all(html::collected(&collected).as_bytes())?,
        }
        Ok(())
    })?;
    match collection.summary.stopped {
        Some(why) => Err(anyhow::anyhow!(why)),
        None => Ok(Ending::Clean),
    }
}

/// Shows on standard error how far it is; on anything but a terminal it shows nothing.
struct Bar(ProgressBar);

impl Default for Bar {
    fn default() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        bar.set_message("signing in");
        Self(bar)
    }
}

impl Progress for Bar {
    fn planned(&self, parts: usize) {
        self.0.set_length(parts as u64);
    }

    fn done(&self, part: &Part) {
        let place = &part.place;
        let region = place.region.as_deref().unwrap_or("global");
        self.0
            .set_message(format!("{} {region} {}", place.account, place.surface));
        self.0.inc(1);
    }
}

fn told(collection: &Collection, folder: &str) -> Collected {
    let mut surfaces: BTreeMap<&str, SurfaceRead> = BTreeMap::new();
    let mut refused: BTreeMap<(&str, &str), RefusedCall> = BTreeMap::new();
    let titles: BTreeMap<&str, &str> = portreeve_cloud::surfaces().collect();
    for part in &collection.parts {
        let id = part.place.surface.as_str();
        let read = surfaces.entry(id).or_insert_with(|| SurfaceRead {
            id: id.to_owned(),
            title: titles.get(id).copied().unwrap_or(id).to_owned(),
            ..SurfaceRead::default()
        });
        read.kept += usize::from(part.kept);
        match part.unseen.is_empty() {
            true => read.whole += 1,
            false => read.partly += 1,
        }
        for unseen in &part.unseen {
            let call = refused
                .entry((&unseen.action, &unseen.code))
                .or_insert_with(|| RefusedCall {
                    action: unseen.action.clone(),
                    code: unseen.code.clone(),
                    message: unseen.message.clone(),
                    ..RefusedCall::default()
                });
            call.count += unseen.count;
            call.places.push(match &part.place.region {
                Some(region) => format!("{} {region}", part.place.account),
                None => part.place.account.clone(),
            });
        }
    }
    let summary = &collection.summary;
    let made = collection.parts.iter().filter(|part| !part.kept);
    Collected {
        finished: summary.finished,
        stopped: summary.stopped.clone(),
        folder: folder.to_owned(),
        caller: summary.caller.clone(),
        accounts: summary
            .accounts
            .iter()
            .map(|(account, regions)| (account.clone(), regions.len()))
            .collect(),
        unreachable: collection
            .unreachable
            .iter()
            .map(|closed| (closed.account.clone(), closed.message.clone()))
            .collect(),
        calls: made.map(|part| part.calls).sum(),
        surfaces: surfaces.into_values().collect(),
        refused: refused.into_values().collect(),
    }
}
