//! Since when a condition has held, and how long it held: noted look by look.

use werkbuch_model::time::Timestamp;

/// Since when a condition has held of one thing, with why it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held<W> {
    since: Option<(Timestamp, W)>,
}

/// A time, half-open, during which a condition held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spell<W> {
    /// The first time at which it held.
    pub begin: Timestamp,
    /// The first time at which it no longer did.
    pub end: Timestamp,
    /// Why it did.
    pub why: W,
}

impl<W> Default for Held<W> {
    fn default() -> Self {
        Self { since: None }
    }
}

impl<W> Held<W> {
    /// Looks whether the condition holds from a time on; the looks come in the order of time, and between
    /// two of them nothing changes. Answers the time during which it held when that ends here. What
    /// begins and ends at the same time never was.
    pub fn look(
        &mut self,
        at: Timestamp,
        holds: bool,
        why: impl FnOnce() -> W,
    ) -> Option<Spell<W>> {
        if holds {
            self.since.get_or_insert_with(|| (at, why()));
            return None;
        }
        let (begin, why) = self.since.take()?;
        let spell = Spell {
            begin,
            end: at,
            why,
        };
        (begin < at).then_some(spell)
    }

    /// Since when it has held, and why; nothing when it does not.
    #[must_use]
    pub fn since(&self) -> Option<(Timestamp, &W)> {
        self.since.as_ref().map(|(since, why)| (*since, why))
    }

    /// When it has held for so many nanoseconds, if it goes on; nothing when it does not hold.
    #[must_use]
    pub fn reaches(&self, hold_ns: u64) -> Option<Timestamp> {
        let (since, _) = self.since.as_ref()?;
        Some(since.plus(i64::try_from(hold_ns).unwrap_or(i64::MAX)))
    }

    /// Notes that it began at another time than was seen, for which there is another reason.
    pub fn began(&mut self, at: Timestamp, why: W) {
        if self.since.is_some() {
            self.since = Some((at, why));
        }
    }
}

impl<W> Spell<W> {
    /// How long it was, in nanoseconds.
    #[must_use]
    pub fn length_ns(&self) -> u64 {
        u64::try_from(self.end.since(self.begin)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn at(time: i64) -> Timestamp {
        Timestamp(time)
    }

    #[test]
    fn a_spell_lasts_from_the_first_look_that_holds_to_the_first_that_does_not() {
        let mut held = Held::default();
        assert_eq!(held.look(at(1), false, || "a"), None);
        assert_eq!(held.look(at(3), true, || "b"), None);
        assert_eq!(held.look(at(5), true, || "c"), None);
        assert_eq!(held.since(), Some((at(3), &"b")));
        assert_eq!(held.reaches(10), Some(at(13)));
        let spell = held.look(at(9), false, || "d").unwrap();
        assert_eq!((spell.begin, spell.end, spell.why), (at(3), at(9), "b"));
        assert_eq!(spell.length_ns(), 6);
        assert_eq!((held.since(), held.reaches(1)), (None, None));
        // For no time at all is never.
        held.look(at(10), true, || "e");
        assert_eq!(held.look(at(10), false, || "f"), None);
        held.look(at(11), true, || "g");
        assert_eq!(held.reaches(u64::MAX), Some(Timestamp::MAX));
        held.began(at(-4), "h");
        assert_eq!(held.since(), Some((at(-4), &"h")));
    }

    proptest! {
        /// Whatever the looks, an instant lies in a spell exactly when the last look at or before it held.
        #[test]
        fn spells_are_the_instants_at_which_it_held(
            looks in prop::collection::vec((0..4_i64, any::<bool>()), 0..40),
        ) {
            let (mut held, mut time) = (Held::default(), 0);
            let (mut spells, mut told) = (Vec::new(), Vec::new());
            for (pause, holds) in looks {
                time += pause;
                told.push((time, holds));
                spells.extend(held.look(at(time), holds, || ()));
            }
            let open = held.since().map(|(since, ())| since);
            for instant in 0..=time + 1 {
                let last = told.iter().rfind(|(when, _)| *when <= instant);
                let holds = last.is_some_and(|(_, holds)| *holds);
                let instant = at(instant);
                let mut fitting = spells.iter().filter(|one| one.begin <= instant && instant < one.end);
                let found = fitting.next().is_some() || open.is_some_and(|since| since <= instant);
                prop_assert_eq!(found, holds, "{:?}", instant);
                prop_assert!(fitting.next().is_none());
            }
            let ordered = spells.windows(2).all(|pair| pair[0].end <= pair[1].begin);
            prop_assert!(ordered && spells.iter().all(|one| one.begin < one.end));
        }
    }
}
