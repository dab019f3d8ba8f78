use anyhow::Result;
use portreeve_engine::{Request, RuleSet, RuleSettings, RunError};
use portreeve_incident::Certainty;
use portreeve_view::{json, terminal};

use super::settings;
use crate::Ending;
use crate::arguments::{Lineage, PathsFormat, Sureness};
use crate::output;
use crate::progress::Bar;

pub(crate) fn run(options: &Lineage) -> Result<Ending> {
    let (config, skip) = settings(&options.input)?;
    let at_least = match options.certainty {
        Sureness::Possible => Certainty::Possible,
        Sureness::Likely => Certainty::Likely,
        Sureness::Certain => Certainty::Certain,
    };
    let bar = Bar::default();
    let request = Request {
        paths: options.input.paths.clone(),
        config,
        skip,
        // Lineage is told by what happened, not by what any rule makes of it.
        rules: RuleSet::parse(&[], &RuleSettings::default()),
        signs: Vec::new(),
        threads: options.threads,
    };
    let result = portreeve_engine::lineage(request, &options.asked, at_least, &bar);
    bar.clear();
    let found = match result {
        Ok(found) => found,
        Err(RunError::NothingReadable(error)) => {
            return Ok(super::investigate::no_input(&error));
        }
    };
    let say = |text: &str| say!("portreeve: {}", portreeve_view::text::clean_lines(text));
    for letter in &found.dead_letters {
        say(&format!(
            "{}, byte {}: {}",
            letter.file, letter.offset, letter.reason
        ));
    }
    found.notes.iter().for_each(|note| say(note));
    let is_unknown = found.trace.credentials.is_empty();
    if is_unknown {
        say(&format!(
            "nothing in the logs is called `{}`; give the id of an access key or portal session, an \
             ARN, or the name of a user, role, permission set, session, instance or repository",
            options.asked
        ));
    }
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            PathsFormat::Json => json::lineage(
                &json::Lineage {
                    trace: &found.trace,
                    records: found.records,
                    dead_letters: &found.dead_letters,
                    notes: &found.notes,
                },
                &mut out,
            )?,
            PathsFormat::Terminal if is_unknown => {}
            PathsFormat::Terminal => {
                out.write_all(terminal::lineage(&found.trace, layout).as_bytes())?;
            }
        }
        Ok(())
    })?;
    Ok(if is_unknown {
        Ending::Usage
    } else {
        Ending::Clean
    })
}
