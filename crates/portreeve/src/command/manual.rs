use std::io::Write;

use anyhow::Result;
use clap::CommandFactory;

use crate::Ending;
use crate::arguments::Arguments;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Ending> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "portreeve", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Ending::Clean)
}

pub(crate) fn manual() -> Result<Ending> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    std::io::stdout().write_all(&page)?;
    Ok(Ending::Clean)
}
