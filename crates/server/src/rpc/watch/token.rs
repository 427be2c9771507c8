//! Resume tokens: how far a stream has got in each plant, and of which question it is.

pub(super) use crate::token::short;

use crate::token::{Rest, open, seal, text, varint};
use tonic::Status;
use werkbuch_model::id::{MachineNumber, PlantId, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_wire::reason::Reason;

/// The form of the tokens; another form is refused.
const VERSION: u8 = 1;
/// Beside the kind of a place: the time at which the position was recorded follows.
const RECORDED: u8 = 0x80;

/// How far a stream has got in a plant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Everything up to this position has been told.
    pub(super) position: Position,
    /// When that position was recorded, as far as it is known: so that a log that was restored from a
    /// backup and has gone on otherwise is told from the one that the stream has read.
    pub(super) recorded_at: Option<Timestamp>,
    /// What of the next has been told as well.
    pub(super) within: Option<Within>,
}

/// A place among the machines that one thing concerns, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// Of the machines as they stand at the position, those up to this one have been told.
    Present(MachineNumber),
    /// Of the machines that the next event touches, those up to this one have been told.
    Event(MachineNumber),
}

impl Cursor {
    /// Up to a position, and nothing of the next. When it was recorded is not known.
    pub(super) const fn at(position: Position) -> Self {
        Self {
            position,
            recorded_at: None,
            within: None,
        }
    }

    /// Up to where a twin stands, and nothing of the next.
    pub(super) fn of(twin: &Twin) -> Self {
        Self {
            recorded_at: twin.last_recorded_at(),
            ..Self::at(twin.position())
        }
    }

    /// The same, and of what comes next up to a place.
    pub(super) fn within(self, within: Within) -> Self {
        Self {
            within: Some(within),
            ..self
        }
    }
}

/// A plant of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) plant: PlantId,
    /// The beginning of its log's number.
    pub(super) log: [u8; 8],
    pub(super) cursor: Cursor,
}

/// The token of these plants.
pub(super) fn write<'e>(
    question: [u8; 8],
    entries: impl ExactSizeIterator<Item = (&'e PlantId, [u8; 8], Cursor)>,
) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(question);
    varint(&mut bytes, entries.len() as u64);
    for (plant, log, cursor) in entries {
        text(&mut bytes, plant.as_str());
        bytes.extend(log);
        varint(&mut bytes, cursor.position.get());
        let (kind, machine) = match cursor.within {
            None => (0, 0),
            Some(Within::Present(machine)) => (1, machine.get()),
            Some(Within::Event(machine)) => (2, machine.get()),
        };
        let recorded = if cursor.recorded_at.is_some() {
            RECORDED
        } else {
            0
        };
        bytes.push(kind | recorded);
        varint(&mut bytes, machine.into());
        let times = cursor.recorded_at.into_iter();
        bytes.extend(times.flat_map(|time| time.nanos().to_be_bytes()));
    }
    seal(bytes)
}

/// The plants of a token. Errors: `INVALID_RESUME_TOKEN`.
pub(super) fn read(question: [u8; 8], token: &str) -> Result<Vec<Entry>, Status> {
    let (of, entries) = parse(token).ok_or_else(|| {
        Reason::InvalidResumeToken.status(
            "the resume token is not one of this server's, or not whole; take it whole from what \
                     the stream told last, or begin anew at a position or a time",
        )
    })?;
    if of != question {
        return Err(Reason::InvalidResumeToken.status(
            "the resume token belongs to other plants or another filter; give it with those that it \
             came from, or begin anew at a position or a time",
        ));
    }
    Ok(entries)
}

fn parse(token: &str) -> Option<([u8; 8], Vec<Entry>)> {
    let bytes = open(token)?;
    let mut rest = Rest(&bytes);
    if rest.take(1)? != [VERSION] {
        return None;
    }
    let question = rest.eight()?;
    let count = rest.varint()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(entry(&mut rest)?);
    }
    rest.0.is_empty().then_some((question, entries))
}

/// Reads the next plant of a token.
fn entry(rest: &mut Rest<'_>) -> Option<Entry> {
    let plant = rest.plant()?;
    let log = rest.eight()?;
    let position = Position(rest.varint()?);
    let kind = rest.byte()?;
    let machine = MachineNumber(u32::try_from(rest.varint()?).ok()?);
    let recorded_at = match kind & RECORDED {
        0 => None,
        _ => Some(Timestamp(i64::from_be_bytes(rest.eight()?))),
    };
    let within = match kind & !RECORDED {
        0 => None,
        1 => Some(Within::Present(machine)),
        2 => Some(Within::Event(machine)),
        _ => return None,
    };
    let cursor = Cursor {
        position,
        recorded_at,
        within,
    };
    Some(Entry { plant, log, cursor })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_model::id::LogId;

    fn entry(plant: &str, position: u64, within: Option<Within>) -> Entry {
        Entry {
            plant: PlantId::new(plant).unwrap(),
            log: short(LogId([7; 16])),
            cursor: Cursor {
                position: Position(position),
                recorded_at: position.is_multiple_of(3).then_some(Timestamp(-7)),
                within,
            },
        }
    }

    fn token(entries: &[Entry]) -> String {
        let parts = entries.iter();
        write(
            *b"question",
            parts.map(|one| (&one.plant, one.log, one.cursor)),
        )
    }

    #[test]
    fn tokens_round_trip_and_belong_to_their_question() {
        let entries = [
            entry("PLT-07", 0, None),
            entry("a", u64::MAX, Some(Within::Present(MachineNumber(0)))),
            entry("b", 300, Some(Within::Event(MachineNumber(u32::MAX)))),
        ];
        for some in [&entries[..], &entries[..1], &[]] {
            let token = token(some);
            assert_eq!(read(*b"question", &token).unwrap(), some);
            let status = read(*b"another_", &token).unwrap_err();
            assert_eq!(Reason::of(&status), Some(Reason::InvalidResumeToken));
        }
    }

    #[test]
    fn what_was_cut_or_mistyped_is_refused() {
        let good = token(&[entry("PLT-07", 128, None), entry("b", 1, None)]);
        let mut bad: Vec<String> = (0..good.len()).map(|end| good[..end].to_owned()).collect();
        bad.extend([format!("{good}00"), "ü".repeat(30), good.replace('1', "2")]);
        for bad in bad {
            let status = read(*b"question", &bad).unwrap_err();
            assert_eq!(
                Reason::of(&status),
                Some(Reason::InvalidResumeToken),
                "{bad}"
            );
        }
    }
}
