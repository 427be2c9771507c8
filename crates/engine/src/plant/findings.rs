//! What rules found, the newest of it in memory: what was raised in the past is told by going back over it.

use crate::rules::Raised;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use werkbuch_model::event::{Body, Recorded};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;

/// So many findings of a plant are kept, some 100 bytes each; what is older is read where it is asked for.
const KEPT_MAX: usize = if cfg!(test) { 3 } else { 100_000 };

/// That a rule was raised for a machine, or cleared.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) position: Position,
    /// The finding before it; 0 for the first.
    pub(super) before: Position,
    pub(super) recorded_at: Timestamp,
    pub(super) rule: Arc<str>,
    pub(super) machine: MachineNumber,
    pub(super) effective_at: Timestamp,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Raised(Raised),
    /// Cleared what was raised at a position; 0 where that is not told.
    Cleared(Position),
}

impl Finding {
    /// What an event says of a rule, if it does.
    pub(super) fn of(event: &Recorded<'_>) -> Option<Self> {
        let (rule, before, what) = match &event.reported.body {
            Body::RuleRaised(said) => {
                let raised = Raised::of(event, said);
                (&said.rule, said.before, What::Raised(raised))
            }
            Body::RuleCleared(said) => (&said.rule, said.before, What::Cleared(said.raised)),
            _ => return None,
        };
        // The chain leads backwards; nothing else may keep a reader for ever.
        let before = if before < event.position {
            before
        } else {
            Position(0)
        };
        Some(Self {
            position: event.position,
            before,
            recorded_at: event.recorded_at,
            rule: Arc::from(rule.as_ref()),
            machine: event.reported.machine,
            effective_at: event.effective_at,
            what,
        })
    }
}

/// The newest findings of a plant that were asked for, in their order, none between them left out.
#[derive(Debug, Default)]
pub(crate) struct Findings(Mutex<VecDeque<Finding>>);

impl Findings {
    /// Hands over findings from the one at `last` back to the first, until `take` answers false. What is not
    /// kept is read with `read`, and then kept while there is room. Errors: those of `read`.
    pub(super) fn back_from<E>(
        &self,
        last: Position,
        mut read: impl FnMut(Position) -> Result<Option<Finding>, E>,
        mut take: impl FnMut(&Finding) -> bool,
    ) -> Result<(), E> {
        let newest = self.kept(|kept| kept.back().map_or(Position(0), |one| one.position));
        let mut next = last;
        let mut goes_on = true;

        // What is newer than all that is kept is read down to it, further than asked for: no gap is left so.
        let mut newer = Vec::new();
        while next > newest && (goes_on || newest.get() > 0 && newer.len() < KEPT_MAX) {
            let found = read(next)?;
            next = found.as_ref().map_or(Position(0), |one| one.before);
            let Some(found) = found else { break };
            goes_on = goes_on && take(&found);
            if newer.len() < KEPT_MAX {
                newer.push(found);
            }
        }
        self.keep_newer(newest, newer);

        while goes_on && next.get() > 0 {
            let asked = next;
            self.kept(|kept| {
                let Ok(at) = kept.binary_search_by_key(&next, |one| one.position) else {
                    return;
                };
                for one in kept.range(..=at).rev() {
                    next = one.before;
                    goes_on = take(one);
                    if !goes_on {
                        return;
                    }
                }
            });
            if next != asked {
                continue;
            }
            let Some(found) = read(next)? else { break };
            goes_on = take(&found);
            next = found.before;
            self.keep_older(found);
        }
        Ok(())
    }

    /// The finding at a position, if it is kept.
    pub(super) fn at(&self, position: Position) -> Option<Finding> {
        self.kept(|kept| {
            let at = kept.binary_search_by_key(&position, |one| one.position);
            kept.get(at.ok()?).cloned()
        })
    }

