//! The name of an importer, made from what it reads, so that reading again is the same source.

use sha2::{Digest, Sha256};
use std::fmt;
use werkbuch_model::id::{NameError, SourceName};

/// SHA-256 of a recording's decompressed content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The name of the source that imports a recording: `import:<16 hex digits>:<machine>`.
///
/// The digits are the first of a SHA-256 over the content's hash, the machine and the version of
/// the mapping. The same recording read for the same machine with the same table is the same source,
/// whatever the file is called and however it is compressed; a changed table is another source.
///
/// # Errors
///
/// [`NameError`] when the machine's name holds a character outside the alphabet of names or is too
/// long: give the machine's name as the plant's description has it.
pub fn source_name(
    content: ContentHash,
    machine: &str,
    mapping_version: &str,
) -> Result<SourceName, NameError> {
    let mut hash = Sha256::new();
    hash.update(b"werkbuch import 1\n");
    hash.update(content.0);
    for text in [machine, mapping_version] {
        // The length tells ("ab", "c") from ("a", "bc").
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digits: String = hash
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    SourceName::new(format!("import:{digits}:{machine}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_name_follows_content_machine_and_mapping() {
        let hash = ContentHash([7; 32]);
        let name = |h, m, v| source_name(h, m, v).unwrap();
        let first = name(hash, "Mazak01", "builtin-1");
        assert_eq!(first, name(hash, "Mazak01", "builtin-1"));
        assert!(first.as_str().starts_with("import:") && first.as_str().ends_with(":Mazak01"));
        assert_eq!(
            first.as_str().len(),
            "import:".len() + 16 + ":Mazak01".len()
        );
        assert_ne!(first, name(ContentHash([8; 32]), "Mazak01", "builtin-1"));
        assert_ne!(first, name(hash, "Mazak01", "builtin-2"));
        assert_ne!(
            name(hash, "ab", "c").as_str().get(..23),
            name(hash, "a", "bc").as_str().get(..23)
        );
        assert!(source_name(hash, &"m".repeat(64), "builtin-1").is_ok());
        for bad in ["a b", "ä", &"m".repeat(160)] {
            assert!(source_name(hash, bad, "builtin-1").is_err(), "{bad}");
        }
    }
}
