//! Timelines as rows and as JSON, and how each state looks in drawings.

use super::inferred;
use super::machine::{mode, provenance, state};
use crate::command::time;
use crate::when;
use serde_json::{Value, json};
use werkbuch_wire::pb;

/// The columns of intervals.
pub(crate) const COLUMNS: [&str; 14] = [
    "machine", "begin", "end", "duration", "state", "native", "reason", "mode", "program", "order",
    "alarms", "cycles", "parts", "note",
];

/// The columns of buckets.
pub(crate) const BUCKET_COLUMNS: [&str; 9] = [
    "machine",
    "bucket",
    "begin",
    "end",
    "dominant",
    "worst",
    "shares",
    "uncovered",
    "inferred",
];

/// The tone of a state in drawings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    None,
    Run,
    Ready,
    Wait,
    Planned,
    Down,
    Dim,
}

impl Tone {
    /// What makes a terminal go on in this tone.
    pub(crate) fn escape(self) -> &'static str {
        match self {
            Self::None => "\x1b[0m",
            Self::Run => "\x1b[32m",
            Self::Ready => "\x1b[36m",
            Self::Wait => "\x1b[33m",
            Self::Planned => "\x1b[34m",
            Self::Down => "\x1b[31m",
            Self::Dim => "\x1b[90m",
        }
    }

    /// The class in a drawing.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Run => "run",
            Self::Ready => "ready",
            Self::Wait => "wait",
            Self::Planned => "planned",
            Self::Down => "down",
            Self::Dim => "dim",
        }
    }
}

/// The states as drawings show them, in the order of their legend: each has a glyph of its own.
pub(crate) const STATES: [(pb::State, char, Tone); 14] = [
    (pb::State::Executing, '\u{2588}', Tone::Run),
    (pb::State::Starting, '^', Tone::Run),
    (pb::State::Finishing, 'v', Tone::Run),
    (pb::State::Idle, '\u{b7}', Tone::Ready),
    (pb::State::Starved, 's', Tone::Wait),
    (pb::State::Blocked, 'b', Tone::Wait),
    (pb::State::Waiting, 'w', Tone::Wait),
    (pb::State::Held, 'H', Tone::Wait),
    (pb::State::Stopped, 'S', Tone::Down),
    (pb::State::Faulted, 'F', Tone::Down),
    (pb::State::Setup, 'U', Tone::Planned),
    (pb::State::Maintenance, 'M', Tone::Planned),
    (pb::State::Unavailable, '-', Tone::Dim),
    (pb::State::Unknown, '?', Tone::Dim),
];

/// The glyph and the tone of a state; a blank for none.
pub(crate) fn look(state: i32) -> (char, Tone) {
    let found = STATES.iter().find(|(one, ..)| *one as i32 == state);
    found.map_or((' ', Tone::None), |(_, glyph, tone)| (*glyph, *tone))
}

/// A duration as people say it: `3h 12m`, `4m 05s`, `41.5s`, `250ms`.
pub(crate) fn spelt(nanos: u64) -> String {
    let seconds = nanos / 1_000_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match nanos {
        0..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}us", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{}ms", nanos / 1_000_000),
        _ if minutes == 0 => {
            let tenths = (nanos + 50_000_000) / 100_000_000;
            format!("{}.{}s", tenths / 10, tenths % 10)
        }
        _ if hours == 0 => format!("{minutes}m {:02}s", seconds % 60),
        _ if days == 0 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// A share in percent with one digit behind the point. What is there at all is not shown as nothing, and
/// what is not all is not shown as all.
pub(crate) fn percent(part: u64, all: u64) -> String {
    if all == 0 {
        return String::new();
    }
    let exact = (u128::from(part) * 1_000 + u128::from(all) / 2) / u128::from(all);
    let shown = match part {
        0 => 0,
        part if part >= all => 1_000,
        _ => exact.clamp(1, 999),
    };
    format!("{}.{}%", shown / 10, shown % 10)
}

