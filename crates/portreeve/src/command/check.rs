use anyhow::{Context, Result};
use jiff::Timestamp;
use portreeve_engine::moment;
use portreeve_graph::Circumstances;
use portreeve_graph::wildcard::matches;
use portreeve_posture::{Scene, Settings, check, checks};
use portreeve_view::{compliance, html, json, posture, sarif, terminal};

use super::can::usage;
use super::graph::surveyed;
use super::settings;
use crate::Ending;
use crate::arguments::{Check, CheckFormat};
use crate::output;

/// What is wrong with the posture of an estate.
pub(crate) fn run(options: &Check) -> Result<Ending> {
    if options.list {
        return list(options);
    }
    let as_of = match options.as_of.as_deref().map(moment) {
        None => Timestamp::now(),
        Some(Ok(as_of)) => as_of,
        Some(Err(error)) => return Ok(usage(&format!("--as-of: {error}"))),
    };
    let input = options.inventory.input();
    let (config, _) = settings(&input)?;
    let mut settings = config.posture;
    if let Err(name) = keep_only(&mut settings, &options.only) {
        return Ok(usage(&format!(
            "--only: there is no check `{name}`; `portreeve check --list` has all"
        )));
    }
    let given = Circumstances::default();
    let knowledge = match surveyed(&input, &given)? {
        Ok(knowledge) => knowledge,
        Err(ending) => return Ok(ending),
    };
    let scene = Scene::new(&knowledge.estate, &knowledge.graph, &settings, as_of);
    let mut posture = check(&scene);
    posture.inputs = knowledge.inputs;
    let worst = posture
        .findings
        .iter()
        .filter(|finding| !finding.is_suppressed())
        .map(|finding| finding.severity)
        .max();
    let failed = options
        .fail_on
        .is_some_and(|limit| worst.is_some_and(|worst| worst >= limit));
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            CheckFormat::Terminal => {
                out.write_all(terminal::posture(&posture, layout).as_bytes())?;
            }
            CheckFormat::Json => json::answer(&posture, &mut out)?,
            CheckFormat::Html => out.write_all(html::posture(&posture).as_bytes())?,
            CheckFormat::Sarif => sarif::write(&posture, &mut out)?,
            CheckFormat::Ocsf => compliance::write(&posture, &mut out)?,
        }
        Ok(())
    })?;
    Ok(match failed {
        true => Ending::Findings,
        false => Ending::Clean,
    })
}

/// Switches all checks off that no pattern names; the pattern that names none.
fn keep_only(settings: &mut Settings, only: &[String]) -> Result<(), String> {
    let all = || checks().iter().map(|check| check.id);
    let empty = only
        .iter()
        .find(|pattern| !all().any(|id| matches(pattern, id)));
    if let Some(pattern) = empty {
        return Err(pattern.clone());
    }
    if !only.is_empty() {
        let others = all().filter(|id| !only.iter().any(|pattern| matches(pattern, id)));
        settings.disabled.extend(others.map(str::to_owned));
    }
    Ok(())
}

fn list(options: &Check) -> Result<Ending> {
    if !matches!(options.format, CheckFormat::Terminal | CheckFormat::Json) {
        return Ok(usage("--list is written as text, or with --format json"));
    }
    output::answer(&options.place, options.all, |layout, mut out| {
        match options.format {
            CheckFormat::Json => json::answer(&posture::described(checks()), &mut out)?,
            _ => out.write_all(terminal::checks(checks(), layout).as_bytes())?,
        }
        out.flush().context("cannot write the list")
    })?;
    Ok(Ending::Clean)
}
