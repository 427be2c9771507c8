//! One machine of a twin: a handle to ask by aspect, and the whole of it at once.

use super::{
    AlarmView, ConditionView, ConnectionView, CounterView, DeclarationView, ItemView, ModeView,
    OverrideView, ProgramView, SampleView, StateView, ToolView,
};
use crate::Twin;
use crate::fold::machine_index;
use crate::machine::MachineState;
use crate::order::Source;
use crate::slot::Slot;
use serde::Serialize;
use std::collections::BTreeMap;
use werkbuch_model::event::{AspectKind, State};
use werkbuch_model::id::{MachineNumber, Position, Sequence, SourceNumber};
use werkbuch_model::plant::Machine;
use werkbuch_model::time::Timestamp;

/// A machine of a twin. Each aspect is projected when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct MachineTwin<'t> {
    pub(super) twin: &'t Twin,
    number: MachineNumber,
    pub(super) state: Option<&'t MachineState>,
}

/// All that a twin shows of a machine. Its names are stable: they are the fields of the JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MachineView<'t> {
    /// The machine's number.
    pub number: MachineNumber,
    /// Its name; absent when the description no longer, or not yet, has it.
    pub id: Option<&'t str>,
    /// The greatest effective time of what was reported of it.
    pub last_event_at: Option<Timestamp>,
    /// The position of the last event about it; 0 when there is none.
    pub last_position: Position,
    /// Whether it can be reached.
    pub connection: Option<ConnectionView<'t>>,
    /// What it does.
    pub state: StateView<'t>,
    /// How it is being used.
    pub mode: Option<ModeView<'t>>,
    /// How it is being used, by vocabulary.
    pub modes: Vec<ModeView<'t>>,
    /// What it is told to do.
    pub programs: Vec<ProgramView<'t>>,
    /// Where its counters stand.
    pub counters: Vec<CounterView<'t>>,
    /// Its alarms.
    pub alarms: Vec<AlarmView<'t>>,
    /// The conditions of its items.
    pub conditions: Vec<ConditionView<'t>>,
    /// Its overrides.
    pub overrides: Vec<OverrideView<'t>>,
    /// Its tools.
    pub tools: Vec<ToolView<'t>>,
    /// Its other values.
    pub items: Vec<ItemView<'t>>,
    /// Its last samples.
    pub samples: Vec<SampleView<'t>>,
    /// What it says it is made of.
    pub declaration: Option<DeclarationView<'t>>,
}

/// What holds for one aspect at one rank, to explain a state and to compare sources.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldSlot<'t> {
    /// The kind of aspect.
    pub aspect: AspectKind,
    /// What tells aspects of one kind apart.
    pub item: &'t str,
    /// The second key, else empty.
    pub sub: &'t str,
    /// The third key (of a plan), else 0.
    pub number: u64,
    /// The rank of the source: 0 has the say, 255 is not listed and never moves the state.
    pub rank: u8,
    /// When the event took effect.
    pub effective_at: Timestamp,
    /// The name of the event's source.
    pub source: &'t str,
    /// The life of the event's source.
    pub epoch: u32,
    /// The event's sequence.
    pub sequence: Sequence,
    /// The position of the event whose place this is; for a correction the one that it corrects.
    pub place: Position,
    /// The position of the event that gave the value: for a replaced or re-timed event that of the
    /// correction, until a later correction restores it.
    pub position: Position,
}

