//! What was deleted of a plant's sample bodies, and by which lifetime, so that its absence can be said
//! when the lifetime has been changed since.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use werkbuch_model::time::Timestamp;

use crate::StoreError;
use crate::disk::{Disk, OpenMode};
use crate::text;
use crate::window::Window;

/// The name of the file in the plant's folder of bodies.
const FILE_NAME: &str = "expired.toml";
const DRAFT: &str = "expired.toml.new";
const FORMAT: u32 = 1;
/// No file of marks is longer: one mark for each change of the lifetime.
const BYTES_MAX: usize = 1024 * 1024;

/// The marks of a plant, the earliest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marks {
    format: u32,
    #[serde(default)]
    expired: Vec<Mark>,
}

/// Bodies were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// Those of events that were recorded before this time, and not before the mark before.
    before: Timestamp,
    /// The lifetime that was over, in nanoseconds.
    lifetime_ns: i64,
}

/// Why marks cannot be read.
enum Unread {
    /// They are of this later version.
    Version(i64),
    Damaged(String),
}

impl Marks {
    /// The lifetime by which the body of an event recorded then was deleted.
    pub(super) fn lifetime(&self, recorded_at: Timestamp) -> Option<i64> {
        let mark = self.expired.iter().find(|mark| recorded_at < mark.before)?;
        Some(mark.lifetime_ns)
    }

    /// The same with one more deletion.
    pub(super) fn with(&self, before: Timestamp, lifetime_ns: i64) -> Self {
        let mut expired = self.expired.clone();
        match expired.last_mut() {
            // Files that came back from a backup are deleted once more; what was said of them stays.
            Some(last) if last.before >= before => {}
            Some(last) if last.lifetime_ns == lifetime_ns => last.before = before,
            _ => expired.push(Mark {
                before,
                lifetime_ns,
            }),
        }
        let format = FORMAT;
        Self { format, expired }
    }

    /// Reads the marks. What cannot be read is left out: then what expired may be said to be lost.
    pub(super) fn read(disk: &dyn Disk, folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        let failed = |error| StoreError::io("read", &path, error);
        if !disk.exists(&path).map_err(failed)? {
            return Ok(Self::default());
        }
        let file = disk.open(&path, OpenMode::Read).map_err(failed)?;
        let mut window = Window::new(&*file).map_err(failed)?;
        let bytes = window.get(0, BYTES_MAX).map_err(failed)?;
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        Self::parse(text).or_else(|what| match what {
            Unread::Version(found) => Err(StoreError::BodyFile {
                path,
                what: format!(
                    "has version {found}, and this build reads version {FORMAT}: use the build \
                     that wrote it"
                ),
            }),
            Unread::Damaged(error) => {
                tracing::warn!(path = %path.display(), error, "what is known of expired sample bodies cannot be read; those that a shorter lifetime deleted will be called lost");
                Ok(Self::default())
            }
        })
    }

    fn parse(text: &str) -> Result<Self, Unread> {
        let (text, whole) = text::without_sum(text);
        if !whole {
            let what = "its text has another checksum than its last line names";
            return Err(Unread::Damaged(what.into()));
        }
        let damaged = |error: toml::de::Error| Unread::Damaged(error.to_string());
        let table: toml::Table = text.parse().map_err(damaged)?;
        // The version comes first: of another one the rest need not be as it is today.
        match table.get("format").and_then(toml::Value::as_integer) {
            Some(found) if found != i64::from(FORMAT) => Err(Unread::Version(found)),
            _ => table.try_into().map_err(damaged),
        }
    }

    /// Writes the marks, whole or not at all.
    pub(super) fn write(&self, disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
        let (path, draft) = (folder.join(FILE_NAME), folder.join(DRAFT));
        let failed = |path: &PathBuf| {
            let path = path.clone();
            move |error| StoreError::io("write", &path, error)
        };
        let text = toml::to_string(self).map_err(|e| failed(&path)(std::io::Error::other(e)))?;
        let text = format!(
            "# Sample bodies of this plant that were deleted because their lifetime was over.\n{text}"
        );
        let text = text::with_sum(&text);
        let file = disk
            .open(&draft, OpenMode::Create)
            .map_err(failed(&draft))?;
        file.write_at(text.as_bytes(), 0).map_err(failed(&draft))?;
        file.sync_data().map_err(failed(&draft))?;
        disk.rename(&draft, &path).map_err(failed(&path))?;
        disk.sync_dir(folder).map_err(failed(&path))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::disk::SimulatedDisk;

    #[test]
    fn each_lifetime_answers_for_what_it_deleted() {
        let marks = Marks::default().with(Timestamp(10), 5);
        let marks = marks.with(Timestamp(20), 5).with(Timestamp(30), 3);
        // Deleting again what a backup brought back changes nothing.
        let marks = marks.with(Timestamp(15), 9);
        let at = |time| marks.lifetime(Timestamp(time));
        assert_eq!((at(0), at(19)), (Some(5), Some(5)));
        assert_eq!((at(20), at(29), at(30)), (Some(3), Some(3), None));
        let (disk, folder) = (SimulatedDisk::new(), Path::new("/bodies/p"));
        disk.create_dir_all(folder).unwrap();
        assert_eq!(Marks::read(&disk, folder).unwrap(), Marks::default());
        marks.write(&disk, folder).unwrap();
        assert_eq!(Marks::read(&disk.crash(1), folder).unwrap(), marks);
    }

    #[test]
    fn a_later_format_is_refused_and_damage_is_no_hindrance() {
        let (disk, folder) = (SimulatedDisk::new(), Path::new("/bodies/p"));
        disk.create_dir_all(folder).unwrap();
        let marks = Marks::default().with(Timestamp(10), 5);
        marks.write(&disk, folder).unwrap();
        let path = folder.join(FILE_NAME);
        disk.overwrite(&path, b"format = 2\n");
        let error = Marks::read(&disk, folder).unwrap_err();
        assert!(error.to_string().contains("has version 2"), "{error}");
        disk.overwrite(&path, b"\xff");
        assert_eq!(Marks::read(&disk, folder).unwrap(), Marks::default());
        // As an earlier build wrote them, without a checksum.
        let before = "format = 1\n\n[[expired]]\nbefore = \"1970-01-01T00:00:00.00000001Z\"\nlifetime_ns = 5\n";
        disk.overwrite(&path, before.as_bytes());
        assert_eq!(Marks::read(&disk, folder).unwrap(), marks);
    }

    #[test]
    fn no_flipped_bit_changes_what_is_said() {
        let (disk, folder) = (SimulatedDisk::new(), Path::new("/bodies/p"));
        disk.create_dir_all(folder).unwrap();
        let marks = Marks::default().with(Timestamp(10), 5);
        let marks = marks.with(Timestamp(30), 3);
        marks.write(&disk, folder).unwrap();
        let path = folder.join(FILE_NAME);
        for bit in 0..disk.bytes(&path).unwrap().len() as u64 * 8 {
            disk.flip(&path, bit);
            assert_eq!(
                Marks::read(&disk, folder).unwrap(),
                Marks::default(),
                "bit {bit}"
            );
            disk.flip(&path, bit);
        }
        assert_eq!(Marks::read(&disk, folder).unwrap(), marks);
    }
}
