//! Wallets in the estate: which key or secret signs for which address, and who owns which Safe.
//!
//! The address of a key is derived from its public key, and needs nobody's word. What the wallet policy
//! or a tag says of a key whose public key is known is held to that.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_model::{BlindSpot, Entity, EntityId, EntityKind, Estate, Relation};

use crate::keys::{PublicKeyError, address_of_public_key};
use crate::policy::{Policy, Role, Wallet};

/// The attribute in which the inventory keeps a key's public key: DER in base64.
const PUBLIC_KEY: &str = "PublicKey";

/// The curve of wallets, by the name that AWS KMS has for it.
const CURVE: &str = "ECC_SECG_P256K1";

/// Tags that name the wallet which a key or a secret signs for, by address or by name.
const TAGS: [&str; 2] = ["portreeve:wallet", "wallet"];

/// The role of a wallet that a key of the estate signs for and that no policy names.
const UNNAMED: &str = "unnamed";

/// The id of a wallet in the estate (CAIP-10): on the chain that the policy names, else on chain 0, which
/// stands for all of them, since a key signs for its address on each.
pub fn wallet_id(policy: Option<&Policy>, address: Address) -> EntityId {
    let wallet = policy.and_then(|policy| policy.wallet(address));
    let chain = wallet.and_then(|wallet| wallet.chain).unwrap_or(0);
    format!("eip155:{chain}:{address}").into()
}

/// Adds the wallets of the policy, the addresses of the estate's keys, and who signs for which. Where the
/// estate is empty nothing is added: of wallets alone no way leads anywhere.
pub fn relate(estate: &mut Estate, policy: Option<&Policy>) {
    if estate.is_empty() {
        return;
    }
    let signers = signers(estate);
    let mut relating = Relating { estate, policy };
    for signer in &signers {
        relating.derived(signer);
    }
    for wallet in policy.into_iter().flat_map(Policy::wallets) {
        relating.wallet(wallet, &signers);
    }
    for signer in &signers {
        relating.tagged(signer);
    }
}

/// Something that can sign for a wallet.
struct Signer {
    id: EntityId,
    /// What it is called, beside its id: a key's aliases.
    aliases: Vec<String>,
    /// What its tags say of a wallet.
    tags: Vec<String>,
    /// Its address, where its public key is known.
    address: Option<Result<Address, String>>,
}

fn signers(estate: &Estate) -> Vec<Signer> {
    let can = |entity: &&Entity| {
        matches!(
            entity.kind,
            EntityKind::Key | EntityKind::Secret | EntityKind::Parameter
        )
    };
    let signer = |entity: &Entity| {
        let aliases = entity.attributes.get("Aliases").into_iter();
        let aliases = aliases.flat_map(|aliases| aliases.split(", "));
        let named = |key: &str| TAGS.iter().any(|tag| key.eq_ignore_ascii_case(tag));
        let tags = entity.tags.iter().filter(|(key, _)| named(key));
        Signer {
            id: entity.id.clone(),
            aliases: aliases.map(str::to_owned).collect(),
            tags: tags.map(|(_, value)| value.clone()).collect(),
            address: address(entity),
        }
    };
    estate.entities().filter(can).map(signer).collect()
}

/// The address of a key whose public key the inventory has; none for keys of other curves.
fn address(entity: &Entity) -> Option<Result<Address, String>> {
    let text = entity.attributes.get(PUBLIC_KEY)?;
    let spec = ["KeySpec", "CustomerMasterKeySpec"];
    let spec = spec.iter().find_map(|name| entity.attributes.get(*name));
    if spec.is_some_and(|spec| spec != CURVE) {
        return None;
    }
    let bytes = match STANDARD.decode(text.trim()) {
        Ok(bytes) => bytes,
        Err(error) => return Some(Err(format!("its public key is no base64: {error}"))),
    };
    match address_of_public_key(&bytes) {
        Ok(address) => Some(Ok(address)),
        // Of a key that does not tell its curve it may be another.
        Err(PublicKeyError::Form) if spec.is_none() => None,
        Err(error) => Some(Err(error.to_string())),
    }
}

struct Relating<'r> {
    estate: &'r mut Estate,
    policy: Option<&'r Policy>,
}

