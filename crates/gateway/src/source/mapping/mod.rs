//! The mapping: a versioned table that says what each key of a source means.

mod builtin;
mod file;
#[cfg(test)]
mod tests;

pub use file::{MappingError, Mistake};

use std::collections::BTreeMap;
use werkbuch_model::event::{OverrideKind, PartMeaning, Vocabulary};

/// The version of the built-in table and of the rules by which recordings are read.
///
/// It enters the names of importing sources. Raise it whenever the table changes, or a change of the
/// reader gives other events for the same bytes.
pub const BUILTIN_VERSION: &str = "builtin-1";

/// What sort of thing a key reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// What the machine does.
    State,
    /// How the machine is being used.
    Mode,
    /// The program that runs.
    Program,
    /// An absolute counter of parts.
    Counter,
    /// An override of feed, rapid or spindle.
    Override,
    /// The tool in a slot.
    Tool,
    /// Whether the machine can be reached.
    Availability,
    /// Normal, warning or fault of an item.
    Condition,
    /// A measured number, gathered into batches.
    Sample,
    /// A text that fits nothing else.
    Text,
    /// Read, counted and left out.
    Ignore,
}

impl Category {
    /// All categories, in the order of the declaration.
    pub const ALL: &'static [Category] = &[
        Category::State,
        Category::Mode,
        Category::Program,
        Category::Counter,
        Category::Override,
        Category::Tool,
        Category::Availability,
        Category::Condition,
        Category::Sample,
        Category::Text,
        Category::Ignore,
    ];

    /// The name as mapping files write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Mode => "mode",
            Self::Program => "program",
            Self::Counter => "counter",
            Self::Override => "override",
            Self::Tool => "tool",
            Self::Availability => "availability",
            Self::Condition => "condition",
            Self::Sample => "sample",
            Self::Text => "text",
            Self::Ignore => "ignore",
        }
    }
}

/// How the values of a key become events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A word of a vocabulary of states.
    State(Vocabulary),
    /// A word of a vocabulary of modes.
    Mode(Vocabulary),
    /// A program's name, in this slot (empty for the main program).
    Program(Box<str>),
    /// An absolute counter of parts.
    Counter {
        /// What it counts.
        meaning: PartMeaning,
        /// The value at which it begins again at zero; 0 when it never does.
        modulus: u64,
    },
    /// A percentage.
    Override(OverrideKind),
    /// A tool's id, in this slot (empty for the machine's one tool).
    Tool(Box<str>),
    /// `AVAILABLE` or `UNAVAILABLE`.
    Availability,
    /// A level with code, severity, qualifier and text.
    Condition,
    /// A number with this unit's code (empty when it is not said).
    Sample(Box<str>),
    /// Any text.
    Text,
    /// Left out.
    Ignore,
}

impl Rule {
    /// The category that the rule belongs to.
    #[must_use]
    pub const fn category(&self) -> Category {
        match self {
            Self::State(_) => Category::State,
            Self::Mode(_) => Category::Mode,
            Self::Program(_) => Category::Program,
            Self::Counter { .. } => Category::Counter,
            Self::Override(_) => Category::Override,
            Self::Tool(_) => Category::Tool,
            Self::Availability => Category::Availability,
            Self::Condition => Category::Condition,
            Self::Sample(_) => Category::Sample,
            Self::Text => Category::Text,
            Self::Ignore => Category::Ignore,
        }
    }
}

/// What a key means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of the item in events: the key, unless a mapping file renames it.
    pub item: Box<str>,
    /// How its values become events.
    pub rule: Rule,
}

/// What the table says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The key is in the table, as this entry of this index.
    Entry(usize, &'a Entry),
    /// The key speaks of assets: ignored, like a key mapped to `ignore`.
    Asset,
    /// The key is not in the table: ignored, and listed to the user.
    Unmapped,
}

/// The table from keys to meanings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    entries: Vec<Entry>,
    keys: BTreeMap<Box<str>, usize>,
    version: String,
}

impl Mapping {
    /// The table for the keys of the public recordings: the NIST SMS Test Bed's machines and the
    /// demonstration recording of the MTConnect reference agent.
    #[must_use]
    pub fn builtin() -> Self {
        let mut table = Self {
            entries: Vec::new(),
            keys: BTreeMap::new(),
            version: BUILTIN_VERSION.to_owned(),
        };
        builtin::for_each(&mut |key, rule| {
            let entry = Entry {
                item: key.into(),
                rule,
            };
            table.set(key, entry);
        });
        table
    }

    /// The built-in table, extended and overridden by the text of a mapping file.
    ///
    /// # Errors
    ///
    /// [`MappingError`] lists all mistakes of the text, each with its line: mend them and read again.
    pub fn with_file(text: &str) -> Result<Self, MappingError> {
        let mut table = Self::builtin();
        for (key, entry) in file::read(text)? {
            table.set(&key, entry);
        }
        table.version = format!("{BUILTIN_VERSION}.{}", file::short_hash(text));
        Ok(table)
    }

    /// A short text that changes whenever the table changes; part of an importer's name.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The keys of the table in alphabetical order, with their meanings.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.keys
            .iter()
            .filter_map(|(key, index)| Some((key.as_ref(), self.entries.get(*index)?)))
    }

    /// How many entries there are; indices of [`Found::Entry`] are below it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the table has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Looks a key up: exactly and in its case; then without a device's prefix (`device:key`); then
    /// by the patterns of asset keys.
    #[must_use]
    pub fn lookup(&self, key: &str) -> Found<'_> {
        if let Some(found) = self.exact(key) {
            return found;
        }
        let bare = device_and_key(key).map_or(key, |(_, bare)| bare);
        if let Some(found) = self.exact(bare) {
            return found;
        }
        if is_asset_key(bare) {
            Found::Asset
        } else {
            Found::Unmapped
        }
    }

    fn exact(&self, key: &str) -> Option<Found<'_>> {
        let index = *self.keys.get(key)?;
        Some(Found::Entry(index, self.entries.get(index)?))
    }

    fn set(&mut self, key: &str, entry: Entry) {
        match self.keys.get(key).and_then(|at| self.entries.get_mut(*at)) {
            Some(held) => *held = entry,
            None => {
                self.keys.insert(key.into(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }
}

/// Splits `device:key` into both; absent when there is no prefix.
#[must_use]
pub fn device_and_key(key: &str) -> Option<(&str, &str)> {
    key.split_once(':')
        .filter(|(device, bare)| !device.is_empty() && !bare.is_empty())
}

/// Whether a key is a command about assets, such as `@ASSET@`.
#[must_use]
pub fn is_asset_command(key: &str) -> bool {
    key.len() > 2 && key.starts_with('@') && key.ends_with('@')
}

fn is_asset_key(key: &str) -> bool {
    is_asset_command(key)
        || ["_asset_chg", "_asset_rem", "_asset_count"]
            .iter()
            .any(|suffix| key.ends_with(suffix))
}
