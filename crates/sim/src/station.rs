//! What a station does now, and what its machine says about it.

use crate::draw::Draw;
use std::borrow::Cow;
use werkbuch_model::event::{
    AlarmCleared, AlarmRaised, Body, ModeChanged, PartMeaning, PartProduced, ProgramChanged, State,
    StateChanged, Vocabulary,
};
use werkbuch_model::event::{Connection, ConnectionChanged, Mode};

/// What can go wrong: code, severity of 1 to 1000, text.
const FAULTS: &[(&str, u32, &str)] = &[
    ("E101", 800, "drive overload"),
    ("E114", 700, "part not clamped"),
    ("E207", 900, "light curtain broken while running"),
    ("E230", 600, "lubrication pressure low"),
    ("E318", 750, "gripper lost its part"),
    ("E402", 650, "cooling water too warm"),
    ("E455", 500, "sensor wire broken"),
];

/// The variants that a change-over switches between.
const VARIANTS: &[&str] = &["saloon", "estate", "coupe"];

/// What a station is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Waiting for parts.
    Starved,
    /// Working on a part.
    Working,
    /// Done with a part that finds no room.
    Blocked,
    /// Down, with a part and so much working time left.
    Failed {
        /// The working time left, in nanoseconds.
        left_ns: u64,
        /// The fault, an index of the table.
        fault: usize,
        /// When it failed.
        since_ns: u64,
    },
    /// Being changed over.
    Setup,
}

/// A station as it runs.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) phase: Phase,
    pub(crate) draw: Draw,
    pub(crate) since_setup: u32,
    said: State,
    good: u64,
    scrap: u64,
    variant: usize,
}

impl Running {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self {
            phase: Phase::Starved,
            draw: Draw::new(seed, stream),
            since_setup: 0,
            said: State::Unspecified,
            good: 0,
            scrap: 0,
            variant: 0,
        }
    }

    /// Whether a part is in the station.
    pub(crate) fn holds(&self) -> bool {
        matches!(
            self.phase,
            Phase::Working | Phase::Blocked | Phase::Failed { .. }
        )
    }

    /// What a machine says first.
    pub(crate) fn greet(&self) -> [Body<'static>; 3] {
        let connection = ConnectionChanged {
            to: Connection::Online,
            ..ConnectionChanged::default()
        };
        [
            Body::ConnectionChanged(connection),
            mode(Mode::Production),
            self.program(),
        ]
    }

    /// That the state is now `to`; nothing when the machine has said so already.
    pub(crate) fn state(&mut self, to: State, reason: &'static str) -> Option<Body<'static>> {
        let from = std::mem::replace(&mut self.said, to);
        (from != to).then(|| {
            Body::StateChanged(StateChanged {
                to,
                from,
                native: Cow::Borrowed(to.name()),
                vocabulary: Vocabulary::Canonical,
                reason: Cow::Borrowed(reason),
            })
        })
    }

    /// Counts a part.
    pub(crate) fn count(&mut self, good: bool) -> Body<'static> {
        let (counter, meaning, value) = if good {
            self.good = self.good.saturating_add(1);
            ("good", PartMeaning::Good, self.good)
        } else {
            self.scrap = self.scrap.saturating_add(1);
            ("scrap", PartMeaning::Scrap, self.scrap)
        };
        self.since_setup = self.since_setup.saturating_add(1);
        Body::PartProduced(PartProduced {
            counter: Cow::Borrowed(counter),
            meaning,
            value: Some(value),
            part_type: Cow::Borrowed(self.variant()),
            ..PartProduced::default()
        })
    }

    /// The end of a change-over: the next variant.
    pub(crate) fn changed_over(&mut self) -> [Body<'static>; 2] {
        self.since_setup = 0;
        self.variant = (self.variant + 1) % VARIANTS.len();
        [self.program(), mode(Mode::Production)]
    }

    fn variant(&self) -> &'static str {
        VARIANTS.get(self.variant).copied().unwrap_or_default()
    }

    fn program(&self) -> Body<'static> {
        Body::ProgramChanged(ProgramChanged {
            program: Some(Cow::Borrowed(self.variant())),
            ..ProgramChanged::default()
        })
    }
}

/// That the mode is now `to`.
pub(crate) fn mode(to: Mode) -> Body<'static> {
    Body::ModeChanged(ModeChanged {
        to,
        native: Cow::Borrowed(to.name()),
        vocabulary: Vocabulary::Canonical,
    })
}

/// A fault by chance: an index of the table.
pub(crate) fn draw_fault(draw: &mut Draw) -> usize {
    usize::try_from(draw.below(FAULTS.len() as u64)).unwrap_or(0)
}

/// A fault's code.
pub(crate) fn fault_code(fault: usize) -> &'static str {
    FAULTS.get(fault).map_or("", |(code, _, _)| code)
}

/// That a fault came.
pub(crate) fn raised(fault: usize) -> Body<'static> {
    let (code, severity, text) = FAULTS.get(fault).copied().unwrap_or(("E000", 1, "unknown"));
    Body::AlarmRaised(AlarmRaised {
        key: Cow::Borrowed(code),
        code: Cow::Borrowed(code),
        severity,
        text: Cow::Borrowed(text),
        native: Cow::Borrowed(""),
    })
}

/// That a fault went after so many nanoseconds.
pub(crate) fn cleared(fault: usize, stood_ns: u64) -> Body<'static> {
    Body::AlarmCleared(AlarmCleared {
        key: Cow::Borrowed(fault_code(fault)),
        duration_ms: Some(stood_ns / 1_000_000),
    })
}
