//! The twin and its fold: one recorded event after the other becomes the state of the plant.

use crate::content::{self, Interner};
use crate::course::How;
use crate::machine::{Claim, MachineState};
use crate::mark::Alone;
use crate::notes::Notes;
use crate::order::{Source, Sources};
use crate::plant::PlantState;
use crate::scope::Scope;
use crate::shards::Shards;
use crate::slot::{Rank, SlotKey};
use crate::symbol::Symbols;
use crate::window::Window;
use crate::{FORMAT_VERSION, FoldError, correction, fact};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use werkbuch_model::event::{Body, Outline, Recorded, SourceOpened};
use werkbuch_model::id::{MachineNumber, PlantId, Position, SourceNumber};
use werkbuch_model::plant::Description;
use werkbuch_model::time::Timestamp;

/// One plant in memory, at the position of the last event folded.
///
/// A clone is cheap and shares what neither side changes, so that a reader or a fork can hold one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Twin {
    pub(crate) id: PlantId,
    pub(crate) scope: Scope,
    pub(crate) position: Position,
    pub(crate) plant: PlantState,
    pub(crate) sources: Arc<Sources>,
    pub(crate) symbols: Arc<Symbols>,
    /// How many texts the table had when it was last cleared of those no longer used.
    pub(crate) symbols_used: usize,
    /// How often it was cleared, so that numbers of texts mean something else.
    pub(crate) cleared: u32,
    /// In the order of their numbers.
    pub(crate) machines: Vec<Arc<MachineState>>,
    pub(crate) shards: Shards,
    pub(crate) window: Window,
    pub(crate) notes: Notes,
    /// Of a twin of one machine what stands for all others.
    #[serde(skip)]
    pub(crate) alone: Option<Box<Alone>>,
    /// Where contents are written before they are kept.
    #[serde(skip)]
    said: Vec<u8>,
}

impl Twin {
    /// The live twin of a plant before its first event.
    #[must_use]
    pub fn new(plant: PlantId) -> Self {
        Self::scoped(plant, None)
    }

    /// A twin of the past: what took effect in plant time after `at` is left out of its state. With
    /// `at` absent it is the live twin.
    ///
    /// What was known is bounded by the caller, who stops applying. Positions may leap forward, so
    /// the caller may leave out events that cannot matter, but none of the writer's own records.
    #[must_use]
    pub fn scoped(plant: PlantId, at: Option<Timestamp>) -> Self {
        Self {
            id: plant,
            scope: Scope { at },
            position: Position(0),
            plant: PlantState::default(),
            sources: Arc::default(),
            symbols: Arc::default(),
            symbols_used: 1,
            cleared: 0,
            machines: Vec::new(),
            shards: Shards::default(),
            window: Window::default(),
            notes: Notes::default(),
            alone: None,
            said: Vec::new(),
        }
    }

    /// Folds the next event. Errors: [`FoldError`], and then the twin is as it was.
    pub fn apply(&mut self, event: &Recorded<'_>) -> Result<(), FoldError> {
        self.check(event)?;
        match &event.reported.body {
            Body::DescriptionChanged(said) => {
                let Recorded {
                    position,
                    recorded_at,
                    ..
                } = *event;
                self.plant.apply(said, position, recorded_at, self.scope)?;
                self.admit_machines();
            }
            Body::SourceOpened(opened) => self.open_source(opened, event.position)?,
            _ if event.is_reported() => self.take_reported(event),
            _ => {}
        }
        self.position = event.position;
        self.notes.take(event);
        Ok(())
    }

    /// Folds nothing but a change of the description, wherever it stands in the log; the caller hands
    /// them over in their order. Anything else is left out.
    ///
    /// # Errors
    ///
    /// [`FoldError::DescriptionPart`] and [`FoldError::Description`].
    pub fn describe(&mut self, event: &Recorded<'_>) -> Result<(), FoldError> {
        let Body::DescriptionChanged(said) = &event.reported.body else {
            return Ok(());
        };
        let Recorded {
            position,
            recorded_at,
            ..
        } = *event;
        self.plant.apply(said, position, recorded_at, self.scope)?;
        self.admit_machines();
        Ok(())
    }

