//! Looks through the log for the events of a page, in both directions, with a bounded effort.

use crate::limits::{PAGE_BYTES_MAX, SCAN_EVENTS_MAX};
use bytes::Bytes;
use werkbuch_engine::{EngineError, Plant, Reflected, StoredEvent};
use werkbuch_model::event::{Kind, Recorded};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::instant::Instant;
use werkbuch_model::time::Timestamp;
use werkbuch_record::decode_recorded;

/// The events that are read at once when the log is read backward.
const CHUNK_EVENTS: u64 = 1_024;

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) machine: Option<MachineNumber>,
    pub(super) kinds: Vec<Kind>,
    pub(super) from_time: Option<Timestamp>,
    pub(super) to_time: Option<Timestamp>,
    /// The bound of the instant: later effective times are left out.
    pub(super) at: Option<Timestamp>,
}

/// The page that is asked for.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) instant: Instant,
    /// Where the page before ended; absent for the first.
    pub(super) begin: Option<Position>,
    pub(super) first: Position,
    pub(super) last: Position,
    pub(super) newest_first: bool,
    pub(super) size: usize,
    pub(super) wanted: Wanted,
    /// Who reads fields about people, and why.
    pub(super) reveal: Option<(String, String)>,
}

/// The page that was found.
pub(super) struct Found {
    pub(super) events: Vec<Bytes>,
    /// Where to go on; absent on the last page.
    pub(super) next: Option<Position>,
    pub(super) reflected: Reflected,
}

/// What has been collected of a page.
struct Collected<'p> {
    page: &'p Page,
    wanted: Wanted,
    events: Vec<Bytes>,
    bytes: usize,
    looked_at: u64,
}

impl Wanted {
    fn is_all(&self) -> bool {
        self.machine.is_none()
            && self.kinds.is_empty()
            && self.from_time.is_none()
            && self.to_time.is_none()
            && self.at.is_none()
    }

    /// Whether the stored event is wanted.
    pub(super) fn takes(&self, event: &StoredEvent) -> Result<bool, EngineError> {
        Ok(self.is_all() || self.takes_event(&decode(event)?))
    }

    pub(super) fn takes_event(&self, event: &Recorded<'_>) -> bool {
        let time = event.effective_at;
        self.machine
            .is_none_or(|machine| event.reported.machine == machine)
            && (self.kinds.is_empty() || self.kinds.contains(&event.reported.body.kind()))
            && self.from_time.is_none_or(|from| time >= from)
            && self.to_time.is_none_or(|to| time < to)
            && self.at.is_none_or(|at| time <= at)
    }
}

/// The events of a page. It blocks.
pub(super) fn page(plant: &Plant, page: &Page) -> Result<Found, EngineError> {
    let bound = plant.bounds(&page.instant)?;
    let recorded_at = match plant.event(bound)? {
        Some(event) => decode(&event)?.recorded_at,
        None => Timestamp::default(),
    };
    let reflected = Reflected {
        position: bound,
        recorded_at,
        at: page.instant.at,
        late: None,
    };
    let first = page.first.max(Position(1));
    let last = page.last.min(bound);
    let mut collected = Collected {
        page,
        wanted: Wanted {
            at: page.instant.at,
            ..page.wanted.clone()
        },
        events: Vec::new(),
        bytes: 0,
        looked_at: 0,
    };
    let next = if first > last {
        None
    } else if page.newest_first {
        collected.backward(plant, first, last)?
    } else {
        collected.forward(plant, first, last)?
    };
    Ok(Found {
        events: collected.events,
        next,
        reflected,
    })
}

