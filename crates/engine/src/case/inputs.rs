//! What a watch was begun with, as it stands beside its data for whoever packs the case.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{CaseError, failed};

const FILE: &str = "inputs.json";

/// What a watch was begun with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inputs {
    /// What is followed: files and folders.
    pub paths: Vec<PathBuf>,
    /// The settings' file.
    pub config: Option<PathBuf>,
    /// Rules beyond the built-in ones.
    pub rules: Vec<PathBuf>,
    /// Whether the built-in rules were left out.
    pub no_built_in_rules: bool,
    /// How many records are held whole.
    pub hold: Option<usize>,
}

impl Inputs {
    /// Sets them down in a data folder, with the paths as they are seen from everywhere.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn set_down(mut self, data: &Path) -> Result<(), CaseError> {
        let all = self.paths.iter_mut().chain(&mut self.config);
        for path in all.chain(&mut self.rules) {
            if let Ok(whole) = std::path::absolute(&path) {
                *path = whole;
            }
        }
        let path = data.join(FILE);
        let text = serde_json::to_vec_pretty(&self).unwrap_or_default();
        std::fs::write(&path, text).map_err(failed(&path))
    }

    /// What was set down in a data folder; nothing where no watch did.
    pub fn of(data: &Path) -> Self {
        let text = std::fs::read(data.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}
