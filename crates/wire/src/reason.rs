//! The stable reasons of errors, each with its gRPC code.

use std::collections::HashMap;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of all reasons.
pub const DOMAIN: &str = "werkbuch";

macro_rules! reasons {
    ($($(#[$meta:meta])* $variant:ident = $code:ident $text:literal,)+) => {
        /// Why a request failed. The names are part of the API and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$meta])* $variant,)+ }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)+];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $text,)+ } }

            /// The gRPC code that goes with it.
            #[must_use]
            pub const fn code(self) -> Code { match self { $(Self::$variant => Code::$code,)+ } }
        }
    };
}

reasons! {
    /// The access log cannot be written, so nothing protected is read.
    AccessLogFailed = Unavailable "ACCESS_LOG_FAILED",
    /// The batch holds more events than one may.
    BatchTooLarge = InvalidArgument "BATCH_TOO_LARGE",
    /// The call took too long; a write may have been recorded all the same: send it again under the
    /// same numbers.
    CallTimeout = DeadlineExceeded "CALL_TIMEOUT",
    /// The writer's clock jumped forward by more than an hour and waits for a person.
    ClockUnconfirmed = FailedPrecondition "CLOCK_UNCONFIRMED",
    /// The disk cannot take more; reads go on.
    DiskFull = Unavailable "DISK_FULL",
    /// The batch holds no event.
    EmptyBatch = InvalidArgument "EMPTY_BATCH",
    /// The source has been opened in a newer epoch.
    EpochFenced = Aborted "EPOCH_FENCED",
    /// The log needs a newer build.
    FormatNewer = FailedPrecondition "FORMAT_NEWER",
    /// Something is wrong in the server itself; its log says what.
    Internal = Internal "INTERNAL",
    /// The filter or the order cannot be understood.
    InvalidFilter = InvalidArgument "INVALID_FILTER",
    /// The instant lies beyond what is recorded, or is none.
    InvalidInstant = InvalidArgument "INVALID_INSTANT",
    /// A name is not of the form that the request needs.
    InvalidName = InvalidArgument "INVALID_NAME",
    /// The page token is not one of this request's.
    InvalidPageToken = InvalidArgument "INVALID_PAGE_TOKEN",
    /// The plant file has mistakes; each is a field violation.
    InvalidPlantFile = InvalidArgument "INVALID_PLANT_FILE",
    /// A field of the request has a value that it cannot have.
    InvalidRequest = InvalidArgument "INVALID_REQUEST",
    /// The resume token is not one of this request's, or not one of this log.
    InvalidResumeToken = InvalidArgument "INVALID_RESUME_TOKEN",
    /// The log is damaged where the answer lies; nothing of it is served. Restore the file that the
    /// server's log names.
    LogDamaged = DataLoss "LOG_DAMAGED",
    /// The request cannot be read as its message.
    MalformedRequest = InvalidArgument "MALFORMED_REQUEST",
    /// The message is larger than the server takes.
    MessageTooLarge = OutOfRange "MESSAGE_TOO_LARGE",
    /// A queue is full; try again after the delay.
    Overloaded = ResourceExhausted "OVERLOADED",
    /// The plant is being folded from its log since the server started; try again after the delay.
    PlantRecovering = Unavailable "PLANT_RECOVERING",
    /// A newer session has opened the source.
    SessionFenced = Aborted "SESSION_FENCED",
    /// The server is closing.
    ShuttingDown = Unavailable "SHUTTING_DOWN",
    /// The reader took no answer for too long.
    SlowReader = ResourceExhausted "SLOW_READER",
    /// Writing has stopped after the disk failed; the server must be started anew.
    StoreStopped = Unavailable "STORE_STOPPED",
    /// The source has never had that epoch.
    UnknownEpoch = FailedPrecondition "UNKNOWN_EPOCH",
    /// The request holds a field that this server does not know.
    UnknownField = InvalidArgument "UNKNOWN_FIELD",
    /// There is no event kind of that name.
    UnknownKind = InvalidArgument "UNKNOWN_KIND",
    /// The plant has no machine of that name.
    UnknownMachine = NotFound "UNKNOWN_MACHINE",
    /// The tenant has no plant of that name.
    UnknownPlant = NotFound "UNKNOWN_PLANT",
    /// No rule of that name applies.
    UnknownRule = NotFound "UNKNOWN_RULE",
    /// No run of that name is kept, or its result is lost.
    UnknownRun = NotFound "UNKNOWN_RUN",
    /// The session is not known, as after a restart; open the source again.
    UnknownSession = FailedPrecondition "UNKNOWN_SESSION",
    /// No source of that name has been opened for the plant.
    UnknownSource = NotFound "UNKNOWN_SOURCE",
    /// There is no tenant of that name.
    UnknownTenant = NotFound "UNKNOWN_TENANT",
}

impl Reason {
    /// A status of this reason with a sentence for a person.
    #[must_use]
    pub fn status(self, message: impl Into<String>) -> Status {
        self.status_with(message, ErrorDetails::new())
    }

    /// A status of this reason that asks to try again after `delay`.
    #[must_use]
    pub fn retry(self, message: impl Into<String>, delay: Duration) -> Status {
        let mut details = ErrorDetails::new();
        details.set_retry_info(Some(delay));
        self.status_with(message, details)
    }

    /// A status of this reason with field violations: (field, what is wrong with it).
    #[must_use]
    pub fn violations(
        self,
        message: impl Into<String>,
        fields: impl IntoIterator<Item = (String, String)>,
    ) -> Status {
        let mut details = ErrorDetails::new();
        for (field, description) in fields {
            details.add_bad_request_violation(field, description);
        }
        self.status_with(message, details)
    }

    fn status_with(self, message: impl Into<String>, mut details: ErrorDetails) -> Status {
        details.set_error_info(self.name(), DOMAIN, HashMap::new());
        Status::with_error_details(self.code(), message, details)
    }

    /// The reason that a status carries, if it is one of ours.
    #[must_use]
    pub fn of(status: &Status) -> Option<Reason> {
        let info = status.get_details_error_info()?;
        if info.domain != DOMAIN {
            return None;
        }
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.name() == info.reason)
    }
}

/// The field violations that a status carries: (field, what is wrong with it).
#[must_use]
pub fn violations_of(status: &Status) -> Vec<(String, String)> {
    status
        .get_details_bad_request()
        .map(|bad| bad.field_violations)
        .unwrap_or_default()
        .into_iter()
        .map(|violation| (violation.field, violation.description))
        .collect()
}

/// After how long a status asks to try again.
#[must_use]
pub fn retry_delay_of(status: &Status) -> Option<Duration> {
    status
        .get_details_retry_info()
        .and_then(|info| info.retry_delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_carries_its_reason() {
        for reason in Reason::ALL {
            let status = reason.retry("why", Duration::from_millis(250));
            assert_eq!(Reason::of(&status), Some(*reason));
            assert_eq!(status.code(), reason.code());
            assert_eq!(retry_delay_of(&status), Some(Duration::from_millis(250)));
        }
    }
}
