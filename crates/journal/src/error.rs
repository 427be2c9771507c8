//! What can go wrong in a journal, each with the place and the next step.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use werkbuch_model::id::{PlantId, Position};

/// Why a journal could not do what it was asked.
///
/// It is cheap to clone, because one failed group is told to many callers.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk answered a read or a write with an error. Nothing of the group counts; the caller
    /// may hand it in again.
    #[error("could not {action} \"{}\": {cause}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Arc<io::Error>,
    },
    /// The disk is full. Nothing of the group counts; the caller may hand it in again once there is
    /// room, without a restart.
    #[error("the disk is full at \"{}\": make room there, writing then goes on by itself", path.display())]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Arc<io::Error>,
    },
    /// The user who runs the program may not do this. Change the rights and start again.
    #[error("no right to {action} \"{}\": give the user of this program that right and start again", path.display())]
    Denied {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Arc<io::Error>,
    },
    /// Another process has the folder open. Stop it first.
    #[error("the data folder \"{}\" is held by another process: stop that one first", folder.display())]
    Held {
        /// The data folder.
        folder: PathBuf,
    },
    /// A write to the disk could not be made sure, so nothing more is taken. Read what is needed,
    /// close the journal and open it again; opening verifies what the disk holds.
    #[error("the journal in \"{}\" has stopped taking events, because {cause}: restart the server", folder.display())]
    Stopped {
        /// The data folder.
        folder: PathBuf,
        /// What went wrong first.
        cause: String,
    },
    /// The log is damaged where no power cut can have damaged it. Nothing was changed; restore the
    /// file from a backup, or keep a copy of the folder and ask for help.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// The log ends before a position that a snapshot or a checkpoint vouches for, so events are
    /// missing. Nothing was changed; restore the log from a backup.
    #[error(
        "the log of plant \"{plant}\" in \"{}\" ends at position {kept}, but a snapshot or checkpoint \
         vouches for position {floor}: restore the log from a backup", folder.display()
    )]
    BelowFloor {
        /// The data folder.
        folder: PathBuf,
        /// The plant.
        plant: PlantId,
        /// The position that is vouched for.
        floor: Position,
        /// The last position that the log would keep.
        kept: Position,
    },
    /// The database of the log holds less than was acknowledged. Keep a copy of the folder and restore
    /// it from a backup.
    #[error("{0}")]
    Forgotten(Box<Forgotten>),
    /// The tree of a snapshot does not lead to the roots in the log. Drop the snapshot and open the
    /// journal again without it; if it then opens, the snapshot was wrong.
    #[error(
        "the tree that a snapshot of plant \"{plant}\" gives for position {position} does not fit the \
         log: drop that snapshot and start again"
    )]
    Snapshot {
        /// The plant.
        plant: PlantId,
        /// The position of the snapshot.
        position: Position,
    },
    /// The folder's marker is missing, unreadable, of another version or of another store. Use the
    /// build or the option that the text names.
    #[error("the data folder's marker \"{}\" {what}", path.display())]
    Marker {
        /// The marker's path.
        path: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
    /// A file of sample bodies cannot be read by this build. Use the build that the text names.
    #[error("the file of sample bodies \"{}\" {what}", path.display())]
    BodyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
    /// A log could not be copied. The copy is to be deleted; what it is copied from is as it was.
    #[error("the log of plant \"{plant}\" could not be copied: {what}")]
    Copy {
        /// The plant.
        plant: PlantId,
        /// What went wrong.
        what: String,
    },
    /// The journal has no event of this plant. Ask for a plant that [`ends`](crate::Store::ends)
    /// names.
    #[error("the journal has no log of plant \"{plant}\"")]
    UnknownPlant {
        /// The plant asked for.
        plant: PlantId,
    },
    /// The journal was opened for reading only. Open it for writing.
    #[error("the journal in \"{}\" is open for reading only", folder.display())]
    ReadOnly {
        /// The data folder.
        folder: PathBuf,
    },
    /// The journal was closed. Open it again.
    #[error("the journal in \"{}\" is closed", folder.display())]
    Closed {
        /// The data folder.
        folder: PathBuf,
    },
}

/// Where and how a log is damaged.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the log is damaged in \"{}\"{}: {what}; nothing was changed, restore this file from a backup or \
     keep a copy of the folder and ask for help",
    file.display(),
    place(*offset, *group, plant.as_ref())
)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// The first byte that cannot be trusted; 0 where it is the file as a whole, or the file is that of
    /// a database and `what` names the place.
    pub offset: u64,
    /// The group that the place belongs to; 0 where it cannot be told.
    pub group: u64,
    /// The plant, where it can be told.
    pub plant: Option<PlantId>,
    /// What is wrong, and why it is no harmless tear.
    pub what: String,
}

/// What a database has lost.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "events of plant \"{plant}\" that were acknowledged are no longer in the database \"{}\": it holds \
     {}, and \"{}\" and \"{}\" note that everything up to position {noted} was synced. A database \
     leaves out what it cannot read when it is opened, so bits of its file have changed, or an older \
     file was put in its place: keep a copy of the folder, restore the whole folder from a backup and \
     check it with `werkbuch log verify`",
    file.display(), held(*kept), witness[0].display(), witness[1].display()
)]
pub struct Forgotten {
    /// The file of the database.
    pub file: PathBuf,
    /// The plant.
    pub plant: PlantId,
    /// The last position that the database holds; 0 if it holds nothing of the plant.
    pub kept: Position,
    /// The last position that was noted.
    pub noted: Position,
    /// The files of the notes.
    pub witness: [PathBuf; 2],
}

fn held(kept: Position) -> String {
    match kept {
        Position(0) => "nothing of it".into(),
        kept => format!("positions up to {kept}"),
    }
}

impl StoreError {
    /// Turns an error of the disk into the one that tells the user what to do.
    pub(crate) fn io(action: &'static str, path: &Path, cause: io::Error) -> Self {
        let (path, kind, cause) = (path.to_owned(), cause.kind(), Arc::new(cause));
        match kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, cause }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Denied {
                action,
                path,
                cause,
            },
            _ => Self::Io {
                action,
                path,
                cause,
            },
        }
    }
}

/// What is known of a place beside its file, with a space before it.
fn place(offset: u64, group: u64, plant: Option<&PlantId>) -> String {
    let byte = (offset > 0).then(|| format!(" at byte {offset}"));
    let group = (group > 0).then(|| format!("group {group}"));
    let plant = plant.map(|plant| format!("plant \"{plant}\""));
    let more: Vec<String> = group.into_iter().chain(plant).collect();
    let more = (!more.is_empty()).then(|| format!(" ({})", more.join(", ")));
    byte.into_iter().chain(more).collect()
}
