//! The exit codes, and which failure has which: the one table.

use std::process::ExitCode;
use tonic::{Code, Status};
use werkbuch_wire::reason::Reason;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked to.
    Ok = 0,
    /// It failed for a cause that has no number of its own.
    Failed = 1,
    /// What was asked is not well formed: options, files, filters, names.
    Usage = 2,
    /// What was asked for is not there.
    NotFound = 3,
    /// It goes against what is there: taken over, held, not confirmed.
    Conflict = 4,
    /// A comparison came out different.
    Verification = 5,
    /// The server cannot be reached, or has no room now.
    Unavailable = 6,
    /// It is not allowed.
    NotAllowed = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// How a failed call ends the program.
    pub(crate) fn of_status(status: &Status) -> Self {
        match Reason::of(status) {
            Some(reason) => Self::of_reason(reason),
            None => Self::of_code(status.code()),
        }
    }

    /// How a reason ends the program.
    pub(crate) fn of_reason(reason: Reason) -> Self {
        match reason {
            Reason::FormatNewer | Reason::Internal => Self::Failed,
            Reason::LogDamaged => Self::Verification,
            Reason::BatchTooLarge
            | Reason::EmptyBatch
            | Reason::InvalidFilter
            | Reason::InvalidInstant
            | Reason::InvalidName
            | Reason::InvalidPageToken
            | Reason::InvalidPlantFile
            | Reason::InvalidRequest
            | Reason::InvalidResumeToken
            | Reason::MalformedRequest
            | Reason::MessageTooLarge
            | Reason::UnknownField
            | Reason::UnknownKind => Self::Usage,
            Reason::UnknownMachine
            | Reason::UnknownPlant
            | Reason::UnknownRule
            | Reason::UnknownRun
            | Reason::UnknownSource
            | Reason::UnknownTenant => Self::NotFound,
            Reason::ClockUnconfirmed
            | Reason::EpochFenced
            | Reason::SessionFenced
            | Reason::UnknownEpoch
            | Reason::UnknownSession => Self::Conflict,
            Reason::AccessLogFailed
            | Reason::CallTimeout
            | Reason::DiskFull
            | Reason::Overloaded
            | Reason::PlantRecovering
            | Reason::ShuttingDown
            | Reason::SlowReader
            | Reason::StoreStopped => Self::Unavailable,
        }
    }

    /// How a gRPC code without a reason of ours ends the program.
    pub(crate) fn of_code(code: Code) -> Self {
        match code {
            Code::Ok => Self::Ok,
            Code::InvalidArgument | Code::OutOfRange => Self::Usage,
            Code::NotFound => Self::NotFound,
            Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => Self::Conflict,
            Code::Unavailable
            | Code::ResourceExhausted
            | Code::DeadlineExceeded
            | Code::Cancelled => Self::Unavailable,
            Code::PermissionDenied | Code::Unauthenticated => Self::NotAllowed,
            Code::DataLoss => Self::Verification,
            Code::Unknown | Code::Unimplemented | Code::Internal => Self::Failed,
        }
    }
}

/// What a person may do next about a reason; empty where the message says it.
pub(crate) fn hint(reason: Reason) -> &'static str {
    match reason {
        Reason::AccessLogFailed => {
            "see the server's log; nothing protected is read until it is mended"
        }
        Reason::ClockUnconfirmed => {
            "check the server's clock, then: werkbuch plant confirm-clock PLANT"
        }
        Reason::DiskFull => {
            "make room on the server's disk; writing then goes on by itself, reads do meanwhile"
        }
        Reason::EpochFenced | Reason::SessionFenced => {
            "another process reports as this source; stop one of the two"
        }
        Reason::FormatNewer => "install a build at least as new as the one that wrote the log",
        Reason::Internal => "see the server's log",
        Reason::LogDamaged => {
            "stop the server, restore that file from a backup, then: werkbuch log verify --data DIR"
        }
        Reason::InvalidFilter => "see `werkbuch machine ls --help` for fields and syntax",
        Reason::InvalidInstant => {
            "see \"Times\" in werkbuch --help; werkbuch twin get PLANT tells where its log stands"
        }
        Reason::InvalidPageToken => "start again without --page-token",
        Reason::InvalidResumeToken => "start again without --resume",
        Reason::InvalidPlantFile => "mend the lines named and apply the file again",
        Reason::CallTimeout => "ask for less at once, or try again when the server has less to do",
        Reason::Overloaded | Reason::SlowReader | Reason::ShuttingDown => "try again in a moment",
        Reason::PlantRecovering => {
            "try again in a moment; werkbuch server status says how far it is"
        }
        Reason::StoreStopped => "see the server's log, mend the disk, then start the server anew",
        Reason::UnknownKind => {
            "write a kind as `werkbuch event ls` shows it, such as STATE_CHANGED"
        }
        Reason::UnknownMachine => "werkbuch machine ls --plant PLANT lists the machines",
        Reason::UnknownPlant => {
            "werkbuch plant ls lists the plants; werkbuch plant apply FILE adds one"
        }
        Reason::UnknownRule => "werkbuch rule ls --plant PLANT lists the rules that apply",
        Reason::UnknownRun => "werkbuch sim ls lists the runs that are kept",
        Reason::UnknownSource => "werkbuch source ls --plant PLANT lists the sources",
        Reason::UnknownSession => "start again; what was recorded is not recorded twice",
        Reason::BatchTooLarge
        | Reason::EmptyBatch
        | Reason::InvalidName
        | Reason::InvalidRequest
        | Reason::MalformedRequest
        | Reason::MessageTooLarge
        | Reason::UnknownEpoch
        | Reason::UnknownField
        | Reason::UnknownTenant => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_the_numbers_that_scripts_rely_on() {
        for (reason, exit) in [
            (Reason::Internal, 1),
            (Reason::InvalidFilter, 2),
            (Reason::InvalidPlantFile, 2),
            (Reason::UnknownKind, 2),
            (Reason::UnknownPlant, 3),
            (Reason::UnknownMachine, 3),
            (Reason::UnknownRule, 3),
            (Reason::UnknownRun, 3),
            (Reason::UnknownSource, 3),
            (Reason::SessionFenced, 4),
            (Reason::ClockUnconfirmed, 4),
            (Reason::Overloaded, 6),
            (Reason::PlantRecovering, 6),
            (Reason::StoreStopped, 6),
        ] {
            assert_eq!(
                Exit::of_status(&reason.status("why")) as u8,
                exit,
                "{reason:?}"
            );
        }
    }

    /// A reason must not end the program as a success, nor far from where its code alone would.
    #[test]
    fn no_reason_ends_well_and_each_is_near_its_code() {
        for reason in Reason::ALL {
            let (by_reason, by_code) = (Exit::of_reason(*reason), Exit::of_code(reason.code()));
            assert_ne!(by_reason, Exit::Ok);
            let near = by_reason == by_code || *reason == Reason::FormatNewer;
            assert!(near, "{reason:?}: {by_reason:?}, {by_code:?}");
        }
    }

    #[test]
    fn codes_without_a_reason_have_numbers() {
        for (code, exit) in [
            (Code::Unavailable, 6),
            (Code::DeadlineExceeded, 6),
            (Code::PermissionDenied, 7),
            (Code::NotFound, 3),
            (Code::DataLoss, 5),
            (Code::Unimplemented, 1),
        ] {
            assert_eq!(
                Exit::of_status(&Status::new(code, "why")) as u8,
                exit,
                "{code:?}"
            );
        }
    }
}
