mod backtest;
mod convert;
mod lint;

use std::io::Write;

use anyhow::Result;
use portreeve_engine::{RuleSet, RuleSettings, test_correlations, test_rules};
use portreeve_model::{Severity, Technique};

use super::investigate::show_diagnostics;
use super::rule_files;
use crate::Ending;
use crate::arguments::{RuleSources, Rules, RulesTask};

pub(crate) fn run(options: &Rules) -> Result<Ending> {
    match &options.task {
        Some(RulesTask::Lint(options)) => lint::run(options),
        Some(RulesTask::Test { sources }) => list(sources, true),
        Some(RulesTask::Backtest(options)) => backtest::run(options),
        Some(RulesTask::Convert(options)) => convert::run(options),
        None => list(&options.sources, options.test),
    }
}

fn list(sources: &RuleSources, test: bool) -> Result<Ending> {
    let files = rule_files(sources)?;
    let set = RuleSet::parse(&files, &RuleSettings::default());
    show_diagnostics(&set, &files);
    let mut out = std::io::stdout().lock();
    if test {
        // The parts of a correlation are tested with it.
        let alone: Vec<_> = set
            .rules
            .iter()
            .filter(|rule| !set.is_part(rule) || !rule.fields.is_null())
            .cloned()
            .collect();
        let of_rules = test_rules(&alone);
        let of_correlations = test_correlations(&set);
        let failures = || of_rules.failures.iter().chain(&of_correlations.failures);
        for failure in failures() {
            writeln!(out, "{failure}")?;
        }
        writeln!(
            out,
            "{} rules, {} records tested; {} correlations, {} sequences tested; {} failed, {} without tests",
            set.rules.len(),
            of_rules.tested,
            set.correlations.len(),
            of_correlations.tested,
            failures().count(),
            of_rules.untested.len() + of_correlations.untested.len()
        )?;
        return Ok(if failures().next().is_none() {
            Ending::Clean
        } else {
            Ending::Findings
        });
    }
    let of_rules = set
        .rules
        .iter()
        .filter(|rule| !set.is_part(rule))
        .map(|rule| line(rule.level, &rule.title, &rule.techniques));
    let of_correlations = set
        .correlations
        .iter()
        .map(|one| line(one.level, &one.title, &one.techniques));
    let rows: Vec<Vec<String>> = of_rules.chain(of_correlations).collect();
    let layout = crate::output::layout(false, true);
    let table = portreeve_view::terminal::table(&["level", "title", "techniques"], &rows, &layout);
    out.write_all(table.as_bytes())?;
    writeln!(
        out,
        "{} rules, {} of them parts of correlations; {} correlations",
        set.rules.len(),
        set.rules.len() + set.correlations.len() - rows.len(),
        set.correlations.len()
    )?;
    Ok(Ending::Clean)
}

fn line(level: Severity, title: &str, techniques: &[Technique]) -> Vec<String> {
    let techniques: Vec<&str> = techniques.iter().map(Technique::as_str).collect();
    vec![level.to_string(), title.to_owned(), techniques.join(" ")]
}
