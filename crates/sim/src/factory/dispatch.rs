//! Which part a machine takes first, and whether it waits for room before it works.

use super::Factory;
use super::fact::{Part, Verdict};
use super::flow::Exit;
use super::work::Phase;
use crate::truth::First;

impl Factory {
    /// The place in a buffer of the part that a station takes by its own rule; absent where it has none.
    pub(super) fn by_rule(
        &self,
        station: usize,
        ready: impl Iterator<Item = (usize, Part)>,
    ) -> Option<Option<usize>> {
        let first = &self.rule_of(station)?.first;
        let set = self.stations.get(station).and_then(|one| one.variant);
        let cost = |about: Part| -> u64 {
            match first {
                First::AsTheyLie => 0,
                First::ShortestTime => self.usual_ns(station, about.variant),
                First::EarliestDue(allowed) => {
                    let allowed = allowed.get(about.variant).copied().unwrap_or(0);
                    about.born_ns.unwrap_or(0).saturating_add(allowed)
                }
                First::FewestSetups => {
                    set.map_or(0, |set| self.setup_ns(station, set, about.variant))
                }
                First::Priority(variants) => {
                    let place = variants.iter().position(|one| *one == about.variant);
                    place.unwrap_or(variants.len()) as u64
                }
            }
        };
        if *first == First::AsTheyLie {
            return None;
        }
        let costs = ready.map(|(at, about)| (cost(about), at));
        Some(costs.min().map(|(_, at)| at))
    }

    fn rule_of(&self, station: usize) -> Option<&crate::truth::Dispatch> {
        let machine = self.layout.stations.get(station)?.machine;
        Some(&self.truth.machines.get(machine)?.dispatch)
    }

    /// How long the work on a variant takes on average, or by the plan.
    fn usual_ns(&self, station: usize, variant: usize) -> u64 {
        let Some(spec) = self.layout.stations.get(station) else {
            return 0;
        };
        let truth = self.truth.machines.get(spec.machine);
        let own = truth.and_then(|one| one.cycle_of.iter().find(|(of, _)| *of == variant));
        let times = own.map(|(_, times)| times);
        if let Some(times) = times.or_else(|| truth.and_then(|one| one.cycle.as_ref())) {
            return (times.mean_s() * 1e9) as u64;
        }
        let planned = spec.work_ns.iter().find(|(of, _)| *of == variant);
        planned.map_or(spec.cycle_ns, |(_, ns)| *ns)
    }

    /// How long a change of variant takes at a station on average; 0 where it takes none.
    fn setup_ns(&self, station: usize, from: usize, to: usize) -> u64 {
        let planned_ns = self.layout.setup_ns(station, from, to);
        let machine = self.layout.stations.get(station).map(|one| one.machine);
        let truth = machine.and_then(|machine| self.truth.machines.get(machine));
        let known = truth.and_then(|one| one.setup(from, to, planned_ns > 0));
        known.map_or(planned_ns, |times| (times.mean_s() * 1e9) as u64)
    }

    /// Whether the part in a slot must wait for room before its work begins.
    pub(super) fn waits_for_room(&self, slot: usize) -> bool {
        let Some(this) = self.slots.get(slot) else {
            return false;
        };
        let rule = self.rule_of(this.station);
        this.phase == Phase::Loaded
            && rule.is_some_and(|one| one.blocks_before)
            && this.verdict == Verdict::Good
            && self.exit(slot) == Exit::Stuck
    }
}
