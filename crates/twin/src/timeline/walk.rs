//! Goes through a machine's events in plant order, and ends an interval wherever its view changes.

use super::count::{Counters, Parts};
use super::history::History;
use super::interval::{ALARMS_SHOWN, Interval};
use crate::course::Happening;
use crate::quality::Window;
use crate::scope::Scope;
use crate::view::{MachineTwin, ShownBy};
use crate::{FoldError, Twin, window};
use std::collections::BTreeSet;
use werkbuch_model::event::{AspectKind, Body, Mode, State};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;

/// Makes timelines of a plant's machines, one after another, over one window.
#[derive(Clone, Debug)]
pub struct Walk {
    twin: Twin,
    window: Window,
    /// What the twin tracked when the window began.
    tracked: window::Window,
    /// The greatest position that came from before the window.
    before: Position,
}

/// What intervals differ by.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    covered: bool,
    shown: State,
    shown_by: ShownBy,
    signal: State,
    native: Box<str>,
    reason: Box<str>,
    mode: Option<Mode>,
    program: Option<Box<str>>,
    order: Box<str>,
}

/// One machine on its way through the window.
struct Way<'w, 'e> {
    walk: &'w mut Walk,
    machine: MachineNumber,
    facts: Vec<Happening<'e>>,
    counters: Counters,
    /// The positions that the twin was given instead of their own, in order.
    positions: Vec<Position>,
    first: Position,
    alarms: BTreeSet<Box<str>>,
    /// The alarms that stood in the interval that is open.
    stood: BTreeSet<Box<str>>,
    last: Option<Shown>,
    intervals: Vec<Interval>,
}

/// What was counted at one moment.
#[derive(Default)]
struct Counted {
    cycles: u64,
    parts: Parts,
}

impl Walk {
    /// Walks over a window, from a twin of the plant right before it: one that holds what took effect
    /// before the window's begin, as it is known by now.
    #[must_use]
    pub fn new(mut before: Twin, window: Window) -> Self {
        before.scope = Scope { at: None };
        Self {
            tracked: before.window,
            before: before.position(),
            twin: before,
            window,
        }
    }

    /// The sources that had the say of a machine's aspects when the window began.
    pub fn sources_before(
        &self,
        machine: MachineNumber,
    ) -> impl Iterator<Item = werkbuch_model::id::SourceNumber> + '_ {
        let state = self.twin.machine(machine);
        let slots = state.map_or(&[][..], |machine| machine.slots());
        slots.iter().map(|slot| slot.source)
    }

    /// The intervals of a machine, of its events and of the times in which something about it is lost.
    ///
    /// # Errors
    ///
    /// [`FoldError::UnknownSource`] when an event names a source that was not opened by then.
    pub fn timeline(
        &mut self,
        history: History<'_>,
        unseen: &[Window],
    ) -> Result<Vec<Interval>, FoldError> {
        self.twin.window = self.tracked;
        let (machine, window) = (history.machine, self.window);
        if window.from >= window.to {
            return Ok(Vec::new());
        }
        let facts = history.into_facts();
        let mut facts: Vec<Happening<'_>> = facts
            .filter(|fact| window.holds(fact.order.effective_at))
            .collect();
        facts.sort_by(|a, b| self.twin.sources.compare(&a.order, &b.order));
        let first = self.twin.position().next();
        let mut way = Way {
            walk: self,
            machine,
            facts,
            counters: Counters::default(),
            positions: Vec::new(),
            first,
            alarms: BTreeSet::new(),
            stood: BTreeSet::new(),
            last: None,
            intervals: Vec::new(),
        };
        way.go(unseen)?;
        Ok(way.intervals)
    }
}

impl Way<'_, '_> {
    fn go(&mut self, unseen: &[Window]) -> Result<(), FoldError> {
        self.read_counters();
        self.read_alarms();
        let window = self.walk.window;
        let borders = unseen.iter().flat_map(|time| [time.from, time.to]);
        let mut borders: Vec<Timestamp> = borders.filter(|time| window.holds(*time)).collect();
        borders.sort_unstable();
        let mut borders = borders.into_iter().peekable();
        let facts = std::mem::take(&mut self.facts);
        let mut facts = facts.into_iter().peekable();
        let mut at = window.from;
        loop {
            let mut counted = Counted::default();
            let (mut moved, mut alarmed) = (self.last.is_none(), false);
            while let Some(fact) = facts.next_if(|fact| fact.order.effective_at == at) {
                moved |= changes_view(&fact.body);
                alarmed |= changes_alarms(&fact.body);
                self.fold(fact, &mut counted)?;
            }
            while borders.next_if(|border| *border == at).is_some() {
                moved = true;
            }
            if alarmed {
                self.read_alarms();
            }
            self.moment(at, moved, unseen, &counted);
            let next = facts.peek().map(|fact| fact.order.effective_at);
            at = match (next, borders.peek()) {
                (Some(fact), Some(border)) => fact.min(*border),
                (Some(fact), None) => fact,
                (None, Some(border)) => *border,
                (None, None) => break,
            };
        }
        self.close(window.to);
        if let Some(last) = self.intervals.last_mut() {
            last.open = true;
        }
        Ok(())
    }

