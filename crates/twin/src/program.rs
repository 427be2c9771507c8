//! What a machine is told to do: three short texts in one piece of memory.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of the two lengths that come before the texts.
const LENGTHS: usize = 8;
/// Stands for the length of a program that the source cannot say; no event holds a text so long.
const ABSENT: u32 = u32::MAX;

/// A program, its revision and its block: the lengths of the first two, then the texts one after the
/// other. Nearly every machine has one, and in boxes of their own the texts took four times as much.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProgramValue(Box<[u8]>);

/// The form in snapshots.
#[derive(Serialize)]
struct Said<'a> {
    program: Option<&'a str>,
    revision: &'a str,
    block: &'a str,
}

/// The same as it is read.
#[derive(Deserialize)]
struct SaidOwned {
    program: Option<Box<str>>,
    revision: Box<str>,
    block: Box<str>,
}

impl ProgramValue {
    /// Puts the texts together.
    pub(crate) fn new(program: Option<&str>, revision: &str, block: &str) -> Self {
        let name = program.unwrap_or_default();
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(ABSENT);
        let program_length = program.map_or(ABSENT, length);
        let texts = [name.as_bytes(), revision.as_bytes(), block.as_bytes()];
        let [first, second] = [program_length, length(revision)].map(u32::to_le_bytes);
        let all = [&first[..], &second[..]].into_iter().chain(texts);
        let mut bytes = Vec::with_capacity(LENGTHS + texts.iter().map(|t| t.len()).sum::<usize>());
        all.for_each(|part| bytes.extend_from_slice(part));
        Self(bytes.into_boxed_slice())
    }

    /// The program's name; absent when the source cannot say.
    pub(crate) fn program(&self) -> Option<&str> {
        let (program, _) = self.lengths()?;
        (program != ABSENT).then(|| self.text(0, program as usize))
    }

    /// The program's revision.
    pub(crate) fn revision(&self) -> &str {
        self.lengths().map_or("", |(program, revision)| {
            self.text(spoken(program), revision as usize)
        })
    }

    /// The block or line that runs.
    pub(crate) fn block(&self) -> &str {
        self.lengths().map_or("", |(program, revision)| {
            let start = spoken(program).saturating_add(revision as usize);
            self.text(start, self.0.len().saturating_sub(LENGTHS + start))
        })
    }

    fn lengths(&self) -> Option<(u32, u32)> {
        let (program, rest) = self.0.split_first_chunk::<4>()?;
        let revision = rest.first_chunk::<4>()?;
        Some((u32::from_le_bytes(*program), u32::from_le_bytes(*revision)))
    }

    /// A text by its place behind the lengths. They were texts when they were put together.
    fn text(&self, start: usize, length: usize) -> &str {
        let texts = self.0.get(LENGTHS..).unwrap_or_default();
        let end = start.saturating_add(length);
        let bytes = texts.get(start..end).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// How much of the texts the program takes.
fn spoken(program: u32) -> usize {
    if program == ABSENT {
        0
    } else {
        program as usize
    }
}

impl Serialize for ProgramValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let said = Said {
            program: self.program(),
            revision: self.revision(),
            block: self.block(),
        };
        said.serialize(to)
    }
}

impl<'de> Deserialize<'de> for ProgramValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let said = SaidOwned::deserialize(from)?;
        Ok(Self::new(
            said.program.as_deref(),
            &said.revision,
            &said.block,
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_texts_come_back_and_what_is_absent_is_not_empty() {
        for (program, revision, block) in [
            (Some("O1000"), "3", "N10 G0"),
            (Some("Gehäuse"), "", "ü"),
            (Some(""), "7", ""),
            (None, "7", "N10"),
            (None, "", ""),
        ] {
            let value = ProgramValue::new(program, revision, block);
            let config = bincode::config::standard();
            let bytes = bincode::serde::encode_to_vec(&value, config).unwrap();
            let (again, _): (ProgramValue, usize) =
                bincode::serde::decode_from_slice(&bytes, config).unwrap();
            for value in [value, again] {
                assert_eq!(value.program(), program);
                assert_eq!((value.revision(), value.block()), (revision, block));
            }
        }
    }

    #[test]
    fn a_snapshot_has_the_texts_one_by_one() {
        let config = bincode::config::standard();
        let value = ProgramValue::new(Some("O1"), "3", "");
        let bytes = bincode::serde::encode_to_vec(&value, config).unwrap();
        assert_eq!(bytes, [1, 2, b'O', b'1', 1, b'3', 0]);
    }
}
