//! The fields of events that a condition may ask for.

use super::Book;
use crate::view::event;
use std::borrow::Cow;
use werkbuch_model::event::{Flags, Kind, Recorded};
use werkbuch_model::filter::{Field, FieldKind, FieldList, Row, Value};
use werkbuch_model::time::Timestamp;

/// An event with the names of its book.
pub(super) struct EventRow<'e> {
    event: &'e Recorded<'e>,
    book: &'e Book,
}

impl<'e> EventRow<'e> {
    pub(super) fn new(event: &'e Recorded<'e>, book: &'e Book) -> Self {
        Self { event, book }
    }

    fn machine(&self) -> Value<'_> {
        let machine = self.event.reported.machine.get();
        self.book
            .names
            .machines
            .get(&machine)
            .map_or(Value::Null, |name| text(name))
    }

    fn source(&self) -> Value<'_> {
        let source = self.book.sources.get(&self.event.source.get());
        source.map_or(Value::Null, |source| text(&source.name))
    }

    fn epoch(&self) -> Value<'_> {
        let source = self.book.sources.get(&self.event.source.get());
        source.map_or(Value::Null, |source| Value::Int(source.epoch.get().into()))
    }
}

type Read = for<'r> fn(&'r EventRow<'_>) -> Value<'r>;

macro_rules! fields {
    ($($name:literal $kind:ident $meaning:literal $read:expr;)+) => {
        /// The fields by which events are filtered.
        pub(super) const FIELDS: FieldList = FieldList::new(
            &[$(Field { name: $name, kind: FieldKind::$kind, meaning: $meaning },)+]
        )
        .with_words(&[("kind", Kind::NAMES)]);
        const READ: &[Read] = &[$($read,)+];
    };
}

fields! {
    "position" Number "its number in the log" |row| number(row.event.position.get());
    "kind" Word "its kind" |row| text(row.event.reported.body.kind().name());
    "machine" Text "the machine's name" |row| row.machine();
    "source" Text "the source's name" |row| row.source();
    "epoch" Number "the source's life" |row| row.epoch();
    "sequence" Number "the source's number for it" |row| number(row.event.reported.sequence.get());
    "occurred_at" Time "when it happened, by the source's clock" |row| Value::Time(row.event.reported.occurred_at);
    "observed_at" Time "when a gateway saw it" |row| time(row.event.reported.observed_at);
    "recorded_at" Time "when it was recorded" |row| Value::Time(row.event.recorded_at);
    "effective_at" Time "the time by which it is ordered" |row| Value::Time(row.event.effective_at);
    "suspect" Bool "whether its clock is not believed" |row| Value::Bool(row.event.flags.has(Flags::SUSPECT_CLOCK));
    "what" Text "what it says, in one line" |row| Value::Text(Cow::Owned(event::what(&row.event.reported.body)));
}

impl Row for EventRow<'_> {
    fn value(&self, field: usize) -> Value<'_> {
        READ.get(field).map_or(Value::Null, |read| read(self))
    }
}

fn text(text: &str) -> Value<'_> {
    Value::Text(Cow::Borrowed(text))
}

fn number(number: u64) -> Value<'static> {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn time(time: Option<Timestamp>) -> Value<'static> {
    time.map_or(Value::Null, Value::Time)
}
