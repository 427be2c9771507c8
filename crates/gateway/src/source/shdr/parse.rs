//! Splits a line into its time and observations.

use crate::source::mapping::{Found, Mapping, Rule, device_and_key, is_asset_command};
use werkbuch_model::time::Timestamp;

/// What an observation says: one field, or the five of a condition (those not there are empty).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'t> {
    One(&'t str),
    Condition([&'t str; 5]),
}

/// One key with what it says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Observation<'t> {
    pub(super) key: &'t str,
    pub(super) found: Found<'t>,
    pub(super) value: Value<'t>,
}

/// The observations of a line, and why what is left of it cannot be read, if so.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parsed<'t> {
    pub(super) observations: Vec<Observation<'t>>,
    pub(super) rest: Option<&'static str>,
}

/// The time at the start of a line, and where what follows its separator begins.
pub(super) fn time_of(text: &str) -> Result<(Timestamp, usize), &'static str> {
    let (stamp, _) = text.split_once('|').ok_or("it has no separator")?;
    // A duration may follow the time: 2016-11-01T08:00:00Z@1.5
    let time = stamp.split_once('@').map_or(stamp, |(time, _)| time);
    match Timestamp::parse(time.trim()) {
        Ok(time) => Ok((time, stamp.len() + 1)),
        Err(_) => Err("it does not begin with a time"),
    }
}

/// The closing line of the asset body that a line opens, given what follows its time.
pub(super) fn opened_body(fields: &str) -> Option<&str> {
    let first = fields.split('|').next()?;
    let last = fields.rsplit('|').next()?;
    let tag = last.strip_prefix("--multiline--")?;
    (is_asset_line(first) && !tag.is_empty()).then_some(last)
}

fn is_asset_line(first_key: &str) -> bool {
    let key = first_key.trim();
    is_asset_command(device_and_key(key).map_or(key, |(_, bare)| bare))
}

/// Splits what follows a line's time.
pub(super) fn parse<'t>(text: &'t str, mapping: &'t Mapping) -> Parsed<'t> {
    let fields: Vec<&str> = text.split('|').collect();
    let mut parsed = Parsed::default();
    if let Some(first) = fields.first().filter(|first| is_asset_line(first)) {
        let asset = |key, value| Observation {
            key,
            found: Found::Asset,
            value: Value::One(value),
        };
        let command = first.trim();
        parsed
            .observations
            .push(asset(command, fields.get(1).copied().unwrap_or_default()));
        if let Some(kind) = fields.get(2) {
            parsed.observations.push(asset(kind.trim(), ""));
        }
        return parsed;
    }
    let mut at = 0;
    while let Some(key) = fields.get(at) {
        let key = key.trim();
        let left = fields.get(at + 1..).unwrap_or_default();
        let Some(value) = left.first() else {
            // A separator at the very end of a line that says something is no loss.
            if !(key.is_empty() && at > 0) {
                parsed.rest = Some("a key has no value");
            }
            break;
        };
        let found = mapping.lookup(key);
        let is_condition = matches!(found, Found::Entry(_, entry) if entry.rule == Rule::Condition);
        let taken = match (is_condition, at) {
            (true, 0) => left.len().min(5),
            (true, _) if left.len() >= 5 => 5,
            _ => 1,
        };
        let value = if is_condition {
            Value::Condition(five(left.get(..taken).unwrap_or_default()))
        } else {
            Value::One(value)
        };
        parsed.observations.push(Observation { key, found, value });
        at += 1 + taken;
    }
    parsed
}

