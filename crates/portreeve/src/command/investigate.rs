use std::io::IsTerminal;

use anyhow::{Context, Result};
use portreeve_engine::{
    ContentFile, Period, Progress, Request, RuleSet, RunError, parse_indicators, parse_sign,
    render_diagnostic,
};

use super::{rule_files, settings};
use crate::Ending;
use crate::arguments::Investigate;
use crate::output;
use crate::progress::Bar;

pub(crate) fn run(options: &Investigate) -> Result<Ending> {
    let mut signs = Vec::new();
    for text in &options.from {
        match parse_sign(text) {
            Ok(sign) => signs.push(sign),
            Err(error) => {
                say!("portreeve: --from: {error}");
                return Ok(Ending::Usage);
            }
        }
    }
    for path in &options.ioc {
        let text = std::fs::read(path)
            .with_context(|| format!("cannot read indicators from {}", path.display()))?;
        let found = parse_indicators(&path.to_string_lossy(), &String::from_utf8_lossy(&text));
        say!(
            "portreeve: {}: {} indicators to look for, {} of kinds that audit logs do not show",
            path.display(),
            found.signs.len(),
            found.not_applicable
        );
        signs.extend(found.signs);
    }
    let (mut config, mut skip) = settings(&options.input)?;
    if let Err(ending) = super::evidence::add_keys(&mut config, &options.keys) {
        return Ok(ending);
    }
    skip.extend(config.digest_keys.iter().cloned());
    if let Some(text) = &options.known_good {
        match text.parse::<Period>() {
            Ok(period) => config.known_good = Some(period),
            Err(error) => {
                say!("portreeve: --known-good: {error}");
                return Ok(Ending::Usage);
            }
        }
    }
    config.contained_at = options.contained_at;
    let files = rule_files(&options.rules)?;
    let rules = RuleSet::parse(&files, &config.rules);
    show_diagnostics(&rules, &files);

    let bar = Bar::default();
    let request = Request {
        paths: options.input.paths.clone(),
        config,
        skip,
        rules,
        signs,
        threads: options.threads,
    };
    let mut gathered = match portreeve_engine::gather(request, &bar) {
        Ok(gathered) => gathered,
        Err(RunError::NothingReadable(error)) => {
            bar.clear();
            return Ok(no_input(&error));
        }
    };
    bar.begin("Telling incidents", 0);
    let report = gathered.take_report();
    bar.clear();
    // The program ends soon, and giving back a gigabyte in millions of pieces takes its time. So it
    // is with the report.
    std::mem::forget(gathered);
    let worst = report
        .findings
        .iter()
        .filter(|finding| !finding.is_muted())
        .map(|finding| finding.severity)
        .max();
    let failed = options
        .fail_on
        .is_some_and(|limit| worst.is_some_and(|worst| worst >= limit));
    let shown = if options.redact {
        portreeve_view::redact::report(&report)
    } else {
        report
    };
    output::report(&shown, &options.output, options.all)?;
    std::mem::forget(shown);
    Ok(if failed {
        Ending::Findings
    } else {
        Ending::Clean
    })
}

pub(crate) fn no_input(error: &portreeve_engine::NothingReadable) -> Ending {
    say!(
        "portreeve: {}",
        portreeve_view::text::clean_lines(&error.to_string())
    );
    Ending::NoInput
}

/// Rules that do not parse are shown with their lines; the others run.
pub(crate) fn show_diagnostics(rules: &RuleSet, files: &[ContentFile]) {
    let colour = std::io::stderr().is_terminal();
    for diagnostic in &rules.diagnostics {
        say!("{}", render_diagnostic(diagnostic, files, colour));
    }
}
