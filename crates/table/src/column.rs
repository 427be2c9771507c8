//! What a column holds, and the cells of a row.

use arrow_schema::{DataType, Field, Fields, TimeUnit};
use std::borrow::Cow;
use std::sync::Arc;
use werkbuch_model::filter::{FieldKind, Value};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

/// Under this key a field says what its column means.
const COMMENT: &str = "comment";
/// A field says so whose texts are JSON.
const CONTENT: (&str, &str) = ("content", "application/json");

/// What a column holds. Each may be null, which is always "unknown" or "there is none".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text out of few: a dictionary of 32-bit keys.
    Word,
    /// A name out of a fixed list, such as a state: a dictionary too. Conditions do not tell its capitals
    /// from its small letters.
    Code,
    /// Any text.
    Text,
    /// A text that is JSON; written as such into lines of JSON.
    Json,
    /// A count or a position: 64 bits without a sign.
    Count,
    /// A number that is a name, or a small count: 32 bits without a sign.
    Small,
    /// A whole number: 64 bits with a sign.
    Whole,
    /// A decimal number: 64 bits.
    Number,
    /// A time: nanoseconds since 1970 in UTC.
    Time,
    /// True or false.
    Flag,
    /// A list of texts.
    Texts,
    /// A list of counters of parts: name, meaning, where it stands, its resets, since when.
    Counters,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it holds.
    pub kind: Kind,
    /// What it means.
    pub meaning: Cow<'static, str>,
}

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'r> {
    /// Unknown, or there is none.
    Null,
    /// For words, texts and JSON.
    Text(Cow<'r, str>),
    /// For counts and small ones.
    Count(u64),
    /// For whole numbers.
    Whole(i64),
    /// For decimal numbers.
    Number(f64),
    /// For times.
    Time(Timestamp),
    /// For truth values.
    Flag(bool),
    /// For lists of texts.
    Texts(&'r [String]),
    /// For lists of counters.
    Counters(&'r [pb::Counter]),
}

/// Whether the texts of a field are JSON.
pub(crate) fn is_json(field: &Field) -> bool {
    field.metadata().get(CONTENT.0).map(String::as_str) == Some(CONTENT.1)
}

/// The dictionary type of words.
pub(crate) fn word() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The type of times.
pub(crate) fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// The members of a counter.
pub(crate) fn counter() -> Fields {
    Fields::from(vec![
        Field::new("counter", DataType::Utf8, true),
        Field::new("meaning", DataType::Utf8, true),
        Field::new("value", DataType::UInt64, true),
        Field::new("reset_epoch", DataType::UInt32, true),
        Field::new("at", time(), true),
    ])
}

impl Kind {
    /// The type in Arrow.
    #[must_use]
    pub fn data_type(self) -> DataType {
        let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
        match self {
            Self::Word | Self::Code => word(),
            Self::Text | Self::Json => DataType::Utf8,
            Self::Count => DataType::UInt64,
            Self::Small => DataType::UInt32,
            Self::Whole => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Time => time(),
            Self::Flag => DataType::Boolean,
            Self::Texts => list(DataType::Utf8),
            Self::Counters => list(DataType::Struct(counter())),
        }
    }

    /// The type in a few words, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Word | Self::Code => "dictionary of text",
            Self::Text => "text",
            Self::Json => "text (JSON)",
            Self::Count => "uint64",
            Self::Small => "uint32",
            Self::Whole => "int64",
            Self::Number => "float64",
            Self::Time => "timestamp (ns, UTC)",
            Self::Flag => "bool",
            Self::Texts => "list of text",
            Self::Counters => "list of struct",
        }
    }

    /// How a condition compares it.
    pub(crate) const fn compared(self) -> FieldKind {
        match self {
            Self::Code => FieldKind::Word,
            Self::Word | Self::Text | Self::Json | Self::Texts | Self::Counters => FieldKind::Text,
            Self::Count | Self::Small | Self::Whole | Self::Number => FieldKind::Number,
            Self::Time => FieldKind::Time,
            Self::Flag => FieldKind::Bool,
        }
    }
}

impl Column {
    /// A column that is known before anything is asked.
    pub(crate) const fn new(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind,
            meaning: Cow::Borrowed(meaning),
        }
    }

    /// As a field of a schema, with its meaning as a comment.
    pub(crate) fn field(&self) -> Field {
        let field = Field::new(self.name.as_ref(), self.kind.data_type(), true);
        let meaning = (COMMENT, self.meaning.as_ref());
        match self.kind {
            Kind::Json => field.with_metadata([meaning, CONTENT]),
            _ => field.with_metadata([meaning]),
        }
    }
}

impl<'r> Cell<'r> {
    /// A text; an empty one is none.
    #[must_use]
    pub fn text(text: &'r str) -> Self {
        match text {
            "" => Self::Null,
            text => Self::Text(Cow::Borrowed(text)),
        }
    }

    /// The name of a code; one that says nothing is none.
    #[must_use]
    pub fn name(name: &'static str) -> Self {
        match name {
            "UNSPECIFIED" => Self::Null,
            name => Self::text(name),
        }
    }

    /// A time in nanoseconds, where there is one.
    #[must_use]
    pub fn time(nanos: Option<i64>) -> Self {
        nanos.map_or(Self::Null, |nanos| Self::Time(Timestamp(nanos)))
    }

    /// A count, where there is one.
    #[must_use]
    pub fn count(count: Option<u64>) -> Self {
        count.map_or(Self::Null, Self::Count)
    }

    /// As a condition sees it.
    pub(crate) fn value(self) -> Value<'r> {
        match self {
            Self::Null | Self::Texts(_) | Self::Counters(_) => Value::Null,
            Self::Text(text) => Value::Text(text),
            Self::Count(count) => Value::Int(i64::try_from(count).unwrap_or(i64::MAX)),
            Self::Whole(number) => Value::Int(number),
            Self::Number(number) => Value::Float(number),
            Self::Time(time) => Value::Time(time),
            Self::Flag(flag) => Value::Bool(flag),
        }
    }
}

/// Declares the columns of a table and how a row is read, and the same as fields of conditions.
macro_rules! columns {
    ($row:ident; $($name:literal $kind:ident $meaning:literal $read:expr;)+) => {
        /// The columns, in their order.
        pub const COLUMNS: &[crate::Column] =
            &[$(crate::Column::new($name, crate::Kind::$kind, $meaning),)+];
        /// The columns as fields of conditions, in the same order.
        pub const FIELDS: &[werkbuch_model::filter::Field] = &[$(werkbuch_model::filter::Field {
            name: $name,
            kind: crate::Kind::$kind.compared(),
            meaning: $meaning,
        },)+];
        const READ: &[for<'r> fn(&'r $row<'_>) -> crate::Cell<'r>] = &[$($read,)+];

        impl crate::Line for $row<'_> {
            fn cell(&self, column: usize) -> crate::Cell<'_> {
                READ.get(column).map_or(crate::Cell::Null, |read| read(self))
            }

            fn columns(&self) -> usize {
                READ.len()
            }
        }
    };
}
pub(crate) use columns;

/// A row of a table.
pub trait Line {
    /// What it has in the column with this index.
    fn cell(&self, column: usize) -> Cell<'_>;

    /// How many columns it has.
    fn columns(&self) -> usize;
}
