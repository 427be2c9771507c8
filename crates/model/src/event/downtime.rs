//! Reasons for downtime, as overlays on ranges of time.

use super::facts::fields;
use super::{Aspect, AspectKind, Protected, Refusal, Text, check};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A reason for a time in which the machine did not work. It lies over the states of that time and
/// survives when their boundaries move; the same key replaces it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DowntimeReasonAssigned<'a> {
    /// What tells it from other reasons of its machine.
    pub key: Text<'a>,
    /// When the time begins.
    pub from: Timestamp,
    /// When the time ends; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The reason code.
    pub code: Text<'a>,
    /// The reason in words.
    #[serde(default)]
    pub text: Text<'a>,
    /// Who assigned it.
    #[serde(default)]
    pub who: Protected<'a>,
    /// What the person wrote.
    #[serde(default)]
    pub comment: Protected<'a>,
}

impl DowntimeReasonAssigned<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("key", &self.key)?;
        check::required("code", &self.code)?;
        check::text("text", &self.text)?;
        self.who.validate("who")?;
        self.comment.validate("comment")?;
        match self.to {
            Some(to) => check::ordered("to", self.from, to),
            None => Ok(()),
        }
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Downtime, &self.key));
    }
}

fields! {
    DowntimeReasonAssigned<'a> { key from to code text who comment }
}
