//! What an event means to who watches: a twin of the stream's own, folded event by event.

use super::ask::Asked;
use super::token::Cursor;
use crate::view::machine::{in_brief, in_full};
use crate::view::row::MachineRow;
use crate::view::{code, twin as view};
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use werkbuch_engine::EngineError;
use werkbuch_model::event::{Body, Kind, Recorded};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::line::Waits;
use werkbuch_twin::{FoldError, Twin};
use werkbuch_wire::{name, pb};

/// A plant as a stream sees it, at the position of its twin.
pub(super) struct Watched {
    pub(super) twin: Twin,
    /// Why its machines wait, as the twin is now.
    waits: Waits,
    /// When more of the description holds than does now.
    until: Option<Timestamp>,
    asked: Arc<Asked>,
    /// The machines that match now.
    matching: BTreeSet<MachineNumber>,
    plant_name: String,
}

/// A machine that an event touches and that matched before or does now.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) machine: MachineNumber,
    /// Whether it matched before.
    pub(super) was: bool,
    /// Whether it does now.
    pub(super) is: bool,
    /// The state shown before, as its code.
    pub(super) previous: i32,
    /// The machine as it was, when the description no longer has it.
    pub(super) gone: Option<Box<pb::Machine>>,
    /// Whether the event is about others, and only why this machine waits has changed.
    pub(super) inferred: bool,
}

/// The event that touched a machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    pub(super) position: Position,
    /// Where the stream stood before it.
    pub(super) before: Cursor,
    kind: Kind,
    effective_at: Timestamp,
    recorded_at: Timestamp,
}

impl Cause {
    /// An event before which the stream stood there.
    pub(super) fn of(event: &Recorded<'_>, before: Cursor) -> Self {
        Self {
            position: event.position,
            before,
            kind: event.reported.body.kind(),
            effective_at: event.effective_at,
            recorded_at: event.recorded_at,
        }
    }
}

impl Watched {
    /// A plant with the twin of where its stream begins. Looks at every machine.
    pub(super) fn new(mut twin: Twin, asked: Arc<Asked>) -> Self {
        // What of the description holds goes by what is recorded, not by when somebody looks: so a
        // stream tells the same whenever it is read.
        let until = twin.show_held();
        let waits = Waits::of(&twin);
        let matching = view::rows(&twin)
            .map(|row| row.knowing(&waits))
            .filter(|row| asked.filter.matches(row))
            .map(|row| row.machine.number())
            .collect();
        Self {
            plant_name: name::of_plant(twin.plant().as_str()),
            twin,
            waits,
            until,
            asked,
            matching,
        }
    }

    /// Folds the next event. Answers the machines that it touches, by their numbers: the one that it
    /// is about, and those of which it follows that they wait for another reason.
    /// Errors: the event does not fold.
    pub(super) fn fold(&mut self, event: &Recorded<'_>) -> Result<Vec<Touched>, EngineError> {
        let is_due = self.until.is_some_and(|until| event.recorded_at >= until);
        if is_due || matches!(event.reported.body, Body::DescriptionChanged(_)) {
            return self.fold_described(event, is_due);
        }
        let machine = event.reported.machine;
        let previous = shown(&self.twin, machine);
        self.apply(event)?;
        let mut touched = self.waits.follow(&self.twin, event);
        let about = (machine.get() != 0).then_some((machine, previous));
        Ok(self.touched(&mut touched, about))
    }

    /// Folds an event that changes the description, or with which more of it holds.
    fn fold_described(
        &mut self,
        event: &Recorded<'_>,
        is_due: bool,
    ) -> Result<Vec<Touched>, EngineError> {
        let (twin, waits) = (self.twin.clone(), self.waits.clone());
        self.apply(event)?;
        self.until = self.twin.show_held();
        if is_due || self.twin.revision() != twin.revision() {
            self.waits = Waits::of(&self.twin);
            return Ok(self.described_anew(&twin, &waits, event));
        }
        let mut others = self.waits.follow(&self.twin, event);
        Ok(self.touched(&mut others, None))
    }

    /// The machines among these that matched before or do now; with them the one that an event is
    /// about, which was in another state before.
    fn touched(
        &mut self,
        machines: &mut BTreeSet<MachineNumber>,
        about: Option<(MachineNumber, i32)>,
    ) -> Vec<Touched> {
        machines.extend(about.map(|(machine, _)| machine));
        let mut touched = Vec::new();
        for machine in machines.iter().copied() {
            let was = self.matching.contains(&machine);
            let is = self.look(machine);
            if was || is {
                let about = about.filter(|(about, _)| *about == machine);
                touched.push(Touched {
                    machine,
                    was,
                    is,
                    previous: about.map_or_else(|| shown(&self.twin, machine), |about| about.1),
                    gone: None,
                    inferred: about.is_none(),
                });
            }
        }
        touched
    }

