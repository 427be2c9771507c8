//! Reads the values of one object: names, words, durations, times of day.

pub(super) use super::super::reader::clipped;
use super::super::reader::{At, Reader, Spot, Table};
use crate::event::{NAME_TEXT_BYTES_MAX, PartMeaning};
use crate::id::{ElementId, NameError, PlantId, SourceName};
use crate::plant::spec::*;
use std::collections::BTreeSet;

/// How many entries a list in an object may have.
pub(super) const LIST_MAX: usize = 64;
/// The longest duration of a description: a hundred years, so that sums stay small.
const DURATION_MS_MAX: u64 = 100 * 366 * 86_400 * 1_000;

/// The values of one object.
pub(super) struct Values<'a, 'r, 't> {
    pub(super) reader: &'r mut Reader<'t>,
    pub(super) table: Table<'a>,
    pub(super) misspelled: &'r mut BTreeSet<String>,
}

/// A fieldless enum that files name by its words.
pub(super) trait Word: Sized + Copy + PartialEq + 'static {
    const KIND: &'static str;
    const ALL: &'static [Self];
    const NOT_SAID: Self;
    fn name(self) -> &'static str;
}

macro_rules! words {
    ($($kind:ident $word:literal,)+) => {$(
        impl Word for $kind {
            const KIND: &'static str = $word;
            const ALL: &'static [Self] = $kind::ALL;
            const NOT_SAID: Self = $kind::Unspecified;
            fn name(self) -> &'static str { $kind::name(self) }
        }
    )+};
}

words! {
    FlowRole "role",
    StopEffect "stop effect",
    Transfer "transfer",
    BufferKind "kind of buffer",
    FlowKind "kind of flow",
    StopKind "kind of stop group",
    CarrierKind "kind of carrier",
    CrewKind "kind of crew",
    FeedKind "kind of feed",
    BoundaryKind "kind of boundary",
    Release "release",
    ExceptionKind "kind of exception",
    PartMeaning "meaning",
}

impl<'a> Values<'a, '_, '_> {
    pub(super) fn only(&mut self, known: &[&str]) {
        self.reader.only(&self.table, known);
    }

    /// The plant's name.
    pub(super) fn plant_id(&mut self) -> Option<PlantId> {
        let text = self.reader.required(&self.table, "id", "\"PLT-07\"")?;
        self.named(text, PlantId::new)
    }

    /// The id of the object; one that is no name is a mistake and remembered as misspelled.
    pub(super) fn id(&mut self, example: &str) -> Option<ElementId> {
        let text = self.reader.required(&self.table, "id", example)?;
        let value = self.named(text, ElementId::new);
        if value.is_none() {
            self.misspelled.insert(text.value.to_owned());
        }
        value
    }

    /// The name of another object, which must be there.
    pub(super) fn must_refer(&mut self, key: &str, example: &str) -> Option<ElementId> {
        let text = self.reader.required(&self.table, key, example)?;
        self.named(text, ElementId::new)
    }

    /// The name of another object, if it is there.
    pub(super) fn reference(&mut self, key: &str) -> Option<ElementId> {
        let text = self.reader.text(&self.table, key)?;
        self.named(text, ElementId::new)
    }

    /// The names of other objects, in their order; one alone may stand without brackets.
    pub(super) fn references(&mut self, key: &str) -> Vec<ElementId> {
        let texts = self.list(key, true);
        texts
            .into_iter()
            .filter_map(|text| self.named(text, ElementId::new))
            .collect()
    }

