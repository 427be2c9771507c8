//! Reads the values of options.

use super::{ConfigError, LogFormat, LogLevel};
use std::net::SocketAddr;
use std::time::Duration;
use werkbuch_journal::StoreKind;

/// The longest that a stop may take.
const GRACE_MAX: Duration = Duration::from_secs(3_600);

/// An address with a port; `localhost` stands for 127.0.0.1.
pub(super) fn listen(text: &str) -> Result<SocketAddr, ConfigError> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    let expected = "it takes an IP address and a port, such as 127.0.0.1:7420 or [::1]:7420";
    numeric
        .parse()
        .map_err(|_| refused("listen", text, expected))
}

/// The name of a store.
pub(super) fn store(text: &str) -> Result<StoreKind, ConfigError> {
    StoreKind::named(text).ok_or_else(|| refused("store", text, "it takes segments or sled"))
}

pub(super) fn log_level(text: &str) -> Result<LogLevel, ConfigError> {
    use LogLevel::{Debug, Error, Info, Trace, Warn};
    let mut all = [Error, Warn, Info, Debug, Trace].into_iter();
    all.find(|level| level.to_string().eq_ignore_ascii_case(text))
        .ok_or_else(|| {
            refused(
                "log_level",
                text,
                "it takes error, warn, info, debug or trace",
            )
        })
}

/// Parts and their levels, `TARGET=LEVEL` with commas between.
pub(super) fn log_filter(text: &str) -> Result<String, ConfigError> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let is_part = |part: &str| {
        let Some((target, level)) = part.split_once('=') else {
            return false;
        };
        let named = !target.is_empty() && target.chars().all(is_word);
        named && (level == "off" || log_level(level).is_ok())
    };
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let parts: Vec<&str> = parts.collect();
    if parts.iter().all(|part| is_part(part)) {
        return Ok(parts.join(","));
    }
    let expected = "it takes parts with their levels, such as werkbuch_engine=debug,h2=info";
    Err(refused("log_filter", text, expected))
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, ConfigError> {
    let mut all = [LogFormat::Text, LogFormat::Json].into_iter();
    all.find(|format| format.to_string().eq_ignore_ascii_case(text))
        .ok_or_else(|| refused("log_format", text, "it takes text or json"))
}

pub(super) fn snapshot_every(events: u64) -> Result<u64, ConfigError> {
    if events == 0 {
        let expected = "it takes a number of events from 1; a large one means few snapshots";
        return Err(refused("snapshot_every", "0", expected));
    }
    Ok(events)
}

pub(super) fn write_ahead_mib(mib: u64) -> Result<u64, ConfigError> {
    if (1..=1_024).contains(&mib) {
        return Ok(mib);
    }
    let expected =
        "it takes 1 to 1024 MiB; the part of the log that a start reads is about this long";
    Err(refused("write_ahead_mib", &mib.to_string(), expected))
}

pub(super) fn recovery_rate(events: u64) -> Result<u64, ConfigError> {
    if events == 0 {
        let expected = "it takes a number of events a second from 1; leave it out for no limit";
        return Err(refused("recovery_rate", "0", expected));
    }
    Ok(events)
}

/// A duration such as `30s`, `500ms` or `2m`.
pub(super) fn grace(text: &str) -> Result<Duration, ConfigError> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let millis = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let number = digits.parse::<u64>().ok();
    number
        .zip(millis)
        .and_then(|(number, millis)| number.checked_mul(millis))
        .map(Duration::from_millis)
        .filter(|grace| *grace <= GRACE_MAX)
        .ok_or_else(|| {
            refused(
                "shutdown_grace",
                text,
                "it takes a time up to an hour, such as 30s, 500ms or 2m",
            )
        })
}

/// Whether a variable of the environment says yes.
pub(super) fn truth(key: &'static str, text: &str) -> Result<bool, ConfigError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" | "" => Ok(false),
        _ => Err(refused(key, text, "it takes true or false")),
    }
}

pub(super) fn refused(key: &'static str, value: &str, expected: &'static str) -> ConfigError {
    let value = value.chars().take(80).collect();
    ConfigError::Value {
        key,
        value,
        expected,
    }
}
