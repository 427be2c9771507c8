//! What became of what sources sent, as messages.

use super::code;
use werkbuch_engine::limits::{BATCH_EVENTS_MAX, MESSAGE_BYTES_MAX};
use werkbuch_engine::{Appended, OpenedSource, Outcome, OutcomeResult};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_wire::pb;
use werkbuch_wire::pb::outcome::Result as Became;

/// The most of a refusal's sentence that is sent, in bytes: a full batch of refusals must fit.
const REFUSAL_BYTES_MAX: usize = 160;

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
                message: cut(refusal.detail),
            }),
        }),
    }
}

fn cut(mut text: String) -> String {
    if text.len() > REFUSAL_BYTES_MAX {
        let is_end = |end: &usize| text.is_char_boundary(*end);
        let end = (0..=REFUSAL_BYTES_MAX - 3)
            .rev()
            .find(is_end)
            .unwrap_or_default();
        text.truncate(end);
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;
    use werkbuch_model::event::{Refusal, RefusalReason};
    use werkbuch_model::id::Sequence;

    #[test]
    fn a_full_batch_of_refusals_fits_a_message() {
        let refused = |number: u64| Outcome {
            first_sequence: Sequence(number << 40),
            count: 1,
            result: OutcomeResult::Refused(Refusal::new(
                RefusalReason::TextTooLong,
                "corrected.replacement",
                "ü".repeat(10_000),
            )),
        };
        let outcomes = (0..BATCH_EVENTS_MAX as u64).map(refused).collect();
        let message = appended(Appended {
            outcomes,
            position: Position(u64::MAX),
        });
        assert!(
            message.encoded_len() < MESSAGE_BYTES_MAX,
            "{}",
            message.encoded_len()
        );
        assert_eq!(cut("short".into()), "short");
    }
}
