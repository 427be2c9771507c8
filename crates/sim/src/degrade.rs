//! What goes wrong between the machines and the log, as it does in real plants.

use crate::kernel::{Distribution, Purpose, Stream, Streams};
use crate::report::{Beside, Said};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use werkbuch_model::event::{Body, State, Text, Vocabulary};
use werkbuch_model::time::Timestamp;

/// What is wrong with the reporting of a plant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Degrade {
    /// Nobody reads the numbers of parts: no part enters or leaves, and no event names one.
    pub no_part_identity: bool,
    /// The share of machines that cannot say that they starve or are blocked, only that they wait.
    pub no_starved_blocked: f64,
    /// The probability that a counter misses a part or counts it twice.
    pub miscounts: f64,
    /// The probability that an event reaches its gateway late, by up to some minutes, after others.
    pub late: f64,
    /// The share of machines whose clocks are wrong, most by seconds, some by hours or years.
    pub clock_offset: f64,
    /// How many hours lie between two times at which a gateway is cut off, and catches up
    /// afterwards; 0: never.
    pub offline_every_h: f64,
}

/// The names of the single degradations, with what each does.
pub const DEGRADATIONS: [(&str, &str); 6] = [
    (
        "no-part-identity",
        "no event names a part; parts are only counted",
    ),
    ("no-starved-blocked", "machines say that they wait, not why"),
    (
        "miscounts",
        "one count in two hundred is missed or made twice",
    ),
    (
        "late",
        "one event in twenty-five reaches its gateway seconds or minutes late",
    ),
    (
        "clock-offset",
        "one machine in five has a wrong clock, a few of them by years",
    ),
    (
        "offline",
        "each gateway is cut off every one or two hours, and catches up",
    ),
];
/// The names of the levels, with what each stands for.
pub const LEVELS: [(&str, &str); 4] = [
    ("none", "everything is reported as it is"),
    ("light", "a few late events and a few wrong clocks"),
    (
        "real",
        "late, clock-offset, miscounts, offline, and half of the machines without starved and blocked",
    ),
    ("harsh", "everything, and more often"),
];

/// The mean of a time for which a gateway is cut off, in seconds.
const OFFLINE_S: f64 = 240.0;
/// How much later than the event its gateway sees it, when nothing is wrong.
const SEEN_AFTER_NS: i64 = 50_000_000;

/// Why a text names no degradation. Use the names listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is neither a level ({}) nor a degradation ({})", names(&LEVELS), names(&DEGRADATIONS))]
pub struct UnknownDegradation {
    /// What was found.
    pub found: String,
}

fn names(of: &[(&str, &str)]) -> String {
    of.iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(", ")
}

impl Degrade {
    /// Reads a level, or single degradations with commas between them.
    /// Errors: [`UnknownDegradation`] for the first name that is neither.
    pub fn parse(text: &str) -> Result<Self, UnknownDegradation> {
        let mut degrade = Self::default();
        for name in text.split(',').map(str::trim) {
            match name {
                "none" => {}
                "light" => (degrade.late, degrade.clock_offset) = (0.005, 0.05),
                "real" => {
                    degrade = Self {
                        no_part_identity: degrade.no_part_identity,
                        no_starved_blocked: 0.5,
                        ..Self::all()
                    }
                }
                "harsh" => {
                    degrade = Self {
                        miscounts: 0.02,
                        late: 0.12,
                        clock_offset: 0.35,
                        offline_every_h: 0.5,
                        ..Self::all()
                    }
                }
                "no-part-identity" => degrade.no_part_identity = true,
                "no-starved-blocked" => degrade.no_starved_blocked = Self::all().no_starved_blocked,
                "miscounts" => degrade.miscounts = Self::all().miscounts,
                "late" => degrade.late = Self::all().late,
                "clock-offset" => degrade.clock_offset = Self::all().clock_offset,
                "offline" => degrade.offline_every_h = Self::all().offline_every_h,
                other => {
                    return Err(UnknownDegradation {
                        found: other.to_owned(),
                    });
                }
            }
        }
        Ok(degrade)
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    const fn all() -> Self {
        Self {
            no_part_identity: true,
            no_starved_blocked: 1.0,
            miscounts: 0.005,
            late: 0.04,
            clock_offset: 0.2,
            offline_every_h: 1.5,
        }
    }
}

/// An event as a gateway hands it on.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivered {
    /// When the gateway hands it on, in nanoseconds from the start of the run.
    pub due_ns: u64,
    /// Which source it is, an index of the run's source names.
    pub source: usize,
    /// The machine, an index of the layout's; absent when it is about the plant.
    pub machine: Option<usize>,
    /// When it happened, by the machine's clock.
    pub occurred_at: Timestamp,
    /// When the gateway saw it, by the gateway's clock.
    pub observed_at: Timestamp,
    /// What it says.
    pub body: Body<'static>,
    /// What goes with it.
    pub beside: Beside,
}

