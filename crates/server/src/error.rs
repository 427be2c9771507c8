//! Errors of the engine as statuses with stable reasons; what is wrong inside is logged, not told.

use tonic::Status;
use werkbuch_engine::{Engine, EngineError};
use werkbuch_journal::StoreError;
use werkbuch_model::filter::FilterError;
use werkbuch_model::id::PlantId;
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::plant::Mistake;
use werkbuch_twin::Twin;
use werkbuch_wire::reason::Reason;

/// The most of a sentence that is sent: statuses travel in headers, which are small.
const TEXT_CHARACTERS_MAX: usize = 600;
/// The most of a name that is repeated.
const NAME_CHARACTERS_MAX: usize = 80;
/// The most mistakes of a plant file that one answer tells.
const MISTAKES_MAX: usize = 20;
/// The most of a mistake that is sent.
const MISTAKE_CHARACTERS_MAX: usize = 200;

/// The status of an engine's error. What the caller cannot help is logged here, once.
pub(crate) fn status(error: EngineError) -> Status {
    let reason = reason(&error);
    log(&error, reason);
    match error {
        EngineError::Overloaded { retry, .. } | EngineError::Recovering { retry, .. } => {
            reason.retry(short(&error.to_string()), retry)
        }
        EngineError::PlantFile { mistakes } => plant_file(&mistakes),
        EngineError::AccessLog { .. } => {
            reason.status("the access log cannot be written, so nothing protected is read")
        }
        EngineError::Store(error) => store(&error),
        _ if reason == Reason::Internal => internal(),
        _ => reason.status(short(&error.to_string())),
    }
}

/// There is no machine of that name; the nearest of those that there are is named.
pub(crate) fn unknown_machine(twin: &Twin, machine: &str) -> Status {
    let error = EngineError::UnknownMachine {
        plant: twin.plant().clone(),
        machine: cut(machine, NAME_CHARACTERS_MAX),
    };
    let names = twin
        .description()
        .machines()
        .map(|machine| machine.id.as_str());
    with_near(&error, Reason::UnknownMachine, did_you_mean(machine, names))
}

/// There is no plant of that name; the nearest of those that there are is named.
pub(crate) fn unknown_plant(engine: &Engine, plant: &PlantId) -> Status {
    let error = EngineError::UnknownPlant {
        plant: plant.clone(),
    };
    let plants = engine.plants();
    let names = plants.iter().map(|plant| plant.id().as_str());
    with_near(
        &error,
        Reason::UnknownPlant,
        did_you_mean(plant.as_str(), names),
    )
}

fn with_near(error: &EngineError, reason: Reason, near: Option<String>) -> Status {
    log(error, reason);
    let text = error.to_string();
    // What comes after the first clause is for who has written the name as it is meant.
    let clause = text.split("; ").next().unwrap_or(&text);
    reason.status(short(&match near {
        Some(near) => format!("{clause}; {near}"),
        None => text,
    }))
}

/// Something is wrong in the server itself.
pub(crate) fn internal() -> Status {
    Reason::Internal.status("something is wrong in the server itself; its log says what")
}

/// A filter or order that cannot be understood.
pub(crate) fn filter(field: &str, error: &FilterError) -> Status {
    let text = short(&error.to_string());
    Reason::InvalidFilter.violations(text.clone(), [(field.to_owned(), text)])
}

/// A plant file with mistakes: the first of them, each with its place.
pub(crate) fn plant_file(mistakes: &[Mistake]) -> Status {
    of_file(Reason::InvalidPlantFile, "plant file", mistakes)
}

/// The mistakes of a file of rules.
pub(crate) fn rule_file(mistakes: &[Mistake]) -> Status {
    of_file(Reason::InvalidRequest, "file of rules", mistakes)
}

/// The mistakes of a file of the caller's, each with its place.
pub(crate) fn of_file(reason: Reason, file: &str, mistakes: &[Mistake]) -> Status {
    let told = mistakes.iter().take(MISTAKES_MAX).map(|mistake| {
        let field = format!("{}:{}:{}", mistake.file, mistake.line, mistake.column);
        let hint = match mistake.hint.as_str() {
            "" => String::new(),
            hint => format!(" ({hint})"),
        };
        let what = format!("{}{hint}", mistake.what);
        (
            cut(&field, MISTAKE_CHARACTERS_MAX),
            cut(&what, MISTAKE_CHARACTERS_MAX),
        )
    });
    let text = match mistakes.len() {
        1 => format!("the {file} has a mistake"),
        many if many > MISTAKES_MAX => {
            format!("the {file} has {many} mistakes, these are the first {MISTAKES_MAX}")
        }
        many => format!("the {file} has {many} mistakes"),
    };
    reason.violations(text, told)
}

/// The text, cut to what fits in a status.
pub(crate) fn short(text: &str) -> String {
    cut(text, TEXT_CHARACTERS_MAX)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
    }
}

