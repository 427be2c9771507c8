//! The table of events: one row each, by plant and position.

use crate::column::{Cell, Line, columns};
use crate::said;
use serde_json::Value;
use std::borrow::Cow;
use werkbuch_model::event::{Body, Flags, Kind, Mode, Recorded, State};
use werkbuch_model::filter::{FieldList, Row, Value as Compared};

/// What the table is called.
pub const NAME: &str = "events";

/// The members of a body that are its number, the first that is there.
const VALUES: [&str; 6] = ["value", "percent", "quantity", "level", "stock", "measured"];
/// The members of a body that are its text, the first that is there.
const TEXTS: [&str; 4] = ["text", "program", "tool", "name"];

/// The columns by which events are filtered.
pub const EVENT_FIELDS: FieldList = FieldList::new(FIELDS).with_words(&[
    ("kind", Kind::NAMES),
    ("state", State::NAMES),
    ("mode", Mode::NAMES),
]);

/// An event with the names that stand for its numbers.
#[derive(Clone, Debug)]
pub struct EventLine<'e> {
    plant: &'e str,
    event: &'e Recorded<'e>,
    machine: &'e str,
    source: Option<(&'e str, u32)>,
    item: Option<String>,
    fields: Value,
}

impl<'e> EventLine<'e> {
    /// An event of a plant, with the name of its machine (empty for none) and its source's name and life
    /// (none for the writer's own). Errors: its fields are no JSON.
    pub fn new(
        plant: &'e str,
        event: &'e Recorded<'e>,
        machine: &'e str,
        source: Option<(&'e str, u32)>,
    ) -> Result<Self, serde_json::Error> {
        let mut item = None;
        event.reported.body.for_each_aspect(&mut |aspect| {
            item.get_or_insert_with(|| aspect.item.to_owned());
        });
        Ok(Self {
            plant,
            event,
            machine,
            source,
            item,
            fields: said::fields(&event.reported.body)?,
        })
    }

    fn member(&self, name: &str) -> Cell<'_> {
        let text = self.fields.get(name).and_then(Value::as_str);
        text.map_or(Cell::Null, Cell::text)
    }

    /// What it changed to; of a kind whose words these are.
    fn to(&self, is_of_kind: bool) -> Cell<'_> {
        if is_of_kind {
            self.member("to")
        } else {
            Cell::Null
        }
    }

    fn value(&self) -> Cell<'_> {
        let numbers = VALUES.iter().filter_map(|name| self.fields.get(name));
        let number = numbers.filter_map(Value::as_f64).next();
        number.map_or(Cell::Null, Cell::Number)
    }

    fn text(&self) -> Cell<'_> {
        let texts = TEXTS.iter().filter_map(|name| self.fields.get(name));
        let text = texts.filter_map(Value::as_str).next();
        text.map_or(Cell::Null, Cell::text)
    }

    fn machine_number(&self) -> Cell<'_> {
        match self.event.reported.machine.get() {
            0 => Cell::Null,
            number => Cell::Count(number.into()),
        }
    }

    fn flag(&self, flag: Flags) -> Cell<'_> {
        Cell::Flag(self.event.flags.has(flag))
    }
}

columns! { EventLine;
    "plant" Word "the plant whose log it is in" |row| Cell::text(row.plant);
    "position" Count "its number in the plant's log" |row| Cell::Count(row.event.position.get());
    "kind" Code "its kind" |row| Cell::name(row.event.reported.body.kind().name());
    "machine" Word "the machine that it is about" |row| Cell::text(row.machine);
    "machine_number" Small "the machine's permanent number" |row| row.machine_number();
    "source" Word "who reported it; none of the writer's own records" |row| row.source.map_or(Cell::Null, |(name, _)| Cell::text(name));
    "epoch" Small "the source's life" |row| row.source.map_or(Cell::Null, |(_, epoch)| Cell::Count(epoch.into()));
    "sequence" Count "the source's number for it" |row| row.source.map_or(Cell::Null, |_| Cell::Count(row.event.reported.sequence.get()));
    "occurred_at" Time "when it happened, by the source's clock" |row| Cell::Time(row.event.reported.occurred_at);
    "observed_at" Time "when a gateway saw it, by the gateway's clock" |row| row.event.reported.observed_at.map_or(Cell::Null, Cell::Time);
    "recorded_at" Time "when it was recorded, by the plant writer's clock" |row| Cell::Time(row.event.recorded_at);
    "effective_at" Time "the time in the plant that it is ordered by" |row| Cell::Time(row.event.effective_at);
    "suspect" Flag "whether the source's clock is not believed" |row| row.flag(Flags::SUSPECT_CLOCK);
    "late" Flag "whether it filled a gap that had been seen before" |row| row.flag(Flags::LATE_FILLER);
    "unheeded" Flag "whether another source has the say about this, so that it moves no state" |row| row.flag(Flags::NOT_AUTHORITATIVE);
    "historical" Flag "whether it was declared to lie in the past on purpose" |row| Cell::Flag(row.event.reported.historical);
    "item" Text "what it is about besides the machine: an item, a counter, an alarm, a part, an order" |row| row.item.as_deref().map_or(Cell::Null, Cell::text);
    "state" Code "of STATE_CHANGED: the state" |row| row.to(matches!(row.event.reported.body, Body::StateChanged(_)));
    "mode" Code "of MODE_CHANGED: the mode" |row| row.to(matches!(row.event.reported.body, Body::ModeChanged(_)));
    "reason" Text "the source's reason code" |row| row.member("reason");
    "value" Number "its number: value, percent, quantity, level, stock or measured, whichever it has" |row| row.value();
    "text" Text "its text: text, program, tool or name, whichever it has" |row| row.text();
    "fields" Json "all its fields as JSON; bytes as hexadecimal digits, fields about people encrypted unless revealed" |row| Cell::Text(Cow::Owned(row.fields.to_string()));
}

impl Row for EventLine<'_> {
    fn value(&self, field: usize) -> Compared<'_> {
        self.cell(field).value()
    }
}