impl Collected<'_> {
    /// From the first to the last; answers with where to go on.
    fn forward(
        &mut self,
        plant: &Plant,
        first: Position,
        last: Position,
    ) -> Result<Option<Position>, EngineError> {
        let begin = self.page.begin.unwrap_or(first).max(first);
        if begin > last {
            return Ok(None);
        }
        let events = match self.wanted.machine {
            Some(machine) => plant.events_near(machine, begin)?,
            None => plant.events(begin)?,
        };
        for event in events {
            let event = event?;
            if event.position > last {
                break;
            }
            if self.is_full() {
                return Ok(Some(event.position));
            }
            self.look_at(plant, &event)?;
        }
        Ok(None)
    }

    /// From the last to the first, in chunks that are read forward.
    fn backward(
        &mut self,
        plant: &Plant,
        first: Position,
        last: Position,
    ) -> Result<Option<Position>, EngineError> {
        let mut end = self.page.begin.unwrap_or(last).min(last);
        while end >= first {
            let begin = Position(end.get().saturating_sub(CHUNK_EVENTS - 1)).max(first);
            let mut chunk = Vec::new();
            for event in plant.events(begin)? {
                let event = event?;
                if event.position > end {
                    break;
                }
                chunk.push(event);
            }
            for event in chunk.iter().rev() {
                if self.is_full() {
                    return Ok(Some(event.position));
                }
                self.look_at(plant, event)?;
            }
            if begin == first {
                break;
            }
            end = Position(begin.get().saturating_sub(1));
        }
        Ok(None)
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.page.size
            || self.bytes >= PAGE_BYTES_MAX
            || self.looked_at >= SCAN_EVENTS_MAX
    }

    fn look_at(&mut self, plant: &Plant, event: &StoredEvent) -> Result<(), EngineError> {
        self.looked_at += 1;
        if !self.wanted.takes(event)? {
            return Ok(());
        }
        let bytes = match &self.page.reveal {
            None => event.bytes.clone(),
            Some((reader, purpose)) => plant.reveal(&event.bytes, reader, purpose)?.into(),
        };
        self.bytes = self.bytes.saturating_add(bytes.len());
        self.events.push(bytes);
        Ok(())
    }
}

fn decode(event: &StoredEvent) -> Result<Recorded<'_>, EngineError> {
    decode_recorded(&event.bytes).map_err(|cause| EngineError::Internal {
        what: format!(
            "the event at position {} cannot be read: {cause}",
            event.position
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_model::event::{Body, Flags, ItemChanged, Reported};
    use werkbuch_model::id::{Sequence, SourceNumber};

    fn event(machine: u32, time: i64) -> Recorded<'static> {
        Recorded {
            position: Position(1),
            recorded_at: Timestamp(9),
            effective_at: Timestamp(time),
            source: SourceNumber(1),
            previous: Position(0),
            flags: Flags::default(),
            authority: 0,
            reported: Reported {
                sequence: Sequence(1),
                machine: MachineNumber(machine),
                occurred_at: Timestamp(time),
                observed_at: None,
                historical: false,
                body: Body::ItemChanged(ItemChanged {
                    item: "x".into(),
                    text: None,
                }),
            },
            corrected: Vec::new(),
        }
    }

    #[test]
    fn times_are_half_open_and_the_instant_is_closed() {
        type Change = fn(&mut Wanted);
        let cases: [(Change, bool); 11] = [
            (|_| (), true),
            (|wanted| wanted.machine = Some(MachineNumber(7)), true),
            (|wanted| wanted.machine = Some(MachineNumber(8)), false),
            (
                |wanted| wanted.kinds = vec![Kind::StateChanged, Kind::ItemChanged],
                true,
            ),
            (|wanted| wanted.kinds = vec![Kind::StateChanged], false),
            (|wanted| wanted.from_time = Some(Timestamp(100)), true),
            (|wanted| wanted.from_time = Some(Timestamp(101)), false),
            (|wanted| wanted.to_time = Some(Timestamp(100)), false),
            (|wanted| wanted.to_time = Some(Timestamp(101)), true),
            (|wanted| wanted.at = Some(Timestamp(100)), true),
            (|wanted| wanted.at = Some(Timestamp(99)), false),
        ];
        for (change, expected) in cases {
            let mut wanted = Wanted::default();
            change(&mut wanted);
            assert_eq!(wanted.takes_event(&event(7, 100)), expected, "{wanted:?}");
        }
    }
}
