use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use portreeve_detect::hunt::{Known, Match};
use portreeve_engine::{
    Chosen, HuntError, HuntRequest, HuntRules, HuntSink, HuntState, Hunted, Placeholders,
    RuleStatus, built_in_correlations, built_in_rules, condition, hunt, read_placeholders,
    read_rules, render_diagnostic,
};
use portreeve_view::hunt::{self as lines, Table};
use portreeve_view::{html, terminal, text};

use super::can::{say_unread, usage};
use super::investigate::no_input;
use super::stop;
use crate::Ending;
use crate::arguments::{Hunt, HuntFormat};
use crate::output;
use crate::progress::Bar;

/// How many matches are kept for the terminal and the page.
const KEPT: usize = 1_000;

/// What Sigma rules find in logs.
pub(crate) fn run(options: &Hunt) -> Result<Ending> {
    let mut files = Vec::new();
    if options.rules.is_empty() {
        files.extend(built_in_rules());
        files.extend(built_in_correlations());
    }
    for path in &options.rules {
        files.extend(read_rules(path)?);
    }
    let chosen = match options.explain.as_slice() {
        [] => Chosen {
            statuses: options.status.clone(),
            level: options.level,
        },
        // Any rule can be explained.
        _ => Chosen {
            statuses: RuleStatus::ALL.to_vec(),
            ..Chosen::default()
        },
    };
    let mut rules = HuntRules::parse(&files, &chosen);
    let mut placeholders = Placeholders::new();
    let colour = io::stderr().is_terminal();
    for path in &options.placeholders {
        let given = read_rules(path)?;
        for file in &given {
            if let Err(error) = read_placeholders(file, &mut placeholders) {
                return Ok(usage(&render_diagnostic(&error, &given, colour)));
            }
        }
    }
    for path in &options.pipeline {
        let given = read_rules(path)?;
        for file in &given {
            if let Err(error) = rules.change(file, &mut placeholders) {
                return Ok(usage(&render_diagnostic(&error, &given, colour)));
            }
        }
    }
    for diagnostic in &rules.diagnostics {
        say!("{}", render_diagnostic(diagnostic, &files, colour));
    }
    if rules.rules.is_empty() {
        return Ok(usage(
            "there is no rule to hunt with; give a file or folder of them with `-r`",
        ));
    }
    for pair in &options.placeholder {
        let values = placeholders.entry(pair.name.clone()).or_default();
        values.push(pair.value.clone());
    }
    if let [rule, record] = options.explain.as_slice() {
        return super::explain::run(rule, record, &rules, &placeholders, &options.place);
    }
    let mut wanted = Vec::new();
    for pair in &options.wanted {
        match condition(&pair.name, &pair.value) {
            Ok(rule) => wanted.push(rule),
            Err(error) => return Ok(usage(&format!("--where {}: {error}", pair.name))),
        }
    }
    let state = match &options.state {
        None => None,
        Some(path) => match HuntState::read(path) {
            Ok(state) => Some(state.unwrap_or_default()),
            Err(error) => return Ok(usage(&format!("{}: {error}", path.display()))),
        },
    };
    let resumes = state.as_ref().is_some_and(|state| !state.is_new());
    let stop = match state {
        Some(_) => stop::asked(),
        None => Arc::default(),
    };
    let request = HuntRequest {
        paths: options.paths.clone(),
        rules,
        placeholders,
        any_source: options.any_source,
        since: options.since,
        until: options.until,
        wanted,
        sample: options.sample,
        threads: options.threads,
        lateness: std::time::Duration::from_secs(options.lateness * 3600),
        measured: options.stats,
        state,
        stop,
    };
    let bar = Bar::default();
    match options.format {
        HuntFormat::Ndjson | HuntFormat::Ocsf | HuntFormat::Csv => {
            let mut found = None;
            output::answer(&options.place, options.all, |_, out| {
                // What is found goes out from whichever thread tells it; the lock on standard output
                // stays here.
                let (sender, receiver) = std::sync::mpsc::sync_channel(64);
                std::thread::scope(|scope| {
                    let request = &request;
                    let bar = &bar;
                    let format = options.format;
                    let hunting = scope.spawn(move || {
                        let mut sink = Lines::new(format, resumes, sender)?;
                        let hunted = hunt(request, &mut sink, bar);
                        sink.hand_over()?;
                        Ok::<_, io::Error>(hunted)
                    });
                    // Where writing fails the receiver is gone, and so the hunt ends.
                    let written = write_all(receiver, out);
                    let hunted = hunting
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                    written?;
                    found = Some(hunted?);
                    Ok(())
                })
            })?;
            bar.clear();
            match found {
                Some(Ok(hunted)) => {
                    say_unread(&hunted.dead_letters);
                    for note in &hunted.notes {
                        say!("portreeve: {}", text::clean_lines(note));
                    }
                    keep(options.state.as_deref(), &hunted)?;
                    Ok(ending(options, &hunted))
                }
                Some(Err(error)) => failed(error),
                None => Ok(Ending::Clean),
            }
        }
        HuntFormat::Table | HuntFormat::Json | HuntFormat::Html => {
            let kept = match options.format {
                HuntFormat::Json => usize::MAX,
                _ => KEPT,
            };
            let mut sink = Kept {
                matches: Vec::new(),
                most: kept,
            };
            let hunted = hunt(&request, &mut sink, &bar);
            bar.clear();
            let hunted = match hunted {
                Ok(hunted) => hunted,
                Err(error) => return failed(error),
            };
            let shown = lines::Hunt {
                known: &hunted.known,
                tally: &hunted.tally,
                matches: &sink.matches,
                records: hunted.records,
                matched_records: hunted.matched_records,
                bytes: hunted.bytes,
                seconds: hunted.seconds,
                dead_letters: &hunted.dead_letters,
                dead_omitted: hunted.dead_omitted,
                notes: &hunted.notes,
                figures: &hunted.figures,
            };
            output::answer(&options.place, options.all, |layout, out| {
                match options.format {
                    HuntFormat::Json => lines::json(&shown, out)?,
                    HuntFormat::Html => out.write_all(html::hunt(&shown).as_bytes())?,
                    _ => out.write_all(terminal::hunt(&shown, layout).as_bytes())?,
                }
                Ok(())
            })?;
            keep(options.state.as_deref(), &hunted)?;
            Ok(ending(options, &hunted))
        }
    }
}