fn reason(error: &EngineError) -> Reason {
    match error {
        EngineError::UnknownPlant { .. } => Reason::UnknownPlant,
        EngineError::UnknownMachine { .. } => Reason::UnknownMachine,
        EngineError::UnknownRule { .. } => Reason::UnknownRule,
        EngineError::UnknownSession => Reason::UnknownSession,
        EngineError::SessionFenced { .. } => Reason::SessionFenced,
        EngineError::EpochFenced { .. } => Reason::EpochFenced,
        EngineError::UnknownEpoch { .. } => Reason::UnknownEpoch,
        EngineError::EmptyBatch => Reason::EmptyBatch,
        EngineError::BatchTooLarge { .. } => Reason::BatchTooLarge,
        EngineError::Overloaded { .. } => Reason::Overloaded,
        EngineError::Recovering { .. } => Reason::PlantRecovering,
        EngineError::ClockUnconfirmed { .. } => Reason::ClockUnconfirmed,
        EngineError::InvalidInstant { .. } => Reason::InvalidInstant,
        EngineError::PlantFile { .. } => Reason::InvalidPlantFile,
        EngineError::FormatNewer { .. } => Reason::FormatNewer,
        EngineError::ShuttingDown | EngineError::Store(StoreError::Closed { .. }) => {
            Reason::ShuttingDown
        }
        EngineError::AccessLog { .. } => Reason::AccessLogFailed,
        EngineError::Store(StoreError::DiskFull { .. }) => Reason::DiskFull,
        EngineError::Store(StoreError::Stopped { .. }) => Reason::StoreStopped,
        EngineError::Store(StoreError::Damaged(_)) => Reason::LogDamaged,
        EngineError::Store(StoreError::UnknownPlant { .. }) => Reason::UnknownPlant,
        _ => Reason::Internal,
    }
}

fn store(error: &StoreError) -> Status {
    match error {
        StoreError::DiskFull { .. } => Reason::DiskFull.status(
            "the disk of the server is full; nothing of this was recorded, and writing goes on by \
             itself once there is room",
        ),
        StoreError::Stopped { .. } => Reason::StoreStopped.status(
            "the server has stopped writing after its disk failed; it must be started anew, its log \
             says more",
        ),
        StoreError::Closed { .. } => Reason::ShuttingDown.status("the server is closing"),
        StoreError::Damaged(_) => Reason::LogDamaged.status(
            "the log of the server is damaged where the answer lies, and nothing of it is served; the \
             server's log names the file, and `werkbuch log verify` finds all of it",
        ),
        StoreError::UnknownPlant { plant } => {
            Reason::UnknownPlant.status(format!("there is no log of plant \"{plant}\""))
        }
        _ => internal(),
    }
}

/// Each error is logged with all its causes where it becomes a status, and nowhere else. What its
/// caller can mend is no error of the server: a full queue is how senders are held back, and a clock
/// that waits for a person is said once, where it stopped.
fn log(error: &EngineError, reason: Reason) {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        causes.push(inner.to_string());
        cause = inner.source();
    }
    let causes = causes.join(": ");
    let reason = reason.name();
    match error {
        EngineError::Store(_)
        | EngineError::AccessLog { .. }
        | EngineError::Fold { .. }
        | EngineError::Io { .. }
        | EngineError::Internal { .. }
        | EngineError::FormatNewer { .. } => {
            tracing::error!(reason, %error, causes, "a call failed in the server");
        }
        _ => tracing::debug!(reason, %error, "a call was refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::time::Duration;
    use werkbuch_wire::reason::{retry_delay_of, violations_of};

    fn full() -> StoreError {
        StoreError::DiskFull {
            path: PathBuf::from("/srv/secret/journal"),
            cause: Arc::new(std::io::Error::other("no space")),
        }
    }

    #[test]
    fn reasons_are_stable_and_folders_stay_inside() {
        let folder = || PathBuf::from("/srv/secret");
        let cases = [
            (EngineError::Store(full()), Reason::DiskFull),
            (
                EngineError::Store(StoreError::Stopped {
                    folder: folder(),
                    cause: "fsync".into(),
                }),
                Reason::StoreStopped,
            ),
            (
                EngineError::Store(StoreError::Closed { folder: folder() }),
                Reason::ShuttingDown,
            ),
            (
                EngineError::Store(StoreError::Held { folder: folder() }),
                Reason::Internal,
            ),
            (
                EngineError::AccessLog {
                    path: folder(),
                    cause: "denied".into(),
                },
                Reason::AccessLogFailed,
            ),
            (
                EngineError::Internal {
                    what: "/srv/secret".into(),
                },
                Reason::Internal,
            ),
            (EngineError::EmptyBatch, Reason::EmptyBatch),
            (EngineError::ShuttingDown, Reason::ShuttingDown),
        ];
        for (error, reason) in cases {
            let status = status(error);
            assert_eq!(Reason::of(&status), Some(reason), "{status}");
            assert!(!status.message().contains("secret"), "{status}");
        }
    }

    #[test]
    fn overload_says_when_to_try_again() {
        let retry = Duration::from_millis(70);
        let status = status(EngineError::Overloaded {
            what: "the queue",
            retry,
        });
        assert_eq!(retry_delay_of(&status), Some(retry));
    }

    #[test]
    fn mistakes_are_told_with_their_places_and_fit_a_header() {
        let mistake = Mistake {
            file: "plant.toml".into(),
            line: 3,
            column: 7,
            what: "é".repeat(5_000),
            hint: "mend it".into(),
        };
        let status = plant_file(&vec![mistake; 500]);
        let told = violations_of(&status);
        assert_eq!(told.len(), MISTAKES_MAX);
        assert!(told.iter().all(|(field, _)| field == "plant.toml:3:7"));
        assert!(status.message().contains("500 mistakes"));
        assert!(
            status.details().len() < 12 * 1024,
            "{}",
            status.details().len()
        );
        assert!(short(&"ü".repeat(9_000)).len() < 1_300);
    }
}
