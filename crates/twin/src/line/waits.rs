//! Why machines wait, kept up to date event by event: each costs what it touches, not the plant.

use super::scene::{Causes, Doing, Scene};
use super::shift::{Alone, Planned, Shifts};
use super::stock::Stocks;
use super::wait::WaitCause;
use crate::Twin;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::event::{AspectKind, Body, Recorded};
use werkbuch_model::id::{ElementId, MachineNumber};
use werkbuch_model::plant::Machine;
use werkbuch_model::time::Timestamp;

/// Machines of which the same is planned: by their calendar and unit, or one that has its own plan.
type Place = (Option<ElementId>, Option<ElementId>, MachineNumber);

/// Why each machine waits that does, and that parts pass: what `WaitCauses` says of the same
/// twin, for who follows it.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    scene: Scene,
    causes: Causes,
    /// The description that it is of.
    revision: u32,
    plans: BTreeMap<Place, Planned>,
    alone: Alone,
    /// When to look anew whether machines that wait are planned to work.
    due: BTreeSet<(Timestamp, MachineNumber)>,
    /// The oldest change of a calendar: when the twin forgets it, all plans may be others.
    oldest_change: Option<Timestamp>,
}

impl Waits {
    /// The causes in a twin.
    #[must_use]
    pub fn of(twin: &Twin) -> Self {
        let shifts = Shifts::of(twin);
        let mut waits = Self {
            scene: Scene::bare(twin),
            revision: twin.revision(),
            alone: shifts.alone().clone(),
            oldest_change: shifts.oldest_change(),
            ..Self::default()
        };
        if waits.scene.doing.is_empty() {
            return waits;
        }
        waits.scene.stocks = Stocks::of_twin(twin);
        let machines = waits.scene.machines();
        for machine in &machines {
            waits.look_off(twin, *machine);
        }
        waits.scene.settle(machines, &mut waits.causes);
        waits
    }

    /// Takes up what the last event that the twin has folded changed. Answers the machines whose cause
    /// is another one now, of which it is no longer said, or was not said before.
    pub fn follow(&mut self, twin: &Twin, event: &Recorded<'_>) -> BTreeSet<MachineNumber> {
        if self.is_other(twin, event) {
            return self.renew(twin);
        }
        if self.scene.doing.is_empty() {
            return BTreeSet::new();
        }
        let mut touched = BTreeSet::new();
        self.look_at(twin, event.reported.machine, &mut touched);
        self.places(twin, event, &mut touched);
        self.pass_time(twin, &mut touched);
        self.settle(touched)
    }

    /// Takes up that time has passed in the twin though no event came. Answers as [`Waits::follow`] does.
    pub fn pass(&mut self, twin: &Twin) -> BTreeSet<MachineNumber> {
        let mut touched = BTreeSet::new();
        self.pass_time(twin, &mut touched);
        self.settle(touched)
    }

    /// The next time at which a machine may wait for another reason though no event comes; absent when
    /// no machine waits whose shifts are known.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Finds the causes of machines anew and of all that are joined with them.
    fn settle(&mut self, touched: BTreeSet<MachineNumber>) -> BTreeSet<MachineNumber> {
        if touched.is_empty() {
            return touched;
        }
        let reached = self.scene.reach(touched);
        let before: Vec<_> = reached
            .iter()
            .map(|number| (*number, self.causes.get(number).cloned()))
            .collect();
        self.scene.settle(reached, &mut self.causes);
        let changed = before
            .into_iter()
            .filter(|(number, cause)| self.causes.get(number) != cause.as_ref());
        changed.map(|(number, _)| number).collect()
    }

    /// Why this machine waits; absent when it does not, or when no parts pass it.
    #[must_use]
    pub fn machine(&self, number: MachineNumber) -> Option<&WaitCause> {
        self.causes.get(&number)
    }

    /// All machines that wait.
    pub fn all(&self) -> impl Iterator<Item = (MachineNumber, &WaitCause)> {
        self.causes.iter().map(|(number, cause)| (*number, cause))
    }

