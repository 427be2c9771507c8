//! Orders of rows: `state, since desc`.

use super::error::{FilterError, Spot};
use super::field::{FieldKind, FieldList, Row, compare};
use super::{FILTER_BYTES_MAX, quoted_name};
use crate::nearest::did_you_mean;
use std::cmp::Ordering;

/// An order of rows by one field after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderBy {
    keys: Vec<Key>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    field: usize,
    descending: bool,
    ignore_case: bool,
}

impl OrderBy {
    /// Reads fields separated by commas, each followed by `asc` (the default) or `desc`, in any
    /// case of letters. A blank text is the order in which all rows are equal.
    /// Errors: [`FilterError`] for an unknown field, a field named twice, or anything else.
    pub fn parse(text: &str, fields: &FieldList) -> Result<Self, FilterError> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(FilterError::TooLong {
                bytes: text.len(),
                limit: FILTER_BYTES_MAX,
            });
        }
        let mut keys: Vec<Key> = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self { keys });
        }
        let mut column = 1;
        for part in text.split(',') {
            let blank = part.chars().take_while(|c| c.is_whitespace()).count();
            let spot = Spot {
                line: 1,
                column: column + blank as u64,
            };
            column += part.chars().count() as u64 + 1;
            let key = read_key(part, spot, fields)?;
            if keys.iter().any(|other| other.field == key.field) {
                return Err(FilterError::meaning(format!(
                    "the order names the same field twice: \"{}\" ({spot})",
                    part.trim()
                )));
            }
            keys.push(key);
        }
        Ok(Self { keys })
    }

    /// How two rows follow each other. Rows without a value come last, in both directions.
    #[must_use]
    pub fn compare(&self, a: &dyn Row, b: &dyn Row) -> Ordering {
        let orders = self.keys.iter().map(|key| key.compare(a, b));
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

impl Key {
    fn compare(&self, a: &dyn Row, b: &dyn Row) -> Ordering {
        let (a, b) = (a.value(self.field), b.value(self.field));
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let order = compare(&a, &b, self.ignore_case).unwrap_or(Ordering::Equal);
                if self.descending {
                    order.reverse()
                } else {
                    order
                }
            }
        }
    }
}

fn read_key(part: &str, spot: Spot, fields: &FieldList) -> Result<Key, FilterError> {
    let mut words = part.split_whitespace();
    let name = quoted_name(words.next().unwrap_or_default());
    if name.is_empty() {
        return Err(FilterError::Syntax {
            message: format!("a field is missing in the order at {spot}"),
        });
    }
    let descending = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("asc") => false,
        Some(word) if word.eq_ignore_ascii_case("desc") => true,
        Some(word) => return Err(after_field(name, word, spot)),
    };
    if let Some(word) = words.next() {
        return Err(after_field(name, word, spot));
    }
    let Some((field, found)) = fields.find(name) else {
        let hint = did_you_mean(name, fields.names());
        return Err(FilterError::UnknownField {
            name: name.to_owned(),
            spot,
            hint: hint.map(|hint| format!(", {hint}")).unwrap_or_default(),
            known: fields.to_string(),
        });
    };
    Ok(Key {
        field,
        descending,
        ignore_case: found.kind == FieldKind::Word,
    })
}

fn after_field(name: &str, word: &str, spot: Spot) -> FilterError {
    FilterError::Syntax {
        message: format!(
            "after the field \"{name}\" ({spot}) stands asc or desc, not \"{word}\"; separate fields with commas"
        ),
    }
}
