use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;

/// Where a simulation goes. Paths are relative, with `/` between their parts.
pub trait Sink {
    /// A file of the estate, or the settings beside it.
    fn estate(&mut self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// A log or digest file, compressed.
    fn log(&mut self, path: &str, gz_bytes: &[u8]) -> io::Result<()>;

    /// A part of a file about wallets, as it is at a time: the whole file, or what is added to it. Times of
    /// one path never go back.
    fn wallets(&mut self, at: Timestamp, path: &str, written: &Written) -> io::Result<()>;

    /// One label: a JSON object without a line break. Detection must not see it.
    fn label(&mut self, line: &str) -> io::Result<()>;
}

/// How a file changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// This is all of it from now on.
    Whole(Vec<u8>),
    /// This is added at its end.
    Added(Vec<u8>),
}

/// Keeps everything in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySink {
    /// Estate and log files by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files about wallets by path, as they are in the end.
    pub wallets: BTreeMap<String, Vec<u8>>,
    /// Labels in the order in which they were written.
    pub labels: Vec<String>,
}

impl Sink for MemorySink {
    fn estate(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn log(&mut self, path: &str, gz_bytes: &[u8]) -> io::Result<()> {
        self.files.insert(path.to_owned(), gz_bytes.to_vec());
        Ok(())
    }

    fn wallets(&mut self, _: Timestamp, path: &str, written: &Written) -> io::Result<()> {
        let file = self.wallets.entry(path.to_owned()).or_default();
        match written {
            Written::Whole(bytes) => file.clone_from(bytes),
            Written::Added(bytes) => file.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn label(&mut self, line: &str) -> io::Result<()> {
        self.labels.push(line.to_owned());
        Ok(())
    }
}