    /// The same twin with another bound in plant time. The caller vouches that all it holds lies before
    /// both.
    #[must_use]
    pub fn bounded(&self, at: Timestamp) -> Self {
        let mut twin = self.clone();
        twin.scope = Scope { at: Some(at) };
        twin
    }

    /// Folds what a source reported, though events before it may be left out that do not matter to the
    /// state, or were folded already. Changes of the description and the writer's own records are
    /// left out: see [`Twin::describe`] and [`Twin::know_sources`].
    ///
    /// # Errors
    ///
    /// [`FoldError::UnknownSource`].
    pub fn apply_apart(&mut self, event: &Recorded<'_>) -> Result<(), FoldError> {
        if event.is_reported() {
            self.check_sources(event)?;
            self.take_reported(event);
        }
        Ok(())
    }

    /// Folds an event of which no more than the outline was read, as [`Twin::apply_apart`] would, where
    /// that is enough: in a twin of one machine alone what is of another machine. Answers whether it was.
    ///
    /// # Errors
    ///
    /// [`FoldError::UnknownSource`].
    pub fn pass(&mut self, event: &Outline) -> Result<bool, FoldError> {
        let other = |alone: &&mut Box<Alone>| alone.number != event.machine;
        let of_other = event.machine.get() != 0 && event.kind.is_of_machine();
        let Some(alone) = self.alone.as_mut().filter(other).filter(|_| of_other) else {
            return Ok(false);
        };
        if self.sources.get(event.source).is_none() {
            return Err(FoldError::UnknownSource {
                position: event.position,
                source_number: event.source,
            });
        }
        if self.scope.holds(event.effective_at) {
            let heard_for = Some(event.effective_at);
            Arc::make_mut(&mut self.sources).reported(event.source, event.position, heard_for);
            self.window.heard(event.effective_at);
            alone.heard.add(event.machine);
        }
        Ok(true)
    }

    /// Knows the sources of another twin of the same log as well, as far as `known` says so.
    pub fn know_sources(&mut self, other: &Self, known: impl Fn(SourceNumber) -> bool) {
        for source in other.sources.all() {
            if self.sources.get(source.number).is_none() && known(source.number) {
                Arc::make_mut(&mut self.sources).learn(source);
            }
        }
    }

    /// Says which position it reflects, once all that matters up to there is folded.
    pub fn reflect(&mut self, position: Position, recorded_at: Option<Timestamp>) {
        self.position = position;
        self.notes.recorded_at = recorded_at;
    }

    /// The plant's name.
    #[must_use]
    pub fn plant(&self) -> &PlantId {
        &self.id
    }

    /// The bound of the twin in plant time.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The position of the last event folded; 0 before the first.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// When the last event folded was recorded; absent before the first.
    #[must_use]
    pub fn last_recorded_at(&self) -> Option<Timestamp> {
        self.notes.recorded_at
    }

    /// The count of plant descriptions that have taken effect.
    #[must_use]
    pub fn revision(&self) -> u32 {
        self.plant.revision
    }

    /// The plant's description as it holds at the position (and, in a twin of the past, the time). In
    /// a live twin what lies ahead holds too, unless the twin came from [`Twin::as_of`].
    #[must_use]
    pub fn description(&self) -> &Description {
        self.plant.shown.as_ref().unwrap_or(&self.plant.description)
    }

    /// The plant's description with all that lies ahead, to be held on to without a copy.
    #[must_use]
    pub fn staged_description(&self) -> Arc<Description> {
        Arc::clone(&self.plant.description)
    }

    /// What of the description holds at a time, and the time at which more of it does; absent when all
    /// of it holds.
    #[must_use]
    pub fn held_description(&self, now: Timestamp) -> Option<(Arc<Description>, Timestamp)> {
        let now = self.last_recorded_at().map_or(now, |last| last.max(now));
        self.plant.held_at(now).zip(self.plant.next_after(now))
    }

