//! A first look through a file: which sources, machines and corrected events it speaks of.

use super::line::{Entry, Identity};
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::id::{Epoch, SourceName};
use werkbuch_model::time::Timestamp;

/// One life of a source, as a file shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceSeen {
    /// How many events are of it.
    pub events: u64,
    /// Its greatest number.
    pub last: u64,
    /// How often its numbers do not follow each other.
    pub holes: u64,
    /// How far its clock may lie from its gateway's, in nanoseconds, where the file says it.
    pub tolerance_ns: Option<u64>,
    /// Whether it reported live.
    pub is_live: bool,
}

/// What a file speaks of.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The sources with their lives, in order.
    pub sources: BTreeMap<(SourceName, Epoch), SourceSeen>,
    /// The names (or numbers) of machines.
    pub machines: BTreeSet<String>,
    /// The events that corrections of the file correct.
    pub corrected: BTreeSet<Identity>,
    /// The logs of which lines are.
    pub logs: BTreeSet<String>,
    /// The time of the first event.
    pub first_time: Option<Timestamp>,
}

impl Survey {
    /// Takes in an event.
    pub fn note(&mut self, entry: &Entry) {
        self.first_time.get_or_insert(entry.occurred_at);
        self.machines.extend(entry.machine.clone());
        self.corrected.extend(entry.corrects.iter().cloned());
        let recording = entry.recording.clone().unwrap_or_default();
        if !recording.log.is_empty() {
            self.logs.insert(recording.log);
        }
        let Some(identity) = &entry.identity else {
            return;
        };
        let key = (identity.source.clone(), identity.epoch);
        let seen = self.sources.entry(key).or_default();
        let sequence = identity.sequence.get();
        seen.holes += u64::from(sequence != seen.last.saturating_add(1));
        seen.events += 1;
        seen.last = seen.last.max(sequence);
        seen.tolerance_ns = seen.tolerance_ns.or(recording.tolerance_ns);
        seen.is_live = recording.is_live || entry.recording.is_none();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::jsonl::{Line, parse};

    #[test]
    fn a_file_is_known_by_one_look() {
        let mut survey = Survey::default();
        for sequence in [1, 2, 5, 6] {
            let text = format!(
                r#"{{"source":"g","epoch":1,"sequence":{sequence},"machine":"m{}","time":"1970-01-01T00:00:01Z",
                "kind":"STATE_CHANGED","fields":{{"to":"HELD"}},
                "recorded":{{"log":"ab","tolerance_ns":7,"source_kind":"LIVE"}}}}"#,
                sequence % 2
            );
            let Line::Event(entry) = parse(&text).unwrap() else {
                unreachable!();
            };
            survey.note(&entry);
        }
        let seen = survey.sources.values().next().unwrap();
        let expected = SourceSeen {
            events: 4,
            last: 6,
            holes: 1,
            tolerance_ns: Some(7),
            is_live: true,
        };
        assert_eq!((seen, survey.sources.len()), (&expected, 1));
        assert_eq!(survey.machines.len(), 2);
        assert!(survey.logs.contains("ab") && survey.corrected.is_empty());
    }
}
