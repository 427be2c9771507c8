//! Reads a mapping file (TOML, one table `keys`) and names all its mistakes at once.
//!
//! ```toml
//! [keys]
//! exec2     = { category = "state", vocabulary = "PACKML_STATE" }
//! good      = { category = "counter", meaning = "GOOD", modulus = 100000 }
//! tool_b    = { category = "tool", slot = "B" }
//! s9_speed  = { category = "sample", item = "spindle_speed", unit = "1/min" }
//! "d7:fovr" = { category = "override", what = "feed" }
//! ```

use super::{Category, Entry, Rule};
use sha2::{Digest, Sha256};
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use werkbuch_model::event::{NAME_TEXT_BYTES_MAX, OverrideKind, PartMeaning, Vocabulary};

/// One mistake of a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line it is on, from 1.
    pub line: usize,
    /// What is wrong, for a person.
    pub what: String,
}

/// A mapping file has mistakes. Mend the lines named and read it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mapping file has {} mistake(s): {}", .mistakes.len(), Listed(.mistakes))]
pub struct MappingError {
    /// All mistakes in the order of their lines; never empty.
    pub mistakes: Vec<Mistake>,
}

struct Listed<'a>(&'a [Mistake]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "; " };
            write!(f, "{comma}line {}: {}", mistake.line, mistake.what)?;
        }
        Ok(())
    }
}

/// The first 16 hex digits of the SHA-256 of a file's content.
pub(super) fn short_hash(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// Reads the entries of a mapping file. Errors: all its mistakes.
pub(super) fn read(text: &str) -> Result<Vec<(String, Entry)>, MappingError> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        text,
        mistakes: Vec::new(),
    };
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.mistake(at, error.message().to_owned());
    }
    let mut entries = Vec::new();
    for (name, value) in document.get_ref() {
        match (name.get_ref().as_ref(), value.get_ref()) {
            ("keys", DeValue::Table(keys)) => reader.keys(keys, &mut entries),
            ("keys", _) => reader.mistake(name.span().start, "\"keys\" must be a table".into()),
            (other, _) => reader.mistake(
                name.span().start,
                format!("unknown table \"{other}\"; a mapping file has the one table [keys]"),
            ),
        }
    }
    let mut mistakes = reader.mistakes;
    if mistakes.is_empty() {
        return Ok(entries);
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    Err(MappingError { mistakes })
}

struct Reader<'t> {
    text: &'t str,
    mistakes: Vec<Mistake>,
}

/// The fields of one key, as far as they have the right type.
#[derive(Default)]
struct Fields {
    category: Option<Category>,
    item: Option<String>,
    vocabulary: Option<Vocabulary>,
    slot: Option<String>,
    what: Option<OverrideKind>,
    meaning: Option<PartMeaning>,
    modulus: Option<u64>,
    unit: Option<String>,
}

/// Which categories take a field besides `category` and `item`.
const FIELDS: &[(&str, &[Category])] = &[
    ("vocabulary", &[Category::State, Category::Mode]),
    ("slot", &[Category::Program, Category::Tool]),
    ("what", &[Category::Override]),
    ("meaning", &[Category::Counter]),
    ("modulus", &[Category::Counter]),
    ("unit", &[Category::Sample]),
];

