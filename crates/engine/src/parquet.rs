//! Files of the activity archive as lines of JSON: the records as they arrived.

use std::io::{self, Cursor, Read};

use portreeve_store::parquet::{Bytes, ParquetError, RawRecords, raw_records};

/// A file's index stands at its end, and what was read of it is kept until then: no larger one is read.
const LARGEST: u64 = 1 << 30;

/// The records of a file in Parquet, a line each.
pub(crate) struct Lines<R> {
    file: R,
    records: RawRecords,
    line: Cursor<Vec<u8>>,
}

impl<R: Read> Lines<R> {
    /// Reads a file: its records are decoded as they are asked for.
    pub(crate) fn new(mut file: R) -> io::Result<Self> {
        let mut bytes = Vec::new();
        file.by_ref().take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            return Err(told("files are read up to 1 GiB"));
        }
        Ok(Self {
            file,
            records: raw_records(Bytes::from(bytes)).map_err(failed)?,
            line: Cursor::default(),
        })
    }

    pub(crate) fn get_ref(&self) -> &R {
        &self.file
    }

    /// The file, with whatever of it was not read.
    pub(crate) fn into_inner(self) -> R {
        self.file
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.line.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(record) = self.records.next() else {
                return Ok(0);
            };
            let mut line = record.map_err(failed)?;
            // A line break between two tokens means what a space means, and within a text there is none.
            for byte in &mut line {
                if matches!(byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
            line.push(b'\n');
            self.line = Cursor::new(line);
        }
    }
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::General(words) => told(&words),
        error => told(&error.to_string()),
    }
}

fn told(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("Parquet: {words}"))
}
