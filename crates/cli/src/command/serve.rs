//! `werkbuch serve`: the server in this process.

use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::logging;
use crate::output::{Answer, Format};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use werkbuch_engine::EngineError;
use werkbuch_journal::StoreError;
use werkbuch_server::{Config, ConfigError, PartialConfig, ServeError};

/// Run the server until it is told to stop.
///
/// Options are taken from the command line, then from variables WERKBUCH_SERVE_DATA, _STORE,
/// _LISTEN, _ALLOW_REMOTE, _LOG_LEVEL, _LOG_FILTER, _LOG_FORMAT, _SNAPSHOT_EVERY, _RECOVERY_RATE, _SHUTDOWN_GRACE, then from
/// the file.
/// Standard output gets one line once the server takes calls: `werkbuch listening on URL`. A plant that
/// must be folded from its log first says so (PLANT_RECOVERING); the others answer. The first
/// SIGTERM or Ctrl-C stops it in good order, the second at once.
///
/// Each level of the log is a promise: error, somebody must act; warn, somebody should look soon, data
/// are safe; info, the life of the server, one line for each start, stop, plant and snapshot; debug,
/// each batch; trace, each event. Libraries beneath say warnings only, unless --log-filter says so.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that holds the log (default: werkbuch-data).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Which store keeps the log, segments or sled (default: the one that the folder has, or segments).
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// The address and port to listen on; port 0 takes a free one (default: 127.0.0.1:7420).
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// A file of options, TOML, with the names of these options (`log_level = "debug"`).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen beyond this machine. There is no authentication yet.
    #[arg(long)]
    allow_remote: bool,
    /// What is logged to standard error: error, warn, info, debug or trace (default: info).
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Other levels for single parts, such as werkbuch_engine=debug,h2=info (default: none).
    #[arg(long, value_name = "PART=LEVEL,...")]
    log_filter: Option<String>,
    /// How it is logged: text or json (default: text).
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// How many events lie between two snapshots of a plant (default: 200000).
    #[arg(long, value_name = "EVENTS")]
    snapshot_every: Option<u64>,
    /// How many events lie between two marks of a plant's past, from which questions about it are folded;
    /// fewer are faster and take more room, 0 keeps none (default: 4096).
    #[arg(long, value_name = "EVENTS")]
    past_every: Option<u64>,
    /// The length of a write-ahead file in MiB; a longer one is sealed, and a start reads about as much
    /// (default: 64).
    #[arg(long, value_name = "MIB")]
    write_ahead_mib: Option<u64>,
    /// How many events a second each plant folds at most after a start, while it does not answer yet, so
    /// that those that do have the processor (default: as many as it can).
    #[arg(long, value_name = "EVENTS")]
    recovery_rate: Option<u64>,
    /// How long calls in flight may take to end when the server stops (default: 30s).
    #[arg(long, value_name = "DURATION")]
    shutdown_grace: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    let config = config(args)?;
    logging::start(&config);
    // A context's form of output is not for what waits for this line.
    let format = context.asked_format().unwrap_or(Format::Table);
    let output = context.output.asked(Some(format));
    // From here on, so that who stops the server at its first word is heard.
    let asked = asked_to_stop();
    let shutdown = async {
        asked.await;
        // A second time: at once. The log is as safe as after a power cut.
        tokio::spawn(async {
            asked_to_stop().await;
            std::process::exit(i32::from(Exit::Failed as u8));
        });
    };
    let ready = move |address| {
        let url = format!("http://{address}");
        // Who does not read the line does without it; the server serves all the same.
        let _ = match output.format {
            Format::Table => output.text(&format!("werkbuch listening on {url}\n")),
            _ => {
                let whole = json!({ "listening": url });
                output.answer(&Answer::single(vec![("listening", url)], whole))
            }
        };
    };
    let served = werkbuch_server::run(config, shutdown, ready).await;
    served.map_err(|error| serve_failure(&error))
}

