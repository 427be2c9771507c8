//! Conversions between the messages and `model`.

use crate::pb;
use crate::reason::Reason;
use tonic::Status;
use werkbuch_model::id::Position;
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::time::Timestamp;

/// The instant of a request; left out, it is the present.
#[must_use]
pub fn instant_of(message: Option<&pb::Instant>) -> Instant {
    let Some(message) = message else {
        return Instant::NOW;
    };
    let known = match message.known {
        None => Known::Now,
        Some(pb::instant::Known::KnownPosition(position)) => Known::Position(Position(position)),
        Some(pb::instant::Known::KnownRecordedAt(nanos)) => Known::Recorded(Timestamp(nanos)),
    };
    Instant {
        known,
        at: message.at.map(Timestamp),
    }
}

/// An instant as a message.
#[must_use]
pub fn instant_to(instant: &Instant) -> pb::Instant {
    let known = match instant.known {
        Known::Now => None,
        Known::Position(position) => Some(pb::instant::Known::KnownPosition(position.get())),
        Known::Recorded(time) => Some(pb::instant::Known::KnownRecordedAt(time.nanos())),
    };
    pb::Instant {
        known,
        at: instant.at.map(Timestamp::nanos),
    }
}

/// The kinds of a request's list of names. Errors: `UNKNOWN_KIND` with the names there are.
pub fn kinds_of(names: &[String]) -> Result<Vec<werkbuch_model::event::Kind>, Status> {
    use werkbuch_model::event::Kind;
    let kind = |name: &String| {
        Kind::from_name(name)
            .filter(|kind| *kind != Kind::Unspecified)
            .ok_or_else(|| {
                let all = Kind::ALL
                    .iter()
                    .skip(1)
                    .map(|kind| kind.name())
                    .collect::<Vec<_>>();
                let shown: String = name.chars().take(48).collect();
                let near = did_you_mean(name, all.iter().copied());
                let near = near.unwrap_or_else(|| format!("there are {}", all.join(", ")));
                Reason::UnknownKind.status(format!("there is no event kind \"{shown}\"; {near}"))
            })
    };
    names.iter().map(kind).collect()
}
