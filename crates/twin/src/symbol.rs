//! Low-cardinality texts (items, native words, codes), kept once for each plant.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A text of a twin's table. Its number follows arrival: it never orders or identifies anything
/// outside of the twin, and never enters the digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Symbol(u32);

/// The texts of one twin. The empty text always has the number 0.
#[derive(Clone, Debug)]
pub(crate) struct Symbols {
    texts: Vec<Box<str>>,
    numbers: BTreeMap<Box<str>, u32>,
}

impl Default for Symbols {
    fn default() -> Self {
        Self {
            texts: vec![Box::from("")],
            numbers: BTreeMap::from([(Box::from(""), 0)]),
        }
    }
}

impl Symbol {
    /// The empty text.
    pub(crate) const EMPTY: Symbol = Symbol(0);
}

impl Symbols {
    /// The symbol of a text, if it is in the table.
    pub(crate) fn find(&self, text: &str) -> Option<Symbol> {
        if text.is_empty() {
            return Some(Symbol::EMPTY);
        }
        self.numbers.get(text).copied().map(Symbol)
    }

    /// Puts a text into the table that is not there. A table of 2^32 texts does not fit into memory.
    pub(crate) fn add(&mut self, text: &str) -> Symbol {
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        Symbol(number)
    }

    /// The text of a symbol.
    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        self.texts
            .get(symbol.0 as usize)
            .map_or("", |text| text.as_ref())
    }

    /// Whether the table has the symbol.
    pub(crate) fn has(&self, symbol: Symbol) -> bool {
        (symbol.0 as usize) < self.texts.len()
    }

    /// How many texts there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

impl Serialize for Symbols {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.texts.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Symbols {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<Box<str>>::deserialize(deserializer)?;
        let numbers: BTreeMap<Box<str>, u32> = texts.iter().cloned().zip(0..).collect();
        if numbers.len() != texts.len() || texts.first().is_none_or(|text| !text.is_empty()) {
            return Err(serde::de::Error::custom("the table of texts is not one"));
        }
        Ok(Self { texts, numbers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_symbol() {
        let mut symbols = Symbols::default();
        assert_eq!(symbols.find(""), Some(Symbol::EMPTY));
        assert_eq!(symbols.find("a"), None);
        let a = symbols.add("a");
        let b = symbols.add("b");
        assert_ne!(a, b);
        assert_eq!(symbols.find("a"), Some(a));
        assert_eq!(symbols.text(b), "b");
        assert!(symbols.has(b) && !symbols.has(Symbol(3)));
    }
}
