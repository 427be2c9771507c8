//! The short words of plant files for levels, vocabularies and aspects.

use super::spec::Level;
use crate::event::{AspectKind, Vocabulary};

/// Short words beside the full names of the enumerations; the first of a value is written.
const LEVELS: [(&str, Level); 6] = [
    ("line", Level::ProductionLine),
    ("cell", Level::WorkCell),
    ("center", Level::WorkCenter),
    ("centre", Level::WorkCenter),
    ("work_centre", Level::WorkCenter),
    ("zone", Level::StorageZone),
];

const VOCABULARIES: [(&str, Vocabulary); 3] = [
    ("mtconnect", Vocabulary::MtconnectExecution),
    ("packml", Vocabulary::PackmlState),
    ("machinery", Vocabulary::MachineryItemState),
];

/// One word stands for the three aspects of an alarm: who has the say about its coming has it
/// about its going.
const ALARM: &str = "alarm";

/// A level by its short word or full name, in any case, with blanks or hyphens for underscores.
pub(super) fn level(word: &str) -> Option<Level> {
    let word = word.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    find(&LEVELS, &word).or_else(|| Level::from_name(&word))
}

pub(super) fn level_word(level: Level) -> String {
    word_of(&LEVELS, level).unwrap_or_else(|| level.name().to_ascii_lowercase())
}

pub(super) fn level_words() -> Vec<String> {
    let all = Level::ALL.iter().filter(|l| **l != Level::Unspecified);
    all.map(|level| level_word(*level)).collect()
}

/// A vocabulary by its short word or full name, in any case.
pub(super) fn vocabulary(word: &str) -> Option<Vocabulary> {
    let word = word.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    find(&VOCABULARIES, &word).or_else(|| Vocabulary::from_name(&word))
}

pub(super) fn vocabulary_word(vocabulary: Vocabulary) -> String {
    word_of(&VOCABULARIES, vocabulary).unwrap_or_else(|| vocabulary.name().to_ascii_lowercase())
}

pub(super) fn vocabulary_words() -> Vec<String> {
    let all = Vocabulary::ALL
        .iter()
        .filter(|v| **v != Vocabulary::Unspecified);
    all.map(|vocabulary| vocabulary_word(*vocabulary)).collect()
}

/// An aspect by its word; `*` is every aspect.
pub(super) fn aspect(word: &str) -> Option<AspectKind> {
    match word.trim().to_ascii_lowercase().as_str() {
        "*" => Some(AspectKind::Unspecified),
        ALARM => Some(AspectKind::AlarmRaise),
        other => AspectKind::from_name(other)
            .filter(|kind| *kind != AspectKind::Unspecified && family(*kind) == *kind)
            .filter(|kind| *kind != AspectKind::AlarmRaise),
    }
}

pub(super) fn aspect_word(aspect: AspectKind) -> String {
    match family(aspect) {
        AspectKind::Unspecified => "*".to_owned(),
        AspectKind::AlarmRaise => ALARM.to_owned(),
        other => other.name().to_ascii_lowercase(),
    }
}

pub(super) fn aspect_words() -> Vec<String> {
    let kinds = AspectKind::ALL
        .iter()
        .filter(|kind| family(**kind) == **kind);
    kinds.map(|kind| aspect_word(*kind)).collect()
}

/// The aspect under which an authority is declared: the three of alarms share one.
pub(super) fn family(aspect: AspectKind) -> AspectKind {
    match aspect {
        AspectKind::AlarmAcknowledge | AspectKind::AlarmClear => AspectKind::AlarmRaise,
        other => other,
    }
}

fn find<T: Copy>(words: &[(&str, T)], wanted: &str) -> Option<T> {
    let mut words = words.iter();
    words
        .find(|(word, _)| *word == wanted)
        .map(|(_, value)| *value)
}

fn word_of<T: PartialEq>(words: &[(&str, T)], wanted: T) -> Option<String> {
    let mut words = words.iter();
    words
        .find(|(_, value)| *value == wanted)
        .map(|(word, _)| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_reads_back_from_its_word() {
        for value in Level::ALL {
            assert_eq!(level(&level_word(*value)), Some(*value));
            assert_eq!(level(value.name()), Some(*value));
        }
        for value in Vocabulary::ALL {
            assert_eq!(vocabulary(&vocabulary_word(*value)), Some(*value));
            assert_eq!(vocabulary(value.name()), Some(*value));
        }
        for value in AspectKind::ALL {
            assert_eq!(aspect(&aspect_word(*value)), Some(family(*value)));
        }
    }

    #[test]
    fn short_words_are_taken_and_strangers_are_not() {
        assert_eq!(level("Production Line"), Some(Level::ProductionLine));
        assert_eq!(level("work-cell"), Some(Level::WorkCell));
        assert_eq!(level("CELL"), Some(Level::WorkCell));
        assert_eq!(level("hall"), None);
        assert_eq!(
            vocabulary("MTConnect"),
            Some(Vocabulary::MtconnectExecution)
        );
        assert_eq!(vocabulary("latin"), None);
        assert_eq!(aspect("Alarm"), Some(AspectKind::AlarmRaise));
        for word in ["alarm_raise", "alarm_clear", "none", "", "colour"] {
            assert_eq!(aspect(word), None, "{word}");
        }
    }
}
