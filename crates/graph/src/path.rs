use serde::{Deserialize, Serialize};

use portreeve_model::EntityId;

/// A walk from a start to a target, each step with what allows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttackPath {
    /// Where it starts.
    pub from: EntityId,
    /// Where it ends.
    pub to: EntityId,
    /// Every condition that the steps need, without repeats: condition keys, as `aws:SourceIp`.
    /// Empty where nothing stands in the way.
    pub conditions: Vec<String>,
    /// The steps in order; each starts where the one before it ends.
    pub steps: Vec<PathStep>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStep {
    /// Who walks.
    pub from: EntityId,
    /// What is gained.
    pub to: EntityId,
    /// The id of the escalation, or of the plain relation, that makes the step.
    pub via: String,
    /// The step in words: "assume the role".
    pub title: String,
    /// The permissions that it uses, as `iam:PassRole`.
    pub permissions: Vec<String>,
    /// The condition keys that must hold. Empty: the step is open now.
    pub conditions: Vec<String>,
    /// The statements that allow it: policy name, `#`, statement id or number.
    pub statements: Vec<String>,
}

/// A crown jewel: a resource whose loss is the disaster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jewel {
    /// What it is.
    pub id: EntityId,
    /// Of what kind.
    pub kind: JewelKind,
    /// Why it is taken for one: "a key of spec ECC_SECG_P256K1", "named in portreeve.toml".
    pub reason: String,
}

/// Kinds of crown jewels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JewelKind {
    /// A wallet whose money moves only in ceremonies.
    ColdWallet,
    /// A wallet that fills hot ones.
    WarmWallet,
    /// A contract that rules over money: a token, a bridge, a proxy.
    Contract,
    /// A wallet that pays by itself, or of which no more is known than that a key signs for it.
    HotWallet,
    /// A key that signs transactions.
    SigningKey,
    /// A secret that names wallets or seeds.
    WalletSecret,
    /// Content that signers' browsers load.
    WebOrigin,
    /// Images that workloads pull.
    ImageRepository,
    /// A principal that can do everything in its account.
    Administrator,
    /// The organization's management account.
    ManagementAccount,
    /// Named by the user.
    Declared,
}

impl JewelKind {
    /// The kebab-case name used in rules and machine-readable reports.
    pub fn as_str(self) -> &'static str {
        match self {
            JewelKind::SigningKey => "signing-key",
            JewelKind::WalletSecret => "wallet-secret",
            JewelKind::ColdWallet => "cold-wallet",
            JewelKind::WarmWallet => "warm-wallet",
            JewelKind::HotWallet => "hot-wallet",
            JewelKind::Contract => "contract",
            JewelKind::WebOrigin => "web-origin",
            JewelKind::ImageRepository => "image-repository",
            JewelKind::Administrator => "administrator",
            JewelKind::ManagementAccount => "management-account",
            JewelKind::Declared => "declared",
        }
    }

    /// The kind in words, for reports.
    pub fn title(self) -> &'static str {
        match self {
            JewelKind::SigningKey => "signing key",
            JewelKind::WalletSecret => "wallet secret",
            JewelKind::ColdWallet => "cold wallet",
            JewelKind::WarmWallet => "warm wallet",
            JewelKind::HotWallet => "hot wallet",
            JewelKind::Contract => "contract",
            JewelKind::WebOrigin => "web origin",
            JewelKind::ImageRepository => "image repository",
            JewelKind::Administrator => "administrator",
            JewelKind::ManagementAccount => "management account",
            JewelKind::Declared => "declared jewel",
        }
    }
}

/// All that one principal or credential can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlastRadius {
    /// Principals that it can act as.
    pub principals: Vec<EntityId>,
    /// Resources that it can act on through a step of the catalogue.
    pub resources: Vec<EntityId>,
    /// Crown jewels among them.
    pub jewels: Vec<EntityId>,
}
