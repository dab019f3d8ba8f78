pub(crate) mod coverage;
pub(crate) mod demo;
pub(crate) mod exceptions;
pub(crate) mod investigate;
pub(crate) mod manual;
pub(crate) mod paths;
pub(crate) mod rules;
pub(crate) mod simulate;

use std::path::PathBuf;

use anyhow::Result;
use portreeve_engine::{Config, ContentFile, built_in_rules, read_rules};

use crate::arguments::{Input, RuleSources};

/// The settings that hold for an input, and the file that they came from.
fn settings(input: &Input) -> Result<(Config, Vec<PathBuf>)> {
    if let Some(path) = &input.config {
        return Ok((Config::read(path)?, vec![path.clone()]));
    }
    let folders: Vec<PathBuf> = input
        .paths
        .iter()
        .filter(|path| path.is_dir())
        .cloned()
        .collect();
    let (config, path) = Config::find(&folders)?;
    Ok((config, path.into_iter().collect()))
}

/// The rule files to use, built-in ones first.
fn rule_files(sources: &RuleSources) -> Result<Vec<ContentFile>> {
    let mut files = if sources.no_built_in_rules {
        Vec::new()
    } else {
        built_in_rules()
    };
    for path in &sources.rules {
        files.extend(read_rules(path)?);
    }
    Ok(files)
}
