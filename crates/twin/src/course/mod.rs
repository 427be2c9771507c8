//! Goes through plant time with a whole plant: what happened, one thing after another, and for how long what holds.
//!
//! # How it is done
//!
//! 1. A twin of the plant as it was right before a window ([`Course::new`]) holds what came before.
//! 2. What happened in the window ([`Happening`]: events at their places, with what corrections made of
//!    them) is folded in plant order. After each moment the twin is the one that a question at that time
//!    is answered with; [`Course::take`] and [`Course::pass`] tell the machines of which something may
//!    be another than before.
//! 3. Why machines wait also changes as time passes, with their shifts: [`Course::due`] tells when to look
//!    though nothing happened.
//! 4. Who watches a condition notes for each machine since when it has held ([`Held`]); a rule is raised
//!    when one has held for long enough, and cleared when another has ([`Latch`]).

mod happened;
mod happening;
mod held;
mod latch;

pub use happened::{Entry, Happened};
pub use happening::{Happening, How, Place, places};
pub use held::{Held, Spell};
pub use latch::{Latch, Terms, Turn};

use crate::line::Waits;
use crate::{FoldError, Scope, Twin};
use std::collections::BTreeSet;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::time::Timestamp;

/// A plant on its way through plant time.
#[derive(Clone, Debug)]
pub struct Course {
    twin: Twin,
    waits: Option<Waits>,
}

impl Course {
    /// Begins with the plant as it was at some time. Why machines wait is followed only when it is
    /// wanted: it costs more than all the rest.
    #[must_use]
    pub fn new(begin: Twin, with_waits: bool) -> Self {
        Self {
            waits: with_waits.then(|| Waits::of(&begin)),
            twin: begin,
        }
    }

    /// The plant as it is now.
    #[must_use]
    pub fn twin(&self) -> &Twin {
        &self.twin
    }

    /// Why its machines wait now, when that is followed.
    #[must_use]
    pub fn waits(&self) -> Option<&Waits> {
        self.waits.as_ref()
    }

    /// The next time at which machines may wait for another reason though nothing happens; absent when
    /// there is none, or when that is not followed.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.waits.as_ref()?.due()
    }

    /// Goes on to a time. Answers the machines that wait for another reason because of it.
    pub fn pass(&mut self, at: Timestamp) -> BTreeSet<MachineNumber> {
        self.twin.scope = Scope { at: Some(at) };
        let waits = self.waits.as_mut();
        waits.map_or_else(BTreeSet::new, |waits| waits.pass(&self.twin))
    }

    /// Puts what happened at one time into the order in which it is folded.
    pub fn sort(&self, happenings: &mut [Happening<'_>]) {
        happenings.sort_by(|a, b| {
            let order = self.twin.sources.compare(&a.order, &b.order);
            order.then((a.how, a.place).cmp(&(b.how, b.place)))
        });
    }

    /// Folds what happened now. Answers the machine that it is about and those that wait for another
    /// reason because of it.
    ///
    /// # Errors
    ///
    /// [`FoldError::UnknownSource`].
    pub fn take(&mut self, happening: Happening<'_>) -> Result<BTreeSet<MachineNumber>, FoldError> {
        let (place, how) = (happening.place, happening.how);
        let event = happening.into_recorded();
        self.twin.happen(&event, place, how)?;
        let waits = self.waits.as_mut();
        let mut touched =
            waits.map_or_else(BTreeSet::new, |waits| waits.follow(&self.twin, &event));
        if event.reported.machine.get() != 0 {
            touched.insert(event.reported.machine);
        }
        Ok(touched)
    }

    /// Goes on with the plant as it is told to be now: its description is another one, so that nothing
    /// stays as it was.
    pub fn stand(&mut self, twin: Twin) {
        if self.waits.is_some() {
            self.waits = Some(Waits::of(&twin));
        }
        self.twin = twin;
    }
}
