use std::io::Write;

use anyhow::Result;
use portreeve_engine::{RuleSet, RuleSettings, test_rules};

use super::investigate::show_diagnostics;
use super::rule_files;
use crate::Ending;
use crate::arguments::Rules;

pub(crate) fn run(options: &Rules) -> Result<Ending> {
    let files = rule_files(&options.sources)?;
    let set = RuleSet::parse(&files, &RuleSettings::default());
    show_diagnostics(&set, &files);
    let mut out = std::io::stdout().lock();
    if options.test {
        let outcome = test_rules(&set.rules);
        for failure in &outcome.failures {
            writeln!(out, "{failure}")?;
        }
        writeln!(
            out,
            "{} rules, {} records tested, {} failed, {} rules without tests",
            set.rules.len(),
            outcome.tested,
            outcome.failures.len(),
            outcome.untested.len()
        )?;
        return Ok(if outcome.failures.is_empty() {
            Ending::Clean
        } else {
            Ending::Findings
        });
    }
    let rows: Vec<Vec<String>> = set
        .rules
        .iter()
        .map(|rule| {
            let techniques: Vec<&str> = rule
                .techniques
                .iter()
                .map(portreeve_model::Technique::as_str)
                .collect();
            vec![
                rule.level.to_string(),
                rule.title.clone(),
                techniques.join(" "),
            ]
        })
        .collect();
    let layout = crate::output::layout(false, true);
    let table = portreeve_view::terminal::table(&["level", "title", "techniques"], &rows, &layout);
    out.write_all(table.as_bytes())?;
    writeln!(out, "{} rules", set.rules.len())?;
    Ok(Ending::Clean)
}
