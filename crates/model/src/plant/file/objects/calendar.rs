//! Reads calendars: their shifts, breaks and exceptions.

use super::super::reader::{Keys, Table};
use super::values::{LIST_MAX, Values};
use super::{Found, Raw, Readable, Sources};
use crate::id::ElementId;
use crate::plant::spec::*;

/// How many exceptions a calendar may have: thirty years of a dozen and more holidays.
const EXCEPTIONS_MAX: usize = 512;
/// How long a break may be, in minutes.
const BREAK_MINUTES_MAX: u32 = 24 * 60;

impl Readable for Calendar {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let id = values.id("\"two-shifts\"");
        let parent = values.reference("parent");
        let shifts = values.nested("shifts", "shift", LIST_MAX);
        let breaks = values.nested("breaks", "break", LIST_MAX);
        let exceptions = values.nested("exceptions", "exception", EXCEPTIONS_MAX);
        Some(Self {
            id: id?,
            parent,
            shifts,
            breaks,
            exceptions,
        })
    }
}

impl<'a> Values<'a, '_, '_> {
    /// The tables inside this one under a key.
    fn nested<T: Readable>(&mut self, key: &str, kind: &'static str, max: usize) -> Vec<T> {
        let Keys::Toml(keys) = self.table.keys else {
            return Vec::new();
        };
        let tables = self.reader.tables(keys, key, kind);
        if let Some(beyond) = tables.get(max) {
            let what = format!("{key} has {} entries", tables.len());
            self.reader
                .mistake(beyond.at, what, format!("the limit is {max}"));
        }
        let mut all = Vec::new();
        for table in tables.into_iter().take(max) {
            let mut values = Values {
                reader: self.reader,
                table,
                misspelled: self.misspelled,
            };
            all.extend(T::read(&mut values));
        }
        all
    }
}

impl Readable for Shift {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let name = values.must_say("name", "\"night\"");
        values
            .reader
            .must_have(&values.table, "days", "[\"mon\", \"tue\"]");
        let mut days = 0;
        for day in values.list("days", true) {
            match Days::named(day.value) {
                Some(found) => days |= found.0,
                None => {
                    let known: Vec<String> = DAY_NAMES.map(str::to_owned).to_vec();
                    values.unknown_word(day, "day", &known);
                }
            }
        }
        let from = values.must_begin("from", "\"22:00\"");
        let to = values.must_begin("to", "\"06:00\"");
        let team = values.short("team");
        Some(Self {
            name: name?,
            days: Days(days),
            from,
            to,
            team,
        })
    }
}

impl Readable for Break {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let shift = values.short("shift");
        let at = values.must_begin("at", "\"09:00\"");
        values.reader.must_have(&values.table, "minutes", "20");
        let minutes = values.count("minutes", 1, BREAK_MINUTES_MAX);
        let machines = match values.table.has("machines") {
            true => values.class("machines", "\"press-*\"").unwrap_or_default(),
            false => String::new(),
        };
        Some(Self {
            shift,
            at,
            minutes,
            machines,
        })
    }
}

impl Readable for CalendarException {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let text = values
            .reader
            .required(&values.table, "date", "\"2026-12-24\"");
        let date = text.and_then(|text| {
            let date = Date::parse(text.value);
            if date.is_none() {
                let what = format!("\"{}\" is no date", super::clipped(text.value, 24));
                values
                    .reader
                    .mistake(text.at, what, "write it as \"2026-12-24\"");
            }
            date
        });
        let exception_kind = values.must_choose("kind", "\"closed\"");
        let (from, to) = (values.time_of_day("from"), values.time_of_day("to"));
        let needs_times = matches!(
            exception_kind,
            ExceptionKind::Shift | ExceptionKind::Overtime
        );
        if needs_times && !(values.table.has("from") && values.table.has("to")) {
            let what = format!(
                "the {} has no times",
                exception_kind.name().to_ascii_lowercase()
            );
            let hint = "add from = \"06:00\" and to = \"14:00\"";
            values.reader.mistake(values.spot("kind"), what, hint);
        }
        if !needs_times && from.is_some() != to.is_some() {
            let hint = "give both from and to, or neither for the whole day";
            values
                .reader
                .mistake(values.table.at, "one of the two times is missing", hint);
        }
        let name = values.short("name");
        Some(Self {
            date: date?,
            exception_kind,
            from,
            to,
            name,
        })
    }
}

/// A line of a table beside the file that belongs to a calendar.
struct Row<T> {
    calendar: Option<ElementId>,
    value: T,
}

impl<T: Readable> Readable for Row<T> {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        let calendar = values.must_refer("calendar", "\"two-shifts\"");
        let value = T::read(values)?;
        Some(Self { calendar, value })
    }
}

/// Puts the lines of the tables of shifts, breaks and exceptions into their calendars.
pub(super) fn add_rows(sources: &mut Sources<'_, '_, '_>, raw: &mut Raw<'_>) {
    add(sources, raw, "shift", |calendar, value| {
        calendar.shifts.push(value)
    });
    add(sources, raw, "break", |calendar, value| {
        calendar.breaks.push(value)
    });
    add(sources, raw, "exception", |calendar, value| {
        calendar.exceptions.push(value);
    });
}

fn add<T: Readable>(
    sources: &mut Sources<'_, '_, '_>,
    raw: &mut Raw<'_>,
    kind: &'static str,
    push: fn(&mut Calendar, T),
) {
    let beside = sources.beside.iter().filter(|table| table.kind == kind);
    for table in beside.flat_map(|table| table.tables()) {
        let mut values = Values {
            reader: sources.reader,
            table,
            misspelled: &mut raw.misspelled,
        };
        let Some(row) = Row::<T>::read(&mut values) else {
            continue;
        };
        let Some(id) = row.calendar else { continue };
        match raw.calendars.iter_mut().find(|found| found.value.id == id) {
            Some(found) => push(&mut found.value, row.value),
            None => unknown_calendar(sources, &raw.calendars, &table, &id),
        }
    }
}

fn unknown_calendar(
    sources: &mut Sources<'_, '_, '_>,
    calendars: &[Found<'_, Calendar>],
    table: &Table<'_>,
    id: &ElementId,
) {
    let what = format!("there is no calendar \"{id}\"");
    let known = calendars.iter().map(|found| found.value.id.as_str());
    let hint = "declare it with [[calendar]]";
    sources
        .reader
        .unknown(table.spot("calendar"), what, id.as_str(), known, hint);
}
