//! What is known of wallets: the wallet policy, queues of Safes, recorded blocks, among the input.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use portreeve_incident::OnChain;
use portreeve_model::{DeadLetter, Input, InputKind};
use portreeve_wallet::policy::Policy;
use portreeve_wallet::safe::{Queue, Verification, read_queues, verify};
use portreeve_wallet::watch::{Observation, Watch, WatchReport, Watcher};
use sha2::{Digest, Sha256};

use crate::blocks::Blocks;
use crate::discover::{Found, discover};
use crate::growing::Growing;
use crate::inventory;
use crate::open::Opened;

/// Told where blocks or queues lie without a policy.
const NO_POLICY: &str = "Blocks or queues of wallets are among the input, and no wallet policy (docs/wallet.md) that says which wallets are ours: they were left out.";

/// Told where there is more than one.
const SEVERAL_POLICIES: &str =
    "More than one wallet policy is among the input; the first was gone by.";

/// The most bytes of a policy or a queue that are read.
const LARGEST: u64 = 256 << 20;

/// What a file tells of wallets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Policy,
    Queue,
    Blocks,
}

impl Kind {
    fn format(self) -> &'static str {
        match self {
            Kind::Policy => "wallet policy",
            Kind::Queue => "queue of a Safe",
            Kind::Blocks => "blocks of an EVM chain",
        }
    }
}

/// Tells what a file is by what it begins with. A policy names a wallet in its first 64 KiB.
pub(crate) fn recognise(head: &[u8]) -> Option<Kind> {
    let text = String::from_utf8_lossy(head);
    let begin = text.trim_start();
    if begin.starts_with('{') || begin.starts_with('[') {
        let first = begin.lines().next().unwrap_or_default();
        let first_has = |key: &str| first.contains(&format!("\"{key}\""));
        if first_has("chainId") && first_has("block") && first_has("parentHash") {
            return Some(Kind::Blocks);
        }
        let has = |key: &str| begin.contains(&format!("\"{key}\""));
        let safe = has("confirmations") && has("nonce");
        return (safe && (has("safeTxHash") || has("shown"))).then_some(Kind::Queue);
    }
    let names_wallet = begin.lines().any(|line| line.trim_end() == "[[wallet]]");
    (names_wallet && begin.contains("address")).then_some(Kind::Policy)
}

/// What was read of wallets, before it is judged.
#[derive(Debug, Default)]
pub(crate) struct WalletFiles {
    /// With the SHA-256 of the files that they were read from.
    policies: Vec<(Policy, [u8; 32])>,
    queues: Vec<Queue>,
    blocks: Vec<Found>,
}

impl WalletFiles {
    /// The first policy that was taken in: the one that is gone by, where there is no other.
    pub(crate) fn first_policy(&self) -> Option<&Policy> {
        self.policies.first().map(|(policy, _)| policy)
    }

    /// Takes a file in.
    pub(crate) fn read(
        &mut self,
        found: Found,
        mut opened: Opened,
        kind: Kind,
    ) -> (Input, Vec<DeadLetter>) {
        let mut dead = Vec::new();
        let mut letter = |reason: String| {
            dead.push(DeadLetter {
                file: found.name.clone(),
                offset: 0,
                reason,
            });
        };
        let mut bytes = Vec::new();
        if kind != Kind::Blocks {
            match (&mut opened).take(LARGEST + 1).read_to_end(&mut bytes) {
                Ok(_) if bytes.len() as u64 > LARGEST => {
                    letter(format!("a {} of more than 256 MiB", kind.format()));
                    bytes.clear();
                }
                Ok(_) => {}
                Err(error) => letter(format!("the file breaks off: {error}")),
            }
        }
        match kind {
            Kind::Policy => match Policy::read(&String::from_utf8_lossy(&bytes)) {
                Ok((policy, refused)) => {
                    refused
                        .into_iter()
                        .for_each(|error| letter(error.to_string()));
                    self.policies.push((policy, Sha256::digest(&bytes).into()));
                }
                Err(error) => letter(format!("no wallet policy: {error}")),
            },
            Kind::Queue => match read_queues(&bytes) {
                Ok((queues, errors)) => {
                    errors
                        .into_iter()
                        .for_each(|error| letter(error.to_string()));
                    self.queues.extend(queues);
                }
                Err(error) => letter(format!("no queue: {error}")),
            },
            Kind::Blocks if found.path.is_none() => {
                letter("blocks are read from files, not from standard input".to_owned());
            }
            Kind::Blocks => {}
        }
        let input = inventory::finish(
            &found,
            opened,
            InputKind::Wallets,
            kind.format(),
            0,
            &mut dead,
        );
        if kind == Kind::Blocks && found.path.is_some() {
            self.blocks.push(found);
        }
        (input, dead)
    }

