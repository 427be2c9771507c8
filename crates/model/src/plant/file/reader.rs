//! Reads keys of tables with their kinds, and collects the mistakes.

use super::csv::Row;
use crate::nearest::did_you_mean;
use crate::plant::mistake::{Lines, Mistake, Place};
use crate::plant::spec::Decimal;
use toml::de::{DeTable, DeValue};

/// How many unknown names are compared with all known ones: a file that is wrong throughout must
/// not take long to refuse.
const SUGGESTIONS_MAX: usize = 100;

/// A place in one of the files: 0 is the plant file, the others are its tables in CSV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) file: usize,
    pub(super) byte: usize,
}

impl From<usize> for Spot {
    fn from(byte: usize) -> Self {
        Self { file: 0, byte }
    }
}

/// A text with the place where it begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: Spot,
}

/// One object of the file, with a word for its kind in mistakes.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) kind: &'static str,
    pub(super) at: Spot,
    pub(super) keys: Keys<'a>,
}

/// Where an object's keys stand.
#[derive(Clone, Copy)]
pub(super) enum Keys<'a> {
    Toml(&'a DeTable<'a>),
    Csv(&'a Row),
}

/// What stands behind a key.
#[derive(Clone, Copy)]
enum Cell<'a> {
    Toml(&'a DeValue<'a>),
    /// A cell of a spreadsheet, which has no kind of its own and is not empty.
    Loose(&'a str),
}

impl<'a> Table<'a> {
    pub(super) fn of_toml(kind: &'static str, at: usize, keys: &'a DeTable<'a>) -> Self {
        let keys = Keys::Toml(keys);
        Self {
            kind,
            at: at.into(),
            keys,
        }
    }

