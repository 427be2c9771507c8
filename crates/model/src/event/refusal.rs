//! Why an event is refused: stable reasons that a program can act on.

use crate::codes::codes;
use std::borrow::Cow;

codes! {
    /// The stable reason of a refusal. Numbers are stored, names are shown; neither changes.
    pub enum RefusalReason {
        /// No reason was given.
        Unspecified = 0 "UNSPECIFIED",
        /// The bytes are not an event. Encode it as the message `Event`.
        MalformedEvent = 1 "MALFORMED_EVENT",
        /// The event holds a field that this server does not know. Upgrade the server first.
        UnknownField = 2 "UNKNOWN_FIELD",
        /// The event holds no body of a known kind. Set one of the kinds.
        UnknownKind = 3 "UNKNOWN_KIND",
        /// The kind is written by the plant's writer alone, no source may report it.
        KindNotReportable = 4 "KIND_NOT_REPORTABLE",
        /// A number of an enum has no meaning here. Use a listed value.
        UnknownValue = 5 "UNKNOWN_VALUE",
        /// The plant's description has no machine of this number. Apply a description that has it.
        UnknownMachine = 6 "UNKNOWN_MACHINE",
        /// The machine has been removed from the plant's description.
        RemovedMachine = 7 "REMOVED_MACHINE",
        /// A field that the kind needs is empty.
        MissingField = 8 "MISSING_FIELD",
        /// The event is larger than 32 KiB as stored. Shorten its texts.
        EventTooLarge = 9 "EVENT_TOO_LARGE",
        /// A text is longer than its limit.
        TextTooLong = 10 "TEXT_TOO_LONG",
        /// A number is not a number, or infinite.
        NotFinite = 11 "NOT_FINITE",
        /// A number lies outside its range.
        OutOfRange = 12 "OUT_OF_RANGE",
        /// Sequences count from 1.
        SequenceZero = 13 "SEQUENCE_ZERO",
        /// The sequence is beyond the greatest one (2^63 - 1).
        SequenceOutOfRange = 14 "SEQUENCE_OUT_OF_RANGE",
        /// The sequence is recorded with another content. Number new events onward.
        ContentChanged = 15 "CONTENT_CHANGED",
        /// The jump would leave more than 1,024 open gaps. Send the missing numbers first.
        TooManyGaps = 16 "TOO_MANY_GAPS",
        /// A correction's target is not an event that can be corrected.
        CorrectionTarget = 17 "CORRECTION_TARGET",
        /// A correction's replacement is of another machine or aspect than its target.
        CorrectionMismatch = 18 "CORRECTION_MISMATCH",
        /// A protected field came encrypted, or could not be protected. Send it in plain.
        ProtectedField = 19 "PROTECTED_FIELD",
        /// The body of a sample batch is missing or does not match the hash in the event.
        BodyMismatch = 20 "BODY_MISMATCH",
        /// The batch holds more corrections than one may. Send the others in the next one.
        TooManyCorrections = 21 "TOO_MANY_CORRECTIONS",
        /// A name is not one of the plant's description. Correct it, or apply a description that has it.
        UnknownName = 22 "UNKNOWN_NAME",
    }
}

/// A refusal of one event: the reason, the field and a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The stable reason.
    pub reason: RefusalReason,
    /// The path of the field that is to blame, empty when it is the event as a whole.
    pub field: Cow<'static, str>,
    /// What happened, for a person.
    pub detail: String,
}

impl Refusal {
    /// A refusal for a reason, with the field to blame and a sentence for a person.
    #[must_use]
    pub fn new(
        reason: RefusalReason,
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            field: field.into(),
            detail: detail.into(),
        }
    }
}
