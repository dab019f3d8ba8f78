//! What watching came to.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use jiff::Timestamp;
use serde::Serialize;

use super::{Notice, Observation, WalletFinding, Watcher};
use crate::chain::Block;
use crate::contain::{Step, steps};
use crate::policy::Role;

/// All that was found over blocks.
#[derive(Clone, Debug, Serialize)]
pub struct WatchReport {
    /// What is worth a look, in order of time.
    pub findings: Vec<WalletFinding>,
    /// What to do first.
    pub response: Vec<Step>,
    /// What happened to the chain itself.
    pub notices: Vec<Notice>,
    /// What could not be seen.
    pub blind_spots: Vec<String>,
    /// How many blocks were judged.
    pub blocks: u64,
    /// The time of the first.
    pub first: Option<Timestamp>,
    /// The time of the last.
    pub last: Option<Timestamp>,
    /// How many wallets are watched.
    pub wallets: u64,
}

/// Watches blocks and keeps what was found.
#[derive(Debug)]
pub struct Watch {
    watcher: Watcher,
    report: WatchReport,
    with_storage: BTreeSet<Address>,
    with_balances: BTreeSet<Address>,
}

impl Watch {
    /// Begins.
    pub fn new(watcher: Watcher) -> Self {
        let wallets = watcher.policy().wallets().count() as u64;
        Self {
            watcher,
            report: WatchReport {
                findings: Vec::new(),
                response: Vec::new(),
                notices: Vec::new(),
                blind_spots: Vec::new(),
                blocks: 0,
                first: None,
                last: None,
                wallets,
            },
            with_storage: BTreeSet::new(),
            with_balances: BTreeSet::new(),
        }
    }

    /// The watcher, with what it knows so far.
    pub fn watcher(&self) -> &Watcher {
        &self.watcher
    }

    /// Takes a block in; tells what is new.
    pub fn observe(&mut self, observation: Observation) -> &[WalletFinding] {
        let Observation::Block(block, _) = &observation;
        self.note(block);
        let observed = self.watcher.observe(observation);
        let before = self.report.findings.len();
        self.report.findings.extend(observed.findings);
        self.report.notices.extend(observed.notices);
        &self.report.findings[before..]
    }

    fn note(&mut self, block: &Block) {
        self.report.blocks += 1;
        let first = self.report.first.get_or_insert(block.time);
        *first = (*first).min(block.time);
        let last = self.report.last.get_or_insert(block.time);
        *last = (*last).max(block.time);
        self.with_storage.extend(block.storage.keys());
        self.with_balances.extend(block.balances.keys());
    }

    /// What it came to until now.
    pub fn report(&self) -> WatchReport {
        let mut report = self.report.clone();
        report
            .findings
            .sort_by_key(|finding| (finding.time, std::cmp::Reverse(finding.severity)));
        report.response = steps(&report.findings, self.watcher.policy());
        report.blind_spots = self.blind_spots();
        report
    }

    /// Ends.
    pub fn finish(self) -> WatchReport {
        self.report()
    }

    fn blind_spots(&self) -> Vec<String> {
        let mut spots = vec![
            "Wallets on Bitcoin, Solana and other chains without an EVM are not watched".to_owned(),
        ];
        for wallet in self.watcher.policy().wallets() {
            let safe = !wallet.owners.is_empty() && wallet.role != Role::Contract;
            if safe && !self.with_storage.contains(&wallet.address) {
                spots.push(format!("No storage of {} was read: a takeover by delegatecall leaves no event and is not seen", wallet.name));
            }
            if wallet.role != Role::Contract && !self.with_balances.contains(&wallet.address) {
                spots.push(format!(
                    "No balance of {} was read: bursts and drains are not measured against it",
                    wallet.name
                ));
            }
        }
        let holes = self
            .report
            .notices
            .iter()
            .filter(|notice| matches!(notice, Notice::Hole { .. }))
            .count();
        if holes > 0 {
            spots.push(format!(
                "{holes} holes between blocks: what happened there was not seen"
            ));
        }
        spots
    }
}
