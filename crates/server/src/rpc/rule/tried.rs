//! Follows rules through the window of one plant, from some time before it on.

use super::find::Part;
use crate::limits::FIND_MOMENTS;
use crate::sweep::{Gauge, RuleTurn, Rules, Sweep};
use std::collections::BTreeMap;
use std::sync::Arc;
use werkbuch_engine::EngineError;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::rule::Rule;
use werkbuch_twin::quality::Window;

/// Something that is raised or cleared in the window.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) found: RuleTurn,
    /// Whether it was raised before the window, and still is when that begins.
    pub(super) before: bool,
}

/// Rules on their way through a window.
#[derive(Debug)]
pub(super) struct Trying {
    part: Part,
    /// The window with what lies before it.
    window: Window,
    list: Arc<Vec<Rule>>,
    gauge: Arc<Gauge>,
    on_the_way: Option<(Sweep, Rules)>,
    /// What stands raised before the window.
    standing: BTreeMap<(usize, MachineNumber), RuleTurn>,
    done: bool,
}

impl Trying {
    pub(super) fn new(part: Part, lead_ns: u64, list: Arc<Vec<Rule>>, gauge: Arc<Gauge>) -> Self {
        Self {
            window: led(&part, lead_ns),
            done: part.window.from >= part.window.to,
            part,
            list,
            gauge,
            on_the_way: None,
            standing: BTreeMap::new(),
        }
    }

    /// About how many events have to be read. Blocking. Errors: the log cannot be read.
    pub(super) fn survey(parts: &[Part], lead_ns: u64) -> Result<u64, EngineError> {
        let mut total = 0_u64;
        for part in parts {
            let events = part.plant.reading_of(led(part, lead_ns), part.known)?;
            total = total.saturating_add(events);
        }
        Ok(total)
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Goes on for a while, and answers what turned. Blocking. Errors: those of the log and the fold.
    pub(super) fn step(&mut self) -> Result<Vec<Told>, EngineError> {
        let (mut sweep, mut rules) = match self.on_the_way.take() {
            Some(on_the_way) => on_the_way,
            None => match self.begin()? {
                Some(begun) => begun,
                None => {
                    self.done = true;
                    return Ok(Vec::new());
                }
            },
        };
        let mut told = Vec::new();
        for _ in 0..FIND_MOMENTS {
            let moment = sweep.moment(&self.gauge, &mut |course, moved, position| {
                rules.look(course, moved, position);
            })?;
            let Some(at) = moment else {
                self.done = true;
                if !self.gauge.is_stopped() {
                    let turns = rules.pass(self.window.to.plus(-1));
                    self.tell(turns, &mut told);
                    self.tell_standing(&mut told);
                }
                return Ok(told);
            };
            let turns = rules.settle(sweep.course(), at);
            self.tell(turns, &mut told);
        }
        self.on_the_way = Some((sweep, rules));
        Ok(told)
    }

    fn begin(&self) -> Result<Option<(Sweep, Rules)>, EngineError> {
        let (plant, known) = (self.part.plant.clone(), self.part.known);
        let needs = Rules::needs(self.list.iter());
        let sweep = Sweep::begin(plant, known, self.window, needs, &self.gauge)?;
        Ok(sweep.map(|sweep| {
            let mut rules = Rules::new(Arc::clone(&self.list));
            // What holds already begins with the first moment.
            rules.look(sweep.course(), crate::sweep::Moved::All, Position(0));
            (sweep, rules)
        }))
    }

    fn tell(&mut self, turns: Vec<RuleTurn>, told: &mut Vec<Told>) {
        for found in turns {
            if found.turn.at >= self.part.window.from {
                self.tell_standing(told);
                told.push(Told {
                    found,
                    before: false,
                });
                continue;
            }
            let key = (found.rule, found.machine);
            if found.turn.raised.is_some() {
                self.standing.insert(key, found);
            } else {
                self.standing.remove(&key);
            }
        }
    }

    /// Tells what stood raised when the window began, in the order in which it was raised.
    fn tell_standing(&mut self, told: &mut Vec<Told>) {
        let standing = std::mem::take(&mut self.standing).into_values();
        let mut standing: Vec<RuleTurn> = standing.collect();
        standing.sort_by_key(|one| (one.turn.at, one.rule, one.machine));
        let before = standing.into_iter();
        told.extend(before.map(|found| Told {
            found,
            before: true,
        }));
    }
}

fn led(part: &Part, lead_ns: u64) -> Window {
    let lead = i64::try_from(lead_ns).unwrap_or(i64::MAX);
    Window {
        from: part.window.from.plus(lead.saturating_neg()),
        to: part.window.to,
    }
}
