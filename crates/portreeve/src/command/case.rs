//! A case as one file.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use portreeve_engine::case::{Inputs, Opening, PackRequest, open, pack};
use portreeve_engine::{default_network_folder, file_sha256};
use portreeve_view::text;

use crate::Ending;
use crate::arguments::{Case, CaseTask, Open, Pack};
use crate::progress::Bar;

pub(crate) fn run(options: &Case) -> Result<Ending> {
    match &options.task {
        CaseTask::Pack(options) => packed(options),
        CaseTask::Open(options) => opened(options),
    }
}

fn packed(options: &Pack) -> Result<Ending> {
    let mut inputs = Inputs::of(&options.data);
    if !options.input.is_empty() {
        inputs.paths.clone_from(&options.input);
    }
    if options.config.is_some() {
        inputs.config.clone_from(&options.config);
    }
    if !options.rules.rules.is_empty() {
        inputs.rules.clone_from(&options.rules.rules);
    }
    inputs.no_built_in_rules |= options.rules.no_built_in_rules;
    let request = PackRequest {
        data: options.data.clone(),
        out: options.out.clone(),
        inputs,
        networks: default_network_folder(),
    };
    let bar = Bar::default();
    let result = pack(&request, &bar);
    bar.clear();
    let packed = result?;
    let mut lines = vec![format!(
        "wrote {}: {} members, {} bytes, as of commit {}",
        options.out.display(),
        packed.manifest.members.len() + 1,
        text::count(packed.bytes),
        packed.manifest.revision
    )];
    lines.extend(
        packed
            .manifest
            .left_out
            .iter()
            .map(|it| format!("left out: {it}")),
    );
    lines.push(format!("SHA-256 {}", packed.sha256));
    say(&lines)
}

fn opened(options: &Open) -> Result<Ending> {
    let into = match &options.into {
        Some(into) => into.clone(),
        None => PathBuf::from(stem(&options.file)),
    };
    let manifest = open(&Opening {
        bundle: options.file.clone(),
        into: into.clone(),
        most: u64::from(options.most_gigabytes) << 30,
    })?;
    let (sha256, _) = file_sha256(&options.file)?;
    let mut lines = vec![
        format!(
            "verified {} members; packed {:.0} by version {}, as of commit {}",
            manifest.members.len(),
            manifest.packed,
            manifest.portreeve,
            manifest.revision
        ),
        format!("SHA-256 of the bundle {sha256}"),
    ];
    lines.extend(manifest.left_out.iter().map(|it| format!("left out: {it}")));
    lines.push(format!(
        "portreeve serve --case {} shows it",
        into.display()
    ));
    say(&lines)
}

/// What a bundle is called, without its endings.
fn stem(file: &std::path::Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(".zst").trim_end_matches(".tar");
    match name {
        "" | "." | ".." => "case".to_owned(),
        name => name.to_owned(),
    }
}

fn say(lines: &[String]) -> Result<Ending> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{}", text::clean_lines(line))?;
    }
    Ok(Ending::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_called_as_its_bundle_is() {
        let called = |name: &str| stem(name.as_ref());
        assert_eq!(called("/tmp/theft.tar.zst"), "theft");
        assert_eq!(called("theft"), "theft");
        assert_eq!(called(".tar.zst"), "case");
    }
}