/// A name that stands for nothing is left out.
fn said(name: &'static str) -> &'static str {
    if name == "UNSPECIFIED" { "" } else { name }
}

/// An interval as a row and as JSON.
pub(crate) fn interval(machine: &str, one: &pb::TimelineInterval) -> (Vec<String>, Value) {
    let length = one.end.saturating_sub(one.begin);
    let number = |count: u64| match count {
        0 => String::new(),
        count => count.to_string(),
    };
    let counts = [
        ("", one.parts),
        ("good ", one.good),
        ("scrap ", one.scrap),
        ("rework ", one.rework),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(what, count)| format!("{what}{count}"))
        .collect();
    let notes = [("uncovered", one.uncovered), ("open", one.open)];
    let notes = notes
        .iter()
        .filter(|(_, holds)| *holds)
        .map(|(note, _)| *note);
    let cells = vec![
        machine.to_owned(),
        when::shown(Some(one.begin)),
        when::shown(Some(one.end)),
        spelt(u64::try_from(length).unwrap_or(0)),
        said(state(one.state)).to_owned(),
        one.native_state.clone(),
        one.reason.clone(),
        said(mode(one.mode)).to_owned(),
        one.program.clone().unwrap_or_default(),
        one.order.clone(),
        number(u64::from(one.alarms_size)),
        number(one.cycles),
        counts.join(", "),
        notes
            .map(str::to_owned)
            .chain(one.waits.iter().filter_map(cause_of))
            .collect::<Vec<_>>()
            .join(", "),
    ];
    let item = json!({
        "machine": machine,
        "begin": time(Some(one.begin)),
        "end": time(Some(one.end)),
        "duration_ns": length,
        "open": one.open,
        "covered": !one.uncovered,
        "state": state(one.state),
        "reported_state": state(one.reported_state),
        "native_state": one.native_state,
        "reason": one.reason,
        "since": time(one.since),
        "position": one.position,
        "mode": mode(one.mode),
        "program": one.program,
        "order": one.order,
        "alarms": one.alarms,
        "alarms_total": one.alarms_size,
        "cycles": one.cycles,
        "waits": one.waits.iter().map(wait).collect::<Vec<_>>(),
        "parts": { "all": one.parts, "good": one.good, "scrap": one.scrap, "rework": one.rework },
    });
    (cells, item)
}

/// Why a machine waited, where that is inferred: `starved 3m 20s: buffer b-12 is empty`.
fn cause_of(wait: &pb::TimelineWait) -> Option<String> {
    let cause = wait.cause.as_ref()?;
    if cause.provenance() != pb::Provenance::Inferred {
        return None;
    }
    let length = u64::try_from(wait.end.saturating_sub(wait.begin)).unwrap_or(0);
    let state = state(cause.state).to_ascii_lowercase();
    Some(format!("{state} {}: {}", spelt(length), cause.because))
}

fn wait(wait: &pb::TimelineWait) -> Value {
    let cause = wait.cause.clone().unwrap_or_default();
    json!({
        "begin": time(Some(wait.begin)),
        "end": time(Some(wait.end)),
        "state": state(cause.state),
        "provenance": provenance(&cause),
        "because": cause.because,
    })
}

/// A bucket, with its begin and end, as a row and as JSON.
pub(crate) fn bucket(
    machine: &str,
    (begin, end): (i64, i64),
    one: &pb::TimelineBucket,
) -> (Vec<String>, Value) {
    let share =
        |share: &pb::TimelineShare| format!("{} {}", state(share.state), spelt(share.duration_ns));
    let shares: Vec<String> = one.shares.iter().map(share).collect();
    let cells = vec![
        machine.to_owned(),
        one.bucket.to_string(),
        when::shown(Some(begin)),
        when::shown(Some(end)),
        said(state(one.dominant)).to_owned(),
        said(state(one.worst)).to_owned(),
        shares.join(", "),
        match one.uncovered_ns {
            0 => String::new(),
            nanos => spelt(nanos),
        },
        inferred::cell(one),
    ];
    let shares = one.shares.iter();
    let shares = shares.map(|share| (state(share.state).to_owned(), json!(share.duration_ns)));
    let item = json!({
        "machine": machine,
        "bucket": one.bucket,
        "begin": time(Some(begin)),
        "end": time(Some(end)),
        "dominant": state(one.dominant),
        "worst": state(one.worst),
        "shares_ns": Value::Object(shares.collect()),
        "uncovered_ns": one.uncovered_ns,
        "inferred": one.inferred.iter().map(inferred::part).collect::<Vec<_>>(),
    });
    (cells, item)
}

/// The sum of a state as JSON.
pub(crate) fn sum(sum: &pb::TimelineSum) -> Value {
    json!({
        "state": state(sum.state),
        "duration_ns": sum.duration_ns,
        "stays": sum.stays,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_shares_are_spelt_as_people_say_them() {
        for (nanos, shown) in [
            (7, "7ns"),
            (12_999, "12us"),
            (1_000_000, "1ms"),
            (41_450_000_000, "41.5s"),
            (245_000_000_000, "4m 05s"),
            (11_520_000_000_000, "3h 12m"),
            (93_600_000_000_000, "1d 02h"),
        ] {
            assert_eq!(spelt(nanos), shown);
        }
        for (part, all, shown) in [
            (0, 5, "0.0%"),
            (1, 1_000_000, "0.1%"),
            (999_999, 1_000_000, "99.9%"),
            (1, 3, "33.3%"),
            (5, 5, "100.0%"),
            (0, 0, ""),
        ] {
            assert_eq!(percent(part, all), shown);
        }
    }

    #[test]
    fn rows_have_a_cell_for_each_column_and_states_a_glyph_of_their_own() {
        let (row, _) = interval("m", &pb::TimelineInterval::default());
        assert_eq!(row.len(), COLUMNS.len());
        let (row, _) = bucket("m", (0, 1), &pb::TimelineBucket::default());
        assert_eq!(row.len(), BUCKET_COLUMNS.len());
        let mut glyphs: Vec<char> = STATES.iter().map(|(_, glyph, _)| *glyph).collect();
        glyphs.sort_unstable();
        glyphs.dedup();
        // All but that which is not said.
        assert_eq!(glyphs.len() + 1, werkbuch_model::event::State::ALL.len());
    }
}