    pub(super) fn named<N>(
        &mut self,
        text: At<&'a str>,
        new: impl Fn(&'a str) -> Result<N, NameError>,
    ) -> Option<N> {
        let name = new(text.value);
        if let Err(error) = &name {
            self.reader.mistake(text.at, error.to_string(), "");
        }
        name.ok()
    }

    /// A full name or a type: free text of a bounded length, empty when it is not there.
    pub(super) fn short(&mut self, key: &str) -> String {
        let text = self.reader.text(&self.table, key);
        text.map(|text| self.bounded(key, text)).unwrap_or_default()
    }

    /// A text that must be there and not be empty.
    pub(super) fn must_say(&mut self, key: &str, example: &str) -> Option<String> {
        let text = self.reader.required(&self.table, key, example)?;
        if text.value.is_empty() {
            let what = format!("{key} of {} is empty", self.table.kind);
            self.reader
                .mistake(text.at, what, format!("such as {example}"));
        }
        Some(self.bounded(key, text))
    }

    /// Free texts of a bounded length.
    pub(super) fn shorts(&mut self, key: &str) -> Vec<String> {
        let texts = self.list(key, true);
        texts
            .into_iter()
            .map(|text| self.bounded(key, text))
            .collect()
    }

    fn bounded(&mut self, key: &str, text: At<&str>) -> String {
        if text.value.len() > NAME_TEXT_BYTES_MAX {
            let what = format!("{key} has {} bytes", text.value.len());
            let hint = format!("the limit is {NAME_TEXT_BYTES_MAX}");
            self.reader.mistake(text.at, what, hint);
        }
        if let Some(found) = text.value.chars().find(|one| one.is_control()) {
            let what = format!("{key} holds the control character {found:?}");
            let hint = "write it on one line, without tabs and escapes";
            self.reader.mistake(text.at, what, hint);
        }
        text.value.to_owned()
    }

    /// A list of at most [`LIST_MAX`] texts.
    pub(super) fn list(&mut self, key: &str, single: bool) -> Vec<At<&'a str>> {
        let texts = self
            .reader
            .texts(&self.table, key, single)
            .unwrap_or_default();
        if texts.len() > LIST_MAX {
            let what = format!("{key} has {} entries", texts.len());
            let hint = format!("the limit is {LIST_MAX}");
            self.reader.mistake(self.table.spot(key), what, hint);
        }
        texts
    }

    /// One of the words of an enum; its default when it is not there.
    pub(super) fn word<T: Word>(&mut self, key: &str) -> T {
        let Some(text) = self.reader.text(&self.table, key) else {
            return T::NOT_SAID;
        };
        let wanted = text.value.trim().replace([' ', '-'], "_");
        let known = || T::ALL.iter().copied().filter(|one| *one != T::NOT_SAID);
        if let Some(found) = known().find(|one| one.name().eq_ignore_ascii_case(&wanted)) {
            return found;
        }
        let words: Vec<String> = known().map(|one| one.name().to_ascii_lowercase()).collect();
        self.unknown_word(text, T::KIND, &words);
        T::NOT_SAID
    }

    /// One of the words of an enum, which must be there.
    pub(super) fn must_choose<T: Word>(&mut self, key: &str, example: &str) -> T {
        self.reader.must_have(&self.table, key, example);
        self.word(key)
    }

    pub(super) fn unknown_word(&mut self, word: At<&str>, kind: &str, words: &[String]) {
        let what = format!("unknown {kind} \"{}\"", clipped(word.value, 64));
        let known = words.iter().map(String::as_str);
        let otherwise = format!("known are {}", words.join(", "));
        self.reader
            .unknown(word.at, what, word.value, known, otherwise);
    }

    /// A number from 1 to `max`, `otherwise` when it is not there.
    pub(super) fn count(&mut self, key: &str, otherwise: u32, max: u32) -> u32 {
        let Some(number) = self.reader.number(&self.table, key, max) else {
            return otherwise;
        };
        if number.value == 0 {
            self.reader
                .mistake(number.at, format!("{key} is 0"), format!("from 1 to {max}"));
        }
        number.value
    }

