//! What an answer rests on: where, in the time that it depends on, something of a plant is not known.

use super::search::Part;
use crate::sweep::Gauge;
use crate::view::fields::is_described;
use crate::view::row::MachineRow;
use crate::view::unsigned;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_engine::EngineError;
use werkbuch_model::filter::Filter;
use werkbuch_model::id::{MachineNumber, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::quality::Window;
use werkbuch_twin::timeline::{Hearing, Unseen};
use werkbuch_twin::{MachineTwin, Twin};
use werkbuch_wire::name;
use werkbuch_wire::pb::{BlindKind, BlindTime, FindBasis};

/// The most times that an answer tells of.
const TOLD_MAX: usize = 1_000;
/// The most times of machines that could not be reached that are kept of one plant.
const UNAVAILABLE_MAX: usize = 200_000;

/// The times for which machines could not be reached, as they are found on the way through a window.
#[derive(Clone, Debug, Default)]
pub(super) struct Unavailable {
    times: Vec<(MachineNumber, Window)>,
    is_full: bool,
}

impl Unavailable {
    pub(super) fn take(&mut self, machine: MachineNumber, begin: Timestamp, end: Timestamp) {
        self.is_full |= self.times.len() >= UNAVAILABLE_MAX;
        if !self.is_full {
            let time = Window {
                from: begin,
                to: end,
            };
            self.times.push((machine, time));
        }
    }
}

/// What the answers of several plants rest on, together.
#[derive(Debug)]
pub(super) struct Basis {
    window: Window,
    blind: Vec<BlindTime>,
    machines: usize,
    machines_known: usize,
    time_ns: u128,
    known_ns: u128,
    complete: bool,
}

/// What is asked of each plant.
pub(super) struct Question<'q> {
    pub(super) filter: &'q Filter,
    /// How long a source may be silent, in nanoseconds; absent for what its rhythm says.
    pub(super) silent_after_ns: Option<i64>,
    pub(super) gauge: &'q Gauge,
}

impl Basis {
    /// Of a time that an answer depends on.
    pub(super) fn new(window: Window) -> Self {
        Self {
            window,
            blind: Vec::new(),
            machines: 0,
            machines_known: 0,
            time_ns: 0,
            known_ns: 0,
            complete: true,
        }
    }

    /// Adds what is not known of a plant. Blocking. Errors: those of the log and the fold.
    pub(super) fn add(
        &mut self,
        part: &Part,
        unavailable: &Unavailable,
        question: &Question<'_>,
    ) -> Result<(), EngineError> {
        let window = Window {
            from: self.window.from.max(part.window.from),
            to: self.window.to.min(part.window.to),
        };
        if window.from >= window.to {
            return Ok(());
        }
        let before = part.plant.past_twin(part.known, window.from.plus(-1))?;
        let mut plant = PlantBasis::new(part, window, &before, question.filter);
        plant.read(question)?;
        plant.lost(self);
        plant.silent(self, question.silent_after_ns);
        plant.unavailable(self, unavailable);
        plant.sum(self);
        Ok(())
    }

    pub(super) fn message(mut self) -> FindBasis {
        self.blind.sort_by(|a, b| {
            let key = |one: &BlindTime| (one.kind, one.begin, one.end);
            key(a).cmp(&key(b)).then_with(|| {
                (&a.plant, &a.machine, &a.source).cmp(&(&b.plant, &b.machine, &b.source))
            })
        });
        let blind_size = unsigned(self.blind.len());
        self.blind.truncate(TOLD_MAX);
        FindBasis {
            from_time: self.window.from.nanos(),
            to_time: self.window.to.nanos(),
            machines: unsigned(self.machines),
            machines_known: unsigned(self.machines_known),
            time_ms: millis(self.time_ns),
            known_ms: millis(self.known_ns),
            blind: self.blind,
            blind_size,
            complete: self.complete,
        }
    }
}

