//! Everything that the cause of a wait follows from, and what follows from it.

use super::graph::{Element, Graph};
use super::shift::Shifts;
use super::stock::Stocks;
use super::wait::{Provenance, WaitCause};
use crate::Twin;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use werkbuch_model::event::State;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::plant::Release;
use werkbuch_model::time::Timestamp;

/// The most reasons that a sentence gives.
const REASONS_MAX: usize = 3;

/// Why machines wait, by their numbers.
pub(super) type Causes = BTreeMap<MachineNumber, WaitCause>;

/// What can be said of a way in or out.
enum Way {
    /// A part can come, or go.
    Open,
    /// None can, and why.
    Closed(String),
    /// It is not known.
    Unknown(String),
}

/// What a machine does, for its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doing {
    state: State,
    since: Option<Timestamp>,
}

/// Everything that a cause is inferred from.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    pub(super) graph: Graph,
    pub(super) stocks: Stocks,
    /// The machines that parts pass.
    pub(super) doing: BTreeMap<MachineNumber, Doing>,
    /// Why machines that stand are not planned to work.
    pub(super) off: BTreeMap<MachineNumber, String>,
}

impl Doing {
    /// What a machine of the twin does; absent when the twin does not have it.
    pub(super) fn of(twin: &Twin, machine: MachineNumber) -> Option<Self> {
        let state = twin.machine(machine)?.state();
        Some(Self {
            state: state.shown,
            since: state.since,
        })
    }

    /// Whether it waits for a reason that it does not say.
    pub(super) fn asks(self) -> bool {
        matches!(self.state, State::Waiting | State::Idle)
    }
}

impl Scene {
    /// The scene of a twin. Where nobody waits for an unknown reason, it holds nothing of the parts.
    pub(super) fn of(twin: &Twin) -> Self {
        let mut scene = Self::bare(twin);
        if scene.doing.values().any(|doing| doing.asks()) {
            scene.stocks = Stocks::of_twin(twin);
        }
        let mut shifts = Shifts::of(twin);
        let standing = scene.doing.iter().filter(|(_, doing)| doing.asks());
        let off = standing.filter_map(|(number, _)| {
            let machine = twin.description().machine(*number)?;
            Some((*number, shifts.off(machine)?))
        });
        scene.off = off.collect();
        scene
    }

    /// The machines that parts pass and what they do, without parts and plans.
    pub(super) fn bare(twin: &Twin) -> Self {
        let graph = Graph::of(twin.description());
        let passed = graph.elements().filter(|element| element.is_passed());
        let doing = passed.filter_map(|element| {
            let number = element.machine?;
            Some((number, Doing::of(twin, number)?))
        });
        Self {
            doing: doing.collect(),
            graph,
            stocks: Stocks::default(),
            off: BTreeMap::new(),
        }
    }

    /// All machines that parts pass.
    pub(super) fn machines(&self) -> BTreeSet<MachineNumber> {
        self.doing.keys().copied().collect()
    }

    /// Finds anew why these machines wait; of all others it stands in `causes`. They must be such that
    /// no machine among the others has a cause to be inferred and is their neighbour, see
    /// [`Self::reach`].
    ///
    /// What is inferred of a machine tells of its neighbours in turn, so rounds are made until nothing
    /// more follows. All machines of a round see the same, so the order does not matter; what has been
    /// inferred stays, so the rounds end. Only neighbours of what a round found are looked at in the
    /// next: for the others nothing is new.
    pub(super) fn settle(&self, machines: BTreeSet<MachineNumber>, causes: &mut Causes) {
        let mut open = BTreeSet::new();
        for number in machines {
            causes.remove(&number);
            let Some(doing) = self.doing.get(&number) else {
                continue;
            };
            if let Some(cause) = WaitCause::reported(doing.state) {
                causes.insert(number, cause);
            } else if let Some(why) = self.off.get(&number) {
                // Off shift nobody waits for parts.
                causes.insert(number, unknown(why.clone()));
            } else if doing.asks() {
                open.insert(number);
            }
        }
        let mut unknown = Causes::new();
        let mut due = open.clone();
        while !due.is_empty() {
            let round: Vec<_> = due
                .iter()
                .map(|number| (*number, self.infer(*number, causes)))
                .collect();
            let mut next = BTreeSet::new();
            for (number, cause) in round {
                if cause.provenance == Provenance::Inferred {
                    open.remove(&number);
                    unknown.remove(&number);
                    causes.insert(number, cause);
                    next.extend(self.neighbours(number));
                } else {
                    unknown.insert(number, cause);
                }
            }
            due = next.intersection(&open).copied().collect();
        }
        causes.append(&mut unknown);
    }

    /// The machines whose cause may be another one when something has changed about these: they
    /// themselves, and through machines whose cause is inferred all that are joined with them.
    pub(super) fn reach(&self, from: BTreeSet<MachineNumber>) -> BTreeSet<MachineNumber> {
        let mut reached = BTreeSet::new();
        let mut left: Vec<_> = from.into_iter().collect();
        while let Some(number) = left.pop() {
            if self.doing.contains_key(&number) && reached.insert(number) && self.is_open(number) {
                left.extend(self.neighbours(number).filter(|next| self.is_open(*next)));
            }
        }
        reached
    }

