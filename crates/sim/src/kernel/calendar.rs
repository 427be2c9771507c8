//! What is due, in a total order: time, then priority, then the order of planning.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// The events to come of one simulation.
///
/// Two events never compare as equal: at one time the lower priority number goes first, and of
/// equal ones the one that was planned first. What is planned is never taken out again; who plans
/// something that may become void carries a generation in it and looks when it is due.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    planned: u64,
    now_ns: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    key: (u64, u8, u64),
    what: E,
}

impl<E: Copy> Calendar<E> {
    /// An empty calendar at time 0.
    #[must_use]
    pub fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            planned: 0,
            now_ns: 0,
        }
    }

    /// The time of the event that was taken last, in nanoseconds of simulated time.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Plans an event `after_ns` nanoseconds from now. Low priority numbers go first.
    pub fn plan(&mut self, after_ns: u64, priority: u8, what: E) {
        let at_ns = self.now_ns.saturating_add(after_ns);
        let key = (at_ns, priority, self.planned);
        self.planned += 1;
        self.heap.push(Reverse(Entry { key, what }));
    }

    /// The time of the next event; absent when nothing is planned.
    #[must_use]
    pub fn next_ns(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(entry)| entry.key.0)
    }

    /// Takes the next event and moves the time on to it, unless it lies at or after `end_ns`: then
    /// the time moves to `end_ns` and nothing is taken. An event at exactly the end is not run.
    pub fn take_before(&mut self, end_ns: u64) -> Option<E> {
        match self.heap.peek() {
            Some(Reverse(entry)) if entry.key.0 < end_ns => {
                let Reverse(entry) = self.heap.pop()?;
                self.now_ns = entry.key.0;
                Some(entry.what)
            }
            _ => {
                self.now_ns = self.now_ns.max(end_ns);
                None
            }
        }
    }

    /// How many events are planned, those that became void included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is planned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_then_priority_then_order_of_planning() {
        let mut calendar = Calendar::new();
        for (after, priority, what) in [
            (5, 1, 'd'),
            (5, 0, 'b'),
            (9, 0, 'e'),
            (5, 0, 'c'),
            (1, 7, 'a'),
        ] {
            calendar.plan(after, priority, what);
        }
        let mut taken = String::new();
        while let Some(what) = calendar.take_before(9) {
            taken.push(what);
        }
        assert_eq!(taken, "abcd", "the end is exclusive");
        assert_eq!(
            (calendar.now_ns(), calendar.next_ns(), calendar.len()),
            (9, Some(9), 1)
        );
        assert_eq!(calendar.take_before(10), Some('e'));
        assert_eq!(calendar.take_before(10), None);
        assert!(calendar.is_empty());
        calendar.plan(u64::MAX, 0, 'z');
        assert_eq!(
            calendar.next_ns(),
            Some(u64::MAX),
            "held at the end of time"
        );
    }
}
