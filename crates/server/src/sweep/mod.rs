//! Goes through a window of a plant's time, moment by moment, and watches of which machines a condition holds.
//!
//! Blocking. The twin of each moment is that which a question at that time is answered with, and what is
//! in memory is bounded: one twin, and what happened in a piece of the window.

mod gauge;
mod pace;
mod rules;
mod watch;

pub(crate) use gauge::Gauge;
pub(crate) use pace::{End, work};
pub(crate) use rules::{RuleTurn, Rules};
pub(crate) use watch::{Found, Watch, Why};

use crate::limits::SWEEP_BYTES_MAX;
use crate::view::fields::{NEEDS_EVERY_EVENT, NEEDS_WAITS};
use std::collections::BTreeSet;
use werkbuch_engine::{EngineError, Piece, Plant};
use werkbuch_model::filter::Filter;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::FoldError;
use werkbuch_twin::course::Course;
use werkbuch_twin::quality::Window;
use werkbuch_twin::timeline::matters;

/// What conditions depend on: what none of them asks for need not be folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Why machines wait, which takes all that happens in the plant.
    waits: bool,
    /// Also events that no state follows from.
    every_event: bool,
}

impl Needs {
    /// Why machines wait.
    pub(crate) fn waits() -> Self {
        Self {
            waits: true,
            every_event: false,
        }
    }

    /// What filters of machines depend on.
    pub(crate) fn of<'f>(filters: impl IntoIterator<Item = &'f Filter>) -> Self {
        let mut needs = Self::default();
        for field in filters.into_iter().flat_map(Filter::fields) {
            needs.waits |= NEEDS_WAITS.contains(&field);
            needs.every_event |= NEEDS_EVERY_EVENT.contains(&field);
        }
        needs
    }

    /// Whether they depend on why machines wait.
    pub(crate) fn has_waits(self) -> bool {
        self.waits
    }

    /// Whether they depend on what an event of this content says.
    pub(crate) fn wants(self, body: &werkbuch_model::event::Body<'_>) -> bool {
        self.waits || self.every_event || matters(body)
    }
}

/// Which machines may be others than before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moved<'m> {
    All,
    These(&'m BTreeSet<MachineNumber>),
}

/// A plant on its way through a window.
#[derive(Debug)]
pub(crate) struct Sweep {
    plant: Plant,
    known: Position,
    window: Window,
    needs: Needs,
    course: Course,
    piece: Piece,
    /// When the description changes, of the times to come.
    described: BTreeSet<Timestamp>,
    /// The next moment.
    at: Timestamp,
}

impl Sweep {
    /// Begins right before a window, as known up to a position. Nothing when nobody waits for it.
    /// Errors: those of the log and of the fold.
    pub(crate) fn begin(
        plant: Plant,
        known: Position,
        window: Window,
        needs: Needs,
        gauge: &Gauge,
    ) -> Result<Option<Self>, EngineError> {
        let before = plant.past_twin(known, window.from.plus(-1))?;
        let described = plant.described_in(window, known)?;
        let Some(piece) = read(&plant, known, window, needs, gauge)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            course: Course::new(before, needs.waits),
            plant,
            known,
            window,
            needs,
            piece,
            described,
            at: window.from,
        }))
    }

    /// The plant as it is after the last moment.
    pub(crate) fn course(&self) -> &Course {
        &self.course
    }

    /// Goes through the next moment: `look` is called after each thing that happened at it, with the
    /// machines that may be others and the position of the event that says so. Answers the time of the
    /// moment; nothing behind the window, and when nobody waits.
    /// Errors: those of the log and of the fold.
    pub(crate) fn moment(
        &mut self,
        gauge: &Gauge,
        look: &mut dyn FnMut(&Course, Moved<'_>, Position),
    ) -> Result<Option<Timestamp>, EngineError> {
        let at = self.at;
        if at >= self.window.to {
            return Ok(None);
        }
        gauge.reach(at);
        let happens = self.piece.next_at() == Some(at);
        if self.described.remove(&at) {
            // What happened at this very time is in the twin that is folded for it.
            if happens {
                self.piece.next_moment();
            }
            self.course.stand(self.plant.past_twin(self.known, at)?);
            look(&self.course, Moved::All, Position(0));
        } else {
            let touched = self.course.pass(at);
            if !touched.is_empty() {
                look(&self.course, Moved::These(&touched), Position(0));
            }
            if happens {
                self.happen(look)?;
            }
        }
        Ok(self.go_on(gauge)?.then_some(at))
    }

    /// Goes through the next moment with one condition: see [`Sweep::moment`].
    pub(crate) fn watched(
        &mut self,
        gauge: &Gauge,
        watch: &mut Watch,
    ) -> Result<Option<Timestamp>, EngineError> {
        self.moment(gauge, &mut |course, moved, position| {
            watch.look(course, moved, position);
        })
    }

    /// The same with two conditions.
    pub(crate) fn watched_both(
        &mut self,
        gauge: &Gauge,
        (one, other): (&mut Watch, &mut Watch),
    ) -> Result<Option<Timestamp>, EngineError> {
        self.moment(gauge, &mut |course, moved, position| {
            one.look(course, moved, position);
            other.look(course, moved, position);
        })
    }

    /// Folds what happens now.
    fn happen(
        &mut self,
        look: &mut dyn FnMut(&Course, Moved<'_>, Position),
    ) -> Result<(), EngineError> {
        let stored = self.piece.next_moment();
        let mut all = Vec::with_capacity(stored.len());
        for one in &stored {
            all.push(one.happening()?);
        }
        self.course.sort(&mut all);
        for happening in all {
            let position = happening.position;
            let touched = self.course.take(happening);
            let touched = touched.map_err(|error| self.failed(position, &error))?;
            look(&self.course, Moved::These(&touched), position);
        }
        Ok(())
    }

    /// Finds the next moment. False when nobody waits for it.
    fn go_on(&mut self, gauge: &Gauge) -> Result<bool, EngineError> {
        loop {
            let due = self.course.due();
            let times = [self.piece.next_at(), due, self.described.first().copied()];
            let next = times.into_iter().flatten().min();
            let end = self.piece.end();
            if let Some(next) = next.filter(|next| *next < end) {
                self.at = next;
                return Ok(true);
            }
            if end >= self.window.to {
                self.at = self.window.to;
                return Ok(true);
            }
            let rest = Window {
                from: end,
                ..self.window
            };
            match read(&self.plant, self.known, rest, self.needs, gauge)? {
                Some(piece) => self.piece = piece,
                None => return Ok(false),
            }
        }
    }

    fn failed(&self, position: Position, error: &FoldError) -> EngineError {
        EngineError::Fold {
            plant: self.plant.id().clone(),
            position,
            cause: error.to_string(),
        }
    }
}

fn read(
    plant: &Plant,
    known: Position,
    window: Window,
    needs: Needs,
    gauge: &Gauge,
) -> Result<Option<Piece>, EngineError> {
    let wanted = |body: &werkbuch_model::event::Body<'_>| needs.wants(body);
    plant.happened(window, known, (&wanted, SWEEP_BYTES_MAX), &mut |events| {
        gauge.read(events)
    })
}
