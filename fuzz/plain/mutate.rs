//! Mutations of valid examples that follow a seed.

/// A small generator (SplitMix64, Steele and others 2014), so that a number is all a failure needs.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// An input made of the examples: one of them with a few changes, or now and then mere noise.
pub(crate) fn input(examples: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    if chance.below(64) == 0 {
        return (0..chance.below(200))
            .map(|_| chance.next() as u8)
            .collect();
    }
    let mut bytes = examples[chance.below(examples.len())].clone();
    for _ in 0..=chance.below(4) {
        let other = &examples[chance.below(examples.len())];
        change(&mut bytes, other, chance);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let length = bytes.len();
    let at = chance.below(length);
    let some = chance.below(24.min(length - at.min(length)) + 1);
    match chance.below(10) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = [0, 1, 0x7f, 0x80, 0xff, b'\'', b'|', b'\n'][chance.below(8)];
            }
        }
        // A number of four or eight bytes at its border.
        3 => {
            let value = [
                0,
                1,
                u64::MAX,
                i64::MAX as u64,
                u64::from(u32::MAX),
                1 << 31,
            ][chance.below(6)];
            let width = [4, 8][chance.below(2)];
            for (place, byte) in bytes.iter_mut().skip(at).zip(&value.to_le_bytes()[..width]) {
                *place = *byte;
            }
        }
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..at + some)),
        // A stretch twice, here or elsewhere.
        6 => {
            let twice = bytes[at..at + some].to_vec();
            let to = chance.below(length + 1);
            bytes.splice(to..to, twice);
        }
        7 => {
            let to = chance.below(length);
            let stretch = bytes[at..at + some].to_vec();
            for (place, byte) in bytes.iter_mut().skip(to).zip(stretch) {
                *place = byte;
            }
        }
        // The end of another example behind a beginning of this one.
        8 => {
            bytes.truncate(at);
            bytes.extend(&other[chance.below(other.len() + 1)..]);
        }
        _ => {
            let noise: Vec<u8> = (0..some).map(|_| chance.next() as u8).collect();
            bytes.splice(at..at, noise);
        }
    }
}
