//! The wallet policy: what the organisation says of its wallets, in `wallets.toml`.

mod announcement;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use alloy_primitives::{Address, U256};
use serde::Deserialize;

pub use announcement::{Announced, Announcement, AnnouncementError};

use crate::chain::Asset;
use crate::safe::{AnnouncedPayment, Expectations, Spending};

/// What is said of all wallets.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    wallets: BTreeMap<Address, Wallet>,
    /// What was announced, the valid ones only.
    pub announcements: Vec<Announcement>,
    /// Bridges whose two ends are watched.
    pub bridges: Vec<Bridge>,
    /// Addresses of others that are known and trusted: exchanges, routers, custodians.
    pub known: BTreeMap<Address, String>,
    /// Staking validators by their number, with the address that their withdrawals go to.
    pub validators: BTreeMap<u64, Address>,
}

/// One wallet, or one contract that rules over money.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallet {
    /// What people call it.
    pub name: String,
    /// Its address.
    pub address: Address,
    /// How readily its money may move.
    pub role: Role,
    /// The number of the chain that it is on; none where it is on several.
    pub chain: Option<u64>,
    /// The owners, where it is a Safe.
    #[serde(default)]
    pub owners: BTreeSet<Address>,
    /// How many owners must sign.
    pub threshold: Option<u64>,
    /// The implementation that storage slot 0 must hold.
    pub implementation: Option<Address>,
    /// Modules, which spend without signatures.
    #[serde(default)]
    pub modules: BTreeSet<Address>,
    /// The transaction guard.
    pub guard: Option<Address>,
    /// The fallback handler.
    pub fallback_handler: Option<Address>,
    /// Contracts that it may call by delegatecall, beside Safe's published libraries.
    #[serde(default)]
    pub delegatecall_targets: BTreeSet<Address>,
    /// Who may send its transactions to the chain.
    #[serde(default)]
    pub executors: BTreeSet<Address>,
    /// Whom it pays in everyday use.
    #[serde(default)]
    pub recipients: BTreeSet<Address>,
    /// Who may spend its tokens.
    #[serde(default)]
    pub spenders: BTreeSet<Address>,
    /// The timelock that its changes go through, where it is a contract.
    pub timelock: Option<Address>,
    /// The share of an asset's balance that may leave in ten minutes. By role where absent:
    /// cold and warm 0.2, hot 0.5.
    pub burst_share: Option<f64>,
    /// The key in a key management service that signs for it: its ARN or id.
    pub signing_key: Option<String>,
    /// Who may have that key sign: principals' ids.
    #[serde(default)]
    pub signers: BTreeSet<String>,
    /// The page that its signers use: a URL, or the ARN of its bucket.
    pub page: Option<String>,
}

impl Wallet {
    /// The share of a balance that may leave in ten minutes.
    pub fn burst_share(&self) -> f64 {
        self.burst_share.unwrap_or(match self.role {
            Role::Hot => 0.5,
            Role::Warm | Role::Cold | Role::Contract => 0.2,
        })
    }
}

/// How readily a wallet's money may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Pays customers by itself.
    Hot,
    /// Fills hot wallets.
    Warm,
    /// Moves only in ceremonies.
    Cold,
    /// A contract: a token, a bridge, a proxy, a timelock.
    Contract,
}

/// A bridge's two ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// What people call it.
    pub name: String,
    /// Its ends.
    pub ends: Vec<BridgeEnd>,
}

