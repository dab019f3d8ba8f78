use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::Result;
use portreeve_engine::read_rules;
use portreeve_sigma::convert;

use crate::Ending;
use crate::arguments::Convert;
use crate::output;

/// Converts counts; findings are conditions that could not be converted.
pub(super) fn run(options: &Convert) -> Result<Ending> {
    let files = read_rules(&options.path)?;
    let mut out = std::io::stdout().lock();
    let (mut changed, mut left) = (0, 0);
    for file in &files {
        let converted = convert(&file.name, &file.text);
        let colour = std::io::stderr().is_terminal();
        for one in &converted.diagnostics {
            say!("{}", one.render(&file.text, colour));
        }
        left += converted.diagnostics.len();
        changed += converted.changed;
        if converted.changed == 0 {
            continue;
        }
        if options.write {
            output::to_file(Path::new(&file.name), |out| {
                out.write_all(converted.text.as_bytes())?;
                Ok(())
            })?;
            writeln!(out, "{}: {} rules", file.name, converted.changed)?;
        } else {
            writeln!(out, "# {}", file.name)?;
            out.write_all(converted.text.as_bytes())?;
        }
    }
    say!(
        "portreeve: {changed} conditions of {} files converted, {left} not",
        files.len()
    );
    Ok(if left == 0 {
        Ending::Clean
    } else {
        Ending::Findings
    })
}
