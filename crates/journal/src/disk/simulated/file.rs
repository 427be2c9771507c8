//! One simulated file: what a program sees of it and what a power cut would leave of it.

use super::Chance;

/// The bytes that a disk writes in one piece.
const SECTOR_BYTES: usize = 512;

/// The bytes as a program sees them, and the way they came about since they last were lasting.
#[derive(Clone, Debug, Default)]
pub(super) struct FileState {
    now: Vec<u8>,
    base: Vec<u8>,
    changes: Vec<(Change, Fate)>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// What is known about a change: nothing yet, nothing ever (its sync failed), or that it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Doubtful,
    Lasting,
}

impl FileState {
    pub(super) fn lasting(bytes: Vec<u8>) -> Self {
        Self {
            now: bytes.clone(),
            base: bytes,
            changes: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.now
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        put(&mut self.now, offset, bytes);
        self.changes
            .push((Change::Write(offset, bytes.to_vec()), Fate::Open));
    }

    pub(super) fn set_len(&mut self, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.now.resize(bytes, 0);
        self.changes.push((Change::Length(bytes), Fate::Open));
    }

    pub(super) fn sync(&mut self, succeeds: bool) {
        for (_, fate) in &mut self.changes {
            *fate = match (*fate, succeeds) {
                (Fate::Open, true) => Fate::Lasting,
                (Fate::Open, false) => Fate::Doubtful,
                (known, _) => known,
            };
        }
        if self.changes.iter().all(|(_, fate)| *fate == Fate::Lasting) {
            self.base.clone_from(&self.now);
            self.changes.clear();
        }
    }

    /// Flips a bit in the bytes that a program sees, in those that last, and in those on their way.
    pub(super) fn flip(&mut self, bit: u64) {
        let (at, mask) = ((bit / 8) as usize, 1 << (bit % 8));
        for bytes in [&mut self.now, &mut self.base] {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= mask;
            }
        }
        for (change, _) in &mut self.changes {
            if let Change::Write(offset, bytes) = change
                && let Some(byte) = at.checked_sub(*offset).and_then(|at| bytes.get_mut(at))
            {
                *byte ^= mask;
            }
        }
    }

    /// The file that a power cut leaves, and how many changes are not in it as they were made.
    pub(super) fn crash(&self, chance: &mut Chance) -> (Self, u64) {
        let mut lost = 0;
        let mut bytes = self.base.clone();
        let (mut open, known): (Vec<_>, Vec<_>) = self
            .changes
            .iter()
            .partition(|(_, fate)| *fate == Fate::Open);
        for at in (1..open.len()).rev() {
            open.swap(at, chance.below(at as u64 + 1) as usize);
        }
        for (change, fate) in known.into_iter().chain(open) {
            match change {
                Change::Length(length) => {
                    if *fate == Fate::Lasting || chance.below(2) == 0 {
                        bytes.resize(*length, 0);
                    } else {
                        lost += 1;
                    }
                }
                Change::Write(offset, written) => {
                    let luck = if *fate == Fate::Lasting {
                        0
                    } else {
                        chance.below(4)
                    };
                    lost += u64::from(luck > 0);
                    keep(&mut bytes, *offset, written, luck, chance);
                }
            }
        }
        (Self::lasting(bytes), lost)
    }
}

/// Puts into `bytes` what is left of a write: all of it (luck 0), nothing (1), single sectors (2),
/// or its length with single sectors and zeros between (3).
fn keep(bytes: &mut Vec<u8>, offset: usize, written: &[u8], luck: u64, chance: &mut Chance) {
    match luck {
        0 => put(bytes, offset, written),
        1 => {}
        _ => {
            if luck == 3 {
                bytes.resize(bytes.len().max(offset + written.len()), 0);
            }
            let mut at = offset;
            let mut rest = written;
            while !rest.is_empty() {
                let width = (SECTOR_BYTES - at % SECTOR_BYTES).min(rest.len());
                let (sector, behind) = rest.split_at(width);
                if chance.below(2) == 0 {
                    put(bytes, at, sector);
                }
                at += width;
                rest = behind;
            }
        }
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    let end = offset.saturating_add(written.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(offset..end) {
        place.copy_from_slice(written);
    }
}
