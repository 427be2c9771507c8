//! What happened, as far as it is known by now: an event at its place, or what a correction made of it.

use werkbuch_model::event::{Body, CorrectionAction, Flags, OrderKey, Recorded, Reported};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;

/// How something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It was reported, but a correction says otherwise: only that the machine was heard of is left.
    Gone,
    /// A correction said so, but a later one says otherwise: only that the plant was heard of is left.
    Withdrawn,
    /// As it was reported.
    Said,
    /// As a correction says.
    Restated,
}

/// Something that happened in a plant.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening<'e> {
    /// Its place in plant time.
    pub order: OrderKey,
    /// The machine that it is about; 0 for none.
    pub machine: MachineNumber,
    /// The position of the event whose place it has: of a corrected event its own.
    pub place: Position,
    /// The position of the event that gave the content: the event itself, or the correction.
    pub position: Position,
    /// The rank of its source.
    pub authority: u32,
    /// How it is known.
    pub how: How,
    /// What happened.
    pub body: Body<'e>,
}

/// What a recorded event says of one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The position of the event whose place it is.
    pub place: Position,
    /// Which part of the event says so: see [`Happening::of`].
    pub part: usize,
    /// When it was until now; absent for a place that is new.
    pub before: Option<Timestamp>,
    /// Where in plant time it is from now on; absent when nothing ever happened there.
    pub order: Option<OrderKey>,
}

/// The places that an event decides about: its own, or those that a correction corrects. None for the
/// writer's own records. The last event that decides about a place is right.
pub fn places<'r>(event: &'r Recorded<'_>) -> impl Iterator<Item = Place> + 'r {
    let correction = match &event.reported.body {
        Body::CorrectionRecorded(said) => Some((said.action, said.new_time)),
        _ => None,
    };
    let own = (correction.is_none() && event.is_reported()).then(|| Place {
        place: event.position,
        part: 0,
        before: None,
        order: Some(event.order_key()),
    });
    let targets = event.corrected.iter().enumerate();
    let corrected = targets.filter_map(move |(part, corrected)| {
        let (action, new_time) = correction?;
        let effective_at = match action {
            CorrectionAction::Replace => Some(corrected.effective_at),
            CorrectionAction::Retime => new_time,
            CorrectionAction::Retract => None,
            CorrectionAction::Unspecified => return None,
        };
        let order = effective_at.map(|effective_at| OrderKey {
            effective_at,
            source: corrected.source,
            sequence: corrected.sequence,
        });
        Some(Place {
            place: corrected.target,
            part,
            before: Some(corrected.effective_at),
            order,
        })
    });
    own.into_iter().chain(corrected)
}

impl<'e> Happening<'e> {
    /// What an event says of one of its [`places`]; nothing where it says that nothing happened, and
    /// for a part that it does not have.
    #[must_use]
    pub fn of(event: Recorded<'e>, part: usize) -> Option<Self> {
        let found = places(&event).find(|place| place.part == part)?;
        let order = found.order?;
        let (machine, position) = (event.reported.machine, event.position);
        let (authority, how, body) = match found.before {
            None => (event.authority, How::Said, event.reported.body),
            Some(_) => {
                let corrected = event.corrected.into_iter().nth(part)?;
                (corrected.authority, How::Restated, corrected.body)
            }
        };
        Some(Self {
            order,
            machine,
            place: found.place,
            position,
            authority,
            how,
            body,
        })
    }

    /// As an event that says so. Its times are those in the plant.
    #[must_use]
    pub fn into_recorded(self) -> Recorded<'e> {
        let at = self.order.effective_at;
        Recorded {
            position: self.position,
            recorded_at: at,
            effective_at: at,
            source: self.order.source,
            previous: Position(0),
            flags: Flags::default(),
            authority: self.authority,
            reported: Reported {
                sequence: self.order.sequence,
                machine: self.machine,
                occurred_at: at,
                observed_at: None,
                historical: false,
                body: self.body,
            },
            corrected: Vec::new(),
        }
    }
}
