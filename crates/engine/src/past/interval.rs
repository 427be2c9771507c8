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
    /// The same of the interval before.
    pub(super) before: Timestamp,
    /// The latest plant time of anything up to the interval's last event.
    pub(super) top: Timestamp,
    /// How far back in plant time its events reach.
    pub(super) reach: Timestamp,
    /// The last event.
    pub(super) last: Position,
    /// What came late, unless it is too much to be kept.
    pub(super) late: Option<Lates>,
    pub(super) described: Vec<Described>,
    pub(super) opened: Vec<(Position, SourceNumber)>,
    /// Whether something was corrected: what holds again then was said long before.
    pub(super) corrected: bool,
}

/// The events of an interval that reach to its front or behind it.
#[derive(Clone, Debug, Default)]
pub(super) struct Lates {
    /// Those that reach no further than the interval before: nearly all, since sources report in turn.
    pub(super) near: LateBytes,
    /// Those that reach further; so few that all of an hour are soon gone through.
    pub(super) far: LateBytes,
    count: usize,
}

/// Late events one after the other: position, reach in nanoseconds (64 bits each, little-endian),
/// length (32 bits) and the event as it is stored.
#[derive(Clone, Debug)]
pub(super) struct LateBytes {
    pub(super) bytes: Vec<u8>,
    /// The least plant time that any of them changes.
    pub(super) reach: Timestamp,
}

impl Default for LateBytes {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            reach: Timestamp::MAX,
        }
    }
}

impl LateBytes {
    fn push(&mut self, position: Position, reach: Timestamp, event: &[u8]) {
        let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&position.get().to_le_bytes());
        self.bytes.extend_from_slice(&reach.nanos().to_le_bytes());
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(event);
        self.reach = self.reach.min(reach);
    }
}

/// Goes through late events: position, reach, bytes. It ends where the bytes are none.
pub(super) fn lates(mut bytes: &[u8]) -> impl Iterator<Item = (Position, Timestamp, &[u8])> {
    std::iter::from_fn(move || {
        let (position, rest) = bytes.split_first_chunk::<8>()?;
        let (reach, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (event, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        let position = Position(u64::from_le_bytes(*position));
        Some((position, Timestamp(i64::from_le_bytes(*reach)), event))
    })
}

/// A change of the plant's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Described {
    pub(super) position: u64,
    /// From when on it holds, in nanoseconds of plant time: as it says, or since it was recorded.
    pub(super) from: i64,
}

impl Interval {
    /// The first interval of a log.
    pub(super) fn first() -> Self {
        Self::after(Position(0), Timestamp::MIN, Timestamp::MIN)
    }

    /// The interval behind a mark; `before` is the front of the interval that the mark ends.
    pub(super) fn after(after: Position, front: Timestamp, before: Timestamp) -> Self {
        Self {
            after,
            front,
            before,
            top: front,
            reach: Timestamp::MAX,
            last: after,
            late: Some(Lates::default()),
            described: Vec::new(),
            opened: Vec::new(),
            corrected: false,
        }
    }

    /// The interval that follows when this one ends here.
    pub(super) fn next(&self) -> Self {
        Self::after(self.last, self.top, self.front)
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
            Body::CorrectionRecorded(_) => self.corrected = true,
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
        late.count += 1;
        let bytes_kept = late.near.bytes.len() + late.far.bytes.len() + bytes.len();
        if late.count > LATE_EVENTS_MAX || bytes_kept > LATE_BYTES_MAX {
            self.late = None;
        } else if reach > self.before {
            late.near.push(event.position, reach, bytes);
        } else {
            late.far.push(event.position, reach, bytes);
        }
    }
}

/// The least and the greatest plant time that an event changes.
pub(super) fn span(event: &Recorded<'_>) -> (Timestamp, Timestamp) {
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
        let mut interval = Interval::after(Position(10), Timestamp(500), Timestamp(400));
        for (position, at) in [(11, 501), (12, 500), (13, 700), (14, 499), (15, 400)] {
            interval.take(&event(position, at, item()), &[1, 2]);
        }
        let late = interval.late.clone().unwrap_or_default();
        let near: Vec<_> = lates(&late.near.bytes).collect();
        assert_eq!(
            near,
            [
                (Position(12), Timestamp(500), &[1, 2][..]),
                (Position(14), Timestamp(499), &[1, 2])
            ]
        );
        let far: Vec<_> = lates(&late.far.bytes).map(|late| late.0).collect();
        assert_eq!((far, late.far.reach), (vec![Position(15)], Timestamp(400)));
        assert_eq!(
            (interval.reach, interval.top),
            (Timestamp(400), Timestamp(700))
        );
        assert_eq!((interval.len(), interval.last), (5, Position(15)));
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
        let mut interval = Interval::after(Position(0), Timestamp(500), Timestamp(500));
        for position in 1..=LATE_EVENTS_MAX as u64 {
            interval.take(&event(position, 1, item()), &[1]);
            assert!(interval.late.is_some());
        }
        interval.take(&event(9_999_999, 1, item()), &[1]);
        assert!(interval.late.is_none());
        assert_eq!(interval.reach, Timestamp(1));
    }
}
