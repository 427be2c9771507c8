//! What a filter may ask for: fields, their kinds, and the values of a row.

use crate::time::Timestamp;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The kind of a field: what it may be compared with, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Any text, compared letter by letter in the order of Unicode code points.
    Text,
    /// A word out of a fixed set, such as a state; compared without regard to upper and lower case.
    Word,
    /// A whole or a decimal number.
    Number,
    /// True or false; false is less than true.
    Bool,
    /// A time; literals are RFC 3339 text such as `'2026-11-22T06:00:00Z'`.
    Time,
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Text => "text",
            Self::Word => "word",
            Self::Number => "number",
            Self::Bool => "truth value",
            Self::Time => "time",
        })
    }
}

/// A field that rows have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; found in any case of letters.
    pub name: &'static str,
    /// Its kind.
    pub kind: FieldKind,
    /// What it means, for help texts.
    pub meaning: &'static str,
}

/// The fields that rows of one sort have, in the order by which [`Row::value`] knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldList {
    fields: &'static [Field],
    words: &'static [(&'static str, &'static [&'static str])],
}

impl FieldList {
    /// A list of fields. Names must differ in more than the case of their letters: of two that do
    /// not, the first is found.
    #[must_use]
    pub const fn new(fields: &'static [Field]) -> Self {
        Self { fields, words: &[] }
    }

    /// The same, with the words that fields of words can have: name of the field, words. A comparison
    /// with another word is then a mistake, and not a condition that never holds.
    #[must_use]
    pub const fn with_words(
        self,
        words: &'static [(&'static str, &'static [&'static str])],
    ) -> Self {
        Self { words, ..self }
    }

    /// All fields.
    #[must_use]
    pub const fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// The field with this index, and the words that it can have, where they are known.
    pub(super) fn words(&self, index: usize) -> Option<(&'static str, &'static [&'static str])> {
        let field = self.fields.get(index)?;
        self.words
            .iter()
            .copied()
            .find(|(name, _)| *name == field.name)
    }

    /// The index and the field with this name, in any case of letters.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &'static Field)> {
        let mut fields = self.fields.iter().enumerate();
        fields.find(|(_, field)| field.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }
}

/// The names, separated by commas.
impl fmt::Display for FieldList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(", "))
    }
}

/// The value of a field in one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// There is none.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A decimal number. "Not a number" is treated as no value.
    Float(f64),
    /// A text or word.
    Text(Cow<'a, str>),
    /// A time.
    Time(Timestamp),
}

/// Something a filter can look at.
pub trait Row {
    /// The value of the field with this index in the [`FieldList`] that the filter was read with;
    /// [`Value::Null`] when there is none. A value of another kind than the field's counts as none.
    fn value(&self, field: usize) -> Value<'_>;
}

impl Value<'_> {
    pub(super) fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(*value),
            Value::Int(value) => Value::Int(*value),
            Value::Float(value) => Value::Float(*value),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::Time(time) => Value::Time(*time),
        }
    }

    /// Whether there is no value, as SQL's IS NULL sees it.
    pub(super) fn is_null(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Float(value) => value.is_nan(),
            _ => false,
        }
    }
}

/// Compares two values; nothing when one is missing or they are of different kinds.
pub(super) fn compare(a: &Value<'_>, b: &Value<'_>, ignore_case: bool) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Float(b)) => compare_int_float(*a, *b),
        (Value::Float(a), Value::Int(b)) => compare_int_float(*b, *a).map(Ordering::reverse),
        (Value::Text(a), Value::Text(b)) if ignore_case => {
            Some(a.chars().map(fold).cmp(b.chars().map(fold)))
        }
        (Value::Text(a), Value::Text(b)) => Some(a.as_ref().cmp(b.as_ref())),
        _ => None,
    }
}

/// Exact: a conversion of the whole number to a float would round beyond 2^53.
#[allow(clippy::cast_possible_truncation)]
fn compare_int_float(a: i64, b: f64) -> Option<Ordering> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if b.is_nan() {
        return None;
    }
    if b >= TWO_TO_63 {
        return Some(Ordering::Less);
    }
    if b < -TWO_TO_63 {
        return Some(Ordering::Greater);
    }
    let whole = b.trunc();
    let fraction = b - whole;
    Some(a.cmp(&(whole as i64)).then_with(|| {
        if fraction > 0.0 {
            Ordering::Less
        } else if fraction < 0.0 {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }))
}

/// The letter without its case; letters whose small form is several letters keep the first.
pub(super) fn fold(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_and_decimal_numbers_compare_exactly() {
        let big = (1_i64 << 53) + 1;
        for (a, b, order) in [
            (1, 1.0, Some(Ordering::Equal)),
            (1, 1.5, Some(Ordering::Less)),
            (2, 1.5, Some(Ordering::Greater)),
            (-1, -1.5, Some(Ordering::Greater)),
            (-2, -1.5, Some(Ordering::Less)),
            (big, 9_007_199_254_740_992.0, Some(Ordering::Greater)),
            (i64::MAX, 9.3e18, Some(Ordering::Less)),
            (i64::MIN, -9.3e18, Some(Ordering::Greater)),
            (i64::MAX, f64::INFINITY, Some(Ordering::Less)),
            (0, f64::NAN, None),
        ] {
            assert_eq!(
                compare(&Value::Int(a), &Value::Float(b), false),
                order,
                "{a} {b}"
            );
            assert_eq!(
                compare(&Value::Float(b), &Value::Int(a), false),
                order.map(Ordering::reverse),
                "{b} {a}"
            );
        }
    }
}
