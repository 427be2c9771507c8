//! The name of an importer, made from what it reads, so that reading again is the same source.

use std::fmt;
use werkbuch_model::id::{MachineNumber, NameError, SourceName};

/// SHA-256 of a recording's decompressed content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How many hexadecimal digits of the content's hash stand in a name: 128 bits.
const DIGITS: usize = 32;

/// The name of the source that imports a recording: `import:<content>:<mapping>:<machine>`, with the
/// first 32 digits of the content's SHA-256, the version of the mapping, and the machine's permanent
/// number, which a renaming does not change.
///
/// The same recording read for the same machine with the same table is the same source, whatever the
/// file is called and however it is compressed; a changed table is another source.
///
/// # Errors
///
/// [`NameError`] when the mapping's version is not made of the characters of names.
pub fn source_name(
    content: ContentHash,
    machine: MachineNumber,
    mapping_version: &str,
) -> Result<SourceName, NameError> {
    let digits: String = content.to_string().chars().take(DIGITS).collect();
    SourceName::new(format!("import:{digits}:{mapping_version}:{machine}"))
}

/// The name of the source that numbers what a file holds for a whole plant:
/// `import:<content>:<version of the reading>`.
///
/// # Errors
///
/// [`NameError`] when the version is not made of the characters of names.
pub fn content_source_name(content: ContentHash, version: &str) -> Result<SourceName, NameError> {
    let digits: String = content.to_string().chars().take(DIGITS).collect();
    SourceName::new(format!("import:{digits}:{version}"))
}

/// The mapping's version of a source that imported the same recording for the same machine with
/// another mapping; nothing for any other source.
#[must_use]
pub fn other_mapping<'n>(known: &'n str, new: &SourceName) -> Option<&'n str> {
    let [import, content, version, machine] = parts(known)?;
    let [_, new_content, new_version, new_machine] = parts(new.as_str())?;
    let same = import == "import" && content == new_content && machine == new_machine;
    (same && version != new_version).then_some(version)
}

fn parts(name: &str) -> Option<[&str; 4]> {
    let mut parts = name.split(':');
    let all = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_name_follows_content_machine_and_mapping() {
        let hash = ContentHash([7; 32]);
        let name = |h, m, v| source_name(h, MachineNumber(m), v).unwrap();
        let first = name(hash, 7, "builtin-1");
        assert_eq!(
            first.as_str(),
            format!("import:{}:builtin-1:7", "07".repeat(16))
        );
        assert_ne!(first, name(ContentHash([8; 32]), 7, "builtin-1"));
        assert_ne!(first, name(hash, 7, "builtin-2"));
        assert_ne!(first, name(hash, 8, "builtin-1"));
        assert!(source_name(hash, MachineNumber(7), "a b").is_err());
        let whole = content_source_name(hash, "jsonl-1").unwrap();
        assert_eq!(
            whole.as_str(),
            format!("import:{}:jsonl-1", "07".repeat(16))
        );
        assert_eq!(other_mapping(whole.as_str(), &first), None);
    }

    #[test]
    fn another_mapping_of_the_same_recording_is_noticed() {
        let hash = ContentHash([7; 32]);
        let name = |h, m, v| source_name(h, MachineNumber(m), v).unwrap();
        let new = name(hash, 7, "builtin-2");
        let known = name(hash, 7, "builtin-1");
        assert_eq!(other_mapping(known.as_str(), &new), Some("builtin-1"));
        assert_eq!(other_mapping(new.as_str(), &new), None);
        assert_eq!(
            other_mapping(name(hash, 8, "builtin-1").as_str(), &new),
            None
        );
        let other = ContentHash([8; 32]);
        assert_eq!(
            other_mapping(name(other, 7, "builtin-1").as_str(), &new),
            None
        );
        for unlike in ["gateway-7", "import:x", "import:a:b:c:d", ""] {
            assert_eq!(other_mapping(unlike, &new), None, "{unlike}");
        }
    }
}
