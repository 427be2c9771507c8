//! The checks that the kinds share.

use super::refusal::{Refusal, RefusalReason};

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
