use std::collections::VecDeque;
use std::io::{self, Cursor, Read};

use portreeve_record::{RawRecord, Split};
use serde_json::{Map, Value};

use super::table;
use super::unwrap::Unwrapper;
use crate::Rows;

/// A row of more bytes is not read.
const LARGEST_ROW: usize = 16 << 20;
/// The head line is looked for in this many bytes.
const HEAD: usize = 64 * 1024;

/// Lets through as many bytes as a row may have.
struct Limited<R> {
    inner: R,
    left: usize,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("a row of more than 16 MiB"));
        }
        let count = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(count);
        Ok(count)
    }
}

/// Rows of a table of CloudTrail records, each as a native record.
pub(super) struct CsvRows<'s> {
    reader: csv::Reader<Limited<Box<dyn Read + 's>>>,
    columns: Vec<String>,
    row: csv::ByteRecord,
    unwrapper: Unwrapper,
    offset: u64,
    waiting: VecDeque<Result<Vec<u8>, String>>,
    record: Vec<u8>,
    index: u64,
    done: bool,
}

impl<'s> CsvRows<'s> {
    pub(super) fn new(mut source: Box<dyn Read + 's>) -> Self {
        // The delimiter is told by the head line; what was read of it is put back.
        let mut head = Vec::new();
        let mut failed = None;
        while head.len() < HEAD && !head.contains(&b'\n') {
            let mut piece = [0; 4096];
            match source.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => head.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failed = Some(error.to_string());
                    break;
                }
            }
        }
        let delimiter = head_line(&head).map_or(b',', |(delimiter, _)| delimiter);
        if head.starts_with(b"\xEF\xBB\xBF") {
            head.drain(..3);
        }
        let inner: Box<dyn Read + 's> = Box::new(Cursor::new(head).chain(source));
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(Limited {
                inner,
                left: LARGEST_ROW,
            });
        Self {
            reader,
            columns: Vec::new(),
            row: csv::ByteRecord::new(),
            unwrapper: Unwrapper::new(),
            offset: 0,
            waiting: failed
                .map(|error| Err(format!("reading failed: {error}")))
                .into_iter()
                .collect(),
            record: Vec::new(),
            index: 0,
            done: false,
        }
    }

    /// Reads one row into `waiting`.
    fn read_row(&mut self) {
        self.reader.get_mut().left = LARGEST_ROW;
        self.offset = self.reader.position().byte();
        match self.reader.read_byte_record(&mut self.row) {
            Ok(true) => {}
            Ok(false) => {
                self.done = true;
                return;
            }
            Err(error) => {
                self.done = true;
                self.waiting
                    .push_back(Err(format!("reading failed here: {error}")));
                return;
            }
        }
        let mut cells = Vec::with_capacity(self.row.len());
        for cell in &self.row {
            match std::str::from_utf8(cell) {
                Ok(cell) => cells.push(cell),
                Err(_) => {
                    self.waiting
                        .push_back(Err("a row that is not UTF-8".into()));
                    return;
                }
            }
        }
        if self.columns.is_empty() {
            self.columns = cells.into_iter().map(str::to_owned).collect();
            return;
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return;
        }
        let row: Map<String, Value> = self
            .columns
            .iter()
            .zip(cells)
            .map(|(column, cell)| (column.clone(), Value::String(cell.to_owned())))
            .collect();
        let (records, dead, reason) = self.unwrapper.open_cells(row);
        self.waiting.extend(records.into_iter().map(Ok));
        self.waiting.extend(dead.into_iter().chain(reason).map(Err));
    }
}

impl Rows for CsvRows<'_> {
    fn next(&mut self) -> Option<Split<'_>> {
        loop {
            match self.waiting.pop_front() {
                Some(Ok(record)) => {
                    self.record = record;
                    self.index += 1;
                    return Some(Split::Record(RawRecord {
                        bytes: &self.record,
                        index: self.index - 1,
                        offset: self.offset,
                        likely: false,
                    }));
                }
                Some(Err(reason)) => {
                    return Some(Split::Dead {
                        offset: self.offset,
                        reason: reason.into(),
                    });
                }
                None if self.done => return None,
                None => self.read_row(),
            }
        }
    }
}

/// The delimiter of a table of CloudTrail records and whether a column holds whole records; `None`
/// where the head line is not of such a table.
pub(super) fn head_line(head: &[u8]) -> Option<(u8, bool)> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    // Most logs are JSON, without line ends and with thousands of commas.
    if let Some(b'{' | b'[') = head.trim_ascii_start().first() {
        return None;
    }
    let end = head
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(head.len());
    let line = std::str::from_utf8(head.get(..end)?).ok()?.trim();
    for delimiter in [',', ';', '\t'] {
        let columns = || {
            line.split(delimiter)
                .map(|column| column.trim().trim_matches('"'))
        };
        let (known, named) = table::known_columns(columns());
        if named && known >= 3 {
            return Some((delimiter as u8, false));
        }
    }
    for delimiter in [',', ';', '\t'] {
        let mut columns = line
            .split(delimiter)
            .map(|column| column.trim().trim_matches('"'));
        if columns.any(table::holds_record) {
            return Some((delimiter as u8, true));
        }
    }
    None
}
