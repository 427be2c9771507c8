//! Plain functions from what engine and twin answer to messages, one file for each service.

pub(crate) mod aggregate;
pub(crate) mod aspect;
pub(crate) mod diff;
pub(crate) mod fields;
pub(crate) mod found;
pub(crate) mod history;
mod inferred;
pub(crate) mod ingest;
pub(crate) mod machine;
pub(crate) mod model;
pub(crate) mod quality;
pub(crate) mod row;
pub(crate) mod timeline;
pub(crate) mod twin;
pub(crate) mod wip;

use crate::asked::Answered;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

/// What an answer reflects, as a message.
pub(crate) fn reflected(answered: &Answered) -> pb::Reflected {
    let of = &answered.reflected;
    let honesty = answered.honesty.as_ref();
    pb::Reflected {
        position: of.position.get(),
        recorded_at: of.recorded_at.nanos(),
        at: of.at.map(Timestamp::nanos),
        known_recorded_at: answered.known_recorded_at.map(Timestamp::nanos),
        as_of: answered.as_of.nanos(),
        time_zone: match answered.zone.as_str() {
            "" => "UTC".to_owned(),
            zone => zone.to_owned(),
        },
        coverage: honesty.map(|honesty| pb::Coverage {
            machines_heard: honesty.machines_heard,
            machines: honesty.machines,
        }),
        sources: honesty.map(|one| one.sources.clone()).unwrap_or_default(),
        sources_total: honesty.map_or(0, |honesty| honesty.sources_total),
        late_events: of.late,
    }
}

/// A count for a field of the messages' kind of number.
pub(crate) fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The same, without a sign.
pub(crate) fn unsigned(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A stored number of an enum for a field of the messages' kind of number.
pub(crate) fn code(code: u32) -> i32 {
    i32::try_from(code).unwrap_or(i32::MAX)
}
