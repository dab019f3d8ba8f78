//! Signatures, spends and requests of each key, joined.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use portreeve_model::Severity;
use serde::Serialize;

use super::align::align;
use super::keys::SigningKey;
use super::requests::Request;
use crate::policy::Policy;

/// A signature that the key service made.
#[derive(Clone, Debug)]
pub struct SignRecord {
    /// The record's event id.
    pub event_id: String,
    /// The service's request id.
    pub request_id: Option<String>,
    /// When.
    pub time: Timestamp,
    /// The key's ARN or id.
    pub key: String,
    /// Who asked for it.
    pub principal: String,
    /// The address that he asked from.
    pub from: Option<String>,
    /// Where the record stands: file and number.
    pub place: String,
}

/// A transaction on a chain that a key's address sent.
#[derive(Clone, Debug)]
pub struct Spend {
    /// The chain's number.
    pub chain: u64,
    /// The transaction.
    pub transaction: B256,
    /// The address.
    pub from: Address,
    /// The address's running number.
    pub nonce: u64,
    /// The block's time.
    pub time: Timestamp,
}

/// What stays unexplained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerFinding {
    /// `signed-off-the-books`, `spent-without-signature`, `unexpected-signer`, `key-of-another-wallet`.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// When.
    pub time: Option<Timestamp>,
    /// The key.
    pub key: String,
    /// The address that it signs for.
    pub address: Address,
    /// The record of the signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<B256>,
    /// How sure it is.
    pub certainty: Certainty,
    /// What was seen, in plain words.
    pub reason: String,
}

/// How sure a join, or the lack of one, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Others lie as near in time: the count is right, and it may be another of them.
    Possible,
    /// By key, order and time.
    Likely,
    /// By ids, or nothing at all lies near.
    Certain,
}

/// What became of one key's signatures.
#[derive(Clone, Debug, Serialize)]
pub struct KeyLedger {
    /// The key.
    pub key: String,
    /// The address that it signs for.
    pub address: Address,
    /// What the policy calls the wallet.
    pub wallet: Option<String>,
    /// Signatures that the logs hold.
    pub signatures: u64,
    /// Those that a request explains.
    pub requested: u64,
    /// Transactions that the address sent.
    pub spends: u64,
    /// Those that a signature explains.
    pub signed: u64,
    /// Approved requests.
    pub requests: u64,
    /// Numbers that are missing between the first and the last transaction: blocks were not seen.
    pub missing_nonces: u64,
}

/// All keys.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerReport {
    /// Each key.
    pub keys: Vec<KeyLedger>,
    /// What stays unexplained, in order of time.
    pub findings: Vec<LedgerFinding>,
    /// What could not be joined at all.
    pub blind_spots: Vec<String>,
}

/// Joins all that is known. A signature must be explained by a request, where a ledger of requests is
/// given for its key, and else by a spend; a spend by a signature.
pub fn reconcile(
    keys: &[SigningKey],
    signs: &[SignRecord],
    spends: &[Spend],
    requests: &[Request],
    policy: &Policy,
) -> LedgerReport {
    let mut report = LedgerReport {
        keys: Vec::new(),
        findings: Vec::new(),
        blind_spots: Vec::new(),
    };
    let named: BTreeSet<&str> = keys.iter().map(|key| key.key.as_str()).collect();
    let unknown: BTreeSet<&str> = signs
        .iter()
        .map(|sign| sign.key.as_str())
        .filter(|key| !named.iter().any(|one| is_same(one, key)))
        .collect();
    report.blind_spots.extend(unknown.iter().map(|key| {
        format!("The public key of {key} is not given: what it signs for is not known")
    }));
    for key in keys {
        one_key(key, signs, spends, requests, policy, &mut report);
    }
    report
        .findings
        .sort_by_key(|finding| (finding.time, finding.event_id.clone(), finding.transaction));
    report
}

/// Whether two names are of one key: both whole, or one the id at the end of the other's ARN.
fn is_same(one: &str, other: &str) -> bool {
    let id = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    one == other || (!one.contains('/') || !other.contains('/')) && id(one) == id(other)
}

