//! Alarms: raised, acknowledged, cleared, each the last of its key.

use super::MachineTwin;
use super::pick::Pick;
use crate::value::{ProtectedValue, SlotValue};
use serde::Serialize;
use std::collections::BTreeMap;
use werkbuch_model::event::AspectKind;
use werkbuch_model::time::Timestamp;

/// A text about a person, as it is stored. It is read in plain at the edge of a read, with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ProtectedView<'t> {
    /// The number of the key in the plant's key ring.
    pub key: u64,
    /// The encrypted text.
    #[serde(skip)]
    pub ciphertext: &'t [u8],
}

/// One alarm of a machine, known by its key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlarmView<'t> {
    /// What tells it from other alarms of the machine.
    pub key: &'t str,
    /// The alarm's code, empty when there is none.
    pub code: &'t str,
    /// From 1 (least) to 1000; absent when only its end or acknowledgement is known.
    pub severity: Option<u32>,
    /// The source's own word for the severity.
    pub native: &'t str,
    /// The alarm's text.
    pub text: &'t str,
    /// Whether it was raised later than it was cleared.
    pub active: bool,
    /// Whether it was acknowledged later than it was raised.
    pub acknowledged: bool,
    /// When it was last raised.
    pub raised_at: Option<Timestamp>,
    /// When it was acknowledged since.
    pub acknowledged_at: Option<Timestamp>,
    /// When it was cleared since.
    pub cleared_at: Option<Timestamp>,
    /// How long it stood in milliseconds, as its source says, once it is cleared.
    pub duration_ms: Option<u64>,
    /// Who acknowledged it.
    pub who: Option<ProtectedView<'t>>,
    /// What the person wrote.
    pub comment: Option<ProtectedView<'t>>,
}

/// The last events of one alarm.
#[derive(Default)]
struct Life<'t> {
    raise: Option<Pick<'t>>,
    acknowledge: Option<Pick<'t>>,
    clear: Option<Pick<'t>>,
}

impl<'t> MachineTwin<'t> {
    /// The alarms of the machine by key, also those that are cleared.
    #[must_use]
    pub fn alarms(&self) -> Vec<AlarmView<'t>> {
        let mut lives: BTreeMap<&'t str, Life<'t>> = BTreeMap::new();
        for pick in self.voices(AspectKind::AlarmRaise, AspectKind::AlarmClear) {
            let life = lives.entry(pick.item).or_default();
            match pick.slot.key.kind {
                AspectKind::AlarmRaise => life.raise = Some(pick),
                AspectKind::AlarmAcknowledge => life.acknowledge = Some(pick),
                _ => life.clear = Some(pick),
            }
        }
        lives
            .into_iter()
            .map(|(key, life)| self.alarm(key, &life))
            .collect()
    }

    /// How many of them are active: raised later than they were cleared.
    #[must_use]
    pub fn active_alarms(&self) -> usize {
        let picks = self.voices(AspectKind::AlarmRaise, AspectKind::AlarmClear);
        let lives = picks.chunk_by(|a, b| a.item == b.item);
        let of =
            |life: &[Pick<'t>], kind| life.iter().rfind(|one| one.slot.key.kind == kind).copied();
        lives
            .filter(|life| {
                let clear = of(life, AspectKind::AlarmClear);
                of(life, AspectKind::AlarmRaise).is_some_and(|raise| {
                    clear.is_none_or(|clear| !self.is_after(clear.slot, raise.slot))
                })
            })
            .count()
    }

    fn alarm(&self, key: &'t str, life: &Life<'t>) -> AlarmView<'t> {
        // What came before the last raise was about the raise before it.
        let since = |pick: Option<Pick<'t>>| match (pick, life.raise) {
            (Some(pick), Some(raise)) if !self.is_after(pick.slot, raise.slot) => None,
            (pick, _) => pick,
        };
        let (acknowledge, clear) = (since(life.acknowledge), since(life.clear));
        let mut view = AlarmView {
            key,
            code: "",
            severity: None,
            native: "",
            text: "",
            active: life.raise.is_some() && clear.is_none(),
            acknowledged: acknowledge.is_some(),
            raised_at: life.raise.map(|pick| pick.at()),
            acknowledged_at: acknowledge.map(|pick| pick.at()),
            cleared_at: clear.map(|pick| pick.at()),
            duration_ms: None,
            who: None,
            comment: None,
        };
        if let Some(SlotValue::AlarmRaise(raise)) = life.raise.and_then(|pick| pick.value()) {
            view.code = self.twin.symbols.text(raise.code);
            view.severity = Some(raise.severity);
            view.native = self.twin.symbols.text(raise.native);
            view.text = raise.text;
        }
        if let Some(SlotValue::AlarmAcknowledge { who, comment }) =
            acknowledge.and_then(|pick| pick.value())
        {
            view.who = protected(&who);
            view.comment = protected(&comment);
        }
        if let Some(SlotValue::AlarmClear { duration_ms }) = clear.and_then(|pick| pick.value()) {
            view.duration_ms = duration_ms;
        }
        view
    }
}

fn protected<'t>(value: &ProtectedValue<'t>) -> Option<ProtectedView<'t>> {
    value.present.then_some(ProtectedView {
        key: value.key,
        ciphertext: value.ciphertext,
    })
}
