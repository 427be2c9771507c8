//! A twin of one machine alone: of all others it only knows whether anything was heard.

use crate::machine::MachineState;
use werkbuch_model::id::MachineNumber;

/// What stands in the place of all other machines.
#[derive(Clone, Debug)]
pub(crate) struct Alone {
    pub(crate) number: MachineNumber,
    pub(crate) heard: Heard,
    spare: MachineState,
}

/// Of which machines something was reported: 64 of them in a word, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard(Vec<u64>);

/// Numbers are given without gaps from 1; one out of a damaged log must not take all memory.
const NUMBER_MAX: u32 = 1 << 24;

impl Alone {
    pub(crate) fn new(number: MachineNumber, heard: Heard) -> Self {
        Self {
            number,
            heard,
            spare: MachineState::new(MachineNumber(0)),
        }
    }

    /// A machine that takes what is said of another one; it is forgotten.
    pub(crate) fn spare(&mut self) -> &mut MachineState {
        self.spare = MachineState::new(MachineNumber(0));
        &mut self.spare
    }
}

impl Heard {
    pub(crate) fn of(numbers: impl Iterator<Item = MachineNumber>) -> Self {
        let mut heard = Self::default();
        numbers.for_each(|number| heard.add(number));
        heard
    }

    pub(crate) fn add(&mut self, number: MachineNumber) {
        if number.get() > NUMBER_MAX {
            return;
        }
        let (word, bit) = place(number);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(crate) fn has(&self, number: MachineNumber) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The numbers as runs: so many that are not there, so many that are, and so on.
    pub(super) fn runs(&self) -> Vec<u32> {
        let mut runs = vec![0_u32];
        let bits = self
            .0
            .iter()
            .flat_map(|word| (0..64).map(move |bit| word >> bit & 1 == 1));
        let mut there = false;
        for bit in bits {
            if bit != there {
                there = bit;
                runs.push(0);
            }
            if let Some(last) = runs.last_mut() {
                *last += 1;
            }
        }
        runs
    }

    /// What [`Self::runs`] tells of; absent where no such numbers can be.
    pub(super) fn of_runs(runs: &[u32]) -> Option<Self> {
        let mut heard = Self::default();
        let mut at = 0_u32;
        for (index, run) in runs.iter().enumerate() {
            let end = at.checked_add(*run).filter(|end| *end <= NUMBER_MAX + 64)?;
            if index % 2 == 1 {
                (at..end).for_each(|number| heard.add(MachineNumber(number)));
            }
            at = end;
        }
        Some(heard)
    }
}

fn place(number: MachineNumber) -> (usize, u64) {
    ((number.get() / 64) as usize, 1 << (number.get() % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn who_was_heard_is_written_and_read(
            numbers in prop::collection::btree_set(prop_oneof![0_u32..200, 0_u32..100_000], 0..200)
        ) {
            let heard = Heard::of(numbers.iter().copied().map(MachineNumber));
            let again = Heard::of_runs(&heard.runs());
            prop_assert_eq!(again.as_ref(), Some(&heard));
            let most = numbers.last().map_or(64, |last| last + 64);
            let has: BTreeSet<u32> = (0..most).filter(|at| heard.has(MachineNumber(*at))).collect();
            prop_assert_eq!(has, numbers);
        }
    }

    #[test]
    fn numbers_out_of_a_damaged_log_take_no_memory() {
        let heard = Heard::of([MachineNumber(u32::MAX)].into_iter());
        assert_eq!(heard, Heard::default());
        assert_eq!(Heard::of_runs(&[1, u32::MAX]), None);
    }
}
