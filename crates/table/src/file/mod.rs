//! Files of tables, in several forms.

mod text;

use crate::error::TableError;
use crate::stream::options;
use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::fmt;
use std::io::Write;
use text::{Csv, Jsonl};

/// The most rows of a row group of Parquet.
const GROUP_ROWS: usize = 128 * 1024;
/// The bytes after which a row group of Parquet ends, whatever its rows: what is held in memory.
const GROUP_BYTES: usize = 64 * 1024 * 1024;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Parquet, packed with Snappy.
    Parquet,
    /// An Arrow IPC file, which can be read from anywhere in it.
    Arrow,
    /// An Arrow IPC stream, which is read from its beginning.
    Arrows,
    /// Comma-separated values with a head.
    Csv,
    /// Lines of JSON.
    Jsonl,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 5] = [
        Self::Parquet,
        Self::Arrow,
        Self::Arrows,
        Self::Csv,
        Self::Jsonl,
    ];

    /// What it is called, which is also how names of such files end.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Arrows => "arrows",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// The form of files whose names end so (in any case of letters); none for other endings.
    #[must_use]
    pub fn of_ending(ending: &str) -> Option<Self> {
        let ending = ending.to_ascii_lowercase();
        match ending.as_str() {
            "feather" | "ipc" => Some(Self::Arrow),
            "ndjson" => Some(Self::Jsonl),
            ending => Self::ALL.into_iter().find(|form| form.name() == ending),
        }
    }

    /// Whether it is a text that people can read.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Jsonl)
    }
}

/// A file that is being written.
pub struct Sink<W: Write + Send>(Inner<W>);

enum Inner<W: Write + Send> {
    Parquet(Box<ArrowWriter<W>>),
    Arrow(Box<FileWriter<W>>),
    Arrows(Box<StreamWriter<W>>),
    Csv(Box<Csv<W>>),
    Jsonl(Jsonl<W>),
}

impl<W: Write + Send> fmt::Debug for Sink<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").finish_non_exhaustive()
    }
}

impl<W: Write + Send> Sink<W> {
    /// Begins a file of these columns. Errors: writing fails.
    pub fn new(form: Form, schema: SchemaRef, out: W) -> Result<Self, TableError> {
        let inner = match form {
            Form::Parquet => {
                let writer = ArrowWriter::try_new(out, schema, Some(properties()));
                Inner::Parquet(Box::new(writer.map_err(TableError::parquet)?))
            }
            Form::Arrow => {
                let writer = FileWriter::try_new_with_options(out, &schema, options());
                Inner::Arrow(Box::new(writer.map_err(TableError::writing)?))
            }
            Form::Arrows => {
                let writer = StreamWriter::try_new_with_options(out, &schema, options());
                Inner::Arrows(Box::new(writer.map_err(TableError::writing)?))
            }
            Form::Csv => Inner::Csv(Box::new(Csv::new(&schema, out)?)),
            Form::Jsonl => Inner::Jsonl(Jsonl::new(out)),
        };
        Ok(Self(inner))
    }

    /// Writes the rows of a batch. Errors: writing fails.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        match &mut self.0 {
            Inner::Parquet(writer) => writer.write(batch).map_err(TableError::parquet),
            Inner::Arrow(writer) => writer.write(batch).map_err(TableError::writing),
            Inner::Arrows(writer) => writer.write(batch).map_err(TableError::writing),
            Inner::Csv(writer) => writer.write(batch),
            Inner::Jsonl(writer) => writer.write(batch),
        }
    }

    /// Ends the file, and gives back what it was written to. Errors: writing fails.
    pub fn close(self) -> Result<W, TableError> {
        match self.0 {
            Inner::Parquet(writer) => writer.into_inner().map_err(TableError::parquet),
            Inner::Arrow(mut writer) => {
                writer.finish().map_err(TableError::writing)?;
                writer.into_inner().map_err(TableError::writing)
            }
            Inner::Arrows(mut writer) => {
                writer.finish().map_err(TableError::writing)?;
                writer.into_inner().map_err(TableError::writing)
            }
            Inner::Csv(writer) => writer.close(),
            Inner::Jsonl(writer) => Ok(writer.close()),
        }
    }
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("werkbuch {}", env!("CARGO_PKG_VERSION")))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .build()
}
