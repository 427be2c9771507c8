//! Events to canonical bytes and back.

mod body;
mod canonical;
mod field;
mod input;
mod layout;
mod recorded;
mod spec;

pub use body::{body_bytes, body_message, decode_body};
pub use input::DecodeError;
pub use recorded::{
    decode_recorded, decode_reported, encode_recorded, encode_recorded_into, encode_reported,
    encode_reported_into, outline, peek_machine, peek_sequence, reported_part,
};