    /// The machines about which a machine tells: its neighbours, also those beyond one buffer.
    pub(super) fn around(&self, machine: MachineNumber) -> BTreeSet<MachineNumber> {
        let mut around: BTreeSet<_> = self.neighbours(machine).chain([machine]).collect();
        let element = self.graph.machine(machine);
        for near in element.iter().flat_map(|element| &element.near) {
            around.extend(self.at_place(near));
        }
        around
    }

    /// The machines about which a place tells: itself, or those that take from it and give to it.
    pub(super) fn at_place(&self, place: &str) -> Vec<MachineNumber> {
        match self.graph.element(place) {
            None => Vec::new(),
            Some(element) => match element.machine {
                Some(machine) => vec![machine],
                None => self.machines_near(element).collect(),
            },
        }
    }

    fn neighbours(&self, machine: MachineNumber) -> impl Iterator<Item = MachineNumber> {
        let element = self.graph.machine(machine);
        element
            .into_iter()
            .flat_map(|element| self.machines_near(element))
    }

    fn machines_near(&self, element: &Element) -> impl Iterator<Item = MachineNumber> {
        let near = element.near.iter();
        near.filter_map(|name| self.graph.element(name)?.machine)
    }

    /// Whether the cause of a machine has to be inferred.
    fn is_open(&self, number: MachineNumber) -> bool {
        let doing = self.doing.get(&number);
        doing.is_some_and(|doing| doing.asks()) && !self.off.contains_key(&number)
    }

    fn infer(&self, number: MachineNumber, known: &Causes) -> WaitCause {
        let inferred = |state, because| WaitCause {
            state,
            provenance: Provenance::Inferred,
            because,
        };
        let Some(element) = self.graph.machine(number) else {
            return unknown("it is not part of the described flow".to_owned());
        };
        // Without its material it cannot work, however many parts there are.
        if let Some(missing) = self.missing_material(element) {
            return inferred(State::Starved, missing);
        }
        let inlets = element.inlets.iter().map(|from| self.supply(from, known));
        let source = element
            .source
            .map(|release| boundary(release, "come from outside"));
        let supply = join(
            inlets.chain(source).collect(),
            "the description has no flow to it",
        );
        let outlets = element.outlets.iter().map(|to| self.room(to, known));
        let sink = element.sink.map(|release| boundary(release, "leave"));
        let room = join(
            outlets.chain(sink).collect(),
            "the description has no flow from it",
        );
        let held = self.stocks.tracked(&element.id).map(<[_]>::len);
        match (supply, room, held) {
            // With parts in it it cannot be starved, without any it cannot be blocked.
            (_, Way::Closed(why), Some(1..)) => inferred(State::Blocked, why),
            (Way::Closed(why), _, Some(0)) => inferred(State::Starved, why),
            (Way::Closed(in_), Way::Closed(out), None) => unknown(format!(
                "neither can parts come: {in_}; nor can they go: {out}"
            )),
            (Way::Closed(why), _, None) => inferred(State::Starved, why),
            (_, Way::Closed(why), None) => inferred(State::Blocked, why),
            (Way::Open, Way::Open, _) => unknown("parts could come and could go".to_owned()),
            (Way::Unknown(why), _, _) | (_, Way::Unknown(why), _) => unknown(why),
            (_, _, Some(parts)) => unknown(format!("it holds {parts} parts")),
        }
    }

    /// Whether a part can come from there.
    fn supply(&self, from: &str, known: &Causes) -> Way {
        let Some(element) = self.graph.element(from) else {
            return Way::Unknown(format!("{from} is not described"));
        };
        let Some(number) = element.machine else {
            return self.supply_of_buffer(element);
        };
        let (state, since) = self.state_of(number, known);
        match state {
            State::Blocked => Way::Open,
            State::Executing | State::Starting | State::Finishing => {
                Way::Closed(format!("{from} still works on the next part"))
            }
            State::Starved => Way::Closed(format!("{from} is starved itself")),
            _ if stands(state) => Way::Closed(standing(from, state, since)),
            _ => Way::Unknown(format!("what {from} waits for is not known")),
        }
    }

    fn supply_of_buffer(&self, buffer: &Element) -> Way {
        let parts = match (
            self.stocks.level(&buffer.id),
            self.stocks.tracked(&buffer.id),
        ) {
            (Some(level), _) => level.parts,
            (None, Some(tracked)) => tracked.len() as u64,
            (None, None) => return Way::Unknown(format!("nobody says how full {} is", buffer.id)),
        };
        if parts > 0 {
            return Way::Open;
        }
        let mut why = format!("buffer {} is empty", buffer.id);
        for stopped in self.stopped(&buffer.inlets) {
            why = format!("{why} and {stopped}");
        }
        Way::Closed(why)
    }

