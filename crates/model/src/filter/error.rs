//! What can be wrong with a filter or an order.

use super::field::FieldKind;
use sqlparser::tokenizer::Location;
use std::fmt;

/// A place in a filter's text, counted in characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 1 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "column {}", self.column)
    }
}

impl From<Location> for Spot {
    fn from(location: Location) -> Self {
        Self {
            line: location.line.max(1),
            column: location.column.max(1),
        }
    }
}

/// Why a text is no filter or no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The text is too long. Ask in several questions.
    #[error("the filter has {bytes} bytes, the limit is {limit}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The greatest length in bytes.
        limit: usize,
    },
    /// Parentheses or NOTs are nested too deeply. Write it flatter.
    #[error("the filter is nested too deeply, the limit is {limit} levels")]
    TooDeep {
        /// The greatest depth.
        limit: usize,
    },
    /// The text does not follow SQL's syntax of conditions. Correct it at the place.
    #[error("the filter is not well-formed: {message}")]
    Syntax {
        /// What was expected and what was found, with the place where it is known.
        message: String,
    },
    /// A field is not known. Use one of the list.
    #[error("there is no field \"{name}\" ({spot}){hint}; the fields are {known}")]
    UnknownField {
        /// The name as written.
        name: String,
        /// Where it stands.
        spot: Spot,
        /// `, did you mean "state"?`, or empty.
        hint: String,
        /// All fields.
        known: String,
    },
    /// The text uses a part of SQL that filters do not have. Rewrite it without.
    #[error(
        "filters have no {what} ({spot}); they know comparisons, AND, OR, NOT, IN, LIKE, ILIKE, BETWEEN and IS NULL"
    )]
    Unsupported {
        /// The part.
        what: String,
        /// Where it stands.
        spot: Spot,
    },
    /// A field is compared with something of another kind. Write the other side as `hint` says.
    #[error(
        "the field \"{field}\" ({spot}) is a {kind}, it cannot be compared with {found}; {hint}"
    )]
    Mismatch {
        /// The field.
        field: &'static str,
        /// Where it stands.
        spot: Spot,
        /// Its kind.
        kind: FieldKind,
        /// What it is compared with.
        found: String,
        /// How to write it.
        hint: String,
    },
    /// A field is compared with a word that it never has. Use one of the list.
    #[error("there is no {field} '{word}'{hint}; there are {known}")]
    UnknownWord {
        /// The field.
        field: &'static str,
        /// The word as written.
        word: String,
        /// `, did you mean "HELD"?`, or empty.
        hint: String,
        /// All words of the field.
        known: String,
    },
    /// A part of the condition is of a form that has no meaning here. See `message`.
    #[error("{message}")]
    Meaning {
        /// What is wrong and what to write.
        message: String,
    },
}

impl FilterError {
    pub(super) fn meaning(message: impl Into<String>) -> Self {
        Self::Meaning {
            message: message.into(),
        }
    }
}