fn failed(error: HuntError) -> Result<Ending> {
    match error {
        HuntError::NothingReadable(nothing) => Ok(no_input(&nothing)),
        error @ HuntError::State(_) => Ok(usage(&error.to_string())),
        error => Err(error.into()),
    }
}

/// Keeps how far the hunt came, once what it found is written.
fn keep(path: Option<&Path>, hunted: &Hunted) -> Result<()> {
    let (Some(path), Some(state)) = (path, &hunted.state) else {
        return Ok(());
    };
    state
        .write(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    if hunted.stopped {
        say!("portreeve: stopped; the same command goes on from here");
    }
    Ok(())
}

fn ending(options: &Hunt, hunted: &Hunted) -> Ending {
    let worst = hunted
        .tally
        .levels(&hunted.known.heads)
        .into_iter()
        .find(|(_, count)| *count > 0)
        .map(|(level, _)| level);
    let fails = options
        .fail_on
        .is_some_and(|limit| worst.is_some_and(|worst| worst >= limit));
    if fails {
        Ending::Findings
    } else {
        Ending::Clean
    }
}

/// Keeps the first matches.
struct Kept {
    matches: Vec<Match>,
    most: usize,
}

impl HuntSink for Kept {
    fn found(&mut self, found: &Match, _: &Known) -> io::Result<()> {
        if self.matches.len() < self.most {
            self.matches.push(found.clone());
        }
        Ok(())
    }
}

/// So much text is handed over at a time.
const BLOCK: usize = 64 * 1024;

/// Makes a line of each match and hands them over in blocks.
struct Lines {
    format: HuntFormat,
    block: Vec<u8>,
    blocks: std::sync::mpsc::SyncSender<Vec<u8>>,
}

impl Lines {
    /// Where the hunt `resumes`, its lines are to follow those of the one before.
    fn new(
        format: HuntFormat,
        resumes: bool,
        blocks: std::sync::mpsc::SyncSender<Vec<u8>>,
    ) -> io::Result<Self> {
        let mut block = Vec::new();
        if format == HuntFormat::Csv && !resumes {
            Table::head(&mut block)?;
        }
        Ok(Self {
            format,
            block,
            blocks,
        })
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let block = std::mem::take(&mut self.block);
        self.blocks
            .send(block)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl HuntSink for Lines {
    fn found(&mut self, found: &Match, known: &Known) -> io::Result<()> {
        match self.format {
            HuntFormat::Ocsf => lines::ocsf(found, known, &mut self.block)?,
            HuntFormat::Csv => Table::row(found, known, &mut self.block)?,
            _ => lines::ndjson(found, known, &mut self.block)?,
        }
        if self.block.len() >= BLOCK {
            self.hand_over()?;
        }
        Ok(())
    }
}

fn write_all(blocks: std::sync::mpsc::Receiver<Vec<u8>>, out: &mut dyn Write) -> io::Result<()> {
    for block in blocks {
        out.write_all(&block)?;
    }
    Ok(())
}
