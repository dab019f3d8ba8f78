//! The steps of a theft, as its scenario declares them.

use alloy_primitives::{Address, Bytes, U256, keccak256};
use portreeve_wallet::safe::{Operation, SafeTransaction};

use super::Vault;
use super::abi;
use super::chain::{Inner, Sent, contract, log};
use super::keys::address;
use super::safe;
use super::treasury::{Treasury, coin, inner, transfer, usd};
use crate::dice::Seeds;
use crate::intrusion::{ChainDeed, Scenario, begins};
use crate::stage::{Day, Stage};
use crate::time::DAY;

/// Over how many addresses what was taken is spread, and how many a block.
const ADDRESSES: u64 = 40;
const A_BLOCK: u64 = 4;

/// A step at its time.
pub(super) struct Step {
    pub(super) at: i64,
    deed: ChainDeed,
    /// Which part of it, of how many.
    part: u64,
    parts: u64,
}

/// All steps, in order of time.
pub(super) fn plan(stage: &Stage, scenario: &Scenario, foothold: i64) -> Vec<Step> {
    let mut all = Vec::new();
    for step in &scenario.chain {
        let day = Day::at(foothold + i64::from(step.day) * DAY);
        let from = begins(stage, day, &step.time);
        let parts = match step.deed {
            // Two contracts, after the account got its coin.
            ChainDeed::Stage => 3,
            // The proposal, and three owners.
            ChainDeed::Mislead => 4,
            ChainDeed::Takeover | ChainDeed::Probe => 1,
            ChainDeed::Drain => 4,
            ChainDeed::Spread => ADDRESSES / A_BLOCK,
        };
        all.extend((0..parts).map(|part| Step {
            at: from + step.within * part as i64 / (parts as i64 - 1).max(1),
            deed: step.deed,
            part,
            parts,
        }));
    }
    all.retain(|step| step.at < stage.end());
    all.sort_by_key(|step| step.at);
    all
}

/// The thief's accounts and contracts.
pub(super) struct Thief {
    seeds: Seeds,
    mixer: Address,
    account: Address,
    /// Where the money goes.
    purse: Address,
    /// What is run by delegatecall, and what then stands in slot 0.
    switch: Address,
    implementation: Address,
    lot: U256,
}

impl Thief {
    pub(super) fn new(seeds: Seeds) -> Self {
        let thief = |number| address(seeds, "thief", number);
        let account = thief(1);
        Self {
            seeds,
            mixer: thief(0),
            account,
            purse: thief(2),
            switch: contract(account, 1, &[]).0,
            implementation: contract(account, 0, &[]).0,
            lot: U256::ZERO,
        }
    }

    pub(super) fn acts(&mut self, step: &Step, treasury: &mut Treasury) {
        match step.deed {
            ChainDeed::Stage => self.stages(step, treasury),
            ChainDeed::Mislead => self.misleads(step, treasury),
            ChainDeed::Takeover => self.takes_over(step.at, treasury),
            ChainDeed::Probe => self.takes(step.at, treasury, Some((treasury.tokens.usd, usd(90)))),
            ChainDeed::Drain => self.drains(step, treasury),
            ChainDeed::Spread => self.spreads(step, treasury),
        }
    }

    /// A fresh account makes two contracts, of which the second holds the Safe's address. What stands for
    /// their code is a byte that stops at once, and words.
    fn stages(&self, step: &Step, treasury: &mut Treasury) {
        let makes = |nonce: u8, names: Option<Address>| {
            let (address, input) = contract(self.account, nonce, &code(names));
            Sent {
                to: None,
                creates: Some((address, code(names).into())),
                ..Sent::call(self.account, address, input)
            }
        };
        let sent = match step.part {
            0 => Sent::payment(self.mixer, self.account, coin(1)),
            1 => makes(0, None),
            _ => makes(1, Some(treasury.cold.address)),
        };
        treasury.block(step.at, vec![sent]);
    }

