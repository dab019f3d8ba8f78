use anyhow::Result;
use portreeve_engine::{Comparison, RunError, compare};
use portreeve_graph::{Difference, changed_policies};
use portreeve_view::difference::Change;
use portreeve_view::{html, json, terminal, text};

use super::can::{say_unread, usage};
use super::words::{self, circumstances};
use super::{investigate, settings};
use crate::Ending;
use crate::arguments::{AnswerFormat, Diff, Failing, Input};
use crate::output;
use crate::progress::Bar;

/// What a change opens and closes.
pub(crate) fn run(options: &Diff) -> Result<Ending> {
    let given = match circumstances(&options.requests, false, false) {
        Ok(given) => given,
        Err(error) => return Ok(usage(&error)),
    };
    let input = Input {
        paths: options.paths.clone(),
        config: options.config.clone(),
    };
    let (config, skip) = settings(&input)?;
    let Some((after, before)) = options.paths.split_last() else {
        return Ok(usage("give what was and what will be"));
    };
    let bar = Bar::default();
    let after = std::slice::from_ref(after);
    let compared = compare(before, after, &config, &skip, &given, &bar);
    bar.clear();
    let compared = match compared {
        Ok(compared) => compared,
        Err(RunError::NothingReadable(error)) => return Ok(investigate::no_input(&error)),
    };
    say_unread(&compared.dead_letters);
    for note in &compared.notes {
        say!("portreeve: {}", text::clean_lines(note));
    }
    let Comparison { before, after, .. } = &compared;
    let mut difference = Difference::between(&compared.graph_before, &compared.graph_after);
    difference.explain(before, after);
    let policies = changed_policies(before, after);
    let change = Change {
        given: &words::given(&options.requests),
        difference: &difference,
        policies: &policies,
        unknown: &compared.unknown,
        blind_spots: &after.blind_spots,
    };
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            AnswerFormat::Terminal => {
                out.write_all(terminal::change(&change, layout).as_bytes())?
            }
            AnswerFormat::Json => json::answer(&change, &mut out)?,
            AnswerFormat::Html => out.write_all(html::change(&change).as_bytes())?,
        }
        Ok(())
    })?;
    let failed = options.fail_on.iter().any(|what| match what {
        Failing::Opened => difference.opens(),
        Failing::OpenNow => difference.opens_now(),
        Failing::Unknown => !compared.unknown.is_empty(),
        Failing::Any => !difference.is_empty(),
    });
    Ok(if failed {
        Ending::Findings
    } else {
        Ending::Clean
    })
}