type Value<'t> = Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn mistake(&mut self, at: usize, what: String) {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        self.mistakes.push(Mistake { line, what });
    }

    fn keys(&mut self, keys: &DeTable<'_>, entries: &mut Vec<(String, Entry)>) {
        for (key, value) in keys {
            let (name, at) = (key.get_ref().as_ref(), key.span().start);
            if name.is_empty() || name.len() > NAME_TEXT_BYTES_MAX {
                let what = format!("a key must have 1 to {NAME_TEXT_BYTES_MAX} bytes");
                self.mistake(at, what);
            }
            let DeValue::Table(table) = value.get_ref() else {
                self.mistake(
                    at,
                    format!("\"{name}\" must be a table, such as {{ category = \"text\" }}"),
                );
                continue;
            };
            if let Some(entry) = self.entry(name, at, table) {
                entries.push((name.to_owned(), entry));
            }
        }
    }

    fn entry(&mut self, key: &str, at: usize, table: &DeTable<'_>) -> Option<Entry> {
        let mut fields = Fields::default();
        for (name, value) in table {
            self.field(&mut fields, name.get_ref(), name.span().start, value);
        }
        let Some(category) = fields.category else {
            if !table.keys().any(|name| name.get_ref() == "category") {
                self.mistake(at, format!("\"{key}\" has no category"));
            }
            return None;
        };
        for name in table.keys() {
            let takers = FIELDS.iter().find(|(field, _)| name.get_ref() == field);
            if takers.is_some_and(|(_, takers)| !takers.contains(&category)) {
                let what = format!(
                    "\"{}\" does not go with category \"{}\"",
                    name.get_ref(),
                    category.name()
                );
                self.mistake(name.span().start, what);
            }
        }
        if category == Category::Override
            && fields.what.is_none()
            && !table.keys().any(|n| n.get_ref() == "what")
        {
            self.mistake(
                at,
                format!("\"{key}\" is an override and does not say what: feed, rapid or spindle"),
            );
        }
        Some(Entry {
            item: fields.item.take().unwrap_or_else(|| key.to_owned()).into(),
            rule: fields.rule(category),
        })
    }

    fn field(&mut self, fields: &mut Fields, name: &str, at: usize, value: &Value<'_>) {
        match name {
            "category" => fields.category = self.coded(name, value, Category::ALL, Category::name),
            "item" => fields.item = self.text(name, value, 1),
            "slot" => fields.slot = self.text(name, value, 0),
            "unit" => fields.unit = self.text(name, value, 0),
            "vocabulary" => {
                fields.vocabulary = self.coded(name, value, Vocabulary::ALL, Vocabulary::name)
            }
            "what" => fields.what = self.coded(name, value, OverrideKind::ALL, OverrideKind::name),
            "meaning" => {
                fields.meaning = self.coded(name, value, PartMeaning::ALL, PartMeaning::name)
            }
            "modulus" => fields.modulus = self.whole(name, value),
            other => self.mistake(at, format!("unknown field \"{other}\"")),
        }
    }

    fn text(&mut self, name: &str, value: &Value<'_>, least: usize) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) if (least..=NAME_TEXT_BYTES_MAX).contains(&text.len()) => {
                Some(text.clone().into_owned())
            }
            _ => {
                let what =
                    format!("\"{name}\" must be a text of {least} to {NAME_TEXT_BYTES_MAX} bytes");
                self.mistake(value.span().start, what);
                None
            }
        }
    }

    /// One of the values of an enum, by its name in any case of letters. "Not said" is no choice.
    fn coded<T: Copy>(
        &mut self,
        field: &str,
        value: &Value<'_>,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let known = || {
            all.iter()
                .copied()
                .filter(|one| name(*one) != "UNSPECIFIED")
        };
        let said = value.get_ref().as_str().unwrap_or_default();
        let found = known().find(|one| name(*one).eq_ignore_ascii_case(said));
        if found.is_none() {
            let words: Vec<String> = known().map(|one| name(one).to_ascii_lowercase()).collect();
            let what = format!("\"{field}\" must be one of {}", words.join(", "));
            self.mistake(value.span().start, what);
        }
        found
    }

    fn whole(&mut self, name: &str, value: &Value<'_>) -> Option<u64> {
        let found = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        if found.is_none() {
            self.mistake(
                value.span().start,
                format!("\"{name}\" must be a whole number of 0 or more"),
            );
        }
        found
    }
}

impl Fields {
    fn rule(self, category: Category) -> Rule {
        let slot = self.slot.unwrap_or_default().into();
        match category {
            Category::State => {
                Rule::State(self.vocabulary.unwrap_or(Vocabulary::MtconnectExecution))
            }
            Category::Mode => Rule::Mode(
                self.vocabulary
                    .unwrap_or(Vocabulary::MtconnectControllerMode),
            ),
            Category::Program => Rule::Program(slot),
            Category::Counter => Rule::Counter {
                meaning: self.meaning.unwrap_or(PartMeaning::All),
                modulus: self.modulus.unwrap_or(0),
            },
            Category::Override => Rule::Override(self.what.unwrap_or_default()),
            Category::Tool => Rule::Tool(slot),
            Category::Availability => Rule::Availability,
            Category::Condition => Rule::Condition,
            Category::Sample => Rule::Sample(self.unit.unwrap_or_default().into()),
            Category::Text => Rule::Text,
            Category::Ignore => Rule::Ignore,
        }
    }
}
