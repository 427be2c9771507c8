//! What the machines of a benchmark say: a seeded mix of events as a car plant makes them.

use crate::when;
use bytes::Bytes;
use werkbuch_model::event::{
    AlarmCleared, AlarmRaised, Body, ConditionChanged, ConditionLevel, Connection,
    ConnectionChanged, ItemChanged, Mode, ModeChanged, OverrideChanged, OverrideKind, PartMeaning,
    PartProduced, ProgramChanged, Qualifier, Reported, State, StateChanged, ToolChanged,
    ToolLifeUnit, Vocabulary,
};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_record::encode_reported;

/// What the mix is of, for whoever reads the figures.
pub(super) const SAID: &str = "per 1,000 events: 450 states, 250 counts (200 good, 50 scrap), 70 \
     conditions, 70 alarms, 40 modes, 40 programs, 30 tools, 20 overrides, 30 texts of data items";

const STATES: [(State, &str, &str); 6] = [
    (State::Executing, "ACTIVE", ""),
    (State::Starved, "INTERRUPTED", "no part at the entry"),
    (State::Executing, "ACTIVE", ""),
    (State::Blocked, "INTERRUPTED", "exit occupied"),
    (State::Executing, "ACTIVE", ""),
    (State::Faulted, "FAULT_HOLD", "E-205"),
];
const ITEMS: [&str; 6] = ["spindle", "coolant", "hydraulics", "axes", "air", "door"];
const PROGRAMS: u64 = 200;

/// A source of numbers that look like chance and are the same for a seed (splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when that is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }
}

/// A machine that goes on saying things.
#[derive(Clone, Debug, Default)]
pub(super) struct Talker {
    said: u64,
    good: u64,
    scrap: u64,
    alarms: u64,
}

impl Talker {
    /// The next thing that it says, in the shares of [`SAID`].
    pub(super) fn next(&mut self, numbers: &mut Numbers) -> Body<'static> {
        self.said += 1;
        match numbers.below(1_000) {
            0..450 => self.state(),
            450..650 => {
                self.good += 1;
                count("good", PartMeaning::Good, self.good)
            }
            650..700 => {
                self.scrap += 1;
                count("scrap", PartMeaning::Scrap, self.scrap)
            }
            700..770 => condition(numbers),
            770..840 => self.alarm(),
            840..880 => mode(numbers.below(3)),
            880..920 => program(numbers.below(PROGRAMS)),
            920..950 => tool(numbers),
            950..970 => Body::OverrideChanged(OverrideChanged {
                item: "feed".into(),
                what: OverrideKind::ALL.get(1).copied().unwrap_or_default(),
                percent: Some(numbers.below(21) as f64 * 5.0),
            }),
            _ => Body::ItemChanged(ItemChanged {
                item: "operator-message".into(),
                text: Some(format!("check station {}", numbers.below(50)).into()),
            }),
        }
    }

    fn state(&self) -> Body<'static> {
        let at = usize::try_from(self.said).unwrap_or(0) % STATES.len();
        let (to, native, reason) = STATES.get(at).copied().unwrap_or(STATES[0]);
        state(to, native, reason)
    }

    /// Alarms come and go in turn, under a few names for each machine.
    fn alarm(&mut self) -> Body<'static> {
        self.alarms += 1;
        let key = format!("A-{}", self.alarms / 2 % 4).into();
        if self.alarms.is_multiple_of(2) {
            return alarm(key);
        }
        Body::AlarmCleared(AlarmCleared {
            key,
            duration_ms: Some(42_000),
        })
    }
}

/// What a machine of a fleet has said once it has said everything: one thing for each aspect.
pub(super) fn introduction(machine: u64, numbers: &mut Numbers) -> Vec<Body<'static>> {
    let at = usize::try_from(numbers.below(STATES.len() as u64)).unwrap_or(0);
    let (to, native, reason) = STATES.get(at).copied().unwrap_or(STATES[0]);
    let mut said = vec![
        Body::ConnectionChanged(ConnectionChanged {
            to: Connection::Online,
            cause: "".into(),
        }),
        state(to, native, reason),
        mode(numbers.below(3)),
        program(numbers.below(PROGRAMS)),
        count("good", PartMeaning::Good, numbers.below(100_000)),
        condition(numbers),
    ];
    if machine.is_multiple_of(10) {
        said.push(alarm("A-1".into()));
    }
    said
}

