//! How each wallet of the estate stands: who signs for it, who reaches it, what was seen of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_graph::JewelReach;
use portreeve_model::{EntityId, EntityKind, Estate, Relation, Severity};
use serde::Serialize;

use crate::report::{Report, ResponseStep};
use crate::wallets::WalletStory;

/// One wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WalletStanding {
    /// Its id in the estate: that of CAIP-10.
    pub id: EntityId,
    /// Its address.
    pub address: String,
    /// The number of its chain; absent where it is on several.
    pub chain: Option<u64>,
    /// What the wallet policy calls it; absent where that does not name it.
    pub name: Option<String>,
    /// How readily its money moves: `cold`, `warm`, `hot`, `contract`; `unnamed` where the policy does not
    /// name it.
    pub role: String,
    /// Keys and secrets of the estate that sign for it, alone or as an owner's.
    pub keys: Vec<EntityId>,
    /// How many owners a Safe has; 0 for other wallets.
    pub owners: u64,
    /// How many of them must sign; absent where that is not known.
    pub threshold: Option<u64>,
    /// How many users, roles, people and identities from outside reach it.
    pub reached_by: usize,
    /// How many of them on a way without conditions.
    pub open: usize,
    /// How many things were seen of it that are worth a look.
    pub findings: usize,
    /// The gravest of them.
    pub severity: Option<Severity>,
    /// What the gravest says.
    pub reason: Option<String>,
    /// When the first was.
    pub first_sign: Option<Timestamp>,
    /// The incident that tells of it; absent where none does.
    pub incident: Option<String>,
    /// What to do first where no incident tells of it: steps to review.
    pub response: Vec<ResponseStep>,
}

impl WalletStanding {
    /// Puts wallets in the order in which they want a look, the lowest first: the gravest findings, then
    /// those that are reached without a condition, then those that are reached, then the cold before the hot.
    pub fn rank(&self) -> u128 {
        let grave = self.severity.and_then(|severity| {
            let mut all = Severity::ALL.iter();
            all.position(|it| *it == severity)
        });
        let grave = 255 - grave.map_or(0, |place| place as u128 + 1);
        let less = |count: usize| u128::from(u32::MAX - u32::try_from(count).unwrap_or(u32::MAX));
        let role = match self.role.as_str() {
            "cold" => 0,
            "warm" | "contract" => 1,
            _ => 2,
        };
        grave << 72 | less(self.open) << 40 | less(self.reached_by) << 8 | role
    }
}

/// The wallets of the estate, and those of which something was seen, by [`WalletStanding::rank`], then by id.
/// `reach` says who reaches the estate's crown jewels, of which wallets are some.
pub fn standings(estate: &Estate, reach: &[JewelReach], report: &Report) -> Vec<WalletStanding> {
    let reach: BTreeMap<&str, &JewelReach> =
        reach.iter().map(|one| (one.jewel.as_str(), one)).collect();
    let signing = Signing::of(estate);
    let mut found = BTreeMap::<EntityId, WalletStanding>::new();
    for entity in estate.entities() {
        let attribute = |name: &str| entity.attributes.get(name).cloned();
        // Owners of Safes that are no wallets themselves stand with the Safe.
        let (EntityKind::Wallet, Some(role)) = (entity.kind, attribute("Role")) else {
            continue;
        };
        let (owners, threshold) = signing.owners.get(&entity.id).copied().unwrap_or_default();
        let reached = reach.get(entity.id.as_str());
        let standing = WalletStanding {
            name: attribute("Name"),
            role,
            keys: signing.keys(&entity.id),
            owners,
            threshold,
            reached_by: reached.map_or(0, |reached| reached.principals),
            open: reached.map_or(0, |reached| reached.open),
            ..unseen(&entity.id)
        };
        found.insert(entity.id.clone(), standing);
    }
    let told = report.incidents.iter().flat_map(|incident| {
        let stories = incident.wallets.iter();
        stories.map(|story| (story, Some(incident.id.as_str())))
    });
    for (story, incident) in told.chain(report.wallets.iter().map(|story| (story, None))) {
        let id = EntityId::from(story.id.as_str());
        let standing = found.entry(id).or_insert_with_key(|id| WalletStanding {
            // Where the policy does not name it the story has its address for a name.
            name: (story.wallet != story.address).then(|| story.wallet.clone()),
            ..unseen(id)
        });
        see(standing, story, incident);
    }
    let mut standings: Vec<WalletStanding> = found.into_values().collect();
    standings.sort_by_cached_key(|one| (one.rank(), one.id.clone()));
    standings
}

/// A wallet of which nothing is known but its id.
fn unseen(id: &EntityId) -> WalletStanding {
    let chain = id.as_str().split(':').nth(1);
    let chain = chain.and_then(|chain| chain.parse().ok());
    WalletStanding {
        id: id.clone(),
        address: id.short_name().to_owned(),
        chain: chain.filter(|chain| *chain != 0),
        name: None,
        role: "unnamed".to_owned(),
        keys: Vec::new(),
        owners: 0,
        threshold: None,
        reached_by: 0,
        open: 0,
        findings: 0,
        severity: None,
        reason: None,
        first_sign: None,
        incident: None,
        response: Vec::new(),
    }
}

fn see(standing: &mut WalletStanding, story: &WalletStory, incident: Option<&str>) {
    standing.findings = story.events.len();
    standing.severity = Some(story.severity);
    let mut events = story.events.iter();
    let gravest = events.find(|event| event.severity == story.severity);
    standing.reason = gravest.map(|event| event.reason.clone());
    standing.first_sign = story.events.iter().filter_map(|event| event.time).min();
    standing.incident = incident.map(str::to_owned);
    standing.response.clone_from(&story.response);
}

/// Who signs for what.
#[derive(Default)]
struct Signing<'e> {
    signers: BTreeMap<&'e EntityId, BTreeSet<&'e EntityId>>,
    owned_by: BTreeMap<&'e EntityId, BTreeSet<&'e EntityId>>,
    owners: BTreeMap<EntityId, (u64, Option<u64>)>,
}

impl<'e> Signing<'e> {
    fn of(estate: &'e Estate) -> Self {
        let mut signing = Self::default();
        for relation in estate.relations() {
            match relation {
                Relation::SignsFor { signer, wallet } => {
                    signing.signers.entry(wallet).or_default().insert(signer);
                }
                Relation::OwnerOf {
                    owner,
                    wallet,
                    threshold,
                    owners,
                } => {
                    signing.owned_by.entry(wallet).or_default().insert(owner);
                    signing.owners.insert(wallet.clone(), (*owners, *threshold));
                }
                _ => {}
            }
        }
        signing
    }

    /// The keys that sign for a wallet, and those of its owners.
    fn keys(&self, wallet: &EntityId) -> Vec<EntityId> {
        let own = self.signers.get(wallet).into_iter().flatten().copied();
        let owners = self.owned_by.get(wallet).into_iter().flatten();
        let of_owners = owners.flat_map(|owner| {
            let itself = owner.evm_address().is_none().then_some(*owner);
            let signers = self.signers.get(owner).into_iter().flatten().copied();
            itself.into_iter().chain(signers)
        });
        let keys: BTreeSet<&EntityId> = own.chain(of_owners).collect();
        keys.into_iter().cloned().collect()
    }
}
