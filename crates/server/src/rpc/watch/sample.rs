//! Sampling: of the events that touch a machine between two looks only what they came to is told.

use super::change::{Cause, Touched, Watched};
use super::part::{Part, Parts};
use super::token::Cursor;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use werkbuch_model::id::MachineNumber;

/// The machines that were touched since the last look.
#[derive(Default)]
pub(super) struct Samples(BTreeMap<MachineNumber, Sample>);

/// What happened to a machine since the last look.
struct Sample {
    /// From before the first event to after the last.
    touched: Touched,
    last: Cause,
    events: u32,
}

impl Samples {
    /// Takes the machines that an event touched.
    pub(super) fn take(&mut self, touched: impl IntoIterator<Item = Touched>, cause: Cause) {
        for touched in touched {
            match self.0.entry(touched.machine) {
                Entry::Vacant(vacant) => {
                    vacant.insert(Sample {
                        touched,
                        last: cause,
                        events: 1,
                    });
                }
                Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    known.touched.is = touched.is;
                    known.touched.gone = touched.gone;
                    known.touched.inferred &= touched.inferred;
                    known.last = cause;
                    known.events = known.events.saturating_add(1);
                }
            }
        }
    }

    /// Whether nothing was touched since the last look.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells what the next `most` machines came to. What came and went between two looks is not told.
    /// Only the last part of the last machines moves the place to resume: one that is lost on the way
    /// is told anew.
    pub(super) fn tell(&mut self, watched: &Watched, told: Cursor, most: usize) -> Vec<Part> {
        let mut parts = Parts::new(watched.twin.plant().clone(), told);
        for _ in 0..most {
            let Some((_, sample)) = self.0.pop_first() else {
                break;
            };
            if sample.touched.was || sample.touched.is {
                let change = watched.change(&sample.touched, &sample.last, sample.events);
                parts.push(change, told);
            }
        }
        if self.is_empty() {
            parts.finish(Cursor::of(&watched.twin))
        } else {
            parts.stay()
        }
    }
}
