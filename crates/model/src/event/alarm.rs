//! Alarms: raised, acknowledged by a person, cleared; an alarm keeps its key.

use super::{Aspect, AspectKind, Blob, Refusal, RefusalReason, Text, check};
use serde::{Deserialize, Serialize};

/// A field about a person: sent in plain, stored encrypted under a key of that person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Protected<'a> {
    /// The text in plain; only on the way to the server and on a revealing read, never stored.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub plain: Text<'a>,
    /// The number of the key in the plant's key ring; 0 while it is plain.
    #[serde(default)]
    pub key: u64,
    /// The text, encrypted with AES-256-GCM-SIV.
    #[serde(default, skip_serializing_if = "<[u8]>::is_empty")]
    pub ciphertext: Blob<'a>,
}

impl Protected<'_> {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.key == 0 && self.ciphertext.is_empty()
    }

    pub(super) fn validate(&self, field: &'static str) -> Result<(), Refusal> {
        if self.key != 0 || !self.ciphertext.is_empty() {
            return Err(Refusal::new(
                RefusalReason::ProtectedField,
                field,
                format!("{field} came encrypted; send it in plain, the server protects it"),
            ));
        }
        check::text(field, &self.plain)
    }
}

/// An alarm came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmRaised<'a> {
    /// What tells this alarm from others of its machine; raise, acknowledge and clear share it.
    pub key: Text<'a>,
    /// The alarm's code.
    #[serde(default)]
    pub code: Text<'a>,
    /// How severe it is, 1 (least) to 1000, as in OPC UA.
    pub severity: u32,
    /// The alarm's text.
    #[serde(default)]
    pub text: Text<'a>,
    /// The source's own word for the severity.
    #[serde(default)]
    pub native: Text<'a>,
}

impl AlarmRaised<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("key", &self.key)?;
        check::name("code", &self.code)?;
        check::name("native", &self.native)?;
        check::text("text", &self.text)?;
        if (1..=1000).contains(&self.severity) {
            return Ok(());
        }
        Err(check::out_of_range(
            "severity",
            format!("severity is {}, it runs from 1 to 1000", self.severity),
        ))
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::AlarmRaise, &self.key));
    }
}

/// A person acknowledged an alarm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmAcknowledged<'a> {
    /// The alarm's key.
    pub key: Text<'a>,
    /// Who acknowledged it.
    #[serde(default)]
    pub who: Protected<'a>,
    /// What the person wrote.
    #[serde(default)]
    pub comment: Protected<'a>,
}

impl AlarmAcknowledged<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("key", &self.key)?;
        self.who.validate("who")?;
        self.comment.validate("comment")
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::AlarmAcknowledge, &self.key));
    }
}

/// An alarm went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmCleared<'a> {
    /// The alarm's key.
    pub key: Text<'a>,
    /// How long it stood, in milliseconds, as the source says; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

impl AlarmCleared<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("key", &self.key)
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::AlarmClear, &self.key));
    }
}
