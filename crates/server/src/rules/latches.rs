//! Of which machines rules are raised or on their way to be, and when each of them turns.

use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::id::MachineNumber;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::course::{Latch, Terms, Turn};

/// A machine, and the number of a rule in its list.
pub(crate) type Key = (MachineNumber, usize);

/// A rule that is raised or cleared of a machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turned<W> {
    pub(crate) rule: usize,
    pub(crate) machine: MachineNumber,
    pub(crate) turn: Turn<W>,
}

/// The latches of rules. What is neither raised nor on its way takes no memory.
#[derive(Clone, Debug)]
pub(crate) struct Latches<W> {
    terms: Vec<Terms>,
    kept: BTreeMap<Key, Kept<W>>,
    /// When to look at each that turns by itself.
    due: BTreeSet<(Timestamp, Key)>,
}

#[derive(Clone, Debug)]
struct Kept<W> {
    latch: Latch<W>,
    look: Option<Timestamp>,
}

impl<W: Clone> Latches<W> {
    pub(crate) fn new(terms: Vec<Terms>) -> Self {
        Self {
            terms,
            kept: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// Whether a rule is raised of a machine, or on its way to be.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.kept.contains_key(&key)
    }

    /// The machines of which any rule is raised, or on its way to be.
    pub(crate) fn machines(&self) -> BTreeSet<MachineNumber> {
        self.kept.keys().map(|(machine, _)| *machine).collect()
    }

    /// Looks at a rule and a machine: whether what raises and what clears holds from a time on. `behind` is
    /// how long after a time of the plant the machine is heard of. Answers what that leads to, in order.
    pub(crate) fn look(
        &mut self,
        key: Key,
        (at, behind): (Timestamp, i64),
        holds: (bool, bool),
        why: impl FnOnce() -> W,
    ) -> Vec<Turned<W>> {
        let terms = self.terms(key);
        let kept = self.kept.entry(key).or_insert_with(|| Kept {
            latch: Latch::default(),
            look: None,
        });
        let turns = kept.latch.look(terms, at, holds, why);
        self.note(key, behind);
        let (machine, rule) = key;
        let turned = |turn| Turned {
            rule,
            machine,
            turn,
        };
        turns.into_iter().map(turned).collect()
    }

    /// Notes how long after a time of the plant a machine is heard of now.
    pub(crate) fn heard(&mut self, machine: MachineNumber, behind: i64) {
        let of = self.kept.range((machine, 0)..=(machine, usize::MAX));
        let keys: Vec<Key> = of.map(|(key, _)| *key).collect();
        for key in keys {
            self.note(key, behind);
        }
    }

    /// Takes up that time has passed, as each machine is heard of: `behind` tells how long after a time of the
    /// plant that is. Answers what turns by then, by when it is looked at.
    pub(crate) fn pass(
        &mut self,
        now: Timestamp,
        behind: &dyn Fn(MachineNumber) -> i64,
    ) -> Vec<Turned<W>> {
        let mut turned = Vec::new();
        while let Some((look, key)) = self.due.first().copied()
            && look <= now
        {
            let terms = self.terms(key);
            let (machine, rule) = key;
            let latch = self.kept.get_mut(&key).map(|kept| &mut kept.latch);
            if let Some(latch) = latch
                && let Some(due) = latch.due(terms)
                && due.plus(behind(machine)) <= now
                && let Some(turn) = latch.pass(terms, due)
            {
                turned.push(Turned {
                    rule,
                    machine,
                    turn,
                });
            }
            self.note(key, behind(machine));
        }
        turned
    }

    /// When something turns next, if all stays as it is.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(look, _)| *look)
    }

    /// Turns a latch that turns by itself, whatever the time; nothing when it does not.
    pub(crate) fn turn(&mut self, key: Key, behind: i64) -> Option<Turn<W>> {
        let terms = self.terms(key);
        let latch = &mut self.kept.get_mut(&key)?.latch;
        let turn = latch.due(terms).and_then(|due| latch.pass(terms, due));
        self.note(key, behind);
        turn
    }

