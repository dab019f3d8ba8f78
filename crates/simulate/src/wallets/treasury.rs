//! What the organisation has on the chain, and what can happen to it.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use portreeve_wallet::policy::{Announced, Announcement};
use portreeve_wallet::safe::{Operation, SafeTransaction};

use super::abi;
use super::chain::{Asset, Chain, Inner, Ruled, Sent, log};
use super::keys::{Key, address};
use super::safe::{self, FALLBACK_HANDLER, IMPLEMENTATION, Safe};
use super::{Deed, HOT, Part, Proposal, Vault};
use crate::dice::Seeds;
use crate::stage::Stage;
use crate::time::HOUR;
use crate::{Written, second};

/// Everything on the chain.
pub(super) struct Treasury {
    seeds: Seeds,
    pub(super) chain: Chain,
    pub(super) cold: Safe,
    pub(super) warm: Safe,
    pub(super) hot: Address,
    /// Who sends the Safes' transactions to the chain.
    pub(super) relayer: Address,
    /// Whom the warm Safe pays each week.
    pub(super) partners: Vec<Address>,
    pub(super) tokens: Tokens,
    /// Who may announce ceremonies.
    pub(super) announcer: Key,
    pub(super) announcements: Vec<Announcement>,
    first_owners: [Vec<Address>; 2],
    /// The key that takes the place of the cold Safe's spare.
    successor: Option<Key>,
    customers: u64,
    pub(super) written: Vec<Part>,
    /// How many blocks, and how many transactions were filed.
    pub(super) blocks: usize,
    pub(super) filed: usize,
}

/// The tokens that are held; USD has six digits behind the point, as such tokens do.
#[derive(Clone, Copy)]
pub(super) struct Tokens {
    pub(super) usd: Address,
    pub(super) staked: [Address; 2],
}

/// So much of the coin, in thousandths.
pub(super) fn milli(thousandths: u64) -> U256 {
    U256::from(thousandths) * U256::from(10).pow(U256::from(15))
}

pub(super) fn coin(whole: u64) -> U256 {
    milli(whole * 1_000)
}

pub(super) fn usd(whole: u64) -> U256 {
    U256::from(whole) * U256::from(1_000_000)
}

impl Treasury {
    pub(super) fn new(stage: &Stage) -> Self {
        let seeds = stage.seeds;
        let owners = |wallet: &str, count: u64| {
            let keys = (0..count).map(|number| Key::of(seeds, &format!("{wallet} owner {number}")));
            keys.collect::<Vec<_>>()
        };
        let mut dice = seeds.stream("wallets", 0);
        let mut chain = Chain::new(dice.between(2_000_000, 4_000_000) as u64, stage.start);
        let cold = Safe::new(
            address(seeds, "cold", 0),
            owners("cold", 5),
            3,
            dice.between(40, 90) as u64,
        );
        let warm = Safe::new(
            address(seeds, "warm", 0),
            owners("warm", 3),
            2,
            dice.between(300, 600) as u64,
        );
        let hot = Key::of(seeds, HOT).address;
        let relayer = Key::of(seeds, "relayer").address;
        let tokens = Tokens {
            usd: address(seeds, "token", 0),
            staked: [1, 2].map(|number| address(seeds, "token", number)),
        };
        let [one, other] = tokens.staked;
        chain.watch(
            cold.address,
            &[
                (None, coin(412_000)),
                (Some(tokens.usd), usd(38_000_000)),
                (Some(one), coin(90_000)),
                (Some(other), coin(8_000)),
            ],
        );
        chain.watch(
            warm.address,
            &[(None, coin(6_000)), (Some(tokens.usd), usd(4_000_000))],
        );
        chain.watch(
            hot,
            &[(None, coin(2_500)), (Some(tokens.usd), usd(2_000_000))],
        );
        for safe in [&cold, &warm] {
            let ruled = Ruled {
                implementation: IMPLEMENTATION,
                fallback_handler: FALLBACK_HANDLER,
                owners: safe.owners_now(),
                threshold: safe.threshold as u64,
            };
            chain.rule(safe.address, ruled);
        }
        chain.has_sent(relayer, 4_000);
        chain.has_sent(hot, 52_000);
        let first_owners = [&cold, &warm].map(Safe::owners_now);
        let mut treasury = Self {
            first_owners,
            seeds,
            chain,
            cold,
            warm,
            hot,
            relayer,
            partners: (0..3)
                .map(|number| address(seeds, "partner", number))
                .collect(),
            tokens,
            announcer: Key::of(seeds, "announcer"),
            announcements: Vec::new(),
            successor: Some(Key::of(seeds, "cold owner 5")),
            customers: 0,
            written: Vec::new(),
            blocks: 0,
            filed: 0,
        };
        // What there is when the recording begins.
        treasury.block(stage.start, Vec::new());
        treasury
    }

