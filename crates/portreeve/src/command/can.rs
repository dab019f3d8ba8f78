use std::path::PathBuf;

use anyhow::Result;
use portreeve_engine::{RunError, read_inventory, read_inventory_at};
use portreeve_graph::Access;
use portreeve_model::{BlindSpot, DeadLetter, Estate};
use portreeve_view::json::{WithBlindSpots, WithInstant};
use portreeve_view::{html, json, terminal, text};
use serde::Serialize;

use super::at::{Then, instant};
use super::settings;
use super::words::{self, circumstances, is_long_term_key, names_and_paths};
use crate::Ending;
use crate::arguments::{AnswerFormat, At, Can, Input, Inventory, Place, Requests, WhoCan};
use crate::output;
use crate::progress::Bar;

/// May P do A on R?
pub(crate) fn can(options: &Can) -> Result<Ending> {
    let (names, paths) = names_and_paths(&options.words, &options.inventory, 3);
    let [principal, action, resource] = names.as_slice() else {
        return Ok(wrong_words(&names, "PRINCIPAL ACTION RESOURCE"));
    };
    let by_key = is_long_term_key(principal);
    let given = match circumstances(&options.requests, options.strict, by_key) {
        Ok(given) => given,
        Err(error) => return Ok(usage(&error)),
    };
    let (estate, then) = match estate(&options.inventory, paths, &options.at)? {
        Ok(read) => read,
        Err(ending) => return Ok(ending),
    };
    let absent = |name: &str| then.as_ref()?.missing(&estate, name);
    if let Some(missing) = absent(principal) {
        return Ok(usage(&missing));
    }
    let mut verdict = match Access::of(&estate).can(principal, action, resource, &given) {
        Ok(verdict) => verdict,
        Err(error) => return Ok(usage(&error.to_string())),
    };
    verdict.notes.extend(absent(resource));
    verdict.notes.extend(asked_with(&options.requests));
    verdict.notes.extend(then.as_ref().map(Then::words));
    let answer = WithInstant {
        answer: WithBlindSpots {
            answer: &verdict,
            blind_spots: &estate.blind_spots,
        },
        at: then.as_ref().map(Then::json),
    };
    let pages: Pages<_> = (terminal::verdict, html::verdict);
    show(&options.place, false, options.format, answer, pages)
}

/// Who may do A on R?
pub(crate) fn who_can(options: &WhoCan) -> Result<Ending> {
    let (names, paths) = names_and_paths(&options.words, &options.inventory, 2);
    let [action, resource] = names.as_slice() else {
        return Ok(wrong_words(&names, "ACTION RESOURCE"));
    };
    let given = match circumstances(&options.requests, options.strict, false) {
        Ok(given) => given,
        Err(error) => return Ok(usage(&error)),
    };
    let (estate, then) = match estate(&options.inventory, paths, &options.at)? {
        Ok(read) => read,
        Err(ending) => return Ok(ending),
    };
    let mut holders = match Access::of(&estate).who_can(action, resource, &given) {
        Ok(holders) => holders,
        Err(error) => return Ok(usage(&error.to_string())),
    };
    let absent = then.as_ref().and_then(|it| it.missing(&estate, resource));
    holders.notes.extend(absent);
    holders.notes.extend(asked_with(&options.requests));
    holders.notes.extend(then.as_ref().map(Then::words));
    let answer = WithInstant {
        answer: WithBlindSpots {
            answer: &holders,
            blind_spots: &estate.blind_spots,
        },
        at: then.as_ref().map(Then::json),
    };
    let pages: Pages<_> = (terminal::holders, html::holders);
    show(&options.place, options.all, options.format, answer, pages)
}

/// How an answer looks on a terminal, and as a page.
type Pages<A> = (
    fn(&A, &[BlindSpot], &terminal::Options) -> String,
    fn(&A, &[BlindSpot]) -> String,
);

/// Shows an answer in the format that was asked for.
fn show<A: Serialize>(
    place: &Place,
    all: bool,
    format: AnswerFormat,
    answer: WithInstant<WithBlindSpots<'_, A>>,
    (on_terminal, as_page): Pages<A>,
) -> Result<Ending> {
    let WithBlindSpots {
        answer: it,
        blind_spots: unseen,
    } = answer.answer;
    output::answer(place, all, |layout, mut out| {
        match format {
            AnswerFormat::Terminal => out.write_all(on_terminal(it, unseen, layout).as_bytes())?,
            AnswerFormat::Html => out.write_all(as_page(it, unseen).as_bytes())?,
            AnswerFormat::Json => json::answer(&answer, &mut out)?,
        }
        Ok(())
    })?;
    Ok(Ending::Clean)
}

/// A note on what the answer was asked with.
fn asked_with(requests: &Requests) -> Option<String> {
    let given = words::given(requests);
    (!given.is_empty()).then(|| format!("asked with {}", given.join(", ")))
}

/// The estate below some paths, at an instant where one is asked about, or how the command ends
/// without one.
fn estate(
    inventory: &Inventory,
    paths: Vec<PathBuf>,
    at: &At,
) -> Result<Result<(Estate, Option<Then>), Ending>> {
    let (_, skip) = settings(&Input {
        paths: paths.clone(),
        config: inventory.config.clone(),
    })?;
    let bar = Bar::default();
    let read = match instant(at) {
        Some(instant) => read_inventory_at(&paths, &skip, instant, &bar)
            .map(|(read, moment)| (read, Some(Then::of(moment)))),
        None => read_inventory(&paths, &skip, &bar).map(|read| (read, None)),
    };
    bar.clear();
    Ok(match read {
        Ok((read, then)) => {
            say_unread(&read.dead_letters);
            Ok((read.estate, then))
        }
        Err(RunError::NothingReadable(error)) => Err(super::investigate::no_input(&error)),
    })
}

/// Names on standard error what could not be read.
pub(super) fn say_unread(letters: &[DeadLetter]) {
    for letter in letters {
        let place = format!("{}, byte {}", letter.file, letter.offset);
        let line = format!("{place}: {}", letter.reason);
        say!("portreeve: {}", text::clean_lines(&line));
    }
}

/// Names on standard error what is wrong with the command.
pub(super) fn usage(error: &str) -> Ending {
    say!("portreeve: {}", text::clean_lines(error));
    Ending::Usage
}

fn wrong_words(names: &[String], wanted: &str) -> Ending {
    usage(&format!(
        "{wanted} are expected beside files and folders, and not: {}. A name that is also that of a \
         file or folder takes `--inventory PATH` for the others",
        names.join(" ")
    ))
}
