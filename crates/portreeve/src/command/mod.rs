#[cfg(feature = "aws")]
pub(crate) mod apply;
mod at;
pub(crate) mod blast;
pub(crate) mod bundle;
pub(crate) mod can;
pub(crate) mod case;
pub(crate) mod check;
#[cfg(feature = "aws")]
pub(crate) mod collect;
pub(crate) mod coverage;
pub(crate) mod cut;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod evidence;
pub(crate) mod exceptions;
mod explain;
pub(crate) mod graph;
pub(crate) mod hunt;
pub(crate) mod investigate;
pub(crate) mod keys;
pub(crate) mod lineage;
pub(crate) mod manual;
pub(crate) mod networks;
pub(crate) mod paths;
pub(crate) mod policy;
pub(crate) mod race;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod simulate;
mod stop;
pub(crate) mod touched;
pub(crate) mod wallet;
mod words;

use std::path::PathBuf;

use anyhow::Result;
use portreeve_engine::{
    Config, ContentFile, built_in_correlations, built_in_rules, default_network_folder, read_rules,
};

use crate::arguments::{Input, RuleSources};

/// The settings that hold for an input, and the file that they came from.
fn settings(input: &Input) -> Result<(Config, Vec<PathBuf>)> {
    let (mut config, files) = declared_settings(input)?;
    config.network_folder = default_network_folder();
    Ok((config, files))
}

fn declared_settings(input: &Input) -> Result<(Config, Vec<PathBuf>)> {
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

/// The files of rules and correlations to use, built-in ones first.
fn rule_files(sources: &RuleSources) -> Result<Vec<ContentFile>> {
    let mut files = if sources.no_built_in_rules {
        Vec::new()
    } else {
        let mut files = built_in_rules();
        files.extend(built_in_correlations());
        files
    };
    for path in &sources.rules {
        files.extend(read_rules(path)?);
    }
    Ok(files)
}