impl Twin {
    /// A machine that the description has or that reported; none of another number.
    #[must_use]
    pub fn machine(&self, number: MachineNumber) -> Option<MachineTwin<'_>> {
        let index = machine_index(&self.machines, number).ok();
        let state = index
            .and_then(|index| self.machines.get(index))
            .map(AsRef::as_ref);
        let reported = state.is_some_and(|state| state.last_position.get() != 0);
        (reported || self.description().machine(number).is_some()).then_some(MachineTwin {
            twin: self,
            number,
            state,
        })
    }

    /// The machines that the description has or that reported, in the order of their numbers.
    pub fn machines(&self) -> impl Iterator<Item = MachineTwin<'_>> {
        // Machines of the description have a place as soon as it holds, so this is all of them.
        self.machines
            .iter()
            .filter_map(|machine| self.machine(machine.number))
    }

    /// How many machines of the description are shown in each state.
    #[must_use]
    pub fn count_by_state(&self) -> BTreeMap<State, u64> {
        let mut counts = BTreeMap::new();
        for described in self.description().machines() {
            if let Some(machine) = self.machine(described.number) {
                let count: &mut u64 = counts.entry(machine.state().shown).or_default();
                *count = count.saturating_add(1);
            }
        }
        counts
    }
}

impl<'t> MachineTwin<'t> {
    /// The machine's number.
    #[must_use]
    pub fn number(&self) -> MachineNumber {
        self.number
    }

    /// The machine as the plant's description has it; absent when it no longer, or not yet, has it.
    #[must_use]
    pub fn described(&self) -> Option<&'t Machine> {
        self.twin.description().machine(self.number)
    }

    /// The greatest effective time of what was reported of the machine, whatever was corrected
    /// since; corrections and gaps do not count. Absent when nothing was.
    #[must_use]
    pub fn last_event_at(&self) -> Option<Timestamp> {
        self.state?.last_event_at
    }

    /// The position of the first event about the machine; 0 when there is none.
    #[must_use]
    pub fn first_position(&self) -> Position {
        self.state.map_or(Position(0), |state| state.first_position)
    }

    /// The position of the last event about the machine, corrections and gaps too; 0 when there is
    /// none.
    #[must_use]
    pub fn last_position(&self) -> Position {
        self.state.map_or(Position(0), |state| state.last_position)
    }

    /// The sources that said what holds, each once for every aspect and rank that it has the say of.
    pub fn sources(&self) -> impl Iterator<Item = SourceNumber> + use<'t> {
        self.slots().iter().map(|slot| slot.source)
    }

    /// All that holds, for every aspect and rank, in the order of the aspects' texts.
    #[must_use]
    pub fn held(&self) -> Vec<HeldSlot<'t>> {
        let text = |symbol| self.twin.symbols.text(symbol);
        let slots = self.slots().iter();
        let mut held: Vec<HeldSlot<'t>> = slots
            .filter(|slot| slot.is_in(self.twin.window))
            .map(|slot| {
                let source = self.twin.source(slot.source);
                HeldSlot {
                    aspect: slot.key.kind,
                    item: text(slot.key.item),
                    sub: text(slot.key.sub),
                    number: 0,
                    rank: slot.key.rank.0,
                    effective_at: slot.effective_at,
                    source: source.map_or("", |source: &Source| &source.name),
                    epoch: source.map_or(0, |source| source.epoch.get()),
                    sequence: slot.sequence,
                    place: slot.place,
                    position: slot.position,
                }
            })
            .collect();
        held.sort_by_key(|slot| (slot.aspect, slot.item, slot.sub, slot.rank));
        held
    }

    /// Everything at once.
    #[must_use]
    pub fn view(&self) -> MachineView<'t> {
        MachineView {
            number: self.number,
            id: self.described().map(|machine| machine.id.as_str()),
            last_event_at: self.last_event_at(),
            last_position: self.last_position(),
            connection: self.connection(),
            state: self.state(),
            mode: self.mode(),
            modes: self.modes(),
            programs: self.programs(),
            counters: self.counters(),
            alarms: self.alarms(),
            conditions: self.conditions(),
            overrides: self.overrides(),
            tools: self.tools(),
            items: self.items(),
            samples: self.samples(),
            declaration: self.declaration(),
        }
    }

    pub(crate) fn slots(&self) -> &'t [Slot] {
        self.state.map_or(&[], |state| &state.slots)
    }
}
