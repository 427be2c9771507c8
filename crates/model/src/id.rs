//! Typed ids and numbers, in alphabetical order, so that none can be taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text has no characters. Give a name.
    #[error("a name must not be empty")]
    Empty,
    /// The text is longer than the limit. Shorten it.
    #[error("the name \"{shown}...\" is longer than {limit} bytes")]
    TooLong {
        /// The first characters of the text.
        shown: String,
        /// The greatest length in bytes.
        limit: usize,
    },
    /// A character is outside the alphabet of names. Use letters, digits and `.`, `_`, `-`, `:`.
    #[error(
        "the name \"{name}\" holds \"{found}\"; names are letters, digits, and . _ - : after the first character"
    )]
    Character {
        /// The whole text.
        name: String,
        /// The first character that is not allowed.
        found: char,
    },
}

/// The greatest length of a plant's, machine's, buffer's or unit's name in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// The greatest length of a source's name in bytes (an importer's name holds a hash and a machine).
pub const SOURCE_NAME_BYTES_MAX: usize = 160;

fn check_name(text: &str, limit: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > limit {
        return Err(NameError::TooLong {
            shown: text.chars().take(24).collect(),
            limit,
        });
    }
    let allowed = |(at, c): &(usize, char)| {
        c.is_ascii_alphanumeric() || (*at > 0 && matches!(c, '.' | '_' | '-' | ':'))
    };
    match text.char_indices().find(|pair| !allowed(pair)) {
        None => Ok(()),
        Some((_, found)) => Err(NameError::Character {
            name: text.to_owned(),
            found,
        }),
    }
}

macro_rules! names {
    ($($(#[$meta:meta])* $name:ident ($limit:expr);)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes a text as a name. Errors: [`NameError`] when it is empty, too long, or holds
            /// a character outside the alphabet of names.
            pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
                check_name(text.as_ref(), $limit)?;
                Ok(Self(text.as_ref().into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }

        impl std::borrow::Borrow<str> for $name { fn borrow(&self) -> &str { &self.0 } }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> { Self::new(text) }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

macro_rules! numbers {
    ($($(#[$meta:meta])* $name:ident ($int:ty);)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            /// The bare number.
            #[must_use]
            pub const fn get(self) -> $int { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(&self.0, f) }
        }
    )+};
}

numbers! {
    /// The count of a source's lives: a source that lost its counter gets the next epoch. From 1.
    Epoch(u32);
    /// A machine's permanent number in its plant, never given again. From 1; 0 is no machine.
    MachineNumber(u32);
    /// The gapless number of an event in its plant's log. From 1; 0 is before the first event.
    Position(u64);
    /// The number that a source gives to what it reports. From 1.
    Sequence(u64);
    /// A source's number in its plant's log, given when it is first opened. From 1; 0 is the writer.
    SourceNumber(u32);
    /// The count of the openings of a plant's log for writing. From 1.
    WriterEpoch(u64);
}

names! {
    /// The name of a machine, buffer or unit of the hierarchy, unique in its plant.
    ElementId(NAME_BYTES_MAX);
    /// The name of a plant, unique in its tenant.
    PlantId(NAME_BYTES_MAX);
    /// The name of a source without its epoch, such as `gateway-7` or `import:...`.
    SourceName(SOURCE_NAME_BYTES_MAX);
    /// The name of a tenant. There is one, `default`, until tenancy arrives.
    TenantId(NAME_BYTES_MAX);
}

impl ElementId {
    /// The least name in the order of names.
    pub(crate) fn least() -> Self {
        Self("0".into())
    }
}

impl Position {
    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A source in one of its lives: `name#epoch`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId {
    /// The name without the epoch.
    pub name: SourceName,
    /// The life of the source.
    pub epoch: Epoch,
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.name, self.epoch)
    }
}

/// The 128-bit number of a log, drawn at random when the log is created.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LogId(pub [u8; 16]);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_alphabet() {
        for good in ["a", "PLT-07", "press.3", "import:ab12:M1", "7"] {
            assert!(SourceName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a b", "ä", "a/b", "a\n", "a#1", &"x".repeat(161)] {
            assert!(SourceName::new(bad).is_err(), "{bad}");
        }
        assert!(PlantId::new("x".repeat(64)).is_ok());
        assert!(PlantId::new("x".repeat(65)).is_err());
    }
}