    /// A refill as on every Monday is proposed and shown; what the replaced page gives the owners to sign
    /// is a delegatecall to the staged contract.
    fn misleads(&self, step: &Step, treasury: &mut Treasury) {
        match step.part {
            0 => {
                let shown = safe::call(treasury.warm.address, coin(30_000), Bytes::new());
                let put = SafeTransaction {
                    operation: Operation::DelegateCall,
                    ..safe::call(
                        self.switch,
                        U256::ZERO,
                        transfer(self.implementation, U256::ZERO),
                    )
                };
                treasury.cold.propose(step.at, shown, Some(put));
                treasury.filed += 1;
            }
            owner => treasury.cold.confirm(step.at, owner as usize - 1, false),
        }
        treasury.show(step.at, Vault::Cold);
    }

    /// The account sends what was signed. Slot 0 is another from then on, and no event tells of it.
    fn takes_over(&self, at: i64, treasury: &mut Treasury) {
        let safe = treasury.cold.address;
        let Some(execution) = treasury.cold.execution() else {
            return;
        };
        let mut sent = Sent::call(self.account, safe, execution.calldata.clone());
        sent.calls
            .extend(treasury.chain.runs(safe, execution.calldata));
        sent.calls.push(Inner {
            delegate: true,
            from: safe,
            to: execution.transaction.to,
            value: U256::ZERO,
            input: execution.transaction.data,
        });
        let success = abi::ExecutionSuccess {
            txHash: execution.hash,
            payment: U256::ZERO,
        };
        sent.logs.push(log(safe, &success));
        if let Some(ruled) = treasury.chain.ruled_mut(safe) {
            ruled.implementation = self.implementation;
        }
        treasury.include(at, Vault::Cold, sent);
    }

    /// Something leaves the Safe: so much of a token, or all of the coin.
    fn takes(&self, at: i64, treasury: &mut Treasury, what: Option<(Address, U256)>) {
        let safe = treasury.cold.address;
        let selector = Bytes::copy_from_slice(&keccak256("simulated").as_slice()[..4]);
        let mut sent = Sent::call(self.account, safe, selector.clone());
        sent.calls.extend(treasury.chain.runs(safe, selector));
        match what {
            Some((token, amount)) => {
                let input = transfer(self.purse, amount);
                sent.calls.push(inner(safe, token, U256::ZERO, input));
                sent.transfers(token, safe, self.purse, amount);
            }
            None => {
                let all = treasury.chain.balance(safe, None);
                sent.calls.push(inner(safe, self.purse, all, Bytes::new()));
            }
        }
        treasury.block(at, vec![sent]);
    }

    fn drains(&mut self, step: &Step, treasury: &mut Treasury) {
        let safe = treasury.cold.address;
        let [one, other] = treasury.tokens.staked;
        let tokens = [one, other, treasury.tokens.usd];
        let token = step.part.checked_sub(1);
        let token = token.and_then(|place| tokens.get(place as usize));
        match token {
            None => {
                self.lot = lot(treasury.chain.balance(safe, None));
                self.takes(step.at, treasury, None);
            }
            Some(token) => {
                let all = treasury.chain.balance(safe, Some(*token));
                self.takes(step.at, treasury, Some((*token, all)));
            }
        }
    }

    /// What was taken is split in equal lots over fresh addresses.
    fn spreads(&self, step: &Step, treasury: &mut Treasury) {
        let each = ADDRESSES / step.parts.max(1);
        let sent = (0..each).map(|number| {
            let fresh = address(self.seeds, "launderer", step.part * each + number);
            Sent::payment(self.purse, fresh, self.lot)
        });
        let sent = sent.collect();
        treasury.block(step.at, sent);
    }
}

/// What stands for the code of the thief's contracts: a byte that stops at once, and words.
fn code(names: Option<Address>) -> Vec<u8> {
    let mut code = vec![0xfe];
    code.extend(b"simulated, does nothing");
    code.extend(names.iter().flat_map(|name| name.as_slice()));
    code
}

/// What each address gets: an equal part, cut to its first digit.
fn lot(all: U256) -> U256 {
    let mut digits = (all / U256::from(ADDRESSES)).to_string().into_bytes();
    digits.iter_mut().skip(1).for_each(|digit| *digit = b'0');
    String::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}