/// A bridge's contract on one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BridgeEnd {
    /// The chain's number.
    pub chain: u64,
    /// The contract.
    pub address: Address,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not the form of `wallets.toml`; the message holds line and column.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// Two wallets have one address.
    #[error("{0} is declared twice")]
    Twice(Address),
    /// A threshold that no set of owners reaches.
    #[error("wallet `{name}`: threshold {threshold} with {owners} owners")]
    Threshold {
        /// The wallet.
        name: String,
        /// What is asked for.
        threshold: u64,
        /// How many there are.
        owners: usize,
    },
    /// A share that is none.
    #[error("wallet `{name}`: burst_share is {share}; expected more than 0 and at most 1")]
    Share {
        /// The wallet.
        name: String,
        /// What is given.
        share: f64,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    wallet: Vec<Wallet>,
    #[serde(default)]
    announcement: Vec<Announcement>,
    #[serde(default)]
    announcers: BTreeSet<Address>,
    #[serde(default)]
    bridge: Vec<Bridge>,
    #[serde(default)]
    known: BTreeMap<Address, String>,
    #[serde(default)]
    validators: BTreeMap<String, Address>,
}

impl Policy {
    /// Reads `wallets.toml`. An announcement that is not signed by one of `announcers` quietens
    /// nothing: it is told, and left out.
    pub fn read(text: &str) -> Result<(Self, Vec<AnnouncementError>), PolicyError> {
        let document: Document = toml::from_str(text)?;
        let mut policy = Self {
            bridges: document.bridge,
            known: document.known,
            ..Self::default()
        };
        for (number, address) in document.validators {
            let number = u64::from_str(&number)
                .map_err(|_| {
                    serde::de::Error::custom(format!(
                        "validators: `{number}` is no validator's number"
                    ))
                })
                .map_err(PolicyError::Form)?;
            policy.validators.insert(number, address);
        }
        for wallet in document.wallet {
            let owners = wallet.owners.len();
            if let Some(threshold) = wallet
                .threshold
                .filter(|threshold| *threshold == 0 || owners > 0 && *threshold > owners as u64)
            {
                return Err(PolicyError::Threshold {
                    name: wallet.name,
                    threshold,
                    owners,
                });
            }
            if let Some(share) = wallet
                .burst_share
                .filter(|share| !(*share > 0.0 && *share <= 1.0))
            {
                return Err(PolicyError::Share {
                    name: wallet.name,
                    share,
                });
            }
            let address = wallet.address;
            if policy.wallets.insert(address, wallet).is_some() {
                return Err(PolicyError::Twice(address));
            }
        }
        let mut refused = Vec::new();
        for (index, announcement) in document.announcement.into_iter().enumerate() {
            match announcement.proven(index, &document.announcers) {
                Ok(()) => policy.announcements.push(announcement),
                Err(error) => refused.push(error),
            }
        }
        Ok((policy, refused))
    }

    /// A wallet by its address.
    pub fn wallet(&self, address: Address) -> Option<&Wallet> {
        self.wallets.get(&address)
    }

    /// All wallets, by address.
    pub fn wallets(&self) -> impl Iterator<Item = &Wallet> {
        self.wallets.values()
    }

    /// Whether money that goes from a wallet to an address stays where it may go: another wallet
    /// of the organisation, or a declared recipient.
    pub fn may_receive(&self, wallet: &Wallet, to: Address) -> bool {
        self.wallets.contains_key(&to) || wallet.recipients.contains(&to)
    }

    /// Whether an address is anyone's that the policy names.
    pub fn knows(&self, address: Address) -> bool {
        self.wallets.contains_key(&address)
            || self.known.contains_key(&address)
            || self.wallets.values().any(|wallet| {
                wallet.recipients.contains(&address)
                    || wallet.owners.contains(&address)
                    || wallet.spenders.contains(&address)
                    || wallet.executors.contains(&address)
            })
    }

    /// What verification of queues expects.
    pub fn expectations(&self, chain: Option<u64>) -> Expectations {
        let mut expectations = Expectations {
            chain,
            ..Expectations::default()
        };
        for wallet in self.wallets.values() {
            if !wallet.owners.is_empty() {
                expectations
                    .owners
                    .insert(wallet.address, wallet.owners.clone());
            }
            if !wallet.executors.is_empty() {
                expectations
                    .executors
                    .insert(wallet.address, wallet.executors.clone());
            }
            expectations
                .delegatecall_targets
                .extend(&wallet.delegatecall_targets);
            expectations
                .spending
                .insert(wallet.address, self.spending(wallet));
        }
        expectations.announced = self
            .announcements
            .iter()
            .filter_map(|announcement| announcement.safe_tx_hash)
            .collect();
        expectations
    }
}

