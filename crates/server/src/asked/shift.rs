//! When a shift was: by the calendar of the description that was in force then, as it was known.
//!
//! Which description was in force is a question of when the shift began, and when it began is a question of
//! the description. So the calendar of the day that is named is asked first, then that of the time which it
//! answers, until the two agree.

use super::Asked;
use super::said::{KnownBy, Said, When, invalid};
use crate::context::Context;
use std::collections::BTreeMap;
use tonic::Status;
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::event::{AspectKind, Body, CalendarChanged};
use werkbuch_model::id::Position;
use werkbuch_model::instant::{Instant, InstantError, Known, ShiftName, Spoken};
use werkbuch_model::plant::CalendarError;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;

/// How often the calendar of the time is asked that the calendar before it answered.
const ROUNDS: usize = 4;
const HOUR_NS: i64 = 3_600 * 1_000_000_000;

impl Context {
    /// The same, with times instead of the names of shifts. Errors: `INVALID_INSTANT` for a shift that there
    /// is not; whatever keeps the plant from answering.
    pub(super) async fn settled(
        &self,
        plant: &Plant,
        mut said: Said,
        now: Timestamp,
    ) -> Result<Said, Status> {
        if let Some(KnownBy::Time(When::Text(Spoken::Shift(shift)))) = &said.known {
            let time = self.shift(plant, "known", shift, Known::Now, now).await?;
            said.known = Some(KnownBy::Time(When::Time(time)));
        }
        let Some(When::Text(Spoken::Shift(shift))) = &said.at else {
            return Ok(said);
        };
        let known = self.known_of(plant, &said, now).await?;
        let time = self.shift(plant, "at", shift, known, now).await?;
        said.at = Some(When::Time(time));
        Ok(said)
    }

    /// How much of the log the question may know, whatever time it is about.
    async fn known_of(&self, plant: &Plant, said: &Said, now: Timestamp) -> Result<Known, Status> {
        let known = said.without_at();
        let look = move |twin: &Twin| known.resolve(twin, now, super::Reach::Described);
        Ok(self.glance(plant, look).await??.instant.known)
    }

    async fn shift(
        &self,
        plant: &Plant,
        field: &str,
        shift: &ShiftName,
        known: Known,
        now: Timestamp,
    ) -> Result<Timestamp, Status> {
        let asked = Asked {
            instant: Instant { known, at: None },
            as_of: Some(now),
            known_recorded_at: None,
            zone: String::new(),
        };
        let (all, answered) = self.ask(plant, &asked, Twin::clone).await?;
        let calendars = Calendars {
            plant: plant.clone(),
            known: answered.reflected.position,
            now,
            all,
        };
        let shift = shift.clone();
        let found = self.blocking(move || calendars.find(&shift)).await?;
        found.map_err(|error| invalid(field, &error))
    }
}

/// The calendars of a plant, one after another.
struct Calendars {
    plant: Plant,
    known: Position,
    now: Timestamp,
    /// The plant with all that is known, so that what was reported later of a calendar counts too.
    all: Twin,
}

type Found = Result<Timestamp, InstantError>;

impl Calendars {
    /// Errors: those of the log and the fold; within, that there is no such shift.
    fn find(&self, shift: &ShiftName) -> Result<Found, EngineError> {
        let begin = ShiftName {
            end: false,
            ..shift.clone()
        };
        let mut first: Option<(Twin, Found)> = None;
        for start in self.starts(shift)? {
            let mut at = start;
            for _ in 0..ROUNDS {
                let then = self.then(at)?;
                let found = self.found(&then, &begin);
                if found.as_ref().ok() == Some(&at) {
                    return Ok(self.found(&then, shift));
                }
                let next = found.as_ref().ok().copied();
                if first.is_none() {
                    first = Some((then, found));
                }
                match next {
                    Some(next) => at = next,
                    None => break,
                }
            }
        }
        // Around a change of the calendar no one may be right: then that of the day is.
        Ok(match first {
            Some((then, Ok(_))) => self.found(&then, shift),
            Some((_, error)) => error,
            None => self.found(&self.all, shift),
        })
    }

    /// The times whose calendars are asked first: around the day that is named, or now.
    fn starts(&self, shift: &ShiftName) -> Result<Vec<Timestamp>, EngineError> {
        if shift.day.is_none() {
            return Ok(vec![self.now]);
        }
        let today = self.then(self.now)?;
        let description = today.description();
        let unit = shift.unit.as_deref();
        let table = description
            .timetable(unit)
            .or_else(|_| description.timetable_without());
        let noon = table.ok().and_then(|table| shift.noon(self.now, &table));
        let noon = noon.unwrap_or(self.now);
        Ok([0, 18, -12]
            .map(|hours| noon.plus(hours * HOUR_NS))
            .to_vec())
    }

    /// The plant as it was described at a time.
    fn then(&self, at: Timestamp) -> Result<Twin, EngineError> {
        match self.known.get() {
            0 => Ok(self.all.clone()),
            _ => self.plant.past_twin(self.known, at),
        }
    }

    /// The begin or end of a shift by the calendar of a twin, with what was reported of it laid over.
    fn found(&self, then: &Twin, shift: &ShiftName) -> Found {
        let description = then.description();
        let unit = shift.unit.as_deref();
        // What changed a change since takes its place; what is forgotten by now is in the older twin.
        let mut changes = BTreeMap::new();
        for twin in [then, &self.all] {
            for value in twin.plant_values(AspectKind::Calendar) {
                let key = (value.item, value.sub, value.number);
                let order = (value.since, value.source, value.epoch, value.position);
                if let Body::CalendarChanged(change) = value.body
                    && description.is_changed(unit, &change)
                {
                    changes.insert(key, (order, change));
                }
            }
        }
        let mut changes: Vec<_> = changes.into_values().collect();
        changes.sort_by_key(|(order, _)| *order);
        let changes: Vec<CalendarChanged<'_>> = changes.into_iter().map(|(_, one)| one).collect();
        let table = match description.timetable(unit) {
            // What was reported holds also where no calendar is declared.
            Err(CalendarError::None(_)) if !changes.is_empty() => description.timetable_without(),
            table => table,
        }?;
        shift.find(self.now, &table, &changes)
    }
}
