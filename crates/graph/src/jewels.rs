//! Crown jewels: what they are told by.

use std::collections::BTreeMap;

use portreeve_model::{EntityKind, Estate, Relation};
use serde::{Deserialize, Serialize};

use crate::evaluate::Evaluator;
use crate::nodes::{Node, NodeId, Nodes};
use crate::path::{Jewel, JewelKind};
use crate::permit::Permit;
use crate::wildcard::matches;

/// A crown jewel named by the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredJewel {
    /// Its id, or a pattern of ids with `*` and `?`, or its short name.
    pub id: String,
    /// What it is; [`JewelKind::Declared`] where that is not said.
    #[serde(default)]
    pub kind: Option<JewelKind>,
    /// Why, in the user's words.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Words that name a wallet's keys, in names, descriptions and tags of secrets.
const WALLET_WORDS: [&str; 9] = [
    "wallet",
    "mnemonic",
    "seedphrase",
    "privatekey",
    "privkey",
    "signer",
    "signing",
    "custody",
    "keystore",
];

/// Finds the jewels of an estate. The most telling reason of each is kept, declared ones first.
pub(crate) fn find(
    estate: &Estate,
    evaluator: &Evaluator,
    administrators: &BTreeMap<NodeId, Permit>,
    declared: &[DeclaredJewel],
    notes: &mut Vec<String>,
) -> BTreeMap<NodeId, Jewel> {
    let nodes = &evaluator.nodes;
    let mut found: BTreeMap<NodeId, Jewel> = BTreeMap::new();
    let mut add = |node: NodeId, kind: JewelKind, reason: String| {
        found.entry(node).or_insert_with(|| Jewel {
            id: nodes.id(node).clone(),
            kind,
            reason,
        });
    };

    for jewel in declared {
        let mut any = false;
        for (place, node) in nodes.iter() {
            let id = node.id.as_str();
            if id == jewel.id || node.id.short_name() == jewel.id || matches(&jewel.id, id) {
                any = true;
                let reason = jewel.reason.clone();
                add(
                    place,
                    jewel.kind.unwrap_or(JewelKind::Declared),
                    reason.unwrap_or_else(|| "declared".to_owned()),
                );
            }
        }
        if !any {
            notes.push(format!(
                "the declared jewel `{}` is not in the estate",
                jewel.id
            ));
        }
    }
    for (place, node) in nodes.iter() {
        if let Some((kind, reason)) = by_tags(node) {
            add(place, kind, reason);
        }
        if let Some((kind, reason)) = by_nature(node) {
            add(place, kind, reason);
        }
    }
    for relation in estate.relations() {
        match relation {
            Relation::Serves {
                distribution,
                origin,
            } => {
                if let Some(place) = nodes.find(origin.as_str())
                    && nodes.get(place).kind == EntityKind::Bucket
                {
                    let reason = format!("served to the public by {distribution}");
                    add(place, JewelKind::WebOrigin, reason);
                }
            }
            Relation::Pulls {
                workload,
                repository,
            } => {
                if let Some(place) = nodes.find(repository.as_str()) {
                    let reason = format!("{} runs its images", workload.short_name());
                    add(place, JewelKind::ImageRepository, reason);
                }
            }
            Relation::ManagementAccount { account } => {
                if let Some(place) = nodes.find(account.as_str()) {
                    let reason = "the organization's management account".to_owned();
                    add(place, JewelKind::ManagementAccount, reason);
                }
            }
            _ => {}
        }
    }
    for (place, permit) in administrators {
        let reason = if permit.conditions.is_empty() {
            "may do everything in its account".to_owned()
        } else {
            let keys: Vec<&str> = permit.conditions.iter().map(String::as_str).collect();
            format!(
                "may do everything in its account, given {}",
                keys.join(", ")
            )
        };
        add(*place, JewelKind::Administrator, reason);
    }
    for (place, node) in nodes.iter() {
        if node.kind == EntityKind::Account && has_principals(nodes, node) {
            let reason = "whoever controls the account can do everything in it".to_owned();
            add(place, JewelKind::Administrator, reason);
        }
    }
    found
}

fn has_principals(nodes: &Nodes, account: &Node) -> bool {
    let account = account.account.as_deref();
    nodes.has(account, EntityKind::User) || nodes.has(account, EntityKind::Role)
}

