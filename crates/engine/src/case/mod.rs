//! A case as one file: what a watch found and what people wrote beside it, to be looked at elsewhere.
//!
//! One process and one data folder make a case. [`pack`] writes a bundle, a tar archive in Zstandard; [`open`]
//! puts it into a folder of its own; [`CaseFolder::read`] finds what is in one.
//!
//! | in a bundle | what it is |
//! |---|---|
//! | `case.json` | the manifest, which comes first: each member with its size and SHA-256, what was left out |
//! | `data/portreeve.db` | the store as of one commit, without tokens and without who was told of what |
//! | `data/log/` | the event log as far as that commit goes |
//! | `inventory/` | inventory, data of networks, what tells of wallets |
//! | `portreeve.toml` | settings, without those that say how and where the watch runs |
//! | `rules/` | rules beyond the built-in ones |
//!
//! A bundle is not signed: whoever hands one on says its SHA-256 by another way.

mod inputs;
mod open;
mod pack;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use portreeve_store::StoreError;
use serde::{Deserialize, Serialize};

use crate::config::ConfigError;

pub use inputs::Inputs;
pub use open::{Opening, open};
pub use pack::{PackRequest, Packed, pack};

/// The manifest's name.
const MANIFEST: &str = "case.json";

/// What a manifest calls itself, and the form that is written.
const FORM: &str = "portreeve-case";
const VERSION: u32 = 1;

/// The settings, in a bundle.
const SETTINGS: &str = "portreeve.toml";
const DATABASE: &str = "data/portreeve.db";

/// What a bundle holds. Keys that are there stay; more may come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `portreeve-case`.
    form: String,
    /// The form's version.
    version: u32,
    /// The version of the program that packed it. Another one may tell incidents otherwise.
    pub portreeve: String,
    /// When it was packed, by that machine's clock.
    pub packed: Timestamp,
    /// The commit that it is as of.
    pub revision: u64,
    /// Whether the rules that are built in were in use.
    pub built_in_rules: bool,
    /// What was left out, in words.
    pub left_out: Vec<String>,
    /// Its members but the manifest, in order.
    pub members: Vec<Member>,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its path in the bundle.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The hash of its content.
    pub sha256: String,
}

/// Why a case cannot be packed or opened.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What should be written is there.
    #[error("{} exists already; nothing is ever written over", .0.display())]
    Exists(PathBuf),
    /// The folder is none that a watch keeps.
    #[error("{} holds no portreeve.db: name the folder that `portreeve serve --data` keeps", .0.display())]
    NoData(PathBuf),
    /// A file changed between being hashed and being packed.
    #[error("{} changed while it was packed; pack again", .0.display())]
    Changed(PathBuf),
    /// The bundle is broken, or was made to do harm: nothing of it was kept.
    #[error("{}, {member}: {reason}; nothing of it was kept. Ask for it again, and compare its SHA-256 with what whoever packed it says", bundle.display())]
    Refused {
        /// The bundle.
        bundle: PathBuf,
        /// The member at which that was seen.
        member: String,
        /// What is wrong.
        reason: String,
    },
    /// The store cannot be read or copied.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CaseError {
    let path = path.to_owned();
    |error| CaseError::File { path, error }
}

/// The folder of an opened case.
#[derive(Clone, Debug)]
pub struct CaseFolder {
    /// What is in it.
    pub manifest: Manifest,
    path: PathBuf,
}

impl CaseFolder {
    /// Finds a case in a folder. Its files were verified when it was opened.
    ///
    /// # Errors
    /// Where there is none, or it is of a newer version.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        let file = path.join(MANIFEST);
        let bytes = std::fs::read(&file).map_err(failed(&file))?;
        let manifest = Manifest::read(&bytes).map_err(|reason| CaseError::Refused {
            bundle: path.to_owned(),
            member: MANIFEST.to_owned(),
            reason,
        })?;
        Ok(Self {
            manifest,
            path: path.to_owned(),
        })
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// The inventory and what else is not a log.
    pub fn inputs(&self) -> PathBuf {
        self.path.join("inventory")
    }

    /// The settings.
    pub fn settings(&self) -> PathBuf {
        self.path.join(SETTINGS)
    }

    /// Rules beyond the built-in ones, where there are any.
    pub fn rules(&self) -> Option<PathBuf> {
        Some(self.path.join("rules")).filter(|it| it.is_dir())
    }
}

impl Manifest {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if manifest.form != FORM {
            return Err(format!("`{}` is not `{FORM}`", manifest.form));
        }
        if manifest.version != VERSION {
            return Err(format!(
                "it has version {}; this program knows {VERSION}: use a newer one",
                manifest.version
            ));
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests;
