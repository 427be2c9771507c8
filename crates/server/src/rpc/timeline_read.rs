//! Reads what timelines need of the log once, and makes them machine by machine.

use super::timeline_waits::{Wait, causes, in_flow, may_wait, waits};
use crate::limits::{
    NEAR_MACHINES_MAX, SURVEY_EVENTS_MAX, TIMELINE_BYTES_MAX, TIMELINE_PART_BYTES,
};
use crate::view::timeline::{Of, parts};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use werkbuch_engine::{EngineError, Plant, Survey};
use werkbuch_model::event::{Body, Recorded};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_record::{decode_recorded, encode_recorded};
use werkbuch_twin::Twin;
use werkbuch_twin::quality::Window;
use werkbuch_twin::timeline::{Bucket, History, Interval, Levels, Unseen, Walk, matters};
use werkbuch_wire::pb;

/// What the answer is about.
#[derive(Clone)]
pub(super) struct Ground {
    pub(super) window: Window,
    /// The machines by number, with their names.
    pub(super) machines: BTreeMap<MachineNumber, String>,
    pub(super) plant_size: u32,
    /// Those of them that count good parts, and have no counter of all.
    pub(super) by_good: BTreeSet<MachineNumber>,
    /// Whether parts pass one of the machines.
    pub(super) in_flow: bool,
}

/// In what form it is wanted.
pub(super) struct Shape {
    pub(super) levels: Option<Levels>,
    pub(super) without_intervals: bool,
    /// Whether it is found out why machines wait.
    pub(super) with_waits: bool,
}

/// The timelines of machines on their way.
pub(super) struct Reading {
    plant: Plant,
    ground: Ground,
    shape: Shape,
    walk: Walk,
    unseen: Unseen,
    survey: Survey,
    /// The events that matter of each machine that is still to come, as stored, in order.
    events: BTreeMap<MachineNumber, Vec<Vec<u8>>>,
    /// The machines that may wait without saying why.
    asking: BTreeSet<MachineNumber>,
    /// The timelines of few machines that are folded before their turn.
    folded: BTreeMap<MachineNumber, Vec<Interval>>,
    /// Why machines wait.
    waits: BTreeMap<MachineNumber, Vec<Wait>>,
    /// The machines that are still to come, the last one first.
    left: Vec<MachineNumber>,
    /// Parts of timelines that wait for a message.
    waiting: VecDeque<pb::Timeline>,
    room: Vec<Bucket>,
    done: usize,
}

impl Reading {
    /// `done` machines have been answered with before.
    pub(super) fn new(
        plant: Plant,
        ground: Ground,
        shape: Shape,
        before: Twin,
        done: usize,
    ) -> Self {
        let left: Vec<_> = ground.machines.keys().skip(done).rev().copied().collect();
        let asks = |number: &&MachineNumber| {
            let machine = before.machine(**number);
            machine.is_some_and(|machine| may_wait(&machine))
        };
        let asking = left.iter().filter(asks).copied().collect();
        let ground = Ground {
            in_flow: ground.in_flow || in_flow(&before, &left.iter().copied().collect()),
            ..ground
        };
        Self {
            asking,
            folded: BTreeMap::new(),
            waits: BTreeMap::new(),
            walk: Walk::new(before, ground.window),
            unseen: Unseen::new(ground.window),
            survey: Survey {
                first: Position(0),
                last: Position(0),
                complete: true,
            },
            events: BTreeMap::new(),
            left,
            waiting: VecDeque::new(),
            room: Vec::new(),
            done: done.min(ground.machines.len()),
            plant,
            ground,
            shape,
        }
    }

    pub(super) fn ground(&self) -> &Ground {
        &self.ground
    }

    pub(super) fn survey(&self) -> Survey {
        self.survey
    }

    pub(super) fn done(&self) -> usize {
        self.done
    }

    pub(super) fn is_done(&self) -> bool {
        self.left.is_empty() && self.waiting.is_empty()
    }

    /// Reads the part of the log that can matter. Blocking. Errors: those of the log and the fold.
    pub(super) fn read(&mut self, bound: Position) -> Result<(), EngineError> {
        if self.left.len() > NEAR_MACHINES_MAX || !self.read_near(bound)? {
            self.read_all(bound)?;
        }
        if self.shape.with_waits && self.ground.in_flow && !self.asking.is_empty() {
            let window = match self.left.len() <= NEAR_MACHINES_MAX {
                true => self.waiting_time()?,
                false => Some(self.ground.window),
            };
            if let Some(window) = window {
                self.waits = causes(&self.plant, bound, window, &self.asking)?;
            }
        }
        Ok(())
    }

    /// From the first time that a machine waits without saying why to the end of the last: outside of it
    /// nothing of the plant needs be read to tell why.
    fn waiting_time(&mut self) -> Result<Option<Window>, EngineError> {
        let mut time: Option<Window> = None;
        for machine in self.left.clone() {
            let intervals = self.fold(machine)?;
            for one in intervals.iter().filter(|one| waits(one.shown)) {
                time = Some(Window {
                    from: time.map_or(one.begin, |time| time.from.min(one.begin)),
                    to: time.map_or(one.end, |time| time.to.max(one.end)),
                });
            }
            self.folded.insert(machine, intervals);
        }
        Ok(time)
    }

