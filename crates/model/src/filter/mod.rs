//! Filters in SQL's WHERE syntax: `state = 'HELD' AND area LIKE 'body%'`.
//!
//! A filter knows the comparisons `= <> != < <= > >=`, AND, OR, NOT, parentheses, IN, LIKE and
//! ILIKE (`%` any text, `_` one character, ESCAPE for another character before them; there is no
//! escape character unless one is named), BETWEEN, IS NULL, and a bare truth value. NULL follows
//! SQL: a comparison with a missing value is neither true nor false, and what is not true does not
//! match.
//!
//! ```
//! use werkbuch_model::filter::{Field, FieldKind, FieldList, Filter, Row, Value};
//!
//! const FIELDS: FieldList = FieldList::new(&[
//!     Field { name: "machine", kind: FieldKind::Text, meaning: "the machine's name" },
//!     Field { name: "state", kind: FieldKind::Word, meaning: "its state" },
//! ]);
//! struct Machine(&'static str, &'static str);
//! impl Row for Machine {
//!     fn value(&self, field: usize) -> Value<'_> {
//!         match field {
//!             0 => Value::Text(self.0.into()),
//!             1 => Value::Text(self.1.into()),
//!             _ => Value::Null,
//!         }
//!     }
//! }
//! let filter = Filter::parse("machine LIKE 'press-%' AND state IN ('held', 'stopped')", &FIELDS)?;
//! assert!(filter.matches(&Machine("press-3", "HELD")));
//! assert!(!filter.matches(&Machine("robot-1", "HELD")));
//! # Ok::<(), werkbuch_model::filter::FilterError>(())
//! ```

mod compile;
mod error;
mod field;
mod like;
mod node;
mod order;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

pub use error::{FilterError, Spot};
pub use field::{Field, FieldKind, FieldList, Row, Value};
pub use order::OrderBy;

use node::Node;
use sqlparser::dialect::AnsiDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;
use std::collections::BTreeSet;

/// The greatest length of a filter or an order in bytes.
pub const FILTER_BYTES_MAX: usize = 8 * 1024;
/// How deeply parentheses and NOTs may be nested.
pub const FILTER_DEPTH_MAX: usize = 48;

/// A condition on rows, read once and asked often.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Absent: every row matches.
    root: Option<Node>,
}

impl Filter {
    /// Reads a condition about the fields. A blank text is the filter that every row passes.
    /// Errors: [`FilterError`] says what is wrong and where.
    pub fn parse(text: &str, fields: &FieldList) -> Result<Self, FilterError> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(FilterError::TooLong {
                bytes: text.len(),
                limit: FILTER_BYTES_MAX,
            });
        }
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let tokens = tokens::scan(text, fields)?;
        let dialect = AnsiDialect {};
        let mut parser = Parser::new(&dialect)
            // A little more than the depth that was checked: the parser also counts operands.
            .with_recursion_limit(FILTER_DEPTH_MAX + 16)
            .with_tokens_with_locations(tokens);
        let expr = parser.parse_expr().map_err(syntax)?;
        let left = parser.peek_token();
        if left.token != Token::EOF {
            return Err(FilterError::Syntax {
                message: format!(
                    "\"{}\" at {} is left over",
                    left.token,
                    Spot::from(left.span.start)
                ),
            });
        }
        let root = compile::condition(&expr, fields)?;
        words::check(&root, fields)?;
        Ok(Self { root: Some(root) })
    }

    /// Whether the condition is true of the row; what is unknown is not true.
    #[must_use]
    pub fn matches(&self, row: &dyn Row) -> bool {
        self.root
            .as_ref()
            .is_none_or(|root| root.evaluate(row) == Some(true))
    }

    /// Whether the condition can be true of any row that agrees with this one in the fields that are
    /// fixed, by their index in the [`FieldList`] that it was read with; the others can be anything.
    #[must_use]
    pub fn may_match(&self, row: &dyn Row, fixed: &dyn Fn(usize) -> bool) -> bool {
        self.root
            .as_ref()
            .is_none_or(|root| root.chances(row, fixed).is_true)
    }

    /// The fields that it asks for, by their index in the [`FieldList`] that it was read with.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<usize> {
        let mut fields = BTreeSet::new();
        if let Some(root) = &self.root {
            root.fields(&mut fields);
        }
        fields
    }

    /// The texts that fields are said to be equal to or not, with the index of each field: what a filter
    /// names. Patterns and orders name nothing.
    #[must_use]
    pub fn names(&self) -> BTreeSet<(usize, &str)> {
        let mut names = BTreeSet::new();
        if let Some(root) = &self.root {
            root.names(&mut names);
        }
        names
    }

    /// Whether every row passes because the text was blank.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.root.is_none()
    }
}

/// The parser's own message, in our manner.
fn syntax(error: ParserError) -> FilterError {
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            return FilterError::TooDeep {
                limit: FILTER_DEPTH_MAX,
            };
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
    };
    let message = message
        .replace("Expected: ", "expected ")
        .replace("found: ", "found ")
        .replace("EOF", "the end")
        .replace(" at Line: ", " at line ")
        .replace(", Column: ", ", column ")
        .replace(" at line 1, column ", " at column ");
    FilterError::Syntax { message }
}

/// A name without the double quotes that SQL allows around it.
fn quoted_name(word: &str) -> &str {
    word.strip_prefix('"')
        .and_then(|word| word.strip_suffix('"'))
        .unwrap_or(word)
}
