//! Searches one plant: forward through the window, back to where what holds already began.

use super::ask::Asked;
use super::basis::Unavailable;
use super::choice::{Choice, Hit};
use crate::limits::{FIND_MOMENTS, SURVEY_EVENTS_MAX};
use crate::sweep::{Gauge, Sweep, Watch, Why};
use std::collections::BTreeMap;
use std::sync::Arc;
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::filter::Filter;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_twin::quality::Window;
use werkbuch_wire::name;
use werkbuch_wire::pb::FindWhich;

/// The first stretch that is looked back over; each further one is four times as long.
const BACK_FIRST_NS: i64 = 3_600 * 1_000_000_000;
/// The least last part of a window that is searched for what is last; each further one is eight times as long.
const LAST_FIRST_NS: i64 = 600 * 1_000_000_000;

/// A plant to be searched.
#[derive(Clone, Debug)]
pub(in crate::rpc) struct Part {
    pub(in crate::rpc) plant: Plant,
    /// As it is at the time that is asked about.
    pub(in crate::rpc) twin: Twin,
    pub(in crate::rpc) known: Position,
    pub(in crate::rpc) window: Window,
}

impl Part {
    /// The name of a machine, as it is called at the time that is asked about.
    pub(in crate::rpc) fn name_of(&self, machine: MachineNumber) -> String {
        let name_of = self.twin.description().name_of(machine);
        let id = name_of.map_or_else(|| machine.to_string(), |name| name.as_str().to_owned());
        name::of_machine(self.plant.id().as_str(), &id)
    }
}

/// A search of one plant.
#[derive(Debug)]
pub(super) struct Search {
    part: Part,
    asked: Arc<Asked>,
    gauge: Arc<Gauge>,
    choice: Choice,
    /// The part of the window that is gone through: all of it, or its last part.
    window: Window,
    on_the_way: Option<Way>,
    /// When machines could not be reached, in the window that is gone through.
    unavailable: Unavailable,
    done: bool,
}

/// A plant on its way through the window, and what is watched.
#[derive(Debug)]
struct Way {
    sweep: Sweep,
    watch: Watch,
    unavailable: Watch,
}