    /// The change that a touched machine is told with; `events` is how many events it stands for.
    pub(super) fn change(
        &self,
        touched: &Touched,
        cause: &Cause,
        events: u32,
    ) -> pb::MachineChange {
        let kind = match (touched.was, touched.is) {
            (true, true) => pb::MachineChangeKind::Changed,
            (false, _) => pb::MachineChangeKind::Entered,
            (true, false) => pb::MachineChangeKind::Left,
        };
        let gone = || touched.gone.as_deref().cloned();
        pb::MachineChange {
            plant: self.plant_name.clone(),
            position: cause.position.get(),
            change_kind: kind.into(),
            machine: self
                .shown(&self.twin, &self.waits, touched.machine)
                .or_else(gone),
            previous_state: touched.previous,
            event_kind: cause.kind.name().to_owned(),
            effective_at: Some(cause.effective_at.nanos()),
            recorded_at: Some(cause.recorded_at.nanos()),
            events,
            inferred: touched.inferred,
        }
    }

    /// The machines that match now, with numbers beyond `after`, as changes.
    pub(super) fn present(
        &self,
        after: MachineNumber,
    ) -> impl Iterator<Item = (MachineNumber, pb::MachineChange)> {
        let beyond = (Bound::Excluded(after), Bound::Unbounded);
        self.matching.range(beyond).copied().map(|number| {
            let change = pb::MachineChange {
                plant: self.plant_name.clone(),
                position: self.twin.position().get(),
                change_kind: pb::MachineChangeKind::Present.into(),
                machine: self.shown(&self.twin, &self.waits, number),
                previous_state: shown(&self.twin, number),
                ..pb::MachineChange::default()
            };
            (number, change)
        })
    }

    fn apply(&mut self, event: &Recorded<'_>) -> Result<(), EngineError> {
        self.twin.apply(event).map_err(|error| {
            let (plant, cause) = (self.twin.plant().clone(), error.to_string());
            let position = event.position;
            match error {
                FoldError::FormatTooNew { .. } => EngineError::FormatNewer { plant, cause },
                _ => EngineError::Fold {
                    plant,
                    position,
                    cause,
                },
            }
        })
    }

    /// Looks whether a machine matches now, and notes it.
    fn look(&mut self, machine: MachineNumber) -> bool {
        let filter = &self.asked.filter;
        let row = view::row(&self.twin, machine).map(|row| row.knowing(&self.waits));
        let is = row.is_some_and(|row| filter.matches(&row));
        if is {
            self.matching.insert(machine);
        } else {
            self.matching.remove(&machine);
        }
        is
    }

    /// A description may touch every machine: those that it changes are found by comparing. The one that
    /// the event itself is about is touched in any case.
    fn described_anew(
        &mut self,
        before: &Twin,
        waits: &Waits,
        event: &Recorded<'_>,
    ) -> Vec<Touched> {
        let is_description = matches!(event.reported.body, Body::DescriptionChanged(_));
        let about = event.reported.machine;
        let mut touched = Vec::new();
        let numbers = |twin: &Twin| -> Vec<MachineNumber> {
            let machines = twin.description().machines();
            machines.map(|machine| machine.number).collect()
        };
        let mut machines: BTreeSet<_> = numbers(before).into_iter().collect();
        machines.extend(numbers(&self.twin));
        for machine in machines {
            let then = self.shown(before, waits, machine);
            let now = self.shown(&self.twin, &self.waits, machine);
            let was = self.matching.contains(&machine);
            let is = self.look(machine);
            let is_other = was != is || then != now || machine == about;
            if (was || is) && is_other {
                touched.push(Touched {
                    machine,
                    was,
                    is,
                    previous: shown(before, machine),
                    gone: if now.is_none() {
                        then.map(Box::new)
                    } else {
                        None
                    },
                    inferred: !is_description && machine != about,
                });
            }
        }
        touched
    }

    fn shown(&self, twin: &Twin, waits: &Waits, machine: MachineNumber) -> Option<pb::Machine> {
        let row: MachineRow<'_> = view::row(twin, machine)?.knowing(waits);
        let plant = twin.plant().as_str();
        Some(if self.asked.full {
            in_full(plant, &row)
        } else {
            in_brief(plant, &row)
        })
    }
}

/// The state that a machine is shown in, as its code; unspecified when it is not described.
fn shown(twin: &Twin, machine: MachineNumber) -> i32 {
    view::row(twin, machine).map_or(0, |row| code(row.state().shown.code()))
}
