//! What a runner hands to its stream: changes of one plant that fit a message, and how far they reach.

use super::token::Cursor;
use crate::limits::{PAGE_BYTES_MAX, WATCH_CHANGES_MAX};
use prost::Message;
use tonic::Status;
use werkbuch_model::id::PlantId;
use werkbuch_wire::pb::{MachineChange, WatchLag};

/// The most bytes of one part: a quarter of a message, so that parts of several plants share one.
const PART_BYTES_MAX: usize = PAGE_BYTES_MAX / 4;

/// Changes of one plant.
pub(super) struct Part {
    pub(super) plant: PlantId,
    pub(super) changes: Vec<MachineChange>,
    pub(super) bytes: usize,
    /// Where the plant stands after them.
    pub(super) cursor: Cursor,
    pub(super) lag: Option<WatchLag>,
    /// Whether the plant has come to the present with it.
    pub(super) caught_up: bool,
}

/// What comes from a runner.
pub(super) enum News {
    Part(Part),
    /// The runner ended, and with it the stream does.
    Failed(Status),
}

/// Puts changes into parts, each with the place to resume after it.
pub(super) struct Parts {
    plant: PlantId,
    cursor: Cursor,
    done: Vec<Part>,
    changes: Vec<MachineChange>,
    bytes: usize,
    lag: Option<WatchLag>,
}

impl Parts {
    /// Parts of a plant that has got to `cursor`.
    pub(super) fn new(plant: PlantId, cursor: Cursor) -> Self {
        Self {
            plant,
            cursor,
            done: Vec::new(),
            changes: Vec::new(),
            bytes: 0,
            lag: None,
        }
    }

    /// The first part says that what follows comes from the log.
    pub(super) fn lag(&mut self, lag: WatchLag) {
        self.lag = Some(lag);
    }

    /// Takes a change. After it the stream would resume at `after`.
    pub(super) fn push(&mut self, change: MachineChange, after: Cursor) {
        let bytes = change.encoded_len();
        let full = self.changes.len() >= WATCH_CHANGES_MAX
            || self.bytes.saturating_add(bytes) > PART_BYTES_MAX;
        if full && !self.changes.is_empty() {
            self.cut();
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.changes.push(change);
        self.cursor = after;
    }

    /// The parts, the last of which reaches up to a place.
    pub(super) fn finish(mut self, cursor: Cursor) -> Vec<Part> {
        self.cursor = cursor;
        self.cut();
        self.done
    }

    /// The parts, which reach no further than the last change.
    pub(super) fn stay(mut self) -> Vec<Part> {
        self.cut();
        self.done
    }

    fn cut(&mut self) {
        self.done.push(Part {
            plant: self.plant.clone(),
            changes: std::mem::take(&mut self.changes),
            bytes: std::mem::take(&mut self.bytes),
            cursor: self.cursor,
            lag: self.lag.take(),
            caught_up: false,
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::token::Within;
    use super::*;
    use werkbuch_model::id::{MachineNumber, Position};

    fn within(number: u32) -> Cursor {
        Cursor::at(Position(8)).within(Within::Event(MachineNumber(number)))
    }

    #[test]
    fn parts_are_bounded_and_say_where_to_go_on() {
        let start = Cursor::default();
        let mut parts = Parts::new(PlantId::new("P").unwrap(), start);
        for number in 1..=2_500_u32 {
            let change = MachineChange {
                position: number.into(),
                ..MachineChange::default()
            };
            parts.push(change, within(number));
        }
        let large = MachineChange {
            event_kind: "x".repeat(PART_BYTES_MAX),
            ..MachineChange::default()
        };
        parts.push(large, within(3_000));
        let parts = parts.finish(Cursor::at(Position(9)));
        let sizes: Vec<_> = parts.iter().map(|part| part.changes.len()).collect();
        assert_eq!(sizes, [1_024, 1_024, 452, 1]);
        let cursors: Vec<_> = parts.iter().map(|part| part.cursor).collect();
        assert_eq!(cursors[0], within(1_024));
        assert_eq!(cursors[2], within(2_500));
        assert_eq!(
            (cursors[3].position, cursors[3].within),
            (Position(9), None)
        );
    }
}
