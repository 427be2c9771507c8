//! What went into a part of the plant, and what left it, by the counters of the machines around.

use super::graph::{Element, Graph};
use super::moves::{Moves, Range};
use super::stock::{Counted, Stocks};
use crate::Twin;
use std::collections::BTreeSet;
use std::sync::Arc;
use werkbuch_model::event::PartMeaning;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::time::Timestamp;

/// Everything that an estimate needs.
pub(super) struct Ground<'g> {
    pub(super) twin: &'g Twin,
    pub(super) graph: &'g Graph,
    pub(super) stocks: &'g Stocks,
    pub(super) moves: &'g Moves,
    pub(super) at: Timestamp,
}

/// What passed the border of a section.
#[derive(Clone, Debug, Default)]
pub(super) struct Passed {
    pub(super) entered: Range,
    pub(super) left: Range,
    /// The machines whose counts would be needed and are not there.
    pub(super) silent: Vec<String>,
}

impl Ground<'_> {
    /// What passed the border of these elements since their parts were counted. Where one part number
    /// was counted before another, nobody knows which of the two moved in between: it is in the bounds
    /// alone.
    pub(super) fn passed_since(&self, inside: &BTreeSet<&str>, counted: &Counted) -> Passed {
        let passed = self.passed(inside, counted.last);
        if counted.at == counted.last {
            return passed;
        }
        let all = self.passed(inside, counted.at);
        let with = |range: Range, upper| Range { upper, ..range };
        Passed {
            entered: with(passed.entered, all.entered.upper),
            left: with(passed.left, all.left.upper),
            silent: all.silent,
        }
    }

    /// What passed the border of these elements after `from`.
    pub(super) fn passed(&self, inside: &BTreeSet<&str>, from: Timestamp) -> Passed {
        let mut passed = Passed {
            entered: Range::exactly(0),
            left: Range::exactly(0),
            silent: Vec::new(),
        };
        for element in self.graph.elements() {
            let Some(number) = element.machine else {
                continue;
            };
            if !element.is_passed() {
                continue;
            }
            let is_in = inside.contains(&*element.id);
            let (out, in_) = (ways_out(element, inside), self.ways_in(element, inside));
            let silent = &mut passed.silent;
            let gave = self.over(element, number, out, from, silent, true);
            let took = self.over(element, number, in_, from, silent, false);
            let (gains, loses) = match is_in {
                true => (took, gave),
                false => (gave, took),
            };
            passed.entered = gains.map_or(passed.entered, |gains| passed.entered.plus(gains));
            passed.left = loses.map_or(passed.left, |loses| passed.left.plus(loses));
            if is_in && let Some(scrap) = self.made(number, PartMeaning::Scrap, from) {
                passed.left = passed.left.plus(scrap);
            }
        }
        passed
    }

    /// How many ways into a machine cross the border, of all its ways in. Only those from buffers: what
    /// comes from a machine is counted there.
    fn ways_in(&self, element: &Element, inside: &BTreeSet<&str>) -> (usize, usize) {
        let is_in = inside.contains(&*element.id);
        let is_buffer = |id: &&Arc<str>| {
            let from = self.graph.element(id);
            from.is_some_and(|from| from.machine.is_none())
        };
        let buffers = element.inlets.iter().filter(is_buffer);
        let crossing = buffers
            .filter(|id| inside.contains(&***id) != is_in)
            .count();
        let begins = is_in && (element.source.is_some() || element.inlets.is_empty());
        let begins = usize::from(begins);
        (crossing + begins, element.inlets.len() + begins)
    }

    /// What a machine gave or took along the ways that cross the border, of all its ways. A machine
    /// without a way on one side is where the described flow begins or ends: that crosses too.
    fn over(
        &self,
        element: &Element,
        number: MachineNumber,
        (crossing, all): (usize, usize),
        from: Timestamp,
        silent: &mut Vec<String>,
        gives: bool,
    ) -> Option<Range> {
        if crossing == 0 {
            return None;
        }
        let good = self.made(number, PartMeaning::Good, from);
        let every = self.made(number, PartMeaning::All, from);
        let scrap = self.made(number, PartMeaning::Scrap, from);
        let count = if gives {
            match (good, every, scrap) {
                (Some(good), _, _) => Some(good),
                (None, Some(every), Some(scrap)) => Some(without(every, scrap)),
                // Where parts may also leave by another way, nobody knows how many were good.
                (None, Some(every), None) if element.side_ways => Some(every.perhaps()),
                (None, every, None | Some(_)) => every,
            }
        } else {
            let both = good.zip(scrap).map(|(good, scrap)| good.plus(scrap));
            let good = good.map(|good| match element.side_ways {
                true => Range {
                    upper: None,
                    ..good
                },
                false => good,
            });
            every
                .or(both)
                .or(good)
                .map(|made| self.with_contents(element, made))
        };
        let Some(count) = count else {
            if !silent.iter().any(|name| **name == *element.id) {
                silent.push(element.id.to_string());
            }
            return Some(Range {
                upper: None,
                ..Range::exactly(0)
            });
        };
        Some(if crossing < all {
            count.perhaps()
        } else {
            count
        })
    }

    /// What a machine took in to have made so much: more by what it holds now, less by what it held
    /// before.
    fn with_contents(&self, element: &Element, made: Range) -> Range {
        let slots = element.capacity.unwrap_or(1);
        let now = self
            .stocks
            .tracked(&element.id)
            .map(|parts| parts.len() as u64);
        let (least, most) = now.map_or((0, slots), |parts| (parts, parts));
        Range {
            parts: made.parts,
            lower: made.lower.saturating_add(least).saturating_sub(slots),
            upper: made.upper.map(|upper| upper.saturating_add(most)),
        }
    }

    fn made(&self, number: MachineNumber, meaning: PartMeaning, from: Timestamp) -> Option<Range> {
        self.moves.made(self.twin, number, meaning, (from, self.at))
    }
}

/// How many ways out of a machine cross the border, of all its ways out.
fn ways_out(element: &Element, inside: &BTreeSet<&str>) -> (usize, usize) {
    let is_in = inside.contains(&*element.id);
    let outlets = element.outlets.iter();
    let crossing = outlets
        .filter(|id| inside.contains(&***id) != is_in)
        .count();
    let ends = is_in && (element.sink.is_some() || element.outlets.is_empty());
    let ends = usize::from(ends);
    (crossing + ends, element.outlets.len() + ends)
}

/// One count less another that is part of it.
fn without(all: Range, part: Range) -> Range {
    Range {
        parts: all.parts.saturating_sub(part.parts),
        lower: part
            .upper
            .map_or(0, |upper| all.lower.saturating_sub(upper)),
        upper: all.upper.map(|upper| upper.saturating_sub(part.lower)),
    }
}
