//! Announcements: what is about to happen and is meant. Each quietens what it names, and only that.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bytes, U256, eip191_hash_message};
use jiff::Timestamp;
use serde::Deserialize;

use super::wei;
use crate::safe::OwnerSignature;

/// Something that was announced.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// The wallet.
    pub wallet: Address,
    /// What kind of thing.
    pub what: Announced,
    /// From when it holds.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The very transaction of a Safe, by its safeTxHash.
    pub safe_tx_hash: Option<B256>,
    /// Of a payment: to whom. Of a change: the new owner, implementation, module and so on.
    pub to: Option<Address>,
    /// Of a payment: the token; the chain's coin where absent.
    pub token: Option<Address>,
    /// Of a payment: at most how much, in the coin (`12.5`), or in the token's smallest units.
    pub at_most: Option<String>,
    /// Why, for people.
    #[serde(default)]
    pub reason: String,
    /// The signature of one of `announcers` over [`Announcement::text`] as a personal message
    /// (EIP-191, `personal_sign`).
    #[serde(default)]
    pub signature: Bytes,
}

/// Kinds of things that are announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Announced {
    /// Money moves.
    Payment,
    /// Owners, threshold, modules, guard, fallback handler change.
    Rotation,
    /// An implementation, an owner of a contract, a role, a delay, a bridge's configuration changes.
    Upgrade,
}

impl Announced {
    fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Rotation => "rotation",
            Self::Upgrade => "upgrade",
        }
    }
}

/// Why an announcement quietens nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnouncementError {
    /// Nobody, or somebody else, signed it.
    #[error(
        "announcement {index}: it is not signed by one of `announcers`; sign these lines as a personal message:\n{text}"
    )]
    Unsigned {
        /// Its place, from 0.
        index: usize,
        /// What is to be signed.
        text: String,
    },
    /// It names nothing that could be compared, or an amount that is none.
    #[error("announcement {index}: {reason}")]
    Vague {
        /// Its place, from 0.
        index: usize,
        /// What is missing.
        reason: &'static str,
    },
}

