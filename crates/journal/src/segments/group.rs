//! Follows the groups of a log: one after the other, each whole unless recovery cut it.

use werkbuch_record::block::BlockHeader;

/// The group that the reader of a log is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// Its number; 0 before the first group.
    pub(super) number: u64,
    /// Where it begins, and in which file.
    pub(super) generation: u64,
    pub(super) start: u64,
    /// How many blocks it has; 0 while no block of it has been seen.
    blocks: u32,
    /// The index of the next block.
    next: u32,
    /// Whether recovery cut blocks out of its middle.
    cut: bool,
    /// Whether recovery cut its end and said so.
    ended: bool,
    /// Whether all its blocks are clean-close marks.
    closing: bool,
}

impl Group {
    /// Behind the whole group of this number, which lies in files that are sealed.
    pub(super) fn behind(number: u64) -> Self {
        Self {
            number,
            blocks: 1,
            next: 1,
            ..Self::default()
        }
    }

    /// Whether nothing more of the group has to come.
    pub(super) fn finished(&self) -> bool {
        self.ended || self.number == 0 || (self.blocks > 0 && self.next == self.blocks)
    }

    /// Whether the group closed the log in good order.
    pub(super) fn closes(&self) -> bool {
        self.closing && !self.cut && !self.ended && self.finished()
    }

    /// The file in which the group closed the log in good order.
    pub(super) fn closed_in(&self) -> Option<u64> {
        self.closes().then_some(self.generation)
    }

    /// The number of the group that the next bytes belong to.
    pub(super) fn due(&self) -> u64 {
        if self.finished() {
            self.number.saturating_add(1)
        } else {
            self.number
        }
    }

    /// Takes in the next block at `offset`, or says why it is not the next.
    pub(super) fn take(&mut self, header: &BlockHeader, offset: u64) -> Result<(), String> {
        let (group, index) = (header.group, header.group_index);
        if group != self.number {
            self.begin(group, header.generation, offset)?;
        }
        let fits = self.blocks == 0 || self.blocks == header.group_blocks;
        let in_turn = !self.ended && (index == self.next || (self.cut && index > self.next));
        if !fits || !in_turn {
            return Err(format!(
                "block {index} of {} in group {group} does not follow block {} of {}",
                header.group_blocks, self.next, self.blocks
            ));
        }
        self.closing = header.clean_close && (self.closing || self.next == 0);
        self.blocks = header.group_blocks;
        self.next = index.saturating_add(1);
        Ok(())
    }

    /// Takes in a void at `offset`, or says why there can be none. One without content (`mark`) says
    /// that nothing more of the group comes; others stand for blocks in its middle.
    pub(super) fn take_void(
        &mut self,
        group: u64,
        mark: bool,
        generation: u64,
        offset: u64,
    ) -> Result<(), String> {
        if group != self.number {
            self.begin(group, generation, offset)?;
        }
        if self.ended {
            return Err(format!("group {group} ended before"));
        }
        self.cut = true;
        self.ended = mark;
        Ok(())
    }

    fn begin(&mut self, group: u64, generation: u64, offset: u64) -> Result<(), String> {
        if !self.finished() || Some(group) != self.number.checked_add(1) {
            return Err(format!(
                "group {group} does not follow group {}{}",
                self.number,
                if self.finished() {
                    ""
                } else {
                    ", which is not whole"
                }
            ));
        }
        *self = Self {
            number: group,
            generation,
            start: offset,
            ..Self::default()
        };
        Ok(())
    }
}
