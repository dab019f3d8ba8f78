use anyhow::Result;
use portreeve_engine::{Request, RuleSet, RunError, built_in_correlations, built_in_rules};
use portreeve_incident::touch::Subject;
use portreeve_view::{html, json, terminal};

use super::can::{say_unread, usage};
use super::settings;
use crate::Ending;
use crate::arguments::{About, AnswerFormat, Input, Touched};
use crate::output;
use crate::progress::Bar;

/// Whether something was touched.
pub(crate) fn run(options: &Touched) -> Result<Ending> {
    let input = Input::or_here(options.paths.clone(), options.config.clone());
    let (mut config, mut skip) = settings(&input)?;
    if let Err(ending) = super::evidence::add_keys(&mut config, &options.keys) {
        return Ok(ending);
    }
    skip.extend(config.digest_keys.iter().cloned());
    // Rules are needed for incidents alone.
    let mut files = Vec::new();
    if options.by.is_some() {
        files.extend(built_in_rules());
        files.extend(built_in_correlations());
    }
    let bar = Bar::default();
    let request = Request {
        rules: RuleSet::parse(&files, &config.rules),
        paths: input.paths,
        config,
        skip,
        signs: Vec::new(),
        threads: options.threads,
    };
    let gathered = portreeve_engine::gather(request, &bar);
    bar.clear();
    let mut gathered = match gathered {
        Ok(gathered) => gathered,
        Err(RunError::NothingReadable(error)) => return Ok(super::investigate::no_input(&error)),
    };
    say_unread(gathered.dead_letters());
    let subject = options.about.map(|about| match about {
        About::Resource => Subject::Resource,
        About::Principal => Subject::Principal,
    });
    let touch = match gathered.touched(&options.asked, options.by.as_deref(), subject) {
        Ok(touch) => touch,
        Err(error) => return Ok(usage(&error.to_string())),
    };
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            AnswerFormat::Terminal => {
                out.write_all(terminal::touched(&touch, layout).as_bytes())?;
            }
            AnswerFormat::Json => json::answer(&touch, &mut out)?,
            AnswerFormat::Html => out.write_all(html::touched(&touch).as_bytes())?,
        }
        Ok(())
    })?;
    Ok(Ending::Clean)
}
