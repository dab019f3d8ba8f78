use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use portreeve_simulate::{
    Faults, Intrusion, Plan, SimulateError, Sink, Summary, Written, simulate,
};

use crate::Ending;
use crate::arguments::Simulate;
use crate::failure;

pub(crate) fn run(options: &Simulate) -> Result<Ending> {
    let intrusion: Intrusion = match options.intrusion.parse() {
        Ok(intrusion) => intrusion,
        Err(error) => {
            say!("portreeve: --intrusion: {error}");
            return Ok(Ending::Usage);
        }
    };
    let plan = Plan {
        seed: options.seed,
        days: options.days,
        intrusion,
        max_records: options.max_records,
        scale: options.scale,
        start_after_foothold: options.start_after_foothold,
        without: options.without.clone(),
        changes: options.changes,
        inventory_day: options.inventory_day,
        faults: Faults {
            delay: options.delay,
            duplicates: options.duplicates,
            held_up: options.held_up,
            loss: options.loss,
        },
    };
    let summary = match write(&plan, &options.out, options.labels.as_deref()) {
        Ok(summary) => summary,
        Err(error) if is_usage(&error) => {
            failure::tell(&error);
            return Ok(Ending::Usage);
        }
        Err(error) => return Err(error),
    };
    say!(
        "portreeve: wrote {} records in {} log files, {} inventory files and {} blocks of a chain to {}",
        portreeve_view::text::count(summary.records as u64),
        summary.log_files,
        summary.estate_files,
        summary.blocks,
        options.out.display()
    );
    Ok(Ending::Clean)
}

fn is_usage(error: &anyhow::Error) -> bool {
    error.downcast_ref::<SimulateError>().is_some_and(|error| {
        !matches!(
            error,
            SimulateError::Sink(_) | SimulateError::Scenario { .. }
        )
    })
}

/// Writes a simulation into a folder that is empty or does not exist yet.
pub(crate) fn write(plan: &Plan, folder: &Path, labels: Option<&Path>) -> Result<Summary> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!(
            "{} is not empty; give a folder that does not exist yet",
            folder.display()
        );
    }
    let labels = labels
        .map(|path| File::create(path).with_context(|| format!("cannot write {}", path.display())))
        .transpose()?
        .map(BufWriter::new);
    let mut sink = Folder {
        root: folder.to_owned(),
        labels,
    };
    let summary = simulate(plan, &mut sink)?;
    if let Some(mut labels) = sink.labels {
        labels.flush()?;
    }
    Ok(summary)
}

/// Files below a folder, and labels in a file of their own.
struct Folder {
    root: PathBuf,
    labels: Option<BufWriter<File>>,
}

impl Folder {
    /// Where a file goes; its folder is there then.
    fn place(&self, path: &str) -> io::Result<PathBuf> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
        }
        Ok(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.place(path)?;
        fs::write(&path, bytes).map_err(|error| at(&path, &error))
    }

    fn append(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.place(path)?;
        let file = File::options().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(bytes))
            .map_err(|error| at(&path, &error))
    }
}

/// An error that says where.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Sink for Folder {
    fn estate(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(path, bytes)
    }

    fn log(&mut self, path: &str, gz_bytes: &[u8]) -> io::Result<()> {
        self.write(path, gz_bytes)
    }

    fn wallets(&mut self, _: Timestamp, path: &str, written: &Written) -> io::Result<()> {
        match written {
            Written::Whole(bytes) => self.write(path, bytes),
            Written::Added(bytes) => self.append(path, bytes),
        }
    }

    fn label(&mut self, line: &str) -> io::Result<()> {
        match &mut self.labels {
            Some(labels) => writeln!(labels, "{line}"),
            None => Ok(()),
        }
    }
}
