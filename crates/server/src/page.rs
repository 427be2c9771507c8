//! Pages: sizes, and opaque tokens that say where to go on and in which question.

use crate::asked::{Answered, Asked, Mark};
use sha2::{Digest, Sha256};
use tonic::Status;
use werkbuch_model::id::Position;
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::reason::Reason;

/// The form of the tokens; another form is refused.
const VERSION: u8 = 4;
/// The form of the tokens that name what they go on behind.
const VERSION_BEHIND: u8 = 3;
const OTHER_QUESTION: &str =
    "the page token belongs to another question; give it with the request that it came from";
const TOKEN_BYTES: usize = 1 + 8 + 8 + 8 + 1 + 8 + 8 + 8;

/// No token is longer.
const TOKEN_CHARS_MAX: usize = 1_024;

/// What tells one question from another: pages of one are no pages of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question([u8; 8]);

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// How far the pages are, in what the question counts.
    pub(crate) offset: u64,
    /// The position that the first page reflected.
    pub(crate) position: Position,
    /// The bound in plant time of the first page.
    pub(crate) at: Option<Timestamp>,
    /// The time that ages of the first page count from.
    pub(crate) as_of: Timestamp,
    /// The instant as the request of the first page wrote it.
    pub(crate) mark: Mark,
}

impl Question {
    /// A question by its method and the fields that make it what it is.
    pub(crate) fn new(method: &str, fields: &[&str]) -> Self {
        let mut hash = Sha256::new_with_prefix(method);
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        let mut short = [0; 8];
        short
            .iter_mut()
            .zip(hash.finalize())
            .for_each(|(to, from)| *to = from);
        Self(short)
    }

    /// The bytes that tell it from others.
    pub(crate) const fn bytes(self) -> [u8; 8] {
        self.0
    }

    /// The token for the page that begins at the cursor.
    pub(crate) fn token(self, cursor: &Cursor) -> String {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.push(VERSION);
        bytes.extend(self.0);
        bytes.extend(cursor.offset.to_be_bytes());
        bytes.extend(cursor.position.get().to_be_bytes());
        bytes.push(u8::from(cursor.at.is_some()));
        bytes.extend(cursor.at.unwrap_or_default().nanos().to_be_bytes());
        bytes.extend(cursor.as_of.nanos().to_be_bytes());
        bytes.extend(cursor.mark.0);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The token for the page that begins behind a name, for lists to which names may be added in
    /// between.
    pub(crate) fn token_behind(self, name: &str) -> String {
        let bytes = [&[VERSION_BEHIND][..], &self.0, name.as_bytes()].concat();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The name of such a token; none for the first page. Errors: `INVALID_PAGE_TOKEN`.
    pub(crate) fn behind(self, token: &str) -> Result<Option<String>, Status> {
        if token.is_empty() {
            return Ok(None);
        }
        let (question, name) = read_behind(token)
            .ok_or_else(|| invalid("the page token is not one of this server's"))?;
        if question != self {
            return Err(of_another());
        }
        Ok(Some(name))
    }

    /// The cursor of a token; none for the first page. Errors: `INVALID_PAGE_TOKEN`.
    pub(crate) fn cursor(self, token: &str) -> Result<Option<Cursor>, Status> {
        if token.is_empty() {
            return Ok(None);
        }
        let (question, cursor) =
            read(token).ok_or_else(|| invalid("the page token is not one of this server's"))?;
        if question != self {
            return Err(of_another());
        }
        Ok(Some(cursor))
    }
}

impl Cursor {
    /// Behind a page of such an answer, of an instant that was written so.
    pub(crate) fn behind(answered: &Answered, mark: Mark, offset: u64) -> Self {
        Self {
            offset,
            position: answered.reflected.position,
            at: answered.reflected.at,
            as_of: answered.as_of,
            mark,
        }
    }

    /// The instant of the first page.
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            instant: Instant {
                known: Known::Position(self.position),
                at: self.at,
            },
            as_of: Some(self.as_of),
            known_recorded_at: None,
            zone: String::new(),
        }
    }
}

/// The size of a page: the default for 0, at most `most`. Errors: `INVALID_REQUEST` below 0.
pub(crate) fn size(asked: i32, default: usize, most: usize) -> Result<usize, Status> {
    match usize::try_from(asked) {
        Ok(0) => Ok(default),
        Ok(size) => Ok(size.min(most)),
        Err(_) => {
            let text = format!("page_size is {asked}; it counts from 1, 0 takes the default");
            let field = ("page_size".to_owned(), "is negative".to_owned());
            Err(Reason::InvalidRequest.violations(text, [field]))
        }
    }
}

