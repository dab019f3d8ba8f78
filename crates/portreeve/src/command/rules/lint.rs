use std::io::{IsTerminal, Write};

use anyhow::Result;
use portreeve_engine::{lint_rules, read_rules, render_diagnostic};
use portreeve_sigma::{Diagnostic, DiagnosticSeverity, Located};

use crate::Ending;
use crate::arguments::{Lint, LintFormat, RuleSources};
use crate::command::rule_files;

/// Looks rule files over; findings are errors and warnings.
pub(super) fn run(options: &Lint) -> Result<Ending> {
    let mut files = Vec::new();
    if options.paths.is_empty() {
        files = rule_files(&RuleSources {
            rules: Vec::new(),
            no_built_in_rules: false,
        })?;
    }
    for path in &options.paths {
        files.extend(read_rules(path)?);
    }
    let told = lint_rules(&files);
    let mut out = std::io::stdout().lock();
    match options.format {
        LintFormat::Json => {
            let located: Vec<Located> = told
                .iter()
                .map(|one| {
                    let file = files.iter().find(|file| *file.name == *one.file);
                    one.located(file.map_or("", |file| &file.text))
                })
                .collect();
            portreeve_view::json::answer(&located, &mut out)?;
        }
        LintFormat::Terminal => {
            let colour = std::io::stdout().is_terminal();
            for one in &told {
                writeln!(out, "{}", render_diagnostic(one, &files, colour))?;
            }
            let count = |severity| told.iter().filter(|one| one.severity == severity).count();
            writeln!(
                out,
                "{} files: {} errors, {} warnings, {} notes",
                files.len(),
                count(DiagnosticSeverity::Error),
                count(DiagnosticSeverity::Warning),
                count(DiagnosticSeverity::Note)
            )?;
        }
    }
    let is_grave = |one: &Diagnostic| one.severity > DiagnosticSeverity::Note;
    Ok(if told.iter().any(is_grave) {
        Ending::Findings
    } else {
        Ending::Clean
    })
}