impl Search {
    pub(super) fn new(part: Part, asked: Arc<Asked>, gauge: Arc<Gauge>) -> Self {
        let window = part.window;
        let mut search = Self {
            choice: Choice::new(&asked),
            // A plant whose clock stands before the window has nothing in it.
            done: window.from >= window.to,
            part,
            asked,
            gauge,
            window,
            on_the_way: None,
            unavailable: Unavailable::default(),
        };
        if search.ends_first() {
            let length = window.to.since(window.from) / 64;
            search.reach_back(length.max(LAST_FIRST_NS));
        }
        search
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Goes on for a while, and answers what was found. Blocking. Errors: those of the log and the fold.
    pub(super) fn step(&mut self) -> Result<Vec<Hit>, EngineError> {
        let mut way = match self.on_the_way.take() {
            Some(on_the_way) => on_the_way,
            None => match self.begin()? {
                Some(begun) => begun,
                None => return Ok(self.stopped()),
            },
        };
        for _ in 0..FIND_MOMENTS {
            let watches = (&mut way.watch, &mut way.unavailable);
            let Some(at) = way.sweep.watched_both(&self.gauge, watches)? else {
                if self.gauge.is_stopped() {
                    return Ok(self.stopped());
                }
                self.not_reached(&way.unavailable, self.window.to);
                self.end(&way.watch);
                return Ok(self.choice.take_ready());
            };
            for (machine, spell) in way.unavailable.settle(way.sweep.course(), at) {
                self.unavailable.take(machine, spell.begin, spell.end);
            }
            let ended = way.watch.settle(way.sweep.course(), at);
            if at == self.window.from && !self.begin_truly(&mut way.watch)? {
                return Ok(self.stopped());
            }
            if ended.is_empty() {
                continue;
            }
            // What ends with the window's first moment was never in it.
            let begun = at > self.window.from;
            for found in ended.into_iter().filter(|_| begun) {
                self.take(Hit::of(found));
            }
            let holding = way.watch.held().map(|(machine, since, _)| (machine, since));
            if self.choice.is_decided(holding) {
                self.not_reached(&way.unavailable, at);
                self.done = true;
                return Ok(self.choice.take_ready());
            }
        }
        self.on_the_way = Some(way);
        Ok(self.choice.take_ready())
    }

    /// What was chosen in the end, and when machines could not be reached in what was gone through.
    pub(super) fn into_best(self) -> (Vec<Hit>, Unavailable) {
        (self.choice.into_best(), self.unavailable)
    }

    /// Notes the machines that cannot be reached where the search ends.
    fn not_reached(&mut self, watch: &Watch, end: Timestamp) {
        for (machine, begin, _) in watch.held() {
            self.unavailable.take(machine, begin, end);
        }
    }

    fn stopped(&mut self) -> Vec<Hit> {
        self.done = true;
        Vec::new()
    }

    fn begin(&mut self) -> Result<Option<Way>, EngineError> {
        let Some(sweep) = self.sweep(self.window)? else {
            return Ok(None);
        };
        self.unavailable = Unavailable::default();
        let watch = |filter: &Filter| {
            let mut watch = Watch::new(filter.clone());
            watch.begin(sweep.course(), self.window.from.plus(-1));
            watch
        };
        Ok(Some(Way {
            watch: watch(&self.asked.filter),
            unavailable: watch(&self.asked.unavailable),
            sweep,
        }))
    }

    fn sweep(&self, window: Window) -> Result<Option<Sweep>, EngineError> {
        let (plant, known) = (self.part.plant.clone(), self.part.known);
        Sweep::begin(plant, known, window, self.asked.needs, &self.gauge)
    }

    /// Whether the search is for what is last alone, so that it begins with the end of the window.
    fn ends_first(&self) -> bool {
        self.asked.which == FindWhich::Last && !self.asked.per_machine
    }

    fn reach_back(&mut self, length_ns: i64) {
        let Window { from, to } = self.part.window;
        self.window.from = to.plus(length_ns.saturating_neg()).max(from);
    }

    /// The window is over: what holds still is found too.
    fn end(&mut self, watch: &Watch) {
        let end = self.window.to;
        let mut held: Vec<Hit> = watch
            .held()
            .map(|(machine, begin, why)| Hit {
                machine,
                begin,
                end,
                holds: true,
                why: why.clone(),
            })
            .collect();
        held.sort_by_key(|hit| (hit.begin, hit.machine));
        held.into_iter().for_each(|hit| self.take(hit));
        let begin = self.part.window.from;
        if self.window.from == begin || self.choice.has_best() {
            self.done = true;
        } else {
            let length = end.since(self.window.from);
            self.reach_back(length.saturating_mul(8));
        }
    }

    fn take(&mut self, hit: Hit) {
        // In the last part of a window that counts which begins in it: what began before is found when
        // the part is longer.
        let whole = self.window.from == self.part.window.from;
        if whole || hit.begin >= self.window.from {
            self.choice.take(hit);
        }
    }

    /// Finds when that began which holds at the window's begin and did before. False when nobody waits.
    /// Errors: those of the log and the fold.
    fn begin_truly(&self, watch: &mut Watch) -> Result<bool, EngineError> {
        let from = self.window.from;
        if from != self.part.window.from {
            return Ok(true);
        }
        let mut left: BTreeMap<MachineNumber, Why> = watch
            .held()
            .filter(|(_, since, _)| *since < from)
            .map(|(machine, _, why)| (machine, why.clone()))
            .collect();
        let look_back = i64::try_from(self.asked.look_back_ns).unwrap_or(i64::MAX);
        let (limit, read) = (from.plus(look_back.saturating_neg()), self.gauge.events());
        let (mut end, mut length) = (from, BACK_FIRST_NS);
        let spent = || self.gauge.events().saturating_sub(read) > SURVEY_EVENTS_MAX;
        while !left.is_empty() && end > limit && !spent() {
            let window = Window {
                from: end.plus(-length).max(limit),
                to: end,
            };
            let Some(before) = self.before(window)? else {
                return Ok(false);
            };
            left.retain(|machine, open| match before.since(*machine) {
                Some((since, why)) if since >= window.from => {
                    watch.began(*machine, since, why.clone());
                    false
                }
                Some((_, why)) => {
                    *open = why.clone();
                    true
                }
                None => true,
            });
            (end, length) = (window.from, length.saturating_mul(4));
        }
        for (machine, why) in left {
            watch.began(machine, end, why);
        }
        Ok(true)
    }

    /// Since when the condition held at the end of a window. Nothing when nobody waits.
    fn before(&self, window: Window) -> Result<Option<Watch>, EngineError> {
        let Some(mut sweep) = self.sweep(window)? else {
            return Ok(None);
        };
        let mut watch = Watch::new(self.asked.filter.clone());
        watch.begin(sweep.course(), window.from.plus(-1));
        loop {
            match sweep.watched(&self.gauge, &mut watch)? {
                Some(at) => drop(watch.settle(sweep.course(), at)),
                None if self.gauge.is_stopped() => return Ok(None),
                None => return Ok(Some(watch)),
            }
        }
    }
}
