//! The stores by their names, and opening a data folder with the one that its marker names.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::disk::Disk;
use crate::marker;
use crate::{Options, RecoveryReport, Segments, Sled, Store, StoreError};

/// Which store keeps a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreKind {
    /// Our own append-only files, [`Segments`].
    #[default]
    Segments,
    /// The embedded database of that name, [`Sled`].
    Sled,
}

impl StoreKind {
    /// All stores, the default first.
    pub const ALL: [Self; 2] = [Self::Segments, Self::Sled];

    /// The name, as markers and options have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Segments => "segments",
            Self::Sled => "sled",
        }
    }

    /// The store of a name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An opened log.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub store: Arc<dyn Store>,
    /// Which store it is.
    pub kind: StoreKind,
    /// What opening it found.
    pub report: RecoveryReport,
}

/// Opens the log in a data folder with the store that its marker names; a new folder gets the store
/// that is `wanted`, or the default one.
///
/// # Errors
///
/// [`StoreError::Marker`] if another store is wanted than the folder has, and those of the store.
pub fn open(
    disk: Arc<dyn Disk>,
    folder: &Path,
    options: &Options,
    wanted: Option<StoreKind>,
    read_only: bool,
) -> Result<Opened, StoreError> {
    let found = match marker::read(&*disk, folder)? {
        Some((_, kind)) => Some(kind),
        None => {
            without_marker(&*disk, folder).map_err(|error| StoreError::io("list", folder, error))?
        }
    };
    let kind = match (found, wanted) {
        (Some(found), Some(wanted)) if found != wanted => {
            return Err(marker::other_store(folder, found, wanted));
        }
        (found, wanted) => found.or(wanted).unwrap_or_default(),
    };
    let (store, report): (Arc<dyn Store>, _) = match kind {
        StoreKind::Segments => {
            let opened = if read_only {
                Segments::open_read_only(disk, folder, options)?
            } else {
                Segments::open(disk, folder, options)?
            };
            (Arc::new(opened.0), opened.1)
        }
        StoreKind::Sled => {
            let (store, report) = Sled::open(disk, folder, options, read_only)?;
            (Arc::new(store), report)
        }
    };
    Ok(Opened {
        store,
        kind,
        report,
    })
}

/// Whose files lie in a folder that has no marker. That store then says what is wrong.
fn without_marker(disk: &dyn Disk, folder: &Path) -> io::Result<Option<StoreKind>> {
    if disk.exists(&folder.join(crate::sled::DATABASE))? {
        return Ok(Some(StoreKind::Sled));
    }
    let log = folder.join("log");
    let holds_log = disk.exists(&log)? && !disk.list(&log)?.is_empty();
    Ok(holds_log.then_some(StoreKind::Segments))
}
