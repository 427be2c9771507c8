//! Low-cardinality texts (items, native words, codes), kept once for each plant.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A text of a twin's table. Its number follows arrival: it never orders or identifies anything
/// outside of the twin, and never enters the digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Symbol(u32);

/// The places of the first look; a power of two.
const PLACES: usize = 256;

/// The texts of one twin. The empty text always has the number 0.
#[derive(Clone, Debug)]
pub(crate) struct Symbols {
    texts: Vec<Box<str>>,
    numbers: BTreeMap<Box<str>, u32>,
    /// Where to look first: by its hash, the number of the text that was added last of those with
    /// that hash. Texts of one hash, chance or malice, cost a search of the tree and no more.
    first_look: Vec<u32>,
}

impl Default for Symbols {
    fn default() -> Self {
        Self {
            texts: vec![Box::from("")],
            numbers: BTreeMap::from([(Box::from(""), 0)]),
            first_look: vec![0; PLACES],
        }
    }
}

impl Symbol {
    /// The empty text.
    pub(crate) const EMPTY: Symbol = Symbol(0);

    /// Its number in the table.
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// The symbol with a number that was written down.
    pub(crate) const fn numbered(number: u32) -> Self {
        Self(number)
    }
}

impl Symbols {
    /// The symbol of a text, if it is in the table.
    pub(crate) fn find(&self, text: &str) -> Option<Symbol> {
        if text.is_empty() {
            return Some(Symbol::EMPTY);
        }
        let number = self.first_look.get(place(text)).copied().unwrap_or(0);
        if self.text(Symbol(number)) == text {
            return Some(Symbol(number));
        }
        self.numbers.get(text).copied().map(Symbol)
    }

    /// Puts a text into the table that is not there. A table of 2^32 texts does not fit into memory.
    pub(crate) fn add(&mut self, text: &str) -> Symbol {
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        self.look_here_first(text, number);
        Symbol(number)
    }

    fn look_here_first(&mut self, text: &str, number: u32) {
        if let Some(found) = self.first_look.get_mut(place(text)) {
            *found = number;
        }
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

    /// The texts from a number on, in their order.
    pub(crate) fn from(&self, number: usize) -> &[Box<str>] {
        self.texts.get(number..).unwrap_or_default()
    }

    /// How many texts there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

/// The place of a text: a multiplicative hash (Knuth, volume 3, 6.4) over its length, its first
/// and its last bytes. They tell apart what machines say, and take the same time for every text.
fn place(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => [u64::from_le_bytes(*first), u64::from_le_bytes(*last)],
        _ => {
            let short = bytes.iter().take(7);
            [0, short.fold(0, |all, byte| all << 8 | u64::from(*byte))]
        }
    };
    let mixed = (bytes.len() as u64 ^ ends[0])
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(23)
        ^ ends[1];
    // The highest bits of a product follow from all bits of what is multiplied.
    let hash = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
    usize::try_from(hash).unwrap_or(0) % PLACES
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
        let mut symbols = Self {
            texts: Vec::new(),
            numbers,
            first_look: vec![0; PLACES],
        };
        for (text, number) in texts.iter().zip(0..) {
            symbols.look_here_first(text, number);
        }
        symbols.texts = texts;
        Ok(symbols)
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

    #[test]
    fn texts_that_share_a_place_are_told_apart() {
        let mut symbols = Symbols::default();
        let texts: Vec<String> = (0..4 * PLACES).map(|n| format!("item-{n:07}-x")).collect();
        let added: Vec<Symbol> = texts.iter().map(|text| symbols.add(text)).collect();
        for (text, symbol) in texts.iter().zip(&added) {
            assert_eq!(symbols.find(text), Some(*symbol), "{text}");
        }
        assert_eq!(symbols.find("item-9999999-x"), None);
        let places: std::collections::BTreeSet<usize> = texts.iter().map(|t| place(t)).collect();
        assert!(places.len() > PLACES / 2, "{} places", places.len());
    }
}
