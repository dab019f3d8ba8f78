use anyhow::Result;
use portreeve_engine::{RaceError, RaceQuestion, Request, RuleSet, RunError, race};
use portreeve_view::{html, json, terminal, text};

use super::can::{say_unread, usage};
use super::investigate::{no_input, show_diagnostics};
use super::{rule_files, settings};
use crate::Ending;
use crate::arguments::{AnswerFormat, Race, RuleSources};
use crate::output;
use crate::progress::Bar;

/// How soon each crown jewel could be taken, and how soon anyone could know.
pub(crate) fn run(options: &Race) -> Result<Ending> {
    let (config, skip) = settings(&options.input)?;
    let files = rule_files(&RuleSources {
        rules: options.rules.clone(),
        no_built_in_rules: false,
    })?;
    let rules = RuleSet::parse(&files, &config.rules);
    show_diagnostics(&rules, &files);
    let bar = Bar::default();
    let raced = race(
        Request {
            paths: options.input.paths.clone(),
            config,
            skip,
            rules,
            signs: Vec::new(),
            threads: options.threads,
        },
        &RaceQuestion {
            from: options.from.clone(),
            actor: options.actor.clone(),
            response: options.response * 60,
        },
        &bar,
    );
    bar.clear();
    let raced = match raced {
        Ok(raced) => raced,
        Err(RaceError::Run(RunError::NothingReadable(error))) => return Ok(no_input(&error)),
        Err(error) => return Ok(usage(&error.to_string())),
    };
    say_unread(&raced.dead_letters);
    for note in &raced.notes {
        say!("portreeve: {}", text::clean_lines(note));
    }
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            AnswerFormat::Terminal => {
                out.write_all(terminal::race(&raced.race, layout).as_bytes())?;
            }
            AnswerFormat::Json => json::answer(&raced.race, &mut out)?,
            AnswerFormat::Html => out.write_all(html::race(&raced.race).as_bytes())?,
        }
        Ok(())
    })?;
    Ok(Ending::Clean)
}
