//! What happened in a window of plant time, gathered from a log in the order of positions, within a bound.

use super::{Happening, How, places};
use crate::quality::Window;
use std::collections::BTreeMap;
use werkbuch_model::event::{Body, Recorded};
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;

/// What an entry takes beside its event.
const ENTRY_BYTES: usize = 128;

/// What happened in a window, each thing with the stored event that says so. When that becomes too much
/// the window ends earlier, and what follows is gathered by another one.
#[derive(Clone, Debug)]
pub struct Happened<T> {
    window: Window,
    entries: BTreeMap<(Timestamp, Position, How), Entry<T>>,
    /// Where corrections have put what they correct.
    moved: BTreeMap<Position, Timestamp>,
    bytes: usize,
    bytes_max: usize,
}

/// An event of which a part says what happened.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// The event as it was kept.
    pub event: T,
    part: usize,
    how: How,
    bytes: usize,
}

impl<T> Entry<T> {
    /// What happened, from the event; nothing for another event.
    #[must_use]
    pub fn happening<'e>(&self, event: Recorded<'e>) -> Option<Happening<'e>> {
        let happening = Happening::of(event, self.part)?;
        Some(Happening {
            how: self.how,
            ..happening
        })
    }
}

impl<T: Clone> Happened<T> {
    /// Gathers what happened in a window, in about so many bytes.
    #[must_use]
    pub fn new(window: Window, bytes_max: usize) -> Self {
        Self {
            window,
            entries: BTreeMap::new(),
            moved: BTreeMap::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// Takes the next event of the log, of `bytes` bytes. Of what lies in the window that is kept which
    /// `wanted` wants.
    pub fn take(
        &mut self,
        event: &Recorded<'_>,
        bytes: usize,
        wanted: &dyn Fn(&Body<'_>) -> bool,
        keep: impl FnOnce() -> T,
    ) {
        let mut kept = None;
        let mut keep = Some(keep);
        for place in places(event) {
            let how = match place.before {
                None => How::Said,
                Some(before) => {
                    self.vacate(before, place.place);
                    let order = place.order.filter(|order| order.effective_at != before);
                    let moved = match order {
                        Some(order) => self.moved.insert(place.place, order.effective_at),
                        None => self.moved.remove(&place.place),
                    };
                    if let Some(moved) = moved {
                        self.vacate(moved, place.place);
                    }
                    How::Restated
                }
            };
            let body = match event.corrected.get(place.part) {
                Some(corrected) if how == How::Restated => &corrected.body,
                _ => &event.reported.body,
            };
            let at = place.order.map(|order| order.effective_at);
            let Some(at) = at.filter(|at| self.window.holds(*at) && wanted(body)) else {
                continue;
            };
            kept = kept.or_else(|| keep.take().map(|keep| keep()));
            let Some(event) = kept.clone() else { continue };
            let entry = Entry {
                event,
                part: place.part,
                how,
                bytes: bytes.saturating_add(ENTRY_BYTES),
            };
            self.insert((at, place.place, how), entry);
        }
        if self.bytes > self.bytes_max {
            self.cut();
        }
    }

    /// The first time that may be missing: the end of the window, or where it was cut.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.window.to
    }

    /// When the next thing happened; absent when there is nothing left.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.entries.keys().next().map(|(at, ..)| *at)
    }

    /// Takes out what happened next: all of one time.
    pub fn next_moment(&mut self) -> Vec<Entry<T>> {
        let mut moment = Vec::new();
        let Some(at) = self.next_at() else {
            return moment;
        };
        while let Some(first) = self.entries.first_entry() {
            if first.key().0 != at {
                break;
            }
            let entry = first.remove();
            self.bytes = self.bytes.saturating_sub(entry.bytes);
            moment.push(entry);
        }
        moment
    }

    fn insert(&mut self, key: (Timestamp, Position, How), entry: Entry<T>) {
        self.bytes = self.bytes.saturating_add(entry.bytes);
        if let Some(before) = self.entries.insert(key, entry) {
            self.bytes = self.bytes.saturating_sub(before.bytes);
        }
    }

    /// Takes what stood at a place away; that it was said stays.
    fn vacate(&mut self, before: Timestamp, place: Position) {
        for (was, left) in [(How::Said, How::Gone), (How::Restated, How::Withdrawn)] {
            if let Some(mut entry) = self.entries.remove(&(before, place, was)) {
                self.bytes = self.bytes.saturating_sub(entry.bytes);
                entry.how = left;
                self.insert((before, place, left), entry);
            }
        }
    }

    /// Ends the window earlier, so that a quarter of the room is free again. What happened at its very
    /// first time stays, however much it is.
    fn cut(&mut self) {
        let most = self.bytes_max - self.bytes_max / 4;
        let Some(first) = self.next_at() else {
            return;
        };
        let mut left = self.bytes;
        let mut end = None;
        for ((at, ..), entry) in self.entries.iter().rev() {
            if *at == first || (left <= most && end != Some(*at)) {
                break;
            }
            left = left.saturating_sub(entry.bytes);
            end = Some(*at);
        }
        if let Some(end) = end {
            self.window.to = end;
            self.entries.retain(|(at, ..), _| *at < end);
            self.bytes = self.entries.values().map(|entry| entry.bytes).sum();
        }
    }
}
