use std::io::Write;

use anyhow::Result;
use portreeve_engine::{
    Backtest as Told, Noise, Request, RuleSet, RunError, backtest, investigate, read_rules,
};
use portreeve_view::terminal;

use crate::Ending;
use crate::arguments::{Backtest, ListFormat};
use crate::command::investigate::{no_input, show_diagnostics};
use crate::command::settings;
use crate::output;
use crate::progress::Bar;

/// How many days a bar stands for at most before several days share one.
const BARS: usize = 31;
/// How wide the longest bar is.
const WIDTH: u64 = 40;
/// How many principals are listed.
const PRINCIPALS: usize = 20;

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
    let mut out = std::io::stdout().lock();
    match options.format {
        ListFormat::Json => portreeve_view::json::answer(&told, &mut out)?,
        ListFormat::Terminal => show(&told, &mut out)?,
    }
    Ok(Ending::Clean)
}

fn show(told: &Told, out: &mut dyn Write) -> Result<()> {
    let Some((first, last)) = told.period else {
        writeln!(out, "No records with a time.")?;
        return Ok(());
    };
    writeln!(
        out,
        "{} rules over {} records, {first} to {last}: {} matches, {:.1} a day, {} findings\n",
        told.rules, told.records, told.matches, told.matches_a_day, told.findings
    )?;
    let days: Vec<_> = told.days.iter().collect();
    let share = days.len().div_ceil(BARS).max(1);
    let bars: Vec<(String, u64)> = days
        .chunks(share)
        .filter_map(|part| {
            let name = part.first()?.0.to_string();
            Some((name, part.iter().map(|(_, count)| **count).sum()))
        })
        .collect();
    let most = bars
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    if share > 1 {
        writeln!(out, "A bar is {share} days.")?;
    }
    for (name, count) in bars {
        let length = (count * WIDTH).div_ceil(most) as usize;
        writeln!(out, "{name}  {count:>7}  {}", "█".repeat(length))?;
    }
    writeln!(out)?;
    let rows: Vec<Vec<String>> = told
        .principals
        .iter()
        .take(PRINCIPALS)
        .map(|one| {
            let noise = match one.noise {
                Some(Noise::Daily) => "likely noise: it does so on most days",
                Some(Noise::MostOfAll) => "likely noise: most matches are its own",
                None => "",
            };
            vec![
                one.matches.to_string(),
                one.days.to_string(),
                one.principal.clone(),
                noise.to_owned(),
            ]
        })
        .collect();
    let layout = output::layout(false, true);
    let table = terminal::table(&["matches", "days", "principal", ""], &rows, &layout);
    out.write_all(table.as_bytes())?;
    let more = told.principals.len().saturating_sub(PRINCIPALS);
    if more > 0 {
        writeln!(out, "and {more} more")?;
    }
    Ok(())
}
