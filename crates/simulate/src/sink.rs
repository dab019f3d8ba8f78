use std::collections::BTreeMap;
use std::io;

/// Where a simulation goes. Paths are relative, with `/` between their parts.
pub trait Sink {
    /// A file of the estate, or the settings beside it.
    fn estate(&mut self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// A log or digest file, compressed.
    fn log(&mut self, path: &str, gz_bytes: &[u8]) -> io::Result<()>;

    /// One label: a JSON object without a line break. Detection must not see it.
    fn label(&mut self, line: &str) -> io::Result<()>;
}

/// Keeps everything in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemorySink {
    /// Estate and log files by path.
    pub files: BTreeMap<String, Vec<u8>>,
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

    fn label(&mut self, line: &str) -> io::Result<()> {
        self.labels.push(line.to_owned());
        Ok(())
    }
}
