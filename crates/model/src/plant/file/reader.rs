//! Reads keys of tables with their kinds, and collects the mistakes.

use crate::nearest::did_you_mean;
use crate::plant::mistake::{Lines, Mistake, Place};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How many unknown names are compared with all known ones: a file that is wrong throughout must
/// not take long to refuse.
const SUGGESTIONS_MAX: usize = 100;

/// A text with the byte of the file where it begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// A table of the file, with a word for it in mistakes.
pub(super) struct Table<'a> {
    pub(super) kind: &'static str,
    pub(super) at: usize,
    pub(super) keys: &'a DeTable<'a>,
}

pub(super) struct Reader<'t> {
    pub(super) file: &'t str,
    lines: Lines<'t>,
    mistakes: Vec<Mistake>,
    suggestions: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, file: &'t str) -> Self {
        Self {
            file,
            lines: Lines::new(text),
            mistakes: Vec::new(),
            suggestions: SUGGESTIONS_MAX,
        }
    }

    pub(super) fn place(&self, at: usize) -> Place {
        self.lines.place(at)
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.place(at).line
    }

    pub(super) fn mistake(&mut self, at: usize, what: impl Into<String>, hint: impl Into<String>) {
        let Place { line, column } = self.place(at);
        self.mistakes.push(Mistake {
            file: self.file.to_owned(),
            line,
            column,
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// A mistake about a word that is not known: `did you mean` one of these, else `otherwise`.
    pub(super) fn unknown<'a>(
        &mut self,
        at: usize,
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
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        mistakes.dedup();
        Err(mistakes)
    }

    /// Refuses keys that the table does not have.
    pub(super) fn only(&mut self, table: &Table<'_>, known: &[&str]) {
        for key in table.keys.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let shown: String = name.chars().take(48).collect();
                let what = format!("unknown key \"{shown}\" in {}", table.kind);
                let otherwise = format!("known are {}", known.join(", "));
                self.unknown(
                    key.span().start,
                    what,
                    name,
                    known.iter().copied(),
                    otherwise,
                );
            }
        }
    }

    /// The tables of `[[name]]`.
    pub(super) fn tables<'a>(
        &mut self,
        document: &'a DeTable<'a>,
        name: &'static str,
    ) -> Vec<Table<'a>> {
        let Some(value) = document.get(name) else {
            return Vec::new();
        };
        let hint = format!("write [[{name}]] above each {name}");
        let Some(array) = value.get_ref().as_array() else {
            self.mistake(value.span().start, format!("{name} is not a list"), hint);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array.iter() {
            let at = item.span().start;
            match item.get_ref().as_table() {
                Some(keys) => tables.push(Table {
                    kind: name,
                    at,
                    keys,
                }),
                None => self.mistake(at, format!("{name} holds what is no table"), hint.as_str()),
            }
        }
        tables
    }

    /// A text, if the key is there; a mistake when it is of another kind.
    pub(super) fn text<'a>(&mut self, table: &Table<'a>, key: &str) -> Option<At<&'a str>> {
        let value = table.keys.get(key)?;
        let at = value.span().start;
        match value.get_ref().as_str() {
            Some(text) => Some(At { value: text, at }),
            None => {
                self.wrong_kind(table, key, value, "a text in quotes");
                None
            }
        }
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
        if !table.keys.contains_key(key) {
            let what = format!("{} has no {key}", table.kind);
            self.mistake(table.at, what, format!("add {key} = {example}"));
        }
    }

    /// A whole number from 0 up, if the key is there; a mistake when it is of another kind or size.
    pub(super) fn number(&mut self, table: &Table<'_>, key: &str, max: u32) -> Option<At<u32>> {
        let value = table.keys.get(key)?;
        let at = value.span().start;
        let Some(digits) = value.get_ref().as_integer() else {
            self.wrong_kind(table, key, value, "a whole number");
            return None;
        };
        match u32::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(value) if value <= max => Some(At { value, at }),
            _ => {
                let shown: String = digits.as_str().chars().take(24).collect();
                let what = format!("{key} = {shown} is out of range");
                self.mistake(at, what, format!("from 1 to {max}"));
                None
            }
        }
    }

    /// A list of texts, or where `single` one text, if the key is there.
    pub(super) fn texts<'a>(
        &mut self,
        table: &Table<'a>,
        key: &str,
        single: bool,
    ) -> Option<Vec<At<&'a str>>> {
        let value = table.keys.get(key)?;
        let at = value.span().start;
        if let (true, Some(text)) = (single, value.get_ref().as_str()) {
            return Some(vec![At { value: text, at }]);
        }
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_kind(table, key, value, "a list of texts in quotes");
            return None;
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(At {
                    value: text,
                    at: item.span().start,
                }),
                None => {
                    self.wrong_kind(table, key, item, "a list of texts in quotes");
                    return None;
                }
            }
        }
        Some(texts)
    }

    pub(super) fn wrong_kind(
        &mut self,
        table: &Table<'_>,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        wanted: &str,
    ) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a decimal number",
            DeValue::Boolean(_) => "a truth value",
            DeValue::Datetime(_) => "a time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let what = format!("{key} of {} is {found}", table.kind);
        self.mistake(value.span().start, what, format!("it must be {wanted}"));
    }
}
