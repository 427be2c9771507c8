//! A machine as a row of a list: what is dear to find out is found out once, and when asked for.

use std::cell::OnceCell;
use std::rc::Rc;
use werkbuch_model::event::{ConditionLevel, PartMeaning, State};
use werkbuch_model::plant::{Level, Machine, Unit};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::line::{WaitCause, WaitCauses, Waits};
use werkbuch_twin::view::{ConnectionView, CounterView, ModeView, StateView};
use werkbuch_twin::{MachineTwin, Twin};

/// The levels that count as a line: what ISA-95 calls work centres.
const LINES: [Level; 5] = [
    Level::ProductionLine,
    Level::ProcessCell,
    Level::ProductionUnit,
    Level::StorageZone,
    Level::WorkCenter,
];

/// The levels that count as a cell: what ISA-95 calls work units.
const CELLS: [Level; 4] = [
    Level::WorkCell,
    Level::Unit,
    Level::StorageUnit,
    Level::WorkUnit,
];

/// Where a machine stands: the names of its area, line and cell, empty where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'t> {
    pub(crate) area: &'t str,
    pub(crate) line: &'t str,
    pub(crate) cell: &'t str,
}

/// Why the machines of a twin wait: found out for all rows at once, when one needs it.
pub(crate) type SharedCauses = Rc<OnceCell<WaitCauses>>;

/// Where a row has it from why its machine waits.
enum Causes<'t> {
    /// Nothing is inferred.
    None,
    /// From what the rows of a list share.
    Shared(SharedCauses),
    /// From what is kept up to date beside the twin.
    Kept(&'t Waits),
}

/// What rules have found of a machine, as it is recorded beside the twin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Raised {
    /// How many are raised of it.
    pub(crate) rules: u32,
    /// How severe the worst of them is.
    worst: u32,
}

impl Raised {
    /// One more is raised of it, so severe.
    pub(crate) fn add(&mut self, severity: u32) {
        self.rules = self.rules.saturating_add(1);
        self.worst = self.worst.max(severity);
    }

    /// How severe the worst of them is; absent when none is raised.
    pub(crate) fn severity(self) -> Option<u32> {
        (self.rules > 0).then_some(self.worst)
    }
}

/// A machine of a twin.
pub(crate) struct MachineRow<'t> {
    pub(crate) machine: MachineTwin<'t>,
    pub(crate) described: Option<&'t Machine>,
    /// What rules have found of it; absent where that is not asked.
    pub(crate) raised: Option<Raised>,
    twin: &'t Twin,
    place: OnceCell<Place<'t>>,
    state: OnceCell<StateView<'t>>,
    mode: OnceCell<Option<ModeView<'t>>>,
    connection: OnceCell<Option<ConnectionView<'t>>>,
    program: OnceCell<Option<&'t str>>,
    counters: OnceCell<Vec<CounterView<'t>>>,
    active_alarms: OnceCell<u32>,
    condition: OnceCell<ConditionLevel>,
    causes: Causes<'t>,
    wait_cause: OnceCell<Option<WaitCause>>,
}

impl<'t> MachineRow<'t> {
    pub(crate) fn new(twin: &'t Twin, machine: MachineTwin<'t>) -> Self {
        Self {
            machine,
            described: machine.described(),
            raised: None,
            twin,
            place: OnceCell::new(),
            state: OnceCell::new(),
            mode: OnceCell::new(),
            connection: OnceCell::new(),
            program: OnceCell::new(),
            counters: OnceCell::new(),
            active_alarms: OnceCell::new(),
            condition: OnceCell::new(),
            causes: Causes::None,
            wait_cause: OnceCell::new(),
        }
    }

    /// The same row, which shares with others what is found out about all machines.
    pub(crate) fn sharing(self, causes: &SharedCauses) -> Self {
        Self {
            causes: Causes::Shared(Rc::clone(causes)),
            ..self
        }
    }

    /// The same row, with what is kept of the twin that it is of.
    pub(crate) fn knowing(self, waits: &'t Waits) -> Self {
        Self {
            causes: Causes::Kept(waits),
            ..self
        }
    }

    /// The same row, with what rules have found of its machine.
    pub(crate) fn raising(self, raised: Raised) -> Self {
        Self {
            raised: Some(raised),
            ..self
        }
    }

