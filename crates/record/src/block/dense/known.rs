//! What was last known of each key: found by a hash, since every field of every event asks.

/// Values by their keys. Keys that collide, by chance or malice, cost a walk over those that are there,
/// never more than the events of one block.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Empty, or a power of two of places; a key lies at its hash or behind it.
    places: Vec<Option<(u64, u64)>>,
    used: usize,
}

impl Known {
    /// The value of a key.
    pub(super) fn get(&self, key: u64) -> Option<u64> {
        match self.places.get(self.place(key)?) {
            Some(Some((_, value))) => Some(*value),
            _ => None,
        }
    }

    /// Lets a key have this value.
    pub(super) fn insert(&mut self, key: u64, value: u64) {
        if self.used * 2 >= self.places.len() {
            self.grow();
        }
        let Some(place) = self.place(key).and_then(|at| self.places.get_mut(at)) else {
            return;
        };
        self.used += usize::from(place.is_none());
        *place = Some((key, value));
    }

    /// Where the key is, or where it would be; half of the places are always free.
    fn place(&self, key: u64) -> Option<usize> {
        let mask = self.places.len().checked_sub(1)?;
        // A multiplicative hash (Knuth, volume 3, 6.4).
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mut at = usize::try_from(hash).ok()? & mask;
        loop {
            match self.places.get(at)? {
                Some((held, _)) if *held != key => at = (at + 1) & mask,
                _ => return Some(at),
            }
        }
    }

    fn grow(&mut self) {
        let more = vec![None; (self.places.len() * 2).max(16)];
        let held = std::mem::replace(&mut self.places, more);
        self.used = 0;
        for (key, value) in held.into_iter().flatten() {
            self.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_knows_what_a_map_knows(
            said in prop::collection::vec((prop_oneof![0_u64..40, any::<u64>()], any::<u64>()), 0..300)
        ) {
            let (mut known, mut map) = (Known::default(), BTreeMap::new());
            for (key, value) in said {
                prop_assert_eq!(known.get(key), map.get(&key).copied());
                known.insert(key, value);
                map.insert(key, value);
                prop_assert_eq!(known.get(key), Some(value));
            }
            for (key, value) in map {
                prop_assert_eq!(known.get(key), Some(value));
            }
        }
    }
}
