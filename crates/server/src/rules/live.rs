//! The rules of one plant on their way along its log, with a twin of their own.

use super::found::{Finding, Fit, Found};
use super::latches::{Key, Latches};
use super::meter::PlantMeter;
use super::{judge, read, terms};
use crate::sweep::{Needs, Rules};
use crate::view::twin as view;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use werkbuch_engine::{EngineError, Plant, RuleBook};
use werkbuch_model::event::{Body, Recorded};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::rule::Rule;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_twin::line::Waits;

/// How much further back than the longest time to hold the log is read again after a start.
const LEAD_NS: i64 = 3_600 * 1_000_000_000;
/// A machine that is heard of so much sooner or later than before is looked at by another time.
const BEHIND_NS: u64 = 1_000_000_000;

/// A rule, and the position from which on it is followed as it is.
struct Followed {
    rule: Rule,
    name: Arc<str>,
    begins: Position,
}

/// How a machine is heard of.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// How long after it happened the latest thing that it reported was recorded.
    behind: i64,
    /// The latest time that it was looked at for.
    passed: Timestamp,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            behind: 0,
            passed: Timestamp::MIN,
        }
    }
}

/// What was seen of a machine at a time that may not be over.
struct Seen {
    at: Timestamp,
    /// Whether what raises and what clears holds, by the number of the rule.
    holds: Vec<(usize, (bool, bool))>,
}

/// The rules of a plant on their way along its log.
pub(super) struct Live {
    plant: Plant,
    twin: Twin,
    waits: Option<Waits>,
    /// When more of the description holds than does now.
    until: Option<Timestamp>,
    needs: Needs,
    revision: u32,
    rules: Vec<Followed>,
    latches: Latches<()>,
    clocks: BTreeMap<MachineNumber, Clock>,
    seen: BTreeMap<MachineNumber, Seen>,
    found: Found,
    /// Whether other rules apply by now.
    outdated: bool,
    meter: Arc<PlantMeter>,
}

impl Live {
    /// Begins with the rules that apply, as far back in the log as they depend on it. Nothing when there are
    /// none. Blocking. Errors: those of the log and of the fold.
    pub(super) fn begin(
        plant: &Plant,
        book: &RuleBook,
        meter: Arc<PlantMeter>,
    ) -> Result<Option<Self>, EngineError> {
        let rules = followed(plant, book);
        if rules.is_empty() {
            return Ok(None);
        }
        let from = resume(plant, &rules)?;
        let was = plant.rules_at(from, None)?;
        let mut twin = plant.twin_at(from)?;
        let until = twin.show_held();
        let needs = Rules::needs(rules.iter().map(|one| &one.rule));
        let mut live = Self {
            plant: plant.clone(),
            waits: needs.has_waits().then(|| Waits::of(&twin)),
            twin,
            until,
            needs,
            revision: book.revision(),
            latches: Latches::new(rules.iter().map(|one| terms(&one.rule)).collect()),
            rules,
            clocks: BTreeMap::new(),
            seen: BTreeMap::new(),
            found: Found::default(),
            outdated: false,
            meter,
        };
        for ((name, machine), raised) in &was.raised {
            if let Some(rule) = live.rule(name).filter(|rule| live.applies(*rule, from)) {
                live.latches.stand((*machine, rule), true, 0);
                let clock = live.clocks.entry(*machine).or_default();
                clock.passed = clock.passed.max(raised.at);
            }
        }
        let at = live.twin.last_recorded_at().unwrap_or(Timestamp::MIN);
        let all: Vec<usize> = (0..live.rules.len()).collect();
        live.look_all(at, &all);
        Ok(Some(live))
    }

    /// The position up to which the log has been taken in.
    pub(super) fn position(&self) -> Position {
        self.twin.position()
    }

    /// Whether other rules apply by now, so that it is to begin anew.
    pub(super) fn is_outdated(&self) -> bool {
        self.outdated
    }

    /// The revision of the rules that are followed.
    pub(super) fn revision(&self) -> u32 {
        self.revision
    }

    /// Takes in the next event. Errors: it does not fold.
    pub(super) fn take(&mut self, event: &Recorded<'_>) -> Result<(), EngineError> {
        self.become_valid(event.recorded_at);
        let revision = self.twin.revision();
        self.twin.apply(event).map_err(|error| EngineError::Fold {
            plant: self.plant.id().clone(),
            position: event.position,
            cause: error.to_string(),
        })?;
        let body = &event.reported.body;
        let waits = self.waits.as_mut();
        let touched = waits.map_or_else(BTreeSet::new, |waits| waits.follow(&self.twin, event));
        if matches!(body, Body::DescriptionChanged(_)) {
            self.until = self.twin.show_held();
            if self.twin.revision() != revision {
                self.describe(event.recorded_at);
            }
        }
        match body {
            Body::RuleRaised(said) => self.said(event, &said.rule, true),
            Body::RuleCleared(said) => self.said(event, &said.rule, false),
            Body::RulesChanged(said) if said.commit => {
                self.outdated |= said.revision > self.revision;
                let begin: Vec<usize> = (0..self.rules.len())
                    .filter(|rule| self.begins(*rule) == event.position)
                    .collect();
                self.look_all(event.recorded_at, &begin);
            }
            _ if event.is_reported() => self.heard(event, touched),
            _ => {}
        }
        Ok(())
    }