    /// The machine's name, the last one of a machine that is gone; empty when the description does not
    /// have it yet, and where the name is another's today.
    pub(crate) fn id(&self) -> &'t str {
        let name = self.twin.description().name_of(self.machine.number());
        name.map_or("", |name| name.as_str())
    }

    /// The plant that it is in.
    pub(crate) fn plant(&self) -> &'t str {
        self.twin.plant().as_str()
    }

    pub(crate) fn place(&self) -> Place<'t> {
        *self.place.get_or_init(|| {
            let parent = self.described.and_then(|machine| machine.parent.as_ref());
            let above = self.twin.description().place(parent);
            let nearest = |levels: &[Level]| {
                let mut units = above.iter().rev().copied();
                let unit: Option<&'t Unit> = units.find(|unit| levels.contains(&unit.level));
                unit.map_or("", |unit| unit.id.as_str())
            };
            Place {
                area: nearest(&[Level::Area]),
                line: nearest(&LINES),
                cell: nearest(&CELLS),
            }
        })
    }

    pub(crate) fn state(&self) -> &StateView<'t> {
        self.state.get_or_init(|| self.machine.state())
    }

    pub(crate) fn mode(&self) -> Option<&ModeView<'t>> {
        self.mode.get_or_init(|| self.machine.mode()).as_ref()
    }

    pub(crate) fn connection(&self) -> Option<&ConnectionView<'t>> {
        self.connection
            .get_or_init(|| self.machine.connection())
            .as_ref()
    }

    /// The main program.
    pub(crate) fn program(&self) -> Option<&'t str> {
        *self.program.get_or_init(|| {
            let programs = self.machine.programs();
            programs
                .iter()
                .find(|program| program.slot.is_empty())?
                .program
        })
    }

    pub(crate) fn counters(&self) -> &[CounterView<'t>] {
        self.counters.get_or_init(|| self.machine.counters())
    }

    /// Where the first counter of all parts stands, or else the first of good ones.
    pub(crate) fn parts(&self) -> Option<u64> {
        self.first(PartMeaning::All)
            .or_else(|| self.first(PartMeaning::Good))?
            .value
    }

    /// Whether its parts are those of a counter of good ones, because it has none of all.
    pub(crate) fn is_counted_by_good(&self) -> bool {
        self.first(PartMeaning::All).is_none() && self.first(PartMeaning::Good).is_some()
    }

    fn first(&self, meaning: PartMeaning) -> Option<&CounterView<'t>> {
        let mut counters = self.counters().iter();
        counters.find(|counter| counter.meaning == meaning)
    }

    pub(crate) fn active_alarms(&self) -> u32 {
        *self
            .active_alarms
            .get_or_init(|| u32::try_from(self.machine.active_alarms()).unwrap_or(u32::MAX))
    }

    /// The worst level of its conditions; unspecified when it has none.
    pub(crate) fn condition(&self) -> ConditionLevel {
        *self.condition.get_or_init(|| {
            let conditions = self.machine.conditions();
            let levels = conditions.iter().map(|condition| condition.level);
            levels
                .max_by_key(|level| badness(*level))
                .unwrap_or_default()
        })
    }

    /// Why it waits; absent when it does not, when no parts pass it, or when it would have to be
    /// inferred for this row alone.
    pub(crate) fn wait_cause(&self) -> Option<&WaitCause> {
        let find = || match self.state().shown {
            State::Waiting | State::Idle => {
                let number = self.machine.number();
                match &self.causes {
                    Causes::None => None,
                    Causes::Shared(causes) => {
                        let causes = causes.get_or_init(|| WaitCauses::of(self.twin));
                        causes.machine(number).cloned()
                    }
                    Causes::Kept(waits) => waits.machine(number).cloned(),
                }
            }
            state => WaitCause::reported(state),
        };
        self.wait_cause.get_or_init(find).as_ref()
    }

    pub(crate) fn last_event_at(&self) -> Option<Timestamp> {
        self.machine.last_event_at()
    }
}

/// That an item cannot say is worse than that all is well, and better than a warning.
const fn badness(level: ConditionLevel) -> u8 {
    match level {
        ConditionLevel::Unspecified => 0,
        ConditionLevel::Normal => 1,
        ConditionLevel::Unavailable => 2,
        ConditionLevel::Warning => 3,
        ConditionLevel::Fault => 4,
    }
}
