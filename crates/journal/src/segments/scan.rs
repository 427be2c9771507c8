//! Reads a log from its first block to its last, and tells a harmless tear from damage.
//!
//! Groups are written one after the other, each only after the sync of the one before. So a power
//! cut can have torn nothing but the last group, and a log that was closed in good order has no
//! torn group at all. Whatever is bad elsewhere is damage, and the log is not opened.
//!
//! Where the last group is torn, each plant is cut from its first bad block on: what still verifies
//! behind the tear and continues its plant's positions and root is kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use werkbuch_model::id::{LogId, PlantId};
use werkbuch_record::block::BlockHeader;

use super::Cut;
use super::group::Group;
use super::plants::{Misfit, Plants};
use super::wal::{self, ALIGNMENT, Bad, FILE_HEADER_BYTES, FileHeader, Piece};
use crate::StoreError;
use crate::disk::DiskFile;
use crate::error::Damage;
use crate::window::Window;

/// What is said of a file that a later build has begun.
const ANOTHER_VERSION: &str =
    "the file has another version than this build reads: use the build that wrote it";

/// One write-ahead file, open.
#[derive(Clone, Debug)]
pub(super) struct WalFile {
    pub(super) generation: u64,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
}

/// What a log holds.
#[derive(Debug)]
pub(super) struct Scan {
    folder: LogId,
    pub(super) plants: Plants,
    pub(super) group: Group,
    pub(super) cuts: Vec<Cut>,
    pub(super) blocks: u64,
    pub(super) events: u64,
}

/// What must be done to the last file before it may grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repair {
    /// Where the part that is kept ends.
    pub(super) end: u64,
    /// The ranges before the end that hold nothing, with their lengths.
    pub(super) voids: Vec<(u64, u64)>,
    /// The length of the file now.
    pub(super) length: u64,
}

impl Scan {
    /// Before the first file behind what is sealed; `group` is the last one there.
    pub(super) fn new(folder: LogId, plants: Plants, group: Group) -> Self {
        Self {
            folder,
            plants,
            group,
            cuts: Vec::new(),
            blocks: 0,
            events: 0,
        }
    }

    /// Reads a file to its end. Only the last file may have a tear; its end is answered.
    pub(super) fn file(&mut self, file: &WalFile, is_last: bool) -> Result<Repair, StoreError> {
        let failed = |error| StoreError::io("read", &file.path, error);
        let mut window = Window::new(&*file.file).map_err(failed)?;
        let header = window.get(0, FILE_HEADER_BYTES).map_err(failed)?;
        let expected = FileHeader {
            generation: file.generation,
            folder: self.folder,
            first_group: self.group.number.saturating_add(1),
        };
        let damaged = |scan: &Self, what| scan.damaged(&file.path, 0, None, what);
        match FileHeader::decode(header) {
            Some(found) if found == expected && self.group.finished() => {}
            Some(found) if found.folder != self.folder => {
                return Err(damaged(
                    self,
                    "the file belongs to another data folder".into(),
                ));
            }
            Some(found) => {
                let what = format!(
                    "the file begins with group {} behind group {}",
                    found.first_group, self.group.number
                );
                return Err(damaged(self, what));
            }
            None if FileHeader::is_of_another_version(header) => {
                return Err(damaged(self, ANOTHER_VERSION.into()));
            }
            None => return Err(damaged(self, "the file's header is damaged".into())),
        }
        let mut at = FILE_HEADER_BYTES as u64;
        loop {
            let piece = wal::piece_at(&mut window, file.generation, at).map_err(failed)?;
            let bad = match piece {
                Piece::End if self.group.finished() => break,
                Piece::End => Bad {
                    what: "the file ends inside a group".into(),
                    header: None,
                    newer: false,
                },
                Piece::Bad(bad) => bad,
                _ if self.closed_in(file.generation) => Bad {
                    what: "bytes follow the clean-close mark".into(),
                    header: None,
                    newer: false,
                },
                Piece::Void { group, length } => {
                    let mark = length == wal::VOID_BYTES as u64;
                    self.group
                        .take_void(group, mark, file.generation, at)
                        .map_err(|what| self.damaged(&file.path, at, None, what))?;
                    at = at.saturating_add(length);
                    continue;
                }
                Piece::Block(block) => {
                    self.take(file, &block, at)?;
                    at = at.saturating_add(block.length);
                    continue;
                }
            };
            return self.tear(file, &mut window, at, &bad, is_last);
        }
        Ok(Repair {
            end: at,
            voids: Vec::new(),
            length: window.len(),
        })
    }

    /// Whether the log was closed in good order and this is the file in which it was.
    pub(super) fn closed_in(&self, generation: u64) -> bool {
        self.group.closes() && self.group.generation == generation
    }

    /// Takes in a block whose checksums are right. If it does not fit, no tear explains it.
    fn take(&mut self, file: &WalFile, block: &wal::BlockPiece, at: u64) -> Result<(), StoreError> {
        let header = &block.header;
        self.plants
            .check(header)
            .map_err(|misfit| self.misfit(file, header, at, &misfit))?;
        self.group
            .take(header, at)
            .map_err(|what| self.damaged(&file.path, at, Some(&header.plant), what))?;
        self.plants.add(header, &block.body, at);
        self.blocks = self.blocks.saturating_add(1);
        self.events = self.events.saturating_add(u64::from(header.count));
        Ok(())
    }

