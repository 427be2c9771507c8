//! A condition that must hold for a while to raise something, and another one for a while to clear it.

use super::Held;
use werkbuch_model::time::Timestamp;

/// How long conditions must hold, in nanoseconds; 0 for at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What raises.
    pub hold_ns: u64,
    /// What clears.
    pub clear_hold_ns: u64,
}

/// What is raised of one thing, or on its way to be.
///
/// It is raised when what raises has held without a break for its time, and cleared when what clears has;
/// what clears does not count while what raises holds. Both come at the very end of that time, whether or
/// not anything happens then: so they depend on what held when, and not on when one looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latch<W> {
    raises: Held<W>,
    clears: Held<()>,
    raised: bool,
}

/// Something is raised or cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn<W> {
    /// When.
    pub at: Timestamp,
    /// Since when the condition held that did it.
    pub since: Timestamp,
    /// Why that one held; absent for what is cleared.
    pub raised: Option<W>,
}

impl<W> Default for Latch<W> {
    fn default() -> Self {
        Self {
            raises: Held::default(),
            clears: Held::default(),
            raised: false,
        }
    }
}

impl<W: Clone> Latch<W> {
    /// Looks whether what raises and what clears hold from a time on; the looks come in the order of time.
    /// Answers what that leads to up to this time, in order.
    pub fn look(
        &mut self,
        terms: Terms,
        at: Timestamp,
        (raises, clears): (bool, bool),
        why: impl FnOnce() -> W,
    ) -> Vec<Turn<W>> {
        let mut turns: Vec<Turn<W>> = self.pass(terms, at).into_iter().collect();
        self.raises.look(at, raises, why);
        self.clears.look(at, clears && !raises, || ());
        turns.extend(self.pass(terms, at));
        turns
    }

    /// When it will be raised or cleared, if all stays as it is.
    #[must_use]
    pub fn due(&self, terms: Terms) -> Option<Timestamp> {
        match self.raised {
            false => self.raises.reaches(terms.hold_ns),
            true => self.clears.reaches(terms.clear_hold_ns),
        }
    }

    /// Takes up that time has passed. Answers what that leads to.
    pub fn pass(&mut self, terms: Terms, now: Timestamp) -> Option<Turn<W>> {
        let at = self.due(terms).filter(|due| *due <= now)?;
        let turn = match self.raised {
            false => {
                let (since, why) = self.raises.since()?;
                Turn {
                    at,
                    since,
                    raised: Some(why.clone()),
                }
            }
            true => Turn {
                at,
                since: self.clears.since()?.0,
                raised: None,
            },
        };
        self.raised = !self.raised;
        Some(turn)
    }

    /// Takes up that it was decided elsewhere whether it is raised. What holds since when stays as it is.
    pub fn stand(&mut self, raised: bool) {
        self.raised = raised;
    }

    /// Whether it is raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.raised
    }

    /// Whether nothing is raised, and nothing on its way to be.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.raised && self.raises.since().is_none()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// What is raised (true) and cleared at each time, found tick by tick from what held in between.
    fn naive(held: &[(bool, bool)], hold: usize, clear_hold: usize) -> Vec<(usize, bool)> {
        let (mut turns, mut raised, mut begun) = (Vec::new(), false, 0);
        for at in 0..=held.len() {
            // What was true before the last turn does not count again.
            let was = |begun: usize, ticks: usize, of: &dyn Fn(&(bool, bool)) -> bool| match ticks {
                0 => held.get(at).is_some_and(of),
                _ => at >= begun + ticks && held[at - ticks..at].iter().all(of),
            };
            for _ in 0..2 {
                let turns_now = match raised {
                    false => was(begun, hold, &|(raises, _)| *raises),
                    true => was(begun, clear_hold, &|(raises, clears)| *clears && !*raises),
                };
                if turns_now {
                    raised = !raised;
                    turns.push((at, raised));
                    begun = at;
                }
            }
        }
        turns
    }

    fn followed(
        held: &[(bool, bool)],
        (hold, clear_hold): (usize, usize),
        looks: &[bool],
    ) -> Vec<(usize, bool)> {
        let terms = Terms {
            hold_ns: hold as u64,
            clear_hold_ns: clear_hold as u64,
        };
        let mut latch = Latch::default();
        let mut turns: Vec<Turn<()>> = Vec::new();
        let mut before = (false, false);
        for (at, now) in held.iter().enumerate() {
            let looks = looks.get(at).copied().unwrap_or(false);
            // A look is due where something changes, and does no harm elsewhere.
            if *now != before || looks {
                turns.extend(latch.look(terms, Timestamp(at as i64), *now, || ()));
            }
            before = *now;
        }
        let end = Timestamp(held.len() as i64);
        while let Some(turn) = latch.pass(terms, end) {
            turns.push(turn);
        }
        let turns = turns.into_iter();
        turns
            .map(|turn| (turn.at.nanos() as usize, turn.raised.is_some()))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn turns_are_those_of_every_tick_whenever_one_looks(
            held in prop::collection::vec((any::<bool>(), any::<bool>()), 0..40),
            hold in 0..5_usize,
            clear_hold in 0..5_usize,
            looks in prop::collection::vec(any::<bool>(), 40),
        ) {
            let expected = naive(&held, hold, clear_hold);
            let none = vec![false; looks.len()];
            prop_assert_eq!(followed(&held, (hold, clear_hold), &none), expected.clone());
            prop_assert_eq!(followed(&held, (hold, clear_hold), &looks), expected);
        }
    }

    #[test]
    fn what_flickers_is_neither_raised_nor_cleared() {
        let held = |text: &str| -> Vec<(bool, bool)> {
            text.chars().map(|one| (one == 'r', one == 'c')).collect()
        };
        for (text, expected) in [
            ("rr.rr.rr", vec![]),
            ("rrr", vec![(3, true)]),
            ("rrr.cr.c", vec![(3, true)]),
            ("rrr.cc.rrr", vec![(3, true), (6, false), (10, true)]),
            ("rrrcc", vec![(3, true), (5, false)]),
        ] {
            assert_eq!(followed(&held(text), (3, 2), &[]), expected, "{text}");
        }
    }
}
