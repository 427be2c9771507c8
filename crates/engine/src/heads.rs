//! The last position of each machine, found by its number in one step.

use std::collections::BTreeMap;

/// Numbers below this have a place of their own; a description numbers its machines from 1 on.
const DENSE_END: u32 = 1 << 20;

/// The positions by number; 0 where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heads {
    dense: Vec<u64>,
    /// Numbers that no description gives, in a log that was written by something else.
    sparse: BTreeMap<u32, u64>,
}

impl Heads {
    pub(crate) fn get(&self, number: u32) -> u64 {
        if number < DENSE_END {
            return self.dense.get(number as usize).copied().unwrap_or(0);
        }
        self.sparse.get(&number).copied().unwrap_or(0)
    }

    pub(crate) fn set(&mut self, number: u32, position: u64) {
        if number >= DENSE_END {
            self.sparse.insert(number, position);
            return;
        }
        let at = number as usize;
        if at >= self.dense.len() {
            self.dense.resize(at + 1, 0);
        }
        if let Some(head) = self.dense.get_mut(at) {
            *head = position;
        }
    }

    /// What a snapshot keeps: the numbers that have a position.
    pub(crate) fn image(&self) -> BTreeMap<u32, u64> {
        let dense = (0..).zip(self.dense.iter().copied());
        let sparse = self.sparse.iter().map(|(number, head)| (*number, *head));
        dense.chain(sparse).filter(|(_, head)| *head > 0).collect()
    }

    /// What a snapshot kept.
    pub(crate) fn of_image(image: BTreeMap<u32, u64>) -> Self {
        let mut heads = Self::default();
        for (number, head) in image {
            heads.set(number, head);
        }
        heads.dense.shrink_to_fit();
        heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_keeps_its_position_also_in_a_snapshot() {
        let mut heads = Heads::default();
        let numbers = [0, 1, 7, DENSE_END - 1, DENSE_END, u32::MAX];
        for (number, position) in numbers.into_iter().zip(1..) {
            assert_eq!(heads.get(number), 0, "{number}");
            heads.set(number, position);
        }
        heads.set(7, 70);
        let image = heads.image();
        assert_eq!(image.len(), numbers.len());
        let again = Heads::of_image(image);
        for number in numbers {
            assert_ne!(heads.get(number), 0);
            assert_eq!(again.get(number), heads.get(number), "{number}");
        }
        assert_eq!((again.get(7), again.get(8)), (70, 0));
    }
}