    /// Judges blocks and queues by the policy. Nothing where there is no policy, or more than one:
    /// then the user is told.
    pub(crate) fn judge(
        mut self,
        dead: &mut Vec<DeadLetter>,
        notes: &mut Vec<String>,
    ) -> Option<Wallets> {
        let (policy, _) = self.policy(notes)?;
        let mut blocks = Blocks::open(&[]);
        for found in std::mem::take(&mut self.blocks) {
            let opened = found.path.as_deref().map(Opened::unhashed);
            match opened {
                Some(Ok(opened)) => blocks.add(found.name.clone(), opened),
                Some(Err(error)) => dead.push(DeadLetter {
                    file: found.name,
                    offset: 0,
                    reason: format!("cannot be opened: {error}"),
                }),
                None => {}
            }
        }
        let mut watch = Watch::new(Watcher::new(policy.clone()));
        for block in blocks.by_ref() {
            watch.observe(Observation::Block(Box::new(block), Vec::new()));
        }
        dead.extend(blocks.take_dead_letters());
        Some(self.judged(policy, &watch))
    }

    /// The policy to go by, and what is to be said about it.
    fn policy(&mut self, notes: &mut Vec<String>) -> Option<(Policy, [u8; 32])> {
        if self.policies.is_empty() {
            if !self.queues.is_empty() || !self.blocks.is_empty() {
                notes.push(NO_POLICY.to_owned());
            }
            return None;
        }
        if self.policies.len() > 1 {
            notes.push(SEVERAL_POLICIES.to_owned());
        }
        Some(self.policies.swap_remove(0))
    }

    /// Judges queues beside blocks that were.
    fn judged(&self, policy: Policy, watch: &Watch) -> Wallets {
        let mut expectations = policy.expectations(None);
        for queue in &self.queues {
            let spending = expectations.spending.get_mut(&queue.safe);
            if let (Some(spending), Some(chain)) = (spending, queue.chain) {
                spending.balances = watch.watcher().balances(chain, queue.safe);
            }
        }
        let verified = verify(&self.queues, &expectations);
        Wallets {
            watched: watch.report(),
            verified,
            policy,
        }
    }
}

/// Files that tell of wallets, read by themselves.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) wallets: Option<Arc<Wallets>>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) notes: Vec<String>,
}