fn one_key(
    key: &SigningKey,
    signs: &[SignRecord],
    spends: &[Spend],
    requests: &[Request],
    policy: &Policy,
    report: &mut LedgerReport,
) {
    let mut signs: Vec<&SignRecord> = signs
        .iter()
        .filter(|sign| is_same(&sign.key, &key.key))
        .collect();
    signs.sort_by_key(|sign| (sign.time, &sign.event_id));
    let mut spends: Vec<&Spend> = spends
        .iter()
        .filter(|spend| spend.from == key.address)
        .collect();
    spends.sort_by_key(|spend| (spend.time, spend.chain, spend.nonce));
    let mut requests: Vec<&Request> = requests
        .iter()
        .filter(|request| is_same(&request.key, &key.key))
        .collect();
    requests.sort_by_key(|request| (request.approved_at, &request.request_id));

    let requested = requested(&signs, &requests);
    let signed = signed(&signs, &spends, &requests, &requested);
    let wallet = policy.wallets().find(|wallet| {
        wallet
            .signing_key
            .as_deref()
            .is_some_and(|name| is_same(name, &key.key))
    });
    let finding = |id, severity, certainty, time: Timestamp, reason| LedgerFinding {
        id,
        severity,
        time: Some(time),
        key: key.key.clone(),
        address: key.address,
        event_id: None,
        transaction: None,
        certainty,
        reason,
    };
    for (place, sign) in signs.iter().enumerate() {
        let from = sign
            .from
            .as_deref()
            .map_or_else(String::new, |from| format!(" from {from}"));
        if let Some(wallet) = wallet.filter(|wallet| {
            !wallet.signers.is_empty() && !wallet.signers.contains(&sign.principal)
        }) {
            report.findings.push(LedgerFinding {
                event_id: Some(sign.event_id.clone()),
                ..finding(
                    "unexpected-signer",
                    Severity::Critical,
                    Certainty::Certain,
                    sign.time,
                    format!(
                        "{}{from} signed with the key of {}, and is none of its `signers`",
                        sign.principal, wallet.name
                    ),
                )
            });
        }
        let spent = signed.iter().any(|(by, _)| *by == place);
        let explained = if requests.is_empty() {
            spent
        } else {
            requested.contains_key(&place)
        };
        if !explained {
            let what = match (requests.is_empty(), spent) {
                (true, _) => "no transaction on a chain that was read came of it",
                (false, true) => "no approved request asks for it, and a transaction came of it",
                (false, false) => {
                    "no approved request asks for it, and no transaction came of it yet"
                }
            };
            report.findings.push(LedgerFinding {
                event_id: Some(sign.event_id.clone()),
                ..finding(
                    "signed-off-the-books",
                    Severity::Critical,
                    sure(
                        sign.time,
                        signs
                            .iter()
                            .enumerate()
                            .filter(|(other, _)| *other != place)
                            .map(|(_, sign)| sign.time),
                    ),
                    sign.time,
                    format!(
                        "{}{from} had it signed at {}: {what} ({})",
                        sign.principal, sign.time, sign.place
                    ),
                )
            });
        }
    }
    for (place, spend) in spends.iter().enumerate() {
        if !signed.iter().any(|(_, spent)| *spent == place) {
            report.findings.push(LedgerFinding {
                transaction: Some(spend.transaction),
                ..finding(
                    "spent-without-signature",
                    Severity::Critical,
                    sure(spend.time, spends.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, spend)| spend.time)),
                    spend.time,
                    format!("{} sent transaction {} (number {} on chain {}), and no signature of the key explains it: the key is held by somebody else too, or its log has a hole", key.address, spend.transaction, spend.nonce, spend.chain),
                )
            });
        }
    }
    if let Some(wallet) = wallet
        .filter(|wallet| wallet.address != key.address && !wallet.owners.contains(&key.address))
    {
        report.findings.push(LedgerFinding {
            time: None,
            ..finding(
                "key-of-another-wallet",
                Severity::High,
                Certainty::Certain,
                Timestamp::UNIX_EPOCH,
                format!(
                    "The policy says that {} signs for {}, whose address is {}; it signs for {}",
                    key.key, wallet.name, wallet.address, key.address
                ),
            )
        });
    }
    report.keys.push(KeyLedger {
        key: key.key.clone(),
        address: key.address,
        wallet: wallet
            .or_else(|| policy.wallet(key.address))
            .map(|wallet| wallet.name.clone()),
        signatures: signs.len() as u64,
        requested: requested.len() as u64,
        spends: spends.len() as u64,
        signed: signed.len() as u64,
        requests: requests.len() as u64,
        missing_nonces: missing_nonces(&spends),
    });
}