/// The page before is one of another question, or of another instant.
pub(crate) fn of_another() -> Status {
    invalid(OTHER_QUESTION)
}

fn invalid(text: &str) -> Status {
    Reason::InvalidPageToken.status(text)
}

fn read_behind(token: &str) -> Option<(Question, String)> {
    let bytes = bytes_of(token)?;
    let (version, rest) = bytes.split_first()?;
    let (question, name) = rest.split_first_chunk()?;
    let name = std::str::from_utf8(name).ok()?;
    (*version == VERSION_BEHIND).then(|| (Question(*question), name.to_owned()))
}

/// The bytes of a token; none is long.
fn bytes_of(token: &str) -> Option<Vec<u8>> {
    if token.len() > TOKEN_CHARS_MAX || !token.len().is_multiple_of(2) || !token.is_ascii() {
        return None;
    }
    let digit = |at: usize| char::from(*token.as_bytes().get(at)?).to_digit(16);
    let byte = |at: usize| u8::try_from(digit(at)? << 4 | digit(at + 1)?).ok();
    (0..token.len()).step_by(2).map(byte).collect()
}

fn read(token: &str) -> Option<(Question, Cursor)> {
    let bytes = bytes_of(token).filter(|bytes| bytes.len() == TOKEN_BYTES)?;
    let eight = |at: usize| -> Option<[u8; 8]> { bytes.get(at..at + 8)?.try_into().ok() };
    let at = match bytes.get(25)? {
        0 => None,
        1 => Some(Timestamp(i64::from_be_bytes(eight(26)?))),
        _ => return None,
    };
    let cursor = Cursor {
        offset: u64::from_be_bytes(eight(9)?),
        position: Position(u64::from_be_bytes(eight(17)?)),
        at,
        as_of: Timestamp(i64::from_be_bytes(eight(34)?)),
        mark: Mark(eight(42)?),
    };
    (*bytes.first()? == VERSION).then_some((Question(eight(1)?), cursor))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_round_trip_and_belong_to_their_question() {
        let question = Question::new("ListMachines", &["plant", "a = 'b'", ""]);
        for at in [None, Some(Timestamp(0)), Some(Timestamp(-7))] {
            let cursor = Cursor {
                offset: 1_000,
                position: Position(u64::MAX),
                at,
                as_of: Timestamp(i64::MIN),
                mark: Mark([9; 8]),
            };
            let token = question.token(&cursor);
            assert_eq!(question.cursor(&token).unwrap(), Some(cursor));
            for other in [
                Question::new("ListMachines", &["plant", "a = 'b", "'"]),
                Question::new("ListEvents", &["plant", "a = 'b'", ""]),
            ] {
                let status = other.cursor(&token).unwrap_err();
                assert_eq!(Reason::of(&status), Some(Reason::InvalidPageToken));
            }
        }
        assert_eq!(question.cursor("").unwrap(), None);
    }

    #[test]
    fn anything_else_is_refused() {
        let question = Question::new("x", &[]);
        let cursor = Cursor {
            offset: 1,
            position: Position(2),
            at: None,
            as_of: Timestamp(3),
            mark: Mark::default(),
        };
        let good = question.token(&cursor);
        let other_version = format!("01{}", good.get(2..).unwrap());
        let long = format!("{good}00");
        let sign = good.replacen('0', "+", 1);
        for bad in [
            "x",
            "0",
            "ü",
            &"é".repeat(34),
            &"f".repeat(100),
            &other_version,
            &long,
            &sign,
        ] {
            let status = question.cursor(bad).unwrap_err();
            assert_eq!(Reason::of(&status), Some(Reason::InvalidPageToken), "{bad}");
        }
    }

    #[test]
    fn sizes_have_a_default_and_a_bound() {
        assert_eq!(size(0, 100, 1_000).unwrap(), 100);
        assert_eq!(size(7, 100, 1_000).unwrap(), 7);
        assert_eq!(size(i32::MAX, 100, 1_000).unwrap(), 1_000);
        let status = size(-1, 100, 1_000).unwrap_err();
        assert_eq!(Reason::of(&status), Some(Reason::InvalidRequest));
    }
}
