//! The plants as they were that were asked for lately: who asks for an instant asks for it again.
//!
//! Pages of a list, one machine after the other, a list and then a count: all of them name the same
//! instant. What was known at a position never changes, so it need not be folded twice.

use super::PastTwin;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use werkbuch_model::id::{PlantId, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Spare;

/// The room of so many pages of machines is kept for the next twins: some 16 MB.
const SPARE_MAX: usize = 256;

/// Twins of the past, the one that was asked for last at the end.
#[derive(Debug)]
pub(crate) struct Recent {
    kept: Mutex<VecDeque<Kept>>,
    /// What machines of twins that had to go lay in. To free a plant's and to allocate the next one's
    /// took two fifths of a question.
    spare: Mutex<Vec<Spare>>,
    /// So many machines the twins have at most together.
    machines_max: usize,
}

#[derive(Debug)]
struct Kept {
    plant: PlantId,
    /// What was known, and what had happened.
    of: (Position, Option<Timestamp>),
    machines: usize,
    past: Arc<PastTwin>,
}

impl Recent {
    /// Keeps twins of up to so many machines together.
    pub(crate) fn new(machines_max: usize) -> Self {
        Self {
            kept: Mutex::default(),
            spare: Mutex::default(),
            machines_max,
        }
    }

    /// A plant as it was, if it is kept.
    pub(crate) fn find(
        &self,
        plant: &PlantId,
        of: (Position, Option<Timestamp>),
    ) -> Option<Arc<PastTwin>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept
            .iter()
            .find(|kept| kept.of == of && kept.plant == *plant);
        found.map(|found| Arc::clone(&found.past))
    }

    /// Keeps a plant as it was that was asked for, in the place of those that were asked for longest ago.
    /// A machine alone is soon read again.
    pub(crate) fn keep(&self, of: (Position, Option<Timestamp>), past: Arc<PastTwin>) {
        let twin = &past.twin;
        if twin.is_alone() {
            return;
        }
        // A plant without machines has sources and a description.
        let machines = twin.machines().count().max(100);
        let mut gone: Vec<Kept> = Vec::new();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let plant = twin.plant().clone();
        let same = |kept: &Kept| kept.of == of && kept.plant == plant;
        let again = kept.iter().position(same);
        gone.extend(again.and_then(|at| kept.remove(at)));
        kept.push_back(Kept {
            plant,
            of,
            machines,
            past,
        });
        let mut sum: usize = kept.iter().map(|kept| kept.machines).sum();
        while sum > self.machines_max {
            let Some(oldest) = kept.pop_front() else {
                break;
            };
            sum = sum.saturating_sub(oldest.machines);
            gone.push(oldest);
        }
        // Thousands of machines take their time: not under the lock.
        drop(kept);
        for gone in gone {
            self.give_up(gone.past);
        }
    }

    /// Room for the machines of a page.
    pub(crate) fn spare(&self) -> Spare {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.pop().unwrap_or_default()
    }

    /// Takes the room of a plant that nobody asks for any more.
    fn give_up(&self, past: Arc<PastTwin>) {
        let Some(past) = Arc::into_inner(past) else {
            return;
        };
        let room = past.twin.into_spare();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let free = SPARE_MAX.saturating_sub(spare.len());
        spare.extend(room.into_iter().take(free));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use werkbuch_twin::Twin;

    fn twin(plant: &str) -> Arc<PastTwin> {
        Arc::new(PastTwin {
            twin: Twin::new(PlantId::new(plant).unwrap()),
            mark: Position(0),
            late: 0,
        })
    }

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let recent = Recent::new(300);
        let of = |position| (Position(position), None);
        let a = PlantId::new("a").unwrap();
        for position in 1..=3 {
            recent.keep(of(position), twin("a"));
        }
        recent.keep(of(1), recent.find(&a, of(1)).unwrap());
        recent.keep(of(4), twin("a"));
        let there = [1, 2, 3, 4].map(|position| recent.find(&a, of(position)).is_some());
        assert_eq!(there, [true, false, true, true]);
        // Another plant, or another time in the plant, is another twin.
        assert!(recent.find(&PlantId::new("b").unwrap(), of(1)).is_none());
        let at = Some(Timestamp(5));
        assert!(recent.find(&a, (Position(1), at)).is_none());
    }

    #[test]
    fn a_plant_that_is_too_large_is_not_kept() {
        let recent = Recent::new(99);
        recent.keep((Position(1), None), twin("a"));
        let a = PlantId::new("a").unwrap();
        assert!(recent.find(&a, (Position(1), None)).is_none());
    }
}
