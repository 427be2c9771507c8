//! A body by itself: for answers that carry what an event says without the event.

use super::field::Message as _;
use super::input::{DecodeError, Input};
use crate::pb;
use prost::Message as _;
use werkbuch_model::event::Body;

/// A body as the generated message. Errors: none that a body can cause; the shape is that of decoding.
pub fn body_message(body: &Body<'_>) -> Result<pb::Body, prost::DecodeError> {
    let mut bytes = Vec::with_capacity(64);
    body.put_fields(&mut bytes);
    pb::Body::decode(bytes.as_slice())
}

/// The bytes of a generated message, from which [`decode_body`] reads a body.
#[must_use]
pub fn body_bytes(message: &pb::Body) -> Vec<u8> {
    message.encode_to_vec()
}

/// A body, borrowing its texts from the bytes of the message `Body`.
/// Errors: [`DecodeError`]; unknown fields and values are errors.
pub fn decode_body(bytes: &[u8]) -> Result<Body<'_>, DecodeError> {
    Body::read_fields(Input::new(bytes))
}
