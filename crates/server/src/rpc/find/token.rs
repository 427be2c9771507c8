//! Where a search goes on: at the cut that it began with, behind so many that were told.

use crate::page::Question;
use crate::token::{Rest, open, seal, text, varint};
use tonic::Status;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::quality::Window;
use werkbuch_wire::reason::Reason;

/// The form of the tokens; another form is refused.
const VERSION: u8 = 1;

/// Where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resumed {
    /// The token of the cut.
    pub(super) cut: String,
    /// The window, so that one that was said by the clock stays what it was.
    pub(super) window: Window,
    /// How many have been told.
    pub(super) told: u64,
}

/// The token.
pub(super) fn write(question: Question, cut: &str, window: Window, told: u64) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(question.bytes());
    bytes.extend(window.from.nanos().to_be_bytes());
    bytes.extend(window.to.nanos().to_be_bytes());
    varint(&mut bytes, told);
    text(&mut bytes, cut);
    seal(bytes)
}

/// What a token says; nothing for none. Errors: `INVALID_RESUME_TOKEN`.
pub(super) fn read(question: Question, token: &str) -> Result<Option<Resumed>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let parts = || {
        let bytes = open(token)?;
        let mut rest = Rest(&bytes);
        let (version, of) = (rest.byte()?, rest.eight()?);
        let [from, to] = [rest.eight()?, rest.eight()?].map(i64::from_be_bytes);
        let (told, cut) = (rest.varint()?, rest.text()?.to_owned());
        let window = Window {
            from: Timestamp(from),
            to: Timestamp(to),
        };
        let resumed = Resumed { cut, window, told };
        (version == VERSION && rest.0.is_empty()).then_some((of, resumed))
    };
    let (of, resumed) = parts().ok_or_else(|| {
        Reason::InvalidResumeToken.status("the resume token is not one of this server's")
    })?;
    if of != question.bytes() {
        return Err(Reason::InvalidResumeToken.status(
            "the resume token belongs to another question; give it with the request that it came from",
        ));
    }
    Ok(Some(resumed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_round_trip_and_belong_to_their_question() {
        let (one, other) = (Question::new("x", &["a"]), Question::new("x", &["b"]));
        let window = Window {
            from: Timestamp(-5),
            to: Timestamp(7),
        };
        let token = write(one, "cut-00", window, 300);
        let resumed = read(one, &token).unwrap().unwrap();
        assert_eq!((&*resumed.cut, resumed.told), ("cut-00", 300));
        assert_eq!(resumed.window, window);
        assert_eq!(read(one, "").unwrap(), None);
        let slip = token.replacen('0', "1", 1);
        for (question, token) in [(other, &token), (one, &slip), (one, &"zz".to_owned())] {
            let status = read(question, token).unwrap_err();
            assert_eq!(Reason::of(&status), Some(Reason::InvalidResumeToken));
        }
    }
}