fn config(args: Args) -> Outcome<Config> {
    let flags = PartialConfig {
        data: args.data,
        store: args.store,
        listen: args.listen,
        allow_remote: args.allow_remote.then_some(true),
        log_level: args.log_level,
        log_filter: args.log_filter,
        log_format: args.log_format,
        snapshot_every: args.snapshot_every,
        past_every: args.past_every,
        write_ahead_mib: args.write_ahead_mib,
        recovery_rate: args.recovery_rate,
        shutdown_grace: args.shutdown_grace,
    };
    let resolve = || {
        let environment = PartialConfig::from_env(|name| std::env::var(name).ok())?;
        let file = match &args.config {
            Some(path) => PartialConfig::from_file(path)?,
            None => PartialConfig::default(),
        };
        flags.merge(environment).merge(file).resolve()
    };
    resolve().map_err(|error| config_failure(&error))
}

/// An option that cannot be used.
pub(crate) fn config_failure(error: &ConfigError) -> Failure {
    match error {
        ConfigError::Remote { .. } => Failure::new(
            Exit::NotAllowed,
            "REMOTE_LISTEN_NOT_ALLOWED",
            error.to_string(),
        ),
        ConfigError::Unreadable { path, cause } => Failure::file(path, cause),
        _ => Failure::new(Exit::Usage, "INVALID_CONFIGURATION", error.to_string()),
    }
}

/// A server that could not start, or did not end well.
pub(crate) fn serve_failure(error: &ServeError) -> Failure {
    let what = error.to_string();
    match error {
        ServeError::PortInUse { .. } => Failure::new(Exit::Conflict, "PORT_IN_USE", what),
        ServeError::Listen { cause, .. } => match cause.kind() {
            std::io::ErrorKind::PermissionDenied => {
                Failure::new(Exit::NotAllowed, "LISTEN_NOT_ALLOWED", what)
            }
            _ => Failure::new(Exit::Failed, "LISTEN_FAILED", what),
        },
        ServeError::Engine(error) => engine_failure(error),
        _ => Failure::new(Exit::Failed, "SERVE_FAILED", what),
    }
}

/// A data folder that could not be used.
pub(crate) fn engine_failure(error: &EngineError) -> Failure {
    let what = error.to_string();
    let (exit, reason) = match error {
        EngineError::UnknownPlant { .. } => (Exit::NotFound, "UNKNOWN_PLANT"),
        EngineError::InvalidInstant { .. } => (Exit::Usage, "INVALID_INSTANT"),
        EngineError::FormatNewer { .. } => (Exit::Failed, "FORMAT_NEWER"),
        EngineError::Store(StoreError::Held { .. }) => (Exit::Conflict, "FOLDER_HELD"),
        EngineError::Store(StoreError::Denied { .. }) => (Exit::NotAllowed, "FOLDER_NOT_ALLOWED"),
        EngineError::Store(StoreError::DiskFull { .. }) => (Exit::Unavailable, "DISK_FULL"),
        EngineError::Store(StoreError::Damaged(_)) => (Exit::Verification, "LOG_DAMAGED"),
        EngineError::Store(StoreError::BelowFloor { .. } | StoreError::Forgotten(_)) => {
            (Exit::Verification, "LOG_TOO_SHORT")
        }
        EngineError::Fold { .. } => (Exit::Verification, "LOG_DOES_NOT_FOLD"),
        _ => (Exit::Failed, "FOLDER_FAILED"),
    };
    Failure::new(exit, reason, what)
}

/// Waits for SIGTERM or Ctrl-C, whichever comes after the call.
pub(crate) fn asked_to_stop() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let heard = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        );
        async move {
            match heard {
                (Ok(mut terminate), Ok(mut interrupt)) => {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                }
                (Err(error), _) | (_, Err(error)) => {
                    let _ = writeln!(std::io::stderr(), "signals cannot be waited for: {error}");
                    let _ = tokio::signal::ctrl_c().await;
                }
            }
        }
    }
    #[cfg(not(unix))]
    async {
        let _ = tokio::signal::ctrl_c().await;
    }
}
