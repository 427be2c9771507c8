//! Plain functions from what engine and twin answer to messages, one file for each service.

pub(crate) mod aspect;
pub(crate) mod fields;
pub(crate) mod history;
pub(crate) mod ingest;
pub(crate) mod machine;
pub(crate) mod model;
pub(crate) mod quality;
pub(crate) mod row;
pub(crate) mod twin;
pub(crate) mod wip;

use werkbuch_engine::Reflected;
use werkbuch_wire::pb;

/// What an answer reflects, as a message.
pub(crate) fn reflected(reflected: &Reflected) -> pb::Reflected {
    pb::Reflected {
        position: reflected.position.get(),
        recorded_at: reflected.recorded_at.nanos(),
        at: reflected.at.map(werkbuch_model::time::Timestamp::nanos),
    }
}

/// A count for a field of the messages' kind of number.
pub(crate) fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A stored number of an enum for a field of the messages' kind of number.
pub(crate) fn code(code: u32) -> i32 {
    i32::try_from(code).unwrap_or(i32::MAX)
}