impl Told {
    /// Reads those files below some paths that are known to tell of wallets, and judges them as a first look
    /// at all files would. Files of blocks that only grew since `growing` was made are read on from where they were;
    /// time is that of what is new, and of policy and queues.
    pub(crate) fn read(
        paths: &[PathBuf],
        known: &BTreeSet<PathBuf>,
        growing: &mut Option<Growing>,
    ) -> Self {
        let mut told = Self::default();
        let mut files = WalletFiles::default();
        let mut plain = Vec::new();
        let mut order = BTreeMap::new();
        let is_known = |found: &Found| found.path.as_ref().is_some_and(|path| known.contains(path));
        for found in discover(paths).0.into_iter().filter(is_known) {
            // One that went, or became something else, is told by the next look.
            let opened = found.path.as_deref().map(Opened::file);
            let Some(Ok(mut opened)) = opened else {
                continue;
            };
            order.insert(found.name.clone(), order.len());
            match recognise(opened.head()) {
                Some(Kind::Blocks) if opened.is_plain() => plain.push(found),
                Some(kind) => {
                    let (input, dead) = files.read(found, opened, kind);
                    told.inputs.push(input);
                    told.dead_letters.extend(dead);
                }
                None => {}
            }
        }
        let before = growing.take();
        // Compressed files have no place to read on from, and several are judged together.
        let on = match files.policies.first() {
            Some((policy, digest)) if !plain.is_empty() && files.blocks.is_empty() => {
                Growing::read_on(before, policy, *digest, &plain)
            }
            _ => None,
        };
        let wallets = match &on {
            Some(on) => {
                told.inputs.extend(on.inputs(Kind::Blocks.format()));
                told.dead_letters.extend(on.dead_letters().cloned());
                let policy = files.policy(&mut told.notes);
                policy.map(|(policy, _)| files.judged(policy, on.watch()))
            }
            None => {
                for found in plain {
                    if let Some(Ok(opened)) = found.path.as_deref().map(Opened::file) {
                        let (input, dead) = files.read(found, opened, Kind::Blocks);
                        told.inputs.push(input);
                        told.dead_letters.extend(dead);
                    }
                }
                // In the order in which they were found, as a first look does.
                let place = |found: &Found| order.get(&found.name).copied();
                files.blocks.sort_by_key(place);
                files.judge(&mut told.dead_letters, &mut told.notes)
            }
        };
        *growing = on;
        told.inputs
            .sort_by_key(|input| order.get(&input.file).copied());
        told.wallets = wallets.map(Arc::new);
        told
    }

    /// Puts itself in the place of what was read of wallets before.
    pub(crate) fn replace(
        &self,
        inputs: &mut Vec<Input>,
        dead_letters: &mut Vec<DeadLetter>,
        notes: &mut Vec<String>,
    ) -> Option<Arc<Wallets>> {
        let is_of_wallets = |input: &Input| input.kind == InputKind::Wallets;
        let old = inputs.iter().filter(|input| is_of_wallets(input));
        let old: BTreeSet<_> = old.map(|input| input.file.clone()).collect();
        inputs.retain(|input| !is_of_wallets(input));
        inputs.extend(self.inputs.iter().cloned());
        dead_letters.retain(|letter| !old.contains(&letter.file));
        dead_letters.extend(self.dead_letters.iter().cloned());
        notes.retain(|note| note != NO_POLICY && note != SEVERAL_POLICIES);
        notes.extend(self.notes.iter().cloned());
        self.wallets.clone()
    }
}

/// Wallets, judged.
#[derive(Clone, Debug)]
pub struct Wallets {
    policy: Policy,
    watched: WatchReport,
    verified: Verification,
}

impl Wallets {
    pub(crate) fn on_chain(&self) -> OnChain<'_> {
        OnChain {
            policy: &self.policy,
            watched: &self.watched,
            verified: &self.verified,
        }
    }

    /// What could not be seen on chains.
    pub(crate) fn blind_spots(&self) -> &[String] {
        match self.watched.blocks {
            0 => &[],
            _ => &self.watched.blind_spots,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_what_they_begin_with() {
        let policy =
            b"# ours\nannouncers = []\n\n[[wallet]]\nname = \"cold\"\naddress = \"0x00\"\n";
        let queue = br#"{"results": [{"nonce": 1, "safeTxHash": "0x", "confirmations": []}]}"#;
        let block = br#"{"chainId":1,"block":{"number":"0x1","parentHash":"0x0"}}"#;
        let record = br#"{"eventName":"GetObject","nonce":1,"confirmations":[]}"#;
        assert_eq!(recognise(policy), Some(Kind::Policy));
        assert_eq!(recognise(queue), Some(Kind::Queue));
        assert_eq!(recognise(block), Some(Kind::Blocks));
        assert_eq!(recognise(record), None);
        assert_eq!(recognise(b"[networks]\naddress = 1\n"), None);
        assert_eq!(recognise(b""), None);
    }
}