    /// Lets the twin take a fact, as an event that comes after all before it.
    fn fold(&mut self, fact: Happening<'_>, counted: &mut Counted) -> Result<(), FoldError> {
        let position = self.walk.twin.position().next();
        self.positions.push(fact.position);
        let counter = match &fact.body {
            Body::PartProduced(said) => Some(Box::<str>::from(&*said.counter)),
            _ => None,
        };
        let cycle = matches!(fact.body, Body::CycleCompleted(_));
        let event = Happening { position, ..fact }.into_recorded();
        self.walk.twin.apply(&event)?;
        let Some(machine) = self.walk.twin.machine(self.machine) else {
            return Ok(());
        };
        // What another source has the say about is not counted twice.
        if cycle {
            let ends = machine.values(AspectKind::CycleEnd);
            let says = ends.iter().any(|end| end.position == position);
            counted.cycles = counted.cycles.saturating_add(u64::from(says));
        }
        if let Some(counter) = counter {
            let counters = machine.counters();
            let found = counters.iter().find(|one| one.counter == &*counter);
            if let Some(found) = found {
                counted.parts += self.counters.step(found);
            }
        }
        Ok(())
    }

    /// What a moment was worth: what was counted belongs to what led to it, the view to what follows.
    fn moment(&mut self, at: Timestamp, moved: bool, unseen: &[Window], counted: &Counted) {
        if let Some(open) = self.intervals.last_mut() {
            count(open, counted);
        }
        let covered = !unseen.iter().any(|time| time.holds(at));
        let shown = moved.then(|| self.look(covered));
        match shown.filter(|shown| Some(shown) != self.last.as_ref()) {
            Some(shown) => {
                let is_first = self.intervals.is_empty();
                self.close(at);
                self.open(at, &shown);
                self.last = Some(shown);
                if let Some(open) = self.intervals.last_mut().filter(|_| is_first) {
                    count(open, counted);
                }
            }
            None => self.stood.extend(self.alarms.iter().cloned()),
        }
    }

    fn look(&self, covered: bool) -> Shown {
        let machine = self.walk.twin.machine(self.machine);
        let state = machine.map(|machine| machine.state());
        let mode = machine.and_then(|machine| machine.mode());
        let (shown, shown_by, signal) = state.as_ref().map_or(
            (State::Unavailable, ShownBy::Nothing, State::Unavailable),
            |state| (state.shown, state.shown_by, state.signal),
        );
        Shown {
            covered,
            shown,
            shown_by,
            signal,
            native: state.as_ref().map_or("", |state| state.native).into(),
            reason: state.as_ref().map_or("", |state| state.reason).into(),
            mode: mode.map(|mode| mode.mode),
            program: machine.and_then(program),
            order: machine.map(|machine| machine.order()).unwrap_or_default(),
        }
    }

    fn open(&mut self, at: Timestamp, shown: &Shown) {
        let machine = self.walk.twin.machine(self.machine);
        let state = machine.map(|machine| machine.state());
        self.stood = self.alarms.clone();
        self.intervals.push(Interval {
            begin: at,
            end: at,
            open: false,
            covered: shown.covered,
            shown: shown.shown,
            shown_by: shown.shown_by,
            signal: shown.signal,
            native: shown.native.clone(),
            reason: shown.reason.clone(),
            since: state.as_ref().and_then(|state| state.since),
            position: state
                .and_then(|state| state.position)
                .map(|at| self.real(at)),
            mode: shown.mode,
            program: shown.program.clone(),
            order: shown.order.clone(),
            alarms: Vec::new(),
            alarms_total: 0,
            cycles: 0,
            parts: Parts::default(),
        });
    }

    fn close(&mut self, at: Timestamp) {
        if let Some(open) = self.intervals.last_mut() {
            open.end = at;
            open.alarms_total = u32::try_from(self.stood.len()).unwrap_or(u32::MAX);
            let stood = std::mem::take(&mut self.stood);
            open.alarms = stood.into_iter().take(ALARMS_SHOWN).collect();
        }
    }

    /// The position of the log for one that the twin was given.
    fn real(&self, given: Position) -> Position {
        if given <= self.walk.before || given < self.first {
            return given;
        }
        let at = usize::try_from(given.get() - self.first.get()).unwrap_or(usize::MAX);
        self.positions.get(at).copied().unwrap_or(given)
    }

    fn read_counters(&mut self) {
        let machine = self.walk.twin.machine(self.machine);
        for view in machine.map(|one| one.counters()).unwrap_or_default() {
            // Where it stands is what later ones count from.
            let _ = self.counters.step(&view);
        }
    }

    fn read_alarms(&mut self) {
        let machine = self.walk.twin.machine(self.machine);
        let alarms = machine.map(|one| one.alarms()).unwrap_or_default();
        let active = alarms.iter().filter(|alarm| alarm.active);
        self.alarms = active.map(|alarm| alarm.key.into()).collect();
    }
}

fn count(interval: &mut Interval, counted: &Counted) {
    interval.cycles = interval.cycles.saturating_add(counted.cycles);
    interval.parts += counted.parts;
}

fn changes_view(body: &Body<'_>) -> bool {
    !changes_alarms(body) && !matches!(body, Body::CycleCompleted(_) | Body::PartProduced(_))
        || matches!(body, Body::ConnectionChanged(_))
}

/// Also a connection: it decides whose alarms count.
fn changes_alarms(body: &Body<'_>) -> bool {
    matches!(
        body,
        Body::AlarmRaised(_)
            | Body::AlarmAcknowledged(_)
            | Body::AlarmCleared(_)
            | Body::ConnectionChanged(_)
    )
}

fn program(machine: MachineTwin<'_>) -> Option<Box<str>> {
    let programs = machine.programs();
    let main = programs.iter().find(|one| one.slot.is_empty())?;
    main.program.map(Into::into)
}