    /// A duration given as `<bare>_ms` or `<bare>_s`, in milliseconds.
    pub(super) fn duration(&mut self, bare: &str) -> Option<u64> {
        let (ms, s) = match bare {
            "" => ("ms".to_owned(), "s".to_owned()),
            bare => (format!("{bare}_ms"), format!("{bare}_s")),
        };
        if self.table.has(&ms) && self.table.has(&s) {
            let what = format!("{} has both {s} and {ms}", self.table.kind);
            self.reader
                .mistake(self.table.spot(&ms), what, "leave one out");
            return None;
        }
        let (key, found, factor) = match self.table.has(&s) {
            true => (s.clone(), self.reader.decimal(&self.table, &s)?, 1_000),
            false => (ms.clone(), self.reader.decimal(&self.table, &ms)?, 1),
        };
        let millionths = found.value.millionths().checked_mul(factor);
        let millis = millionths.filter(|millis| millis % 1_000_000 == 0);
        let millis = millis.map(|millis| millis / 1_000_000);
        let fits = millis.filter(|millis| *millis <= DURATION_MS_MAX);
        if fits.is_none() {
            let what = format!("{key} = {} is out of range", found.value);
            let hint = "whole milliseconds, at most a hundred years";
            self.reader.mistake(found.at, what, hint);
        }
        fits
    }

    /// A duration that is longer than nothing.
    pub(super) fn pace(&mut self, bare: &str) -> Option<u64> {
        let found = self.duration(bare);
        if found == Some(0) {
            let [s, ms] = [format!("{bare}_s"), format!("{bare}_ms")];
            let key = if self.table.has(&s) { s } else { ms };
            let hint = "leave it out where there is none";
            self.reader
                .mistake(self.table.spot(&key), format!("{key} is 0"), hint);
        }
        found
    }

    /// A duration that must be there.
    pub(super) fn must_last(&mut self, bare: &str, example: &str) -> u64 {
        let keys = match bare {
            "" => ["ms".to_owned(), "s".to_owned()],
            bare => [format!("{bare}_ms"), format!("{bare}_s")],
        };
        if !keys.iter().any(|key| self.table.has(key)) {
            let [_, s] = keys;
            self.reader.must_have(&self.table, &s, example);
        }
        self.duration(bare).unwrap_or_default()
    }

    /// A share from 0 to 1.
    pub(super) fn share(&mut self, key: &str) -> Option<Decimal> {
        let found = self.reader.decimal(&self.table, key)?;
        if found.value > Decimal::ONE {
            let what = format!("{key} = {} is more than all", found.value);
            self.reader
                .mistake(found.at, what, "a share is from 0 to 1: write 0.05 for 5 %");
        }
        Some(found.value)
    }

    pub(super) fn time_of_day(&mut self, key: &str) -> Option<TimeOfDay> {
        let text = self.reader.text(&self.table, key)?;
        let time = TimeOfDay::parse(text.value);
        if time.is_none() {
            let what = format!("{key} = \"{}\" is no time of day", clipped(text.value, 24));
            self.reader.mistake(text.at, what, "write it as \"06:00\"");
        }
        time
    }

    /// A time of day that must be there.
    pub(super) fn must_begin(&mut self, key: &str, example: &str) -> TimeOfDay {
        self.reader.must_have(&self.table, key, example);
        self.time_of_day(key).unwrap_or_default()
    }

    /// A name or a class of names with `*` in it.
    pub(super) fn class(&mut self, key: &str, example: &str) -> Option<String> {
        let text = self.reader.required(&self.table, key, example)?;
        self.is_class(text, ElementId::new)
            .then(|| text.value.to_owned())
    }

    pub(super) fn is_source_class(&mut self, class: At<&str>) -> bool {
        self.is_class(class, SourceName::new)
    }

    pub(super) fn is_class<N>(
        &mut self,
        class: At<&str>,
        new: impl Fn(String) -> Result<N, NameError>,
    ) -> bool {
        // A star stands for letters of a name, so a class is well-formed when some name of it is.
        let checked = new(class.value.replace('*', "x"));
        if let Err(error) = &checked {
            let hint = match class.value.contains('#') {
                true => "sources are named without their epoch",
                false => "* stands for any text",
            };
            self.reader.mistake(class.at, error.to_string(), hint);
        }
        checked.is_ok()
    }

    pub(super) fn spot(&self, key: &str) -> Spot {
        self.table.spot(key)
    }
}
