//! What many seeds together have done, for the one line that says so.

use std::collections::BTreeMap;
use std::fmt;

use crate::disk::FaultKind;

/// Counts of one seed, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) seeds: u64,
    pub(super) steps: u64,
    pub(super) faults: BTreeMap<FaultKind, u64>,
    pub(super) power_cuts: u64,
    pub(super) losses: u64,
    pub(super) clock_jumps: u64,
    pub(super) flips_at_rest: u64,
    pub(super) events: u64,
    pub(super) groups: u64,
    pub(super) sealed: u64,
    pub(super) openings: u64,
    pub(super) cuts: u64,
    /// Groups of which the store did not know whether they are there.
    pub(super) unknown: u64,
    /// Files of sample bodies that were deleted.
    pub(super) deleted: u64,
    /// Flipped bits by how they were told.
    pub(super) verdicts: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Everything that was done to the disk and the clock.
    pub(super) fn faults(&self) -> u64 {
        self.faults.values().sum::<u64>() + self.flips_at_rest + self.clock_jumps
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (kind, count) in &other.faults {
            *self.faults.entry(*kind).or_default() += count;
        }
        for (verdict, count) in &other.verdicts {
            *self.verdicts.entry(verdict).or_default() += count;
        }
        for (mine, theirs) in [
            (&mut self.seeds, other.seeds),
            (&mut self.steps, other.steps),
            (&mut self.power_cuts, other.power_cuts),
            (&mut self.losses, other.losses),
            (&mut self.clock_jumps, other.clock_jumps),
            (&mut self.flips_at_rest, other.flips_at_rest),
            (&mut self.events, other.events),
            (&mut self.groups, other.groups),
            (&mut self.sealed, other.sealed),
            (&mut self.openings, other.openings),
            (&mut self.cuts, other.cuts),
            (&mut self.unknown, other.unknown),
            (&mut self.deleted, other.deleted),
        ] {
            *mine += theirs;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} seeds, {} faults, {} power cuts ({} writes and names lost or torn), {} clock jumps, {} \
             flipped bits at rest",
            self.seeds,
            self.faults(),
            self.power_cuts,
            self.losses,
            self.clock_jumps,
            self.flips_at_rest
        )?;
        writeln!(
            f,
            "{} steps, {} events in {} groups, {} groups in doubt, {} files sealed, {} openings, {} torn \
             ends cut, {} files of bodies deleted",
            self.steps,
            self.events,
            self.groups,
            self.unknown,
            self.sealed,
            self.openings,
            self.cuts,
            self.deleted
        )?;
        write!(
            f,
            "faults: {:?}; flipped bits: {:?}",
            self.faults, self.verdicts
        )
    }
}
