//! Resume tokens: how far a stream has got in each plant, and of which question it is.

use sha2::{Digest, Sha256};
use tonic::Status;
use werkbuch_model::id::{LogId, MachineNumber, PlantId, Position};
use werkbuch_wire::reason::Reason;

/// The form of the tokens; another form is refused.
const VERSION: u8 = 1;
/// The length of the check at the end, which tells a token that was cut or mistyped.
const CHECK_BYTES: usize = 4;

/// How far a stream has got in a plant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Everything up to this position has been told.
    pub(super) position: Position,
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
    /// Up to a position, and nothing of the next.
    pub(super) const fn at(position: Position) -> Self {
        Self {
            position,
            within: None,
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

/// The beginning of a log's number: enough to tell it from another.
pub(super) fn short(log: LogId) -> [u8; 8] {
    let mut short = [0; 8];
    short
        .iter_mut()
        .zip(log.0)
        .for_each(|(to, from)| *to = from);
    short
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
        let name = plant.as_str().as_bytes();
        varint(&mut bytes, name.len() as u64);
        bytes.extend(name);
        bytes.extend(log);
        varint(&mut bytes, cursor.position.get());
        let (kind, machine) = match cursor.within {
            None => (0, 0),
            Some(Within::Present(machine)) => (1, machine.get()),
            Some(Within::Event(machine)) => (2, machine.get()),
        };
        bytes.push(kind);
        varint(&mut bytes, machine.into());
    }
    bytes.extend(check(&bytes));
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The plants of a token. Errors: `INVALID_RESUME_TOKEN`.
pub(super) fn read(question: [u8; 8], token: &str) -> Result<Vec<Entry>, Status> {
    let (of, entries) = parse(token).ok_or_else(|| {
        Reason::InvalidResumeToken
            .status("the resume token is not one of this server's, or not whole")
    })?;
    if of != question {
        return Err(Reason::InvalidResumeToken.status(
            "the resume token belongs to other plants or another filter; give it with those that it \
             came from",
        ));
    }
    Ok(entries)
}

fn check(bytes: &[u8]) -> impl Iterator<Item = u8> + use<> {
    Sha256::digest(bytes).into_iter().take(CHECK_BYTES)
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

fn parse(token: &str) -> Option<([u8; 8], Vec<Entry>)> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let bytes: Option<Vec<u8>> = token
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        })
        .collect();
    let bytes = bytes?;
    let (content, end) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
    if !check(content).eq(end.iter().copied()) {
        return None;
    }
    let mut rest = Rest(content);
    if rest.take(1)? != [VERSION] {
        return None;
    }
    let question = rest.eight()?;
    let count = rest.varint()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(rest.entry()?);
    }
    rest.0.is_empty().then_some((question, entries))
}

/// The bytes of a token that are still to be read.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn entry(&mut self) -> Option<Entry> {
        let length = usize::try_from(self.varint()?).ok()?;
        let plant = PlantId::new(std::str::from_utf8(self.take(length)?).ok()?).ok()?;
        let log = self.eight()?;
        let position = Position(self.varint()?);
        let kind = *self.take(1)?.first()?;
        let machine = MachineNumber(u32::try_from(self.varint()?).ok()?);
        let within = match kind {
            0 => None,
            1 => Some(Within::Present(machine)),
            2 => Some(Within::Event(machine)),
            _ => return None,
        };
        let cursor = Cursor { position, within };
        Some(Entry { plant, log, cursor })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(plant: &str, position: u64, within: Option<Within>) -> Entry {
        Entry {
            plant: PlantId::new(plant).unwrap(),
            log: short(LogId([7; 16])),
            cursor: Cursor {
                position: Position(position),
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