    pub(super) fn safe(&self, vault: Vault) -> &Safe {
        match vault {
            Vault::Cold => &self.cold,
            Vault::Warm => &self.warm,
        }
    }

    pub(super) fn safe_mut(&mut self, vault: Vault) -> &mut Safe {
        match vault {
            Vault::Cold => &mut self.cold,
            Vault::Warm => &mut self.warm,
        }
    }

    /// Makes a block of what is sent.
    pub(super) fn block(&mut self, at: i64, sent: Vec<Sent>) -> Vec<super::chain::Included> {
        let (line, included) = self.chain.block(at, sent);
        self.blocks += 1;
        self.written.push(Part {
            at,
            path: "wallets/blocks.ndjson",
            written: Written::Added(line.into_bytes()),
        });
        included
    }

    /// The owners that a Safe had before its spare was replaced.
    pub(super) fn first_owners(&self, vault: Vault) -> &[Address] {
        let [cold, warm] = &self.first_owners;
        match vault {
            Vault::Cold => cold,
            Vault::Warm => warm,
        }
    }

    /// Writes what the service says of a Safe now.
    pub(super) fn show(&mut self, at: i64, vault: Vault) {
        let document = self.safe(vault).document().into_bytes();
        self.written.push(Part {
            at,
            path: match vault {
                Vault::Cold => "wallets/queue-cold.json",
                Vault::Warm => "wallets/queue-warm.json",
            },
            written: Written::Whole(document),
        });
    }

    /// Something of everyday life happens.
    pub(super) fn happens(&mut self, at: i64, deed: &Deed) {
        match deed {
            Deed::Withdrawal { in_usd, amount } => self.withdrawal(at, *in_usd, *amount),
            Deed::Proposed { vault, proposal } => self.proposed(at, *vault, proposal),
            Deed::Confirmed {
                vault,
                owner,
                as_message,
            } => {
                self.safe_mut(*vault).confirm(at, *owner, *as_message);
                self.show(at, *vault);
            }
            Deed::Executed { vault } => self.executed(at, *vault),
        }
    }

    /// The hot wallet pays a customer: never more than a hundredth of what it has.
    fn withdrawal(&mut self, at: i64, in_usd: bool, amount: u64) {
        let (asset, amount): (Asset, U256) = match in_usd {
            true => (Some(self.tokens.usd), usd(amount)),
            false => (None, milli(amount)),
        };
        let amount = amount.min(self.chain.balance(self.hot, asset) / U256::from(120));
        self.customers += 1;
        let customer = address(self.seeds, "customer", self.customers);
        let sent = match asset {
            None => Sent::payment(self.hot, customer, amount),
            Some(token) => {
                let mut sent = Sent::call(self.hot, token, transfer(customer, amount));
                sent.transfers(token, self.hot, customer, amount);
                sent
            }
        };
        self.block(at, vec![sent]);
    }

    fn proposed(&mut self, at: i64, vault: Vault, proposal: &Proposal) {
        let shown = self.shown(vault, proposal);
        let hash = self.safe_mut(vault).propose(at, shown, None);
        self.filed += 1;
        if let Proposal::ReplaceSpare = proposal {
            self.announce(at, vault, hash);
        }
        self.show(at, vault);
    }

    fn shown(&self, vault: Vault, proposal: &Proposal) -> SafeTransaction {
        let next = match vault {
            Vault::Cold => self.warm.address,
            Vault::Warm => self.hot,
        };
        match proposal {
            Proposal::Refill(amount) => safe::call(next, *amount, Bytes::new()),
            Proposal::RefillUsd(amount) => {
                safe::call(self.tokens.usd, U256::ZERO, transfer(next, *amount))
            }
            Proposal::Partners(amounts) => {
                let partners = self.partners.iter().copied();
                let payments: Vec<_> = partners.zip(amounts.iter().copied()).collect();
                safe::batch(&payments)
            }
            Proposal::ReplaceSpare => {
                let safe = self.safe(vault);
                let owner = |from_end: usize| {
                    let place = safe.owners.len().checked_sub(from_end);
                    let owner = place.and_then(|place| safe.owners.get(place));
                    owner.map_or(Address::ZERO, |owner| owner.address)
                };
                let call = abi::swapOwnerCall {
                    prevOwner: owner(2),
                    oldOwner: owner(1),
                    newOwner: self
                        .successor
                        .as_ref()
                        .map_or(Address::ZERO, |key| key.address),
                };
                safe::call(safe.address, U256::ZERO, call.abi_encode().into())
            }
        }
    }