    /// The same twin without those parts of its description whose validity lies ahead of a time;
    /// absent when there are none. What is reported is not bounded, and neither is the digest.
    #[must_use]
    pub fn as_of(&self, now: Timestamp) -> Option<Self> {
        let (held, _) = self.held_description(now)?;
        Some(self.showing(held))
    }

    /// The same twin with this for what holds of its description, as [`Twin::held_description`] said.
    #[must_use]
    pub fn showing(&self, held: Arc<Description>) -> Self {
        let mut twin = self.clone();
        twin.plant.shown = Some(held);
        twin
    }

    /// Shows what of the description held when the last event folded was recorded, whatever was shown
    /// before. Answers when more of it holds; absent when all of it does. An event that changes the
    /// description may ask for it anew.
    pub fn show_held(&mut self) -> Option<Timestamp> {
        let last = self.last_recorded_at()?;
        self.show_held_at(last)
    }

    /// Shows what of the description holds at a time, though nothing was recorded then. Answers when more
    /// of it holds; absent when all of it does.
    pub fn show_held_at(&mut self, time: Timestamp) -> Option<Timestamp> {
        self.plant.shown = self.plant.held_at(time);
        self.plant.shown.as_ref()?;
        self.plant.next_after(time)
    }

    /// The sources in the order of their numbers.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        self.sources.all()
    }

    /// The source with this number, if it was opened.
    #[must_use]
    pub fn source(&self, number: SourceNumber) -> Option<&Source> {
        self.sources.get(number)
    }

    /// Counts and marks over everything folded; no part of the state.
    #[must_use]
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Everything that can go wrong is found before anything changes.
    fn check(&self, event: &Recorded<'_>) -> Result<(), FoldError> {
        let next = event.position == self.position.next();
        let leap = self.scope.at.is_some() && event.position > self.position;
        if !next && !leap {
            return Err(FoldError::OutOfTurn {
                last: self.position,
                found: event.position,
            });
        }
        if let Body::FormatRaised(raised) = &event.reported.body
            && raised.minimum_reader > FORMAT_VERSION
        {
            return Err(FoldError::FormatTooNew {
                position: event.position,
                minimum: raised.minimum_reader,
                readable: FORMAT_VERSION,
            });
        }
        self.check_sources(event)
    }

    fn check_sources(&self, event: &Recorded<'_>) -> Result<(), FoldError> {
        let known = |number| match self.sources.get(number) {
            Some(_) => Ok(()),
            None => Err(FoldError::UnknownSource {
                position: event.position,
                source_number: number,
            }),
        };
        if event.is_reported() {
            known(event.source)?;
        }
        correction::check_sources(&event.corrected, known)
    }

    fn open_source(
        &mut self,
        opened: &SourceOpened<'_>,
        position: Position,
    ) -> Result<(), FoldError> {
        if Arc::make_mut(&mut self.sources).open(opened) {
            return Ok(());
        }
        Err(FoldError::SourceTaken {
            position,
            source_number: opened.number,
        })
    }

    fn take_reported(&mut self, event: &Recorded<'_>) {
        let position = event.position;
        let in_scope = self.scope.holds(event.effective_at);
        if in_scope {
            let heard_for = Some(event.effective_at);
            Arc::make_mut(&mut self.sources).reported(event.source, position, heard_for);
        }
        let machine = event.reported.machine;
        let mut fold = self.fold();
        if let Body::CorrectionRecorded(said) = &event.reported.body {
            // It is about the machine as soon as anything that it moves lies within the bound.
            let moved = said.new_time.into_iter();
            let mut moved = moved.chain(event.corrected.iter().map(|target| target.effective_at));
            let in_scope = in_scope || moved.any(|time| fold.scope.holds(time));
            if machine.get() != 0 && in_scope {
                fold.machine(machine).touched(position);
            }
            fold.correct(machine, position, said, &event.corrected);
        } else {
            let claim = Claim {
                order: event.order_key(),
                place: position,
                position,
            };
            fold.report(machine, &claim, event.authority, &event.reported.body);
        }
        self.clear_symbols();
    }

    /// Lets what happened hold where it is the latest. What a correction says is no news of its machine:
    /// the event that it corrects was, and of that nothing else may be left.
    /// Errors: the source is not known.
    pub(crate) fn happen(
        &mut self,
        event: &Recorded<'_>,
        place: Position,
        how: How,
    ) -> Result<(), FoldError> {
        self.check_sources(event)?;
        let claim = Claim {
            order: event.order_key(),
            place,
            position: event.position,
        };
        let (machine, body) = (event.reported.machine, &event.reported.body);
        let mut fold = self.fold();
        match how {
            How::Said => fold.report(machine, &claim, event.authority, body),
            How::Restated => {
                if fold.join(machine, &claim, event.authority, body) {
                    fold.heard_of(event.effective_at);
                }
            }
            How::Gone => fold.hear(machine, event),
            How::Withdrawn => fold.heard_of(event.effective_at),
        }
        self.clear_symbols();
        Ok(())
    }

    /// Makes room for all machines of the description at once, in order.
    pub(crate) fn admit_machines(&mut self) {
        let description = Arc::clone(&self.plant.description);
        let mut fold = self.fold();
        for machine in description.machines() {
            fold.machine(machine.number);
        }
    }

    fn fold(&mut self) -> Fold<'_> {
        Fold {
            scope: self.scope,
            sources: &self.sources,
            symbols: Interner(&mut self.symbols),
            machines: &mut self.machines,
            shards: &mut self.shards,
            window: &mut self.window,
            alone: self.alone.as_deref_mut(),
            said: &mut self.said,
        }
    }
}

