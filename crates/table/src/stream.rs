//! The bytes of a table on their way: an Arrow IPC stream, made from rows and read into batches.

use crate::about::About;
use crate::column::{Column, Line};
use crate::error::TableError;
use crate::rows::Rows;
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::{DictionaryHandling, IpcWriteOptions, StreamWriter};
use arrow_schema::{Schema, SchemaRef};
use std::fmt;
use std::sync::Arc;

/// Makes the bytes of a stream from rows.
pub struct Encoder {
    rows: Rows,
    writer: StreamWriter<Vec<u8>>,
    pushed: u64,
}

/// Words that were sent are not sent again: a batch brings those that are new.
pub(crate) fn options() -> IpcWriteOptions {
    IpcWriteOptions::default().with_dictionary_handling(DictionaryHandling::Delta)
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Encoder");
        shown.field("rows", &self.pushed).finish_non_exhaustive()
    }
}

impl Encoder {
    /// Begins a stream of these columns, which says what it is about. Errors: [`TableError::Made`].
    pub fn new(columns: &[Column], about: &About) -> Result<Self, TableError> {
        let fields: Vec<_> = columns.iter().map(Column::field).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, about.metadata()));
        let writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options());
        Ok(Self {
            rows: Rows::new(columns, schema),
            writer: writer.map_err(TableError::Made)?,
            pushed: 0,
        })
    }

    /// Appends a row. Errors: [`TableError::Made`].
    pub fn push(&mut self, line: &dyn Line) -> Result<(), TableError> {
        self.rows.push(line);
        self.pushed += 1;
        if self.rows.is_full() {
            self.flush()?;
        }
        Ok(())
    }

    /// How many rows there are so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.pushed
    }

    /// How many bytes wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.writer.get_ref().len()
    }

    /// The bytes that have been made since they were last taken.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.writer.get_mut())
    }

    /// Ends the stream: the rows that wait, and the mark that it is whole. Errors: [`TableError::Made`].
    pub fn finish(&mut self) -> Result<(), TableError> {
        if !self.rows.is_empty() {
            self.flush()?;
        }
        self.writer.finish().map_err(TableError::Made)
    }

    fn flush(&mut self) -> Result<(), TableError> {
        let batch = self.rows.take()?;
        self.writer.write(&batch).map_err(TableError::Made)
    }
}

/// Reads the bytes of a stream into batches.
#[derive(Debug, Default)]
pub struct Decoder {
    decoder: StreamDecoder,
}

impl Decoder {
    /// The schema, once it has come.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaRef> {
        self.decoder.schema()
    }

    /// Takes the next bytes, wherever they end, and gives the batches that are whole with them.
    /// Errors: [`TableError::Read`].
    pub fn decode(&mut self, bytes: Vec<u8>) -> Result<Vec<RecordBatch>, TableError> {
        let mut buffer = Buffer::from_vec(bytes);
        let mut batches = Vec::new();
        while !buffer.is_empty() {
            let batch = self.decoder.decode(&mut buffer);
            batches.extend(batch.map_err(TableError::Read)?);
        }
        Ok(batches)
    }

    /// Holds the end to be whole. Errors: [`TableError::Broken`].
    pub fn finish(&mut self) -> Result<(), TableError> {
        self.decoder.finish().map_err(|_| TableError::Broken)
    }
}