    fn get(&self, key: &str) -> Option<At<Cell<'a>>> {
        match self.keys {
            Keys::Toml(table) => table.get(key).map(|value| At {
                value: Cell::Toml(value.get_ref()),
                at: value.span().start.into(),
            }),
            Keys::Csv(row) => row.get(key).map(|(text, at)| At {
                value: Cell::Loose(text),
                at,
            }),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Where an entry of the list under this key stands, else where the object does. Entries that
    /// came from a table beside the file have no place of their own here.
    pub(super) fn nested(&self, key: &str, index: usize) -> Spot {
        let Keys::Toml(table) = self.keys else {
            return self.at;
        };
        let list = table.get(key).and_then(|value| value.get_ref().as_array());
        let entry = list.and_then(|list| list.get(index));
        entry.map_or(self.at, |entry| entry.span().start.into())
    }

    /// Where the value of this key stands, else where the object does.
    pub(super) fn spot(&self, key: &str) -> Spot {
        self.get(key).map_or(self.at, |found| found.at)
    }
}

pub(super) struct Reader<'t> {
    /// The names and texts of the files.
    files: Vec<(&'t str, Lines<'t>)>,
    mistakes: Vec<Mistake>,
    suggestions: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, file: &'t str) -> Self {
        Self {
            files: vec![(file, Lines::new(text))],
            mistakes: Vec::new(),
            suggestions: SUGGESTIONS_MAX,
        }
    }

    /// A further file, and its number.
    pub(super) fn add_file(&mut self, text: &'t str, file: &'t str) -> usize {
        self.files.push((file, Lines::new(text)));
        self.files.len() - 1
    }

    /// The name of the plant file.
    pub(super) fn file(&self) -> &'t str {
        self.files.first().map_or("", |(name, _)| name)
    }

    pub(super) fn place(&self, at: Spot) -> Place {
        let lines = self.files.get(at.file);
        lines.map_or_else(Place::default, |(_, lines)| lines.place(at.byte))
    }

    /// The line, as another mistake refers to it.
    pub(super) fn line(&self, at: Spot) -> String {
        let line = self.place(at).line;
        match self.files.get(at.file).filter(|_| at.file > 0) {
            Some((name, _)) => format!("line {line} of {name}"),
            None => format!("line {line}"),
        }
    }

    pub(super) fn mistake(
        &mut self,
        at: impl Into<Spot>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let at = at.into();
        let Place { line, column } = self.place(at);
        self.mistakes.push(Mistake {
            file: self
                .files
                .get(at.file)
                .map_or("", |(name, _)| name)
                .to_owned(),
            line,
            column,
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// A mistake about a word that is not known: `did you mean` one of these, else `otherwise`.
    pub(super) fn unknown<'a>(
        &mut self,
        at: impl Into<Spot>,
        what: impl Into<String>,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
        otherwise: impl Into<String>,
    ) {
        let mut hint = None;
        if self.suggestions > 0 {
            self.suggestions -= 1;
            hint = did_you_mean(word, known);
        }
        let hint = hint.unwrap_or_else(|| otherwise.into());
        self.mistake(at, what, hint);
    }

    /// Ends with the mistakes found so far, by place, if there are any.
    pub(super) fn finish(&mut self) -> Result<(), Vec<Mistake>> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        let mut mistakes = std::mem::take(&mut self.mistakes);
        let first = self.file();
        let place = |m: &Mistake| (m.file != first, m.file.clone(), m.line, m.column);
        mistakes.sort_by_cached_key(place);
        mistakes.dedup();
        Err(mistakes)
    }

    /// Refuses keys that the object does not have. A duration may be given in milliseconds or in
    /// seconds: `cycle_ms`, `cycle_s`.
    pub(super) fn only(&mut self, table: &Table<'_>, known: &[&str]) {
        // The columns of a spreadsheet are looked at once, not in every row.
        let Keys::Toml(keys) = table.keys else { return };
        for key in keys.keys() {
            self.known_key(table.kind, key.get_ref(), key.span().start.into(), known);
        }
    }

    pub(super) fn known_key(&mut self, kind: &str, key: &str, at: Spot, known: &[&str]) {
        let in_millis = key.strip_suffix('s').map(|bare| format!("{bare}ms"));
        let is_known = |key: &str| known.contains(&key);
        if is_known(key) || in_millis.is_some_and(|key| is_duration(&key) && is_known(&key)) {
            return;
        }
        let shown = clipped(key, 48);
        let what = format!("unknown key \"{shown}\" in {kind}");
        let mut all: Vec<String> = Vec::new();
        for key in known {
            let seconds = key.strip_suffix("ms").filter(|_| is_duration(key));
            all.extend(seconds.map(|bare| format!("{bare}s")));
            all.push((*key).to_owned());
        }
        let otherwise = format!("known are {}", all.join(", "));
        self.unknown(at, what, key, all.iter().map(String::as_str), otherwise);
    }

    /// The tables of `[[name]]` in the document, or in an object of it.
    pub(super) fn tables<'a>(
        &mut self,
        document: &'a DeTable<'a>,
        name: &str,
        kind: &'static str,
    ) -> Vec<Table<'a>> {
        let Some(value) = document.get(name) else {
            return Vec::new();
        };
        let hint = format!("write [[{kind}]] above each {name}");
        let Some(array) = value.get_ref().as_array() else {
            self.mistake(value.span().start, format!("{name} is not a list"), hint);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array.iter() {
            let at = item.span().start;
            match item.get_ref().as_table() {
                Some(keys) => tables.push(Table {
                    kind,
                    at: at.into(),
                    keys: Keys::Toml(keys),
                }),
                None => self.mistake(at, format!("{name} holds what is no table"), hint.as_str()),
            }
        }
        tables
    }

    /// A text, if the key is there; a mistake when it is of another kind.
    pub(super) fn text<'a>(&mut self, table: &Table<'a>, key: &str) -> Option<At<&'a str>> {
        let found = table.get(key)?;
        let text = match found.value {
            Cell::Toml(value) => value.as_str(),
            Cell::Loose(text) => Some(text),
        };
        if text.is_none() {
            self.wrong_kind(table, key, &found, "a text in quotes");
        }
        text.map(|value| At {
            value,
            at: found.at,
        })
    }

    /// A text that must be there; a mistake when it is not.
    pub(super) fn required<'a>(
        &mut self,
        table: &Table<'a>,
        key: &str,
        example: &str,
    ) -> Option<At<&'a str>> {
        self.must_have(table, key, example);
        self.text(table, key)
    }

    /// A mistake when the key is missing.
    pub(super) fn must_have(&mut self, table: &Table<'_>, key: &str, example: &str) {
        if !table.has(key) {
            let what = format!("{} has no {key}", table.kind);
            self.mistake(table.at, what, format!("add {key} = {example}"));
        }
    }

    /// A whole number from 0 up, if the key is there; a mistake when it is of another kind or size.
    pub(super) fn number(&mut self, table: &Table<'_>, key: &str, max: u32) -> Option<At<u32>> {
        let found = table.get(key)?;
        let (digits, radix) = match found.value {
            Cell::Toml(DeValue::Integer(digits)) => (digits.as_str(), digits.radix()),
            Cell::Loose(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => (text, 10),
            _ => {
                self.wrong_kind(table, key, &found, "a whole number");
                return None;
            }
        };
        match u32::from_str_radix(digits, radix) {
            Ok(value) if value <= max => Some(At {
                value,
                at: found.at,
            }),
            _ => {
                let what = format!("{key} = {} is out of range", clipped(digits, 24));
                self.mistake(found.at, what, format!("from 1 to {max}"));
                None
            }
        }
    }

    /// A decimal number from 0 up, if the key is there.
    pub(super) fn decimal(&mut self, table: &Table<'_>, key: &str) -> Option<At<Decimal>> {
        let found = table.get(key)?;
        let text = match found.value {
            Cell::Toml(DeValue::Integer(digits)) if digits.radix() == 10 => digits.as_str(),
            Cell::Toml(DeValue::Float(digits)) => digits.as_str(),
            Cell::Loose(text) => text,
            Cell::Toml(_) => {
                self.wrong_kind(table, key, &found, "a number");
                return None;
            }
        };
        let value = Decimal::parse(text);
        if value.is_none() {
            let what = format!("{key} = {} is out of range", clipped(text, 24));
            let hint = "a number from 0 up, with at most six digits after the point";
            self.mistake(found.at, what, hint);
        }
        value.map(|value| At {
            value,
            at: found.at,
        })
    }

    /// A list of texts, or where `single` one text, if the key is there.
    pub(super) fn texts<'a>(
        &mut self,
        table: &Table<'a>,
        key: &str,
        single: bool,
    ) -> Option<Vec<At<&'a str>>> {
        let found = table.get(key)?;
        let at = found.at;
        let array = match found.value {
            Cell::Loose(text) => {
                let items = text
                    .split(';')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                return Some(items.map(|value| At { value, at }).collect());
            }
            Cell::Toml(DeValue::String(text)) if single => {
                return Some(vec![At { value: text, at }]);
            }
            Cell::Toml(DeValue::Array(array)) => array,
            Cell::Toml(_) => {
                self.wrong_kind(table, key, &found, "a list of texts in quotes");
                return None;
            }
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            let at = item.span().start.into();
            match item.get_ref().as_str() {
                Some(value) => texts.push(At { value, at }),
                None => {
                    let value = Cell::Toml(item.get_ref());
                    self.wrong_kind(table, key, &At { value, at }, "a list of texts in quotes");
                    return None;
                }
            }
        }
        Some(texts)
    }

    fn wrong_kind(&mut self, table: &Table<'_>, key: &str, found: &At<Cell<'_>>, wanted: &str) {
        let kind = match found.value {
            Cell::Loose(_) => "another text",
            Cell::Toml(value) => kind_of(value),
        };
        let what = format!("{key} of {} is {kind}", table.kind);
        self.mistake(found.at, what, format!("it must be {wanted}"));
    }
}

fn is_duration(key: &str) -> bool {
    key == "ms" || key.ends_with("_ms")
}

/// What sort of value stands there.
pub(super) const fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The first characters of a text that may be long.
pub(super) fn clipped(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}
