use anyhow::Result;
use portreeve_engine::{Request, RuleSet, RunError, investigate, read_rules};
use portreeve_incident::backtest;
use portreeve_view::{html, json, terminal};

use crate::Ending;
use crate::arguments::{AnswerFormat, Backtest};
use crate::command::investigate::{no_input, show_diagnostics};
use crate::command::settings;
use crate::output;
use crate::progress::Bar;

/// Tries rules on a history.
pub(super) fn run(options: &Backtest) -> Result<Ending> {
    let (config, skip) = settings(&options.input)?;
    let files = read_rules(&options.rules)?;
    let rules = RuleSet::parse(&files, &config.rules);
    show_diagnostics(&rules, &files);
    let bar = Bar::default();
    let report = investigate(
        Request {
            paths: options.input.paths.clone(),
            config,
            skip,
            rules,
            signs: Vec::new(),
            threads: options.threads,
        },
        &bar,
    );
    bar.clear();
    let report = match report {
        Ok(report) => report,
        Err(RunError::NothingReadable(error)) => return Ok(no_input(&error)),
    };
    let told = backtest(&report);
    output::answer(&options.place, false, |layout, mut out| {
        match options.format {
            AnswerFormat::Terminal => {
                out.write_all(terminal::backtest(&told, layout).as_bytes())?
            }
            AnswerFormat::Json => json::answer(&told, &mut out)?,
            AnswerFormat::Html => out.write_all(html::backtest(&told).as_bytes())?,
        }
        Ok(())
    })?;
    Ok(Ending::Clean)
}
