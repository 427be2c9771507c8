//! What became of what sources sent, as messages.

use super::code;
use werkbuch_engine::limits::{BATCH_EVENTS_MAX, MESSAGE_BYTES_MAX};
use werkbuch_engine::{Appended, OpenedSource, Outcome, OutcomeResult};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_wire::pb;
use werkbuch_wire::pb::outcome::Result as Became;

/// An open source.
pub(crate) fn opened(opened: OpenedSource) -> pb::OpenSourceResponse {
    pb::OpenSourceResponse {
        session: opened.session,
        epoch: opened.epoch.get(),
        next_sequence: opened.next_sequence.get(),
        source_number: opened.number.get(),
        tolerance_ns: opened.tolerance_ns,
        machine_numbers: opened
            .machine_numbers
            .into_iter()
            .map(MachineNumber::get)
            .collect(),
        batch_events_max: u32::try_from(BATCH_EVENTS_MAX).unwrap_or(u32::MAX),
        message_bytes_max: u32::try_from(MESSAGE_BYTES_MAX).unwrap_or(u32::MAX),
    }
}

/// What became of a batch.
pub(crate) fn appended(appended: Appended) -> pb::AppendResponse {
    pb::AppendResponse {
        outcomes: appended.outcomes.into_iter().map(outcome).collect(),
        position: appended.position.get(),
    }
}

fn outcome(outcome: Outcome) -> pb::Outcome {
    pb::Outcome {
        first_sequence: outcome.first_sequence.get(),
        count: outcome.count,
        result: Some(match outcome.result {
            OutcomeResult::Recorded(Position(first)) => Became::Recorded(first),
            OutcomeResult::Repeated(Position(first)) => Became::RepeatedAt(first),
            OutcomeResult::Refused(refusal) => Became::Refused(pb::RefusedEvent {
                reason: code(refusal.reason.code()),
                field: refusal.field.into_owned(),
                message: refusal.detail,
            }),
        }),
    }
}