/// What is not known of one plant.
struct PlantBasis<'p> {
    part: &'p Part,
    window: Window,
    /// The machines that count, with what is not known of each.
    machines: BTreeMap<MachineNumber, Vec<Window>>,
    unseen: Unseen,
    hearing: Hearing,
    /// Who spoke of which machine that counts.
    voices: BTreeSet<(SourceNumber, MachineNumber)>,
}

impl<'p> PlantBasis<'p> {
    fn new(part: &'p Part, window: Window, before: &Twin, filter: &Filter) -> Self {
        let mut machines = BTreeMap::new();
        for twin in [before, &part.twin] {
            for machine in twin.machines().filter(|one| one.described().is_some()) {
                let number = machine.number();
                let row = MachineRow::new(twin, machine);
                if filter.may_match(&row, &is_described) {
                    machines.insert(number, Vec::new());
                }
            }
        }
        let mut basis = Self {
            part,
            window,
            machines,
            unseen: Unseen::new(window),
            hearing: Hearing::new(window, part.twin.sources()),
            voices: BTreeSet::new(),
        };
        for number in basis.machines.keys().copied().collect::<Vec<_>>() {
            let sources = before
                .machine(number)
                .map(|one: MachineTwin<'_>| one.sources());
            for source in sources.into_iter().flatten() {
                basis.unseen.speaks(number, source);
                basis.voices.insert((source, number));
            }
        }
        for source in before.sources() {
            if let Some(last) = source.last_effective_at {
                basis.hearing.heard_before(source.number, last);
            }
        }
        basis
    }

    fn read(&mut self, question: &Question<'_>) -> Result<(), EngineError> {
        let (unseen, hearing, voices) = (&mut self.unseen, &mut self.hearing, &mut self.voices);
        let machines = &self.machines;
        let mut take = |event: &werkbuch_model::event::Recorded<'_>| {
            unseen.take(event);
            hearing.take(event);
            let machine = event.reported.machine;
            if event.is_reported() && machines.contains_key(&machine) {
                voices.insert((event.source, machine));
            }
        };
        let plant = &self.part.plant;
        let mut tell = |events| question.gauge.read(events);
        let _ = plant.around(self.window, self.part.known, &mut take, &mut tell)?;
        Ok(())
    }

    fn lost(&mut self, basis: &mut Basis) {
        let losses: Vec<_> = self.unseen.losses().collect();
        for loss in losses {
            let of = match loss.machine {
                Some(machine) => BTreeSet::from([machine]),
                None => self.spoken_of(|source| source == loss.source),
            };
            // A source that was never heard of any machine may have spoken of each.
            let anyone = loss.machine.is_none() && !self.is_heard(loss.source);
            let Some(machines) = self.note(&of, loss.time).or(anyone.then_some(0)) else {
                continue;
            };
            let source = self.source(loss.source);
            basis.blind.push(BlindTime {
                source,
                machine: loss.machine.map(|one| self.name(one)).unwrap_or_default(),
                missing: loss.missing,
                position: loss.position.get(),
                because: loss.cause.name().to_owned(),
                ..self.blind(BlindKind::Lost, loss.time, machines)
            });
        }
    }

    fn silent(&mut self, basis: &mut Basis, limit_ns: Option<i64>) {
        basis.complete &= !self.hearing.is_full();
        let whole = self.window == self.part.window;
        for silent in self.hearing.silences(limit_ns) {
            // Of a part of what was asked about it says nothing that a source without a rhythm paused.
            if silent.limit_ns.is_none() && !whole {
                continue;
            }
            let hearing = &self.hearing;
            let of = self.spoken_of(|source| hearing.voice_of(source) == Some(silent.source));
            let Some(machines) = self.note(&of, silent.time) else {
                continue;
            };
            let source = self.source(silent.source);
            let name = source.split('#').next().unwrap_or_default();
            let because = match silent.limit_ns {
                Some(limit) => format!("it speaks every {} s at least", limit / 1_000_000_000),
                None => "nothing at all was heard of it".to_owned(),
            };
            basis.blind.push(BlindTime {
                source: name.to_owned(),
                because,
                ..self.blind(BlindKind::Silent, silent.time, machines)
            });
        }
    }