    /// Judges a bad place: cuts the last group there, or refuses.
    fn tear(
        &mut self,
        file: &WalFile,
        window: &mut Window<'_>,
        from: u64,
        bad: &Bad,
        is_last: bool,
    ) -> Result<Repair, StoreError> {
        let plant = bad.header.as_ref().map(|header| header.plant.clone());
        let refuse = |scan: &Self, why: &str| {
            let what = format!("{}; {why}", bad.what);
            scan.damaged(&file.path, from, plant.as_ref(), what)
        };
        if bad.newer {
            return Err(refuse(self, "use the build that wrote it"));
        }
        if !is_last {
            return Err(refuse(self, "later files follow, so this is no torn end"));
        }
        if self.closed_in(file.generation) {
            let why = "the log was closed in good order before this place, so this is no torn end";
            return Err(refuse(self, why));
        }
        let due = self.group.due();
        let mut torn = Torn {
            bad_from: from,
            voids: Vec::new(),
            plants: Vec::new(),
        };
        let mut at = from;
        while at < window.len() {
            let step = self.behind_tear(file, window, at, due, &mut torn)?;
            let Some(step) = step else {
                let why = format!("a later group follows at byte {at}, so this is no torn end");
                return Err(refuse(self, &why));
            };
            at = at.saturating_add(step);
        }
        let end = torn.bad_from;
        let bytes = torn.voids.iter().map(|(_, length)| length).sum::<u64>();
        let mut plants: Vec<_> = torn
            .plants
            .into_iter()
            .map(|plant| (plant.clone(), self.plants.last(&plant)))
            .collect();
        plants.sort();
        plants.dedup();
        self.cuts.push(Cut {
            file: file.path.clone(),
            offset: from,
            bytes: bytes.saturating_add(window.len().saturating_sub(end)),
            group: due,
            plants,
            what: bad.what.clone(),
        });
        Ok(Repair {
            end,
            voids: torn.voids,
            length: window.len(),
        })
    }

    /// Looks at one place behind a tear: keeps what can be kept, and answers how far to go on;
    /// `None` if the place belongs to a later group than the torn one.
    fn behind_tear(
        &mut self,
        file: &WalFile,
        window: &mut Window<'_>,
        at: u64,
        due: u64,
        torn: &mut Torn,
    ) -> Result<Option<u64>, StoreError> {
        let failed = |error| StoreError::io("read", &file.path, error);
        if !wal::may_begin(window.get(at, 4).map_err(failed)?) {
            return Ok(Some(ALIGNMENT));
        }
        let (group, length) = match wal::piece_at(window, file.generation, at).map_err(failed)? {
            Piece::Block(block) => {
                let header = &block.header;
                if header.group == due {
                    match self.plants.check(header) {
                        Ok(()) => self.keep(file, &block, at, torn)?,
                        Err(Misfit::Position { .. }) => torn.plants.push(header.plant.clone()),
                        Err(misfit) => return Err(self.misfit(file, header, at, &misfit)),
                    }
                }
                (header.group, block.length)
            }
            Piece::Void { group, length } => (group, length),
            Piece::Bad(Bad {
                header: Some(header),
                ..
            }) => {
                if header.group == due {
                    torn.plants.push(header.plant.clone());
                }
                // The body is bad, but the header says how long it is.
                let bytes = header.encoded_bytes() as u64 + u64::from(header.stored_body_bytes);
                (header.group, bytes.next_multiple_of(ALIGNMENT))
            }
            _ => return Ok(Some(ALIGNMENT)),
        };
        Ok((group <= due).then_some(length))
    }

    /// Keeps a block behind a tear; the bad range before it becomes a void.
    fn keep(
        &mut self,
        file: &WalFile,
        block: &wal::BlockPiece,
        at: u64,
        torn: &mut Torn,
    ) -> Result<(), StoreError> {
        let length = at.saturating_sub(torn.bad_from);
        if (1..wal::VOID_BYTES as u64).contains(&length) {
            // A void would not fit before the block, and no torn block is as short.
            let what = format!("{length} bytes that are no block stand before a block");
            return Err(self.damaged(&file.path, torn.bad_from, None, what));
        }
        if length > 0 {
            torn.voids.push((torn.bad_from, length));
            self.group
                .take_void(block.header.group, false, file.generation, torn.bad_from)
                .map_err(|what| self.damaged(&file.path, at, None, what))?;
        }
        torn.bad_from = at.saturating_add(block.length);
        self.take(file, block, at)
    }

    fn misfit(&self, file: &WalFile, header: &BlockHeader, at: u64, misfit: &Misfit) -> StoreError {
        match misfit {
            Misfit::Snapshot { position } => StoreError::Snapshot {
                plant: header.plant.clone(),
                position: *position,
            },
            _ => self.damaged(&file.path, at, Some(&header.plant), misfit.what(header)),
        }
    }

    fn damaged(
        &self,
        file: &Path,
        offset: u64,
        plant: Option<&PlantId>,
        what: String,
    ) -> StoreError {
        StoreError::Damaged(Box::new(Damage {
            file: file.to_owned(),
            offset,
            group: self.group.due(),
            plant: plant.cloned(),
            what,
        }))
    }
}

/// What is found out behind a tear.
#[derive(Debug)]
struct Torn {
    /// Where the bad range that is being crossed begins.
    bad_from: u64,
    /// The bad ranges that something kept follows.
    voids: Vec<(u64, u64)>,
    /// Plants of which a block was lost.
    plants: Vec<PlantId>,
}
