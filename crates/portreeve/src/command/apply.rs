//! Makes the changes of a plan, each after it is shown, or takes them back.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use portreeve_cloud::Access;
use portreeve_cloud::apply::{self, ApplyOptions, Consent, Ending, Reviewer, Shown};
use portreeve_graph::cut::{Change, Plan};
use portreeve_view::applied::{Applied, AppliedChange};
use portreeve_view::{html, json, terminal};
use serde_json::Value;

use super::can::usage;
use crate::arguments::apply::Apply;
use crate::arguments::{AnswerFormat, Colour};
use crate::output;

/// What there is to do.
struct Work {
    changes: Vec<Change>,
    digest: String,
    journal: PathBuf,
    /// The plan to make; `None` where a journal is taken back.
    plan: Option<Plan>,
}

pub(crate) fn run(options: &Apply) -> Result<crate::Ending> {
    let work = work(options)?;
    let mut applied = Applied {
        digest: work.digest.clone(),
        undo: work.plan.is_none(),
        changes: work.changes.iter().map(planned).collect(),
    };
    if options.show {
        answer(options, &applied)?;
        return Ok(crate::Ending::Clean);
    }
    match &options.yes {
        Some(digest) if *digest != work.digest => {
            return Ok(usage(&format!(
                "`{digest}` is not the digest of what is to be done, which is {}: look at it with \
                 --show",
                work.digest
            )));
        }
        None if !io::stdin().is_terminal() => {
            return Ok(usage(
                "nobody is there to ask: look at it with --show, then give the digest that it \
                 tells with --yes",
            ));
        }
        _ => {}
    }
    let settings = ApplyOptions {
        access: Access {
            profile: options.profile.clone(),
            region: None,
        },
        role: options.role.clone(),
        external_id: options.external_id.clone(),
        journal: work.journal.clone(),
    };
    let mut desk = Desk {
        ask: options.yes.is_none(),
        undo: applied.undo,
    };
    let endings = match &work.plan {
        Some(plan) => apply::apply(&settings, plan, &mut desk)?,
        None => apply::undo(&settings, &mut desk)?,
    };
    for (change, (_, ending)) in applied.changes.iter_mut().zip(&endings) {
        change.ending = Some(word(*ending).to_owned());
    }
    answer(options, &applied)?;
    if !applied.undo {
        say(&format!(
            "What was before is in {}; `portreeve apply --undo {}` takes it back.\n",
            work.journal.display(),
            work.journal.display()
        ));
    }
    Ok(crate::Ending::Clean)
}

fn work(options: &Apply) -> Result<Work> {
    if let Some(journal) = &options.undo {
        let (_, changes) = apply::journalled(journal)?;
        let back: Vec<Change> = changes
            .into_iter()
            .map(|change| Change {
                edit: change.edit.inverse(),
                ..change
            })
            .collect();
        let digest = apply::digest(&Plan {
            changes: back.clone(),
            ..Plan::default()
        });
        return Ok(Work {
            changes: back,
            digest,
            journal: journal.clone(),
            plan: None,
        });
    }
    let path = options.plan.clone().unwrap_or_default();
    let plan = read(&path)?;
    let mut beside = path.clone().into_os_string();
    beside.push(".journal");
    Ok(Work {
        changes: plan.changes.clone(),
        digest: apply::digest(&plan),
        journal: options.journal.clone().unwrap_or_else(|| beside.into()),
        plan: Some(plan),
    })
}

fn read(path: &Path) -> Result<Plan> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no plan, expected what `portreeve cut --plan FILE` writes",
            path.display()
        )
    })
}

fn answer(options: &Apply, applied: &Applied) -> Result<()> {
    output::answer(&options.place, true, |layout, mut out| {
        match options.format {
            AnswerFormat::Terminal => {
                out.write_all(terminal::applied(applied, layout).as_bytes())?;
            }
            AnswerFormat::Json => json::answer(applied, &mut out)?,
            AnswerFormat::Html => out.write_all(html::applied(applied).as_bytes())?,
        }
        Ok(())
    })
}

/// A change as the plan has it.
fn planned(change: &Change) -> AppliedChange {
    let (before, after) = apply::states(&change.edit);
    shown(change, &before, &after)
}

fn shown(change: &Change, before: &Value, after: &Value) -> AppliedChange {
    AppliedChange {
        id: change.id.clone(),
        titles: change.titles.clone(),
        target: change.edit.target().as_str().to_owned(),
        account: change.account.clone(),
        before: text(before),
        after: text(after),
        ending: None,
    }
}

/// A document on several lines, or a word.
fn text(state: &Value) -> Option<String> {
    match state {
        Value::Null => None,
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        document => serde_json::to_string_pretty(document).ok(),
    }
}

fn word(ending: Ending) -> &'static str {
    match ending {
        Ending::Made => "made",
        Ending::MadeBefore => "made before",
        Ending::Undone => "taken back",
        Ending::LeftOut => "left out",
        Ending::NotReached => "not reached",
    }
}

/// Says something on standard error, where it stands in no report's way.
fn say(text: &str) {
    let _ = io::stderr().write_all(portreeve_view::text::clean_lines(text).as_bytes());
}

/// Shows each change, and asks the person at the terminal.
struct Desk {
    ask: bool,
    undo: bool,
}

impl Reviewer for Desk {
    fn consent(&mut self, change: &Shown<'_>) -> Consent {
        let layout = output::layout(output::colours(Colour::Auto), true);
        let picture = shown(change.change, change.present, change.next);
        let page = terminal::applied_change(&picture, &layout);
        let _ = io::stderr().write_all(page.as_bytes());
        if !self.ask {
            return Consent::Yes;
        }
        let verb = if self.undo { "Take it back" } else { "Make it" };
        loop {
            say(&format!(
                "{verb} ({} of {})? [y]es, [n]o, [q]uit: ",
                change.number, change.of
            ));
            let mut line = String::new();
            if io::stdin().lock().read_line(&mut line).unwrap_or(0) == 0 {
                return Consent::Stop;
            }
            match line.trim() {
                "y" | "yes" => return Consent::Yes,
                "n" | "no" => return Consent::No,
                "q" | "quit" => return Consent::Stop,
                _ => {}
            }
        }
    }

    fn ended(&mut self, change: &Change, ending: Ending) {
        say(&format!("{}: {}\n", change.id, word(ending)));
    }
}
