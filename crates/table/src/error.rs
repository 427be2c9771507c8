//! What can go wrong with a table.

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;

/// Why a table cannot be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Rows cannot be put into columns, or their bytes not be made. A mistake of this program.
    #[error("the table cannot be made: {0}")]
    Made(#[source] ArrowError),
    /// What came is no stream of a table, or was broken off. Ask again.
    #[error("the table cannot be read: {0}")]
    Read(#[source] ArrowError),
    /// The stream ended before it said that it was whole. Ask again.
    #[error("the table ended before it was whole")]
    Broken,
    /// Writing failed, such as for want of room. Make room and try again.
    #[error(transparent)]
    Write(#[from] std::io::Error),
    /// The form of the file cannot hold this. A mistake of this program.
    #[error("the file cannot be made: {0}")]
    File(String),
}

impl TableError {
    /// What went wrong while a file was written.
    pub(crate) fn writing(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, cause) => Self::Write(cause),
            error => Self::File(error.to_string()),
        }
    }

    /// What went wrong while a Parquet file was written.
    pub(crate) fn parquet(error: ParquetError) -> Self {
        match error {
            ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
                Ok(cause) => Self::Write(*cause),
                Err(cause) => Self::File(cause.to_string()),
            },
            error => Self::File(error.to_string()),
        }
    }
}