    fn unavailable(&mut self, basis: &mut Basis, unavailable: &Unavailable) {
        basis.complete &= !unavailable.is_full;
        for (machine, time) in &unavailable.times {
            let time = Window {
                from: time.from.max(self.window.from),
                to: time.to.min(self.window.to),
            };
            if time.from >= time.to || self.note(&BTreeSet::from([*machine]), time).is_none() {
                continue;
            }
            let told = self.part.twin.machine(*machine);
            let ever = told.is_some_and(|one| one.last_event_at().is_some());
            let because = match ever {
                true => "it could not be reached, or had not reported a state yet",
                false => "nothing was ever reported of it",
            };
            basis.blind.push(BlindTime {
                machine: self.name(*machine),
                because: because.to_owned(),
                ..self.blind(BlindKind::Unavailable, time, 1)
            });
        }
    }

    /// Adds up how much is known of each machine.
    fn sum(self, basis: &mut Basis) {
        let length = |time: &Window| u128::try_from(time.to.since(time.from)).unwrap_or(0);
        let whole = length(&self.window);
        for (_, mut times) in self.machines {
            basis.machines += 1;
            basis.machines_known += usize::from(times.is_empty());
            times.sort_by_key(|time| (time.from, time.to));
            let mut blind = 0;
            let mut until = self.window.from;
            for time in times {
                let rest = Window {
                    from: time.from.max(until),
                    to: time.to,
                };
                blind += length(&rest);
                until = until.max(time.to);
            }
            basis.time_ns += whole;
            basis.known_ns += whole.saturating_sub(blind);
        }
    }

    /// Notes a time for those of the machines that count, and answers how many; nothing when none does.
    fn note(&mut self, machines: &BTreeSet<MachineNumber>, time: Window) -> Option<usize> {
        let mut noted = 0;
        for machine in machines {
            if let Some(times) = self.machines.get_mut(machine) {
                times.push(time);
                noted += 1;
            }
        }
        (noted > 0).then_some(noted)
    }

    fn spoken_of(&self, is_meant: impl Fn(SourceNumber) -> bool) -> BTreeSet<MachineNumber> {
        let meant = self.voices.iter().filter(|(source, _)| is_meant(*source));
        meant.map(|(_, machine)| *machine).collect()
    }

    /// Whether a source has spoken of any machine at all.
    fn is_heard(&self, source: SourceNumber) -> bool {
        let machines = self.part.twin.machines();
        let mut numbers = machines.map(|machine| machine.number());
        numbers.any(|machine| self.unseen.is_spoken_of(machine, source))
    }

    fn blind(&self, kind: BlindKind, time: Window, machines: usize) -> BlindTime {
        BlindTime {
            kind: kind.into(),
            plant: name::of_plant(self.part.plant.id().as_str()),
            begin: time.from.nanos(),
            end: time.to.nanos(),
            machines: unsigned(machines),
            ..BlindTime::default()
        }
    }

    fn name(&self, machine: MachineNumber) -> String {
        let name_of = self.part.twin.description().name_of(machine);
        name_of.map_or_else(|| machine.to_string(), |name| name.as_str().to_owned())
    }

    fn source(&self, source: SourceNumber) -> String {
        let mut sources = self.part.twin.sources().iter();
        let found = sources.find(|one| one.number == source);
        found.map_or_else(
            || source.to_string(),
            |one| format!("{}#{}", one.name, one.epoch),
        )
    }
}

fn millis(nanos: u128) -> u64 {
    u64::try_from(nanos / 1_000_000).unwrap_or(u64::MAX)
}
