use anyhow::Result;
use portreeve_engine::{Request, RuleSet, RunError, investigate};
use portreeve_view::{json, terminal};

use super::settings;
use crate::Ending;
use crate::arguments::{Coverage, PathsFormat};
use crate::output;
use crate::progress::Bar;

/// Reads everything as an investigation does, without rules.
pub(crate) fn run(options: &Coverage) -> Result<Ending> {
    let (config, skip) = settings(&options.input)?;
    let bar = Bar::default();
    let result = investigate(
        Request {
            paths: options.input.paths.clone(),
            rules: RuleSet::parse(&[], &config.rules),
            config,
            skip,
            signs: Vec::new(),
            threads: options.threads,
        },
        &bar,
    );
    bar.clear();
    let report = match result {
        Ok(report) => report,
        Err(RunError::NothingReadable(error)) => {
            return Ok(super::investigate::no_input(&error));
        }
    };
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            PathsFormat::Json => json::sight(&json::Sight::of(&report), &mut out)?,
            PathsFormat::Terminal => out.write_all(terminal::sight(&report, layout).as_bytes())?,
        }
        Ok(())
    })?;
    Ok(Ending::Clean)
}
