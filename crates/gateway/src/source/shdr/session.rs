//! Tells where a recorder started anew inside one file.

use super::TOLERANCE_NS;
use super::parse::parse;
use crate::source::mapping::Mapping;
use std::collections::BTreeSet;
use werkbuch_model::time::Timestamp;

/// The opening is kept up to so many bytes of text; a snapshot is a few kilobytes.
const OPENING_BYTES_MAX: usize = 1024 * 1024;

/// The opening of the present session, and the line before.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    lines: BTreeSet<String>,
    bytes: usize,
    keys: BTreeSet<String>,
    growing: bool,
    highest: Timestamp,
    before: Option<Timestamp>,
}

impl Sessions {
    /// Takes the next line with a time; says whether it begins a session.
    pub(super) fn begins(
        &mut self,
        time: Timestamp,
        text: &str,
        at: usize,
        mapping: &Mapping,
    ) -> bool {
        let begins = match self.before.replace(time) {
            None => true,
            Some(before) => time < before && self.lines.contains(text),
        };
        if begins {
            *self = Self {
                growing: true,
                highest: time,
                before: self.before,
                ..Self::default()
            };
        }
        if self.growing {
            self.growing = self.grow(time, text, at, mapping);
            if !self.growing {
                self.keys = BTreeSet::new();
            }
        }
        begins
    }

    /// Adds a line to the opening, unless it lies behind the opening's end.
    fn grow(&mut self, time: Timestamp, text: &str, at: usize, mapping: &Mapping) -> bool {
        let behind = self.highest.since(time) > TOLERANCE_NS;
        let full = self.bytes + text.len() > OPENING_BYTES_MAX;
        if behind || full {
            return false;
        }
        let parsed = parse(text.get(at..).unwrap_or_default(), mapping);
        let keys = parsed
            .observations
            .iter()
            .map(|observation| observation.key);
        if keys.clone().any(|key| self.keys.contains(key)) {
            return false;
        }
        self.keys.extend(keys.map(str::to_owned));
        self.bytes += text.len();
        self.highest = self.highest.max(time);
        self.lines.insert(text.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::parse::time_of;
    use super::*;

    /// The lines that begin a session, from 1.
    fn begun(lines: &[&str]) -> Vec<usize> {
        let (mapping, mut sessions) = (Mapping::builtin(), Sessions::default());
        let mut found = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let (time, at) = time_of(line).unwrap();
            if sessions.begins(time, line, at, &mapping) {
                found.push(number + 1);
            }
        }
        found
    }

    #[test]
    fn a_repeated_snapshot_begins_a_session() {
        let a = "2017-01-01T00:00:00Z|avail|AVAILABLE";
        let b = "2017-01-02T00:00:00Z|mode|MANUAL";
        let c = "2017-01-03T00:00:00Z|mode|AUTOMATIC";
        let d = "2017-01-03T00:00:01Z|execution|READY";
        for (lines, want) in [
            (&[a, b, c, d][..], &[1][..]),
            (&[a, b, c, a, b, c], &[1, 4]),
            // c has a key that had come before, so it is not of the opening.
            (&[a, b, c, d, c], &[1]),
            // A repeat that is not earlier than the line before it is a repeat and no start.
            (&[a, a, b, b], &[1]),
            // Equal but for its time is no repeat.
            (&[a, b, c, "2017-01-01T00:00:01Z|avail|AVAILABLE"], &[1]),
            // The second line of the snapshot alone tells, too.
            (&[a, b, c, b, d], &[1, 4]),
        ] {
            assert_eq!(begun(lines), want, "{lines:?}");
        }
    }

    #[test]
    fn a_step_back_beyond_the_tolerance_ends_the_opening() {
        let first = "2017-01-09T00:00:00Z|avail|AVAILABLE";
        let back = "2017-01-01T00:00:00Z|mode|MANUAL";
        let next = "2017-01-09T00:00:01Z|line|1";
        assert_eq!(begun(&[first, back, next, back]), [1]);
        assert_eq!(begun(&[first, next, next, first]), [1, 4]);
    }
}