fn state(to: State, native: &'static str, reason: &'static str) -> Body<'static> {
    Body::StateChanged(StateChanged {
        to,
        native: native.into(),
        vocabulary: Vocabulary::MtconnectExecution,
        reason: reason.into(),
        ..StateChanged::default()
    })
}

fn count(counter: &'static str, meaning: PartMeaning, value: u64) -> Body<'static> {
    Body::PartProduced(PartProduced {
        counter: counter.into(),
        meaning,
        value: Some(value),
        modulus: 0,
        reset_epoch: 1,
        part_type: "bracket-left".into(),
        part: "".into(),
    })
}

fn condition(numbers: &mut Numbers) -> Body<'static> {
    let at = usize::try_from(numbers.below(ITEMS.len() as u64)).unwrap_or(0);
    let is_well = numbers.below(3) > 0;
    let (level, text) = if is_well {
        (ConditionLevel::Normal, "")
    } else {
        (ConditionLevel::Warning, "pressure below limit")
    };
    Body::ConditionChanged(ConditionChanged {
        item: ITEMS.get(at).copied().unwrap_or(ITEMS[0]).into(),
        level,
        code: "".into(),
        native_severity: "".into(),
        qualifier: Qualifier::default(),
        text: text.into(),
    })
}

fn alarm(key: werkbuch_model::event::Text<'static>) -> Body<'static> {
    Body::AlarmRaised(AlarmRaised {
        key,
        code: "E-205".into(),
        severity: 600,
        text: "hydraulic pressure below limit".into(),
        native: "".into(),
    })
}

fn mode(which: u64) -> Body<'static> {
    let (to, native) = match which {
        0 => (Mode::Production, "AUTOMATIC"),
        1 => (Mode::Manual, "MANUAL"),
        _ => (Mode::Setup, "MANUAL_DATA_INPUT"),
    };
    Body::ModeChanged(ModeChanged {
        to,
        native: native.into(),
        vocabulary: Vocabulary::MtconnectControllerMode,
    })
}

fn program(number: u64) -> Body<'static> {
    Body::ProgramChanged(ProgramChanged {
        slot: "".into(),
        program: Some(format!("O{:04}", 1_000 + number).into()),
        revision: "3".into(),
        block: "".into(),
    })
}

fn tool(numbers: &mut Numbers) -> Body<'static> {
    Body::ToolChanged(ToolChanged {
        slot: "".into(),
        tool: Some(format!("T{:02}", numbers.below(40)).into()),
        life_used: Some(numbers.below(5_000) as f64),
        life_limit: Some(5_000.0),
        life_unit: ToolLifeUnit::ALL.get(1).copied().unwrap_or_default(),
    })
}

/// What one of the machines, chosen by chance, says now, as it goes over the wire; nothing where there is none.
/// The machines are numbered from 1.
pub(super) fn said_now(
    talkers: &mut [Talker],
    numbers: &mut Numbers,
    sequence: u64,
) -> Option<Bytes> {
    let chosen = usize::try_from(numbers.below(talkers.len() as u64)).ok()?;
    let talker = talkers.get_mut(chosen)?;
    let now = when::now();
    let event = Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(u32::try_from(chosen + 1).ok()?),
        occurred_at: now,
        observed_at: Some(now),
        historical: false,
        body: talker.next(numbers),
    };
    Some(encode_reported(&event).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_mix_has_its_shares_and_is_the_same_for_a_seed() {
        let run = || {
            let (mut numbers, mut talker) = (Numbers::new(7), Talker::default());
            (0..20_000)
                .map(|_| talker.next(&mut numbers))
                .collect::<Vec<_>>()
        };
        let said = run();
        assert_eq!(said, run());
        let mut shares: BTreeMap<&str, usize> = BTreeMap::new();
        for body in &said {
            *shares.entry(body.kind().name()).or_default() += 1;
        }
        for (kind, share) in [
            ("STATE_CHANGED", 450),
            ("PART_PRODUCED", 250),
            ("MODE_CHANGED", 40),
        ] {
            let found = shares.get(kind).copied().unwrap_or(0) / 20;
            assert!(found.abs_diff(share) < 25, "{kind}: {found} of 1,000");
        }
        assert!(shares.len() >= 9, "{shares:?}");
    }

    #[test]
    fn an_introduction_sets_every_aspect_once() {
        let said = introduction(10, &mut Numbers::new(1));
        assert_eq!(said.len(), 7);
        assert_eq!(introduction(11, &mut Numbers::new(1)).len(), 6);
    }
}
