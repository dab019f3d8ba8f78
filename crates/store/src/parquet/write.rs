//! Writes a file of the archive.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::Archived;
use super::columns::{COLUMNS, Kind, RAW, schema};

/// The values of one column, and where they stand: a level of 0 says that there is none.
#[derive(Default)]
struct Column<V> {
    values: Vec<V>,
    levels: Vec<i16>,
    /// Of arrays: 0 where one begins.
    repeats: Vec<i16>,
}

impl<V> Column<V> {
    fn add(&mut self, value: Option<V>) {
        self.levels.push(value.is_some().into());
        self.values.extend(value);
    }

    fn write<D: DataType<T = V>>(
        &mut self,
        writer: &mut SerializedColumnWriter<'_>,
        is_required: bool,
    ) -> Result<(), ParquetError> {
        let levels = (!is_required).then_some(&*self.levels);
        let repeats = (!self.repeats.is_empty()).then_some(&*self.repeats);
        writer
            .typed::<D>()
            .write_batch(&self.values, levels, repeats)?;
        self.values.clear();
        self.levels.clear();
        self.repeats.clear();
        Ok(())
    }
}

enum Buffer {
    Bytes(Column<ByteArray>),
    Integers(Column<i32>),
    Longs(Column<i64>),
    Flags(Column<bool>),
}

impl Buffer {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text(_) | Kind::Texts(_) | Kind::Bytes(_) => Self::Bytes(Column::default()),
            Kind::Integer(_) => Self::Integers(Column::default()),
            Kind::Long(_) | Kind::Instant(_) => Self::Longs(Column::default()),
            Kind::Flag(_) => Self::Flags(Column::default()),
        }
    }

    fn add(&mut self, kind: Kind, row: &Archived<'_, '_>) {
        match (self, kind) {
            (Self::Bytes(column), Kind::Text(of)) => {
                column.add(of(row).map(|text| ByteArray::from(text.as_bytes().to_vec())));
            }
            (Self::Bytes(column), Kind::Texts(of)) => {
                let texts = of(row);
                for (number, text) in texts.iter().enumerate() {
                    column.add(Some(ByteArray::from(text.as_bytes().to_vec())));
                    column.repeats.push((number > 0).into());
                }
                if texts.is_empty() {
                    column.add(None);
                    column.repeats.push(0);
                }
            }
            (Self::Bytes(column), Kind::Bytes(of)) => {
                column.add(Some(ByteArray::from(of(row).to_vec())));
            }
            (Self::Integers(column), Kind::Integer(of)) => column.add(of(row)),
            (Self::Longs(column), Kind::Long(of) | Kind::Instant(of)) => column.add(of(row)),
            (Self::Flags(column), Kind::Flag(of)) => column.add(of(row)),
            // Each buffer was made of its column's kind.
            _ => {}
        }
    }

    fn write(
        &mut self,
        kind: Kind,
        writer: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), ParquetError> {
        let is_required = matches!(kind, Kind::Bytes(_));
        match self {
            Self::Bytes(column) => column.write::<ByteArrayType>(writer, is_required),
            Self::Integers(column) => column.write::<Int32Type>(writer, is_required),
            Self::Longs(column) => column.write::<Int64Type>(writer, is_required),
            Self::Flags(column) => column.write::<BoolType>(writer, is_required),
        }
    }
}

/// A file of activities that is written: rows are gathered until [`ActivityFile::flush`], which writes them
/// as one row group.
pub struct ActivityFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    buffers: Vec<Buffer>,
    gathered: usize,
}

impl<W: Write + Send> fmt::Debug for ActivityFile<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ActivityFile")
            .field("gathered", &self.gathered)
            .finish_non_exhaustive()
    }
}

impl<W: Write + Send> ActivityFile<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(out: W) -> Result<Self, ParquetError> {
        let schema = Arc::new(parse_message_type(&schema())?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            // No record is like another, and nobody looks for the least of them.
            .set_column_dictionary_enabled(ColumnPath::from(RAW), false)
            .set_column_statistics_enabled(ColumnPath::from(RAW), EnabledStatistics::None)
            .set_created_by(concat!("Portreeve ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        Ok(Self {
            writer: SerializedFileWriter::new(out, schema, Arc::new(properties))?,
            buffers: COLUMNS.iter().map(|(_, kind)| Buffer::of(*kind)).collect(),
            gathered: 0,
        })
    }

    /// Adds a row.
    pub fn add(&mut self, row: &Archived<'_, '_>) {
        for ((_, kind), buffer) in COLUMNS.iter().zip(&mut self.buffers) {
            buffer.add(*kind, row);
        }
        self.gathered += row.raw.len();
    }

    /// How many bytes the records take that wait for the next row group.
    pub fn gathered(&self) -> usize {
        self.gathered
    }

    /// Writes what was gathered as a row group.
    ///
    /// # Errors
    /// Where it cannot be written; the file is of no use then.
    pub fn flush(&mut self) -> Result<(), ParquetError> {
        if self.gathered == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for ((_, kind), buffer) in COLUMNS.iter().zip(&mut self.buffers) {
            if let Some(mut column) = group.next_column()? {
                buffer.write(*kind, &mut column)?;
                column.close()?;
            }
        }
        group.close()?;
        self.gathered = 0;
        Ok(())
    }

    /// Writes what is left, and the file's end, and gives what it was written to.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> Result<W, ParquetError> {
        self.flush()?;
        self.writer.into_inner()
    }
}
