//! Reads the records of a file of the archive back.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::columns::RAW;

/// So many records are decoded at once.
const AT_ONCE: usize = 1024;

/// The records of a file, in its order. After an error there are no more.
pub struct RawRecords {
    file: SerializedFileReader<Bytes>,
    /// Which column they stand in.
    column: usize,
    /// Whether a row may have none.
    is_optional: bool,
    /// The next row group.
    group: usize,
    reader: Option<ColumnReaderImpl<ByteArrayType>>,
    decoded: std::vec::IntoIter<ByteArray>,
}

impl fmt::Debug for RawRecords {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RawRecords")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

/// The records in the column `raw_data` of a file, which need not be of this program: whatever keeps the
/// schema's attribute of that name is read. Rows without one are passed over.
///
/// # Errors
/// Where it is no Parquet, or has no such column.
pub fn raw_records(file: Bytes) -> Result<RawRecords, ParquetError> {
    let length = file.len() as u64;
    let file = guarded(|| SerializedFileReader::new(file))?;
    let schema = file.metadata().file_metadata().schema_descr();
    let is_raw = |column: &usize| schema.column(*column).path().parts() == [RAW];
    let column = (0..schema.num_columns()).find(is_raw).ok_or_else(|| {
        ParquetError::General(format!(
            "no column {RAW}: of OCSF in Parquet the records as they arrived are read, which stand there"
        ))
    })?;
    let (definition, repetition) = {
        let column = schema.column(column);
        (column.max_def_level(), column.max_rep_level())
    };
    if repetition > 0 || definition > 1 {
        return Err(ParquetError::General(format!(
            "the column {RAW} is nested; one text a row was expected"
        )));
    }
    for group in file.metadata().row_groups() {
        within(group.column(column), length)?;
    }
    Ok(RawRecords {
        file,
        column,
        is_optional: definition > 0,
        group: 0,
        reader: None,
        decoded: Vec::new().into_iter(),
    })
}

/// Whether a column's pages lie in the file, as its index says: that is taken for granted where they are read.
fn within(column: &ColumnChunkMetaData, length: u64) -> Result<(), ParquetError> {
    let first = column.dictionary_page_offset();
    let first = first.unwrap_or_else(|| column.data_page_offset());
    let end = u64::try_from(first)
        .ok()
        .zip(u64::try_from(column.compressed_size()).ok())
        .and_then(|(first, size)| first.checked_add(size));
    match end {
        Some(end) if end <= length && column.data_page_offset() >= 0 => Ok(()),
        _ => Err(ParquetError::General(format!(
            "the column {RAW} lies outside of the file"
        ))),
    }
}

/// The library asserts some of what an index claims instead of refusing it. What a damaged or hostile file
/// breaks there is an error like any other, and nothing of the reader is used again.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(ParquetError::General(
            "the file contradicts itself".to_owned(),
        ))
    })
}

impl RawRecords {
    /// Decodes some more; `false` at the end.
    fn decode(&mut self) -> Result<bool, ParquetError> {
        loop {
            if let Some(reader) = &mut self.reader {
                let (mut values, mut levels) = (Vec::new(), Vec::new());
                let levels = self.is_optional.then_some(&mut levels);
                let (rows, _, _) = reader.read_records(AT_ONCE, levels, None, &mut values)?;
                if rows > 0 {
                    self.decoded = values.into_iter();
                    return Ok(true);
                }
            }
            if self.group == self.file.num_row_groups() {
                return Ok(false);
            }
            let group = self.file.get_row_group(self.group)?;
            self.group += 1;
            self.reader = match group.get_column_reader(self.column)? {
                ColumnReader::ByteArrayColumnReader(reader) => Some(reader),
                _ => {
                    return Err(ParquetError::General(format!(
                        "the column {RAW} holds no texts"
                    )));
                }
            };
        }
    }
}

impl Iterator for RawRecords {
    type Item = Result<Vec<u8>, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.decoded.next() {
                return Some(Ok(record.data().to_vec()));
            }
            match guarded(|| self.decode()) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    (self.reader, self.group) = (None, self.file.num_row_groups());
                    return Some(Err(error));
                }
            }
        }
    }
}
