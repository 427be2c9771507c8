//! Conditions of a machine's items: which warnings and faults are active, and the worst of them.

use super::MachineTwin;
use super::pick::Pick;
use crate::value::SlotValue;
use serde::Serialize;
use werkbuch_model::event::{AspectKind, ConditionLevel, Qualifier};
use werkbuch_model::time::Timestamp;

/// A warning or fault that is active.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActiveCondition<'t> {
    /// The source's code; empty when it is about the item as a whole.
    pub code: &'t str,
    /// Warning or fault.
    pub level: ConditionLevel,
    /// The side of the ordinary it lies on.
    pub qualifier: Qualifier,
    /// The source's severity.
    pub native_severity: &'t str,
    /// The condition's text.
    pub text: &'t str,
    /// When the event that says so took effect.
    pub since: Timestamp,
}

/// The condition of one item of a machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConditionView<'t> {
    /// The item.
    pub item: &'t str,
    /// The worst of what is active; else whether the source can say.
    pub level: ConditionLevel,
    /// The warnings and faults that are active, by code.
    pub active: Vec<ActiveCondition<'t>>,
    /// When the last event about the item took effect.
    pub last_at: Timestamp,
}

impl<'t> MachineTwin<'t> {
    /// The conditions of the machine by item.
    #[must_use]
    pub fn conditions(&self) -> Vec<ConditionView<'t>> {
        let picks = self.voices(AspectKind::Condition, AspectKind::Condition);
        picks
            .chunk_by(|a, b| a.item == b.item)
            .filter_map(|codes| self.condition(codes))
            .collect()
    }

    /// An event without a code is about all codes: it ends what came before it, and is itself
    /// active when it warns or faults. By then the codes are sorted, the one without a code first.
    fn condition(&self, codes: &[Pick<'t>]) -> Option<ConditionView<'t>> {
        let whole = codes.first().filter(|pick| pick.sub.is_empty());
        let counts = |pick: &&Pick<'t>| {
            whole.is_none_or(|whole| pick.sub.is_empty() || self.is_after(pick.slot, whole.slot))
        };
        let active: Vec<ActiveCondition<'t>> = codes
            .iter()
            .filter(counts)
            .filter_map(|pick| self.active(pick))
            .collect();
        let last = codes
            .iter()
            .reduce(|a, b| if self.is_after(b.slot, a.slot) { b } else { a })?;
        let level = match active.iter().map(|condition| condition.level).max() {
            Some(worst) => worst,
            None if level_of(last) == ConditionLevel::Unavailable => ConditionLevel::Unavailable,
            None => ConditionLevel::Normal,
        };
        Some(ConditionView {
            item: last.item,
            level,
            active,
            last_at: last.at(),
        })
    }

    fn active(&self, pick: &Pick<'t>) -> Option<ActiveCondition<'t>> {
        match pick.value()? {
            SlotValue::Condition {
                level,
                qualifier,
                severity,
                text,
            } if matches!(level, ConditionLevel::Warning | ConditionLevel::Fault) => {
                Some(ActiveCondition {
                    code: pick.sub,
                    level,
                    qualifier,
                    native_severity: self.twin.symbols.text(severity),
                    text,
                    since: pick.at(),
                })
            }
            _ => None,
        }
    }
}

fn level_of(pick: &Pick<'_>) -> ConditionLevel {
    match pick.value() {
        Some(SlotValue::Condition { level, .. }) => level,
        _ => ConditionLevel::Unspecified,
    }
}
