//! The sources of a plant, and the order of their events in plant time.

use crate::coded;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use werkbuch_model::event::{OrderKey, SourceKind, SourceOpened};
use werkbuch_model::id::{Epoch, Position, SourceNumber};
use werkbuch_model::time::Timestamp;

/// A source as the log opened it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its number in this log; follows the order of opening.
    pub number: SourceNumber,
    /// Its name, without the epoch.
    pub name: Box<str>,
    /// Its life.
    pub epoch: Epoch,
    /// What it is.
    #[serde(with = "coded")]
    pub kind: SourceKind,
    /// How far its clock may lie from its gateway's, in nanoseconds.
    pub tolerance_ns: u64,
    /// The position of the last event that it reported; 0 when it reported none.
    pub last_position: Position,
    /// The earliest plant time, within the bound of the twin, that it reported for; absent when it
    /// reported for none.
    #[serde(with = "coded::nanos_option")]
    pub first_effective_at: Option<Timestamp>,
    /// The latest one.
    #[serde(with = "coded::nanos_option")]
    pub last_effective_at: Option<Timestamp>,
}

/// The sources of a plant in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    /// Notes a source. False when its number is 0 or taken by another.
    pub(crate) fn open(&mut self, opened: &SourceOpened<'_>) -> bool {
        if opened.number.get() == 0 {
            return false;
        }
        let same_name =
            |source: &Source| *source.name == *opened.name && source.epoch == opened.epoch;
        match self.place(opened.number) {
            Ok(at) => self.0.get(at).is_some_and(same_name),
            Err(at) => {
                let source = Source {
                    number: opened.number,
                    name: opened.name.as_ref().into(),
                    epoch: opened.epoch,
                    kind: opened.source_kind,
                    tolerance_ns: opened.tolerance_ns,
                    last_position: Position(0),
                    first_effective_at: None,
                    last_effective_at: None,
                };
                self.0.insert(at, source);
                true
            }
        }
    }

    /// Notes a source that another twin of the log knows; it has reported nothing here.
    pub(crate) fn learn(&mut self, source: &Source) {
        if let Err(at) = self.place(source.number) {
            let mut source = source.clone();
            source.last_position = Position(0);
            source.first_effective_at = None;
            source.last_effective_at = None;
            self.0.insert(at, source);
        }
    }

    /// Puts a source as it stands now in the place of what was known of it.
    pub(crate) fn put(&mut self, source: Source) {
        match self.place(source.number) {
            Ok(at) => {
                if let Some(held) = self.0.get_mut(at) {
                    *held = source;
                }
            }
            Err(at) => self.0.insert(at, source),
        }
    }

    /// The source with this number.
    pub(crate) fn get(&self, number: SourceNumber) -> Option<&Source> {
        self.0.get(self.place(number).ok()?)
    }

    /// Notes that a source reported an event, and for when where that is within the twin's bound.
    pub(crate) fn reported(
        &mut self,
        number: SourceNumber,
        position: Position,
        effective_at: Option<Timestamp>,
    ) {
        if let Ok(at) = self.place(number)
            && let Some(source) = self.0.get_mut(at)
        {
            source.last_position = source.last_position.max(position);
            if let Some(time) = effective_at {
                let first = source.first_effective_at.unwrap_or(time);
                source.first_effective_at = Some(first.min(time));
                source.last_effective_at = source.last_effective_at.max(Some(time));
            }
        }
    }

    /// All sources in the order of their numbers.
    pub(crate) fn all(&self) -> &[Source] {
        &self.0
    }

    /// The order of two events in plant time: effective time, then source by name and epoch, then
    /// sequence. Numbers of sources follow arrival, so they only tell whether it is the same one.
    pub(crate) fn compare(&self, a: &OrderKey, b: &OrderKey) -> Ordering {
        a.effective_at
            .cmp(&b.effective_at)
            .then_with(|| {
                if a.source == b.source {
                    Ordering::Equal
                } else {
                    self.identity(a.source).cmp(&self.identity(b.source))
                }
            })
            .then_with(|| a.sequence.cmp(&b.sequence))
    }

    /// Whether the table is sorted, so that looking up works.
    pub(crate) fn is_sound(&self) -> bool {
        self.0.is_sorted_by(|a, b| a.number < b.number)
            && self.0.iter().all(|source| source.number.get() != 0)
    }

    fn identity(&self, number: SourceNumber) -> (&str, Epoch) {
        self.get(number)
            .map_or(("", Epoch(0)), |source| (&source.name, source.epoch))
    }

    /// Numbers are given without gaps from 1, so the place is nearly always known at once.
    fn place(&self, number: SourceNumber) -> Result<usize, usize> {
        let guess = (number.get() as usize).wrapping_sub(1);
        match self.0.get(guess) {
            Some(source) if source.number == number => Ok(guess),
            _ => self.0.binary_search_by_key(&number, |source| source.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_model::id::Sequence;

    fn opened(number: u32, name: &str, epoch: u32) -> SourceOpened<'_> {
        SourceOpened {
            number: SourceNumber(number),
            name: name.into(),
            epoch: Epoch(epoch),
            ..SourceOpened::default()
        }
    }

    fn key(at: i64, source: u32, sequence: u64) -> OrderKey {
        OrderKey {
            effective_at: Timestamp(at),
            source: SourceNumber(source),
            sequence: Sequence(sequence),
        }
    }

    #[test]
    fn equal_times_are_told_apart_by_name_epoch_and_sequence() {
        let mut sources = Sources::default();
        for (number, name, epoch) in [(1, "z", 1), (2, "a", 2), (3, "a", 1), (4, "a", 10)] {
            assert!(sources.open(&opened(number, name, epoch)));
        }
        for (less, greater) in [
            (key(1, 1, 9), key(2, 2, 1)),
            (key(1, 2, 9), key(1, 1, 1)),
            (key(1, 3, 9), key(1, 2, 1)),
            (key(1, 2, 9), key(1, 4, 1)),
            (key(1, 1, 1), key(1, 1, 2)),
        ] {
            assert_eq!(sources.compare(&less, &greater), Ordering::Less);
            assert_eq!(sources.compare(&greater, &less), Ordering::Greater);
        }
        assert_eq!(
            sources.compare(&key(1, 1, 1), &key(1, 1, 1)),
            Ordering::Equal
        );
    }

    #[test]
    fn a_number_is_given_once() {
        let mut sources = Sources::default();
        assert!(!sources.open(&opened(0, "a", 1)));
        assert!(sources.open(&opened(7, "a", 1)));
        assert!(sources.open(&opened(7, "a", 1)));
        assert!(!sources.open(&opened(7, "a", 2)));
        assert!(sources.open(&opened(2, "a", 2)));
        assert!(sources.is_sound());
        assert_eq!(
            sources.get(SourceNumber(7)).map(|s| s.epoch),
            Some(Epoch(1))
        );
        assert_eq!(sources.get(SourceNumber(1)), None);
    }

    #[test]
    fn a_source_is_heard_for_the_times_within_the_bound() {
        let mut sources = Sources::default();
        assert!(sources.open(&opened(1, "a", 1)));
        let heard = |sources: &Sources| {
            let one = sources.get(SourceNumber(1)).unwrap();
            (
                one.last_position.get(),
                one.first_effective_at.map(Timestamp::nanos),
                one.last_effective_at.map(Timestamp::nanos),
            )
        };
        assert_eq!(heard(&sources), (0, None, None));
        for (position, time, expected) in [
            (2, Some(50), (2, Some(50), Some(50))),
            // One that is late does not make the source heard later.
            (3, Some(20), (3, Some(20), Some(50))),
            (4, None, (4, Some(20), Some(50))),
            (5, Some(70), (5, Some(20), Some(70))),
        ] {
            sources.reported(SourceNumber(1), Position(position), time.map(Timestamp));
            assert_eq!(heard(&sources), expected, "{position}");
        }
    }
}