/// A time for which a gateway was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The source.
    pub source: usize,
    /// When it began, in nanoseconds from the start.
    pub from_ns: u64,
    /// When it ended.
    pub to_ns: u64,
}

/// What went wrong so far, for whoever compares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Times for which gateways were cut off.
    pub outages: Vec<Outage>,
    /// Events that came late to their gateway.
    pub late: u64,
    /// Counts that were missed or made twice.
    pub miscounted: u64,
    /// By machine whose clock is wrong: how far it is ahead, in nanoseconds.
    pub clocks: Vec<(usize, i64)>,
}

/// The way from what is said to what is handed on.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    degrade: Degrade,
    start: Timestamp,
    chance: Stream,
    clocks: Vec<i64>,
    mute: Vec<bool>,
    outages: Vec<(Outage, Stream)>,
    states: Vec<Option<(State, Text<'static>)>>,
    counters: BTreeMap<(usize, String), (u32, i64, Option<u64>)>,
    /// When what may be corrected is handed on, by its mark.
    marks: BTreeMap<u64, u64>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    taken: u64,
    pub(crate) faults: Faults,
}

#[derive(Clone, Debug)]
struct Waiting {
    key: (u64, u64),
    event: Delivered,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl Line {
    pub(crate) fn new(
        degrade: Degrade,
        start: Timestamp,
        machines: usize,
        sources: usize,
        streams: &Streams,
    ) -> Self {
        let mut chance = streams.stream(5 << 20, Purpose::Reporting);
        let clocks: Vec<i64> = (0..machines).map(|_| clock(degrade, &mut chance)).collect();
        let wrong = clocks
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, offset)| *offset != 0);
        let faults = Faults {
            clocks: wrong.collect(),
            ..Faults::default()
        };
        let outages = (0..sources).map(|source| {
            let number = u32::try_from(source).unwrap_or(0);
            let mut stream = streams.stream(number, Purpose::Reporting);
            (outage(degrade, source, 0, &mut stream), stream)
        });
        Self {
            degrade,
            start,
            mute: (0..machines)
                .map(|_| chance.chance(degrade.no_starved_blocked))
                .collect(),
            chance,
            clocks,
            outages: outages.collect(),
            states: vec![None; machines],
            counters: BTreeMap::new(),
            marks: BTreeMap::new(),
            waiting: BinaryHeap::new(),
            taken: 0,
            faults,
        }
    }

    /// Takes what was said; it comes out of [`next_until`](Self::next_until) when it is due.
    pub(crate) fn take(&mut self, said: Said) {
        let Said {
            at_ns,
            source,
            machine,
            body,
            beside,
        } = said;
        let Some(body) = self.spoil(machine, body) else {
            return;
        };
        let nanos = i64::try_from(at_ns).unwrap_or(i64::MAX);
        let happened = self.start.plus(nanos);
        let offset = machine
            .and_then(|at| self.clocks.get(at))
            .copied()
            .unwrap_or(0);
        let mut seen_ns = at_ns;
        if self.degrade.late > 0.0 && self.chance.chance(self.degrade.late) {
            self.faults.late += 1;
            let delay = Distribution::Exponential(25.0).draw_ns(&mut self.chance);
            seen_ns = at_ns.saturating_add(delay.min(300_000_000_000));
        }
        let delay = i64::try_from(seen_ns - at_ns).unwrap_or(0);
        let mut due_ns = self.online_from(source, seen_ns);
        if let Some(mark) = beside.mark {
            self.marks.insert(mark, due_ns);
        }
        if let Some(mark) = beside.corrects {
            // Nobody corrects what was never said, or before it was.
            let Some(said_ns) = self.marks.remove(&mark) else {
                return;
            };
            due_ns = due_ns.max(said_ns);
        }
        let event = Delivered {
            due_ns,
            source,
            machine,
            occurred_at: happened.plus(offset),
            observed_at: happened.plus(delay).plus(SEEN_AFTER_NS),
            body,
            beside,
        };
        self.taken += 1;
        self.waiting.push(Reverse(Waiting {
            key: (event.due_ns, self.taken),
            event,
        }));
    }

    /// The next event that is due at `until_ns` at the latest.
    pub(crate) fn next_until(&mut self, until_ns: u64) -> Option<Delivered> {
        let Reverse(first) = self.waiting.peek()?;
        if first.key.0 > until_ns {
            return None;
        }
        self.waiting.pop().map(|Reverse(waiting)| waiting.event)
    }

    /// When a source that has something to hand on at a time is connected.
    fn online_from(&mut self, source: usize, at_ns: u64) -> u64 {
        let degrade = self.degrade;
        let Some((outage_now, stream)) = self.outages.get_mut(source) else {
            return at_ns;
        };
        while outage_now.to_ns <= at_ns && outage_now.to_ns > 0 {
            *outage_now = outage(degrade, source, outage_now.to_ns, stream);
        }
        if outage_now.to_ns == 0 || at_ns < outage_now.from_ns {
            return at_ns;
        }
        if self.faults.outages.last() != Some(outage_now)
            && !self.faults.outages.contains(outage_now)
        {
            self.faults.outages.push(*outage_now);
        }
        outage_now.to_ns
    }

    /// What is left of what was said; nothing when it is not said at all.
    fn spoil(&mut self, machine: Option<usize>, mut body: Body<'static>) -> Option<Body<'static>> {
        if self.degrade.no_part_identity && !forget_part(&mut body) {
            return None;
        }
        let Some(machine) = machine else {
            return Some(body);
        };
        match &mut body {
            Body::StateChanged(state) if self.mute.get(machine) == Some(&true) => {
                if matches!(state.to, State::Starved | State::Blocked) {
                    state.to = State::Waiting;
                    if state.vocabulary == Vocabulary::Canonical {
                        state.native = Text::Borrowed("WAITING");
                    }
                }
                if matches!(state.from, State::Starved | State::Blocked) {
                    state.from = State::Waiting;
                }
                let said = Some((state.to, state.native.clone()));
                let last = self.states.get_mut(machine)?;
                if *last == said {
                    return None;
                }
                *last = said;
            }
            Body::PartProduced(part) if self.degrade.miscounts > 0.0 => {
                let value = part.value?;
                let key = (machine, part.counter.to_string());
                let (epoch, offset, last) =
                    self.counters
                        .entry(key)
                        .or_insert((part.reset_epoch, 0, None));
                if *epoch != part.reset_epoch {
                    (*epoch, *offset) = (part.reset_epoch, 0);
                } else if value > 0 && self.chance.chance(self.degrade.miscounts) {
                    *offset += if self.chance.chance(0.5) { 1 } else { -1 };
                    self.faults.miscounted += 1;
                }
                let wrong = value.saturating_add_signed(*offset);
                let wrong = if part.modulus > 0 {
                    wrong % part.modulus
                } else {
                    wrong
                };
                if *last == Some(wrong) && value != 0 {
                    return None;
                }
                *last = Some(wrong);
                part.value = Some(wrong);
            }
            _ => {}
        }
        Some(body)
    }
}