    /// Reads only what is about the machines, and what is about none. False when something is lost: when
    /// that was is told by what the source says of other machines, so all has to be read.
    fn read_near(&mut self, bound: Position) -> Result<bool, EngineError> {
        let machines = self.left.iter().rev().copied();
        for machine in [MachineNumber(0)].into_iter().chain(machines) {
            let (kept, asking) = (&mut self.events, &mut self.asking);
            let (mut bytes, mut lost) = (0_usize, false);
            let of_machine = kept.entry(machine).or_default();
            let mut take = |event: &Recorded<'_>| {
                let body = &event.reported.body;
                lost |= matches!(body, Body::GapDetected(_));
                if machine.get() != 0 && matters(body) {
                    let stored = encode_recorded(event);
                    bytes = bytes.saturating_add(stored.len());
                    of_machine.push(stored);
                    if asks(body) {
                        asking.insert(machine);
                    }
                }
                match lost || bytes >= TIMELINE_BYTES_MAX / NEAR_MACHINES_MAX {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            };
            let from = self.ground.window.from;
            let near = (machine, SURVEY_EVENTS_MAX);
            let survey = self.plant.survey_near(from, bound, near, &mut take)?;
            if lost || !survey.complete {
                self.events.clear();
                return Ok(false);
            }
            self.survey = survey;
        }
        self.events.remove(&MachineNumber(0));
        Ok(true)
    }

    fn read_all(&mut self, bound: Position) -> Result<(), EngineError> {
        for machine in &self.left {
            for source in self.walk.sources_before(*machine).collect::<Vec<_>>() {
                self.unseen.speaks(*machine, source);
            }
            self.events.insert(*machine, Vec::new());
        }
        let (unseen, events) = (&mut self.unseen, &mut self.events);
        let asking = &mut self.asking;
        let mut bytes = 0_usize;
        let mut take = |event: &Recorded<'_>| {
            unseen.take(event);
            let reported = &event.reported;
            if matters(&reported.body)
                && let Some(of_machine) = events.get_mut(&reported.machine)
            {
                let stored = encode_recorded(event);
                bytes = bytes.saturating_add(stored.len());
                of_machine.push(stored);
                if asks(&reported.body) {
                    asking.insert(reported.machine);
                }
            }
            if bytes >= TIMELINE_BYTES_MAX {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let from = self.ground.window.from;
        self.survey = self
            .plant
            .survey(from, bound, SURVEY_EVENTS_MAX, &mut take)?;
        Ok(())
    }

    /// The next timelines, or parts of one, that make a message. Blocking. Errors: the log holds what
    /// cannot be folded.
    pub(super) fn next(&mut self) -> Result<Vec<pb::Timeline>, EngineError> {
        let mut timelines = Vec::new();
        let mut bytes = 0_usize;
        while bytes < TIMELINE_PART_BYTES {
            if self.waiting.is_empty()
                && let Some(machine) = self.left.pop()
            {
                let parts = self.machine(machine)?;
                self.waiting.extend(parts);
            }
            let Some(part) = self.waiting.pop_front() else {
                break;
            };
            bytes = bytes.saturating_add(part.encoded_len());
            self.done += usize::from(part.complete);
            timelines.push(part);
        }
        Ok(timelines)
    }

    /// The intervals of a machine, from its events.
    fn fold(&mut self, machine: MachineNumber) -> Result<Vec<Interval>, EngineError> {
        let stored = self.events.remove(&machine).unwrap_or_default();
        let mut history = History::new(machine);
        for bytes in &stored {
            let event = decode_recorded(bytes).map_err(|cause| EngineError::Internal {
                what: format!("an event of machine {machine} cannot be read again: {cause}"),
            })?;
            history.take(event);
        }
        let unseen = self.unseen.of(machine);
        let intervals = self.walk.timeline(history, &unseen);
        intervals.map_err(|cause| EngineError::Internal {
            what: format!("the timeline of machine {machine} cannot be folded: {cause}"),
        })
    }

    fn machine(&mut self, machine: MachineNumber) -> Result<Vec<pb::Timeline>, EngineError> {
        let intervals = match self.folded.remove(&machine) {
            Some(intervals) => intervals,
            None => self.fold(machine)?,
        };
        let name = self.ground.machines.get(&machine);
        let of = Of {
            name: name.map_or("", String::as_str),
            number: machine,
            by_good: self.ground.by_good.contains(&machine),
            without_intervals: self.shape.without_intervals,
            waits: self.waits.get(&machine).map_or(&[], Vec::as_slice),
        };
        let levels = self.shape.levels.as_ref();
        Ok(parts(&of, &intervals, levels, &mut self.room))
    }
}

/// Whether a machine may wait after this without saying why. What a correction makes of an event is not
/// looked at.
fn asks(body: &Body<'_>) -> bool {
    match body {
        Body::StateChanged(said) => waits(said.to),
        Body::CorrectionRecorded(_) => true,
        _ => false,
    }
}
