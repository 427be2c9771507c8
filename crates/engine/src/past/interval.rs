//! What is known of the events between two marks.

use serde::{Deserialize, Serialize};
use werkbuch_model::event::{Body, CorrectionAction, Recorded};
use werkbuch_model::id::{Position, SourceNumber};
use werkbuch_model::time::Timestamp;

/// So many late events are kept with a mark; where there are more, the interval is read from the log.
const LATE_EVENTS_MAX: usize = 4_096;
/// So many bytes of them.
const LATE_BYTES_MAX: usize = 1024 * 1024;

/// The events behind one mark, up to the next.
#[derive(Clone, Debug)]
pub(super) struct Interval {
    /// The position of the mark behind which it begins; 0 for the beginning of the log.
    pub(super) after: Position,
    /// The latest plant time of anything up to `after`.
    pub(super) front: Timestamp,
    /// The latest plant time of anything up to the interval's last event.
    pub(super) top: Timestamp,
    /// How far back in plant time its events reach.
    pub(super) reach: Timestamp,
    /// The last event.
    pub(super) last: Position,
    /// Events that reach to the front or behind it, unless they are too many to be kept.
    pub(super) late: Option<Vec<Late>>,
    late_bytes: usize,
    pub(super) described: Vec<Described>,
    pub(super) opened: Vec<(Position, SourceNumber)>,
}

/// An event that came when plant time was further.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Late {
    pub(super) position: u64,
    /// The least plant time that it changes, in nanoseconds.
    pub(super) reach: i64,
    /// As it is stored.
    pub(super) bytes: Vec<u8>,
}

/// A change of the plant's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Described {
    pub(super) position: u64,
    /// From when on it holds, in nanoseconds of plant time: as it says, or since it was recorded.
    pub(super) from: i64,
}

impl Interval {
    pub(super) fn after(after: Position, front: Timestamp) -> Self {
        Self {
            after,
            front,
            top: front,
            reach: Timestamp::MAX,
            last: after,
            late: Some(Vec::new()),
            late_bytes: 0,
            described: Vec::new(),
            opened: Vec::new(),
        }
    }

    /// How many events it has.
    pub(super) fn len(&self) -> u64 {
        self.last.get().saturating_sub(self.after.get())
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, event: &Recorded<'_>, bytes: &[u8]) {
        self.last = event.position;
        match &event.reported.body {
            Body::DescriptionChanged(said) => self.described.push(Described {
                position: event.position.get(),
                from: said.valid_from.unwrap_or(event.recorded_at).nanos(),
            }),
            Body::SourceOpened(opened) => self.opened.push((event.position, opened.number)),
            _ => {}
        }
        if !event.is_reported() {
            return;
        }
        let (reach, top) = span(event);
        self.top = self.top.max(top);
        self.reach = self.reach.min(reach);
        if reach > self.front {
            return;
        }
        let Some(late) = &mut self.late else { return };
        self.late_bytes = self.late_bytes.saturating_add(bytes.len());
        if late.len() >= LATE_EVENTS_MAX || self.late_bytes > LATE_BYTES_MAX {
            self.late = None;
            return;
        }
        late.push(Late {
            position: event.position.get(),
            reach: reach.nanos(),
            bytes: bytes.to_vec(),
        });
    }
}

/// The least and the greatest plant time that an event changes.
fn span(event: &Recorded<'_>) -> (Timestamp, Timestamp) {
    let at = event.effective_at;
    let Body::CorrectionRecorded(said) = &event.reported.body else {
        return (at, at);
    };
    let moved = said
        .new_time
        .filter(|_| said.action == CorrectionAction::Retime);
    let targets = event.corrected.iter().map(|target| target.effective_at);
    targets.chain(moved).fold((at, at), |(least, most), time| {
        (least.min(time), most.max(time))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_model::event::{Corrected, Correction, Flags, ItemChanged, Reported};
    use werkbuch_model::id::{MachineNumber, Sequence};

    fn event(position: u64, effective_at: i64, body: Body<'static>) -> Recorded<'static> {
        Recorded {
            position: Position(position),
            recorded_at: Timestamp(1_000 + position.cast_signed()),
            effective_at: Timestamp(effective_at),
            source: SourceNumber(1),
            previous: Position(0),
            flags: Flags::default(),
            authority: 0,
            reported: Reported {
                sequence: Sequence(position),
                machine: MachineNumber(1),
                occurred_at: Timestamp(effective_at),
                observed_at: None,
                historical: false,
                body,
            },
            corrected: Vec::new(),
        }
    }

    fn item() -> Body<'static> {
        Body::ItemChanged(ItemChanged::default())
    }

    #[test]
    fn what_reaches_behind_the_front_is_late() {
        let mut interval = Interval::after(Position(10), Timestamp(500));
        for (position, at) in [(11, 501), (12, 500), (13, 700), (14, 499)] {
            interval.take(&event(position, at, item()), &[1]);
        }
        let late = interval.late.as_ref().map(|late| {
            let late = late.iter().map(|late| (late.position, late.reach));
            late.collect::<Vec<_>>()
        });
        assert_eq!(late, Some(vec![(12, 500), (14, 499)]));
        assert_eq!(
            (interval.reach, interval.top),
            (Timestamp(499), Timestamp(700))
        );
        assert_eq!((interval.len(), interval.last), (4, Position(14)));
    }

    #[test]
    fn a_correction_reaches_as_far_as_what_it_corrects_and_moves() {
        let correction = |action, new_time| {
            let mut event = event(
                11,
                900,
                Body::CorrectionRecorded(Correction {
                    action,
                    new_time,
                    ..Correction::default()
                }),
            );
            event.corrected = vec![Corrected {
                target: Position(1),
                effective_at: Timestamp(300),
                source: SourceNumber(1),
                sequence: Sequence(1),
                authority: 0,
                body: item(),
                restored: Vec::new(),
            }];
            span(&event)
        };
        let (retract, retime) = (CorrectionAction::Retract, CorrectionAction::Retime);
        for (action, moved, expected) in [
            (retract, None, (300, 900)),
            (retime, Some(100), (100, 900)),
            (retime, Some(2_000), (300, 2_000)),
        ] {
            let found = correction(action, moved.map(Timestamp));
            assert_eq!(found, (Timestamp(expected.0), Timestamp(expected.1)));
        }
    }

    #[test]
    fn too_many_late_events_are_not_kept() {
        let mut interval = Interval::after(Position(0), Timestamp(500));
        for position in 1..=LATE_EVENTS_MAX as u64 {
            interval.take(&event(position, 1, item()), &[1]);
            assert!(interval.late.is_some());
        }
        interval.take(&event(9_999_999, 1, item()), &[1]);
        assert!(interval.late.is_none());
        assert_eq!(interval.reach, Timestamp(1));
    }
}