    /// Whether the description or the plans are others, so that nothing stays as it was.
    fn is_other(&self, twin: &Twin, event: &Recorded<'_>) -> bool {
        let mut calendar = false;
        for_each_aspect(event, &mut |aspect| {
            calendar |= aspect.kind == AspectKind::Calendar;
        });
        let forgotten = self
            .oldest_change
            .is_some_and(|oldest| !twin.window.holds(AspectKind::Calendar, oldest));
        twin.revision() != self.revision || calendar || forgotten
    }

    fn renew(&mut self, twin: &Twin) -> BTreeSet<MachineNumber> {
        let before = std::mem::replace(self, Self::of(twin)).causes;
        let numbers = before.keys().chain(self.causes.keys());
        let changed = numbers.filter(|number| self.causes.get(number) != before.get(number));
        changed.copied().collect()
    }

    /// Looks what a machine does now.
    fn look_at(
        &mut self,
        twin: &Twin,
        number: MachineNumber,
        touched: &mut BTreeSet<MachineNumber>,
    ) {
        let Some(doing) = self.scene.doing.get_mut(&number) else {
            return;
        };
        if let Some(now) = Doing::of(twin, number)
            && *doing != now
        {
            *doing = now;
            self.look_off(twin, number);
            touched.extend(self.scene.around(number));
        }
    }

    /// Looks anew at the places of parts that the event may have moved.
    fn places(&mut self, twin: &Twin, event: &Recorded<'_>, touched: &mut BTreeSet<MachineNumber>) {
        let mut places = BTreeSet::new();
        let stocks = &mut self.scene.stocks;
        for_each_aspect(event, &mut |aspect| {
            stocks.refresh(twin, &aspect, &mut places);
        });
        stocks.expire(twin, &mut places);
        for place in places {
            touched.extend(self.scene.at_place(&place));
        }
    }

    /// Looks which machines began or ceased to be planned to work, as time has passed.
    fn pass_time(&mut self, twin: &Twin, touched: &mut BTreeSet<MachineNumber>) {
        let now = time_of(twin);
        while let Some((until, number)) = self.due.first().copied()
            && until <= now
        {
            self.due.remove(&(until, number));
            if self.look_off(twin, number) {
                touched.extend(self.scene.around(number));
            }
        }
    }

    /// Looks whether a machine that waits is planned to work. Answers whether that is new.
    fn look_off(&mut self, twin: &Twin, number: MachineNumber) -> bool {
        let before = self.scene.off.remove(&number);
        let asks = self.scene.doing.get(&number).is_some_and(|one| one.asks());
        if let Some(machine) = twin.description().machine(number)
            && asks
        {
            let planned = self.planned(twin, machine);
            if planned.until < Timestamp::MAX {
                self.due.insert((planned.until, number));
            }
            if let Some(off) = planned.off {
                self.scene.off.insert(number, off);
            }
        }
        self.scene.off.get(&number) != before.as_ref()
    }

    fn planned(&mut self, twin: &Twin, machine: &Machine) -> Planned {
        let alone = self.alone.is(machine);
        let number = if alone {
            machine.number
        } else {
            MachineNumber(0)
        };
        let place = (machine.calendar.clone(), machine.parent.clone(), number);
        let now = time_of(twin);
        match self.plans.get(&place) {
            Some(known) if known.until > now => known.clone(),
            _ => {
                let planned = Shifts::of(twin).planned(machine);
                self.plans.insert(place, planned.clone());
                planned
            }
        }
    }
}

/// The time that plans are asked about.
fn time_of(twin: &Twin) -> Timestamp {
    twin.scope()
        .at
        .or(twin.last_recorded_at())
        .unwrap_or_default()
}

/// Calls `f` with each aspect that an event sets, or that a correction takes and gives back.
fn for_each_aspect(event: &Recorded<'_>, f: &mut dyn FnMut(werkbuch_model::event::Aspect<'_>)) {
    let mut of = |body: &Body<'_>| body.for_each_aspect(&mut |aspect| f(aspect));
    of(&event.reported.body);
    for corrected in &event.corrected {
        of(&corrected.body);
        corrected
            .restored
            .iter()
            .for_each(|restored| of(&restored.body));
    }
}
