//! Why machines wait: as they say themselves, else inferred from their neighbours and buffers.

use super::graph::{Element, Graph};
use super::shift::Shifts;
use super::stock::Stocks;
use crate::Twin;
use serde::Serialize;
use std::collections::BTreeMap;
use werkbuch_model::event::State;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::plant::Release;
use werkbuch_model::time::Timestamp;

/// The most reasons that a sentence gives.
const REASONS_MAX: usize = 3;

const SAYS_SO: &str = "the machine says so";

/// Where the cause of a wait comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Provenance {
    /// The machine says so itself.
    Reported,
    /// It follows from its neighbours and buffers.
    Inferred,
    /// It does not follow from what is known.
    Unknown,
}

/// Why a machine waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitCause {
    /// Starved or blocked; waiting when that is not known.
    pub state: State,
    /// Where that comes from.
    pub provenance: Provenance,
    /// Why, in words.
    pub because: String,
}

/// Why each machine waits that does, and that parts pass.
#[derive(Clone, Debug, Default)]
pub struct WaitCauses(BTreeMap<MachineNumber, WaitCause>);

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
#[derive(Clone, Copy)]
struct Doing {
    state: State,
    since: Option<Timestamp>,
}

/// Everything that a cause is inferred from.
struct Scene<'s> {
    graph: &'s Graph<'s>,
    stocks: &'s Stocks,
    doing: BTreeMap<MachineNumber, Doing>,
    /// Why machines that stand are not planned to work.
    off: BTreeMap<MachineNumber, String>,
}

impl WaitCause {
    /// The cause that the state itself tells; absent when it has to be inferred, or when the machine
    /// does not wait.
    #[must_use]
    pub fn reported(state: State) -> Option<Self> {
        matches!(state, State::Starved | State::Blocked).then(|| Self {
            state,
            provenance: Provenance::Reported,
            because: SAYS_SO.to_owned(),
        })
    }
}

impl WaitCauses {
    /// The causes in a twin.
    #[must_use]
    pub fn of(twin: &Twin) -> Self {
        let graph = Graph::of(twin.description());
        let passed = graph.elements().filter(|element| element.is_passed());
        let doing = passed.filter_map(|element| {
            let state = twin.machine(element.machine?)?.state();
            let doing = Doing {
                state: state.shown,
                since: state.since,
            };
            Some((element.machine?, doing))
        });
        let doing: BTreeMap<_, Doing> = doing.collect();
        // Where nobody waits for an unknown reason, nothing has to be known of the parts.
        let asks = |doing: &Doing| matches!(doing.state, State::Waiting | State::Idle);
        let stocks = match doing.values().any(asks) {
            true => Stocks::of_twin(twin),
            false => Stocks::default(),
        };
        let mut shifts = Shifts::of(twin);
        let standing = doing.iter().filter(|(_, doing)| asks(doing));
        let off = standing.filter_map(|(number, _)| {
            let machine = twin.description().machine(*number)?;
            Some((*number, shifts.off(machine)?))
        });
        let off = off.collect();
        let scene = Scene {
            off,
            doing,
            graph: &graph,
            stocks: &stocks,
        };
        Self(scene.causes())
    }

    /// Why this machine waits; absent when it does not, or when no parts pass it.
    #[must_use]
    pub fn machine(&self, number: MachineNumber) -> Option<&WaitCause> {
        self.0.get(&number)
    }

    /// All machines that wait.
    pub fn all(&self) -> impl Iterator<Item = (MachineNumber, &WaitCause)> {
        self.0.iter().map(|(number, cause)| (*number, cause))
    }
}

impl Scene<'_> {
    /// What is inferred of a machine tells of its neighbours in turn, so rounds are made until
    /// nothing more follows. All machines of a round see the same, so the order does not matter;
    /// what has been inferred stays, so the rounds end.
    fn causes(&self) -> BTreeMap<MachineNumber, WaitCause> {
        let mut causes = BTreeMap::new();
        let mut open: Vec<MachineNumber> = Vec::new();
        for (number, doing) in &self.doing {
            if let Some(cause) = WaitCause::reported(doing.state) {
                causes.insert(*number, cause);
            } else if let Some(why) = self.off.get(number) {
                // Off shift nobody waits for parts.
                causes.insert(*number, unknown(why.clone()));
            } else if matches!(doing.state, State::Waiting | State::Idle) {
                open.push(*number);
            }
        }
        loop {
            let round: Vec<_> = open
                .iter()
                .map(|number| (*number, self.infer(*number, &causes)))
                .collect();
            let found = |cause: &WaitCause| cause.provenance == Provenance::Inferred;
            let last = !round.iter().any(|(_, cause)| found(cause));
            for (number, cause) in round {
                if last || found(&cause) {
                    causes.insert(number, cause);
                }
            }
            if last {
                return causes;
            }
            open.retain(|number| !causes.contains_key(number));
        }
    }

    fn infer(
        &self,
        number: MachineNumber,
        known: &BTreeMap<MachineNumber, WaitCause>,
    ) -> WaitCause {
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
        let held = self.stocks.tracked(element.id).map(<[_]>::len);
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
    fn supply(&self, from: &str, known: &BTreeMap<MachineNumber, WaitCause>) -> Way {
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

    fn supply_of_buffer(&self, buffer: &Element<'_>) -> Way {
        let parts = match (self.stocks.level(buffer.id), self.stocks.tracked(buffer.id)) {
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
    fn missing_material(&self, element: &Element<'_>) -> Option<String> {
        let empty = element.feeds.iter().find(|(buffer, _)| {
            let level = self.stocks.level(buffer);
            level.is_some_and(|level| level.parts == 0)
        });
        empty.map(|(buffer, part)| format!("buffer {buffer} has no more of {part}"))
    }

    /// Whether a part can go there.
    fn room(&self, to: &str, known: &BTreeMap<MachineNumber, WaitCause>) -> Way {
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

    fn room_in_buffer(&self, buffer: &Element<'_>) -> Way {
        let level = self.stocks.level(buffer.id);
        let parts = match (level, self.stocks.tracked(buffer.id)) {
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
    fn state_of(
        &self,
        number: MachineNumber,
        known: &BTreeMap<MachineNumber, WaitCause>,
    ) -> (State, Option<Timestamp>) {
        let Some(doing) = self.doing.get(&number) else {
            return (State::Unspecified, None);
        };
        match known.get(&number) {
            Some(cause) => (cause.state, doing.since),
            None => (doing.state, doing.since),
        }
    }

    /// The machines among these that stand, in words, a few at the most.
    fn stopped(&self, names: &[&str]) -> Vec<String> {
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