impl Announcement {
    /// The lines that are signed: every field that quietens, so that none can be altered after.
    pub fn text(&self) -> String {
        let mut lines = vec![
            "portreeve announcement".to_owned(),
            format!("wallet {}", self.wallet),
            format!("what {}", self.what.as_str()),
            format!("from {}", self.from),
            format!("until {}", self.until),
        ];
        let optional = [
            (
                "safe_tx_hash",
                self.safe_tx_hash.map(|hash| hash.to_string()),
            ),
            ("to", self.to.map(|to| to.to_string())),
            ("token", self.token.map(|token| token.to_string())),
            ("at_most", self.at_most.clone()),
        ];
        lines.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some(format!("{name} {}", value?))),
        );
        lines.join("\n")
    }

    /// Whether it is signed by an announcer, and says enough.
    pub(super) fn proven(
        &self,
        index: usize,
        announcers: &BTreeSet<Address>,
    ) -> Result<(), AnnouncementError> {
        let vague = |reason| Err(AnnouncementError::Vague { index, reason });
        if self.safe_tx_hash.is_none() && self.to.is_none() {
            return vague("it names neither `safe_tx_hash` nor `to`: it would quieten anything");
        }
        if self.until < self.from {
            return vague("it ends before it begins");
        }
        if self.what == Announced::Payment && self.safe_tx_hash.is_none() && self.limit().is_none()
        {
            return vague("a payment without `safe_tx_hash` needs `at_most`, a number");
        }
        let text = self.text();
        // As a Safe marks a signed message: v is 4 higher. Wallets give 27 and 28.
        let hash = eip191_hash_message(text.as_bytes());
        let signer = OwnerSignature::parse(&self.signature)
            .ok()
            .filter(OwnerSignature::is_bound)
            .and_then(|signature| match signature {
                OwnerSignature::TypedData(_) => signature.signer(hash),
                _ => None,
            });
        match signer {
            Some(signer) if announcers.contains(&signer) => Ok(()),
            _ => Err(AnnouncementError::Unsigned { index, text }),
        }
    }

    /// The most that a payment may be, in the smallest unit.
    pub fn limit(&self) -> Option<U256> {
        let text = self.at_most.as_deref()?;
        match self.token {
            Some(_) => text.parse().ok(),
            None => wei(text),
        }
    }

    /// Whether it is about a wallet at a time.
    fn holds(&self, wallet: Address, time: Timestamp) -> bool {
        self.wallet == wallet && (self.from..=self.until).contains(&time)
    }

    /// Whether it announces a change to something by a Safe's transaction.
    pub fn covers_change(
        &self,
        what: Announced,
        wallet: Address,
        time: Timestamp,
        to: Option<Address>,
        safe_tx_hash: Option<B256>,
    ) -> bool {
        let by_hash = self.safe_tx_hash.is_some() && self.safe_tx_hash == safe_tx_hash;
        let by_target = self.safe_tx_hash.is_none() && self.to.is_some() && self.to == to;
        self.what == what && self.holds(wallet, time) && (by_hash || by_target)
    }

    /// Whether it announces a payment of one asset. How much of it was used up is for the caller.
    pub fn covers_payment(
        &self,
        wallet: Address,
        time: Timestamp,
        to: Address,
        token: Option<Address>,
        safe_tx_hash: Option<B256>,
    ) -> bool {
        let by_hash = self.safe_tx_hash.is_some() && self.safe_tx_hash == safe_tx_hash;
        let by_target = self.safe_tx_hash.is_none() && self.to == Some(to) && self.token == token;
        self.what == Announced::Payment && self.holds(wallet, time) && (by_hash || by_target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::test_keys::{owner, sign};

    fn document(announcement: &str, signer: Option<u8>) -> String {
        let unsigned = format!("announcers = [\"{}\"]\n{announcement}", owner(1));
        let announcement: Announcement =
            toml::from_str::<toml::Table>(&unsigned).unwrap()["announcement"]
                .as_array()
                .unwrap()[0]
                .clone()
                .try_into()
                .unwrap();
        let Some(signer) = signer else {
            return unsigned;
        };
        let signature = sign(signer, eip191_hash_message(announcement.text()));
        format!(
            "{unsigned}signature = \"0x{}\"\n",
            alloy_primitives::hex::encode(signature)
        )
    }

    const PAYMENT: &str = r#"
[[announcement]]
wallet = "0x00000000000000000000000000000000000000c1"
what = "payment"
from = "2026-01-01T00:00:00Z"
until = "2026-01-02T00:00:00Z"
to = "0x00000000000000000000000000000000000000b1"
at_most = "100"
"#;

    #[test]
    fn only_what_an_announcer_signed_quietens() {
        let read = |text: &str| {
            let (policy, refused) = Policy::read(text).unwrap();
            (policy.announcements.len(), refused)
        };
        assert_eq!(read(&document(PAYMENT, Some(1))), (1, Vec::new()));
        let (none, refused) = read(&document(PAYMENT, Some(2)));
        assert_eq!(none, 0);
        assert!(
            refused[0]
                .to_string()
                .contains("wallet 0x00000000000000000000000000000000000000C1")
        );
        assert_eq!(read(&document(PAYMENT, None)).0, 0);
        // Altered after it was signed.
        assert_eq!(
            read(&document(PAYMENT, Some(1)).replace("\"100\"", "\"1000\"")).0,
            0
        );
        let vague = document(&PAYMENT.replace("to = ", "token = "), Some(1));
        assert!(matches!(read(&vague).1[0], AnnouncementError::Vague { .. }));
        let unbounded = document(&PAYMENT.replace("at_most = \"100\"", ""), Some(1));
        assert!(matches!(
            read(&unbounded).1[0],
            AnnouncementError::Vague { .. }
        ));
    }

    #[test]
    fn it_covers_what_it_names_and_only_that() {
        let (policy, _) = Policy::read(&document(PAYMENT, Some(1))).unwrap();
        let one = &policy.announcements[0];
        let address = |text: &str| text.parse::<Address>().unwrap();
        let (wallet, to) = (one.wallet, one.to.unwrap());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let within = at("2026-01-01T12:00:00Z");
        assert!(one.covers_payment(wallet, within, to, None, None));
        assert!(!one.covers_payment(wallet, at("2026-01-02T00:00:01Z"), to, None, None));
        assert!(!one.covers_payment(wallet, within, wallet, None, None));
        assert!(!one.covers_payment(to, within, to, None, None));
        assert!(!one.covers_payment(wallet, within, to, Some(wallet), None));
        assert!(!one.covers_change(Announced::Rotation, wallet, within, Some(to), None));
        assert_eq!(one.limit(), wei("100"));
        assert_ne!(address("0x00000000000000000000000000000000000000b2"), to);
    }
}
