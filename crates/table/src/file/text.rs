//! Tables as text: comma-separated values, and lines of JSON.

use crate::column::is_json;
use crate::error::TableError;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema};
use serde_json::{Number, Value};
use std::io::Write;
use werkbuch_model::time::Timestamp;

/// Comma-separated values that are being written.
pub(super) struct Csv<W: Write>(csv::Writer<W>);

/// Lines of JSON that are being written.
pub(super) struct Jsonl<W: Write>(W);

impl<W: Write> Csv<W> {
    pub(super) fn new(schema: &Schema, out: W) -> Result<Self, TableError> {
        let mut writer = csv::Writer::from_writer(out);
        let names = schema.fields().iter().map(|field| field.name().as_str());
        writer.write_record(names).map_err(failed)?;
        Ok(Self(writer))
    }

    /// Lists are JSON; what is unknown is empty.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        let mut cells: Vec<String> = Vec::with_capacity(batch.num_columns());
        for row in 0..batch.num_rows() {
            cells.clear();
            for column in batch.columns() {
                cells.push(match value(column.as_ref(), row)? {
                    Value::Null => String::new(),
                    Value::String(text) => text,
                    other => other.to_string(),
                });
            }
            self.0.write_record(&cells).map_err(failed)?;
        }
        Ok(())
    }

    pub(super) fn close(self) -> Result<W, TableError> {
        let closed = self.0.into_inner();
        closed.map_err(|error| TableError::Write(error.into_error()))
    }
}

impl<W: Write> Jsonl<W> {
    pub(super) fn new(out: W) -> Self {
        Self(out)
    }

    /// Every line has all members, in the order of the columns; what is unknown is null.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        let schema = batch.schema();
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            for (field, column) in schema.fields().iter().zip(batch.columns()) {
                line.push(if line.is_empty() { '{' } else { ',' });
                line.push_str(&Value::from(field.name().as_str()).to_string());
                line.push(':');
                match value(column.as_ref(), row)? {
                    Value::String(text) if is_json(field) => line.push_str(&text),
                    other => line.push_str(&other.to_string()),
                }
            }
            line.push_str("}\n");
            self.0.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn close(self) -> W {
        self.0
    }
}

fn failed(error: csv::Error) -> TableError {
    match error.into_kind() {
        csv::ErrorKind::Io(cause) => TableError::Write(cause),
        kind => TableError::File(format!("{kind:?}")),
    }
}

/// What a column has in a row. Errors: it is of a type that our tables do not have.
fn value(column: &dyn Array, row: usize) -> Result<Value, TableError> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match column.data_type() {
        DataType::Dictionary(_, _) => {
            let words = column.as_dictionary::<Int32Type>();
            match words.key(row) {
                Some(key) => return value(words.values().as_ref(), key),
                None => Value::Null,
            }
        }
        DataType::Utf8 => Value::from(column.as_string::<i32>().value(row)),
        DataType::UInt64 => Value::from(column.as_primitive::<UInt64Type>().value(row)),
        DataType::UInt32 => Value::from(column.as_primitive::<UInt32Type>().value(row)),
        DataType::Int64 => Value::from(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => {
            let number = column.as_primitive::<Float64Type>().value(row);
            Number::from_f64(number).map_or(Value::Null, Value::Number)
        }
        DataType::Boolean => Value::from(column.as_boolean().value(row)),
        DataType::Timestamp(_, _) => {
            let nanos = column.as_primitive::<TimestampNanosecondType>().value(row);
            Value::from(Timestamp(nanos).to_string())
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|at| value(items.as_ref(), at));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        DataType::Struct(fields) => {
            let members = fields.iter().zip(column.as_struct().columns());
            let members = members.map(|(field, member)| {
                value(member.as_ref(), row).map(|value| (field.name().clone(), value))
            });
            Value::Object(members.collect::<Result<_, _>>()?)
        }
        other => return Err(TableError::File(format!("a column is of type {other}"))),
    })
}
