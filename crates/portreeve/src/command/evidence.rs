use anyhow::Result;
use portreeve_engine::{Config, RunError, read_digest_keys, verify_evidence};
use portreeve_view::verification::Verified;
use portreeve_view::{html, json, terminal, text};

use super::settings;
use crate::Ending;
use crate::arguments::{AnswerFormat, DigestKeys, Evidence, EvidenceTask, Verify};
use crate::output;
use crate::progress::Bar;

pub(crate) fn run(options: &Evidence) -> Result<Ending> {
    match &options.task {
        EvidenceTask::Verify(options) => verify(options),
    }
}

/// Verifies all files below the paths by the digests among them.
fn verify(options: &Verify) -> Result<Ending> {
    let (mut config, mut skip) = settings(&options.input)?;
    if let Err(ending) = add_keys(&mut config, &options.keys) {
        return Ok(ending);
    }
    // Those of the settings were not looked at yet.
    let (keys, errors) = read_digest_keys(&config.digest_keys);
    for error in &errors {
        say!("portreeve: {}", text::clean_lines(&error.to_string()));
    }
    skip.extend(config.digest_keys.iter().cloned());
    let bar = Bar::default();
    let result = verify_evidence(&options.input.paths, &skip, keys, options.threads, &bar);
    bar.clear();
    let found = match result {
        Ok(found) => found,
        Err(RunError::NothingReadable(error)) => return Ok(super::investigate::no_input(&error)),
    };
    let verified = Verified {
        verification: &found.verification,
        files: found.files,
        dead_letters: &found.dead_letters,
    };
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            AnswerFormat::Terminal => {
                out.write_all(terminal::verified(&verified, layout).as_bytes())?;
            }
            AnswerFormat::Json => json::verified(&verified, &mut out)?,
            AnswerFormat::Html => out.write_all(html::verified(&verified).as_bytes())?,
        }
        Ok(())
    })?;
    Ok(if found.verification.holes.is_empty() {
        Ending::Clean
    } else {
        Ending::Findings
    })
}

/// Adds keys that the user names to those of the settings, or says what is wrong with them.
pub(super) fn add_keys(config: &mut Config, keys: &DigestKeys) -> Result<(), Ending> {
    let (_, errors) = read_digest_keys(&keys.files);
    for error in &errors {
        say!(
            "portreeve: --keys: {}",
            text::clean_lines(&error.to_string())
        );
    }
    if !errors.is_empty() {
        return Err(Ending::Usage);
    }
    config.digest_keys.extend(keys.files.iter().cloned());
    Ok(())
}