    /// The material that is used up at the buffers that it takes from, in words.
    fn missing_material(&self, element: &Element) -> Option<String> {
        let empty = element.feeds.iter().find(|(buffer, _)| {
            let level = self.stocks.level(buffer);
            level.is_some_and(|level| level.parts == 0)
        });
        empty.map(|(buffer, part)| format!("buffer {buffer} has no more of {part}"))
    }

    /// Whether a part can go there.
    fn room(&self, to: &str, known: &Causes) -> Way {
        let Some(element) = self.graph.element(to) else {
            return Way::Unknown(format!("{to} is not described"));
        };
        let Some(number) = element.machine else {
            return self.room_in_buffer(element);
        };
        let (state, since) = self.state_of(number, known);
        match state {
            State::Starved => Way::Open,
            State::Executing | State::Starting | State::Finishing => match element.capacity {
                Some(1) | None => Way::Closed(format!("{to} still works on a part")),
                Some(_) => Way::Unknown(format!("{to} may have a free slot")),
            },
            State::Blocked => Way::Closed(format!("{to} is blocked itself")),
            _ if stands(state) => Way::Closed(standing(to, state, since)),
            _ => Way::Unknown(format!("what {to} waits for is not known")),
        }
    }

    fn room_in_buffer(&self, buffer: &Element) -> Way {
        let level = self.stocks.level(&buffer.id);
        let parts = match (level, self.stocks.tracked(&buffer.id)) {
            (Some(level), _) => level.parts,
            (None, Some(tracked)) => tracked.len() as u64,
            (None, None) => return Way::Unknown(format!("nobody says how full {} is", buffer.id)),
        };
        let capacity = level.and_then(|level| level.capacity).or(buffer.capacity);
        match capacity {
            None => Way::Unknown(format!("nobody says how much {} takes", buffer.id)),
            Some(capacity) if parts < capacity => Way::Open,
            Some(capacity) => {
                let mut why = format!("buffer {} is full, {parts} of {capacity}", buffer.id);
                for stopped in self.stopped(&buffer.outlets) {
                    why = format!("{why} and {stopped}");
                }
                Way::Closed(why)
            }
        }
    }

    /// What is known of a machine's state: as it says, or as it was inferred before.
    fn state_of(&self, number: MachineNumber, known: &Causes) -> (State, Option<Timestamp>) {
        let Some(doing) = self.doing.get(&number) else {
            return (State::Unspecified, None);
        };
        match known.get(&number) {
            Some(cause) => (cause.state, doing.since),
            None => (doing.state, doing.since),
        }
    }

    /// The machines among these that stand, in words, a few at the most.
    fn stopped(&self, names: &[Arc<str>]) -> Vec<String> {
        let stopped = names.iter().filter_map(|name| {
            let doing = self.doing.get(&self.graph.element(name)?.machine?)?;
            stands(doing.state).then(|| standing(name, doing.state, doing.since))
        });
        stopped.take(REASONS_MAX).collect()
    }
}

/// A way over the border of what is described.
fn boundary(release: Release, parts: &str) -> Way {
    match release {
        Release::Unspecified | Release::Saturated => Way::Open,
        Release::Rate | Release::Scheduled => {
            Way::Unknown(format!("whether parts {parts} now is not known"))
        }
    }
}

fn unknown(because: String) -> WaitCause {
    WaitCause {
        state: State::Waiting,
        provenance: Provenance::Unknown,
        because,
    }
}

/// Several ways are closed when all are, and open when one is.
fn join(ways: Vec<Way>, none: &str) -> Way {
    if ways.is_empty() {
        return Way::Unknown(none.to_owned());
    }
    let mut reasons = Vec::new();
    let mut unknown = None;
    for way in ways {
        match way {
            Way::Open => return Way::Open,
            Way::Closed(why) => reasons.push(why),
            Way::Unknown(why) => unknown = unknown.or(Some(why)),
        }
    }
    if let Some(why) = unknown {
        return Way::Unknown(why);
    }
    let more = reasons.len().saturating_sub(REASONS_MAX);
    reasons.truncate(REASONS_MAX);
    if more > 0 {
        reasons.push(format!("{more} more ways likewise"));
    }
    Way::Closed(reasons.join("; "))
}

/// Whether a machine in this state neither takes nor gives parts, whatever its neighbours do.
const fn stands(state: State) -> bool {
    matches!(
        state,
        State::Held | State::Stopped | State::Faulted | State::Setup | State::Maintenance
    )
}

fn standing(name: &str, state: State, since: Option<Timestamp>) -> String {
    let word = match state {
        State::Held => "held",
        State::Faulted => "faulted",
        State::Setup => "in set-up",
        State::Maintenance => "under maintenance",
        _ => "stopped",
    };
    match since {
        Some(since) => format!("{name} has been {word} since {since}"),
        None => format!("{name} is {word}"),
    }
}