impl Policy {
    /// How a wallet spends, by what is declared and announced.
    fn spending(&self, wallet: &Wallet) -> Spending {
        let own = self.wallets.keys().copied();
        let announced = self.announcements.iter().filter(|announcement| {
            announcement.wallet == wallet.address && announcement.what == Announced::Payment
        });
        Spending {
            recipients: own.chain(wallet.recipients.iter().copied()).collect(),
            names_recipients: !wallet.recipients.is_empty(),
            spenders: wallet
                .spenders
                .iter()
                .chain(self.known.keys())
                .copied()
                .collect(),
            cold: wallet.role == Role::Cold,
            slow: matches!(wallet.role, Role::Cold | Role::Warm),
            burst_share: wallet.burst_share(),
            announced: announced
                .filter_map(|announcement| {
                    Some(AnnouncedPayment {
                        to: announcement.to?,
                        asset: announcement.token.map_or(Asset::Coin, Asset::Token),
                        at_most: announcement.limit()?,
                        until: announcement.until,
                    })
                })
                .collect(),
            balances: BTreeMap::new(),
        }
    }
}

/// Reads an amount in the chain's coin, as `12.5`, into wei. `None` where it is no such number.
pub(crate) fn wei(text: &str) -> Option<U256> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 18 || !digits(whole) || !digits(part) {
        return None;
    }
    let unit = U256::from(10u64).pow(U256::from(18));
    let whole: U256 = whole.parse().ok()?;
    let part: U256 = format!("{part:0<18}").parse().ok()?;
    whole.checked_mul(unit)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALLET: &str = r#"
[[wallet]]
name = "cold"
address = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4"
role = "cold"
owners = ["0x00000000000000000000000000000000000000a1", "0x00000000000000000000000000000000000000a2"]
threshold = 2
recipients = ["0x00000000000000000000000000000000000000b1"]
"#;

    #[test]
    fn a_policy_says_who_may_receive() {
        let (policy, refused) = Policy::read(WALLET).unwrap();
        assert!(refused.is_empty());
        let wallet = policy.wallets().next().unwrap();
        let address = |text: &str| text.parse::<Address>().unwrap();
        assert!(policy.may_receive(
            wallet,
            address("0x00000000000000000000000000000000000000b1")
        ));
        assert!(policy.may_receive(wallet, wallet.address));
        assert!(!policy.may_receive(
            wallet,
            address("0x00000000000000000000000000000000000000a1")
        ));
        assert!(policy.knows(address("0x00000000000000000000000000000000000000a1")));
        assert_eq!(policy.expectations(Some(1)).owners.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let error = |text: &str| Policy::read(text).unwrap_err().to_string();
        let form = error(&WALLET.replace("role = \"cold\"", "role = \"icy\""));
        assert!(form.contains("line 5") && form.contains("icy"), "{form}");
        assert!(error(&format!("{WALLET}\nbogus = 1")).contains("bogus"));
        assert!(error(&format!("{WALLET}{WALLET}")).contains("declared twice"));
        assert!(
            error(&WALLET.replace("threshold = 2", "threshold = 3"))
                .contains("threshold 3 with 2 owners")
        );
        assert!(
            error(&WALLET.replace("threshold = 2", "burst_share = 1.5"))
                .contains("burst_share is 1.5")
        );
    }

    #[test]
    fn amounts_are_exact() {
        let unit = U256::from(10u64).pow(U256::from(18));
        assert_eq!(wei("12.5"), Some(unit * U256::from(25) / U256::from(2)));
        assert_eq!(wei("1"), Some(unit));
        assert_eq!(wei("0.000000000000000001"), Some(U256::from(1)));
        for wrong in ["1.0000000000000000001", "-1", "1,5", "", "1e3", "0x10"] {
            assert_eq!(wei(wrong), None, "{wrong}");
        }
    }
}