/// How far a machine's clock is ahead.
fn clock(degrade: Degrade, chance: &mut Stream) -> i64 {
    let (is_wrong, how, seconds) = (
        chance.chance(degrade.clock_offset),
        chance.unit(),
        chance.between(-40.0, 40.0),
    );
    if !is_wrong {
        return 0;
    }
    // Of a hundred wrong clocks five lag by years, ten are on another time zone's hour.
    let off_s = if how < 0.05 {
        -15.0 * 365.0 * 86_400.0
    } else if how < 0.15 {
        3_600.0
    } else {
        seconds
    };
    (off_s * 1e9) as i64
}

fn outage(degrade: Degrade, source: usize, after_ns: u64, stream: &mut Stream) -> Outage {
    if degrade.offline_every_h <= 0.0 {
        return Outage {
            source,
            from_ns: 0,
            to_ns: 0,
        };
    }
    let up = Distribution::Exponential(degrade.offline_every_h * 3_600.0).draw_ns(stream);
    let from_ns = after_ns.saturating_add(up);
    let length = Distribution::Lognormal(OFFLINE_S, 0.8)
        .draw_ns(stream)
        .max(1);
    Outage {
        source,
        from_ns,
        to_ns: from_ns.saturating_add(length),
    }
}

/// Takes the part's name out of what is said. Whether anything is left to be said.
fn forget_part(body: &mut Body<'static>) -> bool {
    let none = Text::Borrowed("");
    match body {
        Body::PartEntered(_)
        | Body::PartLeft(_)
        | Body::PartsJoined(_)
        | Body::PartSplit(_)
        | Body::PartDispositioned(_) => return false,
        Body::CycleStarted(body) => body.part = none,
        Body::CycleCompleted(body) => body.part = none,
        Body::PartProduced(body) => body.part = none,
        Body::ProcessResult(body) => body.part = none,
        Body::QualityResult(body) => body.part = none,
        Body::MaterialConsumed(body) => body.part = none,
        _ => {}
    }
    true
}