/// The parts of a twin that a reported event can move.
pub(crate) struct Fold<'t> {
    scope: Scope,
    sources: &'t Sources,
    symbols: Interner<'t>,
    machines: &'t mut Vec<Arc<MachineState>>,
    shards: &'t mut Shards,
    window: &'t mut Window,
    alone: Option<&'t mut Alone>,
    said: &'t mut Vec<u8>,
}

impl Fold<'_> {
    /// The machine with this number, there from now on.
    pub(crate) fn machine(&mut self, number: MachineNumber) -> &mut MachineState {
        match &mut self.alone {
            Some(alone) if alone.number != number => alone.spare(),
            _ => machine_mut(self.machines, number),
        }
    }

    /// Whether it is a machine of which nothing is kept.
    fn leaves_out(&self, number: MachineNumber) -> bool {
        let alone = self.alone.as_ref();
        number.get() != 0 && alone.is_some_and(|alone| alone.number != number)
    }

    /// Takes what was reported: it touches its machine, holds where it is the latest, and is news.
    fn report(&mut self, number: MachineNumber, claim: &Claim, authority: u32, body: &Body<'_>) {
        let effective_at = claim.order.effective_at;
        if !self.scope.holds(effective_at) {
            return;
        }
        // The machine is looked up once: it is nearly always memory that the processor has to fetch.
        let left_out = self.leaves_out(number);
        let is_kept = number.get() != 0 && !left_out;
        let mut machine = is_kept.then(|| machine_mut(self.machines, number));
        if let Some(machine) = &mut machine {
            machine.touched(claim.position);
        }
        let mut aspects = Aspects {
            sources: self.sources,
            symbols: &mut self.symbols,
            shards: self.shards,
            window: *self.window,
            said: self.said,
            left_out,
        };
        if aspects.join(number, machine.as_deref_mut(), claim, authority, body) {
            self.window.heard(effective_at);
            if let Some(machine) = machine {
                machine.heard(effective_at);
            } else if let Some(alone) = self.alone.as_mut().filter(|_| left_out) {
                alone.heard.add(number);
            }
        }
    }

    /// Notes that a machine was heard of, by something that does not hold.
    fn hear(&mut self, number: MachineNumber, event: &Recorded<'_>) {
        let (mut sets_something, at) = (false, event.effective_at);
        content::for_each(&event.reported.body, &mut |_, _| sets_something = true);
        if !sets_something || !self.scope.holds(at) {
            return;
        }
        self.window.heard(at);
        if number.get() != 0 {
            let machine = self.machine(number);
            machine.touched(event.position);
            machine.heard(at);
            if let Some(alone) = &mut self.alone {
                alone.heard.add(number);
            }
        }
    }

    /// Notes a time that something was corrected to; it is no news of the machine.
    pub(crate) fn heard_of(&mut self, effective_at: Timestamp) {
        self.window.heard(effective_at);
    }

    /// Takes an event from every slot that it holds. What it says tells which of the plant's they are.
    pub(crate) fn vacate(&mut self, number: MachineNumber, place: Position, body: &Body<'_>) {
        if number.get() != 0 {
            self.machine(number).vacate(place);
        }
        body.for_each_aspect(&mut |aspect| {
            if number.get() == 0 || aspect.kind.of_plant() {
                self.shards.vacate(&aspect, place);
            }
        });
    }

    /// Lets a content hold in each aspect in which it is the latest in order, if it is in scope.
    /// Answers whether it sets any aspect at all.
    pub(crate) fn join(
        &mut self,
        number: MachineNumber,
        claim: &Claim,
        authority: u32,
        body: &Body<'_>,
    ) -> bool {
        if !self.scope.holds(claim.order.effective_at) {
            return false;
        }
        let left_out = self.leaves_out(number);
        let is_kept = number.get() != 0 && !left_out;
        let machine = is_kept.then(|| machine_mut(self.machines, number));
        let mut aspects = Aspects {
            sources: self.sources,
            symbols: &mut self.symbols,
            shards: self.shards,
            window: *self.window,
            said: self.said,
            left_out,
        };
        aspects.join(number, machine, claim, authority, body)
    }
}