    /// Takes up that it was decided elsewhere whether a rule is raised of a machine.
    pub(crate) fn stand(&mut self, key: Key, raised: bool, behind: i64) {
        let kept = self.kept.entry(key).or_insert_with(|| Kept {
            latch: Latch::default(),
            look: None,
        });
        kept.latch.stand(raised);
        self.note(key, behind);
    }

    fn terms(&self, (_, rule): Key) -> Terms {
        self.terms.get(rule).copied().unwrap_or_default()
    }

    /// Notes when to look at a latch; one of which nothing is left is forgotten.
    fn note(&mut self, key: Key, behind: i64) {
        let terms = self.terms(key);
        let Some(kept) = self.kept.get_mut(&key) else {
            return;
        };
        if let Some(look) = kept.look.take() {
            self.due.remove(&(look, key));
        }
        if kept.latch.is_idle() {
            self.kept.remove(&key);
            return;
        }
        kept.look = kept.latch.due(terms).map(|due| due.plus(behind));
        self.due.extend(kept.look.map(|look| (look, key)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KEY: Key = (MachineNumber(3), 0);

    fn latches() -> Latches<()> {
        let terms = Terms {
            hold_ns: 10,
            clear_hold_ns: 4,
        };
        Latches::new(vec![terms])
    }

    fn at(turned: &[Turned<()>]) -> Vec<(i64, bool)> {
        let turns = turned.iter().map(|one| &one.turn);
        turns
            .map(|turn| (turn.at.nanos(), turn.raised.is_some()))
            .collect()
    }

    #[test]
    fn a_machine_turns_as_far_behind_as_it_is_heard_of() {
        let mut latches = latches();
        let turned = latches.look(KEY, (Timestamp(100), 50), (true, false), || ());
        assert_eq!(at(&turned), []);
        assert_eq!(latches.next(), Some(Timestamp(160)));
        assert_eq!(at(&latches.pass(Timestamp(159), &|_| 50)), []);
        // It is heard of sooner now, and later again.
        latches.heard(KEY.0, 0);
        assert_eq!(latches.next(), Some(Timestamp(110)));
        assert_eq!(at(&latches.pass(Timestamp(120), &|_| 30)), []);
        assert_eq!(latches.next(), Some(Timestamp(140)));
        assert_eq!(at(&latches.pass(Timestamp(140), &|_| 30)), [(110, true)]);
        assert_eq!(latches.next(), None, "nothing clears it by itself");
        let turned = latches.look(KEY, (Timestamp(120), 0), (false, true), || ());
        assert_eq!(at(&turned), []);
        let turned = latches.look(KEY, (Timestamp(200), 0), (true, false), || ());
        assert_eq!(
            at(&turned),
            [(124, false)],
            "before what it was looked at for"
        );
        assert_eq!(latches.next(), Some(Timestamp(210)));
        let turned = latches.look(KEY, (Timestamp(201), 0), (false, false), || ());
        assert_eq!(at(&turned), []);
        assert!(
            !latches.has(KEY) && latches.next().is_none(),
            "nothing is left"
        );
    }

    #[test]
    fn what_was_decided_elsewhere_holds() {
        let mut latches = latches();
        latches.stand(KEY, true, 0);
        assert!(latches.has(KEY));
        latches.look(KEY, (Timestamp(100), 0), (false, true), || ());
        assert_eq!(at(&latches.pass(Timestamp(104), &|_| 0)), [(104, false)]);
        latches.look(KEY, (Timestamp(110), 0), (true, false), || ());
        let turn = latches.turn(KEY, 0).unwrap();
        assert_eq!((turn.at, turn.raised.is_some()), (Timestamp(120), true));
        assert_eq!(latches.turn(KEY, 0), None);
        latches.look(KEY, (Timestamp(130), 0), (false, false), || ());
        latches.stand(KEY, false, 0);
        assert!(!latches.has(KEY));
    }
}