/// How sure it is that this one is the odd one: not very where another lies within half a minute.
fn sure(time: Timestamp, others: impl Iterator<Item = Timestamp>) -> Certainty {
    let nearest = others
        .map(|other| (other.as_second() - time.as_second()).abs())
        .min();
    match nearest {
        Some(0..=30) => Certainty::Possible,
        Some(31..=super::align::WINDOW) => Certainty::Likely,
        _ => Certainty::Certain,
    }
}

/// For each signature that a request explains, the request: by the service's id, then by time.
fn requested(signs: &[&SignRecord], requests: &[&Request]) -> BTreeMap<usize, usize> {
    let mut joined = BTreeMap::new();
    let mut left: Vec<usize> = requests
        .iter()
        .map(|request| request.signatures.clamp(1, 16))
        .collect();
    let by_id: BTreeMap<&str, usize> = signs
        .iter()
        .enumerate()
        .filter_map(|(place, sign)| Some((sign.request_id.as_deref()?, place)))
        .collect();
    for (place, request) in requests.iter().enumerate() {
        if let Some(id) = request.kms_request_id.as_deref() {
            // One that names its signature is explained by that one, or by none.
            left[place] -= 1;
            if let Some(sign) = by_id.get(id) {
                joined.insert(*sign, place);
            }
        }
    }
    let open: Vec<usize> = (0..requests.len())
        .flat_map(|place| std::iter::repeat_n(place, left[place]))
        .collect();
    let free: Vec<usize> = (0..signs.len())
        .filter(|place| !joined.contains_key(place))
        .collect();
    let earlier: Vec<i64> = open
        .iter()
        .map(|place| requests[*place].approved_at.as_second())
        .collect();
    let later: Vec<i64> = free
        .iter()
        .map(|place| signs[*place].time.as_second())
        .collect();
    joined.extend(
        align(&earlier, &later)
            .into_iter()
            .map(|(request, sign)| (free[sign], open[request])),
    );
    joined
}

/// Pairs of signature and spend: by the request that names the transaction, then by time. Signatures
/// that a request explains come first, since one that nobody asked for must not take a spend's place.
fn signed(
    signs: &[&SignRecord],
    spends: &[&Spend],
    requests: &[&Request],
    requested: &BTreeMap<usize, usize>,
) -> Vec<(usize, usize)> {
    let by_hash: BTreeMap<B256, usize> = spends
        .iter()
        .enumerate()
        .map(|(place, spend)| (spend.transaction, place))
        .collect();
    let mut pairs = Vec::new();
    let mut used = BTreeSet::new();
    let mut spent = BTreeSet::new();
    for (sign, request) in requested {
        if let Some(spend) = requests[*request]
            .transaction
            .and_then(|hash| by_hash.get(&hash))
            && spent.insert(*spend)
        {
            used.insert(*sign);
            pairs.push((*sign, *spend));
        }
    }
    for first in [true, false] {
        let free: Vec<usize> = (0..signs.len())
            .filter(|place| !used.contains(place) && requested.contains_key(place) == first)
            .collect();
        let open: Vec<usize> = (0..spends.len())
            .filter(|place| !spent.contains(place))
            .collect();
        let earlier: Vec<i64> = free
            .iter()
            .map(|place| signs[*place].time.as_second())
            .collect();
        let later: Vec<i64> = open
            .iter()
            .map(|place| spends[*place].time.as_second())
            .collect();
        for (sign, spend) in align(&earlier, &later) {
            used.insert(free[sign]);
            spent.insert(open[spend]);
            pairs.push((free[sign], open[spend]));
        }
    }
    pairs
}

fn missing_nonces(spends: &[&Spend]) -> u64 {
    let mut chains: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for spend in spends {
        chains.entry(spend.chain).or_default().insert(spend.nonce);
    }
    chains
        .values()
        .filter_map(|nonces| Some(nonces.last()? - nonces.first()? + 1 - nonces.len() as u64))
        .sum()
}