/// What a content needs beside its machine to hold in its aspects.
struct Aspects<'f, 't> {
    sources: &'f Sources,
    symbols: &'f mut Interner<'t>,
    shards: &'f mut Shards,
    window: Window,
    said: &'f mut Vec<u8>,
    /// Whether what it says of its machine is not kept.
    left_out: bool,
}

impl Aspects<'_, '_> {
    /// Lets a content hold in each aspect in which it is the latest in order; those of no machine and
    /// those of the plant are kept with the plant. Answers whether it sets any aspect at all.
    fn join(
        &mut self,
        number: MachineNumber,
        mut machine: Option<&mut MachineState>,
        claim: &Claim,
        authority: u32,
        body: &Body<'_>,
    ) -> bool {
        let Self {
            sources,
            symbols,
            shards,
            window,
            said,
            left_out,
        } = self;
        let (sources, window, rank) = (*sources, *window, Rank::of(authority));
        let mut sets_something = false;
        content::for_each(body, &mut |aspect, make| {
            sets_something = true;
            if *left_out && !aspect.kind.of_plant() {
                return;
            }
            let machine = machine.as_deref_mut();
            let Some(machine) = machine.filter(|_| !aspect.kind.of_plant()) else {
                let (slot, claim) = ((&aspect, rank), (claim, number));
                return shards.join(slot, claim, (sources, window), || fact::pack(body, &aspect));
            };
            let key = SlotKey {
                kind: aspect.kind,
                item: symbols.symbol(aspect.item),
                sub: symbols.symbol(aspect.sub),
                rank,
            };
            let make = |out: &mut Vec<u8>| make(symbols, out);
            machine.join(key, claim, (sources, window), (make, said));
        });
        sets_something
    }
}

/// The index of a machine. Machines are numbered without gaps from 1, so it is nearly always known
/// at once; a number out of a damaged log must not decide how much memory is taken.
pub(crate) fn machine_index(
    machines: &[Arc<MachineState>],
    number: MachineNumber,
) -> Result<usize, usize> {
    let guess = (number.get() as usize).wrapping_sub(1);
    match machines.get(guess) {
        Some(machine) if machine.number == number => Ok(guess),
        _ => machines.binary_search_by_key(&number, |machine| machine.number),
    }
}

fn machine_mut(machines: &mut Vec<Arc<MachineState>>, number: MachineNumber) -> &mut MachineState {
    let index = match machine_index(machines, number) {
        Ok(index) => index,
        Err(index) => {
            machines.insert(index, Arc::new(MachineState::new(number)));
            index
        }
    };
    Arc::make_mut(&mut machines[index])
}