    /// What is announced is this very transaction, and no other.
    fn announce(&mut self, at: i64, vault: Vault, hash: B256) {
        let mut announcement = Announcement {
            wallet: self.safe(vault).address,
            what: Announced::Rotation,
            from: second(at - HOUR),
            until: second(at + 8 * HOUR),
            safe_tx_hash: Some(hash),
            to: None,
            token: None,
            at_most: None,
            reason: "The spare signer's device is replaced".to_owned(),
            signature: Bytes::new(),
        };
        announcement.signature = self.announcer.sign_text(&announcement.text());
        self.announcements.push(announcement);
    }

    fn executed(&mut self, at: i64, vault: Vault) {
        let address = self.safe(vault).address;
        let Some(execution) = self.safe(vault).execution() else {
            return;
        };
        let transaction = &execution.transaction;
        let mut sent = Sent::call(self.relayer, address, execution.calldata.clone());
        sent.calls
            .extend(self.chain.runs(address, execution.calldata));
        match (transaction.operation, transaction.to) {
            (Operation::Call, to) if to == address => {
                let data = transaction.data.clone();
                sent.calls
                    .push(inner(address, address, U256::ZERO, data.clone()));
                sent.calls.extend(self.chain.runs(address, data));
                self.replace_spare(vault, &mut sent);
            }
            (Operation::Call, _) => self.carry_out(address, transaction, &mut sent),
            // Payments are all that is packed.
            _ => {
                sent.calls.push(Inner {
                    delegate: true,
                    from: address,
                    to: transaction.to,
                    value: U256::ZERO,
                    input: transaction.data.clone(),
                });
                for call in portreeve_wallet::safe::Unpacked::of(transaction, &|_| false).calls {
                    sent.calls
                        .push(inner(address, call.to, call.value, call.data));
                }
            }
        }
        let success = abi::ExecutionSuccess {
            txHash: execution.hash,
            payment: U256::ZERO,
        };
        sent.logs.push(log(address, &success));
        self.include(at, vault, sent);
    }

    /// Sends what a Safe does to the chain, and has its service tell of it.
    pub(super) fn include(&mut self, at: i64, vault: Vault, sent: Sent) {
        let sender = sent.from;
        if let [included] = self.block(at, vec![sent]).as_slice() {
            self.safe_mut(vault).executed(at, sender, included);
            self.show(at, vault);
        }
    }

    fn carry_out(&self, from: Address, transaction: &SafeTransaction, sent: &mut Sent) {
        let (to, value) = (transaction.to, transaction.value);
        sent.calls
            .push(inner(from, to, value, transaction.data.clone()));
        if to == self.warm.address {
            sent.calls.extend(self.chain.runs(to, Bytes::new()));
            let received = abi::SafeReceived {
                sender: from,
                value,
            };
            sent.logs.push(log(to, &received));
        }
        if let Ok(call) = abi::transferCall::abi_decode(&transaction.data) {
            sent.transfers(to, from, call.to, call.amount);
        }
    }

    fn replace_spare(&mut self, vault: Vault, sent: &mut Sent) {
        let Some(successor) = self.successor.take() else {
            return;
        };
        let new = successor.address;
        let safe = self.safe_mut(vault);
        let address = safe.address;
        let Some(old) = safe.owners.pop() else {
            return;
        };
        safe.owners.push(successor);
        let owners = safe.owners_now();
        if let Some(ruled) = self.chain.ruled_mut(address) {
            ruled.owners = owners;
        }
        let old = old.address;
        sent.logs
            .push(log(address, &abi::RemovedOwner { owner: old }));
        sent.logs
            .push(log(address, &abi::AddedOwner { owner: new }));
    }
}

pub(super) fn transfer(to: Address, amount: U256) -> Bytes {
    abi::transferCall { to, amount }.abi_encode().into()
}

pub(super) fn inner(from: Address, to: Address, value: U256, input: Bytes) -> Inner {
    Inner {
        delegate: false,
        from,
        to,
        value,
        input,
    }
}