fn five<'t>(fields: &[&'t str]) -> [&'t str; 5] {
    let mut all = [""; 5];
    for (slot, field) in all.iter_mut().zip(fields) {
        *slot = field;
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn shown(text: &str) -> (Vec<String>, bool) {
        let mapping = Mapping::builtin();
        let parsed = parse(text, &mapping);
        let one = |o: &Observation<'_>| match o.value {
            Value::One(value) => format!("{}={value}", o.key),
            Value::Condition(fields) => format!("{}={}", o.key, fields.join("/")),
        };
        (
            parsed.observations.iter().map(one).collect(),
            parsed.rest.is_some(),
        )
    }

    #[test]
    fn fields_are_paired_by_what_the_keys_mean() {
        for (text, want, rest) in [
            ("mode|AUTOMATIC", &["mode=AUTOMATIC"][..], false),
            (
                "S1load|1|S2cmd|2|S6load|3",
                &["S1load=1", "S2cmd=2", "S6load=3"],
                false,
            ),
            (
                "system|Fault|1|2|HIGH|hot",
                &["system=Fault/1/2/HIGH/hot"],
                false,
            ),
            ("comms|UNAVAILABLE", &["comms=UNAVAILABLE////"], false),
            ("system|Normal|||", &["system=Normal////"], false),
            (
                "system|Normal||||||avail|AVAILABLE",
                &["system=Normal////", "=avail"],
                true,
            ),
            (
                "system|Normal|||||avail|AVAILABLE",
                &["system=Normal////", "avail=AVAILABLE"],
                false,
            ),
            (
                "mode|X|system|Normal||||",
                &["mode=X", "system=Normal////"],
                false,
            ),
            (
                "mode|X|system|Normal|avail|Y",
                &["mode=X", "system=Normal////", "avail=Y"],
                false,
            ),
            (
                "mode|X|system|Normal",
                &["mode=X", "system=Normal////"],
                false,
            ),
            ("mode|X|line", &["mode=X"], true),
            ("mode|X|", &["mode=X"], false),
            ("mode", &[], true),
            ("", &[], true),
            ("|5", &["=5"], false),
            (" d1:mode |X", &["d1:mode=X"], false),
            (
                "@ASSET@|1.2|CuttingTool|--multiline--A",
                &["@ASSET@=1.2", "CuttingTool="],
                false,
            ),
            (
                "@ASSET@|1.2|Tool|<a b='|'/>|",
                &["@ASSET@=1.2", "Tool="],
                false,
            ),
            ("@REMOVE_ASSET@|1.2", &["@REMOVE_ASSET@=1.2"], false),
            ("@REMOVE_ALL_ASSETS@", &["@REMOVE_ALL_ASSETS@="], false),
        ] {
            let want: Vec<String> = want.iter().map(|w| (*w).to_owned()).collect();
            assert_eq!(shown(text), (want, rest), "{text}");
        }
    }

    #[test]
    fn times_are_read_with_a_duration_and_many_digits() {
        for (text, nanos) in [
            ("1970-01-01T00:00:01Z|a|b", Some(1_000_000_000)),
            ("1970-01-01T00:00:01.1234567Z|a|b", Some(1_123_456_700)),
            ("1970-01-01T00:00:01.123456789012Z|a|b", Some(1_123_456_789)),
            ("1970-01-01T00:00:01Z@1.5|a|b", Some(1_000_000_000)),
            ("1970-01-01T01:00:01+01:00|a|b", Some(1_000_000_000)),
            ("1970-01-01T00:00:01Z", None),
            ("|a|b", None),
            ("0001-01-01T00:00:00Z|a|b", None),
            ("yesterday|a|b", None),
        ] {
            assert_eq!(time_of(text).ok().map(|(t, _)| t.nanos()), nanos, "{text}");
        }
    }

    #[test]
    fn only_asset_commands_open_bodies() {
        for (fields, tag) in [
            (
                "@ASSET@|1|CuttingTool|--multiline--ABCD",
                Some("--multiline--ABCD"),
            ),
            (
                "d1:@ASSET@|1|CuttingTool|--multiline--ABCD",
                Some("--multiline--ABCD"),
            ),
            ("@ASSET@|1|CuttingTool|--multiline--", None),
            ("program_cmt|--multiline--ABCD", None),
            ("@ASSET@|1|CuttingTool|<xml/>", None),
        ] {
            assert_eq!(opened_body(fields), tag, "{fields}");
        }
    }
}
