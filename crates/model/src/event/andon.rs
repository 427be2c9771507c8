//! Calls for help.

use super::facts::fields;
use super::{Aspect, AspectKind, Protected, Refusal, Text, check};
use crate::codes::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// What a call for help is about.
    pub enum AndonKind {
        /// Not said.
        Unspecified = 0 "UNSPECIFIED",
        /// Something is not good.
        Quality = 1 "QUALITY",
        /// Material is missing.
        Material = 2 "MATERIAL",
        /// Somebody could be hurt.
        Safety = 3 "SAFETY",
        /// A machine needs mending.
        Maintenance = 4 "MAINTENANCE",
        /// A colleague is needed.
        Help = 5 "HELP",
        /// Anything else.
        Other = 6 "OTHER",
    }
}

/// A person called for help.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AndonRaised<'a> {
    /// What tells this call from others of its machine (or of the plant); raise and clear
    /// share it.
    pub key: Text<'a>,
    /// What it is about.
    pub andon: AndonKind,
    /// Where: a machine, buffer or unit; empty for the event's machine.
    #[serde(default)]
    pub location: Text<'a>,
    /// The call in words.
    #[serde(default)]
    pub text: Text<'a>,
    /// Who called.
    #[serde(default)]
    pub who: Protected<'a>,
}

impl AndonRaised<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("key", &self.key)?;
        check::specified("andon", &self.andon)?;
        check::name("location", &self.location)?;
        check::text("text", &self.text)?;
        self.who.validate("who")
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Andon, &self.key));
    }
}

/// A call for help was answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AndonCleared<'a> {
    /// The key of its raise.
    pub key: Text<'a>,
    /// Who answered.
    #[serde(default)]
    pub who: Protected<'a>,
    /// What the person wrote.
    #[serde(default)]
    pub comment: Protected<'a>,
}

impl AndonCleared<'_> {
    pub(super) fn validate(&self) -> Result<(), Refusal> {
        check::required("key", &self.key)?;
        self.who.validate("who")?;
        self.comment.validate("comment")
    }

    pub(super) fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
        f(Aspect::keyed(AspectKind::Andon, &self.key));
    }
}

fields! {
    AndonRaised<'a> { key andon location text who }
    AndonCleared<'a> { key who comment }
}