impl Relating<'_> {
    /// The node of an address.
    fn place(&mut self, address: Address) -> EntityId {
        let id = wallet_id(self.policy, address);
        self.estate.add(Entity::new(id.clone(), EntityKind::Wallet));
        id
    }

    fn sign(&mut self, signer: &EntityId, wallet: EntityId) {
        self.estate.relate(Relation::SignsFor {
            signer: signer.clone(),
            wallet,
        });
    }

    fn tell(&mut self, missing: String, consequence: &str, remedy: String) {
        self.estate.blind_spots.push(BlindSpot {
            missing,
            consequence: consequence.to_owned(),
            remedy,
        });
    }

    /// A key signs for the address of its public key.
    fn derived(&mut self, signer: &Signer) {
        match &signer.address {
            None => {}
            Some(Err(error)) => self.tell(
                format!("the address of key {}: {error}", signer.id),
                "which wallet the key signs for is not in the graph",
                format!("aws kms get-public-key --key-id {}", signer.id),
            ),
            Some(Ok(address)) => {
                let id = self.place(*address);
                let is_owner = |policy: &Policy| {
                    let mut wallets = policy.wallets();
                    wallets.any(|wallet| wallet.owners.contains(address))
                };
                let named = self
                    .policy
                    .is_some_and(|policy| policy.wallet(*address).is_some() || is_owner(policy));
                if !named {
                    let mut entity = Entity::new(id.clone(), EntityKind::Wallet);
                    let role = UNNAMED.to_owned();
                    entity.attributes.insert("Role".to_owned(), role);
                    self.estate.add(entity);
                }
                self.sign(&signer.id, id);
            }
        }
    }

    /// A wallet of the policy, with its owners and the key that the policy names.
    fn wallet(&mut self, wallet: &Wallet, signers: &[Signer]) {
        let id = self.place(wallet.address);
        let mut entity = Entity::new(id.clone(), EntityKind::Wallet);
        let role = match wallet.role {
            Role::Hot => "hot",
            Role::Warm => "warm",
            Role::Cold => "cold",
            Role::Contract => "contract",
        };
        entity.attributes.extend([
            ("Name".to_owned(), wallet.name.clone()),
            ("Role".to_owned(), role.to_owned()),
        ]);
        self.estate.add(entity);
        for owner in &wallet.owners {
            let owner = self.place(*owner);
            self.own(wallet, owner, id.clone());
        }
        let Some(text) = wallet.signing_key.as_deref() else {
            return;
        };
        let mut found = false;
        for signer in signers.iter().filter(|signer| is_meant(signer, text)) {
            found = true;
            self.bind(signer, wallet.address, "the wallet policy");
        }
        if !found && text.starts_with("arn:") {
            let signer = Signer {
                id: text.into(),
                aliases: Vec::new(),
                tags: Vec::new(),
                address: None,
            };
            self.bind(&signer, wallet.address, "the wallet policy");
        }
    }

    fn own(&mut self, wallet: &Wallet, owner: EntityId, id: EntityId) {
        self.estate.relate(Relation::OwnerOf {
            owner,
            wallet: id,
            threshold: wallet.threshold,
            owners: wallet.owners.len() as u64,
        });
    }

    /// What a signer's tags say.
    fn tagged(&mut self, signer: &Signer) {
        let mut named = BTreeSet::new();
        for text in &signer.tags {
            let wallets = self.policy.into_iter().flat_map(Policy::wallets);
            let called = wallets.filter(|wallet| wallet.name.eq_ignore_ascii_case(text));
            named.extend(called.map(|wallet| wallet.address));
            named.extend(text.trim().parse::<Address>());
        }
        for address in named {
            self.bind(signer, address, "a tag");
        }
    }

    /// `who` says that a key or a secret signs for an address.
    fn bind(&mut self, signer: &Signer, address: Address, who: &str) {
        let policy = self.policy;
        let wallet = policy.and_then(|policy| policy.wallet(address));
        let safe = wallet.filter(|wallet| !wallet.owners.is_empty());
        let is_contract = wallet.is_some_and(|wallet| wallet.role == Role::Contract);
        match &signer.address {
            // What follows of its own address is in the estate already.
            Some(Ok(own)) if *own == address => {}
            Some(Ok(own)) if safe.is_some_and(|safe| safe.owners.contains(own)) => {}
            Some(Ok(own)) if safe.is_some() || !is_contract => self.tell(
                format!("the key that signs for wallet {address}"),
                "what leads to the wallet's own key is not in the graph",
                format!(
                    "{who} says that {} signs for it, and that key signs for {own}: name the right one",
                    signer.id
                ),
            ),
            _ => {
                let id = self.place(address);
                match safe {
                    Some(safe) => self.own(safe, signer.id.clone(), id),
                    None => self.sign(&signer.id, id),
                }
            }
        }
    }
}