    /// All events that were recorded together have been taken in.
    pub(super) fn settle(&mut self) {
        while let Some((machine, seen)) = self.seen.pop_first() {
            self.settle_one(machine, &seen);
        }
        self.meter.reach(self.twin.position());
    }

    /// Takes up that time has passed, and that nothing was recorded that has not been taken in.
    pub(super) fn pass(&mut self, now: Timestamp) {
        self.become_valid(now);
        if let Some(waits) = &mut self.waits
            && let Some(due) = waits.due().filter(|due| *due <= now)
        {
            let touched = waits.pass(&self.twin.bounded(now));
            for machine in touched {
                self.look_at(machine, due);
            }
            self.settle();
        }
        let clocks = &self.clocks;
        let behind = |machine| clocks.get(&machine).map_or(0, |clock: &Clock| clock.behind);
        let turned = self.latches.pass(now, &behind);
        for one in &turned {
            let clock = self.clocks.entry(one.machine).or_default();
            clock.passed = clock.passed.max(one.turn.at);
        }
        self.found.add(turned);
    }

    /// When it is to be looked at though nothing is recorded.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let waits = self.waits.as_ref().and_then(Waits::due);
        let all = [self.latches.next(), waits, self.until];
        all.into_iter().flatten().min()
    }

    /// What is to be recorded, at most so much; it counts as told.
    pub(super) fn tell(&mut self, most: usize) -> Vec<werkbuch_engine::RuleTurn> {
        let told = self.found.tell(most).into_iter();
        told.filter_map(|(key, finding)| self.turn(key, finding))
            .collect()
    }

    /// Whether anything is to be recorded.
    pub(super) fn has_news(&self) -> bool {
        self.found.has_news()
    }

    /// The writer could not take what it was told.
    pub(super) fn tell_again(&mut self) {
        self.found.tell_again();
    }

    /// The writer did not take a finding, because it knows better.
    pub(super) fn refused(&mut self, turn: &werkbuch_engine::RuleTurn) {
        if let Some(rule) = self.rule(&turn.rule) {
            let key = (turn.machine, rule);
            self.found.drop_of(key);
            self.latches
                .stand(key, turn.raised, self.behind(turn.machine));
        }
    }

    fn turn(&self, (machine, rule): Key, finding: Finding) -> Option<werkbuch_engine::RuleTurn> {
        let name = self.twin.description().name_of(machine);
        Some(werkbuch_engine::RuleTurn {
            rule: Arc::clone(&self.rules.get(rule)?.name),
            machine,
            name: name.map_or_else(|| machine.to_string(), |name| name.as_str().to_owned()),
            raised: finding.raised,
            since: finding.since,
            due: finding.due,
        })
    }

    fn rule(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|one| &*one.name == name)
    }

    fn begins(&self, rule: usize) -> Position {
        self.rules.get(rule).map_or(Position(0), |one| one.begins)
    }

    /// Whether a rule is followed as of a position.
    fn applies(&self, rule: usize, at: Position) -> bool {
        self.begins(rule) <= at
    }

    fn behind(&self, machine: MachineNumber) -> i64 {
        self.clocks.get(&machine).map_or(0, |clock| clock.behind)
    }

    /// A source has reported something, and these machines wait for another reason.
    fn heard(&mut self, event: &Recorded<'_>, mut touched: BTreeSet<MachineNumber>) {
        let machine = event.reported.machine;
        if machine.get() != 0 {
            let last = self.twin.machine(machine);
            let last = last.and_then(|machine| machine.last_event_at());
            // What came late says nothing about how soon the machine is heard of now.
            if last.is_none_or(|last| event.effective_at >= last) {
                let behind = event.recorded_at.since(event.effective_at).max(0);
                let clock = self.clocks.entry(machine).or_default();
                let is_other = behind.abs_diff(clock.behind) > BEHIND_NS;
                clock.behind = behind;
                if is_other {
                    self.latches.heard(machine, behind);
                }
            }
            if self.needs.wants(&event.reported.body) {
                touched.insert(machine);
            }
        }
        for machine in touched {
            self.look_at(machine, event.effective_at);
        }
    }

    /// Looks at a machine that may be another from a time on; what was looked at before stays as it was.
    fn look_at(&mut self, machine: MachineNumber, at: Timestamp) {
        let clock = self.clocks.entry(machine).or_default();
        let at = at.max(clock.passed);
        clock.passed = at;
        if self.seen.get(&machine).is_some_and(|seen| seen.at < at)
            && let Some(seen) = self.seen.remove(&machine)
        {
            self.settle_one(machine, &seen);
        }
        let all: Vec<usize> = (0..self.rules.len()).collect();
        let holds = self.judged(machine, &all);
        self.seen.insert(machine, Seen { at, holds });
    }

    fn settle_one(&mut self, machine: MachineNumber, seen: &Seen) {
        let behind = self.behind(machine);
        for (rule, holds) in &seen.holds {
            let key = (machine, *rule);
            let turned = self.latches.look(key, (seen.at, behind), *holds, || ());
            self.found.add(turned);
        }
    }

    /// What holds of a machine now, as far as it is raised, on its way to be, or begins to be.
    fn judged(&self, machine: MachineNumber, rules: &[usize]) -> Vec<(usize, (bool, bool))> {
        self.meter.look(rules.len());
        let row = view::row(&self.twin, machine).map(|row| match &self.waits {
            Some(waits) => row.knowing(waits),
            None => row,
        });
        let mut holds = Vec::new();
        for number in rules.iter().copied() {
            let Some(one) = self.rules.get(number) else {
                continue;
            };
            if one.begins > self.twin.position() {
                continue;
            }
            let (raises, clears) = judge(&one.rule, row.as_ref());
            if raises || self.latches.has((machine, number)) {
                holds.push((number, (raises, clears)));
            }
        }
        holds
    }

    /// What of the description has become valid by a time holds from when it was to, though nothing is
    /// recorded then: so the log tells the same after a start.
    fn become_valid(&mut self, now: Timestamp) {
        while let Some(until) = self.until.filter(|until| *until <= now) {
            self.settle();
            self.until = self.twin.show_held_at(until);
            self.describe(until);
        }
    }

    /// The description is another one from a time on.
    fn describe(&mut self, at: Timestamp) {
        self.settle();
        if self.waits.is_some() {
            self.waits = Some(Waits::of(&self.twin));
        }
        let all: Vec<usize> = (0..self.rules.len()).collect();
        self.look_all(at, &all);
    }

    /// Looks at all machines, for some rules.
    fn look_all(&mut self, at: Timestamp, rules: &[usize]) {
        if rules.is_empty() {
            return;
        }
        let mut machines = self.latches.machines();
        machines.extend(self.twin.description().machines().map(|one| one.number));
        for machine in machines {
            let holds = self.judged(machine, rules);
            if holds.is_empty() {
                continue;
            }
            // What the machine itself reports of a time before goes on being believed.
            let passed = self.clocks.get(&machine).map(|clock| clock.passed);
            let at = passed.map_or(at, |passed| at.max(passed));
            self.settle_one(machine, &Seen { at, holds });
        }
    }

    /// The log says that a rule is raised or cleared of a machine.
    fn said(&mut self, event: &Recorded<'_>, rule: &str, raised: bool) {
        let machine = event.reported.machine;
        if let Some(seen) = self.seen.remove(&machine) {
            self.settle_one(machine, &seen);
        }
        let Some(rule) = self.rule(rule) else { return };
        if !self.applies(rule, event.position) {
            return;
        }
        let key = (machine, rule);
        let behind = self.behind(machine);
        let is_so = match self.found.said(key, raised) {
            Fit::Next => true,
            // Time had gone on when it was found, which no event says.
            Fit::Nothing => {
                let turn = self.latches.turn(key, behind);
                turn.is_some_and(|turn| turn.raised.is_some() == raised)
            }
            Fit::Other => false,
        };
        if !is_so {
            self.latches.stand(key, raised, behind);
        }
        let clock = self.clocks.entry(machine).or_default();
        clock.passed = clock.passed.max(event.effective_at);
    }
}

