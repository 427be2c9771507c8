//! The checks that the kinds share.

use super::Text;
use super::refusal::{Refusal, RefusalReason};
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// The greatest length of a name-like text (item, code, native word) in bytes.
pub const NAME_TEXT_BYTES_MAX: usize = 256;
/// The greatest length of a free text (comment, alarm text, item value) in bytes.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// A name-like text: at most [`NAME_TEXT_BYTES_MAX`] bytes.
pub(super) fn name(field: &'static str, text: &str) -> Result<(), Refusal> {
    bounded(field, text, NAME_TEXT_BYTES_MAX)
}

/// A name-like text that must be there.
pub(super) fn required(field: &'static str, text: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(missing(field));
    }
    name(field, text)
}

/// A free text: at most [`TEXT_BYTES_MAX`] bytes.
pub(super) fn text(field: &'static str, text: &str) -> Result<(), Refusal> {
    bounded(field, text, TEXT_BYTES_MAX)
}

/// A value that must not be the unspecified one.
pub(super) fn specified<T: PartialEq + Default>(
    field: &'static str,
    value: &T,
) -> Result<(), Refusal> {
    if *value == T::default() {
        Err(missing(field))
    } else {
        Ok(())
    }
}

/// A number that is neither infinite nor "not a number".
pub(super) fn finite(field: &'static str, value: Option<f64>) -> Result<(), Refusal> {
    match value {
        Some(number) if !number.is_finite() => Err(Refusal::new(
            RefusalReason::NotFinite,
            field,
            format!(
                "{field} is {number}; a value must be finite, leave it out when it is unavailable"
            ),
        )),
        _ => Ok(()),
    }
}

/// A list of name-like texts, none of them empty.
pub(super) fn names(field: &'static str, list: &[Text<'_>]) -> Result<(), Refusal> {
    list.iter().try_for_each(|text| required(field, text))
}

/// A list that names nothing twice and does not name `whole`.
pub(super) fn distinct(field: &'static str, whole: &str, list: &[Text<'_>]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::from([whole]);
    match list.iter().find(|text| !seen.insert(text)) {
        Some(twice) => Err(out_of_range(field, format!("\"{twice}\" is named twice"))),
        None => Ok(()),
    }
}

/// A list that must not be empty.
pub(super) fn some<T>(field: &'static str, list: &[T]) -> Result<(), Refusal> {
    if list.is_empty() {
        return Err(missing(field));
    }
    Ok(())
}

/// A number that counts from 1.
pub(super) fn counted(field: &'static str, number: u32) -> Result<(), Refusal> {
    if number == 0 {
        return Err(missing(field));
    }
    Ok(())
}

/// A finite number above 0.
pub(super) fn positive(field: &'static str, value: f64) -> Result<(), Refusal> {
    if value > 0.0 {
        return Ok(());
    }
    Err(out_of_range(
        field,
        format!("{field} is {value}, it must be more than 0"),
    ))
}

/// A number that, if it is there, is 0 or more.
pub(super) fn not_negative(field: &'static str, value: Option<f64>) -> Result<(), Refusal> {
    match value {
        Some(number) if number < 0.0 => Err(out_of_range(
            field,
            format!("{field} is {number}, it must not be negative"),
        )),
        _ => Ok(()),
    }
}

/// Limits of which the lower one does not lie above the upper one.
pub(super) fn limits(
    field: &'static str,
    lower: Option<f64>,
    upper: Option<f64>,
) -> Result<(), Refusal> {
    match (lower, upper) {
        (Some(lower), Some(upper)) if lower > upper => Err(out_of_range(
            field,
            format!("the lower limit {lower} lies above the upper limit {upper}"),
        )),
        _ => Ok(()),
    }
}

/// A range of time that ends after it begins.
pub(super) fn ordered(field: &'static str, from: Timestamp, to: Timestamp) -> Result<(), Refusal> {
    if from < to {
        return Ok(());
    }
    Err(out_of_range(
        field,
        format!("the range from {from} to {to} does not end after it begins"),
    ))
}

/// A refusal for an empty field.
pub(super) fn missing(field: &'static str) -> Refusal {
    Refusal::new(
        RefusalReason::MissingField,
        field,
        format!("{field} is missing"),
    )
}

/// A refusal for a number outside its range.
pub(super) fn out_of_range(field: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal::new(RefusalReason::OutOfRange, field, detail)
}

fn bounded(field: &'static str, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.len() <= limit {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalReason::TextTooLong,
        field,
        format!(
            "{field} has {} bytes, at most {limit} are allowed",
            text.len()
        ),
    ))
}