fn by_tags(node: &Node) -> Option<(JewelKind, String)> {
    node.tags.iter().find_map(|(key, value)| {
        let key_name = key.to_ascii_lowercase();
        let value_name = value.to_ascii_lowercase();
        let refused = matches!(value_name.as_str(), "false" | "no" | "0" | "none");
        let kind = match (key_name.as_str(), value_name.as_str()) {
            ("portreeve:jewel" | "crown-jewel" | "crownjewel" | "crown_jewel", _) if !refused => {
                match value_name.as_str() {
                    "web-origin" => JewelKind::WebOrigin,
                    "signing-key" => JewelKind::SigningKey,
                    "wallet-secret" => JewelKind::WalletSecret,
                    "image-repository" => JewelKind::ImageRepository,
                    _ => JewelKind::Declared,
                }
            }
            ("tier", "web-origin") => JewelKind::WebOrigin,
            ("tier", "wallet") => match node.kind {
                EntityKind::Key => JewelKind::SigningKey,
                EntityKind::Secret | EntityKind::Parameter => JewelKind::WalletSecret,
                _ => JewelKind::Declared,
            },
            ("tier", "crown-jewel") => JewelKind::Declared,
            _ => return None,
        };
        Some((kind, format!("tagged {key}={value}")))
    })
}

fn by_nature(node: &Node) -> Option<(JewelKind, String)> {
    match node.kind {
        EntityKind::Key => {
            let spec = node
                .attributes
                .get("KeySpec")
                .or_else(|| node.attributes.get("CustomerMasterKeySpec"))?;
            (spec == "ECC_SECG_P256K1").then(|| {
                let reason = "a key of spec ECC_SECG_P256K1, the curve of wallets".to_owned();
                (JewelKind::SigningKey, reason)
            })
        }
        EntityKind::Wallet => {
            let role = node.attributes.get("Role")?;
            let kind = match role.as_str() {
                "cold" => JewelKind::ColdWallet,
                "warm" => JewelKind::WarmWallet,
                "contract" => JewelKind::Contract,
                _ => JewelKind::HotWallet,
            };
            let reason = match node.attributes.get("Name") {
                Some(name) => format!("the wallet policy calls it {name}: {role}"),
                None => {
                    "a key of the estate signs for it, and no wallet policy names it".to_owned()
                }
            };
            Some((kind, reason))
        }
        EntityKind::Secret | EntityKind::Parameter => {
            let texts = std::iter::once(node.id.as_str().splitn(6, ':').nth(5).unwrap_or_default())
                .chain(node.attributes.get("Name").map(String::as_str))
                .chain(node.attributes.get("Description").map(String::as_str))
                .chain(node.tags.keys().map(String::as_str))
                .chain(node.tags.values().map(String::as_str));
            let word = texts.into_iter().find_map(wallet_word)?;
            Some((
                JewelKind::WalletSecret,
                format!("its name or tags say {word}"),
            ))
        }
        _ => None,
    }
}

/// The wallet's word that a text holds, however it is spelt: `hot-wallet`, `seedPhrase`.
fn wallet_word(text: &str) -> Option<&'static str> {
    let folded: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    if let Some(word) = WALLET_WORDS.iter().find(|word| folded.contains(**word)) {
        return Some(word);
    }
    // Short words only where they stand alone: "seed" is in "seeded", "hot" in "photo".
    let parts = words(text);
    if parts.iter().any(|part| part == "seed" || part == "seeds") {
        return Some("seed");
    }
    let wallet_heat = parts
        .windows(2)
        .any(|pair| (pair[0] == "hot" || pair[0] == "cold") && pair[1] == "key");
    wallet_heat.then_some("hot or cold key")
}

/// The words of a name, at separators and at capitals.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for character in text.chars() {
        let starts = character.is_ascii_uppercase() && lower_before;
        if (!character.is_ascii_alphanumeric() || starts) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_lowercase());
        }
        lower_before = character.is_ascii_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wallet_words_are_seen_however_spelt() {
        assert!(wallet_word("prod/hot-wallet/key").is_some());
        assert!(wallet_word("seedPhrase").is_some());
        assert!(wallet_word("eth_private_key").is_some());
        assert!(wallet_word("payout/seed").is_some());
        assert!(wallet_word("db/seeded-users").is_none());
        assert!(wallet_word("app/db-password").is_none());
    }
}
