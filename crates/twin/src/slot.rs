//! A slot: the event that holds for one aspect of a machine, at one rank of authority.

use crate::coded;
use crate::machine::Claim;
use crate::symbol::Symbol;
use crate::window::Window;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use werkbuch_model::event::{AspectKind, OrderKey, UNLISTED_AUTHORITY};
use werkbuch_model::id::{Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;

/// What tells the slots of a machine apart; ordered so that the ranks of one aspect lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SlotKey {
    #[serde(with = "coded")]
    pub(crate) kind: AspectKind,
    pub(crate) item: Symbol,
    pub(crate) sub: Symbol,
    pub(crate) rank: Rank,
}

/// The rank of authority: 0 has the say, n is the n-th fallback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Rank(pub(crate) u8);

impl Rank {
    /// Reported, compared, and never moving the state.
    pub(crate) const UNLISTED: Rank = Rank(UNLISTED_AUTHORITY as u8);

    /// The rank of an event; what is beyond the greatest rank is not listed.
    pub(crate) fn of(authority: u32) -> Self {
        u8::try_from(authority).map_or(Self::UNLISTED, Rank)
    }
}

/// Where the content of a slot lies among those of its machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) from: u32,
    /// The room that it has, in bytes; what it needs may be less.
    pub(crate) room: u32,
}

/// One slot: 56 bytes beside its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) key: SlotKey,
    pub(crate) source: SourceNumber,
    pub(crate) span: Span,
    #[serde(with = "coded::nanos")]
    pub(crate) effective_at: Timestamp,
    pub(crate) sequence: Sequence,
    /// The position of the event whose place this is; for a correction the event that it corrects.
    pub(crate) place: Position,
    /// The position of the event that gave the value; for a replacement that of the correction.
    pub(crate) position: Position,
}

impl Span {
    pub(crate) const fn range(self) -> Range<usize> {
        let from = self.from as usize;
        from..from + self.room as usize
    }
}

impl Slot {
    /// A slot that says nothing yet.
    pub(crate) fn new(key: SlotKey, claim: &Claim) -> Self {
        Self {
            key,
            source: claim.order.source,
            span: Span::default(),
            effective_at: claim.order.effective_at,
            sequence: claim.order.sequence,
            place: claim.place,
            position: claim.position,
        }
    }

    /// Whether it is state.
    pub(crate) fn is_in(&self, window: Window) -> bool {
        window.holds(self.key.kind, self.effective_at)
    }

    /// Whether the same event, at the same place, gave the other one.
    pub(crate) fn is_of_event_of(&self, other: &Self) -> bool {
        self.position == other.position
            && self.place == other.place
            && self.order() == other.order()
    }

    /// Its place in plant time.
    pub(crate) fn order(&self) -> OrderKey {
        OrderKey {
            effective_at: self.effective_at,
            source: self.source,
            sequence: self.sequence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_stays_small() {
        assert_eq!(size_of::<Slot>(), 56);
    }

    #[test]
    fn ranks_beyond_the_greatest_are_unlisted() {
        for (authority, rank) in [(0, 0), (3, 3), (254, 254), (255, 255), (256, 255)] {
            assert_eq!(Rank::of(authority), Rank(rank));
        }
    }
}
