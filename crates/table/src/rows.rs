//! Gathers rows into columns until a batch is full.

use crate::column::{Cell, Column, Kind, Line, counter};
use crate::error::TableError;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder,
    StringDictionaryBuilder, StructBuilder, TimestampNanosecondBuilder, UInt32Builder,
    UInt64Builder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use std::sync::Arc;
use werkbuch_model::event::PartMeaning;
use werkbuch_wire::pb;

/// The most rows of a batch.
const BATCH_ROWS: usize = 8_192;
/// The bytes of texts after which a batch ends, whatever its rows.
const BATCH_BYTES: usize = 1024 * 1024;

/// The columns of a batch that is being filled.
pub(crate) struct Rows {
    schema: SchemaRef,
    builds: Vec<Build>,
    rows: usize,
    bytes: usize,
}

/// A column that is being filled.
enum Build {
    /// Keeps its words from batch to batch, so that only new ones are sent.
    Word(StringDictionaryBuilder<Int32Type>),
    Text(StringBuilder),
    Count(UInt64Builder),
    Small(UInt32Builder),
    Whole(Int64Builder),
    Number(Float64Builder),
    Time(TimestampNanosecondBuilder),
    Flag(BooleanBuilder),
    Texts(ListBuilder<StringBuilder>),
    Counters(ListBuilder<StructBuilder>),
}

impl Rows {
    pub(crate) fn new(columns: &[Column], schema: SchemaRef) -> Self {
        Self {
            schema,
            builds: columns.iter().map(|one| Build::new(one.kind)).collect(),
            rows: 0,
            bytes: 0,
        }
    }

    pub(crate) fn push(&mut self, line: &dyn Line) {
        for (index, build) in self.builds.iter_mut().enumerate() {
            self.bytes = self.bytes.saturating_add(build.push(line.cell(index)));
        }
        self.rows += 1;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows gathered so far, as a batch.
    pub(crate) fn take(&mut self) -> Result<RecordBatch, TableError> {
        let arrays: Vec<ArrayRef> = self.builds.iter_mut().map(Build::finish).collect();
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(TableError::Made)
    }
}

impl Build {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Word | Kind::Code => Self::Word(StringDictionaryBuilder::new()),
            Kind::Text | Kind::Json => Self::Text(StringBuilder::new()),
            Kind::Count => Self::Count(UInt64Builder::new()),
            Kind::Small => Self::Small(UInt32Builder::new()),
            Kind::Whole => Self::Whole(Int64Builder::new()),
            Kind::Number => Self::Number(Float64Builder::new()),
            Kind::Time => Self::Time(times()),
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
            Kind::Texts => Self::Texts(ListBuilder::new(StringBuilder::new())),
            Kind::Counters => Self::Counters(ListBuilder::new(counters())),
        }
    }

    /// Appends a cell; one of another kind than the column's counts as none. Answers with the bytes of its
    /// texts.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Word(build), Cell::Text(text)) => {
                build.append_value(&text);
                return size_of::<i32>();
            }
            (Self::Text(build), Cell::Text(text)) => {
                build.append_value(&text);
                return text.len();
            }
            (Self::Count(build), Cell::Count(count)) => build.append_value(count),
            (Self::Small(build), Cell::Count(count)) => {
                build.append_value(u32::try_from(count).unwrap_or(u32::MAX));
            }
            (Self::Whole(build), Cell::Whole(number)) => build.append_value(number),
            (Self::Number(build), Cell::Number(number)) => build.append_value(number),
            (Self::Time(build), Cell::Time(time)) => build.append_value(time.nanos()),
            (Self::Flag(build), Cell::Flag(flag)) => build.append_value(flag),
            (Self::Texts(build), Cell::Texts(texts)) => {
                texts
                    .iter()
                    .for_each(|text| build.values().append_value(text));
                build.append(true);
                return texts.iter().map(String::len).sum();
            }
            (Self::Counters(build), Cell::Counters(counters)) => {
                let bytes = counters.iter().map(|one| append(build.values(), one)).sum();
                build.append(true);
                return bytes;
            }
            (build, _) => build.append_null(),
        }
        0
    }

    fn append_null(&mut self) {
        match self {
            Self::Word(build) => build.append_null(),
            Self::Text(build) => build.append_null(),
            Self::Count(build) => build.append_null(),
            Self::Small(build) => build.append_null(),
            Self::Whole(build) => build.append_null(),
            Self::Number(build) => build.append_null(),
            Self::Time(build) => build.append_null(),
            Self::Flag(build) => build.append_null(),
            Self::Texts(build) => build.append_null(),
            Self::Counters(build) => build.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Word(build) => Arc::new(build.finish_preserve_values()),
            Self::Text(build) => ArrayBuilder::finish(build),
            Self::Count(build) => ArrayBuilder::finish(build),
            Self::Small(build) => ArrayBuilder::finish(build),
            Self::Whole(build) => ArrayBuilder::finish(build),
            Self::Number(build) => ArrayBuilder::finish(build),
            Self::Time(build) => ArrayBuilder::finish(build),
            Self::Flag(build) => ArrayBuilder::finish(build),
            Self::Texts(build) => ArrayBuilder::finish(build),
            Self::Counters(build) => ArrayBuilder::finish(build),
        }
    }
}

fn times() -> TimestampNanosecondBuilder {
    TimestampNanosecondBuilder::new().with_timezone("UTC")
}

fn counters() -> StructBuilder {
    let members: Vec<Box<dyn ArrayBuilder>> = vec![
        Box::new(StringBuilder::new()),
        Box::new(StringBuilder::new()),
        Box::new(UInt64Builder::new()),
        Box::new(UInt32Builder::new()),
        Box::new(times()),
    ];
    StructBuilder::new(counter(), members)
}

/// Appends a counter, in the order of the members; answers with the bytes of its texts.
fn append(build: &mut StructBuilder, one: &pb::Counter) -> usize {
    let meaning = u32::try_from(one.meaning).ok();
    let meaning = meaning
        .and_then(PartMeaning::from_code)
        .unwrap_or_default()
        .name();
    for (at, text) in [(0, one.counter.as_str()), (1, meaning)] {
        if let Some(texts) = build.field_builder::<StringBuilder>(at) {
            texts.append_value(text);
        }
    }
    if let Some(values) = build.field_builder::<UInt64Builder>(2) {
        values.append_option(one.value);
    }
    if let Some(epochs) = build.field_builder::<UInt32Builder>(3) {
        epochs.append_value(one.reset_epoch);
    }
    if let Some(times) = build.field_builder::<TimestampNanosecondBuilder>(4) {
        times.append_value(one.at);
    }
    build.append(true);
    one.counter.len()
}
