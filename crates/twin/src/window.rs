//! How long what is tracked counts as state: things come and go, and a plant tracks them for ever.
//!
//! An event of a kind with a horizon is state only while it lies no further back than that from the
//! latest plant time that was heard of. That time only ever grows, and the latest event of an aspect
//! is the last to fall out; so the state is the same whatever was swept when.

use crate::coded;
use serde::{Deserialize, Serialize};
use werkbuch_model::event::AspectKind;
use werkbuch_model::time::Timestamp;

const DAY_NS: i64 = 86_400_000_000_000;

/// The window of plant time in which tracked things are state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    /// The greatest effective time of anything reported or re-timed, whatever was corrected since.
    #[serde(with = "coded::nanos_option")]
    latest: Option<Timestamp>,
}

impl Window {
    /// Notes when something was reported.
    pub(crate) fn heard(&mut self, effective_at: Timestamp) {
        self.latest = self.latest.max(Some(effective_at));
    }

    /// Whether an event of a kind is state.
    pub(crate) fn holds(&self, kind: AspectKind, effective_at: Timestamp) -> bool {
        match (horizon(kind), self.latest) {
            (Some(horizon), Some(latest)) => effective_at >= latest.plus(-horizon),
            _ => true,
        }
    }
}

/// How long an event of a kind is state, in nanoseconds; for ever when there is no horizon.
fn horizon(kind: AspectKind) -> Option<i64> {
    use AspectKind::*;
    match kind {
        PartPlace | PartDisposition | Transport => Some(14 * DAY_NS),
        Maintenance | Downtime | Andon | OrderRelease | OrderProgress | Plan | Period => {
            Some(100 * DAY_NS)
        }
        Calendar => Some(400 * DAY_NS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tracked_falls_out_and_what_is_not_stays() {
        let mut window = Window::default();
        let at = |days: i64| Timestamp(days * DAY_NS);
        assert!(window.holds(AspectKind::PartPlace, at(-1_000)));
        window.heard(at(100));
        window.heard(at(50));
        for (kind, day, holds) in [
            (AspectKind::PartPlace, 86, true),
            (AspectKind::PartPlace, 85, false),
            (AspectKind::Transport, 85, false),
            (AspectKind::Andon, 0, true),
            (AspectKind::Andon, -1, false),
            (AspectKind::Calendar, -300, true),
            (AspectKind::Calendar, -301, false),
            (AspectKind::QualityResult, -10_000, true),
            (AspectKind::State, -10_000, true),
            (AspectKind::PartPlace, 200, true),
        ] {
            assert_eq!(window.holds(kind, at(day)), holds, "{kind} {day}");
        }
        window.heard(Timestamp::MAX);
        assert!(!window.holds(AspectKind::PartPlace, Timestamp(i64::MIN)));
    }
}