    /// Keeps findings, newest first, that were read when `newest` was the newest one kept.
    fn keep_newer(&self, newest: Position, newer: Vec<Finding>) {
        let Some(before) = newer.last().map(|oldest| oldest.before) else {
            return;
        };
        self.kept(|kept| {
            // Else another reader has kept them meanwhile.
            if kept.back().map_or(Position(0), |one| one.position) != newest {
                return;
            }
            if before != newest {
                kept.clear();
            }
            kept.extend(newer.into_iter().rev());
            let too_many = kept.len().saturating_sub(KEPT_MAX);
            kept.drain(..too_many);
        });
    }

    /// Keeps a finding if it is the one before all that is kept, and there is room.
    fn keep_older(&self, found: Finding) {
        self.kept(|kept| {
            let is_next = kept
                .front()
                .is_some_and(|front| front.before == found.position);
            if is_next && kept.len() < KEPT_MAX {
                kept.push_front(found);
            }
        });
    }

    fn kept<T>(&self, with: impl FnOnce(&mut VecDeque<Finding>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// A chain of findings at 10, 20, 30 and so on.
    fn finding(position: u64) -> Finding {
        Finding {
            position: Position(position),
            before: Position(position - 10),
            recorded_at: Timestamp(0),
            rule: "late".into(),
            machine: MachineNumber(1),
            effective_at: Timestamp(0),
            what: What::Cleared(Position(0)),
        }
    }

    /// Goes back from `last` to the finding at `until`; answers what was handed over, and what was read for it.
    fn back(findings: &Findings, last: u64, until: u64) -> (Vec<u64>, Vec<u64>) {
        let (read, taken) = (RefCell::default(), RefCell::default());
        let from_log = |at: Position| {
            RefCell::<Vec<u64>>::borrow_mut(&read).push(at.get());
            Ok::<_, std::convert::Infallible>(Some(finding(at.get())))
        };
        let take = |one: &Finding| {
            RefCell::<Vec<u64>>::borrow_mut(&taken).push(one.position.get());
            one.position.get() > until
        };
        let Ok(()) = findings.back_from(Position(last), from_log, take);
        (taken.into_inner(), read.into_inner())
    }

    #[test]
    fn each_is_read_once_while_there_is_room() {
        let findings = Findings::default();
        assert_eq!(back(&findings, 50, 40), (vec![50, 40], vec![50, 40]));
        assert_eq!(back(&findings, 50, 40), (vec![50, 40], vec![]));
        assert_eq!(back(&findings, 50, 30), (vec![50, 40, 30], vec![30]));
        // There is room for three: what is older is read each time.
        assert_eq!(back(&findings, 50, 20), (vec![50, 40, 30, 20], vec![20]));
        assert_eq!(back(&findings, 50, 10).1, [20, 10]);
        assert_eq!(back(&findings, 40, 30), (vec![40, 30], vec![]));
        assert!(findings.at(Position(30)).is_some());
        assert!(findings.at(Position(20)).is_none());
        assert!(findings.at(Position(35)).is_none());
    }

    #[test]
    fn who_asks_late_for_what_was_before_leaves_no_gap() {
        let findings = Findings::default();
        back(&findings, 30, 30);
        // 50 alone was asked for; 40 is read with it, so that 30 still joins.
        assert_eq!(back(&findings, 50, 50), (vec![50], vec![50, 40]));
        assert_eq!(back(&findings, 50, 30), (vec![50, 40, 30], vec![]));
        // What is newer by more than there is room for stands alone.
        assert_eq!(back(&findings, 100, 100), (vec![100], vec![100, 90, 80]));
        assert_eq!(back(&findings, 100, 70).1, [70]);
        assert!(findings.at(Position(50)).is_none());
        // Who stood at 60 when that was the last still gets all, and changes nothing.
        assert_eq!(back(&findings, 60, 50), (vec![60, 50], vec![60, 50]));
        assert_eq!(back(&findings, 100, 80).1, [0_u64; 0]);
        let all = back(&findings, 100, 0);
        assert_eq!(all.0, [100, 90, 80, 70, 60, 50, 40, 30, 20, 10]);
    }
}