/// The rules that apply and mean something to this build.
fn followed(plant: &Plant, book: &RuleBook) -> Vec<Followed> {
    let mut rules = Vec::new();
    for kept in book.rules() {
        let begun = book.revisions().iter();
        let mut begun = begun.filter(|one| one.revision == kept.since_revision);
        let begins = begun.next().map_or(Position(0), |one| one.position);
        match read(kept) {
            Ok(rule) => rules.push(Followed {
                rule,
                name: Arc::from(&*kept.rule),
                begins,
            }),
            Err(cause) => tracing::error!(
                plant = plant.id().as_str(),
                rule = &*kept.rule,
                cause,
                "a rule is not followed: apply it as this version understands it"
            ),
        }
    }
    rules
}

/// The position after which the log has to be read again: nothing that is on its way to be raised or cleared
/// began before it.
fn resume(plant: &Plant, rules: &[Followed]) -> Result<Position, EngineError> {
    let end = plant.position();
    let last = plant.twin_at(end)?.last_recorded_at();
    let longest = rules
        .iter()
        .map(|one| one.rule.hold_ns.max(one.rule.clear_hold_ns));
    let longest = i64::try_from(longest.max().unwrap_or(0)).unwrap_or(i64::MAX);
    let back = longest.saturating_add(LEAD_NS).saturating_neg();
    let begin = last.unwrap_or(Timestamp::MIN).plus(back);
    let before = plant.bounds(&Instant {
        known: Known::Recorded(begin),
        at: None,
    })?;
    let first = rules.iter().map(|one| one.begins).min();
    Ok(before.max(first.unwrap_or_default()).min(end))
}