/// Whether a text of the policy means a key: its ARN, its id, an alias; or a secret by its name.
fn is_meant(signer: &Signer, text: &str) -> bool {
    let alias = |alias: &String| {
        alias == text
            || alias
                .strip_prefix("alias/")
                .is_some_and(|name| name == text)
    };
    signer.id.as_str() == text || signer.id.is_called(text) || signer.aliases.iter().any(alias)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys::{owner, public_point};

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k-1";
    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hot-AbCdEf";

    fn key(number: Option<u8>) -> Estate {
        let mut entity = Entity::new(KEY, EntityKind::Key);
        let mut keep = |name: &str, value: &str| {
            entity.attributes.insert(name.to_owned(), value.to_owned());
        };
        keep("KeySpec", CURVE);
        keep("Aliases", "alias/withdrawals");
        if let Some(number) = number {
            keep(PUBLIC_KEY, &STANDARD.encode(public_point(number)));
        }
        let mut estate = Estate::default();
        estate.add(entity);
        estate
    }

    fn related(mut estate: Estate, policy: Option<&str>) -> (Estate, Vec<String>) {
        let policy = policy.map(|text| Policy::read(text).unwrap().0);
        relate(&mut estate, policy.as_ref());
        estate.finish();
        let relations = estate.relations().iter();
        let lines = relations.filter_map(|relation| match relation {
            Relation::SignsFor { signer, wallet } => Some(format!("{signer} signs for {wallet}")),
            Relation::OwnerOf {
                owner,
                wallet,
                threshold,
                owners,
            } => Some(format!("{owner} of {wallet}: {threshold:?} of {owners}")),
            _ => None,
        });
        let lines = lines.collect();
        (estate, lines)
    }

    fn hot(address: Address, more: &str) -> String {
        format!("[[wallet]]\nname = \"hot\"\naddress = \"{address}\"\nrole = \"hot\"\n{more}\n")
    }

    #[test]
    fn a_key_signs_for_the_address_of_its_public_key() {
        let (estate, lines) = related(key(Some(1)), None);
        let id = format!("eip155:0:{}", owner(1));
        assert_eq!(lines, [format!("{KEY} signs for {id}")]);
        assert_eq!(estate.get(&id).unwrap().attributes["Role"], UNNAMED);

        // The policy names its chain and how readily its money moves.
        let policy = hot(owner(1), "chain = 10\nsigning_key = \"k-1\"");
        let (estate, lines) = related(key(Some(1)), Some(&policy));
        let id = format!("eip155:10:{}", owner(1));
        assert_eq!(lines, [format!("{KEY} signs for {id}")]);
        assert_eq!(estate.get(&id).unwrap().attributes["Role"], "hot");
        assert!(estate.blind_spots.is_empty());
    }

    #[test]
    fn a_policy_is_believed_only_where_the_key_does_not_say_otherwise() {
        for named in [KEY, "k-1", "withdrawals", "alias/withdrawals"] {
            let policy = hot(owner(1), &format!("signing_key = \"{named}\""));
            let (_, lines) = related(key(None), Some(&policy));
            assert_eq!(lines, [format!("{KEY} signs for eip155:0:{}", owner(1))]);
        }
        let policy = hot(owner(1), &format!("signing_key = \"{KEY}\""));
        let (estate, lines) = related(key(Some(2)), Some(&policy));
        assert_eq!(lines, [format!("{KEY} signs for eip155:0:{}", owner(2))]);
        assert!(estate.blind_spots[0].remedy.contains(&owner(2).to_string()));
    }

    #[test]
    fn owners_are_told_with_how_many_must_sign() {
        let owners = format!(
            "owners = [\"{}\", \"{}\"]\nthreshold = 2\nsigning_key = \"k-1\"",
            owner(1),
            owner(2)
        );
        let safe = hot(owner(9), &owners).replace("hot", "cold");
        let (estate, lines) = related(key(Some(1)), Some(&safe));
        let id = |number| format!("eip155:0:{}", owner(number));
        let owns = |who: &str| format!("{who} of {}: Some(2) of 2", id(9));
        let mut expected = vec![
            format!("{KEY} signs for {}", id(1)),
            owns(&id(1)),
            owns(&id(2)),
        ];
        let mut found = lines;
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        // An owner is no wallet of the policy.
        assert!(!estate.get(&id(1)).unwrap().attributes.contains_key("Role"));

        // Of a key whose public key is not known it is not known which owner's it is.
        let (_, lines) = related(key(None), Some(&safe));
        assert!(lines.contains(&owns(KEY)), "{lines:?}");
    }

    #[test]
    fn tags_name_a_wallet_by_its_address_or_its_name() {
        for text in [owner(3).to_string(), "HOT".to_owned()] {
            let mut secret = Entity::new(SECRET, EntityKind::Secret);
            secret.tags.insert("portreeve:wallet".to_owned(), text);
            let mut estate = Estate::default();
            estate.add(secret);
            let (_, lines) = related(estate, Some(&hot(owner(3), "")));
            assert_eq!(lines, [format!("{SECRET} signs for eip155:0:{}", owner(3))]);
        }
    }

    #[test]
    fn without_inventory_or_with_a_broken_key_nothing_is_made_up() {
        let (estate, lines) = related(Estate::default(), Some(&hot(owner(1), "")));
        assert!(estate.is_empty() && lines.is_empty());
        let mut broken = key(None);
        let mut entity = Entity::new(KEY, EntityKind::Key);
        let text = "AAAA".to_owned();
        entity.attributes.insert(PUBLIC_KEY.to_owned(), text);
        broken.add(entity);
        let (estate, lines) = related(broken, None);
        assert!(lines.is_empty());
        assert!(estate.blind_spots[0].missing.contains("secp256k1"));
    }
}
