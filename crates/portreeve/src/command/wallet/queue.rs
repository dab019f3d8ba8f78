use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use portreeve_engine::{HttpService, ServiceAddress};
use portreeve_model::Severity;
use portreeve_view::text;
use portreeve_wallet::Address;
use portreeve_wallet::policy::{Policy, Role};
use portreeve_wallet::safe::{Check, Expectations};
use portreeve_wallet::service::{Desk, Fault};

use crate::arguments::{AnswerFormat, QueueToken, WatchBlocks};

/// What the token is called among the environment's variables.
const TOKEN: &str = "PORTREEVE_QUEUE_TOKEN";
/// The most bytes of a file that holds a token.
const TOKEN_BYTES: usize = 16 << 10;
/// The longest that a service may ask to be left alone for, in seconds.
const LONGEST: u64 = 300;

/// A desk for the Safe that an address names, or for all of the policy's.
pub(super) fn desk(
    address: &str,
    token: &QueueToken,
    policy: Option<&Policy>,
    expectations: Expectations,
) -> Result<(Desk<HttpService>, String)> {
    let address = ServiceAddress::parse(address).context("the transaction service")?;
    let safes: Vec<Address> = match address.safe {
        Some(safe) => vec![safe],
        None => policy
            .into_iter()
            .flat_map(Policy::wallets)
            .filter(|wallet| wallet.role != Role::Contract && !wallet.owners.is_empty())
            .map(|wallet| wallet.address)
            .collect(),
    };
    if safes.is_empty() {
        bail!(
            "no Safe to ask {} for: give an address that goes on with /api/v1/safes/ADDRESS/, or a wallet policy with `owners`",
            text::clean(address.host())
        );
    }
    let host = address.host().to_owned();
    let service = HttpService::new(address, read_token(token)?.as_deref())
        .with_context(|| text::clean(&host).into_owned())?;
    Ok((Desk::new(service, safes, expectations), host))
}

/// The token from the file that is named, else from the environment. No option holds it: others could read that.
fn read_token(token: &QueueToken) -> Result<Option<String>> {
    let Some(path) = &token.queue_token_file else {
        return match std::env::var(TOKEN) {
            Ok(token) => Ok(Some(token)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => bail!("{TOKEN} is no text"),
        };
    };
    let bytes = super::read(Path::new(path))?;
    let token = String::from_utf8(bytes).ok();
    let token = token.filter(|token| token.len() <= TOKEN_BYTES && !token.trim().is_empty());
    match token {
        Some(token) => Ok(Some(token)),
        None => bail!("{} holds no token: expected one line", path.display()),
    }
}

/// Says what was not seen of queues.
pub(super) fn tell_faults(host: &str, faults: &[Fault]) {
    for fault in faults {
        let what = if fault.unread {
            "was not read"
        } else {
            "was read in part"
        };
        say!(
            "portreeve: {}: the queue of {} {what}: {}",
            text::clean(host),
            fault.safe,
            text::clean(&fault.reason)
        );
    }
}

/// Queues that are read again and again.
pub(super) struct Following {
    desk: Desk<HttpService>,
    host: String,
    names: BTreeMap<Address, String>,
    every: Duration,
    format: AnswerFormat,
    fail_on: Severity,
    failed: Arc<AtomicBool>,
    /// Since when queues were not read.
    unread: BTreeMap<Address, Instant>,
}

impl Following {
    /// Queues on a chain, by the options of the watch.
    pub(super) fn new(
        options: &WatchBlocks,
        address: &str,
        policy: &Policy,
        chain: u64,
    ) -> Result<Self> {
        let live = &options.live;
        let expectations = policy.expectations(Some(chain));
        let (desk, host) = desk(address, &live.token, Some(policy), expectations)?;
        let names = policy
            .wallets()
            .map(|wallet| (wallet.address, wallet.name.clone()));
        Ok(Self {
            desk,
            host,
            names: names.collect(),
            every: live.queue_every,
            format: options.outcome.format,
            fail_on: options.outcome.fail_on,
            failed: Arc::default(),
            unread: BTreeMap::new(),
        })
    }

    /// Becomes true once something was found that makes the command fail.
    pub(super) fn failed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.failed)
    }

    /// Reads queues until the command ends.
    ///
    /// # Errors
    /// Where what was found cannot be written.
    pub(super) fn run(mut self, mut pause: Duration) -> Result<std::convert::Infallible> {
        loop {
            std::thread::sleep(pause);
            pause = self.round()?;
        }
    }

    /// Reads all queues once; how long to wait until the next time.
    ///
    /// # Errors
    /// Where what was found cannot be written.
    pub(super) fn round(&mut self) -> Result<Duration> {
        let round = self.desk.round();
        let pause = round.rest.map_or(self.every, |seconds| {
            self.every
                .max(Duration::from_secs(seconds.clamp(1, LONGEST)))
        });
        tell_faults(&self.host, &round.faults);
        let unread = |safe: &Address| {
            let mut faults = round.faults.iter();
            faults.any(|fault| fault.unread && fault.safe == *safe)
        };
        let host = text::clean(&self.host);
        self.unread.retain(|safe, since| {
            let still = unread(safe);
            if !still {
                let gap = since.elapsed().as_secs_f32();
                say!("portreeve: {host}: the queue of {safe} is read again, after {gap:.0} s in which it was not seen");
            }
            still
        });
        for fault in round.faults.iter().filter(|fault| fault.unread) {
            self.unread.entry(fault.safe).or_insert_with(Instant::now);
        }
        if !round.faults.is_empty() {
            say!(
                "portreeve: {host}: asking again in {} s",
                pause.as_secs_f32()
            );
        }
        for check in &round.fresh {
            if check.severity >= self.fail_on {
                self.failed.store(true, Ordering::Relaxed);
            }
            self.tell(check)?;
        }
        Ok(pause)
    }

    fn tell(&self, check: &Check) -> Result<()> {
        let mut out = io::stdout().lock();
        match self.format {
            AnswerFormat::Json => writeln!(out, "{}", serde_json::to_string(check)?)?,
            _ => {
                let name = self.names.get(&check.safe).cloned();
                let name = name.unwrap_or_else(|| check.safe.to_string());
                writeln!(
                    out,
                    "{} {} {}: {} ({}, queue, nonce {})",
                    check
                        .time
                        .map_or_else(|| "at no known time".to_owned(), text::time),
                    check.severity,
                    text::clean(&name),
                    text::clean(&check.reason),
                    check.id,
                    check.nonce
                )?;
            }
        }
        out.flush()?;
        Ok(())
    }
}
