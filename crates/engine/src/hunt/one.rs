//! One record, as a user names it.

use std::path::{Path, PathBuf};

use portreeve_record::{Split, Splitter};

use super::plain;
use crate::open::Opened;

/// Why a record is not there.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The file has fewer records.
    #[error("{}: there is no record {index}; it has {records}, counted from 0", path.display())]
    TooFew {
        /// The file.
        path: PathBuf,
        /// The record that was asked for.
        index: u64,
        /// How many there are.
        records: u64,
    },
}

/// The record that a text means: JSON itself, `FILE#INDEX` with the number that a match gives, or a file,
/// of which the first record is meant.
pub fn record_named(text: &str) -> Result<Vec<u8>, RecordError> {
    if text.trim_start().starts_with('{') {
        return Ok(text.as_bytes().to_vec());
    }
    let numbered = text
        .rsplit_once('#')
        .and_then(|(path, index)| Some((path, index.parse::<u64>().ok()?)));
    match numbered {
        Some((path, index)) => at(Path::new(path), index),
        None => at(Path::new(text), 0),
    }
}

fn at(path: &Path, index: u64) -> Result<Vec<u8>, RecordError> {
    let mut opened = Opened::unhashed(path).map_err(|source| RecordError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let options = portreeve_telemetry::recognise(opened.head())
        .and_then(|known| portreeve_telemetry::source(known.source))
        .map(|source| source.split_options());
    let options = options.unwrap_or_else(|| plain::split_options(opened.head()));
    let mut splitter = Splitter::new(opened, options);
    let mut records = 0;
    while let Some(split) = splitter.next() {
        if let Split::Record(record) = split {
            if record.index == index {
                return Ok(record.bytes.to_vec());
            }
            records = record.index + 1;
        }
    }
    Err(RecordError::TooFew {
        path: path.to_owned(),
        index,
        records,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_named_in_three_ways() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.json");
        std::fs::write(&path, "{\"a\":0}\n{\"a\":1}\n").unwrap();
        let named = |text: &str| record_named(text).map(|bytes| String::from_utf8(bytes).unwrap());
        let path = path.to_string_lossy();
        assert_eq!(named(" {\"b\":1}").unwrap(), " {\"b\":1}");
        assert_eq!(named(&path).unwrap(), "{\"a\":0}");
        assert_eq!(named(&format!("{path}#1")).unwrap(), "{\"a\":1}");
        let error = named(&format!("{path}#2")).unwrap_err().to_string();
        assert!(
            error.ends_with("there is no record 2; it has 2, counted from 0"),
            "{error}"
        );
        assert!(matches!(
            named("missing.json"),
            Err(RecordError::Unreadable { .. })
        ));
    }
}
