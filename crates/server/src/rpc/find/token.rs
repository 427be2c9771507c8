//! Where a search goes on: at the cut that it began with, behind so many that were told.

use crate::asked::Mark;
use crate::page::Question;
use crate::token::{Rest, open, seal, text, varint};
use tonic::Status;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::quality::Window;
use werkbuch_wire::reason::Reason;

/// The form of the tokens; another form is refused.
const VERSION: u8 = 2;

/// Where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resumed {
    /// The token of the cut.
    pub(super) cut: String,
    /// The window, so that one that was said by the clock stays what it was.
    pub(super) window: Window,
    /// How many have been told.
    pub(super) told: u64,
    /// The instant as the first request wrote it.
    pub(super) mark: Mark,
}

/// The token.
pub(super) fn write(question: Question, resumed: &Resumed) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(question.bytes());
    bytes.extend(resumed.mark.0);
    bytes.extend(resumed.window.from.nanos().to_be_bytes());
    bytes.extend(resumed.window.to.nanos().to_be_bytes());
    varint(&mut bytes, resumed.told);
    text(&mut bytes, &resumed.cut);
    seal(bytes)
}

/// What a token says; nothing for none. Errors: `INVALID_RESUME_TOKEN`, also when the request says another
/// instant than the first one did.
pub(super) fn read(question: Question, token: &str, mark: Mark) -> Result<Option<Resumed>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let parts = || {
        let bytes = open(token)?;
        let mut rest = Rest(&bytes);
        let (version, of) = (rest.byte()?, rest.eight()?);
        let mark = Mark(rest.eight()?);
        let [from, to] = [rest.eight()?, rest.eight()?].map(i64::from_be_bytes);
        let (told, cut) = (rest.varint()?, rest.text()?.to_owned());
        let window = Window {
            from: Timestamp(from),
            to: Timestamp(to),
        };
        let resumed = Resumed {
            cut,
            window,
            told,
            mark,
        };
        (version == VERSION && rest.0.is_empty()).then_some((of, resumed))
    };
    let (of, resumed) = parts().ok_or_else(|| {
        Reason::InvalidResumeToken.status("the resume token is not one of this server's")
    })?;
    let is_other = !mark.is_none() && mark != resumed.mark;
    if of != question.bytes() || is_other {
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
        let said = Resumed {
            cut: "cut-00".to_owned(),
            window,
            told: 300,
            mark: Mark([7; 8]),
        };
        let token = write(one, &said);
        let resumed = read(one, &token, Mark([7; 8])).unwrap().unwrap();
        assert_eq!((&*resumed.cut, resumed.told), ("cut-00", 300));
        assert_eq!(resumed.window, window);
        assert_eq!(read(one, "", Mark([6; 8])).unwrap(), None);
        assert_eq!(read(one, &token, Mark::default()).unwrap(), Some(said));
        let status = read(one, &token, Mark([6; 8])).unwrap_err();
        assert_eq!(Reason::of(&status), Some(Reason::InvalidResumeToken));
        let slip = token.replacen('0', "1", 1);
        for (question, token) in [(other, &token), (one, &slip), (one, &"zz".to_owned())] {
            let status = read(question, token, Mark::default()).unwrap_err();
            assert_eq!(Reason::of(&status), Some(Reason::InvalidResumeToken));
        }
    }
}
