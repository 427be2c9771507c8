//! The options of the server: where they come from, what they mean, and which values they take.

mod error;
mod file;
mod parse;
#[cfg(test)]
mod tests;

pub use error::ConfigError;

use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use werkbuch_engine::limits::{PAST_EVERY, SNAPSHOT_EVERY, WRITE_AHEAD_MIB};
use werkbuch_journal::StoreKind;

/// The options as they come from one source; what the source does not say is absent.
///
/// The command line goes before the environment, that before the file, that before the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialConfig {
    /// The folder that holds the log. Default: `werkbuch-data`.
    pub data: Option<PathBuf>,
    /// Which store keeps the log: `segments` or `sled`. Default: the one that the folder has, or
    /// `segments` in a new folder.
    pub store: Option<String>,
    /// The address and port to listen on; port 0 takes a free one. Default: `127.0.0.1:7420`.
    pub listen: Option<String>,
    /// Whether the server may listen beyond this machine. Default: no.
    pub allow_remote: Option<bool>,
    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`. Default: `info`.
    pub log_level: Option<String>,
    /// Other levels for single parts: `werkbuch_engine=debug,h2=info`. Default: none.
    pub log_filter: Option<String>,
    /// How it is logged: `text` or `json`. Default: `text`.
    pub log_format: Option<String>,
    /// How many events lie between two snapshots of a plant. Default: 200,000.
    pub snapshot_every: Option<u64>,
    /// How many events lie between two marks of a plant's past; 0 keeps none. Default: 2,048.
    pub past_every: Option<u64>,
    /// The length of a write-ahead file in MiB, from which on it is sealed. Default: 64.
    pub write_ahead_mib: Option<u64>,
    /// How many events a second each plant folds at most while it is recovered. Default: no limit.
    pub recovery_rate: Option<u64>,
    /// How long calls in flight may take to end when the server stops: `30s`, `500ms`, `2m`.
    /// Default: `30s`.
    pub shutdown_grace: Option<String>,
}

/// The options that the server runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The folder that holds the log.
    pub data: PathBuf,
    /// Which store keeps the log; nothing takes the one that the folder has, or the default.
    pub store: Option<StoreKind>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Whether `listen` may lie beyond this machine.
    pub allow_remote: bool,
    /// What is logged.
    pub log_level: LogLevel,
    /// Other levels for single parts, in the form that `--log-filter` takes; empty for none.
    pub log_filter: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// How many events lie between two snapshots of a plant.
    pub snapshot_every: u64,
    /// How many events lie between two marks of a plant's past; 0 keeps none.
    pub past_every: u64,
    /// The length of a write-ahead file in MiB, from which on it is sealed.
    pub write_ahead_mib: u64,
    /// How many events a second each plant folds at most while it is recovered; nothing for no limit.
    pub recovery_rate: Option<u64>,
    /// How long calls in flight may take to end when the server stops.
    pub shutdown_grace: Duration,
}

/// What is logged: this level and those before it. Each level is a promise to the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Somebody must act: until then something does not work.
    Error,
    /// Somebody should look soon: data are safe, and the server has helped itself.
    Warn,
    /// The life of the server: start, stop, plants, snapshots, one line each.
    #[default]
    Info,
    /// Each batch and each group of blocks, and why a call was refused.
    Debug,
    /// Each event as it is applied.
    Trace,
}

/// How it is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The options: key in the file, variable of the environment, meaning.
pub const KEYS: [(&str, &str, &str); 12] = [
    (
        "data",
        "WERKBUCH_SERVE_DATA",
        "the folder that holds the log",
    ),
    (
        "store",
        "WERKBUCH_SERVE_STORE",
        "segments or sled: which store keeps the log",
    ),
    (
        "listen",
        "WERKBUCH_SERVE_LISTEN",
        "the address and port to listen on",
    ),
    (
        "allow_remote",
        "WERKBUCH_SERVE_ALLOW_REMOTE",
        "whether to listen beyond this machine",
    ),
    (
        "log_level",
        "WERKBUCH_SERVE_LOG_LEVEL",
        "error, warn, info, debug or trace",
    ),
    (
        "log_filter",
        "WERKBUCH_SERVE_LOG_FILTER",
        "other levels for single parts",
    ),
    ("log_format", "WERKBUCH_SERVE_LOG_FORMAT", "text or json"),
    (
        "snapshot_every",
        "WERKBUCH_SERVE_SNAPSHOT_EVERY",
        "events between two snapshots",
    ),
    (
        "past_every",
        "WERKBUCH_SERVE_PAST_EVERY",
        "events between two marks of a plant's past",
    ),
    (
        "write_ahead_mib",
        "WERKBUCH_SERVE_WRITE_AHEAD_MIB",
        "length of a write-ahead file in MiB",
    ),
    (
        "recovery_rate",
        "WERKBUCH_SERVE_RECOVERY_RATE",
        "events a second that a plant folds at most while it is recovered",
    ),
    (
        "shutdown_grace",
        "WERKBUCH_SERVE_SHUTDOWN_GRACE",
        "how long calls in flight may take at the end",
    ),
];

impl PartialConfig {
    /// What this source says, and what `lower` says where this one says nothing.
    #[must_use]
    pub fn merge(self, lower: Self) -> Self {
        Self {
            data: self.data.or(lower.data),
            store: self.store.or(lower.store),
            listen: self.listen.or(lower.listen),
            allow_remote: self.allow_remote.or(lower.allow_remote),
            log_level: self.log_level.or(lower.log_level),
            log_filter: self.log_filter.or(lower.log_filter),
            log_format: self.log_format.or(lower.log_format),
            snapshot_every: self.snapshot_every.or(lower.snapshot_every),
            past_every: self.past_every.or(lower.past_every),
            write_ahead_mib: self.write_ahead_mib.or(lower.write_ahead_mib),
            recovery_rate: self.recovery_rate.or(lower.recovery_rate),
            shutdown_grace: self.shutdown_grace.or(lower.shutdown_grace),
        }
    }

    /// The options to run with: the defaults where nothing is said.
    /// Errors: [`ConfigError::Value`] for a value that an option does not take, and
    /// [`ConfigError::Remote`] for an address beyond this machine without `allow_remote`.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let listen = parse::listen(self.listen.as_deref().unwrap_or("127.0.0.1:7420"))?;
        let allow_remote = self.allow_remote.unwrap_or(false);
        if !listen.ip().is_loopback() && !allow_remote {
            return Err(ConfigError::Remote { listen });
        }
        let grace = self.shutdown_grace.as_deref().unwrap_or("30s");
        Ok(Config {
            data: self.data.unwrap_or_else(|| PathBuf::from("werkbuch-data")),
            store: self.store.as_deref().map(parse::store).transpose()?,
            listen,
            allow_remote,
            log_level: parse::log_level(self.log_level.as_deref().unwrap_or("info"))?,
            log_filter: parse::log_filter(self.log_filter.as_deref().unwrap_or_default())?,
            log_format: parse::log_format(self.log_format.as_deref().unwrap_or("text"))?,
            snapshot_every: parse::snapshot_every(self.snapshot_every.unwrap_or(SNAPSHOT_EVERY))?,
            past_every: self.past_every.unwrap_or(PAST_EVERY),
            write_ahead_mib: parse::write_ahead_mib(
                self.write_ahead_mib.unwrap_or(WRITE_AHEAD_MIB),
            )?,
            recovery_rate: self.recovery_rate.map(parse::recovery_rate).transpose()?,
            shutdown_grace: parse::grace(grace)?,
        })
    }
}

impl Config {
    /// What is logged, as directives: our own parts at the level, the libraries beneath no more than
    /// warnings, so that the promise of a level is ours alone to keep; then what the filter says.
    #[must_use]
    pub fn log_directives(&self) -> String {
        let beneath = match self.log_level {
            LogLevel::Error => LogLevel::Error,
            _ => LogLevel::Warn,
        };
        let mut directives = format!("{beneath},werkbuch={}", self.log_level);
        if !self.log_filter.is_empty() {
            directives.push(',');
            directives.push_str(&self.log_filter);
        }
        directives
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}
